"""The report as one HTML page that needs nothing else: no script, no file beside it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from aepmock.reports.escaping import visible, visible_lines
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
    from collections.abc import Mapping

    from aepmock.judge import ClauseResult, Finding, Report

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_STYLE = """
:root {
  color-scheme: light dark;
  --paper: #fff; --panel: #f5f6f8; --ink: #1b1f24; --quiet: #59636e; --line: #d5dae0;
  --accent: #0a58ca; --bad: #b42318; --bad-soft: #fdecea; --warn: #8a5300; --warn-soft: #fff4de;
  --good: #176b3a; --good-soft: #e7f5ec;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14171b; --panel: #1c2026; --ink: #e8eaed; --quiet: #a4adb8; --line: #343a43;
    --accent: #7fb2ff; --bad: #ff9d92; --bad-soft: #40201d; --warn: #f3c46b;
    --warn-soft: #3b2e13; --good: #7fd6a0; --good-soft: #173524;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; max-width: 1000px; padding: 24px 20px 64px; background: var(--paper);
  color: var(--ink); font: 15px/1.5 system-ui, sans-serif; overflow-wrap: anywhere;
}
h1 { font-size: 22px; line-height: 1.3; margin: 0 0 4px; }
h2 { font-size: 17px; margin: 32px 0 8px; }
p { margin: 4px 0; }
.quiet, th, dt { color: var(--quiet); }
.conclusion {
  margin: 16px 0; padding: 10px 14px; border-radius: 6px; font-weight: 600;
  background: var(--good-soft); color: var(--good);
}
.conclusion.bad { background: var(--bad-soft); color: var(--bad); }
.conclusion.warn { background: var(--warn-soft); color: var(--warn); }
table { border-collapse: collapse; width: 100%; }
th { font-weight: 600; text-align: left; }
th, td {
  padding: 5px 14px 5px 0; border-bottom: 1px solid var(--line); vertical-align: top;
  overflow-wrap: normal;
}
td.long { overflow-wrap: anywhere; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
.bad { color: var(--bad); }
.warn { color: var(--warn); }
.good { color: var(--good); }
details { border: 1px solid var(--line); border-radius: 6px; margin: 10px 0; }
summary { cursor: pointer; padding: 9px 14px; background: var(--panel); border-radius: 6px; }
summary:focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
details > div { padding: 4px 14px 14px; }
summary b { display: inline; }
.grade {
  margin-left: 8px; padding: 1px 7px; border-radius: 4px; font-size: 13px; font-weight: 600;
  background: var(--warn-soft); color: var(--warn);
}
.grade.must { background: var(--bad-soft); color: var(--bad); }
.said { display: block; }
dl { display: grid; grid-template-columns: 84px minmax(0, 1fr); gap: 4px 12px; margin: 8px 0; }
dd { margin: 0; }
h3 { font-size: 13px; font-weight: 600; color: var(--quiet); margin: 12px 0 4px; }
pre, code { font: 13px/1.45 ui-monospace, "DejaVu Sans Mono", Menlo, monospace; }
pre {
  margin: 0; padding: 10px 12px; background: var(--panel); border: 1px solid var(--line);
  border-radius: 6px; white-space: pre-wrap;
}
pre .add { background: var(--good-soft); color: var(--good); }
pre .del { background: var(--bad-soft); color: var(--bad); }
li { margin: 4px 0; }
@media (max-width: 560px) {
  body { padding: 16px 12px 48px; font-size: 14px; }
  dl { grid-template-columns: minmax(0, 1fr); gap: 0; }
  dd { margin-bottom: 8px; }
  details > div { padding: 4px 10px 12px; }
  summary { padding: 9px 10px; }
  table { font-size: 13px; }
  th, td { padding-right: 8px; }
}
@media print { details::details-content { content-visibility: visible; } }
"""


def render_html(report: Report) -> str:
    """The report as an HTML document; ElementTree does all the escaping."""
    root = Element("html", lang="en")
    head, body = _block(root, "head"), _block(root, "body")
    _block(head, "meta", charset="utf-8")
    _block(head, "meta", name="viewport", content="width=device-width, initial-scale=1")
    _block(head, "meta", {"http-equiv": "Content-Security-Policy", "content": _POLICY})
    _block(head, "title", text=f"Verdicts on {report.client}")
    # What stands in it is ours alone: HTML does not escape it.
    SubElement(head, "style").text = _STYLE
    _top(body, report)
    _areas(body, report)
    _broken(body, having(report, "broken"))
    _listed(body, "Unexpected passes", having(report, "unexpected-pass"), TAKE_THEM_OFF)
    _listed(body, "Known failing", having(report, "known-failing"))
    _grouped(body, "Unsupported", by_reason(report, "unsupported"))
    _grouped(body, "Not exercised", by_reason(report, "not-exercised"))
    _live(body, report)
    _clauses(body, report)
    return "<!doctype html>\n" + ElementTree.tostring(root, encoding="unicode", method="html")


def _block(
    parent: Element,
    tag: str,
    attributes: Mapping[str, str] | None = None,
    *,
    text: str = "",
    **more: str,
) -> Element:
    """An element on lines of its own, with a text from wherever made visible."""
    made = SubElement(parent, tag, {**(attributes or {}), **more})
    made.text = visible(text)
    made.tail = "\n"
    return made


def _top(body: Element, report: Report) -> None:
    _block(body, "h1", text=f"Verdicts on {report.client}")
    _block(body, "p", {"class": "quiet"}, text=circumstances(report))
    words = f", {waited(report)}" if waited(report) else ""
    took = f"Started {report.started_at}, took {report.duration_s:.1f} s{words}."
    _block(body, "p", {"class": "quiet"}, text=took)
    if not_imitated(report):
        _block(body, "p", {"class": "quiet"}, text=not_imitated(report))
    for sentence in hollow(report):
        _block(body, "p", text=sentence)
    kind = {0: "", 1: " bad"}.get(report.exit_status, " warn")
    _block(body, "p", {"class": f"conclusion{kind}"}, text=summary_line(report))


def _table(parent: Element, head: Iterable[tuple[str, str]]) -> Element:
    """A table's body; `head` has each column's title and class."""
    table = _block(parent, "table")
    row = _block(_block(table, "thead"), "tr")
    for title, kind in head:
        _block(row, "th", {"class": kind, "scope": "col"}, text=title)
    return _block(table, "tbody")


def _row(table: Element, cells: Iterable[tuple[str, str]]) -> None:
    row = _block(table, "tr")
    for text, kind in cells:
        SubElement(row, "td", {"class": kind}).text = visible(text)


def _areas(body: Element, report: Report) -> None:
    table = _table(body, [("area", ""), ("met", "number"), ("broken", ""), ("other", "")])
    for area in areas(report):
        bad = "bad" if area.broken["must"] else ""
        cells = [(area.name, bad), (str(area.met), "number")]
        _row(table, [*cells, (area.broken_text, bad), (area.other_text, "")])


def _broken(body: Element, results: list[ClauseResult]) -> None:
    if results:
        _block(body, "h2", text="Broken")
    for number, result in enumerate(results):
        # The most urgent one is there to read, the others at a key press.
        details = _block(body, "details", {"open": "open"} if number == 0 else {})
        details.set("id", visible(result.clause.id))
        summary = _block(details, "summary")
        _block(summary, "b", text=result.clause.id)
        _block(summary, "span", {"class": f"grade {result.clause.grade}"}, text=result.clause.grade)
        first = result.findings[0].summary if result.findings else result.clause.text
        _block(summary, "span", {"class": "said"}, text=first)
        inside = _block(details, "div")
        for finding in result.findings[:1]:
            _finding(inside, result, finding)
        if result.findings[1:]:
            _block(inside, "h3", text="also")
            others = _block(inside, "ul")
            for finding in result.findings[1:]:
                _block(others, "li", text=finding.summary)


def _finding(parent: Element, result: ClauseResult, finding: Finding) -> None:
    pieces = list(parts(result, finding))
    phrases = _block(parent, "dl")
    for part in pieces:
        if part.form == "phrase":
            _block(phrases, "dt", text=part.label)
            _block(phrases, "dd", text=part.text)
    for part in pieces:
        if part.form != "phrase":
            _block(parent, "h3", text=part.label)
            _quoted(_block(parent, "pre"), part)


def _quoted(pre: Element, part: Part) -> None:
    lines = [visible(part.text)] if part.form == "command" else visible_lines(part.text)
    if part.label != "diff":
        pre.text = "\n".join(lines)
        return
    for line, kind in _told_apart(lines):
        changed = SubElement(pre, "span", {"class": kind})
        changed.text = line
        changed.tail = "\n"


def _told_apart(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The lines of a diff, and what becomes of each: its first two name the sides."""
    kinds = {"+": "add", "-": "del", "@": "quiet"}
    for number, line in enumerate(lines):
        yield line, "quiet" if number < 2 else kinds.get(line[:1], "same")


def _listed(body: Element, title: str, results: list[ClauseResult], advice: str = "") -> None:
    if not results:
        return
    _block(body, "h2", text=title)
    if advice:
        _block(body, "p", text=advice)
    items = _block(body, "ul")
    for result in results:
        reason = result.reason or "no reason given"
        _block(items, "li", text=f"{result.clause.id} ({result.clause.grade}): {reason}")


def _grouped(body: Element, title: str, reasons: Mapping[str, list[str]]) -> None:
    if not reasons:
        return
    _block(body, "h2", text=title)
    items = _block(body, "ul")
    for reason, clauses in reasons.items():
        _block(items, "li", text=f"{reason or 'no reason given'}: {', '.join(clauses)}")


def _live(body: Element, report: Report) -> None:
    """What a live run did and what the service showed; nothing for a run on the mock."""
    if report.live_run is None and not report.live:
        return
    _block(body, "h2", text="Seen live")
    found = drift_of(report.live)
    for sentence in (*live_sentences(report), *(found.sentences if report.live else ())):
        _block(body, "p", text=sentence)
    if found.other:
        table = _table(body, [("reading that holds", ""), ("live", ""), ("by default", "")])
        for row in found.other:
            _row(table, [(row.subject, ""), (row.reading, ""), (row.expected, "")])
    if found.drifted:
        table = _table(body, [("drifted", "bad"), ("expected", ""), ("actual", "")])
        for row in found.drifted:
            _row(table, [(row.subject, "bad"), (row.expected, ""), (row.got, "")])


def _clauses(body: Element, report: Report) -> None:
    _block(body, "h2", text="Every clause")
    details = _block(body, "details")
    _block(details, "summary", text=f"{len(report.results)} verdicts")
    head = [("clause", ""), ("grade", ""), ("verdict", ""), ("examples", "number")]
    table = _table(_block(details, "div"), head)
    kinds = {"met": "good", "broken": "bad", "unexpected-pass": "bad", "known-failing": "warn"}
    for result in report.results:
        verdict = str(result.verdict)
        kind = kinds.get(verdict, "quiet")
        cells = [(result.clause.id, "long"), (result.clause.grade, "")]
        cells += [(verdict.replace("-", " "), kind), (str(result.examples), "number")]
        _row(table, cells)
