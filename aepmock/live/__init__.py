"""A run against the live service: what it may do, what it leaves, and what it learns."""
