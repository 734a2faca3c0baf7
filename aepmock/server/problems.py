"""Answers of the control API: JSON, and problems as RFC 9457 has them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from aepmock.messages import Headers, Response

SAFE = (
    ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
)


class Rejected(Exception):
    """The control API says no: a status, and one line for the person who asked."""

    def __init__(self, status: int, detail: str, headers: Iterable[tuple[str, str]] = ()) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = tuple(headers)


def document(status: int, content: Any) -> Response:
    """An answer with a JSON document."""
    return _json(status, content, "application/json")


def problem(rejected: Rejected) -> Response:
    """An answer that says why not."""
    content = {
        "type": "about:blank",
        "title": HTTPStatus(rejected.status).phrase,
        "status": rejected.status,
        "detail": rejected.detail,
    }
    return _json(rejected.status, content, "application/problem+json", rejected.headers)


def _json(
    status: int, content: Any, kind: str, headers: Iterable[tuple[str, str]] = ()
) -> Response:
    fields = [("Content-Type", kind), *SAFE, *headers]
    # ASCII only: a lone surrogate in a name has no UTF-8.
    return Response(status, Headers(fields), json.dumps(content).encode() + b"\n")
