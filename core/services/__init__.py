"""The built-in services: transform, load, query, shard; a file each."""
