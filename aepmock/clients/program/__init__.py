"""A client in another language: a program that is spoken to in JSON lines."""
