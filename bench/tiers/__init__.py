"""Databases side by side: how fast each is loaded, what it takes there, and how many clients it answers at once."""
