"""Builds the bodies of refusals from an entry of errors.toml and its parameters."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from aepmock.contract.model import ErrorEntry
from aepmock.messages import Headers, Response

JSON_HEADERS = Headers([("Content-Type", "application/json")])
PROBLEM_HEADERS = Headers([("Content-Type", "application/problem+json")])
"""Of what aepmock says in its own name (RFC 9457); Adobe's samples say application/json."""
_ENCODER = json.JSONEncoder(separators=(",", ":"))
TYPE_PREFIX = "https://ns.adobe.com/aep/errors/FLOW-"


def json_response(status: int, document: Any, headers: Headers = JSON_HEADERS) -> Response:
    """A response with `document` as its JSON body."""
    return Response(status, headers, _ENCODER.encode(document).encode())


def error_response(
    entry: ErrorEntry,
    params: Mapping[str, str] | None = None,
    *,
    request_id: str,
    short: bool = False,
    numeric_code: bool = False,
) -> Response:
    """A refusal as the service would send it.

    `params` fill the message's template (sample values where they are left out) and stand in
    the envelope's `report`; `short` leaves only errorMessage and errorDetails; `numeric_code`
    writes a gateway's error_code as a number. Source: LABELS, TS, OAS-D.
    """
    values = {**entry.params, **(params or {})}
    message = entry.message.format(**values)
    return json_response(
        entry.status,
        _body(entry, message, values, request_id, short=short, numeric_code=numeric_code),
        PROBLEM_HEADERS if entry.shape == "own" else JSON_HEADERS,
    )


def _body(
    entry: ErrorEntry,
    message: str,
    values: Mapping[str, str],
    request_id: str,
    *,
    short: bool,
    numeric_code: bool,
) -> Mapping[str, Any]:
    match entry.shape:
        case "gateway":
            code: str | int = int(entry.code) if numeric_code else entry.code
            return {"error_code": code, "message": message}
        case "problem":
            return {
                "type": "/placeholder/type/uri",
                "status": entry.status,
                "title": entry.title,
                "detail": message,
            }
        case "own":
            return {"status": entry.status, "title": entry.title, "detail": message}
        case "short":
            return {"errorMessage": message, "errorDetails": message}
        case "message":
            return {"message": message}
        case "oauth":
            return {"error": entry.title, "error_description": message}
        case "service":
            if short:
                return {"errorMessage": message, "errorDetails": message}
            report = {"detailed-message": message, **values, "request-id": request_id}
            return {
                "type": TYPE_PREFIX + entry.code,
                "title": entry.title,
                "status": entry.status,
                "report": dict(sorted(report.items())),
                "errorMessage": message,
                "errorDetails": message,
            }
