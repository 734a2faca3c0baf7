"""Faults as httpx and httpx2 report them; both have the same names for the same things."""

from __future__ import annotations

import errno
from collections.abc import AsyncIterator, Iterator
from functools import cache
from types import ModuleType
from typing import Any

from aepmock.messages import Effect, Response
from aepmock.transports.delivery import (
    GARBAGE,
    SILENCE_S,
    GaveUp,
    missing,
    parts,
    wait_async,
    wait_blocking,
)


def delivered(library: ModuleType, response: Response, request: Any) -> Any:
    """The library's response, as the effect of the answer leaves it.

    Raises what the library would on a real connection. Its timeout is the one that the request
    carries.
    """
    effect, timeout_s = _effect(response), _timeout_s(request)
    try:
        wait_blocking(effect, _delay_s(effect), timeout_s)
    except GaveUp:
        raise library.ReadTimeout("timed out", request=request) from None
    return _ended(library, response, request)


async def delivered_later(library: ModuleType, response: Response, request: Any) -> Any:
    """The same for an async client."""
    effect, timeout_s = _effect(response), _timeout_s(request)
    try:
        await wait_async(effect, _delay_s(effect), timeout_s)
    except GaveUp:
        raise library.ReadTimeout("timed out", request=request) from None
    return _ended(library, response, request)


def _effect(response: Response) -> Effect:
    assert response.effect is not None
    return response.effect


def _delay_s(effect: Effect) -> float:
    return SILENCE_S if effect.ending == "silence" else effect.delay_s


def _ended(library: ModuleType, response: Response, request: Any) -> Any:
    """What is there once the waiting is over: a response, or an error."""
    effect = _effect(response)
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
        stream=_stream_class(library)(response, _timeout_s(request)),
    )


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
            effect = _effect(self._response)
            for pause_s, part in parts(self._response):
                try:
                    wait_blocking(effect, pause_s, self._timeout_s)
                except GaveUp:
                    raise library.ReadTimeout("timed out") from None
                yield part
            self._end(effect)

        async def __aiter__(self) -> AsyncIterator[bytes]:
            effect = _effect(self._response)
            for pause_s, part in parts(self._response):
                try:
                    await wait_async(effect, pause_s, self._timeout_s)
                except GaveUp:
                    raise library.ReadTimeout("timed out") from None
                yield part
            self._end(effect)

        def _end(self, effect: Effect) -> None:
            if effect.ending == "cut":
                raise library.RemoteProtocolError(missing(self._response))

    return Stream
