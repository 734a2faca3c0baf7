"""Live runs: the suite against a real sandbox, with limits, a journal and a cleanup.

Nothing is imported here: the plugin reads the flags in every pytest run of everyone.
"""
