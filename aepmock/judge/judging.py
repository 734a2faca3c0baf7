"""Runs the checks over evidence and turns what they find into findings that may be shown."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from itertools import groupby
from typing import NamedTuple

from aepmock.contract import Contract, is_beside
from aepmock.judge.checks import TRANSCRIPT_CHECKS, WIRE_CHECKS
from aepmock.judge.findings import Finding, Unproven, Violation
from aepmock.judge.off_origin import off_origin_answers
from aepmock.judge.rendering import exchange_text, request_diff
from aepmock.judge.transcript import Call, Expected, Transcript
from aepmock.messages import Exchange
from aepmock.redaction import Redactor


class Observation(NamedTuple):
    """One look at one clause: `violation` None says that it was met.

    With `unproven` it was neither met nor broken: that says why.
    """

    clause: str
    violation: Violation | None
    unproven: str = ""


def judge_transcript(transcript: Transcript, clauses: Collection[str]) -> Iterator[Observation]:
    """Every look that an example allows at the clauses asked for, in the contract's order.

    A call that an answer led to another origin shows what becomes of secrets, and nothing else.
    """
    whole = _without_unanswered(transcript)
    own = replace(whole, calls=[c for c in whole.calls if not any(off_origin_answers(c))])
    sent_by_all, sent_by_own = _sent(whole), _sent(own)
    for clause in transcript.contract.clauses:
        if clause not in clauses:
            continue
        of_all = clause.startswith("secrets.")
        transcript = whole if of_all else own
        for wire_check in WIRE_CHECKS.get(clause, ()):
            for exchange, expected in sent_by_all if of_all else sent_by_own:
                for violation in wire_check(exchange, expected, transcript.contract):
                    yield Observation(clause, violation)
        for transcript_check in TRANSCRIPT_CHECKS.get(clause, ()):
            for seen in transcript_check(transcript):
                if isinstance(seen, Unproven):
                    yield Observation(clause, None, seen.why)
                else:
                    yield Observation(clause, seen)


def _sent(transcript: Transcript) -> list[tuple[Exchange, Expected]]:
    """The exchanges that wire checks look at, each with what its headers may hold."""
    tokens = frozenset(transcript.tokens)
    return [
        (exchange, expected)
        for call in transcript.calls
        if call.exchanges and not _hostile(call)
        for expected in (Expected.of(call.settings, tokens),)
        for exchange in call.exchanges
        if not _beside(exchange, transcript.contract)
    ]


def _without_unanswered(transcript: Transcript) -> Transcript:
    """The transcript as checks see it: of a call without an answer only what was sent counts."""
    if not any(call.unanswered for call in transcript.calls):
        return transcript
    calls = [
        Call("factory", call.settings, {}, call.exchanges) if call.unanswered else call
        for call in transcript.calls
    ]
    return replace(transcript, calls=calls)


def judge_exchange(
    exchange: Exchange,
    expected: Expected,
    contract: Contract,
    clauses: Collection[str] | None = None,
) -> Iterator[Observation]:
    """What a single request breaks or meets; used where nobody knows the client's arguments."""
    if _beside(exchange, contract):
        return
    for clause, checks in WIRE_CHECKS.items():
        if clauses is None or clause in clauses:
            for check in checks:
                for violation in check(exchange, expected, contract):
                    yield Observation(clause, violation)


def _beside(exchange: Exchange, contract: Contract) -> bool:
    """Whether no clause is about a request.

    A fault had led the client to another origin, or it asked another service of Adobe's, or for
    what aepmock does not imitate.
    """
    effect = exchange.response.effect
    elsewhere = effect is not None and effect.elsewhere
    return elsewhere or is_beside(contract, exchange.request)


def _hostile(call: Call) -> bool:
    """Settings that can't be sent have clauses of their own; the header's value is not judged."""
    name = call.settings.sandbox_name
    return not name.isascii() or any(c in name for c in "\r\n\0")


def to_finding(
    clause: str,
    violation: Violation,
    contract: Contract,
    redactor: Redactor,
    *,
    reading: str = "default",
    calls: Iterable[str] = (),
    reproduce: str = "",
    order: int = 0,
) -> Finding:
    """A violation with its evidence, redacted."""
    exchange, diff = "", ""
    if violation.exchange is not None:
        request = redactor.request(violation.exchange.request)
        response = redactor.response(violation.exchange.response)
        exchange = exchange_text(Exchange(request, response))
        if violation.nearest is not None:
            diff = request_diff(request, redactor.request(violation.nearest))
    source = contract.clauses[clause].source if clause in contract.clauses else ""
    return Finding(
        clause=clause,
        summary=redactor.text(violation.summary),
        expected=redactor.text(violation.expected),
        got=redactor.text(violation.got),
        reading=reading,
        calls=tuple(redactor.text(call) for call in calls),
        exchange=exchange,
        diff=diff,
        log=redactor.text("\n".join(violation.log)),
        source=str(source),
        reproduce=reproduce,
        order=order,
    )


def explain(clause: str, contract: Contract) -> str:
    """What a clause asks, or when a rule of the service refuses, and where that is written."""
    if clause in contract.clauses:
        entry = contract.clauses[clause]
        return f"{clause}: {entry.text} Source: {entry.source}"
    rule = contract.refusals[clause]
    return f"{clause}: {rule.when} Source: {rule.source}"


def describe_call(call: Call) -> str:
    """A call in one line, without auth params: create_connection(name='a') -> {'id': …}."""
    if call.operation == "seed":
        return f"{len(call.returned)} connection(s) put in beforehand"
    shown = []
    for key, value in call.args.items():
        if key == "connection":
            shown += [f"name={value.name!r}"]
            if value.description is not None:
                shown.append(f"description={value.description!r}")
        elif value is not None and value != ():
            shown.append(f"{key}={_brief(value)}")
    if call.timed_out:
        end = "never came back"
    elif call.unanswered:
        end = "no answer"
    elif call.raised is not None:
        end = f"raised {type(call.raised).__name__}"
    else:
        end = f"returned {_brief_return(call.returned)}"
    statuses = _statuses(call.exchanges)
    return f"{call.operation}({', '.join(shown)}) · {statuses or 'nothing sent'} · {end}"


def _statuses(exchanges: Iterable[Exchange]) -> str:
    """The statuses of a call in order, "200 no-answer 403 (put in)"; many equal ones are counted.

    An answer that was put in is the test's, or was altered by it: the service did not say so.
    """
    shown = []
    for (status, injected), run in groupby(
        (e.response.status, e.response.injected) for e in exchanges
    ):
        times = len(list(run))
        word = str(status) if status else "no-answer"
        word += " (put in)" if status and injected else ""
        shown += [word] * times if times <= _EQUAL else [f"{times} times {word}"]
    return " ".join(shown)


_EQUAL = 5
"""So many equal statuses in a row are still written one by one."""


def _brief(value: object) -> str:
    text = repr(value)
    if "/auth" in text:
        return "[…]"
    return text if len(text) <= 60 else text[:59] + "…"


def _brief_return(value: object) -> str:
    """What came back, without values that may be secrets."""
    if isinstance(value, dict):
        return "{" + ", ".join(sorted(map(str, value))[:6]) + "}"
    if isinstance(value, list):
        return f"{len(value)} items"
    return (
        repr(value) if isinstance(value, int | bool | type(None)) else f"a {type(value).__name__}"
    )
