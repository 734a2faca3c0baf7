"""How a request leaves: as it was, over TLS that is verified, through the proxy if there is one."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from aepmock.doors.guard import guarding
from aepmock.doors.server_door import serving
from aepmock.live.outside import LostError, Outside
from aepmock.messages import Headers, Request, Response
from aepmock.server.tls import throw_away_tls


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
