"""Whatever is sent: no 5xx of the server's own, no hang, and nothing that it holds is lost."""

from __future__ import annotations

import contextlib
import json
import random
import socket
import time
from collections.abc import Iterator

import pytest

from aepmock.server.access import Guard
from aepmock.server.instances import MockInstances, Options
from aepmock.server.router import Router
from aepmock.transports.server import serving
from aepmock.transports.server_protocol import Limits

BASE = "/data/foundation/flowservice"
TIMES = 700
LIMITS = Limits(head_s=0.4, body_s=0.4, idle_s=1, connections=50)
HEAD = (
    "Host: localhost\r\nAuthorization: Bearer tokentoken\r\nx-api-key: k\r\n"
    "x-gw-ims-org-id: o@AdobeOrg\r\nx-sandbox-name: dev\r\n"
)


@pytest.fixture
def router() -> Router:
    return Router(MockInstances(Options(max_mocks=3, max_journal=50)), Guard())


@pytest.fixture
def port(router: Router) -> Iterator[int]:
    with serving(router.handle, limits=LIMITS) as server:
        yield int(server.origin.rpartition(":")[2])


def talk(port: int, sent: bytes) -> bytes:
    """What comes back; a server that says nothing for 5 s hangs."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as made:
        parts = []
        with contextlib.suppress(ConnectionError, BrokenPipeError):
            made.sendall(sent)
            while part := made.recv(65_536):
                parts.append(part)
        return b"".join(parts)


def post(path: str, body: bytes, head: str = HEAD) -> bytes:
    lines = f"POST {path} HTTP/1.1\r\n{head}Content-Type: application/json\r\nConnection: close\r\n"
    return f"{lines}Content-Length: {len(body)}\r\n\r\n".encode() + body


def some_request(random: random.Random) -> bytes:
    """A request that is nearly right."""
    method = random.choice(["GET", "POST", "PATCH", "DELETE", "PUT", "HEAD", "OPTIONS", "BREW"])
    place = random.choice(
        [f"{BASE}/connections", f"{BASE}/connections/x", "/__aepmock__/seed", "/__aepmock__/clock",
         "/__aepmock__/faults", "/__aepmock__/journal?since=-1", "/__aepmock__/readings",
         "/t/a/__aepmock__/mocks", "/t/%00/x", "/t//", "/t/a" + BASE + "/connections?limit=%zz",
         "/ims/token/v3", "//", "*", "http://x/y", f"{BASE}/connections?property=name==%ff"]
    )  # fmt: skip
    body = random.choice(
        [b"", b"{", b"[" * 5_000, b'{"a":' * 900 + b"1" + b"}" * 900, b"\xff\xfe", b"null",
         b'{"name": "\\ud800"}', b'{"advance_s": 1e308}', b'[{"op": "add"}]', b"1" * 5_000,
         b'{"connections": [{"name": null}]}', b'{"auth": {"params": [[[[]]]]}}',
         b'{"operation": "connections.list", "status": 429, "times": -1}', b'{"readings": {"": 1}}',
         b"x" * 100_000, json.dumps({"name": "n" * 50_000}).encode()]
    )  # fmt: skip
    extra = random.choice(
        ["", "If-Match: \x00\r\n", "Content-Type: \r\n", "Expect: 100-continue\r\n",
         "x-sandbox-name: *\r\n", "Cookie: a=;;;b\r\n", "Origin: ://\r\n", "Last-Event-ID: x\r\n",
         "Content-Type: application/x-www-form-urlencoded\r\n", "x: " + "y" * 5_000 + "\r\n"]
    )  # fmt: skip
    kind = random.choice(["Content-Type: application/json\r\n", ""])
    made = (
        f"{method} {place} HTTP/1.1\r\n{HEAD}{extra}{kind}Connection: close\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode("latin-1") + body
    if random.random() < 0.2:
        # Octets that are not where they belong.
        at = random.randrange(len(made))
        made = made[:at] + random.randbytes(random.randrange(1, 4)) + made[at + 1 :]
    return made


def test_nothing_that_is_sent_harms_the_server(router: Router, port: int) -> None:
    chance = random.Random(5)
    main = router.instances.main
    kept = main.seed({"name": "kept"})["id"]
    began = time.monotonic()
    for _ in range(TIMES):
        sent = some_request(chance)
        answer = talk(port, sent)
        broke = answer.startswith(b"HTTP/1.1 5") and b"not-imitated" not in answer
        assert not broke, (sent[:2_000], answer[:500])
        if time.monotonic() - began > 12:
            break
    assert kept in [connection["id"] for connection in main.service.connections()]
    assert b'"count"' in talk(port, f"GET /__aepmock__/state HTTP/1.0\r\n{HEAD}\r\n".encode())


@pytest.mark.parametrize(
    "body",
    [
        b'{"name":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"a":' * 450 + b"1" + b"}" * 450,
        b"[" * 900 + b"]" * 900,
        b'{"name": "' + b"x" * 15_000_000 + b'"}',
        b'{"name": ' + b"9" * 100_000 + b"}",
    ],
    ids=["deep", "deep objects", "deep arrays", "huge", "long number"],
)
def test_a_huge_or_deep_body_is_answered_and_kept_short(
    router: Router, port: int, body: bytes
) -> None:
    for path in (f"{BASE}/connections", "/__aepmock__/seed"):
        assert talk(port, post(path, body))[:10] == b"HTTP/1.1 4"
    entries = router.instances.main.journal.since(0, 10)
    assert [len(entry.request.body) <= 20_000 for entry in entries] == [True]


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET / HT",
        f"POST {BASE}/connections HTTP/1.1\r\n{HEAD}Content-Length: 10\r\n\r\nab".encode(),
    ],
    ids=["nothing", "half a head", "half a body"],
)
def test_a_sender_that_stops_is_sent_away(port: int, sent: bytes) -> None:
    began = time.monotonic()
    answer = talk(port, sent)
    assert time.monotonic() - began < 3
    assert answer[:12] in (b"HTTP/1.1 408", b"")


def test_a_sender_that_trickles_is_sent_away_too(port: int) -> None:
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", port), timeout=5) as made:
        made.sendall(b"GET / HTTP/1.1\r\n")
        with contextlib.suppress(OSError):
            while time.monotonic() - began < 3:
                made.sendall(b"x: y\r\n")
                time.sleep(0.02)
    assert time.monotonic() - began < 3


def test_many_idle_connections_lock_nobody_out(port: int) -> None:
    idle = [socket.create_connection(("127.0.0.1", port), timeout=5) for _ in range(120)]
    try:
        assert talk(port, post(f"{BASE}/connections", b"{}")).startswith(b"HTTP/1.1 400")
    finally:
        for made in idle:
            made.close()
