"""A real HTTP server on loopback, for every client that is not in this process."""

from __future__ import annotations

import socket
import threading
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn

from aepmock.doors.framing import complete
from aepmock.errors import AepmockError, UsageError
from aepmock.messages import Handler, Headers, Request

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

MAX_BODY = 16 * 1024 * 1024
START_S = 10.0


@dataclass(frozen=True)
class Server:
    """A server that runs: its `origin`, "http://127.0.0.1:40123"."""

    origin: str


@contextmanager
def serving(handler: Handler, *, host: str = "127.0.0.1", port: int = 0) -> Iterator[Server]:
    """Serves a handler from a thread of its own; port 0 takes a free one.

    Raises UsageError where host and port can't be had.
    """
    listener = listen(host, port)
    server = uvicorn.Server(config(handler))
    thread = threading.Thread(
        target=server.run, kwargs={"sockets": [listener]}, name="aepmock server", daemon=True
    )
    thread.start()
    try:
        _wait(server, thread)
        yield Server(origin_of(listener))
    finally:
        server.should_exit = True
        thread.join(START_S)
        listener.close()


def config(handler: Handler) -> uvicorn.Config:
    """uvicorn's configuration for a handler; quiet, and adding no headers of its own."""
    return uvicorn.Config(
        application(handler),
        http="h11",
        ws="none",
        lifespan="off",
        log_level="error",
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=2,
    )


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens. Raises UsageError where it can't."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise UsageError(
            f"can't listen on {host} port {port}: {error.strerror or error}; "
            "choose another port, or 0 for any that is free"
        ) from None
    return listener


def origin_of(listener: socket.socket) -> str:
    """The http origin of a listening socket."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def application(handler: Handler) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    """An ASGI application that hands each request to the handler."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        body = await _body(receive)
        if body is None:
            await send({"type": "http.response.start", "status": 413, "headers": []})
            await send({"type": "http.response.body", "body": b""})
            return
        response = complete(handler(_request(scope, body)))
        await send(
            {
                "type": "http.response.start",
                "status": response.status,
                "headers": [
                    (n.encode("latin-1"), v.encode("latin-1")) for n, v in response.headers
                ],
            }
        )
        head = scope["method"] == "HEAD"
        await send({"type": "http.response.body", "body": b"" if head else response.body})

    return app


def _request(scope: Scope, body: bytes) -> Request:
    query = scope["query_string"].decode("latin-1")
    path = scope["raw_path"].decode("latin-1")
    headers = Headers((n.decode("latin-1"), v.decode("latin-1")) for n, v in scope["headers"])
    return Request(
        scope["method"],
        f"{scope['scheme']}://{headers.get('host') or ''}",
        f"{path}?{query}" if query else path,
        headers,
        body,
    )


async def _body(receive: Receive) -> bytes | None:
    """The body of a request, or None for one that is larger than anyone needs."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return b""
        part = message.get("body", b"")
        size += len(part)
        if size <= MAX_BODY:
            parts.append(part)
        if not message.get("more_body"):
            return b"".join(parts) if size <= MAX_BODY else None


def _wait(server: uvicorn.Server, thread: threading.Thread) -> None:
    tick = threading.Event()
    for _ in range(int(START_S / 0.005)):
        if server.started:
            return
        if not thread.is_alive():
            break
        tick.wait(0.005)
    raise AepmockError("the loopback server did not start")
