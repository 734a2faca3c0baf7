"""Clients that keep the whole contract, each written in its own way: the suite may accuse none."""
