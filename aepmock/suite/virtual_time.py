"""Virtual time: a client's sleeps return at once and move its clocks on.

Only for the main thread, where a client is called, and only for what it finds in the module
`time`: servers and event loops in other threads keep their time, and what a socket waits for is
waited for. A client that awaits sleeps as ever: its timers must not run ahead of its sleeps. So
does one with threads of its own, which it may be waiting for.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

_CLOCKS = ("time", "monotonic", "perf_counter")
_REAL: Mapping[str, Callable[..., Any]] = {
    name: getattr(time, name) for name in (*_CLOCKS, "sleep")
}


@dataclass
class VirtualTime:
    """How many seconds were skipped so far. Made before the client is, to know its threads."""

    skipped_s: float = 0.0
    # The threads themselves: a number is used again once its thread has ended.
    others: frozenset[threading.Thread] = field(
        default_factory=lambda: frozenset(threading.enumerate())
    )

    def alone(self) -> bool:
        """Whether the client has no thread of its own; the kit's are named for it."""
        return all(
            thread in self.others or thread.name.startswith("aepmock")
            for thread in threading.enumerate()
        )

    def now_s(self) -> float:
        """Monotonic seconds as the client sees them."""
        return float(_REAL["monotonic"]()) + self.skipped_s


@contextmanager
def virtual_time(virtual: VirtualTime) -> Iterator[None]:
    """In here `time.sleep` comes back at once, and the clocks say that the time is over."""
    main = threading.main_thread()
    before = {name: getattr(time, name) for name in _REAL}

    def ours() -> bool:
        return threading.current_thread() is main and not _in_a_loop()

    def sleep(seconds: float) -> None:
        if ours() and seconds >= 0 and virtual.alone():
            virtual.skipped_s += seconds
        else:
            before["sleep"](seconds)

    def clock(real: Callable[[], float]) -> Callable[[], float]:
        return lambda: real() + (virtual.skipped_s if ours() else 0.0)

    try:
        for name in _CLOCKS:
            setattr(time, name, clock(before[name]))
        time.sleep = sleep  # type: ignore[assignment]
        yield
    finally:
        for name, real in before.items():
            setattr(time, name, real)


def _in_a_loop() -> bool:
    return asyncio._get_running_loop() is not None
