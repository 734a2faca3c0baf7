"""Family 5: etags and patches."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from aepmock.contract import Contract
from aepmock.judge.checks.behaving import ends_the_process
from aepmock.judge.checks.registry import Verdicts, transcript_check, wire_check
from aepmock.judge.exception_details import crashed, knows_status
from aepmock.judge.findings import Violation
from aepmock.judge.transcript import Call, Expected, Transcript
from aepmock.messages import Exchange

_QUOTED = re.compile(r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"')
"""An entity-tag of RFC 9110 8.8.3. A service may give out a weak one, and then it is sent so."""


def _patches(transcript: Transcript) -> Iterator[tuple[Call, Exchange]]:
    for call in transcript.of("update_connection"):
        for exchange in transcript.primary(call):
            yield call, exchange


def _is_patch(exchange: Exchange, contract: Contract) -> bool:
    operation = contract.operation_of(exchange.request)
    return operation is not None and operation.id == "connections.update"


@wire_check("connections.update.if-match")
def if_match(exchange: Exchange, expected: Expected, contract: Contract) -> Verdicts:
    if not _is_patch(exchange, contract):
        return
    values = exchange.request.headers.all("if-match")
    if len(values) == 1 and values[0].strip():
        yield None
        return
    headers = exchange.request.headers.replaced("If-Match", '"the etag, with its quotes"')
    yield Violation(
        f"If-Match is sent {len(values)} times" if len(values) > 1 else "If-Match is missing",
        'If-Match: "…", once',
        f"{len(values)} header fields" if values else "no such header",
        exchange,
        replace(exchange.request, headers=headers),
    )


@wire_check("connections.update.etag-quotes")
def etag_quotes(exchange: Exchange, expected: Expected, contract: Contract) -> Verdicts:
    value = exchange.request.headers.get("if-match")
    if not _is_patch(exchange, contract) or not value:
        return
    if _QUOTED.fullmatch(value.strip()) or value.strip() == "*":
        yield None
        return
    core = value.strip().removeprefix("W/").strip("\\\"'")
    headers = exchange.request.headers.replaced("If-Match", f'"{core}"')
    yield Violation(
        "the If-Match value is not in double quotes",
        f'If-Match: "{core}"',
        f"If-Match: {value}",
        exchange,
        replace(exchange.request, headers=headers),
    )


@transcript_check("connections.update.etag-verbatim")
def etag_verbatim(transcript: Transcript) -> Verdicts:
    """Compares without the quotes, which have a clause of their own."""
    for call, exchange in _patches(transcript):
        value = exchange.request.headers.get("if-match")
        if not value:
            continue
        if _core(value) == _core(call.args["etag"]):
            yield None
        else:
            headers = exchange.request.headers.replaced("If-Match", call.args["etag"])
            yield Violation(
                "the If-Match value is not the etag the caller gave",
                f"If-Match: {call.args['etag']}",
                f"If-Match: {value}",
                exchange,
                replace(exchange.request, headers=headers),
            )


def _core(value: str) -> str:
    return value.strip().strip('"')


@transcript_check("connections.update.sent")
def sent(transcript: Transcript) -> Verdicts:
    yield from _was_sent(transcript, "update_connection", "PATCH")


@transcript_check("connections.delete.sent")
def delete_sent(transcript: Transcript) -> Verdicts:
    yield from _was_sent(transcript, "delete_connection", "DELETE")


def _was_sent(transcript: Transcript, operation: str, method: str) -> Verdicts:
    for call in transcript.of(operation):
        if call.raised is not None or call.args["connection_id"] == "":
            continue
        if transcript.primary(call):
            yield None
        elif not any(e.request.method == method for e in call.exchanges):
            yield Violation(
                f"{operation} returned without having sent a {method}",
                f"one {method}",
                f"no {method}",
            )


@transcript_check("connections.update.conflict-reported")
def conflict_reported(transcript: Transcript) -> Verdicts:
    for call in transcript.of("update_connection"):
        last = next(reversed(transcript.primary(call)), None)
        if last is None or last.response.status != 412:
            continue
        if call.raised is None:
            yield Violation(
                "a 412 came back as if the update had worked", "an error", "a return value", last
            )
        elif ends_the_process(call):
            continue  # answers.exit
        elif crashed(call.raised) or not knows_status(call.raised, 412):
            yield Violation(
                "the error after a 412 does not say that it was one",
                "an error from which 412 can be learned",
                type(call.raised).__name__,
                last,
            )
        else:
            yield None


@transcript_check("connections.update.no-blind-repeat")
def no_blind_repeat(transcript: Transcript) -> Verdicts:
    for call in transcript.of("update_connection"):
        patches = transcript.primary(call)
        conflicts = [n for n, e in enumerate(patches) if e.response.status == 412]
        if not conflicts:
            continue
        later = patches[conflicts[0] + 1 :]
        if later:
            yield Violation(
                "an update is sent again after a 412",
                "the conflict reported to the caller",
                f"{len(patches)} PATCHes in one call",
                later[0],
            )
        else:
            yield None


@transcript_check("connections.update.no-lost-update")
def no_lost_update(transcript: Transcript) -> Verdicts:
    """A call with an etag that an earlier answer replaced must not change the connection."""
    if transcript.at_a_time:
        return  # connections.update.concurrent
    current: dict[str, str] = {}
    outdated: set[tuple[str, str]] = set()
    for call in transcript.calls:
        given = (call.args.get("connection_id"), call.args.get("etag"))
        stale = call.operation == "update_connection" and given in outdated
        for item in call.returned if call.operation == "seed" else ():
            _replace(current, outdated, item)
        for exchange in call.exchanges:
            document = exchange.response.json_or_none
            if transcript.operation(exchange) not in ("connections.create", "connections.update"):
                continue
            if exchange.response.ok and isinstance(document, dict) and "etag" in document:
                _replace(current, outdated, document)
        if not stale:
            continue
        changed = next((e for e in transcript.primary(call) if e.response.ok), None)
        if changed is None:
            yield None
        elif transcript.live and changed.request.headers.get("if-match") == call.args["etag"]:
            continue  # the client sent what it was given: the service took it
        else:
            yield Violation(
                "an update with an outdated etag went through: an earlier change is lost",
                "a 412, reported",
                f"If-Match: {changed.request.headers.get('if-match')} and a "
                f"{changed.response.status}",
                changed,
            )


@transcript_check("connections.update.concurrent")
def concurrent(transcript: Transcript) -> Verdicts:
    """Told by the wire: a PATCH that worked on another version than its caller had read."""
    if transcript.together != "interleaved":
        return
    seeded = next((call.returned[0]["etag"] for call in transcript.of("seed")), None)
    written = sorted(
        (exchange.number, str(document.get("etag")))
        for _, exchange in _patches(transcript)
        if exchange.response.ok and isinstance(document := exchange.response.json_or_none, dict)
    )
    for call in transcript.of("update_connection"):
        patches = transcript.primary(call)
        changed = next((e for e in patches if e.response.ok), None)
        if changed is None:
            if patches and patches[-1].response.status == 412 and call.raised is None:
                yield Violation(
                    "of two rivals, the one that lost was not told",
                    "a 412, reported",
                    "a return value",
                    patches[-1],
                )
            elif patches:
                yield None
            continue
        before = [etag for number, etag in written if number < changed.number]
        current = before[-1] if before else seeded
        if current is None or _core(current) == _core(call.args["etag"]):
            yield None
        else:
            yield Violation(
                "of two rivals, the second one overwrote what the first had changed",
                "a 412, reported: the connection is no longer as it was read",
                f"a change that was made for {call.args['etag']} went through at {current}",
                changed,
            )


def _replace(
    current: dict[str, str], outdated: set[tuple[str, str]], document: Mapping[str, Any]
) -> None:
    connection_id, etag = str(document.get("id")), document["etag"]
    if connection_id in current and current[connection_id] != etag:
        outdated.add((connection_id, current[connection_id]))
    current[connection_id] = etag


@wire_check("connections.update.operations")
def operations_form(exchange: Exchange, expected: Expected, contract: Contract) -> Verdicts:
    if not _is_patch(exchange, contract):
        return
    document = None if not exchange.request.body else _read(exchange)
    if document is not None and contract.validator("patch-connection").is_valid(document):
        yield None
        return
    yield Violation(
        "the body of the update is no JSON Patch",
        '[{"op": …, "path": …, "value": …}]',
        f"a JSON {type(document).__name__}" if document is not None else "no JSON",
        exchange,
    )


def _read(exchange: Exchange) -> Any:
    try:
        return exchange.request.json
    except ValueError:
        return None


@transcript_check("connections.update.operations")
def operations_given(transcript: Transcript) -> Verdicts:
    for call, exchange in _patches(transcript):
        document = _read(exchange)
        found = document if isinstance(document, list) else [document]
        if not all(isinstance(i, dict) and "op" in i and "path" in i for i in found):
            continue  # the form is judged above
        wanted = call.args["operations"]
        if _same(found, wanted):
            yield None
        else:
            yield Violation(
                "the operations on the wire are not the caller's",
                json.dumps([_shown(i) for i in wanted]),
                json.dumps([_shown(i) for i in found]),
                exchange,
                replace(exchange.request, body=json.dumps(list(wanted)).encode()),
            )


def _same(found: Sequence[Any], wanted: Sequence[Any]) -> bool:
    return len(found) == len(wanted) and all(map(_same_one, found, wanted))


def _same_one(found: Any, wanted: Any) -> bool:
    """Op compares without case; whether remove carries a value is open."""
    if str(found["op"]).lower() != wanted["op"].lower() or found["path"] != wanted["path"]:
        return False
    if wanted["op"].lower() == "remove":
        return True
    return "value" in found and bool(found["value"] == wanted.get("value"))


def _shown(operation: Any) -> Any:
    """An operation without the values that may be secrets."""
    if str(operation.get("path", "")).startswith("/auth"):
        return {**operation, "value": "…"}
    return operation
