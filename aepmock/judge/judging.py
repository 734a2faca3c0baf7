"""Runs the checks over evidence and turns what they find into findings that may be shown."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from itertools import groupby
from typing import NamedTuple

from aepmock.contract import Contract, is_beside
from aepmock.judge.checks import SESSION_CHECKS, WIRE_CHECKS
from aepmock.judge.evidence import Call, Expected, Session
from aepmock.judge.findings import Finding, Problem, Unproven
from aepmock.judge.leading import led_by
from aepmock.judge.redaction import Redactor
from aepmock.judge.rendering import exchange_text, request_diff
from aepmock.messages import Exchange


class Observation(NamedTuple):
    """One look at one clause: `problem` None says that it was met.

    With `unproven` it was neither met nor broken: that says why.
    """

    clause: str
    problem: Problem | None
    unproven: str = ""


def judge_session(session: Session, clauses: Collection[str]) -> Iterator[Observation]:
    """Every look that an example allows at the clauses asked for, in the contract's order.

    A call that an answer led to another origin shows what becomes of secrets, and nothing else.
    """
    whole = _without_lost(session)
    own = replace(whole, calls=[c for c in whole.calls if not any(led_by(c))])
    for clause in session.contract.clauses:
        if clause not in clauses:
            continue
        session = whole if clause.startswith("secrets.") else own
        for wire_check in WIRE_CHECKS.get(clause, ()):
            for call in session.calls:
                if not call.exchanges or _hostile(call):
                    continue
                expected = Expected.of(call.settings, frozenset(session.tokens))
                for exchange in call.exchanges:
                    if _beside(exchange, session.contract):
                        continue
                    for problem in wire_check(exchange, expected, session.contract):
                        yield Observation(clause, problem)
        for session_check in SESSION_CHECKS.get(clause, ()):
            for seen in session_check(session):
                if isinstance(seen, Unproven):
                    yield Observation(clause, None, seen.why)
                else:
                    yield Observation(clause, seen)


def _without_lost(session: Session) -> Session:
    """The session as checks see it: of a call without an answer only what was sent counts."""
    if not any(call.lost for call in session.calls):
        return session
    calls = [
        Call("factory", call.settings, {}, call.exchanges) if call.lost else call
        for call in session.calls
    ]
    return replace(session, calls=calls)


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
                for problem in check(exchange, expected, contract):
                    yield Observation(clause, problem)


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
    problem: Problem,
    contract: Contract,
    redactor: Redactor,
    *,
    reading: str = "default",
    calls: Iterable[str] = (),
    reproduce: str = "",
    order: int = 0,
) -> Finding:
    """A problem with its evidence, redacted."""
    exchange, diff = "", ""
    if problem.exchange is not None:
        request = redactor.request(problem.exchange.request)
        response = redactor.response(problem.exchange.response)
        exchange = exchange_text(Exchange(request, response))
        if problem.nearest is not None:
            diff = request_diff(request, redactor.request(problem.nearest))
    source = contract.clauses[clause].source if clause in contract.clauses else ""
    return Finding(
        clause=clause,
        summary=redactor.text(problem.summary),
        expected=redactor.text(problem.expected),
        got=redactor.text(problem.got),
        reading=reading,
        calls=tuple(redactor.text(call) for call in calls),
        exchange=exchange,
        diff=diff,
        log=redactor.text("\n".join(problem.log)),
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


def tell(call: Call) -> str:
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
    if call.looped:
        end = "never came back"
    elif call.lost:
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
