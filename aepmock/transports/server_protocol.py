"""HTTP on one connection: the head exactly as sent, and time limits."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD = "aepmock.head"
CONNECTION = "aepmock.connection"
READ = 16_384
"""Octets that are read from a connection before others have their turn."""
_TOO_LATE = (
    b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
)  # fmt: skip


def reset(transport: asyncio.BaseTransport) -> None:
    """Ends a connection with RST, as a crash or a firewall does, in place of FIN."""
    raw = transport.get_extra_info("socket")
    if raw is not None:
        with suppress(OSError):
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    if isinstance(transport, asyncio.WriteTransport):
        transport.abort()


@dataclass(frozen=True)
class Limits:
    """How long a client may take, in seconds, and how many connections there may be.

    `head_s` for a request's head, counted from its first octet or from the connection's start;
    `body_s` for its body; `idle_s` between two requests; `grace_s` is what a request that is
    on its way still gets when the server stops; `body_octets` is the longest body.
    """

    head_s: float = 10.0
    body_s: float = 30.0
    idle_s: int = 75
    connections: int = 512
    grace_s: float = 0.0
    body_octets: int = 16 * 1024 * 1024


class Protocol(H11Protocol):
    """Keeps a request's head as it was sent: ASGI lowers names and loses an empty query.

    uvicorn bounds the time between two requests only; this bounds that within one, too.
    """

    def __init__(
        self,
        *args: Any,
        limits: Limits,
        on_reset: Callable[[], object] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._limits = limits
        self._on_reset = on_reset
        self._phase: object = None
        self._deadline: asyncio.TimerHandle | None = None
        self.since = 0.0
        # uvicorn hands a copy of this to each request's scope, right after the event.
        self.app_state = {**self.app_state, CONNECTION: self}
        next_event = self.conn.next_event

        def watched() -> Any:
            event = next_event()
            if isinstance(event, h11.Request):
                names = {name for name, _ in event.headers}
                if b"content-length" in names and b"transfer-encoding" in names:
                    # Whoever stands before us may have read another length: RFC 9112, 6.1.
                    raise h11.RemoteProtocolError("both Content-Length and Transfer-Encoding")
                self.app_state[HEAD] = event.target, event.headers.raw_items()
            return event

        self.conn.next_event = watched  # type: ignore[method-assign]

    @property
    def idle(self) -> bool:
        """Whether no request is being read or answered."""
        return self.cycle is None or self.cycle.response_complete

    @property
    def _rank(self) -> tuple[int, float]:
        """Who goes first where there are too many: the idle, then half requests, the oldest."""
        half = self.conn.their_state is h11.SEND_BODY
        return (0 if self.idle else 1 if half else 2, self.since)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.since = self.loop.time()
        self._watch()
        if len(self.connections) > self._limits.connections:
            # Whoever has waited longest has least to lose. The new one is let in, or else some
            # hundred clients that send half a request would lock everybody out.
            others = [c for c in self.connections if isinstance(c, Protocol) and c is not self]
            min(others, key=lambda c: c._rank, default=self).transport.abort()
        # One read is worked off in one go: tiny chunks of a body must not take long in it.
        if hasattr(transport, "max_size"):
            transport.max_size = READ

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def reset(self) -> None:
        """Ends the connection with RST; one that another leads to us is ended so by that one."""
        if self._on_reset is not None:
            self._on_reset()
        reset(self.transport)

    def on_response_complete(self) -> None:
        self.since = self.loop.time()
        super().on_response_complete()

    def timeout_keep_alive_handler(self) -> None:
        if self.transport.get_write_buffer_size():
            # The last answer was never read to its end; closing would wait for that for ever.
            self.transport.abort()
        else:
            super().timeout_keep_alive_handler()

    def _watch(self) -> None:
        """Sets a deadline where a new part of a request begins."""
        phase = self.conn.their_state
        if phase is self._phase:
            return
        self._forget()
        self._phase = phase
        seconds = {h11.IDLE: self._limits.head_s, h11.SEND_BODY: self._limits.body_s}.get(phase)
        if seconds is not None:
            self._deadline = self.loop.call_later(seconds, self._late)

    def _forget(self) -> None:
        self._phase = None
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _late(self) -> None:
        if self.transport.is_closing():
            return
        if self.idle or not self.cycle.response_started:
            self.transport.write(_TOO_LATE)
        self.transport.close()
