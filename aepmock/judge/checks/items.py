"""Family 4: what a list gives back, item by item."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from aepmock.judge.answers import SUCCESS, asks_for_a_count, items_of, kind_of
from aepmock.judge.checks.lists import ids_of, passes, stuck
from aepmock.judge.checks.reading import altered
from aepmock.judge.checks.registry import Verdicts, transcript_check
from aepmock.judge.findings import Violation
from aepmock.judge.transcript import Call, Transcript
from aepmock.messages import Exchange


def _read(transcript: Transcript) -> Iterator[tuple[Call, list[Exchange]]]:
    """List calls that returned items, by GET or by search, with their pages: successes all."""
    for call in transcript.of("list_connections"):
        pages = [e for e in transcript.primary(call) if not asks_for_a_count(e.request)]
        good = all(kind_of(e.response, transcript.operation(e)) == SUCCESS for e in pages)
        if pages and good and isinstance(call.returned, list) and call.returned:
            yield call, pages


def _held(pages: list[Exchange]) -> Counter[str]:
    """How often each id stands on the pages, where a page that was read again counts once."""
    by_token = {e.request.parameter("continuationToken"): e for e in pages}
    return Counter(i["id"] for e in by_token.values() for i in items_of(e.response) if "id" in i)


@transcript_check("connections.list.each-once")
def each_once(transcript: Transcript) -> Verdicts:
    """An item that moved stands on two pages; a list that was read twice holds it once a time."""
    for call, pages in _read(transcript):
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
        yield Violation(
            f"the list gives {len(repeated)} of its items more often than its pages do",
            f"{repeated[0]} {held[repeated[0]]} time(s)",
            f"{times} times",
            _page_with(repeated[0], pages),
        )


@transcript_check("connections.list.items")
def items(transcript: Transcript) -> Verdicts:
    for call, pages in _read(transcript):
        shown: dict[str, list[Mapping[str, Any]]] = {}
        for page in pages:
            for item in items_of(page.response):
                shown.setdefault(str(item.get("id")), []).append(item)
        for got in call.returned:
            there = shown.get(str(got.get("id")), []) if isinstance(got, Mapping) else []
            wrong = [altered(got, item) for item in there]
            if wrong and all(wrong):
                field = wrong[-1][0]
                yield Violation(
                    f"the list gives an item with another {field} than its page does",
                    f"{field} {there[-1][field]!r}",
                    f"{field} {got[field]!r}",
                    _page_with(str(got["id"]), pages),
                )
                break
        else:
            yield None


def _page_with(item_id: str, pages: list[Exchange]) -> Exchange:
    """The last page that has an item."""
    return next(e for e in reversed(pages) if any(i["id"] == item_id for i in items_of(e.response)))
