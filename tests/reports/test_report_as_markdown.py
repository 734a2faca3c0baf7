"""The Markdown report: a page that says the same, and lets no text break out of its place."""

from __future__ import annotations

import re

from aepmock.reports import render_markdown
from tests.reports.sample_reports import (
    COMMAND,
    finding,
    hostile,
    report,
    result,
    with_every_verdict,
)


def test_a_report_starts_with_its_verdicts_by_area() -> None:
    page = render_markdown(with_every_verdict())
    assert page.startswith(
        "# Verdicts on acme.client:factory\n"
        "\n"
        "mock, transport httpx, seed 42 · contract 2026.11 · aepmock 0.1.0\n"
        "\n"
        "Started 2026-11-23T20:30:00Z, took 12.3 s.\n"
    )
    assert "\n| connections.create | 1 | 1 should |  |\n" in page
    assert "\n| errors | 0 | 0 | 1 unexpected pass, 1 known failing |\n" in page


def test_broken_musts_come_first_with_their_evidence() -> None:
    page = render_markdown(with_every_verdict())
    headings = re.findall(r"^##+ .*", page, re.MULTILINE)
    assert headings == [
        "## Broken",
        "### connections.update.if-match (must)",
        "### connections.create.unique-keys (should)",
        "## Unexpected passes",
        "## Known failing",
        "## Unsupported",
        "## Not exercised",
    ]
    assert f"\nReproduce:\n\n```sh\n{COMMAND}\n```\n" in page


def test_an_untimed_page_does_not_change_with_the_time_of_its_run() -> None:
    earlier, later = (
        render_markdown(report(duration_s=s, started_at=t), timed=False)
        for s, t in ((1.0, "2026-01-01T00:00:00Z"), (2.0, "2026-02-02T00:00:00Z"))
    )
    assert earlier == later


def test_backticks_in_an_exchange_do_not_end_its_block() -> None:
    found = finding("errors.code", exchange="a\n````\n# not a heading")
    page = render_markdown(report(result("errors.code", "broken", "must", found)))
    assert "\n`````http\na\n````\n# not a heading\n`````\n" in page


def test_hostile_texts_open_no_table_cell_link_or_tag() -> None:
    page = render_markdown(hostile())
    assert [c for c in page if not c.isprintable() and c != "\n"] == []
    prose = re.sub(r"^(`{3,}).*?^\1$", "", page, flags=re.MULTILINE | re.DOTALL)
    assert not re.search(r"(?<!\\)[<\[]", prose)
