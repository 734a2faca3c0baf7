"""What one client does, however wrong or large, keeps no other waiting."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from urllib.parse import quote

import pytest

from aepmock.cli.serve import LIMITS
from aepmock.server.access import Guard
from aepmock.server.instances import MockInstances, Options
from aepmock.server.router import MOST_STREAMS, Router
from aepmock.transports.server import serving

BASE = "/data/foundation/flowservice/connections"
HELD = 100_000
ORG = "o@AdobeOrg"
HEAD = (
    "Host: localhost\r\nAuthorization: Bearer tokentoken\r\nx-api-key: k\r\n"
    f"x-gw-ims-org-id: {ORG}\r\nx-sandbox-name: dev\r\n"
)


@pytest.fixture(scope="module")
def full() -> Router:
    """A server that holds as much as it may."""
    router = Router(MockInstances(Options(max_mocks=3, max_journal=1_000)), Guard())
    service = router.instances.main.service
    for number in range(HELD):
        service.seed_connection(ORG, "dev", name=f"n{number * 7919 % HELD}", auth_params={"x": "y"})
    return router


@pytest.fixture(scope="module")
def port(full: Router) -> Iterator[int]:
    with serving(full.handle, limits=replace(LIMITS, connections=100, grace_s=0)) as server:
        yield int(server.origin.rpartition(":")[2])


def sent(method: str, target: str, body: bytes = b"", more: str = "") -> bytes:
    kind = "Content-Type: application/json\r\n" if body and "Content-Type" not in more else ""
    length = "" if "Transfer-Encoding" in more else f"Content-Length: {len(body)}\r\n"
    return f"{method} {target} HTTP/1.1\r\n{HEAD}{kind}{more}{length}\r\n".encode() + body


def answered(port: int, octets: bytes, seconds: float = 60) -> bytes:
    """The beginning of what comes back."""
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as made:
        with contextlib.suppress(ConnectionError):
            made.sendall(octets)
        with contextlib.suppress(ConnectionError):
            return made.recv(4_096)
    return b""


def chunks(count: int) -> bytes:
    return sent("POST", BASE, b"1\r\nx\r\n" * count, "Transfer-Encoding: chunked\r\n")


def search(**fields: object) -> bytes:
    return sent("POST", f"{BASE}/search", json.dumps(fields).encode())


def patch(operations: object) -> bytes:
    return sent("PATCH", f"{BASE}/x", json.dumps(operations).encode(), 'If-Match: "a"\r\n')


SORTED = f"{BASE}?orderby=name,-createdAt&property=state==enabled&limit=1000"
FLOODS: dict[str, Callable[[], bytes]] = {
    "orderby": lambda: sent("GET", f"{BASE}?orderby=" + ",".join(["name"] * 12_000)),
    "order and filter": lambda: sent("GET", SORTED),
    "filters": lambda: search(queryString="&".join(["property=name==a"] * 10_000)),
    "values": lambda: search(queryString="property=name==" + ",".join(["a"] * 100_000)),
    "dots": lambda: search(queryString="property=auth.params." + "." * 1_000_000 + "==a"),
    "operators": lambda: search(queryString="property=" + "a=" * 30_000),
    "deep filters": lambda: sent(
        "GET",
        f"{BASE}?" + "&".join([f"property=auth.params.x{'.x' * 100}=={n}" for n in range(32)]),
    ),
    "patches": lambda: patch([{"op": "add", "path": "/name", "value": "b"}] * 20_000),
    "path": lambda: patch([{"op": "add", "path": "/a" * 400_000, "value": 1}]),
    "words": lambda: sent("POST", BASE, b"p" * 900_000, "Content-Type: text/plain\r\n"),
    "broken auth": lambda: sent("POST", BASE, b'{"auth": ' + b'"clientSecret":' * 60_000),
    "brackets": lambda: sent("POST", BASE, b"[" * 900_000),
    "empty lists": lambda: sent("POST", BASE, b"[" + b"[]," * 300_000 + b"0]"),
    "secrets": lambda: sent(
        "POST",
        BASE,
        json.dumps({"auth": {f"k{n}": f"secret-value-{n}" for n in range(20_000)}}).encode(),
    ),
    "form": lambda: sent(
        "POST",
        "/ims/token/v3",
        b"a&" * 400_000,
        "Content-Type: application/x-www-form-urlencoded\r\n",
    ),
    "parts": lambda: sent(
        "POST",
        BASE,
        b"--b\r\n\r\nx\r\n" * 80_000,
        "Content-Type: multipart/form-data; boundary=b\r\n",
    ),
    "too large": lambda: sent("POST", BASE, b'{"name": "' + b"x" * 10_000_000),
    "fields": lambda: sent("GET", BASE, more="".join(f"a{n}: b\r\n" for n in range(5_000))),
    "parameters": lambda: sent("GET", f"{BASE}?" + "&".join(f"a{n}" for n in range(8_000))),
    "signs": lambda: sent("GET", f"{BASE}?property=" + quote('auth.params."=' * 3_000, safe="")),
    "tokens": lambda: sent("GET", f"{BASE}?continuationToken=" + "a" * 60_000),
    "chunks": lambda: chunks(80_000),
    "journal": lambda: sent("GET", "/__aepmock__/journal?limit=1000"),
    "state": lambda: sent("GET", "/__aepmock__/state?limit=1000"),
}


@pytest.mark.parametrize("flood", FLOODS)
def test_a_plain_get_is_answered_within_a_second(port: int, full: Router, flood: str) -> None:
    octets = FLOODS[flood]()
    senders = [
        threading.Thread(target=answered, args=(port, octets), daemon=True) for _ in range(4)
    ]
    for sender in senders:
        sender.start()
    waits = []
    for _ in range(8):
        time.sleep(0.05)
        began, cpu = time.perf_counter(), time.process_time()
        answer = answered(port, sent("GET", f"{BASE}/no-such-id", more="Connection: close\r\n"))
        # What this process itself used is what counts where others use the machine, too.
        waits.append(min(time.perf_counter() - began, time.process_time() - cpu))
        assert answer.startswith(b"HTTP/1.1 404"), answer
    assert max(waits) < 1, waits
    for sender in senders:
        sender.join(60)


def test_half_requests_lock_nobody_out(port: int) -> None:
    """As many as there may be connections, all in the middle of a body."""
    half = f"POST {BASE} HTTP/1.1\r\n{HEAD}Content-Length: 10\r\n\r\nab".encode()
    held = []
    try:
        for _ in range(150):
            made = socket.create_connection(("127.0.0.1", port), timeout=5)
            held.append(made)
            with contextlib.suppress(ConnectionError):
                made.sendall(half)
        time.sleep(0.1)
        began = time.perf_counter()
        assert answered(port, sent("GET", f"{BASE}/x")).startswith(b"HTTP/1.1 404")
        assert time.perf_counter() - began < 5
    finally:
        for made in held:
            made.close()


def none_left(router: Router) -> bool:
    """Whether every stream comes to its end soon after its client has gone."""
    deadline = time.monotonic() + 10
    while router.streams and time.monotonic() < deadline:
        time.sleep(0.02)
    return router.streams == 0


def test_no_more_streams_of_events_than_there_may_be(full: Router) -> None:
    held = []
    with serving(full.handle, limits=replace(LIMITS, connections=300, grace_s=0)) as server:
        port = int(server.origin.rpartition(":")[2])
        try:
            # All at once, so that none has begun before the next one asks.
            for _ in range(MOST_STREAMS + 20):
                made = socket.create_connection(("127.0.0.1", port), timeout=10)
                made.sendall(sent("GET", "/__aepmock__/events?since=999999999"))
                held.append(made)
            answers = [made.recv(12) for made in held]
            assert answers.count(b"HTTP/1.1 200") == MOST_STREAMS
            assert answers.count(b"HTTP/1.1 429") == 20
        finally:
            for made in held:
                made.close()
        assert none_left(full)
        head = sent("HEAD", "/__aepmock__/events", more="Connection: close\r\n")
        assert answered(port, head).startswith(b"HTTP/1.1 200")
        assert none_left(full)


def test_a_body_that_is_too_large_is_a_limit_of_the_mock(port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("POST", BASE, b" " * (LIMITS.body_octets + 1))
    answer = connection.getresponse()
    assert answer.status == 413
    assert json.loads(answer.read())["title"] == "A limit of the mock"
    connection.close()


def test_a_length_beside_chunks_is_refused_and_ends_the_connection(port: int) -> None:
    both = f"POST {BASE} HTTP/1.1\r\n{HEAD}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
    smuggled = f"0\r\n\r\nGET {BASE}/smuggled HTTP/1.1\r\n{HEAD}\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=10) as made:
        made.sendall((both + smuggled).encode())
        answer = b""
        with contextlib.suppress(ConnectionError):
            while part := made.recv(65_536):
                answer += part
    assert answer.startswith(b"HTTP/1.1 400")
    assert answer.count(b"HTTP/1.1") == 1


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ("Host: localhost\r\n", 404),
        ("Host: 127.0.0.1:1\r\nSec-Fetch-Site: same-origin\r\n", 404),
        ("Host: 127.0.0.1:1\r\nSec-Fetch-Site: none\r\n", 404),
        ("Host: 127.0.0.1:1\r\nSec-Fetch-Site: cross-site\r\n", 403),
        ("Host: 127.0.0.1:1\r\nSec-Fetch-Site: same-site\r\n", 403),
        ("Host: rebound.example\r\n", 403),
        ("Host: rebound.example\r\nSec-Fetch-Site: same-origin\r\n", 403),
    ],
)
@pytest.mark.parametrize("path", [f"{BASE}/x", f"/t/made{BASE}/x"])
def test_another_sites_page_can_ask_nothing(
    port: int, full: Router, more: str, status: int, path: str
) -> None:
    full.instances.delete("made")
    before = full.instances.main.requests
    head = HEAD.replace("Host: localhost\r\n", "")
    octets = f"GET {path} HTTP/1.1\r\n{more}{head}Connection: close\r\n\r\n".encode()
    assert answered(port, octets).startswith(f"HTTP/1.1 {status}".encode())
    made = full.instances.find("made") is not None
    asked = full.instances.main.requests > before
    own = path.startswith("/t/")
    assert (made, asked) == ((own, not own) if status == 404 else (False, False))


def test_a_client_of_http_1_0_that_names_no_host_is_answered(port: int) -> None:
    head = HEAD.replace("Host: localhost\r\n", "")
    assert b" 404 " in answered(port, f"GET {BASE}/x HTTP/1.0\r\n{head}\r\n".encode())[:16]


def test_a_page_of_the_journal_ends_where_it_is_large(port: int, full: Router) -> None:
    full.instances.main.journal.clear()
    large = json.dumps({"name": "x" * 15_000}).encode()
    for _ in range(120):
        answered(port, sent("POST", BASE, large, "Connection: close\r\n"))
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    seen, since = 0, 0
    for _ in range(10):
        connection.request("GET", f"/__aepmock__/journal?limit=1000&since={since}")
        page = json.loads(connection.getresponse().read())
        seen, since = seen + len(page["entries"]), page["next"]
        assert len(page["entries"]) < 100
        if since == page["last"]:
            break
    assert seen == 120
    connection.close()
