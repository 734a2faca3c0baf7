"""The repository's own runs: pytester for the tests of the plugin."""

from __future__ import annotations

import signal
import threading

from hypothesis import settings

pytest_plugins = ["pytester"]

# How long an example takes says nothing on a machine that others use too.
settings.register_profile("kit", deadline=None)
settings.load_profile("kit")


def pytest_configure() -> None:
    """Lets SIGINT reach the programs that tests start.

    A shell has jobs in the background ignore it, and what is ignored stays so in every child.
    """
    in_main_thread = threading.current_thread() is threading.main_thread()
    if in_main_thread and signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
