"""What a live service showed, on a terminal of 80 columns and in pages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from aepmock.judge import LiveRow, Report
from aepmock.reports.html import render_html
from aepmock.reports.markdown import render_markdown
from aepmock.reports.text import render_drift
from tests.reports.sample_reports import report, result

ROWS = (
    LiveRow("connections.delete-status", "confirmed", "202", "204", "202", "2026-11-24"),
    LiveRow("errors.envelope", "confirmed", "full", "full", "full", "2026-11-24"),
    LiveRow("answers.unknown-fields", "confirmed", "", "none", "get: items[].x", "2026-11-24"),
    LiveRow("connections.get", "confirmed", "", "200", "200", "2026-11-24"),
    LiveRow("update.stale", "drifted", "", "412, 1404-412", "409, 1404-409", "2026-11-24"),
    LiveRow("connections.unknown-id", "unseen"),
)


def shown(rows: tuple[LiveRow, ...], *, verbose: bool = False) -> str:
    out = StringIO()
    render_drift(rows, console=Console(file=out, width=80), verbose=verbose)
    return out.getvalue()


def test_readings_that_are_not_the_default_and_drift_are_told_in_full() -> None:
    text = shown(ROWS)
    assert text.splitlines()[1:4] == [
        "SEEN LIVE",
        "Readings confirmed: 2, 1 of them not the mock's default. Operations and refusals",
        "as the mock has them: 1. Drifted: 1. Not seen: 1.",
    ]
    assert "connections.delete-status   202    204" in text
    assert "errors.envelope" not in text
    assert "answers.unknown-fields: get: items[].x" in text
    assert "update.stale\n  expected  412, 1404-412\n  actual    409, 1404-409\n" in text
    assert max(map(len, text.splitlines())) <= 80


def test_every_subject_is_listed_where_that_is_asked_for() -> None:
    text = shown(ROWS, verbose=True)
    for row in ROWS:
        assert row.subject in text
    assert "connections.unknown-id      unseen" in text


def test_a_run_on_the_mock_says_nothing_of_it() -> None:
    assert shown(()) == ""


@pytest.mark.parametrize(("fail_on_drift", "status"), [(False, 0), (True, 1)])
def test_drift_changes_the_exit_status_only_where_it_is_to(
    fail_on_drift: bool, status: int
) -> None:
    about = {"left_behind": [], "fail_on_drift": fail_on_drift}
    met = replace(report(result("a.b", "met")), live=ROWS, live_run=about)
    assert met.exit_status == status


@pytest.mark.parametrize("render", [render_markdown, render_html])
def test_a_page_of_a_live_run_tells_the_same(render: Callable[[Report], str]) -> None:
    told = render(replace(report(result("connections.get", "met")), mode="live", live=ROWS))
    for part in ("Seen live", "connections.delete-status", "202", "update.stale", "1404-409"):
        assert part in told
    assert "Seen live" not in render(report(result("connections.get", "met")))
