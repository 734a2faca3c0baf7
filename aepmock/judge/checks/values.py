"""Families 1 and 2: what the service refuses whoever sends it, as far as one request shows it.

What a caller chose (a filter, an order, the operations of a patch, an object to explore) is passed
on as given, so that a value of it that the service refuses is no fault of the client's.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from aepmock.contract import Contract
from aepmock.contract.actions import DONE, STATUS_VALUES, SUB_OPERATIONS
from aepmock.judge.checks.bodies import create_body, with_body
from aepmock.judge.checks.registry import Verdicts, wire_check
from aepmock.judge.findings import Violation
from aepmock.judge.transcript import Expected
from aepmock.messages import Exchange, Request, read_json

_ACTIONS = ("publish", "finalize", "finalize_update")
"""finalize is for providers, and no request shows whether it comes from one. Source: ERR 1402."""
_BODIES = {
    "connections.search": "search-connections",
    "connections.action": "state-action",
}


@wire_check("request.query-parameters")
def parameter_values(exchange: Exchange, expected: Expected, contract: Contract) -> Verdicts:
    operation = contract.operation_of(exchange.request)
    if operation is None:
        return
    request = exchange.request
    for name, wanted, got in _WRONG.get(operation.id, _nothing)(request):
        yield Violation(
            f"{operation.id} has a parameter {name} with a value that is refused"
            if got
            else f"{operation.id} has no {name}",
            f"{name}: {wanted}",
            repr(got) if got else "no such parameter",
            exchange,
        )


Wrong = Iterator[tuple[str, str, str]]
"""A parameter's name, what it may be, and what was sent, "" for nothing."""


def _nothing(request: Request) -> Wrong:
    yield from ()


def _of_list(request: Request) -> Wrong:
    limit, count = request.parameter("limit"), request.parameter("count")
    if limit is not None and not re.fullmatch(r"0*[1-9][0-9]*", limit):
        yield "limit", "a whole number above 0", limit or "(empty)"
    if count is not None and count.lower() not in ("true", "false"):
        yield "count", "true or false", count or "(empty)"


def _of_create(request: Request) -> Wrong:
    mode = request.parameter("mode")
    if mode not in (None, "draft"):
        yield "mode", "draft, or left out", mode or "(empty)"


def _of_action(request: Request) -> Wrong:
    op = request.parameter("op")
    if not op or op.lower() not in _ACTIONS:
        yield "op", "publish", op or ""
    subs = [
        part.strip().lower()
        for text in request.parameters("subOp")
        for part in text.split(",")
        if part.strip()
    ]
    strange = [sub for sub in subs if sub not in SUB_OPERATIONS]
    alone = "progress" in subs and (len(subs) > 1 or (op or "").lower() == "publish")
    if strange or alone:
        yield "subOp", "APPLY or ROLLBACK, or left out", ",".join(strange or subs)


def _of_search(request: Request) -> Wrong:
    text = _search(request).get("queryString", "")
    if isinstance(text, str):
        inner = Request("GET", "", "/?" + text.removeprefix("?"))
        for name in dict.fromkeys(n for n, _ in inner.query if n != "property"):
            yield "queryString", "filters, property=…", name or "(empty)"


_WRONG: Mapping[str, Callable[[Request], Wrong]] = {
    "connections.list": _of_list,
    "connections.create": _of_create,
    "connections.action": _of_action,
    "connections.search": _of_search,
}


def _search(request: Request) -> Mapping[str, Any]:
    document = _document(request)
    return document if isinstance(document, dict) else {}


def _document(request: Request) -> Any:
    try:
        return request.json
    except ValueError:
        return None


@wire_check("connections.count.no-limit")
def no_limit_in_a_search(exchange: Exchange, expected: Expected, contract: Contract) -> Verdicts:
    operation = contract.operation_of(exchange.request)
    if operation is None or operation.id != "connections.search":
        return
    body = _search(exchange.request)
    if body.get("count") is not True:
        return
    if body.get("limit") is None:
        yield None
        return
    right = {name: value for name, value in body.items() if name != "limit"}
    yield Violation(
        "limit and count are sent together in a search",
        '"count": true alone',
        f'"limit": {body["limit"]!r} beside it',
        exchange,
        with_body(exchange.request, right),
    )


@wire_check("request.body")
def body_form(exchange: Exchange, expected: Expected, contract: Contract) -> Verdicts:
    """Bodies of creates and updates have clauses of their own, which say more."""
    request = exchange.request
    operation = contract.operation_of(request)
    if operation is None or operation.host != "platform" or operation.body == "none":
        return
    document = _document(request)
    schema = _BODIES.get(operation.id)
    if schema is None:
        if document is not None:
            yield None
        return
    if operation.body == "optional" and not request.body.strip():
        yield None
        return
    if isinstance(document, dict) and contract.fits(schema, document):
        wrong = _status(document, request) if schema == "state-action" else ""
    else:
        wrong = "no JSON object of the documented fields" if request.body.strip() else "no body"
    if not wrong:
        yield None
        return
    yield Violation(
        f"the body of {operation.id} is not of the documented form",
        "a JSON object of the documented fields",
        wrong,
        exchange,
    )


def _status(document: Mapping[str, Any], request: Request) -> str:
    """What is wrong with the status that an action sets; "" for nothing. Source: ERR 1407, 1437."""
    value = str(document.get("status", {}).get("value", "")).lower()
    if not value:
        return ""
    if value not in STATUS_VALUES:
        return "a status.value that is none"
    subs = ",".join(request.parameters("subOp")).lower()
    if value == "failed" and "progress" in subs:
        return "a failed status with subOp=PROGRESS"
    if value in DONE and document.get("percentCompleted", 100) != 100:
        return f"percentCompleted other than 100 with {value}"
    return ""


@wire_check("connections.create.description")
def description_type(exchange: Exchange, expected: Expected, contract: Contract) -> Verdicts:
    body = create_body(exchange, contract)
    if body is None or body.get("description") is None:
        return
    given = body["description"]
    if isinstance(given, str):
        yield None
    else:
        yield Violation(
            "description is no string",
            '"description": a string, or no such key',
            f"a JSON {type(given).__name__}",
            exchange,
            with_body(exchange.request, {**body, "description": str(given)}),
        )


@wire_check("connections.create.description-absent")
def description_null(exchange: Exchange, expected: Expected, contract: Contract) -> Verdicts:
    body = create_body(exchange, contract)
    if body is None:
        return
    if "description" not in body:
        yield None
    elif body["description"] is None:
        right = {name: value for name, value in body.items() if name != "description"}
        yield Violation(
            "description is sent as null",
            "no key description",
            "null",
            exchange,
            with_body(exchange.request, right),
        )


@wire_check("connections.explore.object-type")
def object_type_given(exchange: Exchange, expected: Expected, contract: Contract) -> Verdicts:
    given = _explored(exchange, contract)
    if given is None:
        return
    if given.get("objecttype"):
        yield None
    else:
        yield Violation("explore has no objectType", "objectType=root", "no objectType", exchange)


@wire_check("connections.explore.source-params")
def base64_of_json(exchange: Exchange, expected: Expected, contract: Contract) -> Verdicts:
    given = _explored(exchange, contract) or {}
    for name in ("sourceparams", "filters"):
        if name not in given:
            continue
        try:
            text = given[name]
            read_json(base64.b64decode(text + "=" * (-len(text) % 4), validate=True))
        except ValueError:
            shown = "sourceParams" if name == "sourceparams" else name
            yield Violation(
                f"{shown} is no base64 of a JSON document",
                f"{shown}=eyJjYW1wYWlnbklkIjoiYzY2YTIwMGNkYSJ9",
                "a text that does not decode",
                exchange,
            )
        else:
            yield None


def _explored(exchange: Exchange, contract: Contract) -> dict[str, str] | None:
    operation = contract.operation_of(exchange.request)
    if operation is None or operation.id != "connections.explore":
        return None
    found: dict[str, str] = {}
    for name, value in exchange.request.query:
        found.setdefault(name.lower(), value)
    return found
