"""What the plugin says at the end of a run, where something was judged."""

from __future__ import annotations

from typing import Any

import pytest

from aepmock.plugin.run import RUN


def write_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """A section only where something was judged; short, and nothing under -q that is well."""
    run = config.stash.get(RUN, None)
    if run is None or run.report is None or config.get_verbosity() < -1:
        return
    report = run.report
    broken = [r for r in report.results if r.verdict in ("broken", "unexpected-pass")]
    if not broken and config.get_verbosity() < 0:
        return
    from aepmock.reports.view import hollow

    terminalreporter.section("aepmock")
    for sentence in hollow(report):
        terminalreporter.line(sentence)
    for result in broken:
        node = run.first_nodes.get(result.clause.id, "")
        terminalreporter.line(
            f"{result.verdict} {result.clause.id} ({result.clause.grade}) {node}".rstrip()
        )
        for finding in result.findings[:1]:
            terminalreporter.line(f"    {finding.summary}")
            terminalreporter.line(f"    {finding.reproduce}")
    idle = [r.clause.id for r in report.results if r.verdict == "not-exercised"]
    if idle and config.get_verbosity() > 0:
        terminalreporter.line(f"not exercised: {', '.join(idle)}")
    if report.live:
        from aepmock.reports.view import drift_of

        found = drift_of(report.live)
        terminalreporter.line(f"live: {found.sentences[0]}")
        for row in found.other:
            terminalreporter.line(f"    {row.subject}: {row.reading}, by default {row.expected}")
        for row in found.drifted:
            terminalreporter.line(f"drifted {row.subject}")
            terminalreporter.line(f"    expected {row.expected}, got {row.got}")
    for path in run.value("report"):
        terminalreporter.line(f"report: {path}")
    counts = ", ".join(f"{n} {verdict}" for verdict, n in report.summary.items() if n)
    terminalreporter.line(f"{len(report.results)} clauses: {counts}")
