"""How a program keeps to the protocol over stdin and stdout; whoever speaks to it saw it."""

from __future__ import annotations

from aepmock.judge.checks.registry import Verdicts, session_check
from aepmock.judge.evidence import Session
from aepmock.judge.findings import Problem

CLAUSES = (
    "driver.hello",
    "driver.stdout",
    "driver.ids",
    "driver.shape",
    "driver.reads",
    "driver.answers",
    "driver.alive",
    "driver.ends",
)


def _register(clause: str) -> None:
    @session_check(clause)
    def check(session: Session) -> Verdicts:
        for seen in session.conduct:
            if seen.clause != clause:
                continue
            if not seen.summary:
                yield None
            else:
                yield Problem(seen.summary, seen.expected, seen.got, log=seen.log, call=seen.call)


for _clause in CLAUSES:
    _register(_clause)
