"""Family 6: what the caller learns of a refusal, and of an answer that can't be believed."""

from __future__ import annotations

from collections.abc import Iterator

from aepmock.judge.answers import (
    BAD_SUCCESSES,
    REFUSALS,
    SUCCESS,
    asks_for_a_count,
    code_of,
    items_of,
    kind_of,
)
from aepmock.judge.checks.behaving import ends_the_process, reported
from aepmock.judge.checks.registry import SessionVerdicts, Verdicts, transcript_check
from aepmock.judge.checks.retries import unanswered
from aepmock.judge.exception_details import crashed, knows_code, knows_status
from aepmock.judge.findings import Violation
from aepmock.judge.transcript import Call, Transcript
from aepmock.messages import Exchange


def _ends(transcript: Transcript) -> Iterator[tuple[Call, Exchange, str]]:
    """Calls with the last exchange of their own kind, and the kind of its answer."""
    for call in transcript.calls:
        last = next(reversed(transcript.primary(call)), None)
        if last is None or unanswered(last):
            continue  # retries.no-answer
        counted = asks_for_a_count(last.request)
        kind = kind_of(last.response, transcript.operation(last), counted=counted)
        yield call, last, kind


def _found_its_own(transcript: Transcript, call: Call, last: Exchange) -> bool:
    """Whether a create looked, after a failure, for what it had made, and found it."""
    if call.operation != "create_connection":
        return False
    wanted = call.args["connection"].name
    return any(
        item.get("name") == wanted
        for e in call.exchanges
        if e.number > last.number
        and transcript.operation(e) in ("connections.list", "connections.search")
        for item in items_of(e.response)
    )


def _reported(clause: str) -> None:
    @transcript_check(clause)
    def check(transcript: Transcript) -> SessionVerdicts:
        for call, last, kind in _ends(transcript):
            if kind != clause or _found_its_own(transcript, call, last):
                continue
            if call.raised is not None:
                yield reported(call)
                continue
            verb = "did not come back after" if call.timed_out else "returned in spite of"
            yield Violation(
                f"{call.operation} {verb} {_wording(last, kind)}",
                "an error",
                f"{len(call.exchanges)} requests, and no end"
                if call.timed_out
                else f"a {type(call.returned).__name__} returned",
                last,
            )


def _wording(last: Exchange, kind: str) -> str:
    status = last.response.status
    return {
        "errors.service": f"a {status} of Flow Service",
        "errors.gateway": f"a {status} of the gateway",
        "errors.short-body": f"a {status} with a short body",
        "errors.empty-body": f"a {status} without a body",
        "errors.html-body": f"a {status} with a body that is no JSON",
        "errors.truncated-body": f"a {status} whose body breaks off",
        "errors.other-json": f"a {status} with JSON of an unknown form",
        "errors.unreadable-success": f"a {status} whose body is no JSON",
        "errors.truncated-success": f"a {status} whose JSON breaks off",
        "errors.wrong-success": f"a {status} with JSON of another type",
        "errors.missing-fields": f"a {status} without its documented fields",
    }[kind]


for _clause in (*REFUSALS, *BAD_SUCCESSES):
    _reported(_clause)


@transcript_check("errors.status")
def status(transcript: Transcript) -> Verdicts:
    """A 412 of an update has a clause of its own, which asks for the same."""
    for call, last, kind in _ends(transcript):
        if kind == SUCCESS or kind not in REFUSALS or call.raised is None or ends_the_process(call):
            continue
        if call.operation == "update_connection" and last.response.status == 412:
            continue
        if knows_status(call.raised, last.response.status) and not crashed(call.raised):
            yield None
        else:
            yield Violation(
                f"the error of {call.operation} does not say which status the answer had",
                f"an error from which {last.response.status} can be learned",
                type(call.raised).__name__,
                last,
            )


@transcript_check("errors.code")
def code(transcript: Transcript) -> Verdicts:
    for call, last, kind in _ends(transcript):
        wanted = code_of(last.response)
        if wanted is None or kind not in REFUSALS or call.raised is None or ends_the_process(call):
            continue
        if knows_code(call.raised, wanted) and not crashed(call.raised):
            yield None
        else:
            yield Violation(
                f"the error of {call.operation} does not say the service's code",
                f"an error from which {wanted} can be learned",
                type(call.raised).__name__,
                last,
            )
