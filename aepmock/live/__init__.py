"""Live runs: the suite against a real sandbox, with throttle, ownership and a way back.

Nothing is imported here: the plugin reads the flags in every pytest run of everyone.
"""
