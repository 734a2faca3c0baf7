"""The report as JSON, schema `aepmock-report/1`: contract/schemas/report-1.json describes it."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from aepmock.reports.view import hollow, source_of

if TYPE_CHECKING:
    from aepmock.judge import ClauseResult, Finding, Report

SCHEMA = "aepmock-report/1"


def render_json(report: Report) -> str:
    """The report as indented JSON: what prints stands as itself, all else as its escape.

    So the file is UTF-8 even with lone surrogates in it, and safe to show on a terminal.
    """
    text = json.dumps(report_document(report), indent=2, ensure_ascii=False, allow_nan=False)
    return "\n".join(map(_printable, text.split("\n"))) + "\n"


def report_document(report: Report) -> dict[str, Any]:
    """The report as plain data: {"schema": "aepmock-report/1", "clauses": [...], ...}."""
    live: dict[str, Any] = {}
    if report.live_run is not None:
        live = {"live": [asdict(row) for row in report.live], "live_run": dict(report.live_run)}
    return {
        "schema": SCHEMA,
        "kit": report.kit,
        "contract": report.contract,
        "client": {"name": report.client},
        "mode": report.mode,
        "transport": report.transport,
        "seed": report.seed,
        "reading": report.reading,
        "started_at": report.started_at,
        "duration_s": round(report.duration_s, 3),
        "waited_s": round(report.waited_s, 3),
        "not_imitated": report.not_imitated,
        "cut_short": report.cut_short,
        "hollow": list(hollow(report)),
        "summary": dict(report.summary),
        "clauses": [_clause(result) for result in report.results],
        **live,
    }


def _printable(line: str) -> str:
    if line.isprintable():
        return line
    return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in line)


def _clause(result: ClauseResult) -> dict[str, Any]:
    return {
        "id": result.clause.id,
        "grade": result.clause.grade,
        "verdict": str(result.verdict),
        "examples": result.examples,
        "reason": result.reason,
        "findings": [_finding(result, finding) for finding in result.findings],
    }


def _finding(result: ClauseResult, finding: Finding) -> dict[str, Any]:
    return {
        "summary": finding.summary,
        "expected": finding.expected,
        "got": finding.got,
        "reading": finding.reading,
        "calls": list(finding.calls),
        "exchange": finding.exchange,
        "diff": finding.diff,
        "log": finding.log,
        "source": source_of(result, finding),
        "reproduce": finding.reproduce,
    }
