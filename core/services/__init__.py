"""The built-in services: transform, load, query, shard, probe; a file each."""
