"""Answers that a client may meet: refusals of every shape, and successes in odd forms."""

from __future__ import annotations

import codecs
import gzip
import json
import zlib
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from email.utils import formatdate
from typing import Any

from aepmock.contract import Contract, ErrorEntry, error_response
from aepmock.contract.problems import JSON_HEADERS
from aepmock.messages import Headers, Request, Response

REQUEST_ID = "00000000-0000-4000-8000-000000000000"
_HTML = b"<html><head><title>%d</title></head><body><h1>Error</h1></body></html>"
_HTML_HEADERS = Headers([("Content-Type", "text/html; charset=utf-8")])


def refusals(contract: Contract) -> list[ErrorEntry]:
    """Every documented code of both shapes, once, in the catalogue's order."""
    return [e for e in contract.errors.values() if e.shape in ("service", "gateway")]


def refusal(entry: ErrorEntry, *, numeric_code: bool = False) -> Response:
    """The refusal of an entry, with the published sample's parameters."""
    return error_response(entry, request_id=REQUEST_ID, numeric_code=numeric_code)


def injected_answers(contract: Contract) -> dict[str, list[Response]]:
    """Refusals in the other shapes that were seen, by the clause that they put to the test."""
    short = [contract.errors[c] for c in ("short-not-found", "short-spec-id")]
    envelope = json.dumps({"type": "https://ns.adobe.com/aep/errors/FLOW-1413-400"}).encode()
    return {
        "errors.short-body": [
            *(error_response(entry, request_id=REQUEST_ID) for entry in short),
            Response(403, JSON_HEADERS, b'{"errorMessage":"Forbidden"}'),
        ],
        "errors.empty-body": [Response(status) for status in (304, 400, 401, 403, 404, 409, 410)],
        "errors.html-body": [
            Response(status, _HTML_HEADERS, _HTML % status) for status in (400, 403, 404)
        ]
        + [Response(403, Headers([("Content-Type", "text/plain")]), b"Forbidden")],
        "errors.truncated-body": [
            Response(400, JSON_HEADERS, envelope[:-8]),
            Response(403, JSON_HEADERS, b'{"error_code":"4030'),
        ],
        "errors.other-json": [
            Response(400, JSON_HEADERS, b'["bad request"]'),
            Response(403, JSON_HEADERS, b"null"),
            Response(404, JSON_HEADERS, b"{}"),
            Response(
                400, JSON_HEADERS, b'{"type":"/placeholder/type/uri","status":400,"detail":"no"}'
            ),
        ],
    }


def bad_successes(call: str) -> dict[str, list[Response]]:
    """2xx answers that can't be believed, by clause, to a call such as get_connection.

    A deletion has none: it succeeds by its status.
    """
    if call == "delete_connection":
        return {}
    operation = "connections." + call.removesuffix("_connections").removesuffix("_connection")
    status = 201 if operation == "connections.create" else 200
    html = Response(status, _HTML_HEADERS, _HTML % status)
    broken = {
        "connections.create": b'{"id":"2fce94c1-9a93-4971',
        "connections.update": b'{"id":"2fce94c1-9a93-4971',
        "connections.test": b'{"result":tr',
    }.get(operation, b'{"items":[{"id":"2fce94c1-9a93')
    answers = {
        "errors.unreadable-success": [
            html,
            Response(status, _HTML_HEADERS, b"OK"),
            Response(status, JSON_HEADERS, _WHOLE.get(operation, b'{"items":[]}') + b'{"more":1}'),
        ],
        "errors.truncated-success": [Response(status, JSON_HEADERS, broken)],
    }
    if operation != "connections.explore":
        answers["errors.wrong-success"] = [
            Response(status, JSON_HEADERS, body) for body in (b"[]", b'"ok"', b"17", b"null")
        ]
    missing = _MISSING.get(operation)
    if missing:
        answers["errors.missing-fields"] = [Response(status, JSON_HEADERS, b) for b in missing]
    return answers


_WHOLE: Mapping[str, bytes] = {
    "connections.create": b'{"id":"2fce94c1-9a93-4971-8e94-c19a93097129","etag":"\\"1\\""}',
    "connections.get": b'{"items":[{"id":"2fce94c1-9a93-4971-8e94-c19a93097129","name":"a"}]}',
    "connections.count": b'{"count":0}',
    "connections.update": b'{"id":"2fce94c1-9a93-4971-8e94-c19a93097129","etag":"\\"1\\""}',
    "connections.test": b'{"result":true}',
}
"""JSON that would do, if nothing came after it."""
_MISSING: Mapping[str, tuple[bytes, ...]] = {
    "connections.create": (b"{}", b'{"etag":"\\"1\\""}'),
    "connections.get": (b"{}", b'{"items":[]}'),
    "connections.list": (b"{}", b'{"_links":{}}'),
    "connections.count": (b"{}", b'{"items":[]}'),
    "connections.update": (b"{}",),
    "connections.test": (b"{}",),
}


Change = Callable[[Request, Response], Response]


def variations() -> dict[str, Change]:
    """Forms of the same answer that may make no difference, by the clause that says so."""
    return {
        "answers.unknown-fields": _unknown_fields,
        "answers.header-case": _upper_case,
        "answers.gzip": _gzipped,
        "answers.chunked": _chunked,
        "answers.content-type-parameters": _charset,
        "answers.media-type-case": _media_type_case,
        "answers.json-form": _loose_json,
    }


def _with_document(response: Response, document: Any) -> Response:
    return Response(response.status, response.headers, json.dumps(document).encode())


def _unknown_fields(_: Request, response: Response) -> Response:
    """Fields that nobody named, on the top and in every item."""
    document = response.json_or_none
    if not isinstance(document, dict):
        return response
    for item in document.get("items", []):
        item["aepmockUnknownField"] = {"nested": [1, None, True]}
    return _with_document(response, {**document, "aepmockUnknown": "x"})


def _upper_case(_: Request, response: Response) -> Response:
    headers = Headers([(n.upper(), v) for n, v in response.headers])
    return Response(response.status, headers, response.body)


def _gzipped(request: Request, response: Response) -> Response:
    """Only for a client that offered to take it: another need not understand it."""
    offered = request.headers.get("accept-encoding") or ""
    if not response.body or "gzip" not in offered.lower():
        return response
    headers = response.headers.replaced("Content-Encoding", "gzip")
    return Response(response.status, headers, gzip.compress(response.body, mtime=0))


def deflated(request: Request, response: Response) -> Response:
    """As _gzipped, by the other coding that libraries offer."""
    offered = request.headers.get("accept-encoding") or ""
    if not response.body or "deflate" not in offered.lower():
        return response
    headers = response.headers.replaced("Content-Encoding", "deflate")
    return Response(response.status, headers, zlib.compress(response.body))


def _chunked(_: Request, response: Response) -> Response:
    if not response.body:
        return response
    headers = response.headers.replaced("Transfer-Encoding", "chunked")
    return Response(response.status, headers, response.body)


def _charset(_: Request, response: Response) -> Response:
    headers = response.headers.replaced("Content-Type", "application/json;charset=utf-8")
    return Response(response.status, headers, response.body)


def _media_type_case(_: Request, response: Response) -> Response:
    kind = response.headers.get("content-type")
    if not kind:
        return response
    headers = response.headers.replaced("Content-Type", kind.replace("json", "JSON"))
    return Response(response.status, headers, response.body)


def _loose_json(_: Request, response: Response) -> Response:
    """The same document: indented, keys turned round, everything outside ASCII escaped."""
    if not response.body:
        return response
    document = _turned(response.json_or_none)
    body = json.dumps(document, indent=2, separators=(" , ", " : ")).encode()
    return Response(response.status, response.headers, body)


def _turned(value: Any) -> Any:
    """A document with the keys of every object in the opposite order."""
    if isinstance(value, dict):
        return {name: _turned(value[name]) for name in reversed(value)}
    return [_turned(part) for part in value] if isinstance(value, list) else value


def spellings() -> dict[str, Change]:
    """Ways to write an answer that has text outside ASCII; the service's own are all escapes."""
    return {
        "raw": _spelled("application/json"),
        "raw, with a charset": _spelled("application/json; charset=utf-8"),
        "raw, with a charset in quotes": _spelled('application/json;charset="UTF-8"'),
        "raw and indented": _spelled("application/json", indent=1),
        "escaped": _spelled("application/json", escaped=True),
        "marked": marked,
    }


def _spelled(media: str, *, indent: int | None = None, escaped: bool = False) -> Change:
    def change(_: Request, response: Response) -> Response:
        if not response.body:
            return response
        text = json.dumps(_turned(response.json_or_none), ensure_ascii=escaped, indent=indent)
        headers = response.headers.replaced("Content-Type", media)
        return Response(response.status, headers, text.encode())

    return change


STRANGE_ETAGS = (
    '"D403848A-801C-4C1B-8384-8A801CDC1B3E"',
    'W/"d403848a-801c-4c1b-8384-8a801cdc1b3e"',
    '"5e-f!#$%&()*+,/:;=?@[]^_`{|}~"',
)
"""Entity-tags of RFC 9110 8.8.3 that are no other ones without their case, or their W/."""


def another_etag(etag: str) -> Change:
    """The answer of a write names this etag."""

    def change(_: Request, response: Response) -> Response:
        document = response.json_or_none
        if not isinstance(document, dict) or "etag" not in document:
            return response
        return _with_document(response, {**document, "etag": etag})

    return change


def marked(_: Request, response: Response) -> Response:
    """The answer behind a byte order mark, which a reader may ignore or refuse (RFC8259 8.1)."""
    body = codecs.BOM_UTF8 + response.body if response.body else b""
    return Response(response.status, response.headers, body)


def found(document: Any) -> Response:
    """What an exploration, or a count, answers."""
    return Response(200, JSON_HEADERS, json.dumps(document, ensure_ascii=False).encode())


def repeating(answer: Response, secrets: Iterable[str]) -> Response:
    """A refusal that quotes what it was sent, as one that passes on a provider's words may."""
    quoted = ", ".join(f"'{secret}'" for secret in secrets)
    document = deepcopy(answer.json_or_none)
    if not isinstance(document, dict):
        return Response(answer.status, answer.headers, answer.body + quoted.encode())
    for holder in (document, document.get("report", {})):
        for key in ("message", "detailed-message", "errorMessage", "errorDetails"):
            if key in holder:
                holder[key] += f" Given: {quoted}"
    return Response(answer.status, answer.headers, json.dumps(document).encode())


def empty_second_page() -> Change:
    """The second page comes without its items, whenever it is asked for."""
    second: str | None = None

    def change(request: Request, response: Response) -> Response:
        nonlocal second
        token = request.parameter("continuationToken")
        second = second or token
        document = response.json_or_none
        links = document.get("_links") if isinstance(document, dict) else None
        if token is None or token != second or not links:
            return response
        return _with_document(response, {**document, "items": []})

    return change


def shorter_pages() -> Change:
    """Every page that has a next link comes without its last item, where it has several."""

    def change(_: Request, response: Response) -> Response:
        document = response.json_or_none
        links = document.get("_links") if isinstance(document, dict) else None
        items = document.get("items", []) if isinstance(document, dict) else []
        if not links or len(items) < 2:
            return response
        return _with_document(response, {**document, "items": items[:-1]})

    return change


def repeated_first_item() -> Change:
    """Each later page begins with the last item of the page before it."""
    last: list[Any] = []

    def change(request: Request, response: Response) -> Response:
        if request.parameter("continuationToken") is None:
            last.clear()
        document = response.json_or_none
        items = document.get("items") if isinstance(document, dict) else None
        if not items:
            return response
        moved = last[-1:] + items
        last.append(items[-1])
        return _with_document(response, {**document, "items": moved})

    return change


def self_linking_page(times: int = 500) -> Change:
    """From the second page on, the next link is the one that led here.

    After so many times it is gone: a client that nothing else can stop has to come back as well.
    """
    links: list[Any] = []

    def change(_: Request, response: Response) -> Response:
        document = response.json_or_none
        if not isinstance(document, dict):
            return response
        links.append(document.get("_links"))
        if len(links) == 1:
            return response
        again = links[0] if len(links) <= times else {}
        return _with_document(response, {**document, "_links": again})

    return change


def refused_later_page(answer: Response) -> Change:
    """The first page is the service's own; every page behind it is refused."""

    def change(request: Request, response: Response) -> Response:
        return response if request.parameter("continuationToken") is None else answer

    return change


def next_page_elsewhere(origin: str) -> Change:
    """Every next link becomes an absolute one, to the same path at another origin."""

    def change(request: Request, response: Response) -> Response:
        document = response.json_or_none
        if not isinstance(document, dict) or not document.get("_links"):
            return response
        href = document["_links"]["next"]["href"]
        away = {"next": {"href": f"{origin}{request.path}?{href.partition('?')[2]}"}}
        return _with_document(response, {**document, "_links": away})

    return change


def busy_until(now: int, seconds: int) -> Response:
    """A 429 of `now`, in seconds of the epoch, whose Retry-After is a date so much later."""
    dates = {"Date": now, "Retry-After": now + seconds}
    headers = [(name, formatdate(at, usegmt=True)) for name, at in dates.items()]
    return Response(429, Headers([*headers, *JSON_HEADERS]), _BUSY)


_BUSY = b'{"error_code":"429050","message":"Too many requests"}'


def redirect(status: int, url: str) -> Response:
    """An answer that sends the client to another address."""
    return Response(status, Headers([("Location", url)]))
