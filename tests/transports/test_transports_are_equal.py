"""The same requests get the same answers, and are seen alike, through every transport."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import mock

import httpx
import httpx2
import pytest
import requests

from aepmock.cli.proxy import environment
from aepmock.messages import Handler, Headers, Request, Response
from aepmock.service import FlowService
from aepmock.transports import install
from aepmock.transports.proxy import proxying
from aepmock.transports.server import serving

PLATFORM = "https://platform.adobe.io"
BASE = "/data/foundation/flowservice"
CREATE: Mapping[str, Any] = {
    "name": "naïve 日本語",
    "auth": {
        "specName": "Basic Authentication",
        "params": {"clientId": "a", "clientSecret": "b", "accessToken": "c", "refreshToken": "d"},
    },
    "connectionSpec": {"id": "cc6a4487-9e91-433e-a3a3-9cf6626c1806", "version": "1.0"},
}


@dataclass(frozen=True)
class Seen:
    """What a client saw of an answer. Fields by lower-case name, several values joined."""

    status: int
    fields: Mapping[str, str]
    body: bytes


Send = Callable[[str, str, Mapping[str, str], bytes], Seen]


def by_httpx(origin: str) -> Iterator[Send]:
    with httpx.Client(verify=False) as client:

        def send(method: str, target: str, headers: Mapping[str, str], body: bytes) -> Seen:
            return _seen(client.request(method, origin + target, headers=headers, content=body))

        yield send


def by_async_httpx(origin: str) -> Iterator[Send]:
    client = httpx.AsyncClient(verify=False)

    async def once(method: str, target: str, headers: Mapping[str, str], body: bytes) -> Seen:
        return _seen(await client.request(method, origin + target, headers=headers, content=body))

    with asyncio.Runner() as runner:
        yield lambda *sent: runner.run(once(*sent))
        runner.run(client.aclose())


def _seen(response: httpx.Response | httpx2.Response) -> Seen:
    return Seen(response.status_code, dict(response.headers), response.content)


def by_httpx2(origin: str) -> Iterator[Send]:
    with httpx2.Client(verify=False) as client:

        def send(method: str, target: str, headers: Mapping[str, str], body: bytes) -> Seen:
            return _seen(client.request(method, origin + target, headers=headers, content=body))

        yield send


def by_async_httpx2(origin: str) -> Iterator[Send]:
    client = httpx2.AsyncClient(verify=False)

    async def once(method: str, target: str, headers: Mapping[str, str], body: bytes) -> Seen:
        return _seen(await client.request(method, origin + target, headers=headers, content=body))

    with asyncio.Runner() as runner:
        yield lambda *sent: runner.run(once(*sent))
        runner.run(client.aclose())


def by_requests(origin: str) -> Iterator[Send]:
    with requests.Session() as session:

        def send(method: str, target: str, headers: Mapping[str, str], body: bytes) -> Seen:
            response = session.request(
                method, origin + target, headers=headers, data=body or None, allow_redirects=False
            )
            fields = {name.lower(): value for name, value in response.headers.items()}
            return Seen(response.status_code, fields, response.content)

        yield send


class Watched:
    """A handler that keeps what it was asked."""

    def __init__(self, handler: Handler) -> None:
        self.requests: list[Request] = []
        self._handler = handler

    def handle(self, request: Request) -> Response:
        self.requests.append(request)
        return self._handler(request)


@contextmanager
def through(
    transport: str, library: Callable[[str], Iterator[Send]], handler: Handler
) -> Iterator[Send]:
    make = contextmanager(library)
    if transport == "server":
        with serving(handler) as server, make(server.origin) as send:
            yield send
    elif transport == "proxy":
        with (
            TemporaryDirectory() as folder,
            proxying(handler, refused=print, trouble=print) as proxy,
            mock.patch.dict(os.environ, environment(proxy, Path(folder), os.environ)),
            make(PLATFORM) as send,
        ):
            yield send
    else:
        with install(transport, handler), make(PLATFORM) as send:
            yield send


WAYS: Mapping[str, tuple[str, Callable[[str], Iterator[Send]]]] = {
    "httpx": ("httpx", by_httpx),
    "async httpx": ("httpx", by_async_httpx),
    "httpx2": ("httpx2", by_httpx2),
    "async httpx2": ("httpx2", by_async_httpx2),
    "requests": ("requests", by_requests),
    "server, httpx": ("server", by_httpx),
    "server, async httpx": ("server", by_async_httpx),
    "server, httpx2": ("server", by_httpx2),
    "server, async httpx2": ("server", by_async_httpx2),
    "server, requests": ("server", by_requests),
    "proxy, httpx": ("proxy", by_httpx),
    "proxy, async httpx": ("proxy", by_async_httpx),
    "proxy, httpx2": ("proxy", by_httpx2),
    "proxy, async httpx2": ("proxy", by_async_httpx2),
    "proxy, requests": ("proxy", by_requests),
}


LIBRARIES = ("httpx", "async httpx", "httpx2", "async httpx2", "requests")


def conversation(send: Send, service: FlowService) -> list[Seen]:
    """Everything that clients do, and some of what they should not."""
    made = service.mint_credentials()
    common = {
        "Authorization": f"Bearer {made.access_token}",
        "x-api-key": made.api_key,
        "x-gw-ims-org-id": made.ims_org_id,
        "x-sandbox-name": "dev",
    }
    payload = {**common, "Content-Type": "application/json"}
    body = json.dumps(CREATE, ensure_ascii=False).encode()
    seen = []

    def say(method: str, path: str, headers: Mapping[str, str], sent: bytes = b"") -> Seen:
        seen.append(send(method, BASE + path, headers, sent))
        return seen[-1]

    first = json.loads(say("POST", "/connections", payload, body).body)
    say("POST", "/connections", payload, body)
    say("POST", "/connections", {**payload, "Content-Type": "text/plain"}, body)
    say(
        "POST",
        "/connections",
        {**payload, "Content-Encoding": "gzip"},
        gzip.compress(body, mtime=0),
    )
    say("POST", "/connections", payload, b"\x00\xff" * 40_000)
    say("GET", f"/connections/{first['id']}", common)
    page = json.loads(say("GET", "/connections?limit=1&orderby=-createdAt", common).body)
    say("GET", page["_links"]["next"]["href"], common)
    say("GET", "/connections?property=name%3D%3Dna%C3%AFve%20%E6%97%A5&count=true", common)
    say("GET", "/connections/no%2Fsuch%20id", common)
    say("GET", "/connections?", common)
    say("HEAD", "/connections", common)
    say("OPTIONS", "/connections", common)
    say("PUT", "/connections", payload, body)
    say("GET", "/connections", {})
    rename = json.dumps([{"op": "replace", "path": "/name", "value": "x"}]).encode()
    current = {**payload, "If-Match": first["etag"]}
    say("PATCH", f"/connections/{first['id']}/", current, rename)
    say("PATCH", f"/connections/{first['id']}", current, rename)
    say("PATCH", f"/connections/{first['id']}", payload, rename)
    say("DELETE", f"/connections/{first['id']}", common)
    say("DELETE", f"/connections/{first['id']}", common)
    query = f"?grant_type=client_credentials&client_id={made.client_id}"
    seen.append(send("POST", f"/ims/token/v3{query}&client_secret=x&scope=openid", {}, b""))
    return seen


@cache
def heard(way: str) -> tuple[list[Seen], list[Request]]:
    service = FlowService()
    watched = Watched(service.handle)
    with through(*WAYS[way], watched.handle) as send:
        return conversation(send, service), watched.requests


@pytest.mark.parametrize("way", WAYS)
def test_the_same_conversation_gets_the_same_answers(way: str) -> None:
    answers, _ = heard(way)
    for got, expected in zip(answers, heard("server, httpx")[0], strict=True):
        assert got == expected
    assert [answer.status for answer in answers[:4]] == [201, 201, 400, 400]


@pytest.mark.parametrize("way", WAYS)
def test_the_same_conversation_is_seen_alike(way: str) -> None:
    _, asked = heard(way)
    for got, expected in zip(asked, heard("server, httpx")[1], strict=True):
        assert (got.method, got.body) == (expected.method, expected.body)
        # requests itself drops the mark of an empty query.
        assert got.target.removesuffix("?") == expected.target.removesuffix("?")
        for name in ("authorization", "x-api-key", "x-sandbox-name", "if-match", "content-type"):
            assert got.headers.all(name) == expected.headers.all(name)


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_transport_in_process_sees_what_goes_over_the_wire(library: str) -> None:
    """Names in their case and order, values, duplicates, target, length: all but the host."""
    _, inside = heard(library)
    _, outside = heard(f"server, {library}")
    for got, expected in zip(inside, outside, strict=True):
        host = expected.headers.get("host")
        assert got.headers.get("host") == "platform.adobe.io"
        renamed = [(n, "platform.adobe.io" if v == host else v) for n, v in expected.headers]
        assert got.headers.fields == tuple(renamed)
        assert replace(got, headers=expected.headers) == replace(expected, origin=PLATFORM)


@pytest.mark.parametrize("library", LIBRARIES)
def test_the_proxy_sees_all_that_a_transport_in_process_sees(library: str) -> None:
    assert heard(f"proxy, {library}")[1] == heard(library)[1]


ANSWERS = [
    Response(
        200, Headers([("Content-Type", "text/html"), ("X-Twice", "a"), ("X-Twice", "b")]), b"x"
    ),
    Response(503, Headers([("Retry-After", "1")])),
    Response(204),
    Response(202),
    Response(200, Headers([("Content-Encoding", "gzip")]), gzip.compress(b"unzipped", mtime=0)),
    Response(307, Headers([("Location", "https://elsewhere.example/")])),
    Response(200, Headers([("X-Latin", "caf\xe9")]), b"\x00\xff"),
    Response(599, Headers([("content-TYPE", "application/json")]), b"{}"),
    Response(200, body=b"x" * 3_000_000),
]


@pytest.mark.parametrize("answer", ANSWERS, ids=range(len(ANSWERS)))
def test_an_odd_answer_arrives_alike(answer: Response) -> None:
    for method in ("GET", "HEAD"):
        got = {}
        for way in WAYS:
            with through(*WAYS[way], lambda _: answer) as send:
                got[way] = send(method, "/x", {}, b"")
        for seen in got.values():
            assert seen == got["server, httpx"]
            assert not (method == "HEAD" and seen.body)


TARGETS = [
    "/a%2fb%2Fc",
    "/a%20b?x=%20+%2B&&y",
    "/%00%7f%ff",
    "/x?",
    "/x?a=b?c=d",
    "/x;p=1?q;r",
    "/%C3%BC",
    "/x?property=name%3D%3D%22a%2Cb%22&property=b",
    "/~!$&'()*,=:@",
]


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("target", TARGETS)
def test_a_target_is_recorded_as_the_library_sends_it(library: str, target: str) -> None:
    targets = []
    for way in (library, f"server, {library}"):
        watched = Watched(lambda _: Response(200))
        with through(*WAYS[way], watched.handle) as send:
            send("GET", target, {}, b"")
        targets.append(watched.requests[0].target)
    assert targets[0] == targets[1]
