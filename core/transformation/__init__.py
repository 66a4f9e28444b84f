"""What transform does to a file, twice with the same bytes: row by row in plain Python, and in bulk by the engine."""
