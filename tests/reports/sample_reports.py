"""Reports to render: one with every verdict, one hostile, one in which nothing was exercised."""

from __future__ import annotations

from typing import Any

from aepmock.contract import Clause, Source
from aepmock.contract.model import Grade
from aepmock.judge import ClauseResult, Finding, Report, Verdict

COMMAND = (
    "aepmock judge acme.client:factory --select 'connections.update.if-match'"
    " --seed 42 --examples 1 --transport httpx"
)
HOSTILE = (
    "[bold]x[/] [/nope] \x00 \x1b[31mred\x1b[0m ]]> </failure> \r\n \u202e \ud800 \x9b2J |`*_&amp;"
)


def clause(clause_id: str, grade: Grade = "must") -> Clause:
    source = Source("documented", ("OAS patchConnection",))
    return Clause(clause_id, grade, 3, f"{clause_id} is kept.", "A client.", "a", "b", source)


def finding(clause_id: str, **changes: Any) -> Finding:
    known: dict[str, Any] = {
        "summary": "An update was sent without If-Match.",
        "expected": 'If-Match: "2300d6b1-0000-0200-0000-673e9c1d0000", the etag of the last answer',
        "got": "no If-Match header",
        "calls": ("created = client.create_connection(…)", "client.update_connection(…)"),
        "exchange": 'PATCH /connections/1\nx-api-key: ‹api key›\n\n{\n  "a": 1\n}\n\nHTTP 400',
        "diff": '--- sent\n+++ right\n+If-Match: "2300"',
        "log": "the client's last words",
        "source": "documented: OAS patchConnection",
        "reproduce": COMMAND,
    }
    return Finding(clause_id, **{**known, **changes})


def result(
    clause_id: str, verdict: str, grade: Grade = "must", *findings: Finding, reason: str = ""
) -> ClauseResult:
    examples = 0 if verdict in ("unsupported", "not-exercised") else 120
    return ClauseResult(clause(clause_id, grade), Verdict(verdict), examples, findings, reason)


def report(*results: ClauseResult, **changes: Any) -> Report:
    known: dict[str, Any] = {
        "kit": "0.1.0",
        "contract": "2026.11",
        "client": "acme.client:factory",
        "mode": "mock",
        "transport": "httpx",
        "seed": 42,
        "started_at": "2026-11-23T20:30:00Z",
        "duration_s": 12.3456,
    }
    return Report(**{**known, **changes}, results=results)


def with_every_verdict() -> Report:
    lacks = "the client has no explore_connection"
    untried = "nothing the client did put it to the test"
    doubled = "connections.create.unique-keys"
    if_match = "connections.update.if-match"
    gateway = "errors.gateway"
    return report(
        result("connections.create.name", "met"),
        result(doubled, "broken", "should", finding(doubled, summary="A key stands twice.")),
        result("connections.explore.object", "unsupported", reason=lacks),
        result("connections.explore.preview", "unsupported", reason=lacks),
        result("connections.list.limit", "not-exercised", reason=untried),
        result("connections.list.stops", "met"),
        result(if_match, "broken", "must", finding(if_match)),
        result("errors.code", "unexpected-pass", reason="ACME-99"),
        result(gateway, "known-failing", "must", finding(gateway), reason="ACME-123: in 3.0"),
    )


def hostile() -> Report:
    """Every text that comes from outside is as bad as it can be, and long."""
    long = HOSTILE * 9
    texts = (
        "summary",
        "expected",
        "got",
        "exchange",
        "diff",
        "log",
        "source",
        "reproduce",
        "reading",
    )
    bad = finding("errors.code", calls=(long, long), **dict.fromkeys(texts, long))
    return report(
        result("errors.code", "broken", "must", bad),
        result("errors.gateway", "known-failing", "must", bad, reason=long),
        result("errors.status", "unexpected-pass", reason=long),
        result("ims.token.form", "unsupported", reason=long),
        result("ims.token.reuse", "not-exercised", "should", reason=long),
        client=long,
        transport=long,
    )


def nothing_exercised() -> Report:
    untried = "nothing the client did put it to the test"
    return report(
        result("errors.code", "not-exercised", reason=untried),
        result("errors.gateway", "not-exercised", reason=untried),
    )
