"""A real HTTP server on loopback, for every client that is not in this process."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, MutableMapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from uvicorn.server import ServerState

from aepmock.errors import UsageError
from aepmock.messages import Handler, Headers, Request, Response
from aepmock.net import LOOPBACK, own_origin
from aepmock.transports.http_rules import complete
from aepmock.transports.server_delivery import deliver
from aepmock.transports.server_protocol import CONNECTION, HEAD, Limits, Protocol

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

MOST_WAITING = 256
"""Answers that are worked out in a thread of their own, and those that wait for it."""
START_S = 10.0
FLUSH_S = 0.5


@dataclass(frozen=True)
class Server:
    """A server that runs: its `origin`, "http://127.0.0.1:40123"."""

    origin: str


@dataclass(frozen=True)
class Stream(Response):
    """An answer whose body goes on: `parts` are sent as they come, until the client leaves.

    `ended` is called once, when nothing more will be sent, whether anything was or not.
    """

    parts: Callable[[], AsyncIterator[bytes]] | None = None
    ended: Callable[[], object] | None = None


@dataclass(frozen=True)
class Later(Response):
    """An answer that takes its time: `work` makes it in a thread, so that others need not wait.

    `then` is what is done with it, back where requests are handled one after the other.
    """

    work: Callable[[], Response] = field(default=lambda: Response(500))
    then: Callable[[Response], Response] = field(default=lambda response: response)


@contextmanager
def serving(
    handler: Handler,
    *,
    host: str = LOOPBACK,
    port: int = 0,
    tls: ssl.SSLContext | None = None,
    limits: Limits | None = None,
) -> Iterator[Server]:
    """Serves a handler from a thread of its own; port 0 takes a free one, `tls` makes it https.

    Raises UsageError where host and port can't be had.
    """
    listener = listen(host, port)
    with serving_on(listener, handler, tls=tls, limits=limits) as server:
        yield server


@contextmanager
def serving_on(
    listener: socket.socket,
    handler: Handler,
    *,
    tls: ssl.SSLContext | None = None,
    limits: Limits | None = None,
) -> Iterator[Server]:
    """Serves a handler on a socket that listens already, which is closed at the end."""
    ready: Future[Callable[[], object]] = Future()
    origin = own_origin(listener, tls=tls is not None)
    thread = threading.Thread(
        target=lambda: asyncio.run(_serve(handler, listener, ready, tls, limits or Limits())),
        name="aepmock server",
        daemon=True,
    )
    thread.start()
    stop = ready.result(START_S)
    try:
        yield Server(origin)
    finally:
        stop()
        thread.join(START_S)


async def _serve(
    handler: Handler,
    listener: socket.socket,
    ready: Future[Callable[[], object]],
    tls: ssl.SSLContext | None,
    limits: Limits,
) -> None:
    """What uvicorn.Server does, without its polling: a test waits for each start and stop."""
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    state = ServerState()
    streams: set[asyncio.Task[None]] = set()
    worker = ThreadPoolExecutor(1, "aepmock worker")
    settings = config(application(handler, streams, limits, worker), limits)
    try:
        settings.load()
        server = await loop.create_server(
            lambda: Protocol(settings, state, {}, limits=limits),
            sock=listener,
            ssl=tls,
            ssl_handshake_timeout=limits.head_s if tls else None,
        )
    except BaseException as error:
        listener.close()
        ready.set_exception(error)
        return
    ready.set_result(lambda: loop.call_soon_threadsafe(stopped.set))
    await stopped.wait()
    server.close()
    worker.shutdown(wait=False, cancel_futures=True)
    for stream in streams:
        stream.cancel()
    for connection in list(state.connections):
        if _idle(connection) or limits.grace_s:
            # Closes it after the answer that is on its way, if there is one.
            connection.shutdown()
    await _until_empty(state, limits.grace_s)
    for connection in list(state.connections):
        if not _idle(connection):
            # In the middle of a request: nobody is to wait any longer for the rest of it.
            connection.transport.abort()
    # What is written is still to be sent; a client that does not read is not waited for long.
    await _until_empty(state, FLUSH_S)


async def _until_empty(state: ServerState, seconds: float) -> None:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while state.connections and loop.time() < deadline:
        await asyncio.sleep(0.002)


def _idle(connection: Any) -> bool:
    return connection.cycle is None or connection.cycle.response_complete


def config(app: Callable[..., Any], limits: Limits) -> uvicorn.Config:
    """uvicorn's configuration; quiet, and adding no headers of its own."""
    return uvicorn.Config(
        app,
        http=Protocol,
        ws="none",
        lifespan="off",
        # uvicorn's own logging configuration closes every handler that the process has. Its
        # messages of level error are about clients that hang up; ours are logged by the app.
        log_config=None,
        log_level="critical",
        access_log=False,
        server_header=False,
        date_header=False,
        # No proxy stands before it: what a client writes into X-Forwarded-Proto is no fact.
        proxy_headers=False,
        timeout_keep_alive=limits.idle_s,
    )


def protocol(
    settings: uvicorn.Config, state: ServerState, limits: Limits, on_reset: Callable[[], object]
) -> asyncio.Protocol:
    """What answers on one connection, whoever made it; `on_reset` is told of a reset."""
    return Protocol(settings, state, {}, limits=limits, on_reset=on_reset)


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


def application(
    handler: Handler,
    streams: set[asyncio.Task[None]],
    limits: Limits,
    worker: ThreadPoolExecutor | None = None,
) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    """An ASGI application that hands each request to the handler; `streams` are those open."""
    # One thread only: many answers that take long are to take turns with each other, and half of
    # the time at least is left for all others.
    worker = worker or ThreadPoolExecutor(1, "aepmock worker")
    waiting: set[Future[Response]] = set()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            body = await _body(receive, limits.body_octets)
        except _HungUpError:
            return
        if body is None:
            response = _limit(413, f"a body may have at most {limits.body_octets} octets")
        else:
            response = _handled(handler, scope, body)
        if isinstance(response, Later):
            response = await _worked_out(response, worker, waiting)
        try:
            await answered(response, scope, receive, send)
        finally:
            if isinstance(response, Stream) and response.ended is not None:
                response.ended()

    async def answered(response: Response, scope: Scope, receive: Receive, send: Send) -> None:
        streamed = isinstance(response, Stream) and scope["method"] != "HEAD"
        if not streamed:
            response = complete(response, scope["method"])
            if response.effect is not None:
                await _deliver(response, scope["state"][CONNECTION], receive, send, streams)
                return
        await send(
            {
                "type": "http.response.start",
                "status": response.status,
                "headers": [
                    (n.encode("latin-1"), v.encode("latin-1")) for n, v in response.headers
                ],
            }
        )
        if isinstance(response, Stream) and response.parts is not None:
            await _flow(response.parts(), receive, send, streams)
        *before, last = _chunks(response)
        for part in before:
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": last})

    return app


def _chunks(response: Response) -> list[bytes]:
    """A body as it goes out: in three chunks where it is chunked, else as a whole."""
    body = response.body
    if response.headers.get("transfer-encoding") != "chunked":
        return [body]
    third = len(body) // 3 + 1
    return [body[at : at + third] for at in range(0, len(body), third)] or [b""]


async def _worked_out(
    later: Later, worker: ThreadPoolExecutor, waiting: set[Future[Response]]
) -> Response:
    if len(waiting) >= MOST_WAITING:
        return _limit(503, f"{MOST_WAITING} answers are being worked out already; ask again")
    try:
        future = worker.submit(later.work)
    except RuntimeError:
        return _limit(503, "the server stops")
    waiting.add(future)
    try:
        return later.then(await asyncio.wrap_future(future))
    except asyncio.CancelledError:
        # The server stops, and this one's turn has not come.
        return _limit(503, "the server stops")
    except Exception:
        logging.getLogger("aepmock.server").exception("an answer could not be worked out")
        return Response(500)
    finally:
        waiting.discard(future)


def _limit(status: int, detail: str) -> Response:
    """A refusal of the server's own, which says so."""
    document = {
        "type": "about:blank",
        "title": "A limit of the mock",
        "status": status,
        "detail": f"aepmock: {detail}",
    }
    fields = [("Content-Type", "application/problem+json"), ("Cache-Control", "no-store")]
    return Response(status, Headers(fields), json.dumps(document).encode())


async def _deliver(
    response: Response,
    connection: Protocol,
    receive: Receive,
    send: Send,
    tasks: set[asyncio.Task[None]],
) -> None:
    """Delivers a faulty answer; in a task of its own, so that it ends when the server stops."""
    task = asyncio.ensure_future(deliver(response, connection, receive, send))
    tasks.add(task)
    try:
        await asyncio.wait({task})
    finally:
        tasks.discard(task)
    if task.cancelled():
        connection.transport.abort()
        await _left(receive)
    else:
        task.result()


async def _flow(
    parts: AsyncIterator[bytes],
    receive: Receive,
    send: Send,
    streams: set[asyncio.Task[None]],
) -> None:
    """Sends parts until they end, the client leaves, or the server stops."""

    async def flow() -> None:
        async for part in parts:
            await send({"type": "http.response.body", "body": part, "more_body": True})

    sender = asyncio.ensure_future(flow())
    leaver = asyncio.ensure_future(_left(receive))
    streams.add(sender)
    try:
        await asyncio.wait({sender, leaver}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        streams.discard(sender)
        for task in (sender, leaver):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _handled(handler: Handler, scope: Scope, body: bytes) -> Response:
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


async def _body(receive: Receive, most: int) -> bytes | None:
    """The body of a request, or None for one that is larger than anyone needs."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise _HungUpError
        part = message.get("body", b"")
        size += len(part)
        if size <= most:
            parts.append(part)
        if not message.get("more_body"):
            return b"".join(parts) if size <= most else None
