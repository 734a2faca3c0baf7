"""The contract suite on a real sandbox."""
