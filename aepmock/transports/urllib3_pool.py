"""A urllib3 pool whose connections end at a handler: everything above the socket is urllib3's own.

So retries, their pauses, Retry-After, timeouts and broken answers are those of a real connection.
"""

from __future__ import annotations

import errno
import io
from http.client import responses as phrases
from typing import Any

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util import wait

from aepmock.messages import Handler, Headers, Request, Response
from aepmock.transports.delivery import GARBAGE, SILENCE_S, GaveUp, parts, wait_blocking
from aepmock.transports.http_rules import complete

NoWayToWait: type[Exception] = getattr(wait, "NoWayToWaitForSocketError", OSError)
MOST_IDLE = 64
"""Connections that a pool keeps: above that urllib3 writes a warning for each."""


class _Socket:
    """The client's end of a connection; the handler is asked when the answer is read."""

    def __init__(self, handler: Handler, origin: str) -> None:
        self._handler = handler
        self._origin = origin
        self._sent = bytearray()
        self._timeout_s: float | None = None

    def sendall(self, data: Any) -> None:
        self._sent += data

    def settimeout(self, seconds: float | None) -> None:
        self._timeout_s = seconds

    def makefile(self, *_: Any, **__: Any) -> io.BufferedReader:
        request = read_request(bytes(self._sent), self._origin)
        self._sent.clear()
        response = complete(self._handler(request), request.method)
        return io.BufferedReader(_Answer(response, self._timeout_s))

    def fileno(self) -> int:
        """urllib3 1 asks the system whether the other end hung up, which it never does."""
        raise NoWayToWait

    def shutdown(self, how: int) -> None:
        pass

    def close(self) -> None:
        pass


class _Answer(io.RawIOBase):
    """The octets of an answer as they come in, with what its effect does to them."""

    def __init__(self, response: Response, timeout_s: float | None) -> None:
        super().__init__()
        self._response = response
        self._timeout_s = timeout_s
        self._begun = False
        self._ready = b""
        self._coming: list[tuple[float, bytes]] = []

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._begun:
            self._begun = True
            self._begin()
        while not self._ready and self._coming:
            pause_s, self._ready = self._coming.pop(0)
            self._wait(pause_s)
        count = min(len(buffer), len(self._ready))
        buffer[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count

    def _begin(self) -> None:
        response, effect = self._response, self._response.effect
        ending = effect.ending if effect is not None else "whole"
        if effect is not None:
            self._wait(SILENCE_S if ending == "silence" else effect.delay_s)
        if ending in ("reset", "silence"):
            raise ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")
        if ending == "garbage":
            self._ready = GARBAGE
        elif ending != "closed":
            self._ready = _head(response)
            self._coming = _framed(response, whole=ending == "whole")

    def _wait(self, seconds: float) -> None:
        effect = self._response.effect
        if effect is not None:
            try:
                wait_blocking(effect, seconds, self._timeout_s)
            except GaveUp:
                raise TimeoutError("The read operation timed out") from None


def _head(response: Response) -> bytes:
    lines = [f"HTTP/1.1 {response.status} {phrases.get(response.status, '')}"]
    lines += [f"{name}: {value}" for name, value in response.headers]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def _framed(response: Response, *, whole: bool) -> list[tuple[float, bytes]]:
    """The body's parts as they are on the wire."""
    found = parts(response)
    if response.headers.get("transfer-encoding") == "chunked":
        found = [(pause_s, b"%x\r\n%b\r\n" % (len(part), part)) for pause_s, part in found]
        if whole:
            found.append((0.0, b"0\r\n\r\n"))
    return found


def read_request(sent: bytes, origin: str) -> Request:
    """A request from the octets that http.client wrote."""
    head, _, body = sent.partition(b"\r\n\r\n")
    line, *fields = head.decode("latin-1").split("\r\n")
    method, target, _ = line.split(" ", 2)
    pairs: list[tuple[str, str]] = []
    for field in fields:
        if field[:1] in (" ", "\t"):
            # http.client lets a value be folded over lines (RFC 9112 5.2).
            name, value = pairs.pop()
            pairs.append((name, f"{value} {field.strip()}"))
        else:
            name, _, value = field.partition(":")
            pairs.append((name, value.strip(" \t")))
    headers = Headers(pairs)
    if (headers.get("transfer-encoding") or "").lower() == "chunked":
        body = _joined(body)
    return Request(method, origin, target, headers, body)


def _joined(chunked: bytes) -> bytes:
    found = bytearray()
    while chunked:
        size, _, chunked = chunked.partition(b"\r\n")
        length = int(size, 16)
        if not length:
            break
        found += chunked[:length]
        chunked = chunked[length + 2 :]
    return bytes(found)


class _Joining:
    """What our connections have in common. They are never dropped by the other end."""

    aepmock: tuple[Handler, str]
    sock: Any
    is_verified: bool

    def connect(self) -> None:
        self.sock = _Socket(*self.aepmock)
        self.is_verified = True

    @property
    def is_connected(self) -> bool:
        return self.sock is not None


def make_pool(handler: Handler, scheme: str, host: str, port: int | None) -> HTTPConnectionPool:
    """A pool of connections to a host whose every request reaches the handler."""
    shown = host if port is None else f"{host}:{port}"
    end = handler, f"{scheme}://{shown}"
    made: HTTPConnectionPool
    if scheme == "https":
        made = HTTPSConnectionPool(host, port, maxsize=MOST_IDLE)
        base: type[HTTPConnection] = HTTPSConnection
    else:
        made = HTTPConnectionPool(host, port, maxsize=MOST_IDLE)
        base = HTTPConnection
    made.ConnectionCls = type("Connection", (_Joining, base), {"aepmock": end})
    return made
