"""Family 3: what the caller gets of a success, whatever form the answer has."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from aepmock.judge.answers import SUCCESS, item_of, kind_of, next_href
from aepmock.judge.checks.registry import Verdicts, session_check
from aepmock.judge.evidence import Call, Session
from aepmock.judge.findings import Problem
from aepmock.messages import Exchange

_ITEM_KEYS = ("id", "name", "description", "state", "etag", "connectionSpec")


def _last(session: Session, call: Call) -> Exchange | None:
    return next(reversed(session.primary(call)), None)


def _is_success(session: Session, exchange: Exchange) -> bool:
    counted = (exchange.request.parameter("count") or "").lower() == "true"
    operation = session.operation(exchange)
    return kind_of(exchange.response, operation, counted=counted) == SUCCESS


def _successes(session: Session, *operations: str) -> Iterator[tuple[Call, Exchange]]:
    """Calls that ended, whose last exchange of their own kind was a readable success."""
    return ((call, last) for call, last in _after_success(session, *operations) if not call.looped)


def _after_success(session: Session, *operations: str) -> Iterator[tuple[Call, Exchange]]:
    """Calls whose last exchange of their own kind was a readable success, endless ones too."""
    for call in session.calls:
        if operations and call.operation not in operations:
            continue
        last = _last(session, call)
        if last is not None and _is_success(session, last):
            yield call, last


Variant = Callable[[Exchange], bool]


def _header_case(exchange: Exchange) -> bool:
    return any(n.isupper() for n, _ in exchange.response.headers)


def _gzip(exchange: Exchange) -> bool:
    return exchange.response.headers.get("content-encoding") == "gzip"


def _chunked(exchange: Exchange) -> bool:
    return exchange.response.headers.get("transfer-encoding") == "chunked"


def _parameters(exchange: Exchange) -> bool:
    return ";" in (exchange.response.headers.get("content-type") or "")


def _json_form(exchange: Exchange) -> bool:
    return exchange.response.body.startswith((b"{ ", b"{\n", b"[ ", b"[\n"))


def _unknown_fields(exchange: Exchange) -> bool:
    return b'"aepmockUnknown' in exchange.response.body


VARIANTS: Mapping[str, Variant] = {
    "answers.unknown-fields": _unknown_fields,
    "answers.header-case": _header_case,
    "answers.gzip": _gzip,
    "answers.chunked": _chunked,
    "answers.content-type-parameters": _parameters,
    "answers.json-form": _json_form,
}
"""Forms of an answer that may make no difference, by the clause that says so."""


def _plain(exchange: Exchange) -> bool:
    return not any(variant(exchange) for variant in VARIANTS.values())


@session_check("answers.success")
def success(session: Session) -> Verdicts:
    """Other forms of the same answer have clauses of their own."""
    for call, last in _after_success(session):
        if not _plain(last) or _is_special(session, call, last):
            continue
        if call.args.get("connection_id") == "":
            continue  # to refuse an empty id is right, and has its own clause
        if any(e.number > last.number and not e.response.ok for e in call.exchanges):
            continue  # something that the client asked for besides was refused
        if call.looped:
            yield Problem(
                f"{call.operation} does not come back after a {last.response.status}",
                "a return value",
                f"{len(call.exchanges)} requests, and no end",
                last,
            )
        elif call.raised is None:
            yield None
        else:
            yield Problem(
                f"{call.operation} reports an error though the service said {last.response.status}",
                "a return value",
                type(call.raised).__name__,
                last,
            )


def _is_special(session: Session, call: Call, last: Exchange) -> bool:
    """Successes that clauses of their own are about."""
    if call.operation == "create_connection":
        return _without_location(last) or _without_etag(last)
    if call.operation == "delete_connection":
        return True
    if call.operation == "list_connections":
        pages = list(session.primary(call))
        ids = [i.get("id") for e in pages for i in _items(e)]
        return (
            any(not _is_success(session, e) for e in pages)
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
    @session_check(clause)
    def check(session: Session) -> Verdicts:
        yield from _against_plain(session, variant)


def _against_plain(session: Session, variant: Variant) -> Verdicts:
    """A call that fails on one form of an answer, where the plain form did not hurt it."""
    plain_worked = {
        call.operation
        for call, last in _successes(session)
        if call.raised is None and not variant(last)
    }
    for call, last in _successes(session):
        if not variant(last) or call.operation not in plain_worked:
            continue
        if call.raised is None:
            yield None
        else:
            yield Problem(
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

    @session_check(clause)
    def check(session: Session) -> Verdicts:
        found = list(_successes(session, operation))
        if against and not any(c.raised is None and against(last) for c, last in found):
            return
        for call, last in found:
            if not variant(last) or not _plain(last):
                continue
            if call.raised is None:
                yield None
            else:
                yield Problem(
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


@session_check("connections.get.unwrapped")
def unwrapped(session: Session) -> Verdicts:
    for call, last in _successes(session, "get_connection"):
        item = item_of(last.response)
        if item is None or call.raised is not None or call.args["connection_id"] == "":
            continue
        got = call.returned
        wrong = [
            k
            for k in _ITEM_KEYS
            if k in item and isinstance(got, Mapping) and k in got and got[k] != item[k]
        ]
        absent = [k for k in ("id", "name", "etag") if k in item and (not _has(got, k))]
        if isinstance(got, Mapping) and not wrong and not absent:
            yield None
            continue
        if not isinstance(got, Mapping):
            shown = f"a {type(got).__name__}"
        elif "items" in got:
            shown = "the envelope, with items"
        else:
            shown = f"{', '.join(absent + wrong)} missing or different"
        yield Problem(
            "get_connection does not return the connection of the answer",
            "the connection itself",
            shown,
            last,
        )


def _has(got: Any, key: str) -> bool:
    return isinstance(got, Mapping) and key in got


@session_check("connections.test.result")
def test_result(session: Session) -> Verdicts:
    for call, last in _successes(session, "test_connection"):
        document = last.response.json_or_none
        if call.raised is not None or not isinstance(document, dict):
            continue
        if call.returned is document.get("result"):
            yield None
        else:
            yield Problem(
                "test_connection does not return the result of the answer",
                repr(document.get("result")),
                repr(call.returned),
                last,
            )


@session_check("connections.explore.answer")
def explore_answer(session: Session) -> Verdicts:
    for call, last in _successes(session, "explore_connection"):
        if call.raised is not None:
            continue
        if call.returned == last.response.json_or_none:
            yield None
        else:
            yield Problem(
                "explore_connection does not return the answer's document",
                "the parsed body",
                f"a {type(call.returned).__name__} that differs from it",
                last,
            )


def _parameter(exchange: Exchange, name: str) -> str | None:
    """A parameter of explore, whose names the sources write in several cases."""
    return next((v for k, v in exchange.request.query if k.lower() == name.lower()), None)


def _explored(session: Session) -> Iterator[tuple[Call, Exchange]]:
    for call in session.of("explore_connection"):
        for exchange in session.primary(call)[:1]:
            yield call, exchange


def _reaches(call: Call, exchange: Exchange, name: str, wanted: str, same: bool) -> Problem | None:
    if same:
        return None
    sent = _parameter(exchange, name)
    return Problem(
        f"{name} does not reach the wire",
        f"{name}={wanted}",
        f"{name}={sent}" if sent is not None else f"no {name}",
        exchange,
    )


@session_check("connections.explore.object-type")
def explore_object_type(session: Session) -> Verdicts:
    for call, exchange in _explored(session):
        wanted, sent = call.args["object_type"], _parameter(exchange, "objectType")
        same = sent is not None and sent.lower() == wanted.lower()
        yield _reaches(call, exchange, "objectType", wanted, same)


@session_check("connections.explore.object")
def explore_object(session: Session) -> Verdicts:
    for call, exchange in _explored(session):
        wanted = call.args.get("object")
        if wanted is not None:
            same = _parameter(exchange, "object") == wanted
            yield _reaches(call, exchange, "object", wanted, same)


@session_check("connections.explore.preview")
def explore_preview(session: Session) -> Verdicts:
    for call, exchange in _explored(session):
        if call.args.get("preview"):
            same = (_parameter(exchange, "preview") or "").lower() == "true"
            yield _reaches(call, exchange, "preview", "true", same)


@session_check("connections.explore.source-params")
def explore_source_params(session: Session) -> Verdicts:
    for call, exchange in _explored(session):
        wanted = call.args.get("source_params")
        if wanted is None:
            continue
        sent = _parameter(exchange, "sourceParams")
        shown = base64.b64encode(json.dumps(dict(wanted)).encode()).decode()
        same = sent is not None and _decoded(sent) == dict(wanted)
        yield _reaches(call, exchange, "sourceParams", shown, same)


def _decoded(text: str) -> Any:
    try:
        return json.loads(base64.b64decode(text + "=" * (-len(text) % 4), validate=True))
    except ValueError:
        return None
