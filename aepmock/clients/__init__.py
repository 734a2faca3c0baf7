"""What a client under test looks like, and the reference client."""
