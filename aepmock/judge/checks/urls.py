"""Family 1: where requests go, and how ids and query values are written into them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from posixpath import normpath
from urllib.parse import quote, urlsplit

from aepmock.contract import Contract, is_beside
from aepmock.contract.filters import meaning, say_the_same
from aepmock.judge.checks.behaving import reported
from aepmock.judge.checks.registry import (
    SessionVerdicts,
    Verdicts,
    transcript_check,
    wire_check,
)
from aepmock.judge.findings import Violation
from aepmock.judge.transcript import Call, Expected, Transcript
from aepmock.messages import Exchange, path_segment
from aepmock.net import origin_of

BY_ID = (
    "get_connection",
    "update_connection",
    "delete_connection",
    "test_connection",
    "explore_connection",
)
_TAILS = {"test_connection": "/test", "explore_connection": "/explore"}
_RESERVED = frozenset("&+,;%#?/\\\"'<>[]{}|^` ")


def _is_token_request(exchange: Exchange, contract: Contract) -> bool:
    return contract.ims_operation(exchange.request.path) is not None


@transcript_check("request.base-path")
def no_stranger(transcript: Transcript) -> Verdicts:
    for call in transcript.calls:
        for host in call.strangers:
            yield Violation(
                f"the client tried to reach {ascii(host)[1:-1]}, which its settings do not name",
                "requests to base_url and ims_token_url, and to no other host",
                f"a look-up of that host, or a connection to it, in {call.operation}",
                call.exchanges[-1] if call.exchanges else None,
            )


@wire_check("request.base-path")
def base_path(exchange: Exchange, expected: Expected, contract: Contract) -> Verdicts:
    if _is_token_request(exchange, contract):
        return
    request = exchange.request
    if request.url.startswith(expected.base_url.rstrip("/") + "/"):
        yield None  # the base URL as it stands: no need to look at its parts
        return
    base = urlsplit(expected.base_url)
    origin = f"{base.scheme}://{base.netloc}"
    if origin_of(request.origin) == origin_of(origin) and request.path.startswith(
        base.path.rstrip("/") + "/"
    ):
        yield None
        return
    tail = request.target
    at = tail.find("/connections")
    nearest = replace(request, origin=origin, target=base.path + tail[at:]) if at >= 0 else None
    yield Violation(
        "a request went elsewhere than to the base URL",
        f"{expected.base_url}/…",
        request.origin + request.path,
        exchange,
        nearest,
    )


@wire_check("request.operation")
def operation(exchange: Exchange, expected: Expected, contract: Contract) -> Verdicts:
    request = exchange.request
    base = urlsplit(expected.base_url).path.rstrip("/")
    if _is_token_request(exchange, contract) or not request.path.startswith(base + "/"):
        return
    below = request.path[len(base) :]
    methods, _ = contract.methods(below)
    if request.method in methods:
        yield None
        return
    allowed = ", ".join(sorted(methods)) or "no method"
    yield Violation(
        "a request is none of the documented operations",
        f"one of the documented paths; this one has {allowed}",
        f"{request.method} {request.path}",
        exchange,
    )


@wire_check("request.query-parameters")
def query_parameters(exchange: Exchange, expected: Expected, contract: Contract) -> Verdicts:
    request = exchange.request
    found = contract.operation_of(request)
    if found is None or "?" not in request.target:
        return
    names = {n.lower() if found.any_case else n for n, _ in request.query}
    strange = sorted(names - found.query_names)
    if not strange:
        yield None
        return
    yield Violation(
        f"{found.id} has no parameter {strange[0]}",
        f"only {', '.join(found.query) or 'no parameters'}",
        f"{', '.join(strange)}",
        exchange,
    )


@transcript_check("request.path-encoding")
def path_encoding(transcript: Transcript) -> Verdicts:
    for call in transcript.of(*BY_ID):
        wanted = call.args["connection_id"]
        if not wanted:
            continue
        for exchange in _toward(transcript, call):
            path = exchange.request.path
            base = urlsplit(call.settings.base_url).path.rstrip("/")
            tail = _TAILS.get(call.operation, "")
            # Pasted and tidied up, ../../x leads out of Flow Service: nothing else judges that.
            led_out = is_beside(transcript.contract, exchange.request) and path_segment(
                path
            ) == normpath(f"{base}/connections/{wanted}{tail}")
            if not led_out and not path.startswith(base + "/connections"):
                continue  # request.base-path has a word to say about that
            rest = path[len(base + "/connections") :]
            named = _names(rest, wanted, tail) or _names(rest, wanted, "")
            if named and not led_out:
                yield None
                continue
            right = f"{base}/connections/{quote(wanted, safe='')}{tail}"
            yield Violation(
                "the connection id does not reach the wire as one path segment",
                right,
                path,
                exchange,
                replace(exchange.request, target=right),
            )


def _toward(transcript: Transcript, call: Call) -> list[Exchange]:
    """Requests of a call that go to a path below /connections, whatever it is.

    A look-up over a list has its own path; only requests of the call's own method count.
    """
    methods = {"update_connection": "PATCH", "delete_connection": "DELETE"}
    method = methods.get(call.operation, "GET")
    return [
        e
        for e in call.exchanges
        if e.request.method == method
        and transcript.operation(e) not in ("ims.token", "connections.list")
    ]


def _names(rest: str, wanted: str, tail: str) -> bool:
    trimmed = rest.removesuffix("/")
    if tail and not trimmed.endswith(tail):
        return False
    raw = trimmed[: len(trimmed) - len(tail)]
    return raw.startswith("/") and "/" not in raw[1:] and path_segment(raw[1:]) == wanted


@transcript_check("request.empty-id")
def empty_id(transcript: Transcript) -> SessionVerdicts:
    for call in transcript.of(*BY_ID):
        if call.args["connection_id"] != "":
            continue
        if call.raised is not None:
            yield reported(call)
        else:
            yield Violation(
                f"{call.operation}('') came back as if it had worked",
                "an error, best before anything is sent",
                "a return value",
                call.exchanges[-1] if call.exchanges else None,
            )


def _filters(transcript: Transcript, clause: str) -> Verdicts:
    """Whether the filters of list and count calls reach the wire, for one of three clauses.

    A filter with reserved characters that arrives altered is an encoding fault; one that does
    not arrive, or has no such characters, is a fault of the list or count itself.
    """
    own = {"list_connections": "connections.list.property"}
    own["count_connections"] = "connections.count.property"
    for call in transcript.of("list_connections", "count_connections"):
        wanted = list(call.args.get("property", ()))
        first = _first_or_lost(transcript, call, wanted)
        if not wanted or first is None or transcript.operation(first) != "connections.list":
            continue
        sent = list(first.request.parameters("property"))
        special = any(_is_special(text) for text in wanted)
        right = say_the_same(wanted, sent)
        dropped = {meaning(text) for text in sent} <= {meaning(text) for text in wanted}
        blame = "request.query-encoding" if special and not dropped else own[call.operation]
        if right:
            if clause == own[call.operation] or (special and clause == "request.query-encoding"):
                yield None
        elif clause == blame:
            yield Violation(
                "the filters on the wire are not the caller's",
                f"property decodes to {wanted}",
                f"{sent}",
                first,
            )


def _first_or_lost(transcript: Transcript, call: Call, wanted: Sequence[str]) -> Exchange | None:
    """The first request of a call, or the one that was sent for a refused one without its filters.

    What a client asks for besides is its own matter.
    """
    asked = transcript.primary(call)
    again = [after for before, after in pairwise(asked) if not before.response.ok]
    lost = (e for e in again if wanted and not e.request.parameters("property"))
    fronts = (e for e in lost if e.request.parameter("continuationToken") is None)
    return next(fronts, None) or next(iter(asked), None)


def _is_special(text: str) -> bool:
    return not text.isascii() or any(c in _RESERVED for c in text)


@transcript_check("request.query-encoding")
def query_encoding(transcript: Transcript) -> Verdicts:
    yield from _filters(transcript, "request.query-encoding")


@transcript_check("connections.list.property")
def list_property(transcript: Transcript) -> Verdicts:
    yield from _filters(transcript, "connections.list.property")


@transcript_check("connections.count.property")
def count_property(transcript: Transcript) -> Verdicts:
    yield from _filters(transcript, "connections.count.property")
