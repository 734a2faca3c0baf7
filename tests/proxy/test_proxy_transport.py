"""The proxy as such: odd, slow and many clients, and which certificate they get."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest

from aepmock.messages import Headers, Request, Response
from aepmock.transports.proxy import MAX_HEAD, Proxy, proxying
from tests.transports.transport_scene import stranger

HOST = "platform.adobe.io"


@dataclass
class Scene:
    proxy: Proxy
    seen: list[Request]
    refused: list[str]
    trouble: list[str]
    address: tuple[str, int] = field(init=False)

    def __post_init__(self) -> None:
        split = urlsplit(self.proxy.origin)
        self.address = (split.hostname or "", split.port or 0)

    def raw(self) -> socket.socket:
        return socket.create_connection(self.address, 10)

    def talk(self, sent: bytes) -> bytes:
        with self.raw() as made:
            made.sendall(sent)
            with made.makefile("rb") as answer:
                return answer.read()

    @property
    def trusting(self) -> ssl.SSLContext:
        return ssl.create_default_context(cadata=self.proxy.ca_pem.decode())

    def tunnel(self, host: str = HOST) -> http.client.HTTPSConnection:
        made = http.client.HTTPSConnection(*self.address, timeout=10, context=self.trusting)
        made.set_tunnel(host, 443)
        return made


@pytest.fixture
def scene() -> Iterator[Scene]:
    seen: list[Request] = []
    refused: list[str] = []
    trouble: list[str] = []

    def keep(request: Request) -> Response:
        seen.append(request)
        return Response(200, Headers(), f"{request.method} {len(request.body)}".encode())

    with proxying(keep, refused=refused.append, trouble=trouble.append) as proxy:
        yield Scene(proxy, seen, refused, trouble)


@pytest.mark.parametrize("host", [HOST, "ims-na1.adobelogin.com", "Platform-VA7.Adobe.IO"])
def test_a_tunnel_to_an_adobe_host_speaks_tls_with_a_certificate_for_it(
    scene: Scene, host: str
) -> None:
    connection = scene.tunnel(host)
    connection.request("GET", "/x?y")
    assert connection.getresponse().read() == b"GET 0"
    connection.close()
    assert (scene.seen[0].origin, scene.seen[0].target) == (f"https://{host}", "/x?y")


def test_one_tunnel_serves_many_requests(scene: Scene) -> None:
    connection = scene.tunnel()
    for size in (0, 1, 3_000_000):
        connection.request("POST", "/", body=b"x" * size)
        assert connection.getresponse().read() == f"POST {size}".encode()
    connection.close()


def test_many_tunnels_at_once(scene: Scene) -> None:
    def one(number: int) -> bytes:
        connection = scene.tunnel()
        connection.request("POST", f"/{number}", body=b"ab")
        answer = connection.getresponse().read()
        connection.close()
        return answer

    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(one, range(100))) == {b"POST 2"}
    assert {request.path for request in scene.seen} == {f"/{n}" for n in range(100)}


def test_only_http_1_1_is_agreed_upon(scene: Scene) -> None:
    context = scene.trusting
    context.set_alpn_protocols(["h2", "http/1.1"])
    with scene.raw() as made:
        made.sendall(f"CONNECT {HOST}:443 HTTP/1.1\r\n\r\n".encode())
        assert made.recv(100) == b"HTTP/1.1 200 Connection established\r\n\r\n"
        with context.wrap_socket(made, server_hostname=HOST) as tls:
            assert tls.selected_alpn_protocol() == "http/1.1"


def test_the_first_words_of_tls_may_come_with_the_connect(scene: Scene) -> None:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = scene.trusting.wrap_bio(incoming, outgoing, server_hostname=HOST)
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()
    with scene.raw() as made:
        made.sendall(f"CONNECT {HOST}:443 HTTP/1.1\r\n\r\n".encode() + outgoing.read())
        with made.makefile("rb") as answer:
            assert answer.readline().startswith(b"HTTP/1.1 200")
            assert answer.readline() == b"\r\n"
            assert answer.read(1) == b"\x16"


def test_tls_without_connect_is_answered_by_the_name_in_its_greeting(scene: Scene) -> None:
    with scene.raw() as made, scene.trusting.wrap_socket(made, server_hostname=HOST) as tls:
        tls.sendall(b"GET / HTTP/1.1\r\nHost: platform.adobe.io\r\nConnection: close\r\n\r\n")
        assert tls.recv(100).startswith(b"HTTP/1.1 200")
    with scene.raw() as made, pytest.raises(ssl.SSLError, match=r"."):
        scene.trusting.wrap_socket(made, server_hostname="example.com")
    assert scene.refused == ["example.com"]


def test_a_name_in_the_greeting_that_is_not_the_tunnels_is_refused(scene: Scene) -> None:
    with scene.raw() as made:
        made.sendall(f"CONNECT {HOST}:443 HTTP/1.1\r\n\r\n".encode())
        made.recv(100)
        with pytest.raises(ssl.SSLError):
            scene.trusting.wrap_socket(made, server_hostname="example.com")
    assert scene.refused == ["example.com"]


def test_a_program_that_does_not_trust_the_authority_is_told_of(scene: Scene) -> None:
    connection = http.client.HTTPSConnection(*scene.address, timeout=10)
    connection.set_tunnel(HOST, 443)
    with pytest.raises(ssl.SSLCertVerificationError):
        connection.request("GET", "/")
    connection.close()
    # What follows is served by the same loop, after the failure was seen.
    other = scene.tunnel()
    other.request("GET", "/")
    other.getresponse().read()
    other.close()
    assert len(scene.trouble) == 1
    assert scene.trouble[0].startswith("TLS with platform.adobe.io failed: ")
    assert "does the program trust the CA" in scene.trouble[0]


@pytest.mark.parametrize(
    ("sent", "status", "why"),
    [
        (b"CONNECT \r\n\r\n", 400, "no HTTP/1.1 request"),
        (b"CONNECT a b c d\r\n\r\n", 400, "no HTTP/1.1 request"),
        (b"\0\1\2\r\n\r\n", 400, "no HTTP/1.1 request"),
        (b"PRI * HTTP/2.0\r\n\r\n", 400, "no HTTP/1.1 request"),
        (b"CONNECT platform.adobe.io HTTP/1.1\r\n\r\n", 400, "no host and port"),
        (b"CONNECT platform.adobe.io:x HTTP/1.1\r\n\r\n", 400, "no host and port"),
        (b"CONNECT platform.adobe.io:99999 HTTP/1.1\r\n\r\n", 400, "no host and port"),
        (b"CONNECT [::1 HTTP/1.1\r\n\r\n", 400, "no host and port"),
        (b"CONNECT :443 HTTP/1.1\r\n\r\n", 400, "no host and port"),
        (b"GET / HTTP/1.1\r\nHost: platform.adobe.io\r\n\r\n", 400, "this is a proxy"),
        (b"GET ftp://platform.adobe.io/ HTTP/1.1\r\n\r\n", 400, "this is a proxy"),
        (b"x" * (MAX_HEAD + 1000), 431, "too long a head"),
        (b"CONNECT example.com:443 HTTP/1.1\r\n\r\n", 403, "only Adobe's hosts"),
        (b"CONNECT platform.adobe.io.example.com:443 HTTP/1.1\r\n\r\n", 403, "only Adobe's"),
        (b"CONNECT 8.8.8.8:53 HTTP/1.1\r\n\r\n", 403, "only Adobe's hosts"),
        (b"GET http://example.com/ HTTP/1.1\r\n\r\n", 403, "only Adobe's hosts"),
        (b"CONNECT 127.0.0.1:1 HTTP/1.1\r\n\r\n", 502, "nothing answers at 127.0.0.1 port 1"),
        (b"GET https://127.0.0.1:1/ HTTP/1.1\r\n\r\n", 400, "use CONNECT"),
    ],
)
def test_what_can_not_be_served_is_refused_in_words(
    scene: Scene, sent: bytes, status: int, why: str
) -> None:
    answer = scene.talk(sent).decode()
    assert answer.startswith(f"HTTP/1.1 {status} ")
    assert why in answer
    assert bool(scene.refused) == (status == 403)
    assert scene.seen == []


@pytest.mark.parametrize(
    "sent", [b"", b"CONN", b"\x16", b"\x16\x03\x01\x02\x00rubbish", b"\x16" * 99]
)
def test_a_client_that_goes_away_or_talks_rubbish_hurts_nobody(scene: Scene, sent: bytes) -> None:
    with scene.raw() as made:
        made.sendall(sent)
    connection = scene.tunnel()
    connection.request("GET", "/")
    assert connection.getresponse().status == 200
    connection.close()


def test_slow_clients_hold_up_nobody(scene: Scene) -> None:
    slow = [scene.raw() for _ in range(50)]
    for one in slow:
        one.sendall(b"CONNECT platform.ado")
    connection = scene.tunnel()
    connection.request("GET", "/")
    assert connection.getresponse().status == 200
    connection.close()
    slow[0].sendall(b"be.io:443 HTTP/1.1\r\n")
    slow[0].sendall(b"\r\n")
    assert slow[0].recv(100).startswith(b"HTTP/1.1 200")
    for one in slow:
        one.close()


def test_a_proxy_stops_at_once_however_many_are_connected() -> None:
    def never(request: Request) -> Response:
        raise AssertionError

    with proxying(never, refused=print, trouble=print) as proxy:
        split = urlsplit(proxy.origin)
        held = [socket.create_connection((split.hostname, split.port), 10) for _ in range(5)]
        held[0].sendall(b"CONNECT platform.adobe.io:443 HTTP/1.1\r\n\r\n")
        assert held[0].recv(100).startswith(b"HTTP/1.1 200")
    for one in held:
        with one:
            try:
                assert one.recv(10) == b""
            except ConnectionResetError:
                pass


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_whole_url_instead_of_a_tunnel_is_answered(scene: Scene, scheme: str) -> None:
    answer = scene.talk(
        f"POST {scheme}://{HOST}?a=b HTTP/1.1\r\nHost: {HOST}\r\nProxy-Authorization: x\r\n"
        "Connection: keep-alive\r\nProxy-Connection: keep-alive\r\nX-A: b\r\n"
        "Content-Length: 2\r\n\r\nab".encode()
    )
    assert answer.endswith(b"\r\n\r\nPOST 2")
    (seen,) = scene.seen
    assert (seen.origin, seen.target) == (f"{scheme}://{HOST}", "/?a=b")
    assert seen.headers.fields == (
        ("Host", HOST),
        ("X-A", "b"),
        ("Content-Length", "2"),
        ("Connection", "close"),
    )


def test_loopback_is_let_through_by_whole_url_and_by_tunnel(scene: Scene) -> None:
    with stranger() as url:
        netloc = urlsplit(url).netloc
        head = f"HTTP/1.1\r\nHost: {netloc}\r\nConnection: close\r\n\r\n"
        assert scene.talk(f"GET {url} {head}".encode()).endswith(b"stranger")
        tunnelled = f"CONNECT {netloc} HTTP/1.1\r\n\r\nGET / {head}"
        assert scene.talk(tunnelled.encode()).endswith(b"stranger")
    assert (scene.seen, scene.refused) == ([], [])


def test_an_error_of_the_handler_is_an_answer_of_500(caplog: pytest.LogCaptureFixture) -> None:
    def broken(_: Request) -> Response:
        raise ZeroDivisionError

    with proxying(broken, refused=print, trouble=print) as proxy:
        scene = Scene(proxy, [], [], [])
        connection = scene.tunnel()
        connection.request("GET", "/")
        assert connection.getresponse().status == 500
        connection.close()
    assert [record.message for record in caplog.records] == ["the handler failed"]


def test_every_run_has_an_authority_of_its_own() -> None:
    pems = []
    for _ in range(2):
        with proxying(lambda _: Response(200), refused=print, trouble=print) as proxy:
            pems.append(json.dumps(proxy.ca_pem.decode()))
    assert pems[0] != pems[1]
