"""Documents that were redacted, told by their type from those that were not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from aepmock.messages import Exchange
from aepmock.redaction.redactor import Redactor

_MADE_HERE = object()


class Redacted:
    """A document without secrets. Only `redact` and `redact_exchange` make one."""

    __slots__ = ("document",)

    def __init__(self, document: Any, *, by: object) -> None:
        if by is not _MADE_HERE:
            raise TypeError("only redact() makes a Redacted")
        self.document = document

    def line(self) -> str:
        """The document as one line of JSON."""
        return json.dumps(self.document, ensure_ascii=True) + "\n"


def redact(document: Mapping[str, Any], redactor: Redactor) -> Redacted:
    """A document of plain data with every known secret taken out of its texts."""
    return Redacted(_clean(dict(document), redactor), by=_MADE_HERE)


def redact_exchange(exchange: Exchange, redactor: Redactor) -> Redacted:
    """An exchange as plain data: {"number", "request": {…}, "response": {…}}."""
    request = redactor.request(exchange.request)
    response = redactor.response(exchange.response)
    document = {
        "number": exchange.number,
        "request": {
            "method": request.method,
            "origin": request.origin,
            "target": request.target,
            "headers": [list(pair) for pair in request.headers],
            "body": request.body.decode("utf-8", "replace"),
        },
        "response": {
            "status": response.status,
            "headers": [list(pair) for pair in response.headers],
            "body": response.body.decode("utf-8", "replace"),
            "injected": response.injected,
        },
    }
    return redact(document, redactor)


def _clean(value: Any, redactor: Redactor) -> Any:
    if isinstance(value, str):
        return redactor.text(value)
    if isinstance(value, dict):
        return {redactor.text(str(k)): _clean(v, redactor) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(v, redactor) for v in value]
    return value
