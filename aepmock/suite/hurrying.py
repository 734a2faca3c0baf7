"""Lets the waits of a client go by at once: its sleeps move its clocks on instead.

Only for the main thread, where a client is called, and only for what it finds in the module
`time`: servers and event loops in other threads keep their time, and what a socket waits for is
waited for. A client that awaits sleeps as ever: its timers must not run ahead of its sleeps.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from unittest.mock import patch

_CLOCKS = ("time", "monotonic", "perf_counter")
_real_monotonic = time.monotonic


@dataclass
class Hurry:
    """How many seconds were skipped so far."""

    skipped_s: float = 0.0

    def now_s(self) -> float:
        """Monotonic seconds as the client sees them."""
        return _real_monotonic() + self.skipped_s


@contextmanager
def hurrying(hurry: Hurry) -> Iterator[None]:
    """In here `time.sleep` comes back at once, and the clocks say that the time is over."""
    main = threading.main_thread()
    really_sleep = time.sleep

    def ours() -> bool:
        return threading.current_thread() is main and not _in_a_loop()

    def sleep(seconds: float) -> None:
        if ours() and seconds >= 0:
            hurry.skipped_s += seconds
        else:
            really_sleep(seconds)

    def clock(real: Callable[[], float]) -> Callable[[], float]:
        return lambda: real() + (hurry.skipped_s if ours() else 0.0)

    with ExitStack() as stack:
        for name in _CLOCKS:
            stack.enter_context(patch.object(time, name, clock(getattr(time, name))))
        stack.enter_context(patch.object(time, "sleep", sleep))
        yield


def _in_a_loop() -> bool:
    return asyncio._get_running_loop() is not None
