"""The report as Markdown: a table of verdicts, and the findings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from aepmock.reports.escaping import fenced, markdown, visible
from aepmock.reports.view import (
    TAKE_THEM_OFF,
    Part,
    areas,
    by_reason,
    circumstances,
    drift_of,
    having,
    hollow,
    live_sentences,
    not_imitated,
    parts,
    summary_line,
    waited,
)

if TYPE_CHECKING:
    from aepmock.judge import ClauseResult, Finding, Report


def render_markdown(report: Report, *, timed: bool = True) -> str:
    """The report as a Markdown document.

    Without `timed` it leaves out when the run was and how long it took, so that a page under
    version control changes only with what it says.
    """
    pieces = (_head(report, timed=timed), _table(report), _sections(report), _live(report))
    return "\n".join(line for piece in pieces for line in piece)


def _head(report: Report, *, timed: bool) -> Iterator[str]:
    yield f"# Verdicts on {markdown(report.client)}"
    yield ""
    yield markdown(circumstances(report))
    if timed:
        yield ""
        words = f", {waited(report)}" if waited(report) else ""
        yield f"Started {markdown(report.started_at)}, took {report.duration_s:.1f} s{words}."
    yield ""
    if not_imitated(report):
        yield markdown(not_imitated(report))
        yield ""
    for sentence in hollow(report):
        yield markdown(sentence)
        yield ""
    yield f"**{markdown(summary_line(report))}**"
    yield ""


def _table(report: Report) -> Iterator[str]:
    yield "| area | met | broken | other |"
    yield "|---|---:|---|---|"
    for area in areas(report):
        yield f"| {markdown(area.name)} | {area.met} | {area.broken_text} | {area.other_text} |"
    yield ""


def _sections(report: Report) -> Iterator[str]:
    if broken := having(report, "broken"):
        yield from ("## Broken", "")
        for result in broken:
            yield from _broken(result)
    if passes := having(report, "unexpected-pass"):
        yield from ("## Unexpected passes", "", TAKE_THEM_OFF, "")
        yield from _reasons(passes)
    if known := having(report, "known-failing"):
        yield from ("## Known failing", "")
        yield from _reasons(known)
    for verdict, title in (("unsupported", "Unsupported"), ("not-exercised", "Not exercised")):
        if grouped := by_reason(report, verdict):
            yield from (f"## {title}", "")
            for reason, clauses in grouped.items():
                yield f"- {markdown(reason) or 'no reason given'}: {markdown(', '.join(clauses))}"
            yield ""


def _live(report: Report) -> Iterator[str]:
    """What a live run did and what the service showed; nothing for a run on the mock."""
    if report.live_run is None and not report.live:
        return
    yield from ("## Seen live", "")
    found = drift_of(report.live)
    told = [*live_sentences(report), *(found.sentences if report.live else ())]
    for sentence in told:
        yield from (markdown(sentence), "")
    other = [(row.subject, row.reading, row.expected) for row in found.other]
    drifted = [(row.subject, row.expected, row.got) for row in found.drifted]
    for head, rows in (
        ("| reading that holds | live | by default |", other),
        ("| drifted | expected | actual |", drifted),
    ):
        if rows:
            yield from (head, "|---|---|---|")
            yield from (f"| {' | '.join(map(markdown, cells))} |" for cells in rows)
            yield ""


def _reasons(results: list[ClauseResult]) -> Iterator[str]:
    for result in results:
        reason = markdown(result.reason) or "no reason given"
        yield f"- {markdown(result.clause.id)} ({result.clause.grade}): {reason}"
    yield ""


def _broken(result: ClauseResult) -> Iterator[str]:
    yield f"### {markdown(result.clause.id)} ({result.clause.grade})"
    yield ""
    if not result.findings:
        yield from (markdown(result.clause.text), "")
    for finding in result.findings[:1]:
        yield from _finding(result, finding)
    if result.findings[1:]:
        yield from ("Also:", "", *(f"- {markdown(f.summary)}" for f in result.findings[1:]), "")


def _finding(result: ClauseResult, finding: Finding) -> Iterator[str]:
    yield f"**{markdown(finding.summary)}**"
    yield ""
    pieces = list(parts(result, finding))
    phrases = [part for part in pieces if part.form == "phrase"]
    for part in phrases:
        yield f"- {part.label}: {markdown(part.text)}"
    if phrases:
        yield ""
    for part in pieces:
        if part.form != "phrase":
            yield from (f"{part.label.capitalize()}:", "", _fence(part), "")


def _fence(part: Part) -> str:
    if part.form == "command":
        return fenced(visible(part.text), "sh")
    language = {"diff": "diff", "exchange": "http"}.get(part.label, "text")
    return fenced(part.text, language)
