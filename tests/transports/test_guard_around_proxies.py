"""The guard, where a host is named to a proxy, to TLS, or in letters that are not ASCII."""

from __future__ import annotations

import asyncio
import http.client
import socket
import ssl
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress

import aiohttp
import pytest
import urllib3

from aepmock.errors import BlockedRequestError
from aepmock.net import is_adobe
from aepmock.transports import guard as guard_module
from aepmock.transports.guard import guarding

HOST = "platform.adobe.io"


class Proxy:
    """Listens, and keeps what it is asked; it leads nowhere."""

    def __init__(self) -> None:
        self.asked = b""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                with connection:
                    connection.settimeout(5)
                    self.asked += connection.recv(65_536)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    made = Proxy()
    for name in ("https_proxy", "http_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{made.port}")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    yield made
    made.close()


def open_url(url: str) -> None:
    """By an opener of its own: urllib keeps the first one, with the proxies that there were."""
    urllib.request.build_opener().open(url)


def by_urllib(_: int) -> None:
    open_url(f"https://{HOST}/x")


def by_urllib_without_tls(_: int) -> None:
    open_url(f"http://{HOST}/x")


def by_a_tunnel(port: int) -> None:
    connection = http.client.HTTPSConnection("127.0.0.1", port)
    connection.set_tunnel(HOST)
    connection.request("GET", "/")


def by_urllib3(port: int) -> None:
    with urllib3.ProxyManager(f"http://127.0.0.1:{port}", retries=False) as pool:
        pool.request("GET", f"https://{HOST}/x")


def by_aiohttp(_: int) -> None:
    async def get() -> None:
        async with aiohttp.ClientSession(trust_env=True) as session:
            await session.get(f"https://{HOST}/x")

    asyncio.run(get())


def by_asyncio(port: int) -> None:
    async def ask() -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(f"CONNECT {HOST}:443 HTTP/1.1\r\n\r\n".encode())
            await writer.drain()
        finally:
            writer.close()

    asyncio.run(ask())


def by_socks_5(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as end:
        name = HOST.encode()
        end.sendall(b"\x05\x01\x00\x03" + bytes([len(name)]) + name + b"\x01\xbb")


def by_socks_4a(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as end:
        end.sendall(b"\x04\x01\x01\xbb\x00\x00\x00\x01me\x00" + HOST.encode() + b"\x00")


WAYS: list[Callable[[int], None]] = [
    by_urllib, by_urllib_without_tls, by_a_tunnel, by_urllib3, by_aiohttp, by_socks_5,
    by_socks_4a,
]  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_proxy_is_not_asked_for_adobes_hosts(way: Callable[[int], None], proxy: Proxy) -> None:
    with guarding(()) as guard, pytest.raises(BlockedRequestError):
        way(proxy.port)
    assert guard.attempts == [HOST]
    assert proxy.asked == b""


def test_asyncio_does_not_send_it_either(proxy: Proxy) -> None:
    """Its transport keeps the error to itself, and closes."""
    with guarding(()) as guard, suppress(OSError, BlockedRequestError):
        by_asyncio(proxy.port)
    assert guard.attempts == [HOST]
    assert proxy.asked == b""


def test_a_proxy_is_asked_for_other_hosts(proxy: Proxy) -> None:
    with guarding(()) as guard, suppress(OSError):
        open_url("https://example.com/x")
    assert guard.attempts == []
    assert proxy.asked.startswith(b"CONNECT example.com:443 ")


def test_tls_does_not_begin_with_adobes_hosts_whatever_the_address() -> None:
    context = ssl.create_default_context()
    with guarding(()) as guard:
        with pytest.raises(BlockedRequestError):
            context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname=HOST)
        with pytest.raises(BlockedRequestError):
            context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), False, HOST)
        with socket.socket() as made, pytest.raises(BlockedRequestError):
            context.wrap_socket(made, server_hostname=HOST, do_handshake_on_connect=False)
        context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="example.com")
    assert guard.attempts == [HOST] * 3
    assert not hasattr(ssl.SSLContext.wrap_bio, "__wrapped__")


@pytest.mark.parametrize(
    "name",
    ["platform。adobe。io", "platform．adobe.io", "platform｡adobe｡io", "ｐlatform.adobe.io"],
)
@pytest.mark.parametrize("way", [socket.gethostbyname, lambda name: socket.getaddrinfo(name, 443)])
def test_a_name_in_other_letters_is_the_same_name(name: str, way: Callable[[str], object]) -> None:
    assert is_adobe(name)
    with guarding(()) as guard, pytest.raises(BlockedRequestError):
        way(name)
    assert guard.attempts == [name]


@pytest.mark.parametrize("name", ["plätform.example", "adobe。io.example", "x" * 70 + "ä"])
def test_other_names_in_other_letters_are_left_alone(name: str) -> None:
    assert not is_adobe(name)


def test_a_saved_connect_reaches_nobody(monkeypatch: pytest.MonkeyPatch, proxy: Proxy) -> None:
    """It was taken before the guard was on; the name is looked up, and that is all."""
    saved = socket.socket.connect
    monkeypatch.setattr(guard_module, "is_adobe", lambda host: host == "localhost")
    with guarding(()) as guard, socket.socket() as made, pytest.raises(BlockedRequestError):
        saved(made, ("localhost", proxy.port))
    assert guard.attempts == ["localhost"]


def test_a_saved_look_up_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    saved = socket.getaddrinfo, socket.gethostbyname, socket.gethostbyaddr
    with guarding(()) as guard:
        for look_up in saved:
            with pytest.raises(BlockedRequestError):
                look_up(HOST, *([443] if look_up is socket.getaddrinfo else []))
    assert guard.attempts == [HOST] * 3


def test_an_attempt_is_noted_by_the_guard_of_its_thread() -> None:
    mine: list[str] = []

    def elsewhere() -> None:
        with guarding(()) as guard:
            ready.set()
            done.wait(5)
            mine.extend(guard.attempts)

    ready, done = threading.Event(), threading.Event()
    thread = threading.Thread(target=elsewhere)
    with guarding(()) as guard:
        thread.start()
        ready.wait(5)
        with pytest.raises(BlockedRequestError):
            socket.getaddrinfo(HOST, 443)
        done.set()
        thread.join()
        assert (guard.attempts, mine) == ([HOST], [])
