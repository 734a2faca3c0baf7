"""What kind of answer a client was given: a success, a refusal and its shape, or neither."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from numbers import Number
from typing import Any

from aepmock.messages import Request, Response

SUCCESS = "success"
REFUSALS = (
    "errors.service",
    "errors.gateway",
    "errors.short-body",
    "errors.empty-body",
    "errors.html-body",
    "errors.truncated-body",
    "errors.other-json",
)
"""The clauses of refusals, one for each shape: also the kinds that `kind_of` gives."""
BAD_SUCCESSES = (
    "errors.unreadable-success",
    "errors.truncated-success",
    "errors.wrong-success",
    "errors.missing-fields",
)

_CODE = re.compile(r"FLOW-([0-9]{4}-[0-9]{3})")


def kind_of(response: Response, operation: str | None, *, counted: bool = False) -> str:
    """SUCCESS, or the id of the clause that says what a client has to do with this answer.

    `operation` is an id such as "connections.get"; `counted` says that a count was asked for.
    """
    if response.ok:
        return _success_kind(response, operation, counted=counted)
    if not response.body.strip():
        return "errors.empty-body"
    document = response.json_or_none
    if document is None and response.body.strip() != b"null":
        opening = response.body.lstrip()[:1]
        return "errors.truncated-body" if opening in (b"{", b"[") else "errors.html-body"
    if isinstance(document, dict):
        if "error_code" in document:
            return "errors.gateway"
        if _CODE.search(str(document.get("type"))):
            return "errors.service"
        if "errorMessage" in document or "message" in document:
            return "errors.short-body"
    return "errors.other-json"


def asks_for_a_count(request: Request) -> bool:
    """In the query, in any case, or in the body of a search."""
    if (request.parameter("count") or "").lower() == "true":
        return True
    try:
        document = request.json if request.method == "POST" else None
    except ValueError:
        return False
    return isinstance(document, dict) and document.get("count") is True


def code_of(response: Response) -> str | None:
    """The service's code in a refusal ("1404-412", "403010"), or None where it has none."""
    document = response.json_or_none
    if response.status < 400 or not isinstance(document, dict):
        return None
    match = _CODE.search(str(document.get("type")))
    if match:
        return match[1]
    code = document.get("error_code")
    return str(code) if isinstance(code, str | int) else None


def same(got: Any, wanted: Any) -> bool:
    """Whether a value is the JSON value that was wanted.

    A number may be of any type that holds it exactly; a boolean is no number.
    """
    if isinstance(got, bool) or isinstance(wanted, bool):
        return got is wanted
    if isinstance(wanted, int | float):
        exact = Decimal(repr(wanted)) if isinstance(got, Decimal) else wanted
        return isinstance(got, Number) and got == exact
    if isinstance(wanted, dict):
        return (
            isinstance(got, Mapping)
            and set(got) == set(wanted)
            and all(same(got[name], value) for name, value in wanted.items())
        )
    if isinstance(wanted, list):
        return (
            isinstance(got, Sequence)
            and not isinstance(got, str)
            and len(got) == len(wanted)
            and all(map(same, got, wanted))
        )
    return bool(got == wanted)


def item_of(response: Response) -> Mapping[str, Any] | None:
    """The one connection of a GET's answer, or None."""
    document = response.json_or_none
    items = document.get("items") if isinstance(document, dict) else None
    if isinstance(items, list) and items and isinstance(items[0], dict):
        return items[0]
    return None


def items_of(response: Response) -> list[Mapping[str, Any]]:
    """The connections of a page; an empty list where it has none."""
    document = response.json_or_none
    items = document.get("items") if isinstance(document, dict) else None
    return [i for i in items if isinstance(i, dict)] if isinstance(items, list) else []


def next_href(response: Response) -> str | None:
    """The link to the next page, or None on the last one."""
    document = response.json_or_none
    value: Any = document
    for key in ("_links", "next", "href"):
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, str) and value else None


def _success_kind(response: Response, operation: str | None, *, counted: bool) -> str:
    if operation == "connections.delete":
        return SUCCESS
    document = response.json_or_none
    if document is None and response.body.strip() != b"null":
        return "errors.truncated-success" if _breaks_off(response) else "errors.unreadable-success"
    if operation == "connections.explore":
        return SUCCESS
    if not isinstance(document, dict):
        return "errors.wrong-success"
    complete = _COMPLETE["count" if counted else operation or ""]
    return SUCCESS if complete(document) else "errors.missing-fields"


def _breaks_off(response: Response) -> bool:
    """Whether a body that is no JSON begins as such; a whole value with more behind it does not."""
    text = response.body.decode("utf-8", "replace").strip()
    if text[:1] not in ("{", "["):
        return False
    try:
        json.JSONDecoder().raw_decode(text)
    except ValueError:
        return True
    return False


def _has_items(document: Mapping[str, Any]) -> bool:
    return isinstance(document.get("items"), list)


def _has_one(document: Mapping[str, Any]) -> bool:
    items = document.get("items")
    return isinstance(items, list) and bool(items) and isinstance(items[0], dict)


_COMPLETE: Mapping[str, Callable[[Mapping[str, Any]], bool]] = {
    "connections.create": lambda d: isinstance(d.get("id"), str) and bool(d["id"]),
    "connections.update": lambda d: "id" in d or "etag" in d,
    "connections.get": _has_one,
    "connections.list": _has_items,
    "connections.search": _has_items,
    "connections.test": lambda d: isinstance(d.get("result"), bool),
    "count": lambda d: isinstance(d.get("count"), int),
    "": lambda _: True,
    "ims.token": lambda d: isinstance(d.get("access_token"), str),
}
