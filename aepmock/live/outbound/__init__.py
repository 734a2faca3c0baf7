"""The only way out of a live run: what may leave, when, and how it is sent."""
