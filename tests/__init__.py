"""The kit's own tests, the clients they judge, and the judge's own judges."""
