"""Request bodies: read as JSON, measured, and held against their schema."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aepmock.contract import Contract
from aepmock.messages import Request
from aepmock.service.refusals import Refused

Rule = str | Callable[[str, Any], str]
MAX_DEPTH = 64
"""Levels of nesting that a document may have; what is stored has to be written again."""


def document(request: Request, not_json: str, empty: str | None = None) -> Any:
    """The body as JSON. Raises Refused by the rule `not_json`, or `empty` where nothing is in it.

    `empty` None takes an empty object for a document like any other.
    """
    if not request.body.strip():
        raise Refused(empty or not_json, **({} if empty else {"detail": "There is no body"}))
    try:
        found = request.json
    except ValueError as error:
        raise Refused(not_json, detail=f"The request body is not valid JSON: {error}") from None
    # Each level takes a bracket: few brackets need no measuring.
    if request.body.count(b"[") + request.body.count(b"{") > MAX_DEPTH and too_deep(found):
        raise Refused(not_json, detail="The request body is nested too deeply")
    if empty is not None and found in ({}, [], None):
        raise Refused(empty)
    return found


def fitting(found: Any, contract: Contract, schema: str, rule: Rule) -> dict[str, Any]:
    """The document, which the schema makes an object. Raises Refused by the rule.

    A rule that depends on the place is chosen by it and the value there, ("$.name", 5).
    """
    if not contract.fits(schema, found):
        error = next(contract.validator(schema).iter_errors(found))
        # The reason repeats nothing of the body: it may hold secrets.
        raise Refused(
            rule if isinstance(rule, str) else rule(error.json_path, error.instance),
            detail=f"{error.json_path}: must satisfy {error.validator} {error.validator_value}",
        )
    assert isinstance(found, dict)
    return found


def too_deep(found: Any, limit: int = MAX_DEPTH) -> bool:
    """Whether a document has more than `limit` levels; reads it level by level."""
    level = [found]
    for _ in range(limit):
        level = [
            below
            for value in level
            if isinstance(value, dict | list)
            for below in (value.values() if isinstance(value, dict) else value)
            if isinstance(below, dict | list)
        ]
        if not level:
            return False
    return True
