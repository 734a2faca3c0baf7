"""Exchanges and a client's own words in, verdicts out. Never looks inside the service."""

from __future__ import annotations

from aepmock.judge.findings import Finding, LiveRow, Tally
from aepmock.judge.judging import judge_exchange, judge_transcript
from aepmock.judge.transcript import Call, Expected, Transcript
from aepmock.judge.verdicts import ClauseResult, Report, Verdict, decide

__all__ = [
    "Call",
    "ClauseResult",
    "Expected",
    "Finding",
    "LiveRow",
    "Report",
    "Tally",
    "Transcript",
    "Verdict",
    "decide",
    "judge_exchange",
    "judge_transcript",
]
