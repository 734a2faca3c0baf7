"""How a request leaves: as it was, over TLS that is verified, through the proxy if there is one."""

from __future__ import annotations

import gzip
import socket
import ssl
import threading
import time
import tracemalloc
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

import pytest

from aepmock.live.outbound.transport import MAX_BODY, LostError, Outside
from aepmock.live.settings import check_host
from aepmock.messages import Headers, Request, Response
from aepmock.transports.guard import guarding
from aepmock.transports.server import serving
from aepmock.transports.tls import throw_away_tls


@contextmanager
def answering(answer: bytes) -> Iterator[tuple[int, list[bytes]]]:
    """A socket that reads one head, says `answer` and hangs up: its port, and what it read."""
    seen: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.settimeout(10)
                seen.append(connection.recv(65_536))
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1], seen
        thread.join(10)


def test_a_request_and_its_answer_pass_as_they_are() -> None:
    got: list[Request] = []

    def handler(request: Request) -> Response:
        got.append(request)
        fields = Headers([("X-One", "1"), ("X-One", "2"), ("Content-Type", "application/json")])
        return Response(201, fields, '{"name": "naïve"}'.encode())

    headers = Headers(
        [("X-Api-Key", "k"), ("x-twice", "a"), ("X-Twice", "b"), ("Content-Length", "9999")]
    )
    target = "/data?property=name%3D%3Da+b&x=%C3%BC"
    with (
        throw_away_tls(("127.0.0.1",)) as (context, ca_file),
        serving(handler, tls=context) as server,
    ):
        request = Request("POST", server.origin, target, headers, b'{"a": 1}')
        with guarding(()):
            response = Outside(str(ca_file)).send(request)
        with pytest.raises(LostError, match=r"(?i)certificate"):
            Outside().send(request)
    assert (response.status, response.json) == (201, {"name": "naïve"})
    assert response.headers.all("x-one") == ("1", "2")
    (seen,) = got
    assert (seen.method, seen.target, seen.body) == ("POST", target, b'{"a": 1}')
    assert seen.headers.all("x-twice") == ("a", "b")
    assert seen.headers.all("content-length") == ("8",)


@pytest.mark.parametrize(
    "answer", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", b"?\r\n"]
)
def test_an_answer_that_is_none_is_lost(answer: bytes) -> None:
    with answering(answer) as (port, _), pytest.raises(LostError):
        Outside().send(Request("GET", f"http://127.0.0.1:{port}", "/"))


def test_nobody_who_listens_is_a_lost_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(LostError):
        Outside().send(Request("GET", f"http://127.0.0.1:{port}", "/"))


def test_the_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    with answering(b"HTTP/1.1 502 Bad Gateway\r\n\r\n") as (port, seen):
        monkeypatch.setenv("https_proxy", f"http://me:hush%21@127.0.0.1:{port}")
        with pytest.raises(LostError) as caught:
            Outside().send(Request("GET", "https://service.example", "/secret"))
    assert seen[0].startswith(b"CONNECT service.example:443 HTTP/1.")
    assert b"Proxy-Authorization: Basic bWU6aHVzaCE=" in seen[0]
    assert "hush" not in str(caught.value)


def test_what_is_on_this_machine_needs_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with answering(b"HTTP/1.1 204 No Content\r\n\r\n") as (port, _):
        response = Outside().send(Request("GET", f"http://127.0.0.1:{port}", "/"))
    assert response.status == 204


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "127.1.2.3", "localhost", "LOCALHOST"])
def test_a_host_that_may_be_reached_unencrypted_is_never_asked_of_a_proxy(
    monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    """What the settings take for this machine is what a request goes straight to."""
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    with socket.socket() as closed, socket.create_server(("127.0.0.1", 0)) as proxy:
        closed.bind(("127.0.0.1", 0))
        proxy.setblocking(False)
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.getsockname()[1]}")
        origin = f"http://{host}:{closed.getsockname()[1]}"
        check_host(origin, [])
        with pytest.raises(LostError, match="ConnectionRefusedError"):
            Outside(timeout_s=5).send(Request("GET", origin, "/"))
        with pytest.raises(BlockingIOError):
            proxy.accept()


def zipped(size: int) -> bytes:
    return gzip.compress(b" " * size, mtime=0)


@pytest.mark.parametrize("coding", ["gzip", "X-GZIP", "deflate", "raw", "gzip, gzip"])
def test_a_small_answer_that_unzips_to_a_huge_one_is_lost(coding: str) -> None:
    blanks = b" " * (MAX_BODY + 1)
    packer = zlib.compressobj(wbits={"deflate": 15, "raw": -15}.get(coding, 31))
    body = packer.compress(blanks) + packer.flush()
    name = coding.replace("raw", "deflate")
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {name}\r\nContent-Length: {len(body)}\r\n\r\n"
    with answering(head.encode() + body) as (port, _):
        tracemalloc.start()
        try:
            with pytest.raises(LostError, match=r"unzipped|more than once"):
                Outside().send(Request("GET", f"http://127.0.0.1:{port}", "/"))
            assert tracemalloc.get_traced_memory()[1] < 4 * 1024 * 1024
        finally:
            tracemalloc.stop()


def test_a_zipped_answer_of_a_usual_size_is_taken_as_it_came() -> None:
    body = gzip.compress(b'{"items": []}', mtime=0)
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n"
    with answering(head.encode() + body) as (port, _):
        response = Outside().send(Request("GET", f"http://127.0.0.1:{port}", "/"))
    assert (response.body, response.json) == (body, {"items": []})


@pytest.mark.parametrize(
    ("body", "part"),
    [
        (b"no zip", "can't be unzipped"),
        (zipped(100)[:-4], "break off"),
        (zipped(2**20) * 40, "more than"),
    ],
)
def test_what_can_not_be_unzipped_is_no_json_and_no_crash(body: bytes, part: str) -> None:
    response = Response(200, Headers({"Content-Encoding": "gzip"}), body)
    assert response.json_or_none is None
    with pytest.raises(ValueError, match=part):
        _ = response.json


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize(
    "begin", [b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 3, b"HTTP/1.1 200 OK\r\n\r\n"]
)
def test_an_answer_that_trickles_in_for_ever_is_given_up(begin: bytes, tls: bool) -> None:
    with ExitStack() as stack:
        context, ca_file = stack.enter_context(throw_away_tls(("127.0.0.1",)))
        port = stack.enter_context(trickling(begin, context if tls else None))
        started = time.monotonic()
        with pytest.raises(LostError, match="not whole after"):
            Outside(str(ca_file), timeout_s=0.6).send(
                Request("GET", f"http{'s' * tls}://127.0.0.1:{port}", "/")
            )
    assert time.monotonic() - started < 5


@contextmanager
def trickling(begin: bytes, context: ssl.SSLContext | None) -> Iterator[int]:
    """A server that says `begin` and then an octet at a time, for as long as someone listens."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            if context is not None:
                connection = context.wrap_socket(connection, server_side=True)
            with connection, suppress(OSError):
                connection.recv(65_536)
                connection.sendall(begin)
                while not over.wait(0.1):
                    connection.sendall(b"x")

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            over.set()
            thread.join(10)


@pytest.mark.parametrize("target", ["/connections?x=\u00e9", "/a b", "/a\r\nHost: elsewhere"])
def test_a_target_that_can_not_be_sent_is_a_lost_answer(target: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, pytest.raises(LostError):
        Outside().send(Request("GET", f"http://127.0.0.1:{listener.getsockname()[1]}", target))
