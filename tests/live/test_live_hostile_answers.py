"""Whatever a service answers: the run goes on, or ends as it should, and the kit does not break."""

from __future__ import annotations

import json
import random
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from aepmock.live.drift.observe import watches
from aepmock.live.outbound.handler import LiveHandler
from aepmock.live.session.cleanup import clean_up, count_connections
from aepmock.live.session.journal import read_journal
from aepmock.live.session.shared_state import LiveStopped
from aepmock.messages import Headers, Request, Response
from tests.live.sandboxes import Upstream, client_request, create_document

ODD: list[Any] = [
    *(None, 7, -1, 1e308, True, "", "..", "\x1b[2J", "\u00e9", "\ud800", [], {}, [[]]),
    {"items": 7},
    {"items": [7, None, {"id": 5}, {"id": {}}]},
    {"id": [], "etag": {}},
    {"items": [{"id": "a", "name": 7, "createdAt": "x", "auth": 7}], "_links": 7},
    {
        "items": [{"id": "a", "auth": {"params": [1]}, "state": {}, "etag": 5}],
        "_links": {"next": 7},
    },
    {"items": [], "_links": {"next": {"href": "http://[bad/"}}},
    {"items": [{"id": "a"}], "_links": {"next": {"href": "?\u00e9=%zz#"}}},
    {"error_code": {}, "message": []},
    {"type": 7, "status": {}, "report": 7},
    {"count": {}},
    {"count": -5},
    {"result": "x"},
]
HEADERS = [
    ("Content-Type", ["application/json", "text/html", "\u00e9/x", ""]),
    ("Retry-After", ["\u00b2", "1", "x", "Fri, 31 Dec 9999 23:59:59 GMT"]),
    ("ETag", ["", "\u00e9", 'W/"x"']),
    ("Location", ["http://[", "/x", "//a", "\x00"]),
    ("Content-Encoding", ["gzip"]),
]
STATUSES = [200, 201, 204, 301, 400, 404, 409, 412, 429, 500, 503]


def altered(document: Any, rng: random.Random) -> Any:
    """A document with something odd in one place."""
    if not isinstance(document, dict | list) or not document:
        return rng.choice(ODD)
    made = json.loads(json.dumps(document))
    key = rng.choice(list(made) if isinstance(made, dict) else range(len(made)))
    made[key] = rng.choice(ODD) if rng.random() < 0.5 else altered(made[key], rng)
    return made


def odd_answer(upstream: Upstream, rng: random.Random, request: Request) -> Response | None:
    if "/ims/" in request.path or rng.random() < 0.4:
        return None
    real = upstream.service.handle(request)
    status = real.status if rng.random() < 0.6 else rng.choice(STATUSES)
    fields = [(name, rng.choice(values)) for name, values in HEADERS if rng.random() < 0.4]
    body = json.dumps(altered(real.json_or_none, rng)).encode()
    return Response(status, Headers(fields), body if rng.random() < 0.9 else b"\xff\x00{")


def some_request(handler: LiveHandler, rng: random.Random, known: list[str]) -> Request:
    one = f"/connections/{quote(rng.choice(known), safe='')}"
    kind = rng.randrange(6)
    if kind == 0:
        document = create_document(handler, str(rng.random()))
        return client_request(handler, "POST", "/connections", document=document)
    if kind == 1:
        steps = [{"op": "replace", "path": "/description", "value": "x"}]
        changed = {"If-Match": '"x"'}
        return client_request(handler, "PATCH", one, document=steps, changed=changed)
    filtered = "/connections?limit=2&property=name%3D%3Da"
    below = [filtered, "/connections?count=true", one, f"{one}/explore?objectType=root"]
    return client_request(handler, "GET", below[kind - 2])


@pytest.mark.parametrize("seed", range(12))
def test_no_answer_of_a_service_breaks_the_kit(tmp_path: Path, seed: int) -> None:
    rng, upstream = random.Random(seed), Upstream()
    handler = upstream.handler(tmp_path)
    seen = watches(handler.plan)
    handler.observers += seen
    handler.tokens.current()
    upstream.answers.append(lambda request: odd_answer(upstream, rng, request))
    known = ["a"]
    with suppress(LiveStopped):
        for _ in range(15):
            response = handler.handle(some_request(handler, rng, known))
            document = response.json_or_none
            made = document.get("id") if isinstance(document, dict) else None
            known += [made] if isinstance(made, str) else []
        count_connections(handler)
    cleanup = clean_up(handler, read_journal(handler.plan.journal_path))
    assert not set(cleanup.deleted) & set(cleanup.left)
    rows = [row for watch in seen for row in watch.rows()]
    assert not [row for row in rows if "could not compare" in row.got]


def test_an_answer_that_can_not_be_compared_ends_no_run(
    upstream_and_handler: tuple[Upstream, LiveHandler], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, handler = upstream_and_handler
    (watch,) = watches(handler.plan)
    handler.observers.append(watch)

    def broken(*_: object, **__: object) -> None:
        raise TypeError("unhashable")

    monkeypatch.setattr("aepmock.live.drift.sanitize.Sight.exchange", broken)
    assert handler.ask("GET", "/connections?limit=1").ok
    assert "1 that the kit could not compare" in [row.got for row in watch.rows()][-1]


@pytest.fixture
def upstream_and_handler(tmp_path: Path) -> tuple[Upstream, LiveHandler]:
    upstream = Upstream()
    return upstream, upstream.handler(tmp_path)
