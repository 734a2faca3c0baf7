"""The same fault gives the same answer, or the same error, through every transport."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import signal
import socket
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import mock
from urllib.parse import urlsplit

import anyio
import httpx
import httpx2
import pytest
import requests
import trio
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from aepmock.cli.proxy import environment
from aepmock.faults import FaultInjector
from aepmock.faults.grammar import read_fault
from aepmock.messages import Effect, Handler, Request, Response
from aepmock.service import FlowService
from aepmock.transports import install
from aepmock.transports.proxy import proxying
from aepmock.transports.server import serving
from tests.transports.test_transports_are_equal import BASE, CREATE, LIBRARIES, PLATFORM

TIMEOUT_S = 0.4
TRANSPORTS = ("inside", "server", "proxy")
FAULTS = (
    "503",
    "429 retry-after 2s",
    "bare 502",
    "html 504",
    "1416-400",
    "redirect 302 https://elsewhere.example/x",
    "empty body",
    "garbage body",
    "wrong content type",
    "latency 0.02s",
    "slow body 0.05s",
    "truncated body",
    "aborted chunk",
    "reset",
    "reset before reading",
    "empty answer",
    "garbage",
    "timeout",
    "latency 30s",
    "slow body 30s",
    "503 after 0.02s",
    "expired token",
    "lost answer: reset",
    "lost answer: timeout",
    "lost answer: 504",
)
ERRORS: Mapping[str, str] = {
    "truncated body": "cut",
    "aborted chunk": "cut",
    "reset": "reset",
    "reset before reading": "reset",
    "empty answer": "closed",
    "garbage": "garbage",
    "timeout": "timeout",
    "latency 30s": "timeout",
    "slow body 30s": "timeout in the body",
    "lost answer: reset": "reset",
    "lost answer: timeout": "timeout",
}
"""What becomes an error; all else is an answer."""
EXPECTED: Mapping[str, Mapping[str, str]] = {
    "httpx": {
        "cut": "RemoteProtocolError",
        "reset": "ReadError",
        "closed": "RemoteProtocolError",
        "garbage": "RemoteProtocolError",
        "timeout": "ReadTimeout",
        "timeout in the body": "ReadTimeout",
    },
    "requests": {
        "cut": "ChunkedEncodingError",
        "reset": "ConnectionError",
        "closed": "ConnectionError",
        "garbage": "ConnectionError",
        "timeout": "ReadTimeout",
        "timeout in the body": "ConnectionError",
    },
}
OVER_TLS: Mapping[str, str] = {
    "httpx": "RemoteProtocolError",
    "httpx2": "RemoteProtocolError",
    "requests": "ProxyError",
}
"""A reset through the proxy: Python's blocking ssl reads it as an end (SSLSocket.recv gives b""),
and urllib3 blames the proxy for it, by a ConnectionError all the same."""
COMMITS = ("lost answer", "latency", "slow", "truncated", "aborted", "wrong")


@dataclass(frozen=True)
class Came:
    """What came to the client: an answer, or the name of an error; and what was made of it."""

    status: int = 0
    fields: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    error: str = ""
    held: int = 0


@contextmanager
def opened(transport: str, library: str, handler: Handler) -> Iterator[str]:
    """The origin that the library reaches the handler at."""
    if transport == "server":
        with serving(handler) as server:
            yield server.origin
    elif transport == "proxy":
        with (
            TemporaryDirectory() as folder,
            proxying(handler, refused=print, trouble=print) as proxy,
            mock.patch.dict(os.environ, environment(proxy, Path(folder), os.environ)),
        ):
            yield PLATFORM
    else:
        with install(library.removeprefix("async "), handler):
            yield PLATFORM


def asked(library: str, url: str, headers: Mapping[str, str], body: bytes) -> Came:
    """One POST by the library, with a client of its own."""
    try:
        if library == "requests":
            answer: Any = requests.post(
                url, data=body, headers=headers, timeout=TIMEOUT_S, allow_redirects=False
            )
            fields = {name.lower(): value for name, value in answer.headers.items()}
            return Came(answer.status_code, tuple(sorted(fields.items())), answer.content)
        module = httpx2 if library.endswith("2") else httpx
        if library.startswith("async"):
            answer = _awaited(module, url, headers, body)
        else:
            with module.Client(verify=False, timeout=TIMEOUT_S) as client:
                answer = client.post(url, content=body, headers=headers)
        return Came(answer.status_code, tuple(sorted(answer.headers.items())), answer.content)
    except (httpx.HTTPError, httpx2.HTTPError, requests.RequestException) as error:
        return Came(error=type(error).__name__)


def _awaited(module: Any, url: str, headers: Mapping[str, str], body: bytes) -> Any:
    async def once() -> Any:
        async with module.AsyncClient(verify=False, timeout=TIMEOUT_S) as client:
            return await client.post(url, content=body, headers=headers)

    return asyncio.run(once())


@cache
def heard(transport: str, library: str) -> Mapping[str, Came]:
    """Every fault, each followed by a create that goes well on the same transport."""
    service = FlowService()
    injector = FaultInjector(service.contract, service.handle, service)
    body = json.dumps(CREATE, ensure_ascii=False).encode()
    found = {}
    with opened(transport, library, injector.handle) as origin:
        for fault in FAULTS:
            made = service.mint_credentials()
            headers = {
                "Authorization": f"Bearer {made.access_token}",
                "x-api-key": made.api_key,
                "x-gw-ims-org-id": made.ims_org_id,
                "x-sandbox-name": "dev",
                "Content-Type": "application/json",
            }
            before = len(list(service.connections()))
            injector.fault(read_fault(service.contract, f"connections.create: {fault}"))
            came = asked(library, f"{origin}{BASE}/connections", headers, body)
            found[fault] = replace(came, held=len(list(service.connections())) - before)
            assert injector.faults == []
    return found


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_fault_is_the_librarys_own_answer_or_error(transport: str, library: str) -> None:
    names = EXPECTED["requests" if library == "requests" else "httpx"]
    for fault, came in heard(transport, library).items():
        expected = names[ERRORS[fault]] if fault in ERRORS else ""
        if transport == "proxy" and ERRORS.get(fault) in ("reset", "closed"):
            expected = OVER_TLS.get(library, expected)
        assert (fault, came.error) == (fault, expected)


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_fault_is_the_same_through_every_transport(transport: str, library: str) -> None:
    reference = heard("server", "httpx")
    for fault, came in heard(transport, library).items():
        expected = reference[fault]
        assert (fault, replace(came, error="")) == (fault, replace(expected, error=""))


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_the_service_does_what_was_asked_once_or_not_at_all(transport: str, library: str) -> None:
    for fault, came in heard(transport, library).items():
        assert (fault, came.held) == (fault, int(fault.startswith(COMMITS)))


def _scene(fault: str) -> tuple[FlowService, FaultInjector, dict[str, str]]:
    service = FlowService()
    injector = FaultInjector(service.contract, service.handle, service)
    made = service.mint_credentials()
    headers = {
        "Authorization": f"Bearer {made.access_token}",
        "x-api-key": made.api_key,
        "x-gw-ims-org-id": made.ims_org_id,
        "x-sandbox-name": "dev",
    }
    injector.fault(read_fault(service.contract, fault))
    return service, injector, headers


def test_a_reset_is_a_reset_on_the_socket() -> None:
    _, injector, headers = _scene("connections.list: reset, empty answer")
    with serving(injector.handle) as server:
        for error in (ConnectionResetError, http.client.RemoteDisconnected):
            connection = http.client.HTTPConnection(urlsplit(server.origin).netloc, timeout=5)
            connection.request("GET", f"{BASE}/connections", headers=headers)
            with pytest.raises(error) as seen:
                connection.getresponse()
            assert type(seen.value) is error
            connection.close()


def test_slow_octets_come_one_part_after_the_other() -> None:
    _, injector, headers = _scene("connections.list: slow body 0.1s")
    with serving(injector.handle) as server:
        address = urlsplit(server.origin)
        with socket.create_connection((address.hostname, address.port), timeout=5) as end:
            fields = "".join(f"{n}: {v}\r\n" for n, v in headers.items())
            end.sendall(f"GET {BASE}/connections HTTP/1.1\r\nHost: x\r\n{fields}\r\n".encode())
            pieces = [end.recv(65_536)]
            while b"}" not in pieces[-1]:
                pieces.append(end.recv(65_536))
    assert len(pieces) > 3
    assert injector.waited_s >= 0.09


def test_a_connection_is_of_use_after_a_fault_that_left_it_whole() -> None:
    _, injector, headers = _scene("connections.list: latency 10ms, 503, slow body 10ms")
    with serving(injector.handle) as server:
        connection = http.client.HTTPConnection(urlsplit(server.origin).netloc, timeout=5)
        statuses = []
        for _ in range(4):
            connection.request("GET", f"{BASE}/connections", headers=headers)
            answer = connection.getresponse()
            answer.read()
            statuses.append((answer.status, connection.sock is not None))
        connection.close()
    assert statuses == [(200, True), (503, True), (200, True), (200, True)]


def test_a_server_stops_while_it_is_silent() -> None:
    _, injector, headers = _scene("connections.list: timeout")
    with serving(injector.handle) as server:
        connection = http.client.HTTPConnection(urlsplit(server.origin).netloc, timeout=5)
        connection.request("GET", f"{BASE}/connections", headers=headers)
        other = http.client.HTTPConnection(urlsplit(server.origin).netloc, timeout=5)
        other.request("GET", f"{BASE}/connections", headers=headers)
        assert other.getresponse().status == 200
        other.close()
    with pytest.raises(ConnectionError):
        connection.getresponse()
    assert injector.waited_s < 5


def test_nothing_is_really_waited_for_in_process() -> None:
    service, injector, headers = _scene("connections.list: latency 10m; times=3")
    with install("auto", injector.handle):
        url = f"{PLATFORM}{BASE}/connections"
        before = service.clock.now_ms()
        for send in (httpx.get, httpx2.get, requests.get):
            assert send(url, headers=headers, timeout=700).status_code == 200
    assert service.clock.now_ms() - before >= 3 * 600_000
    assert injector.waited_s == 0


def test_a_client_without_a_timeout_is_let_go_in_the_end() -> None:
    service, injector, headers = _scene("connections.list: timeout; times=3")
    before = service.clock.now_ms()
    url = f"{PLATFORM}{BASE}/connections"
    with install("auto", injector.handle):
        with pytest.raises(httpx.ReadError):
            httpx.get(url, headers=headers, timeout=None)
        with pytest.raises(httpx2.ReadError):
            httpx2.get(url, headers=headers, timeout=None)
        with pytest.raises(requests.ConnectionError):
            requests.get(url, headers=headers)
    assert service.clock.now_ms() - before == 3 * 600_000


@pytest.mark.parametrize("module", [httpx, httpx2])
def test_an_async_client_may_have_a_timeout_of_its_own(module: Any) -> None:
    _, injector, headers = _scene("connections.list: timeout, latency 10ms, slow body 30s")
    url = f"{PLATFORM}{BASE}/connections"

    async def ask(client: Any) -> int:
        async with asyncio.timeout(0.2):
            return int((await client.get(url, headers=headers)).status_code)

    async def scene() -> None:
        async with module.AsyncClient(timeout=None) as client:
            with pytest.raises(TimeoutError):
                await ask(client)
            assert await ask(client) == 200
            with pytest.raises(TimeoutError):
                await ask(client)

    with install("auto", injector.handle):
        asyncio.run(scene())
    assert 0.2 < injector.waited_s < 5


@pytest.mark.parametrize("module", [httpx, httpx2])
@pytest.mark.parametrize("fault", ["latency 3s", "slow body 30s", "timeout"])
def test_a_timeout_around_an_async_call_goes_off(module: Any, fault: str) -> None:
    """Also where the client has one too, that ends later."""
    _, injector, headers = _scene(f"connections.list: {fault}; times=3")
    url = f"{PLATFORM}{BASE}/connections"

    async def by_asyncio(client: Any) -> None:
        async with asyncio.timeout(0.2):
            await client.get(url, headers=headers)

    async def by_anyio(client: Any) -> None:
        with anyio.fail_after(0.2):
            await client.get(url, headers=headers)

    async def by_waiting(client: Any) -> None:
        await asyncio.wait_for(client.get(url, headers=headers), 0.2)

    async def scene() -> None:
        async with module.AsyncClient(timeout=20) as client:
            for ask in (by_asyncio, by_anyio, by_waiting):
                with pytest.raises(TimeoutError):
                    await ask(client)

    with install("auto", injector.handle):
        asyncio.run(scene())
    assert 0.5 < injector.waited_s < 5


def test_a_timeout_by_trio_goes_off() -> None:
    _, injector, headers = _scene("connections.list: latency 3s; times=2")
    url = f"{PLATFORM}{BASE}/connections"

    async def scene() -> None:
        async with httpx.AsyncClient(timeout=20) as client:
            with pytest.raises(trio.TooSlowError), trio.fail_after(0.2):
                await client.get(url, headers=headers)
            assert (await client.get(url, headers=headers)).status_code == 200

    with install("auto", injector.handle):
        trio.run(scene)
    assert 0.1 < injector.waited_s < 1


def test_an_async_answer_comes_at_once_where_nobody_has_a_timer() -> None:
    service, injector, headers = _scene("connections.list: latency 10m; times=2")
    before = service.clock.now_ms()

    async def scene() -> None:
        for module in (httpx, httpx2):
            async with module.AsyncClient(timeout=None) as client:
                answer = await client.get(f"{PLATFORM}{BASE}/connections", headers=headers)
                assert answer.status_code == 200

    with install("auto", injector.handle):
        asyncio.run(scene())
    assert service.clock.now_ms() - before >= 2 * 600_000
    assert injector.waited_s == 0


@pytest.mark.parametrize("library", ["httpx", "httpx2", "requests"])
def test_a_timeout_for_the_result_of_a_thread_goes_off(library: str) -> None:
    _, injector, headers = _scene("connections.list: latency 1s")
    get: Any = {"httpx": httpx.get, "httpx2": httpx2.get, "requests": requests.get}[library]
    with install("auto", injector.handle), ThreadPoolExecutor(1) as pool:
        asked: Any = pool.submit(get, f"{PLATFORM}{BASE}/connections", headers=headers, timeout=9)
        with pytest.raises(TimeoutError):
            asked.result(timeout=0.2)
        assert asked.result(timeout=20).status_code == 200
    assert injector.waited_s > 0.9


def test_an_alarm_around_a_blocking_call_goes_off() -> None:
    _, injector, headers = _scene("connections.list: latency 3s, latency 1h")
    url = f"{PLATFORM}{BASE}/connections"

    def ring(*_: object) -> None:
        raise TimeoutError("rung")

    before = signal.signal(signal.SIGALRM, ring)
    try:
        with install("httpx", injector.handle), httpx.Client(timeout=20) as client:
            signal.setitimer(signal.ITIMER_REAL, 0.2)
            with pytest.raises(TimeoutError, match="rung"):
                client.get(url, headers=headers)
            # As that of a test runner, which is far away.
            signal.setitimer(signal.ITIMER_REAL, 300)
            with pytest.raises(httpx.ReadTimeout):
                client.get(url, headers=headers)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert 0.1 < injector.waited_s < 5


@pytest.mark.parametrize("transport", ["inside", "server"])
def test_an_adapter_of_requests_repeats_by_its_own_rules(transport: str) -> None:
    service, injector, headers = _scene("connections.*: reset, 503, 429 retry-after 0s")
    retry = Retry(3, status_forcelist=[503], backoff_factor=0, allowed_methods=None)
    with opened(transport, "requests", injector.handle) as origin, requests.Session() as session:
        session.mount("https://", HTTPAdapter(max_retries=retry))
        session.mount("http://", HTTPAdapter(max_retries=retry))
        answer = session.post(
            f"{origin}{BASE}/connections", json=CREATE, headers=headers, timeout=5
        )
    assert answer.status_code == 201
    retries: Any = answer.raw.retries
    assert [h.status for h in retries.history] == [None, 503, 429]
    assert len(list(service.connections())) == 1


@pytest.mark.parametrize("transport", ["inside", "server"])
def test_an_adapter_of_requests_waits_as_long_as_it_is_told(
    transport: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    paused: list[float] = []
    monkeypatch.setattr("urllib3.util.retry.time.sleep", paused.append)
    _, injector, headers = _scene("connections.list: 429 retry-after 7s")
    retry = Retry(1, status_forcelist=[429])
    with opened(transport, "requests", injector.handle) as origin, requests.Session() as session:
        session.mount(origin.partition("//")[0] + "//", HTTPAdapter(max_retries=retry))
        answer = session.get(f"{origin}{BASE}/connections", headers=headers, timeout=5)
    assert (answer.status_code, paused) == (200, [7])


def test_a_body_that_is_read_in_parts_breaks_where_it_was_cut() -> None:
    _, injector, headers = _scene("connections.list: truncated body")
    url = f"{PLATFORM}{BASE}/connections"
    with install("httpx", injector.handle), httpx.stream("GET", url, headers=headers) as got:
        assert got.status_code == 200
        with pytest.raises(httpx.RemoteProtocolError, match="complete message body"):
            got.read()


def test_an_answer_of_no_service_keeps_its_effect_through_a_transport() -> None:
    """Transports know nothing of faults: an effect is all they need."""

    def handle(_: Request) -> Response:
        return Response(0, effect=Effect("mine", ending="reset"))

    with install("httpx", handle), pytest.raises(httpx.ReadError):
        httpx.get(f"{PLATFORM}/x")
