"""The one way out: a request sent to the real host, and its answer, on a connection of its own.

The standard library's http.client, and no other: the transports of the kit stand in every library
that clients use, and would take the request for a client's. A connection for each request leaves no
doubt whether a request that failed was sent.
"""

from __future__ import annotations

import base64
import http.client
import socket
import ssl
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from aepmock.messages import Headers, Request, Response
from aepmock.net import DEFAULT_PORTS, is_loopback
from aepmock.transports.guard import allow_network

TIMEOUT_S = 45.0
"""Less than what clients of a live run are given, so that they see an answer that was lost.

Bounds each wait, and the whole of an answer: one of an octet a second is lost too.
"""
MAX_BODY = 16 * 1024 * 1024
"""The most octets of an answer, as it is sent and unzipped: a page of 100 items has 200 KiB."""
_STEP = 256 * 1024
_ZIPPED = {"gzip": (31,), "x-gzip": (31,), "deflate": (15, -15)}
"""Codings that can grow, and how zlib is to read them: servers send deflate in two forms."""
_HOP_BY_HOP = frozenset(
    [
        "connection",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ]
)


_PROXY_PORT = 3128


class LostError(Exception):
    """No answer came. Whether the service did what was asked is not known."""


Send = Callable[[Request], Response]


@dataclass(frozen=True)
class Outside:
    """Sends requests over verified TLS, through the proxy of the environment where there is one.

    `ca_file` is trusted instead of the usual authorities; `timeout_s` bounds each wait, and the
    whole of what goes on after the connection is made.
    """

    ca_file: str | None = None
    timeout_s: float = TIMEOUT_S

    def send(self, request: Request) -> Response:
        """The answer as it came, but for the framing. Raises LostError where none came."""
        with allow_network():
            connection = self._connection(request.origin)
            try:
                with _given_up_after(self.timeout_s, connection) as sockets:
                    connection.connect()
                    # The connection forgets its socket before the body is read.
                    sockets.append(connection.sock)
                    return self._exchange(connection, request)
            # ValueError: http.client's word for a target or an answer that it can't make sense of.
            except (OSError, http.client.HTTPException, ValueError) as error:
                raise LostError(f"{type(error).__name__}: {error}") from error
            finally:
                connection.close()

    def _exchange(self, connection: http.client.HTTPConnection, request: Request) -> Response:
        connection.putrequest(
            request.method, request.target, skip_host=True, skip_accept_encoding=True
        )
        connection.putheader("Host", urlsplit(request.origin).netloc)
        for name, value in request.headers:
            if name.lower() not in _HOP_BY_HOP | {"host", "content-length"}:
                connection.putheader(name, value.encode("latin-1"))
        if request.body or request.method in ("POST", "PUT", "PATCH"):
            connection.putheader("Content-Length", str(len(request.body)))
        connection.putheader("Connection", "close")
        connection.endheaders(request.body or None)
        answer = connection.getresponse()
        body = answer.read(MAX_BODY + 1)
        # A bounded read says nothing of a body that breaks off; what is left to come does.
        if answer.length or len(body) > MAX_BODY:
            raise http.client.IncompleteRead(b"", answer.length)
        _check_unzipped(body, (answer.getheader("Content-Encoding") or "").strip().lower())
        fields = [(n, v) for n, v in answer.getheaders() if n.lower() not in _HOP_BY_HOP]
        return Response(answer.status, Headers(fields).without("content-length"), body)

    def _connection(self, origin: str) -> http.client.HTTPConnection:
        parts = urlsplit(origin)
        secure, host = parts.scheme == "https", parts.hostname or ""
        direct = is_loopback(host) or proxy_bypass(host)
        proxy = None if direct else getproxies().get(parts.scheme)
        first = urlsplit(proxy if "//" in proxy else f"//{proxy}") if proxy else parts
        usual = _PROXY_PORT if proxy and first.scheme != "https" else DEFAULT_PORTS[first.scheme]
        port = first.port or usual
        made: http.client.HTTPConnection
        if secure:
            made = http.client.HTTPSConnection(
                first.hostname or "", port, timeout=self.timeout_s, context=self._tls
            )
        else:
            made = http.client.HTTPConnection(first.hostname or "", port, timeout=self.timeout_s)
        if proxy:
            fields = {}
            if first.username:
                pair = f"{unquote(first.username)}:{unquote(first.password or '')}"
                fields["Proxy-Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
            made.set_tunnel(host, parts.port or DEFAULT_PORTS[parts.scheme], headers=fields)
        return made

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self.ca_file)
        context.set_alpn_protocols(["http/1.1"])
        return context


@contextmanager
def _given_up_after(
    seconds: float, connection: http.client.HTTPConnection
) -> Iterator[list[socket.socket]]:
    """Hangs up after so many seconds, whatever came until then. Raises TimeoutError."""
    late = threading.Event()
    sockets: list[socket.socket] = []

    def hang_up() -> None:
        late.set()
        for sock in sockets or [connection.sock]:
            with suppress(OSError, TypeError):
                # Not SSLSocket's own shutdown, which takes TLS away from whoever reads.
                socket.socket.shutdown(sock, socket.SHUT_RDWR)

    timer = threading.Timer(seconds, hang_up)
    timer.daemon = True
    timer.start()
    try:
        yield sockets
    except (OSError, http.client.HTTPException, ValueError):
        if not late.is_set():
            raise
    finally:
        timer.cancel()
    if late.is_set():
        raise TimeoutError(f"the answer was not whole after {seconds:g} s")


def _check_unzipped(body: bytes, coding: str) -> None:
    """Raises ValueError for a body that unzips to more than MAX_BODY; it is not kept unzipped.

    Octets that are no zip at all are left to whoever reads them.
    """
    if "," in coding:
        raise ValueError(f"an answer that is coded more than once: {coding}")
    for form in _ZIPPED.get(coding, ()):
        if _size_unzipped(body, form) > MAX_BODY:
            raise ValueError(f"an answer of more than {MAX_BODY} octets when it is unzipped")


def _size_unzipped(body: bytes, wbits: int) -> int:
    """The size of what can be unzipped, counted no further than just beyond MAX_BODY."""
    size = 0
    while body:
        reader = zlib.decompressobj(wbits)
        part = b"-"
        # Where all octets are read there may still be some to come out.
        while (part or body) and not reader.eof and size <= MAX_BODY:
            try:
                part = reader.decompress(body, _STEP)
            except zlib.error:
                return size
            size += len(part)
            body = reader.unconsumed_tail
        body = reader.unused_data.lstrip(b"\0")
    return size
