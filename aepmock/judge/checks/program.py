"""How a program keeps to the protocol over stdin and stdout, as observed by its driver."""

from __future__ import annotations

from aepmock.judge.checks.registry import Verdicts, transcript_check
from aepmock.judge.findings import Violation
from aepmock.judge.transcript import Transcript

CLAUSES = (
    "program.hello",
    "program.stdout",
    "program.ids",
    "program.shape",
    "program.reads",
    "program.answers",
    "program.alive",
    "program.ends",
)


def _register(clause: str) -> None:
    @transcript_check(clause)
    def check(transcript: Transcript) -> Verdicts:
        for seen in transcript.observations:
            if seen.clause != clause:
                continue
            if not seen.summary:
                yield None
            else:
                yield Violation(seen.summary, seen.expected, seen.got, log=seen.log, call=seen.call)


for _clause in CLAUSES:
    _register(_clause)
