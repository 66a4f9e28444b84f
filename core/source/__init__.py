"""Files as they come: their dialect, their header, and their records in chunks that fit into memory."""
