"""Family 4: counts."""

from __future__ import annotations

from dataclasses import replace

from aepmock.contract import Contract
from aepmock.judge.answers import items_of, next_href
from aepmock.judge.checks.lists import is_count, is_good
from aepmock.judge.checks.registry import Verdicts, transcript_check, wire_check
from aepmock.judge.findings import Violation
from aepmock.judge.transcript import Expected, Transcript
from aepmock.messages import Exchange


@transcript_check("connections.count.value")
def count_value(transcript: Transcript) -> Verdicts:
    for call in transcript.of("count_connections"):
        last = next(reversed(transcript.primary(call)), None)
        if last is None or call.raised is not None or call.timed_out:
            continue
        document = last.response.json_or_none
        if is_count(last):
            wanted = document.get("count") if isinstance(document, dict) else None
            if not last.response.ok or not isinstance(wanted, int):
                continue
        elif is_good(last):
            pages = transcript.primary(call)
            wanted = len({i.get("id") for e in pages for i in items_of(e.response)})
            if next_href(last.response) is not None:
                wanted = -1
        else:
            continue
        if call.returned == wanted and not isinstance(call.returned, bool):
            yield None
        else:
            yield Violation(
                "the count is not the service's",
                str(wanted) if wanted >= 0 else "the items of every page, counted",
                repr(call.returned),
                last,
            )


@transcript_check("connections.count.asked-for")
def count_asked_for(transcript: Transcript) -> Verdicts:
    for call in transcript.of("count_connections"):
        asked = [e for e in transcript.primary(call) if is_count(e)]
        page = next((e for e in transcript.primary(call) if e not in asked and is_good(e)), None)
        if page is not None:
            yield Violation(
                "a page is fetched for a count",
                "count=true",
                page.request.target,
                page,
            )
        elif asked:
            yield None
        elif call.raised is None and not call.timed_out and not call.unanswered:
            yield Violation(
                "count_connections returned without having asked for a count",
                "count=true",
                f"{len(call.exchanges)} requests, none of them for a count",
            )


@wire_check("connections.count.no-limit")
def no_limit(exchange: Exchange, expected: Expected, contract: Contract) -> Verdicts:
    operation = contract.operation_of(exchange.request)
    if operation is None or operation.id != "connections.list" or not is_count(exchange):
        return
    request = exchange.request
    if request.parameter("limit") is None:
        yield None
        return
    kept = [p for p in request.target.partition("?")[2].split("&") if not p.startswith("limit=")]
    yield Violation(
        "limit and count=true are sent together",
        "count=true alone",
        f"limit={request.parameter('limit')} and count={request.parameter('count')}",
        exchange,
        replace(request, target=f"{request.path}?{'&'.join(kept)}"),
    )
