"""Family 3: what the caller gets of a success, whatever form the answer has."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from aepmock.judge.answers import SUCCESS, asks_for_a_count, kind_of, next_href, same
from aepmock.judge.checks.registry import Verdicts, transcript_check
from aepmock.judge.findings import Violation
from aepmock.judge.transcript import Call, Transcript
from aepmock.messages import Exchange


def _last(transcript: Transcript, call: Call) -> Exchange | None:
    return next(reversed(transcript.primary(call)), None)


def _is_success(transcript: Transcript, exchange: Exchange) -> bool:
    counted = asks_for_a_count(exchange.request)
    operation = transcript.operation(exchange)
    return kind_of(exchange.response, operation, counted=counted) == SUCCESS


def successes(transcript: Transcript, *operations: str) -> Iterator[tuple[Call, Exchange]]:
    """Calls that ended, whose last exchange of their own kind was a readable success."""
    return (
        (call, last) for call, last in _after_success(transcript, *operations) if not call.timed_out
    )


def _after_success(transcript: Transcript, *operations: str) -> Iterator[tuple[Call, Exchange]]:
    """Calls whose last exchange of their own kind was a readable success, endless ones too."""
    for call in transcript.calls:
        if operations and call.operation not in operations:
            continue
        last = _last(transcript, call)
        if last is not None and _is_success(transcript, last):
            yield call, last


Variant = Callable[[Exchange], bool]


def _header_case(exchange: Exchange) -> bool:
    return any(n.isupper() for n, _ in exchange.response.headers)


def _gzip(exchange: Exchange) -> bool:
    return exchange.response.headers.get("content-encoding") in ("gzip", "deflate")


def _chunked(exchange: Exchange) -> bool:
    return exchange.response.headers.get("transfer-encoding") == "chunked"


def _parameters(exchange: Exchange) -> bool:
    return ";" in (exchange.response.headers.get("content-type") or "")


def _media_type_case(exchange: Exchange) -> bool:
    return "/JSON" in (exchange.response.headers.get("content-type") or "")


def _json_form(exchange: Exchange) -> bool:
    return exchange.response.body.startswith((b"{ ", b"{\n", b"[ ", b"[\n"))


def _unknown_fields(exchange: Exchange) -> bool:
    return b'"aepmockUnknown' in exchange.response.body


def _marked(exchange: Exchange) -> bool:
    """A mark that a reader may ignore or take for an error. Source: RFC8259 8.1."""
    return exchange.response.body.startswith(codecs.BOM_UTF8)


VARIANTS: Mapping[str, Variant] = {
    "answers.unknown-fields": _unknown_fields,
    "answers.header-case": _header_case,
    "answers.gzip": _gzip,
    "answers.chunked": _chunked,
    "answers.content-type-parameters": _parameters,
    "answers.media-type-case": _media_type_case,
    "answers.json-form": _json_form,
}
"""Forms of an answer that may make no difference, by the clause that says so."""


def _plain(exchange: Exchange) -> bool:
    return not _marked(exchange) and not any(variant(exchange) for variant in VARIANTS.values())


@transcript_check("answers.success")
def success(transcript: Transcript) -> Verdicts:
    """Other forms of the same answer have clauses of their own."""
    for call, last in _after_success(transcript):
        if not _plain(last) or _is_special(transcript, call, last):
            continue
        if call.args.get("connection_id") == "":
            continue  # to refuse an empty id is right, and has its own clause
        if any(e.number > last.number and not e.response.ok for e in call.exchanges):
            continue  # something that the client asked for besides was refused
        if call.timed_out:
            yield Violation(
                f"{call.operation} does not come back after a {last.response.status}",
                "a return value",
                f"{len(call.exchanges)} requests, and no end",
                last,
            )
        elif call.raised is None:
            yield None
        else:
            yield Violation(
                f"{call.operation} reports an error though the service said {last.response.status}",
                "a return value",
                type(call.raised).__name__,
                last,
            )


def _is_special(transcript: Transcript, call: Call, last: Exchange) -> bool:
    """Successes that clauses of their own are about."""
    if call.operation == "create_connection":
        return _without_location(last) or _without_etag(last)
    if call.operation == "delete_connection":
        return True
    if call.operation == "list_connections":
        pages = list(transcript.primary(call))
        ids = [i.get("id") for e in pages for i in _items(e)]
        return (
            any(not _is_success(transcript, e) for e in pages)
            or len(ids) != len(set(ids))
            or _without_links(last)
            or any(not _items(e) and next_href(e.response) for e in pages)
            or any(next_href(e.response) == next_href(last.response) for e in pages[:-1])
        )
    return False


def _items(exchange: Exchange) -> list[Mapping[str, Any]]:
    document = exchange.response.json_or_none
    items = document.get("items") if isinstance(document, dict) else None
    return [i for i in items if isinstance(i, dict)] if isinstance(items, list) else []


def _variant_check(clause: str, variant: Variant) -> None:
    @transcript_check(clause)
    def check(transcript: Transcript) -> Verdicts:
        yield from _against_plain(transcript, variant)


def _against_plain(transcript: Transcript, variant: Variant) -> Verdicts:
    """A call that fails on one form of an answer, where the plain form did not hurt it."""
    plain_worked = {
        call.operation
        for call, last in successes(transcript)
        if call.raised is None and not variant(last)
    }
    for call, last in successes(transcript):
        if not variant(last) or call.operation not in plain_worked:
            continue
        if call.raised is None:
            yield None
        else:
            yield Violation(
                f"{call.operation} fails on an answer that means the same as one it reads",
                "a return value",
                type(call.raised).__name__,
                last,
            )


for _clause, _variant in VARIANTS.items():
    _variant_check(_clause, _variant)


def _without_location(exchange: Exchange) -> bool:
    return exchange.response.status == 201 and "location" not in exchange.response.headers


def _without_etag(exchange: Exchange) -> bool:
    document = exchange.response.json_or_none
    return isinstance(document, dict) and "id" in document and "etag" not in document


def _without_links(exchange: Exchange) -> bool:
    document = exchange.response.json_or_none
    return isinstance(document, dict) and "items" in document and "_links" not in document


def _of_operation(
    clause: str, operation: str, variant: Variant, *, against: Variant | None = None
) -> None:
    """A success that an operation must take; `against` is the form it has to have taken before.

    A client that fails on that form too has another fault than this one.
    """

    @transcript_check(clause)
    def check(transcript: Transcript) -> Verdicts:
        found = list(successes(transcript, operation))
        if against and not any(c.raised is None and against(last) for c, last in found):
            return
        for call, last in found:
            if not variant(last) or not _plain(last):
                continue
            if call.raised is None:
                yield None
            else:
                yield Violation(
                    f"{operation} fails on an answer that the documentation allows",
                    "a return value",
                    type(call.raised).__name__,
                    last,
                )


_of_operation(
    "answers.location-absent",
    "create_connection",
    lambda e: _without_location(e) and not _without_etag(e),
    against=lambda e: not _without_location(e),
)
_of_operation(
    "answers.etag-absent",
    "create_connection",
    lambda e: _without_etag(e) and not _without_location(e),
    against=lambda e: not _without_etag(e),
)
_of_operation(
    "answers.links-absent",
    "list_connections",
    _without_links,
    against=lambda e: not _without_links(e),
)
_of_operation(
    "answers.delete-without-body",
    "delete_connection",
    lambda e: e.response.status in (202, 204) and not e.response.body,
)


@transcript_check("connections.test.result")
def test_result(transcript: Transcript) -> Verdicts:
    for call in _without_asking(transcript, "test_connection"):
        yield Violation(
            "test_connection returned without having asked for a test",
            "the result of an answer",
            repr(call.returned),
        )
    for call, last in successes(transcript, "test_connection"):
        document = last.response.json_or_none
        if call.raised is not None or not isinstance(document, dict):
            continue
        if call.returned is document.get("result"):
            yield None
        else:
            yield Violation(
                "test_connection does not return the result of the answer",
                repr(document.get("result")),
                repr(call.returned),
                last,
            )


def _without_asking(transcript: Transcript, operation: str) -> Iterator[Call]:
    """Calls that returned though nothing was sent for them."""
    for call in transcript.of(operation):
        silent = (
            not call.exchanges
            and call.raised is None
            and not call.timed_out
            and not call.unanswered
        )
        if silent and call.args["connection_id"] != "":
            yield call


@transcript_check("connections.explore.answer")
def explore_answer(transcript: Transcript) -> Verdicts:
    for call in _without_asking(transcript, "explore_connection"):
        # What was asked for before may be remembered.
        if not any(
            c.args == call.args and c.exchanges for c in transcript.of("explore_connection")
        ):
            yield Violation(
                "explore_connection returned something else, without having asked",
                "the answer to what the caller asked for",
                f"a {type(call.returned).__name__}",
            )
    for call, last in successes(transcript, "explore_connection"):
        if call.raised is not None:
            continue
        if same(call.returned, last.response.json_or_none):
            yield None
        else:
            yield Violation(
                "explore_connection does not return the answer's document",
                "the parsed body",
                f"a {type(call.returned).__name__} that differs from it",
                last,
            )
