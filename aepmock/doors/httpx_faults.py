"""Faults as httpx and httpx2 report them; both have the same names for the same things."""

from __future__ import annotations

import errno
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from functools import cache
from types import ModuleType
from typing import Any

from aepmock.doors.effects import GARBAGE, SILENCE_S, GaveUp, missing, parts, wait_in_mock_time
from aepmock.messages import Effect, Response

LONGEST_REAL_S = 60.0
"""What an async client without a timeout really waits at most."""


def delivered(library: ModuleType, response: Response, request: Any) -> Any:
    """The library's response, as the effect of the answer leaves it.

    Raises what the library would on a real connection, at once: the time that a client would
    have waited passes in the mock only. Its timeout is the one that the request carries.
    """
    effect = response.effect
    assert effect is not None
    timeout_s = _timeout_s(request)
    delay_s = SILENCE_S if effect.ending == "silence" else effect.delay_s
    try:
        wait_in_mock_time(effect, delay_s, timeout_s)
    except GaveUp:
        raise library.ReadTimeout("timed out", request=request) from None
    if effect.ending in ("reset", "silence"):
        why = f"[Errno {errno.ECONNRESET}] Connection reset by peer"
        raise library.ReadError(why, request=request)
    if effect.ending == "closed":
        why = "Server disconnected without sending a response."
        raise library.RemoteProtocolError(why, request=request)
    if effect.ending == "garbage":
        line = bytearray(GARBAGE.removesuffix(b"\r\n\r\n"))
        raise library.RemoteProtocolError(f"illegal status line: {line!r}", request=request)
    return library.Response(
        response.status,
        headers=[(n.encode("latin-1"), v.encode("latin-1")) for n, v in response.headers],
        stream=_stream_class(library)(response, timeout_s),
    )


async def delivered_later(library: ModuleType, response: Response, request: Any) -> Any:
    """The same for an async client; where the request carries no timeout, it really waits.

    Whoever sets none may have one of its own around the call, by asyncio or trio.
    """
    effect = response.effect
    assert effect is not None
    if _timeout_s(request) is None:
        silent = effect.ending == "silence"
        await _really_wait(effect, LONGEST_REAL_S if silent else effect.delay_s)
        ending = "reset" if silent else effect.ending
        response = replace(response, effect=replace(effect, delay_s=0.0, ending=ending))
    return delivered(library, response, request)


async def _really_wait(effect: Effect, seconds: float) -> None:
    if not seconds:
        return
    import anyio  # what httpx and httpx2 stand on; few ever come here

    started, whole = anyio.current_time(), False
    try:
        await anyio.sleep(min(seconds, LONGEST_REAL_S))
        whole = True
    finally:
        effect.elapsed(seconds if whole else 0.0, anyio.current_time() - started)


def _timeout_s(request: Any) -> float | None:
    found: float | None = (request.extensions.get("timeout") or {}).get("read")
    return found


@cache
def _stream_class(library: ModuleType) -> Any:
    class Stream(library.SyncByteStream, library.AsyncByteStream):  # type: ignore[name-defined, misc]
        """A body that comes slowly, or not whole."""

        def __init__(self, response: Response, timeout_s: float | None) -> None:
            self._response = response
            self._timeout_s = timeout_s

        def __iter__(self) -> Iterator[bytes]:
            effect = self._response.effect
            assert effect is not None
            for pause_s, part in parts(self._response):
                try:
                    wait_in_mock_time(effect, pause_s, self._timeout_s)
                except GaveUp:
                    raise library.ReadTimeout("timed out") from None
                yield part
            if effect.ending == "cut":
                raise library.RemoteProtocolError(missing(self._response))

        async def __aiter__(self) -> AsyncIterator[bytes]:
            effect = self._response.effect
            assert effect is not None
            if self._timeout_s is not None:
                for part in self:
                    yield part
                return
            for pause_s, part in parts(self._response):
                await _really_wait(effect, pause_s)
                yield part
            if effect.ending == "cut":
                raise library.RemoteProtocolError(missing(self._response))

    return Stream
