"""What a fault's effect means in octets and seconds, the same for every transport."""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from aepmock.messages import Effect, Response

GARBAGE = b"\x00\xff\x16 this is not HTTP \xfe\r\n\r\n"
"""What comes instead of an answer: with an end, so that nobody waits for more of it."""
SILENCE_S = 600.0
"""After so long without an octet the connection is reset in the mock's time, as gateways do."""
LONGEST_REAL_S = 60.0
"""What is really waited at most, where a timeout of the caller's own may be running."""
_PARTS = 10
_REAL: Mapping[str, Callable[..., Any]] = {"sleep": time.sleep, "now": time.perf_counter}
"""Out of the reach of whoever patches the module `time`: a test's pauses are not ours."""


class GaveUp(Exception):
    """The client's timeout is over before the next octet comes."""


def wait_blocking(effect: Effect, seconds: float, timeout_s: float | None) -> None:
    """Lets time pass before the next octet. Raises GaveUp where the client would not wait so long.

    It passes in the mock only, unless a timeout of the caller's own may be running, which has to
    go off then as on a real connection.
    """
    gives_up = timeout_s is not None and seconds >= timeout_s
    waited_s = timeout_s if timeout_s is not None and gives_up else seconds
    if waited_s:
        real_s = min(waited_s, LONGEST_REAL_S)
        if not _may_be_timed(real_s):
            effect.elapsed(waited_s, 0.0)
        else:
            _really_wait(effect, waited_s, real_s)
    if gives_up:
        raise GaveUp


def _really_wait(effect: Effect, seconds: float, real_s: float) -> None:
    started, whole = _REAL["now"](), False
    try:
        _REAL["sleep"](real_s)
        whole = True
    finally:
        effect.elapsed(seconds if whole else 0.0, _REAL["now"]() - started)


def _may_be_timed(seconds: float) -> bool:
    """Whether a blocking caller may have a timeout of its own that ends before so many seconds.

    Somebody may wait for another thread; in the main thread a signal may come, as pytest-timeout
    sends one.
    """
    if threading.current_thread() is not threading.main_thread():
        return True
    return hasattr(signal, "getitimer") and 0 < signal.getitimer(signal.ITIMER_REAL)[0] < seconds


async def wait_async(effect: Effect, seconds: float, timeout_s: float | None) -> None:
    """The same for one who awaits: a timeout may be around the call, by asyncio, anyio or trio."""
    gives_up = timeout_s is not None and seconds >= timeout_s
    waited_s = timeout_s if timeout_s is not None and gives_up else seconds
    if waited_s:
        if not _timers_run():
            effect.elapsed(waited_s, 0.0)
        else:
            await _really_wait_async(effect, waited_s)
    if gives_up:
        raise GaveUp


async def _really_wait_async(effect: Effect, seconds: float) -> None:
    import anyio  # what httpx and httpx2 stand on; few ever come here

    started, whole = _REAL["now"](), False
    try:
        await anyio.sleep(min(seconds, LONGEST_REAL_S))
        whole = True
    finally:
        effect.elapsed(seconds if whole else 0.0, _REAL["now"]() - started)


def _timers_run() -> bool:
    """Whether anything in this event loop is to happen at a certain time: a timeout, perhaps.

    Where nothing is, nobody there can tell whether time went by. A loop whose time stands still,
    as under freezegun, would never wake a sleeper.
    """
    loop = asyncio._get_running_loop()
    if loop is None:
        statistics = sys.modules["trio"].lowlevel.current_statistics()
        return bool(statistics.seconds_to_next_deadline != float("inf"))
    # A loop without such a list, as uvloop, does not tell.
    timers = getattr(loop, "_scheduled", None)
    if timers is not None and all(timer.cancelled() for timer in timers):
        return False
    before = loop.time()
    _REAL["sleep"](0.001)
    return loop.time() > before


def parts(response: Response) -> list[tuple[float, bytes]]:
    """The body in parts, each with the seconds that go by before it comes."""
    body, effect = response.body, response.effect
    if effect is None or not effect.spread_s or not body:
        return [(0.0, body)] if body else []
    size = -(-len(body) // _PARTS)
    cut = [body[start : start + size] for start in range(0, len(body), size)]
    return [(effect.spread_s / len(cut), part) for part in cut]


def missing(response: Response) -> str:
    """What h11 says of a body that was cut, below httpx and httpx2."""
    declared = response.headers.get("content-length")
    if declared is None:
        why = "incomplete chunked read"
    else:
        why = f"received {len(response.body)} bytes, expected {declared}"
    return f"peer closed connection without sending complete message body ({why})"
