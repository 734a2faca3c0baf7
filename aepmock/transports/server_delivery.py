"""Faults as they are on a socket: real resets, real silence, octets that come slowly."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from typing import Any

from aepmock.messages import Effect, Response
from aepmock.transports.delivery import GARBAGE, parts
from aepmock.transports.server_protocol import Protocol

LONGEST_SILENCE_S = 60.0
"""A client that never gives up is let go after so long: the connection is reset."""

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


async def deliver(response: Response, connection: Protocol, receive: Receive, send: Send) -> None:
    """Does to the connection what the effect of the answer says; the answer is complete.

    An answer that ends early ends the connection. A client that leaves ends any waiting.
    """
    effect = response.effect
    assert effect is not None
    silent = effect.ending == "silence"
    leaver = asyncio.ensure_future(_left(receive))
    try:
        if await _waited(effect, LONGEST_SILENCE_S if silent else effect.delay_s, leaver):
            return
        if effect.ending in ("reset", "silence"):
            connection.reset()
        elif effect.ending in ("closed", "garbage"):
            connection.transport.write(GARBAGE if effect.ending == "garbage" else b"")
            connection.transport.close()
        else:
            await _answer(response, effect, send, leaver)
            return
        # What is told a connection that is gone would be an error of ours.
        await leaver
    finally:
        leaver.cancel()
        with suppress(asyncio.CancelledError):
            await leaver


async def _answer(
    response: Response, effect: Effect, send: Send, leaver: asyncio.Future[None]
) -> None:
    fields = [(n.encode("latin-1"), v.encode("latin-1")) for n, v in response.headers]
    head = {"type": "http.response.start", "status": response.status, "headers": fields}
    await send(head)
    for pause_s, part in parts(response):
        if await _waited(effect, pause_s, leaver):
            return
        await send({"type": "http.response.body", "body": part, "more_body": True})
    if effect.ending != "cut":
        await send({"type": "http.response.body", "body": b""})
    # Else uvicorn closes the connection of an application that returns without its end.


async def _waited(effect: Effect, seconds: float, leaver: asyncio.Future[None]) -> bool:
    """Really waits; whether the client left meanwhile."""
    if seconds:
        loop = asyncio.get_running_loop()
        started = loop.time()
        try:
            await asyncio.wait({leaver}, timeout=seconds)
        finally:
            # What a client that left would not wait for is nothing the mock's clock can know.
            effect.elapsed(0.0 if leaver.done() else seconds, loop.time() - started)
    return leaver.done()


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
