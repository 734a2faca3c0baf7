"""Family 4: pages, links, filters; counts stand in counts.py."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from aepmock.contract.filters import say_the_same
from aepmock.judge.answers import SUCCESS, asks_for_a_count, items_of, kind_of, next_href
from aepmock.judge.checks.registry import Verdicts, transcript_check
from aepmock.judge.findings import Violation
from aepmock.judge.transcript import Call, Transcript
from aepmock.messages import Exchange

STUCK = 400
"""So many requests for the same page are a loop, and no bound that a client has set itself."""


def is_count(exchange: Exchange) -> bool:
    """Whether an exchange asks for a count, not for a page."""
    return asks_for_a_count(exchange.request)


def _pages(transcript: Transcript, call: Call) -> list[Exchange]:
    """The page requests of a list call by GET, counts left out."""
    return [
        e
        for e in call.exchanges
        if transcript.operation(e) == "connections.list" and not is_count(e)
    ]


def _complete(transcript: Transcript) -> Iterator[tuple[Call, list[Exchange]]]:
    """List calls that returned, whose pages were all successes."""
    for call in transcript.of("list_connections"):
        pages = _pages(transcript, call)
        if pages and call.raised is None and not call.timed_out and all(map(is_good, pages)):
            yield call, pages


def is_good(exchange: Exchange) -> bool:
    """Whether a list was answered as a success is."""
    return kind_of(exchange.response, "connections.list") == SUCCESS


def stuck(pages: list[Exchange]) -> bool:
    """Whether the service itself led in a circle: a link to the page it stands on."""
    return any(_targets(e, next_href(e.response)) for e in pages)


def _targets(exchange: Exchange, href: str | None) -> bool:
    return href is not None and _token(href) == exchange.request.parameter("continuationToken")


def _token(href: str) -> str | None:
    return dict(parse_qsl(urlsplit(href).query)).get("continuationToken")


def ids_of(call: Call) -> list[str]:
    """The ids of what a list call returned."""
    items = call.returned if isinstance(call.returned, list) else []
    return [i["id"] for i in items if isinstance(i, Mapping) and isinstance(i.get("id"), str)]


def passes(pages: list[Exchange]) -> list[list[Exchange]]:
    """The pages of each time that a client began at the front; most clients do so once."""
    found: list[list[Exchange]] = []
    for page in pages:
        if not found or page.request.parameter("continuationToken") is None:
            found.append([])
        found[-1].append(page)
    return found


def _missing(call: Call, pages: list[Exchange]) -> list[str]:
    """What the last time round showed, and the client left out."""
    returned = set(ids_of(call))
    there = [i["id"] for e in passes(pages)[-1] for i in items_of(e.response) if "id" in i]
    return [i for i in dict.fromkeys(there) if i not in returned]


@transcript_check("connections.list.all-pages")
def all_pages(transcript: Transcript) -> Verdicts:
    yield from _endless(transcript)
    for call, pages in _complete(transcript):
        if stuck(pages):
            continue
        empty_last = not items_of(pages[-1].response)
        if next_href(pages[-1].response) is not None:
            if not empty_last:  # an empty page has a clause of its own
                yield Violation(
                    "the list ends although the last page has a next link",
                    "every page",
                    f"{len(pages)} page(s), the last with a next link",
                    pages[-1],
                )
            continue
        missing = _missing(call, pages)
        strange = set(ids_of(call)) - {i.get("id") for e in pages for i in items_of(e.response)}
        if not isinstance(call.returned, list):
            yield Violation(
                "list_connections returned no items",
                "an iterable of connections",
                f"a {type(call.returned).__name__}",
                pages[-1],
            )
        elif missing or strange:
            yield Violation(
                "the list is not what the pages held",
                f"{len({i.get('id') for e in pages for i in items_of(e.response)})} ids",
                f"{len(missing)} left out, {len(strange)} that no page had",
                next((e for e in reversed(pages) if _holds(e, missing)), pages[-1]),
            )
        elif len(pages) > 1:
            yield None


def _holds(page: Exchange, ids: Collection[str]) -> bool:
    return any(item.get("id") in ids for item in items_of(page.response))


@transcript_check("connections.list.in-order")
def in_order(transcript: Transcript) -> Verdicts:
    """Where the caller asked for an order; an item that moved may stand in either of its places."""
    for call, pages in _complete(transcript):
        there = [str(i["id"]) for e in pages for i in items_of(e.response) if "id" in i]
        returned = ids_of(call)
        if not call.args.get("orderby") or sorted(there) != sorted(returned) or len(there) < 2:
            continue
        if there == returned:
            yield None
        else:
            yield Violation(
                "the items are not in the order in which the service gave them",
                f"orderby={call.args['orderby']}, as the service sorts",
                "the same items in another order",
                pages[-1],
            )


def _endless(transcript: Transcript) -> Verdicts:
    """Lists that go on for ever though every page was good and no link led in a circle."""
    for call in transcript.of("list_connections"):
        pages = _pages(transcript, call)
        if call.timed_out and pages and all(map(is_good, pages)) and not stuck(pages):
            yield Violation(
                "the list does not come to an end, though its pages do",
                "every page, once",
                f"{len(pages)} requests for {len({e.request.target for e in pages})} pages",
                pages[-1],
            )


@transcript_check("connections.list.empty-page")
def empty_page(transcript: Transcript) -> Verdicts:
    for call, pages in _complete(transcript):
        for number, page in enumerate(pages):
            if items_of(page.response) or next_href(page.response) is None or stuck(pages):
                continue
            if number + 1 < len(pages):
                yield None
            else:
                yield Violation(
                    f"{call.operation} stops at an empty page that has a next link",
                    "the page behind the link",
                    "no further request",
                    page,
                )


@transcript_check("connections.list.moving-items")
def moving_items(transcript: Transcript) -> Verdicts:
    for call in transcript.of("list_connections"):
        pages = _pages(transcript, call)
        ids = [i.get("id") for e in pages for i in items_of(e.response)]
        if len(ids) == len(set(ids)) or not all(map(is_good, pages)) or stuck(pages):
            continue
        if call.raised is not None:
            seen: set[Any] = set()
            for page in pages:
                if _holds(page, seen):
                    break
                seen |= {item.get("id") for item in items_of(page.response)}
            yield Violation(
                "an item that stands on two pages makes the list fail",
                "a list",
                f"{type(call.raised).__name__}",
                page,
            )
        elif next_href(pages[-1].response) is None and not _missing(call, pages):
            yield None


@transcript_check("connections.list.stops")
def stops(transcript: Transcript) -> Verdicts:
    for call in transcript.of("list_connections"):
        for pages in passes(_pages(transcript, call)):
            ends = [n for n, e in enumerate(pages) if is_good(e) and next_href(e.response) is None]
            if not ends:
                continue
            later = pages[ends[0] + 1 :]
            if later:
                yield Violation(
                    "a page is asked for after the last one",
                    "no request after a page without a next link",
                    later[0].request.target,
                    later[0],
                )
            else:
                yield None


@transcript_check("connections.list.next-link")
def next_link(transcript: Transcript) -> Verdicts:
    for call in transcript.of("list_connections"):
        base = urlsplit(call.settings.base_url).path.rstrip("/")
        pages = _page_requests(transcript, call)
        for page, after in itertools.pairwise(pages):
            href = next_href(page.response)
            if href is None or not is_good(page) or _is_repeat(page, after):
                continue
            token = _token(href)
            right_path = after.request.path.rstrip("/") == base + urlsplit(href).path.rstrip("/")
            if right_path and token in after.request.parameters("continuationToken"):
                yield None
                continue
            yield Violation(
                "the next page is not asked for where the link says",
                f"GET {base}{href}",
                f"GET {after.request.target}",
                after,
                replace(after.request, target=base + href),
            )


def _page_requests(transcript: Transcript, call: Call) -> list[Exchange]:
    """All GETs of a list call that carry a token or are a list: a wrong path must not hide."""
    return [
        e
        for e in call.exchanges
        if e.request.method == "GET"
        and not is_count(e)
        and (
            transcript.operation(e) == "connections.list"
            or e.request.parameter("continuationToken") is not None
        )
    ]


def _is_repeat(page: Exchange, after: Exchange) -> bool:
    """The same request again: a retry, not a step to the next page."""
    return page.request.target == after.request.target and not _targets(
        page, next_href(page.response)
    )


@transcript_check("connections.list.keeps-filter")
def keeps_filter(transcript: Transcript) -> Verdicts:
    for call in transcript.of("list_connections"):
        wanted = list(call.args.get("property", ()))
        pages = _pages(transcript, call)
        if not wanted:
            continue
        for page in pages[1:]:
            sent = list(page.request.parameters("property"))
            if not sent:
                # The one sample of a link has the token only; what a longer one is for is open.
                if not _links_filter(pages, page):
                    yield None
            elif say_the_same(wanted, sent):
                yield None
            else:
                yield Violation(
                    "a later page is asked for with another filter",
                    f"property {wanted}, or nothing beside the token",
                    f"property {sent}",
                    page,
                )


def _links_filter(pages: list[Exchange], after: Exchange) -> bool:
    """Whether a link that led to a page also names the filter."""
    hrefs = (next_href(page.response) for page in pages)
    tokens = after.request.parameters("continuationToken")
    return any("property=" in href for href in hrefs if href and _token(href) in tokens)


@transcript_check("connections.list.repeated-token")
def repeated_token(transcript: Transcript) -> Verdicts:
    """A client may have a bound of its own on pages: what convicts is that nothing stops it."""
    for call in transcript.of("list_connections"):
        pages = _pages(transcript, call)
        if not stuck(pages):
            continue
        tokens = [e.request.parameter("continuationToken") for e in pages]
        repeated, times = Counter(tokens).most_common(1)[0]
        if times <= STUCK and not call.timed_out:
            yield None
        else:
            again = [e for e in pages if e.request.parameter("continuationToken") == repeated]
            yield Violation(
                "a page that links to itself is asked for again and again",
                "an end, by a look at the link or by a bound on pages",
                f"{times} requests for one page" + (", and no end" if call.timed_out else ""),
                next((e for e in again if _targets(e, next_href(e.response))), again[0]),
            )


@transcript_check("connections.list.limit")
def limit(transcript: Transcript) -> Verdicts:
    for call in transcript.of("list_connections"):
        wanted, pages = call.args.get("limit"), _pages(transcript, call)
        if wanted is None or not pages:
            continue
        sent = pages[0].request.parameter("limit")
        if sent == str(wanted):
            yield None
        else:
            yield Violation(
                "limit does not reach the wire",
                f"limit={wanted}",
                f"limit={sent}" if sent is not None else "no limit",
                pages[0],
            )


@transcript_check("connections.list.orderby")
def orderby(transcript: Transcript) -> Verdicts:
    for call in transcript.of("list_connections"):
        wanted, pages = call.args.get("orderby"), _pages(transcript, call)
        if wanted is None or not pages:
            continue
        sent = pages[0].request.parameter("orderby")
        if sent is not None and _order(sent) == _order(wanted):
            yield None
        else:
            yield Violation(
                "orderby does not reach the wire",
                f"orderby={wanted}",
                f"orderby={sent}" if sent is not None else "no orderby",
                pages[0],
            )


def _order(text: str) -> list[str]:
    """The fields of an orderby: +name is name, and a raw + arrives as a blank. Source: SORT."""
    return [field[1:] if field[:1] in ("+", " ") else field for field in text.split(",")]
