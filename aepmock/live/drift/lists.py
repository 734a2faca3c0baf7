"""Holds a live list against the mock's, in a sandbox that other people use too.

What the run did not make is passed over. So pages can't be compared as they are: compared are
the run's own items, their order, whether one is missing or too many, the link to the next page,
and how many items a page holds.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, urlencode

from aepmock.contract import load_contract
from aepmock.live.drift.compare import Difference, Names, taken_apart, walk
from aepmock.live.drift.sanitize import Seen, query
from aepmock.messages import Request, Response
from aepmock.service import FlowService

SIZE_READINGS = ("connections.page-size", "connections.limit-above-100")
LONGEST = 1_000
"""A longer page is not asked of the mock."""


@dataclass(frozen=True)
class World:
    """The mock to ask, who is who in it, and which live ids nothing certain is known of."""

    service: FlowService
    names: Names
    uncertain: frozenset[str]


def compare(seen: Seen, request: Request, world: World) -> tuple[Response, Sequence[Difference]]:
    """The mock's answer to a live list, all on one page, and the differences."""
    live = (seen.response or {}).get("json")
    response = world.service.handle(_asked(request, limit=None))
    if not response.ok or not isinstance(live, Mapping):
        return response, [Difference("answer", str(response.status), str(seen.status))]
    mocked = response.json
    if "count" in mocked or "count" in live:
        return response, list(_count(live, mocked))
    if not isinstance(live.get("items"), list):
        return response, [Difference("items", "an array", "absent")]
    items = _whole(mocked, request, world)
    if items is None:
        return response, []
    return response, [
        *_items(live, items, request, world),
        *_sizes(seen, live, request, world),
        *_links(live, mocked, request, world),
        *_extras(live),
    ]


def page_size(limit: int | None, readings: Mapping[str, str]) -> int:
    """How many items the mock puts on a full page; `limit` None where none was asked for."""
    return _page_size(limit, *(readings[question] for question in SIZE_READINGS))


@cache
def _page_size(limit: int | None, *options: str) -> int:
    """Asked of a mock that has more than enough."""
    contract = load_contract()
    readings = dict(zip(SIZE_READINGS, options, strict=True))
    service = FlowService(contract=contract, readings=readings, accept_any=True)
    for _ in range(min(limit or 0, LONGEST) + 101):
        service.seed_connection("org", "dev")
    names = ("authorization", "x-api-key", "x-gw-ims-org-id", "x-sandbox-name")
    values = ("Bearer any", "any", "org", "dev")
    target = f"{contract.base_path}/connections" + (f"?limit={limit}" if limit else "")
    asked = Request("GET", "", target)
    asked = replace(asked, headers=type(asked.headers)(zip(names, values, strict=True)))
    return len(service.handle(asked).json["items"])


def _asked(request: Request, *, limit: int | None) -> Request:
    """The same list with another page size, from its beginning."""
    path, _, text = request.target.partition("?")
    if request.method == "POST":
        body = request.json if request.body else {}
        if isinstance(body, dict):
            body = {k: v for k, v in body.items() if k != "limit"}
            body |= {"limit": limit} if limit else {}
            return replace(request, target=path, body=json.dumps(body).encode())
    pairs = [
        (name, value)
        for name, value in parse_qsl(text, keep_blank_values=True)
        if name not in ("limit", "continuationToken")
    ]
    pairs += [("limit", str(limit))] if limit else []
    return replace(request, target=f"{path}?{urlencode(pairs)}" if pairs else path)


def _whole(
    first: Mapping[str, Any], request: Request, world: World
) -> list[Mapping[str, Any]] | None:
    """Every item that the mock lists; None where a page of it can't be had."""
    if "next" not in first.get("_links", {}):
        return list(first["items"])
    roomy = world.service.fork({**world.service.readings, SIZE_READINGS[1]: "accepted"})
    page = roomy.handle(_asked(request, limit=LONGEST))
    return list(page.json["items"]) if page.ok else None


def _count(live: Mapping[str, Any], mocked: Mapping[str, Any]) -> Iterator[Difference]:
    expected, got = mocked.get("count"), live.get("count")
    if not isinstance(got, int) or not isinstance(expected, int):
        kinds = ["a number" if isinstance(x, int) else "absent" for x in (expected, got)]
        yield Difference("count", kinds[0], kinds[1])
    elif got < expected:
        # More is what other people have there.
        yield Difference("count", f"at least {expected}", str(got))


def _items(
    live: Mapping[str, Any], items: Sequence[Mapping[str, Any]], request: Request, world: World
) -> Iterator[Difference]:
    by_id = {str(item["id"]): item for item in items}
    order = []
    for item in live["items"]:
        live_id = str(item.get("id"))
        mocked_id = world.names.mocked(("id", live_id))
        if mocked_id is None or live_id in world.uncertain:
            continue
        if mocked_id not in by_id:
            yield Difference("items", "no item that is deleted or does not fit", "such an item")
            continue
        order.append(by_id[mocked_id])
        yield from walk("items[]", item, by_id[mocked_id], world.names, live_id)
    if not _next(live) and request.parameter("continuationToken") is None:
        there = {str(item["id"]) for item in order}
        doubtful = {world.names.mocked(("id", live_id)) for live_id in world.uncertain}
        if by_id.keys() - there - doubtful:
            yield Difference("items", "every item that fits", "one is missing")
    yield from _order(order, [i for i in items if i in order], request)


def _order(
    live: Sequence[Mapping[str, Any]], mocked: Sequence[Mapping[str, Any]], request: Request
) -> Iterator[Difference]:
    """Items of one value come in any order where an order was asked for."""
    orderby = request.parameter("orderby")
    field = (orderby or "id").lstrip("+-")
    if [i.get(field) for i in live] != [i.get(field) for i in mocked]:
        yield Difference("items order", orderby or "the service's own", "another")


def _sizes(
    seen: Seen, live: Mapping[str, Any], request: Request, world: World
) -> Iterator[Difference]:
    if request.method != "GET":
        return
    pairs = dict(query(seen))
    limit = pairs.get("limit", "")
    if "continuationToken" in pairs and not limit:
        return  # the token carries the size
    asked = int(limit) if limit.isdigit() and int(limit) <= LONGEST else None
    if limit and asked is None:
        return
    size, got = page_size(asked, world.service.readings), len(live["items"])
    if got > size or (got < size and _next(live)):
        yield Difference("items on a full page", str(size), str(got))


def _links(
    live: Mapping[str, Any], mocked: Mapping[str, Any], request: Request, world: World
) -> Iterator[Difference]:
    href = _next(live)
    if href is not None:
        yield from _next_link(href, request, world)
        return
    links = "_links" not in mocked
    if not _next(mocked) and ("_links" not in live) != links:
        said = ("an empty object", "absent")
        yield Difference("_links at the end", said[links], said[not links])


def _next_link(href: str, request: Request, world: World) -> Iterator[Difference]:
    absolute, path, text = taken_apart(href)
    given = parse_qsl(text, keep_blank_values=True)
    token = dict(given).get("continuationToken")
    if absolute or token is None or not path.startswith("/connections"):
        shown = "absolute" if absolute else "another form"
        yield Difference("_links.next.href", "/connections?continuationToken=…", shown)
        return
    page = world.service.handle(_asked(request, limit=1)).json
    expected = _next(page)
    if expected is None:
        return  # the mock has too little for a second page
    theirs = parse_qsl(taken_apart(expected)[2], keep_blank_values=True)
    asked = {name for name, _ in request.query} & {"property", "limit", "orderby"}
    if asked and (len(given) > 1) != (len(theirs) > 1):
        said = ("the token only", "the whole query")
        yield Difference("_links.next.href", said[len(theirs) > 1], said[len(given) > 1])
    tokens = dict(theirs)["continuationToken"], token
    plain = [text.isascii() and text.isalnum() for text in tokens]
    if plain[0] != plain[1]:
        said = ("other characters too", "letters and digits")
        yield Difference("continuationToken", said[plain[0]], said[plain[1]])


def _extras(live: Mapping[str, Any]) -> Iterator[Difference]:
    for name in live.keys() - {"items", "_links"}:
        yield Difference(name, "absent", "present", extra=True)


def _next(document: Mapping[str, Any]) -> str | None:
    links = document.get("_links")
    step = links.get("next") if isinstance(links, Mapping) else None
    href = step.get("href") if isinstance(step, Mapping) else None
    return href if isinstance(href, str) else None
