"""Family 1: whether a client asks for what its caller asked for, and for nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from aepmock.judge.answers import asks_for_a_count
from aepmock.judge.checks.create import creates, part
from aepmock.judge.checks.registry import Verdicts, transcript_check
from aepmock.judge.findings import Violation
from aepmock.judge.transcript import PRIMARY, Call, Transcript
from aepmock.messages import Exchange, Request

_WRITES = frozenset(
    ["connections.create", "connections.update", "connections.delete", "connections.action"]
)
_HARMLESS: Mapping[str, str] = {
    "count": "false",
    "preview": "false",
    "columndelimiter": ",",
    "determineproperties": "false",
}
"""Parameters of which a value says what goes without saying. Source: OAS, EXPLORE-CS."""


@transcript_check("request.unasked-parameters")
def unasked_parameters(transcript: Transcript) -> Verdicts:
    """Names that an operation does not have are the matter of request.query-parameters."""
    for call in transcript.calls:
        for exchange in transcript.primary(call):
            operation = transcript.operation(exchange)
            if operation == "connections.create":
                unasked = _given(exchange.request, "mode")
            elif operation == "connections.explore":
                unasked = list(_unasked_of_explore(call, exchange.request))
            elif operation == "connections.list":
                unasked = list(_unasked_of_list(call, exchange))
            else:
                continue
            if not unasked:
                yield None
                continue
            name, value = unasked[0]
            yield Violation(
                f"{call.operation} sends {name}={value}, which the caller did not ask for",
                f"no {name}",
                f"{name}={value}",
                exchange,
            )


Pairs = list[tuple[str, str]]


def _given(request: Request, *names: str) -> Pairs:
    """The parameters of these names that say something."""
    return [(k, v) for k, v in request.query if k.lower() in names and v]


def _unasked_of_explore(call: Call, request: Request) -> Iterator[tuple[str, str]]:
    asked = {
        "objecttype": call.args.get("object_type"),
        "object": call.args.get("object"),
        "filetype": call.args.get("file_type"),
        "preview": call.args.get("preview") or None,
        "sourceparams": call.args.get("source_params"),
    }
    for name in ("columndelimiter", "compressiontype", "encoding", "determineproperties"):
        asked[name] = None
    first = dict(reversed([(k.lower(), v) for k, v in request.query]))
    for name, value in _given(request, *asked):
        key = name.lower()
        wanted = asked[key] is not None and value == first[key]
        if not wanted and value.lower() != _HARMLESS.get(key):
            yield name, value


def _unasked_of_list(call: Call, exchange: Exchange) -> Iterator[tuple[str, str]]:
    """The page size is the client's own where the caller names none; an order of a count is idle.

    What stands in a link is the service's own word.
    """
    request = exchange.request
    behind = request.parameter("continuationToken") is not None
    listed = call.operation == "list_connections"
    if listed and asks_for_a_count(request):
        return  # a look-up beside the list
    if not call.args.get("property"):
        yield from _given(request, "property")
    order = call.args.get("orderby")
    if listed and (behind or order is None):
        for name, value in _given(request, "orderby"):
            if value.replace(" ", "+") != order:
                yield name, value


@transcript_check("request.unasked-writes")
def unasked_writes(transcript: Transcript) -> Verdicts:
    """A client may read around what it does as it likes."""
    for call in transcript.calls:
        if call.operation not in PRIMARY or not call.exchanges:
            continue
        unasked = [
            e
            for e in call.exchanges
            if transcript.operation(e) in _WRITES - PRIMARY[call.operation]
        ]
        if not unasked:
            yield None
            continue
        request = unasked[0].request
        yield Violation(
            f"{call.operation} sends a {request.method} that the caller did not ask for",
            "no other write than the one that was asked for",
            f"{request.method} {request.path}",
            unasked[0],
        )


_NAMED = ("name", "description", "auth", "connectionSpec", "providerId")
"""Members of the body; providerId is what a published client sends. Source: OAS, AEPP."""


@transcript_check("connections.create.nothing-else")
def nothing_else(transcript: Transcript) -> Verdicts:
    """An empty member, or a null, says nothing; that of a description has a clause of its own."""
    for _, _, exchange, body in creates(transcript):
        strange = [
            *_members(body, _NAMED, ""),
            *_members(part(body, "auth"), ("specName", "params"), "auth."),
            *_members(part(body, "connectionSpec"), ("id", "version"), "connectionSpec."),
        ]
        if not strange:
            yield None
            continue
        yield Violation(
            f"the create holds {strange[0]}, which the caller did not give",
            "name, description, auth and connectionSpec, as they were given",
            ", ".join(strange),
            exchange,
        )


def _members(value: Mapping[str, Any], known: tuple[str, ...], before: str) -> list[str]:
    return [
        before + name
        for name, member in value.items()
        if name not in known and member not in (None, "", [], {})
    ]
