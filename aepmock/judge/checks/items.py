"""Family 4: what a list gives back, item by item."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from numbers import Number
from typing import Any

from aepmock.judge.answers import SUCCESS, asks_for_a_count, items_of, kind_of, same
from aepmock.judge.checks.listing import ids_of, passes, stuck
from aepmock.judge.checks.registry import Verdicts, session_check
from aepmock.judge.evidence import Call, Session
from aepmock.judge.findings import Problem
from aepmock.messages import Exchange


def _read(session: Session) -> Iterator[tuple[Call, list[Exchange]]]:
    """List calls that returned items, by GET or by search, with their pages: successes all."""
    for call in session.of("list_connections"):
        pages = [e for e in session.primary(call) if not asks_for_a_count(e.request)]
        good = all(kind_of(e.response, session.operation(e)) == SUCCESS for e in pages)
        if pages and good and isinstance(call.returned, list) and call.returned:
            yield call, pages


def _held(pages: list[Exchange]) -> Counter[str]:
    """How often each id stands on the pages, where a page that was read again counts once."""
    by_token = {e.request.parameter("continuationToken"): e for e in pages}
    return Counter(i["id"] for e in by_token.values() for i in items_of(e.response) if "id" in i)


@session_check("connections.list.each-once")
def each_once(session: Session) -> Verdicts:
    """An item that moved stands on two pages; a list that was read twice holds it once a time."""
    for call, pages in _read(session):
        if stuck(pages):
            continue  # what a page that links to itself holds may be given every time
        held: Counter[str] = Counter()
        for one_pass in passes(pages):
            held |= _held(one_pass)
        returned = Counter(ids_of(call))
        repeated = [i for i, times in returned.items() if times > held[i] > 0]
        if not repeated:
            yield None
            continue
        times = returned[repeated[0]]
        yield Problem(
            f"the list gives {len(repeated)} of its items more often than its pages do",
            f"{repeated[0]} {held[repeated[0]]} time(s)",
            f"{times} times",
            _page_with(repeated[0], pages),
        )


@session_check("connections.list.items")
def items(session: Session) -> Verdicts:
    for call, pages in _read(session):
        shown: dict[str, list[Mapping[str, Any]]] = {}
        for page in pages:
            for item in items_of(page.response):
                shown.setdefault(str(item.get("id")), []).append(item)
        for got in call.returned:
            there = shown.get(str(got.get("id")), []) if isinstance(got, Mapping) else []
            wrong = [_altered(got, item) for item in there]
            if wrong and all(wrong):
                field = wrong[-1][0]
                yield Problem(
                    f"the list gives an item with another {field} than its page does",
                    f"{field} {there[-1][field]!r}",
                    f"{field} {got[field]!r}",
                    _page_with(str(got["id"]), pages),
                )
                break
        else:
            yield None


_KEYS = ("id", "name", "description", "state", "etag", "connectionSpec")
_TIMES = ("createdAt", "updatedAt")


def _altered(got: Mapping[str, Any], item: Mapping[str, Any]) -> list[str]:
    """The fields with another value than the page has.

    A time that a client made something else of, such as a datetime, is its own matter; a number
    is not.
    """
    times = [k for k in _TIMES if isinstance(got.get(k), Number)]
    shown = [k for k in (*_KEYS, *times) if k in item and k in got]
    return [k for k in shown if got[k] != item[k] and not same(got[k], item[k])]


def _page_with(item_id: str, pages: list[Exchange]) -> Exchange:
    """The last page that has an item."""
    return next(e for e in reversed(pages) if any(i["id"] == item_id for i in items_of(e.response)))
