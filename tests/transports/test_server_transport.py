"""The server transport: a real connection, whatever comes over it."""

from __future__ import annotations

import http.client
import logging
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest

from aepmock.errors import UsageError
from aepmock.messages import Headers, Request, Response
from aepmock.net import own_origin
from aepmock.transports.server import Server, listen, serving
from aepmock.transports.server_protocol import Limits

SEEN: list[Request] = []


def keep(request: Request) -> Response:
    SEEN.append(request)
    if request.path == "/broken":
        raise ZeroDivisionError("a secret thing")
    return Response(
        200, Headers([("X-Path", "yes")]), f"{request.method} {len(request.body)}".encode()
    )


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving(keep) as made:
        yield made


@pytest.fixture(autouse=True)
def _forget() -> None:
    SEEN.clear()


def raw(server: Server) -> socket.socket:
    address = urlsplit(server.origin)
    made = socket.create_connection((address.hostname, address.port), timeout=10)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made


def talk(server: Server, sent: bytes) -> bytes:
    """Everything that comes back until the server closes."""
    with raw(server) as made:
        parts = []
        try:
            made.sendall(sent)
            made.shutdown(socket.SHUT_WR)
            while part := made.recv(65_536):
                parts.append(part)
        except OSError:
            # The server closed before it had read everything.
            pass
    return b"".join(parts)


HEAD = b"Host: x\r\nConnection: close\r\n"


def test_the_head_is_recorded_as_it_was_sent(server: Server) -> None:
    fields = b"HOST: x\r\nX-b: 1\r\nx-A:2\r\nX-B:  3  \r\nConnection: close\r\nX-Latin: caf\xe9\r\n"
    answer = talk(server, b"GET /a%2fb/../%zz?x=1?&+%20 HTTP/1.1\r\n" + fields + b"\r\n")
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert SEEN[0].target == "/a%2fb/../%zz?x=1?&+%20"
    assert SEEN[0].origin == "http://x"
    assert SEEN[0].headers.fields == (
        ("HOST", "x"),
        ("X-b", "1"),
        ("x-A", "2"),
        ("X-B", "3"),
        ("Connection", "close"),
        ("X-Latin", "caf\xe9"),
    )


@pytest.mark.parametrize("target", [b"/x?", b"/x", b"*", b"http://y/z?a", b"/?", b"//x"])
def test_a_target_keeps_its_form(server: Server, target: bytes) -> None:
    talk(server, b"OPTIONS " + target + b" HTTP/1.1\r\n" + HEAD + b"\r\n")
    assert SEEN[0].target == target.decode()


def test_a_client_can_not_change_where_it_is_seen_to_be(server: Server) -> None:
    fields = b"Host: a\r\nX-Forwarded-Proto: https\r\nConnection: close\r\n\r\n"
    talk(server, b"GET / HTTP/1.1\r\n" + fields)
    assert SEEN[0].origin == "http://a"


def test_nothing_is_added_to_an_answer(server: Server) -> None:
    answer = talk(server, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    head = answer.partition(b"\r\n\r\n")[0].split(b"\r\n")
    assert head == [b"HTTP/1.1 200 OK", b"X-Path: yes", b"Content-Length: 5"]


def test_a_chunked_body_arrives_whole(server: Server) -> None:
    body = b"3\r\nabc\r\n1;ext=1\r\nd\r\n0\r\nTrailer: x\r\n\r\n"
    answer = talk(
        server, b"POST / HTTP/1.1\r\n" + HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + body
    )
    assert answer.endswith(b"POST 4")
    assert SEEN[0].body == b"abcd"


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"GET /a b HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nx y: z\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nx: dev\0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: z\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"GET / HTTP/1.1\r\nHost: x\r\nx: " + b"y" * 200_000 + b"\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
)
def test_what_is_no_http_is_refused_and_seen_by_nobody(server: Server, sent: bytes) -> None:
    assert talk(server, sent)[:12] in (b"HTTP/1.1 400", b"")
    assert SEEN == []
    assert talk(server, b"GET / HTTP/1.1\r\n" + HEAD + b"\r\n").startswith(b"HTTP/1.1 200")


def test_a_connection_is_kept_for_many_requests(server: Server) -> None:
    connection = http.client.HTTPConnection(urlsplit(server.origin).netloc, timeout=10)
    connection.connect()
    first = connection.sock
    began = time.perf_counter()
    for number in range(50):
        connection.request("POST", "/", body=b"x" * number)
        assert connection.getresponse().read() == f"POST {number}".encode()
        assert connection.sock is first
    # Fifty delayed acknowledgements would be two seconds.
    assert time.perf_counter() - began < 1
    connection.close()


def test_pipelined_requests_are_answered_in_order(server: Server) -> None:
    ask = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s"
    sent = b"".join(ask % (n, b"x" * n) for n in range(3))
    answer = talk(server, sent)
    assert [answer.count(b"POST %d" % n) for n in range(3)] == [1, 1, 1]
    assert answer.index(b"POST 0") < answer.index(b"POST 1") < answer.index(b"POST 2")


def test_several_threads_are_served_at_once(server: Server) -> None:
    def one(number: int) -> bytes:
        return talk(
            server, b"POST /%d HTTP/1.1\r\n" % number + HEAD + b"Content-Length: 2\r\n\r\nab"
        )

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(one, range(80)))
    assert all(answer.endswith(b"POST 2") for answer in answers)
    assert {request.path for request in SEEN} == {f"/{n}" for n in range(80)}


def test_a_slow_sender_holds_up_nobody(server: Server) -> None:
    with raw(server) as slow:
        slow.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nab")
        assert talk(server, b"GET / HTTP/1.1\r\n" + HEAD + b"\r\n").endswith(b"GET 0")
        slow.sendall(b"cdefghij")
        slow.shutdown(socket.SHUT_WR)
        with slow.makefile("rb") as answer:
            assert answer.read().endswith(b"POST 10")


def test_half_a_request_is_seen_by_nobody(server: Server) -> None:
    with raw(server) as made:
        made.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nab")
    assert talk(server, b"GET / HTTP/1.1\r\n" + HEAD + b"\r\n").endswith(b"GET 0")
    assert [request.method for request in SEEN] == ["GET"]


def test_a_body_up_to_the_bound_is_read_and_a_larger_one_refused(server: Server) -> None:
    address = urlsplit(server.origin)
    connection = http.client.HTTPConnection(address.netloc, timeout=30)
    connection.request("POST", "/", body=b"x" * Limits().body_octets)
    assert connection.getresponse().read() == f"POST {Limits().body_octets}".encode()
    connection.request("POST", "/", body=b"x" * (Limits().body_octets + 1))
    assert connection.getresponse().status == 413
    connection.close()
    assert len(SEEN) == 1


def test_an_error_of_the_handler_is_logged_and_answered(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, "aepmock.server"):
        answer = talk(server, b"GET /broken HTTP/1.1\r\n" + HEAD + b"\r\n")
    assert answer.startswith(b"HTTP/1.1 500")
    assert [record.message for record in caplog.records] == ["the handler failed"]
    assert talk(server, b"GET / HTTP/1.1\r\n" + HEAD + b"\r\n").startswith(b"HTTP/1.1 200")


def test_a_server_starts_and_stops_at_once() -> None:
    began = time.perf_counter()
    for _ in range(5):
        with serving(keep) as server:
            talk(server, b"GET / HTTP/1.1\r\n" + HEAD + b"\r\n")
    assert time.perf_counter() - began < 2


@pytest.mark.parametrize(
    "sent", [b"", b"GET / HT", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nab"]
)
def test_a_server_does_not_wait_for_a_client_that_stopped_in_the_middle(sent: bytes) -> None:
    with serving(keep) as server:
        made = raw(server)
        made.sendall(sent)
        talk(server, b"GET / HTTP/1.1\r\n" + HEAD + b"\r\n")
        began = time.perf_counter()
    assert time.perf_counter() - began < 1
    assert made.recv(10) == b""
    made.close()


def test_a_stopped_server_is_gone_after_an_error_too() -> None:
    with pytest.raises(KeyError), serving(keep) as server:
        raise KeyError
    with pytest.raises(OSError, match=r"."):
        raw(server)


def test_starting_a_server_closes_no_handler_of_the_process() -> None:
    class Handler(logging.Handler):
        closed = False

        def close(self) -> None:
            self.closed = True
            super().close()

    handler = Handler()
    with serving(keep):
        assert not handler.closed
    handler.close()


def test_a_port_in_use_is_misuse_with_the_way_out() -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"can't listen on 127.0.0.1 port {port}: .*choose"):
            listen("127.0.0.1", port)


def test_several_servers_run_beside_each_other() -> None:
    with serving(keep) as first, serving(keep) as second:
        assert first.origin != second.origin
        threads = [
            threading.Thread(target=talk, args=(s, b"GET / HTTP/1.1\r\n" + HEAD + b"\r\n"))
            for s in (first, second)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(SEEN) == 2


def test_an_own_origin_ipv6_stands_in_brackets() -> None:
    try:
        listener = listen("::1", 0)
    except UsageError:
        pytest.skip("this machine has no IPv6 loopback")
    with listener:
        assert own_origin(listener) == f"http://[::1]:{listener.getsockname()[1]}"
