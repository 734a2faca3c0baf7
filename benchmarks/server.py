"""What `aepmock serve` manages, against a bare uvicorn application, in one run.

Both are processes of their own and answer the same creates, sent by the same closed loop over
kept connections. Prints the ratio of the rates. Then sends 100,000 creates to a server with a
journal of 1,000, with a reset after each 5,000, so that what the store must hold is no part of
it, and prints how much the process's resident memory (VmRSS) grew between the first 10,000 and
the last. Exit status 1 below the bar, or above the bound.
"""

from __future__ import annotations

import http.client
import json
import re
import selectors
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any
from urllib.parse import urlsplit

import aepmock

BAR = 0.35
ROUNDS = 3
CALLS = 4_000
CONNECTIONS = 8
CREATES, BATCH, WARM = 100_000, 5_000, 10_000
GROWTH_MIB = 32
ANSWER = b'{"id": "2fce94c1-9a93-4971-8e94-c19a93097129", "etag": "1"}'
PEER = f"""
import socket, uvicorn
async def app(scope, receive, send):
    while (await receive()).get("more_body"):
        pass
    headers = [(b"content-type", b"application/json"), (b"content-length", b"{len(ANSWER)}")]
    await send({{"type": "http.response.start", "status": 201, "headers": headers}})
    await send({{"type": "http.response.body", "body": {ANSWER!r}}})
# With the protocol named asyncio sends without delay: else every answer would wait for 40 ms.
listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
listener.bind(("127.0.0.1", 0))
listener.listen(128)
print(listener.getsockname()[1], flush=True)
config = uvicorn.Config(app, lifespan="off", access_log=False, log_level="critical")
uvicorn.Server(config).run(sockets=[listener])
"""
HEAD = re.compile(
    rb"HTTP/1.1 201.*?content-length: *(\d+)\r\n(?:.*?\r\n)?\r\n", re.DOTALL | re.IGNORECASE
)


@contextmanager
def peer() -> Iterator[int]:
    """The bare application's port."""
    with subprocess.Popen([sys.executable, "-c", PEER], stdout=subprocess.PIPE) as process:  # noqa: S603
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.terminate()


@contextmanager
def served() -> Iterator[tuple[Mapping[str, Any], int]]:
    """What `aepmock serve` says when it is ready, and its process id."""
    words = [sys.executable, "-m", "aepmock", "serve", "--port", "0", "--ready-json"]
    with subprocess.Popen([*words, "--max-journal", "1000"], stdout=subprocess.PIPE) as process:  # noqa: S603
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline()), process.pid
        finally:
            process.terminate()


def create(port: int, made: Mapping[str, str]) -> bytes:
    """A create as a client would send it."""
    connector = aepmock.load_contract().connectors["hubspot"]
    spec = connector.auth[0]
    document = {
        "name": "HubSpot",
        "auth": {"specName": spec.name, "params": {p.name: f"a {p.name}" for p in spec.params}},
        "connectionSpec": {"id": connector.spec_id, "version": connector.versions[-1]},
    }
    body = json.dumps(document).encode()
    head = (
        "POST /data/foundation/flowservice/connections HTTP/1.1\r\n"
        f"Host: 127.0.0.1:{port}\r\nAuthorization: Bearer {made['access_token']}\r\n"
        f"x-api-key: {made['api_key']}\r\nx-gw-ims-org-id: {made['ims_org_id']}\r\n"
        "x-sandbox-name: dev\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def load(port: int, request: bytes, calls: int) -> float:
    """Sends that many requests, one at a time on each connection; gives requests a second."""
    with selectors.DefaultSelector() as selector:
        for _ in range(CONNECTIONS):
            made = socket.create_connection(("127.0.0.1", port), timeout=10)
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            selector.register(made, selectors.EVENT_READ, bytearray())
        sent = done = 0
        began = perf_counter()
        for key in list(selector.get_map().values()):
            key.fileobj.send(request)  # type: ignore[union-attr]
            sent += 1
        while done < calls:
            for key, _ in selector.select(10):
                made, got = key.fileobj, key.data  # type: ignore[assignment]
                got += made.recv(65_536)
                head = HEAD.match(got)
                if head is None or len(got) < head.end() + int(head.group(1)):
                    assert got.startswith(b"HTTP/1.1 201"[: len(got)]), bytes(got)
                    continue
                got.clear()
                done += 1
                if sent < calls:
                    made.send(request)
                    sent += 1
        seconds = perf_counter() - began
        for key in list(selector.get_map().values()):
            key.fileobj.close()  # type: ignore[union-attr]
    return calls / seconds


def resident_mib(pid: int) -> float:
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found
    return int(found.group(1)) / 1024


def reset(port: int) -> None:
    made = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    made.request("POST", "/__aepmock__/reset", b"{}", {"Content-Type": "application/json"})
    assert made.getresponse().status == 200
    made.close()


def growth(port: int, pid: int, request: bytes) -> float:
    """MiB by which the server grew after the first creates, resets in between."""
    before = 0.0
    for number in range(0, CREATES, BATCH):
        if number == WARM:
            before = resident_mib(pid)
        load(port, request, BATCH)
        reset(port)
    return resident_mib(pid) - before


def main() -> int:
    with peer() as bare, served() as (ready, pid):
        port = urlsplit(ready["base_url"]).port
        assert port is not None
        request = create(port, ready["credentials"])
        load(bare, request, 500), load(port, request, 500)
        pairs = []
        for _ in range(ROUNDS):
            pairs.append((load(port, request, CALLS), load(bare, request, CALLS)))
            reset(port)
        ratio = median(own / floor for own, floor in pairs)
        rate = median(floor for _, floor in pairs)
        print(f"bare uvicorn          1.00   ({rate:.0f} answers a second)")
        print(f"aepmock serve         {ratio:.2f}   (bar {BAR})", flush=True)
        grown = growth(port, pid, request)
        print(
            f"growth of memory      {grown:.1f} MiB over {CREATES} creates (bound {GROWTH_MIB})",
            flush=True,
        )
    return int(ratio < BAR or grown > GROWTH_MIB)


if __name__ == "__main__":
    sys.exit(main())
