"""An intercepting proxy on loopback, for programs whose host is compiled in.

A connection to one of Adobe's hosts is led, inside this process, to the server that also stands
behind the server transport, over TLS with a certificate for that host by an authority made for this
run. Loopback is let through, every other host is refused. Written on asyncio rather than taken
from mitmproxy, which would bring some thirty packages, for a proxy that leads to one place only.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

import trustme
from uvicorn.server import ServerState

from aepmock.messages import Handler, Request, Response
from aepmock.net import DEFAULT_PORTS, LOOPBACK, is_adobe, is_loopback, own_origin
from aepmock.transports.server import (
    START_S,
    application,
    config,
    listen,
    protocol,
)
from aepmock.transports.server_protocol import Limits, reset

HEAD_S = 30.0
"""How long a program may take for the head of its first request."""
MAX_HEAD = 64 * 1024
_CHUNK = 64 * 1024
_TLS_GREETING = b"\x16"
_NOT_FORWARDED = (b"connection", b"keep-alive")

Note = Callable[[str], None]
_Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True)
class Proxy:
    """A proxy that runs: its `origin`, "http://127.0.0.1:40123", and its authority as PEM."""

    origin: str
    ca_pem: bytes


@contextmanager
def proxying(handler: Handler, *, refused: Note, trouble: Note) -> Iterator[Proxy]:
    """Runs a proxy from a thread of its own, on a free port of loopback.

    `refused` is told the host of each connection that was refused, `trouble` what went wrong
    with one to Adobe's hosts; both are called from that thread.
    """
    listener = listen(LOOPBACK, 0)
    switch = _Switch(handler, refused, trouble)
    ready: Future[Callable[[], object]] = Future()
    thread = threading.Thread(
        target=lambda: asyncio.run(_serve(switch, listener, ready)),
        name="aepmock proxy",
        daemon=True,
    )
    proxy = Proxy(own_origin(listener), switch.authority.cert_pem.bytes())
    thread.start()
    stop = ready.result(START_S)
    try:
        yield proxy
    finally:
        stop()
        thread.join(START_S)


async def _serve(
    switch: _Switch, listener: socket.socket, ready: Future[Callable[[], object]]
) -> None:
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    server = await asyncio.start_server(switch.accept, sock=listener, limit=MAX_HEAD)
    ready.set_result(lambda: loop.call_soon_threadsafe(stopped.set))
    await stopped.wait()
    server.close()
    await switch.cut_off()


class _RefusedError(Exception):
    """What the program asked the proxy for is answered with `status`, and `why` as its body."""

    def __init__(self, status: str, why: str) -> None:
        super().__init__(why)
        self.status = status


class _Switch:
    """Leads each connection to where it may go."""

    def __init__(self, handler: Handler, refused: Note, trouble: Note) -> None:
        self.authority = trustme.CA(organization_name="aepmock, for one run")
        self._refused = refused
        self._trouble = trouble
        self._state = ServerState()
        self._limits = Limits()
        self._configs = {
            scheme: config(application(answering, set(), self._limits), self._limits)
            for scheme, answering in (("http", handler), ("https", _said_to_be_https(handler)))
        }
        for one in self._configs.values():
            one.load()
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()

    async def cut_off(self) -> None:
        """Ends every connection: the program that made them is gone."""
        for task in self._tasks:
            task.cancel()
        for connection in list(self._state.connections):
            connection.transport.abort()
        for writer in self._writers:
            writer.transport.abort()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        # Sockets are closed some turns of the loop later, TLS ones after those below them.
        for _ in range(5):
            await asyncio.sleep(0)

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serves one connection of the program, in a task of our own: asyncio's logs its end."""
        self._keep(asyncio.create_task(self._serve(reader, writer)))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            await self._lead(reader, writer)
        except _RefusedError as refusal:
            body = f"aepmock proxy: {refusal}\n".encode()
            head = f"HTTP/1.1 {refusal.status}\r\nContent-Type: text/plain; charset=utf-8\r\n"
            head += f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
            writer.write(head.encode() + body)
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            pass  # The program went away, or never said what it wanted.
        finally:
            writer.close()
            self._writers.discard(writer)

    async def _lead(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with asyncio.timeout(HEAD_S):
            first = await reader.read(1)
            if first == _TLS_GREETING:
                # No CONNECT: the greeting itself says which host is meant.
                there = await self._mock("http", self._context(""), "a TLS connection", writer)
            else:
                head = first + await _rest_of_head(reader)
                first, there = await self._asked(head, writer)
        self._writers.add(there[1])
        try:
            there[1].write(first)
            await asyncio.gather(_pump(reader, there[1]), _pump(there[0], writer))
        finally:
            there[1].close()
            self._writers.discard(there[1])

    async def _asked(self, head: bytes, writer: asyncio.StreamWriter) -> tuple[bytes, _Stream]:
        """What to send on of a request's head, and where to."""
        line, _, fields = head.partition(b"\r\n")
        words = line.split(b" ")
        if len(words) != 3 or not words[2].startswith(b"HTTP/1.") or not words[0].isalpha():
            raise _RefusedError("400 Bad Request", "that is no HTTP/1.1 request")
        method, target = words[0], words[1].decode("latin-1")
        if method == b"CONNECT":
            host, port = _authority(f"//{target}", None)
            there = await self._reach(host, port, None, writer)
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            return b"", there
        scheme, colon, rest = target.partition("://")
        if not colon or scheme not in self._configs:
            raise _RefusedError("400 Bad Request", "this is a proxy: send CONNECT, or a whole URL")
        host, port = _authority(f"//{rest}", DEFAULT_PORTS[scheme])
        there = await self._reach(host, port, scheme, writer)
        path = rest[len(rest.partition("/")[0].partition("?")[0]) :]
        if not path.startswith("/"):
            path = f"/{path}"
        return _rewritten(method, path.encode("latin-1"), fields), there

    async def _reach(
        self, host: str, port: int, scheme: str | None, writer: asyncio.StreamWriter
    ) -> _Stream:
        """A way to a host; `scheme` None is a tunnel, whose scheme the program will choose."""
        if is_adobe(host.rstrip(".")):
            name = host.rstrip(".").lower()
            context = None if scheme else self._context(name)
            return await self._mock(scheme or "http", context, name, writer)
        if not is_loopback(host):
            self._refused(host)
            raise _RefusedError("403 Forbidden", f"only Adobe's hosts are answered, not {host}")
        if scheme == "https":
            raise _RefusedError("400 Bad Request", f"use CONNECT for https://{host}")
        try:
            return await asyncio.open_connection(host, port)
        except OSError:
            why = f"nothing answers at {host} port {port}"
            raise _RefusedError("502 Bad Gateway", why) from None

    async def _mock(
        self,
        scheme: str,
        context: ssl.SSLContext | None,
        name: str,
        writer: asyncio.StreamWriter,
    ) -> _Stream:
        """A connection to the mock, within this process; `writer` leads to the program."""
        here, there = socket.socketpair()
        here.setblocking(False)
        there.setblocking(False)
        made = protocol(
            self._configs[scheme], self._state, self._limits, lambda: reset(writer.transport)
        )
        self._keep(asyncio.create_task(self._answer(made, there, context, name)))
        return await asyncio.open_connection(sock=here)

    async def _answer(
        self,
        made: asyncio.Protocol,
        there: socket.socket,
        context: ssl.SSLContext | None,
        name: str,
    ) -> None:
        loop = asyncio.get_running_loop()
        try:
            await loop.connect_accepted_socket(lambda: made, there, ssl=context)
        except ssl.SSLError as error:
            reason = (error.reason or str(error)).lower().replace("_", " ")
            if error.reason != "CALLBACK_FAILED":
                self._trouble(
                    f"TLS with {name} failed: {reason}; does the program trust the CA "
                    "that its environment names?"
                )
        except OSError:
            pass  # The program hung up before it was greeted.

    def _context(self, host: str) -> ssl.SSLContext:
        """TLS as a host, or with "" as whichever of Adobe's hosts the greeting asks for."""
        if host not in self._contexts:
            made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            made.set_alpn_protocols(["http/1.1"])
            made.sni_callback = self._named
            if host:
                self.authority.issue_cert(host).configure_cert(made)
            self._contexts[host] = made
        return self._contexts[host]

    def _named(
        self, tls: ssl.SSLSocket | ssl.SSLObject, name: str | None, context: ssl.SSLContext
    ) -> int | None:
        if name is not None and is_adobe(name):
            tls.context = self._context(name.lower())
            return None
        if name is None and context is not self._contexts.get(""):
            return None  # A tunnel: its host was named by CONNECT.
        self._refused(name or "a host without a name")
        return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME


def _said_to_be_https(handler: Handler) -> Handler:
    """For programs that send the proxy a whole https URL instead of asking for a tunnel."""

    def handle(request: Request) -> Response:
        return handler(replace(request, origin="https" + request.origin.removeprefix("http")))

    return handle


async def _rest_of_head(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except asyncio.LimitOverrunError:
        raise _RefusedError("431 Request Header Fields Too Large", "too long a head") from None


def _authority(text: str, default: int | None) -> tuple[str, int]:
    try:
        split = urlsplit(text)
        host, port = split.hostname, split.port or default
    except ValueError:
        host = port = None
    if not host or not port:
        raise _RefusedError("400 Bad Request", "that names no host and port")
    return host, port


def _rewritten(method: bytes, path: bytes, fields: bytes) -> bytes:
    """A head as the host itself would get it; one request a connection, as hosts may change."""
    kept = [
        field
        for field in fields.removesuffix(b"\r\n\r\n").split(b"\r\n")
        if not field.lower().startswith(b"proxy-")
        and field.partition(b":")[0].strip().lower() not in _NOT_FORWARDED
    ]
    return b"\r\n".join(
        [method + b" " + path + b" HTTP/1.1", *kept, b"Connection: close", b"", b""]
    )


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Sends on what arrives, and that no more will."""
    try:
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
    except OSError:
        writer.close()
