"""The guard: whoever goes outside the transports is stopped, and told the way out."""

from __future__ import annotations

import asyncio
import http.client
import socket
import threading
import urllib.request
from collections.abc import Callable

import aiodns
import aiohttp
import httpx2
import pytest
import urllib3
from aiohttp.abc import AbstractResolver

from aepmock.errors import BlockedRequestError
from aepmock.messages import Response
from aepmock.transports import install
from aepmock.transports.guard import guarding
from tests.transports.transport_scene import stranger

HOST = "platform.adobe.io"


def connect(name: str | bytes) -> None:
    with socket.socket() as made:
        made.connect((name, 443))


def connect_ex(name: str) -> None:
    with socket.socket() as made:
        made.connect_ex((name, 443))


def send_to(name: str) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as made:
        made.sendto(b"x", (name, 53))


def by_asyncio(name: str) -> None:
    async def open_it() -> None:
        await asyncio.open_connection(name, 443)

    asyncio.run(open_it())


def by_http_client(name: str) -> None:
    http.client.HTTPSConnection(name).request("GET", "/")


def by_urllib(name: str) -> None:
    urllib.request.urlopen(f"https://{name}/x")


async def aiohttp_gets(name: str, resolver: AbstractResolver) -> None:
    connector = aiohttp.TCPConnector(resolver=resolver)
    async with aiohttp.ClientSession(connector=connector) as session:
        await session.get(f"https://{name}/x")


def by_aiohttp_with_threads(name: str) -> None:
    async def get_it() -> None:
        await aiohttp_gets(name, aiohttp.ThreadedResolver())

    asyncio.run(get_it())


def by_aiohttp_with_aiodns(name: str) -> None:
    async def get_it() -> None:
        await aiohttp_gets(name, aiohttp.AsyncResolver())

    asyncio.run(get_it())


def by_aiodns_query(name: str) -> None:
    async def ask() -> None:
        await aiodns.DNSResolver().query_dns(name, "A")

    asyncio.run(ask())


def by_urllib3(name: str) -> None:
    with urllib3.PoolManager(retries=False) as pool:
        pool.request("GET", f"https://{name}/x")


def by_httpx2(name: str) -> None:
    httpx2.get(f"https://{name}/x")


def by_async_httpx2(name: str) -> None:
    async def get_it() -> None:
        async with httpx2.AsyncClient() as client:
            await client.get(f"https://{name}/x")

    asyncio.run(get_it())


WAYS: list[Callable[[str], object]] = [
    lambda name: socket.getaddrinfo(name, 443),
    lambda name: socket.gethostbyname(name),
    lambda name: socket.gethostbyname_ex(name),
    lambda name: socket.create_connection((name, 443)),
    connect,
    connect_ex,
    send_to,
    by_asyncio,
    by_http_client,
    by_urllib,
    by_aiohttp_with_threads,
    by_aiohttp_with_aiodns,
    by_aiodns_query,
    by_urllib3,
    by_httpx2,
    by_async_httpx2,
]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", [HOST, "IMS-na1.AdobeLogin.com", "platform.adobe.io."])
def test_every_way_to_adobes_hosts_is_stopped(way: Callable[[str], object], name: str) -> None:
    with guarding(("httpx",)) as guard, pytest.raises(BlockedRequestError):
        way(name)
    assert guard.attempts == [name] or {a.lower() for a in guard.attempts} == {name.lower()}


def test_the_message_names_the_open_transports_and_the_way_out() -> None:
    with guarding(("httpx", "requests")), pytest.raises(BlockedRequestError) as stopped:
        socket.getaddrinfo(HOST, 443)
    assert str(stopped.value) == (
        "something in this process tried to reach platform.adobe.io itself; aepmock stopped it. "
        "Open in-process transports: httpx, requests. For another HTTP library use the server: the "
        "fixture aepmock_server, or --transport server, and give the client its base_url."
    )
    with guarding(()), pytest.raises(BlockedRequestError, match="transports: none"):
        socket.getaddrinfo(HOST, 443)


def test_a_library_that_swallows_the_error_is_found_out_all_the_same() -> None:
    with guarding(()) as guard:
        try:
            by_urllib(HOST)
        except Exception:
            pass
    assert guard.attempts == [HOST]


def test_other_hosts_are_left_alone() -> None:
    with stranger() as url, guarding(()) as guard:
        with urllib.request.urlopen(url) as response:
            assert response.read() == b"stranger"
        with socket.socket() as made:
            assert made.connect_ex(("127.0.0.1", 1)) != 0
    assert guard.attempts == []


@pytest.mark.parametrize("name", ["notadobe.io", "adobe.io.example", "xadobelogin.com"])
def test_hosts_that_only_look_like_adobes_are_left_alone(name: str) -> None:
    from aepmock.net import is_adobe

    assert not is_adobe(name)


def test_other_threads_are_watched_too() -> None:
    caught: list[BaseException] = []

    def elsewhere() -> None:
        try:
            socket.getaddrinfo(HOST, 443)
        except BaseException as error:
            caught.append(error)

    with guarding(()):
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
    assert [type(error) for error in caught] == [BlockedRequestError]


def test_the_innermost_guard_notes_the_attempt() -> None:
    with guarding(()) as outer, guarding(()) as inner:
        with pytest.raises(BlockedRequestError):
            socket.getaddrinfo(HOST, 443)
        assert (inner.attempts, outer.attempts) == ([HOST], [])
    assert "connect" not in socket.socket.__dict__


def test_guards_may_end_in_any_order() -> None:
    first, second = guarding(("a",)), guarding(("a",))
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    with pytest.raises(BlockedRequestError):
        connect(HOST)
    second.__exit__(None, None, None)
    assert "connect" not in socket.socket.__dict__


def test_a_guard_that_is_off_costs_nothing_and_leaves_nothing() -> None:
    plain = {name: socket.socket.__dict__.get(name) for name in ("connect", "sendto")}
    with guarding(()):
        assert "connect" in socket.socket.__dict__
    assert {name: socket.socket.__dict__.get(name) for name in plain} == plain
    with pytest.raises(KeyError), guarding(()):
        raise KeyError
    assert {name: socket.socket.__dict__.get(name) for name in plain} == plain


def test_what_another_tool_put_over_the_guard_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    def theirs(self: socket.socket, address: object) -> None:
        raise AssertionError

    with monkeypatch.context() as patched:
        context = guarding(())
        context.__enter__()
        patched.setattr(socket.socket, "connect", theirs, raising=False)
        context.__exit__(None, None, None)
        assert socket.socket.__dict__["connect"] is theirs
    if "connect" in socket.socket.__dict__:
        # What was there when the other tool came was the guard's; it lets everything pass now.
        with socket.socket() as made:
            assert made.connect_ex(("127.0.0.1", 1)) != 0
        del socket.socket.connect


def test_requests_through_an_open_transport_are_no_escape() -> None:
    import httpx

    with install("httpx", lambda _: Response(204)) as transports, guarding(transports) as guard:
        assert httpx.get(f"https://{HOST}/x", verify=False).status_code == 204
    assert guard.attempts == []
