"""A real HTTP server on loopback, for every client that is not in this process."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from aepmock.doors.framing import complete
from aepmock.errors import UsageError
from aepmock.messages import Handler, Headers, Request, Response

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

MAX_BODY = 16 * 1024 * 1024
START_S = 10.0
FLUSH_S = 0.5
HEAD = "aepmock.head"


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
    ready: Future[Callable[[], object]] = Future()
    thread = threading.Thread(
        target=lambda: asyncio.run(_serve(config(handler), listener, ready)),
        name="aepmock server",
        daemon=True,
    )
    thread.start()
    stop = ready.result(START_S)
    try:
        yield Server(origin_of(listener))
    finally:
        stop()
        thread.join(START_S)


async def _serve(
    settings: uvicorn.Config, listener: socket.socket, ready: Future[Callable[[], object]]
) -> None:
    """What uvicorn.Server does, without its polling: a test waits for each start and stop."""
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    state = ServerState()
    try:
        settings.load()
        server = await loop.create_server(lambda: protocol(settings, state), sock=listener)
    except BaseException as error:
        listener.close()
        ready.set_exception(error)
        return
    ready.set_result(lambda: loop.call_soon_threadsafe(stopped.set))
    await stopped.wait()
    server.close()
    for connection in list(state.connections):
        _end(connection)
    # What is written is still to be sent; a client that does not read is not waited for long.
    deadline = loop.time() + FLUSH_S
    while state.connections and loop.time() < deadline:
        await asyncio.sleep(0.002)


def _end(connection: Any) -> None:
    if connection.cycle is None or connection.cycle.response_complete:
        connection.shutdown()
    else:
        # In the middle of a request: nobody is to wait for the rest of it.
        connection.transport.abort()


def config(handler: Handler) -> uvicorn.Config:
    """uvicorn's configuration for a handler; quiet, and adding no headers of its own."""
    return uvicorn.Config(
        application(handler),
        http=_Protocol,
        ws="none",
        lifespan="off",
        # uvicorn's own logging configuration closes every handler that the process has. Its
        # messages of level error are about clients that hang up; ours are logged by the app.
        log_config=None,
        log_level="critical",
        access_log=False,
        server_header=False,
        date_header=False,
        # In whole seconds, for `aepmock serve`.
        timeout_graceful_shutdown=1,
    )


def protocol(settings: uvicorn.Config, state: ServerState) -> asyncio.Protocol:
    """What answers on one connection, whoever made it."""
    return _Protocol(settings, state, {})


class _Protocol(H11Protocol):
    """Keeps a request's head as it was sent: ASGI lowers names and loses an empty query."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # uvicorn hands a copy of this to each request's scope, right after the event.
        self.app_state = dict(self.app_state)
        next_event = self.conn.next_event

        def watched() -> Any:
            event = next_event()
            if isinstance(event, h11.Request):
                self.app_state[HEAD] = event.target, event.headers.raw_items()
            return event

        self.conn.next_event = watched  # type: ignore[method-assign]


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens. Raises UsageError where it can't."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sends without delay only where the protocol is named, not left at 0: each answer
    # on a kept connection would wait 40 ms for an acknowledgement.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
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
        try:
            body = await _body(receive)
        except _HungUpError:
            return
        response = complete(_handled(handler, scope, body), scope["method"])
        await send(
            {
                "type": "http.response.start",
                "status": response.status,
                "headers": [
                    (n.encode("latin-1"), v.encode("latin-1")) for n, v in response.headers
                ],
            }
        )
        await send({"type": "http.response.body", "body": response.body})

    return app


def _handled(handler: Handler, scope: Scope, body: bytes | None) -> Response:
    if body is None:
        return Response(413)
    try:
        return handler(_request(scope, body))
    except Exception:
        # The kit's fault, in a thread where nobody else would see it.
        logging.getLogger("aepmock.server").exception("the handler failed")
        return Response(500)


def _request(scope: Scope, body: bytes) -> Request:
    target, fields = scope["state"][HEAD]
    headers = Headers((n.decode("latin-1"), v.decode("latin-1")) for n, v in fields)
    return Request(
        scope["method"],
        f"{scope['scheme']}://{headers.get('host') or ''}",
        target.decode("latin-1"),
        headers,
        body,
    )


class _HungUpError(Exception):
    """The client went away before its request was whole: no one is to see half of it."""


async def _body(receive: Receive) -> bytes | None:
    """The body of a request, or None for one that is larger than anyone needs."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise _HungUpError
        part = message.get("body", b"")
        size += len(part)
        if size <= MAX_BODY:
            parts.append(part)
        if not message.get("more_body"):
            return b"".join(parts) if size <= MAX_BODY else None
