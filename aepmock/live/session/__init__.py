"""A live run: its sandbox, its token, what it made and how that is deleted."""
