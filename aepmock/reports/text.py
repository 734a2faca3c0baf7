"""The report on a terminal: a table of verdicts, then every clause that is not met."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.cells import cell_len, chop_cells
from rich.table import Table
from rich.text import Text

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
    from collections.abc import Mapping, Sequence

    from rich.console import Console

    from aepmock.judge import ClauseResult, Finding, LiveRow, Report

_LABEL_WIDTH = 10
_NARROWEST = 20


def render_drift(rows: Sequence[LiveRow], *, console: Console, verbose: bool = False) -> None:
    """Prints what a live service showed, as in the report of a live run.

    With `verbose` every subject is listed, with the day on which it was seen.
    """
    printer = _Printer(console)
    if verbose:
        printer.subjects(rows)
    printer.drift(rows)


def render_report(
    report: Report, *, console: Console, verbose: bool = False, brief: bool = False
) -> None:
    """Prints a report, as wide as the console; only commands to copy may be longer than that.

    With `verbose` every clause is listed, with its verdict and how many examples tried it; with
    `brief` only those that decide are, in a line each, and the last line.
    """
    printer = _Printer(console)
    if brief:
        printer.brief(report)
        return
    printer.say(report.client, style="bold")
    printer.sentence(f"{circumstances(report)} · {report.duration_s:.1f} s")
    if waited(report):
        printer.say(waited(report))
    if not_imitated(report):
        printer.say(not_imitated(report))
    for sentence in hollow(report):
        printer.sentence(sentence, style="bold")
    printer.gap()
    printer.areas(report)
    if verbose:
        printer.gap()
        printer.clauses(report)
        printer.subjects(report.live)
    printer.broken(having(report, "broken"))
    printer.listed("Unexpected passes", having(report, "unexpected-pass"), TAKE_THEM_OFF)
    printer.listed("Known failing", having(report, "known-failing"))
    printer.grouped("Unsupported", by_reason(report, "unsupported"))
    printer.grouped("Not exercised", by_reason(report, "not-exercised"))
    printer.live(report)
    printer.gap()
    printer.sentence(summary_line(report), style="bold")


class _Printer:
    def __init__(self, console: Console) -> None:
        self._console = console

    def gap(self) -> None:
        self._console.print()

    def say(self, text: str, *, indent: int = 0, first: str = "", style: str = "") -> None:
        """Prints one paragraph, wrapped; `first` stands in the indent of its first line."""
        lines = self._text(text, style).wrap(self._console, self._room(indent), overflow="fold")
        lead = first.ljust(indent)
        for line in lines:
            self._put(Text(lead) + line)
            lead = " " * indent

    def sentence(self, text: str, *, style: str = "") -> None:
        """Prints a paragraph of the kit's own, with separators that any terminal can show."""
        ascii_only = self._console.options.ascii_only
        self.say(text.replace(" · ", " - ") if ascii_only else text, style=style)

    def quote(self, text: str) -> None:
        """Prints lines as they are; what is too long goes on below, indented further."""
        for line in visible_lines(text):
            shown, indent = self._text(line).plain, 4
            room = self._room(indent)
            pieces = [shown] if cell_len(shown) <= room else chop_cells(shown, room - 2)
            for piece in pieces:
                self._put(Text(" " * indent + piece))
                indent = 6

    def brief(self, report: Report) -> None:
        """What the report comes to: no table, no evidence."""
        for sentence in hollow(report):
            self.sentence(sentence)
        for result in having(report, "broken"):
            what = result.findings[0].summary if result.findings else result.clause.text
            self._item(result, "broken", what)
        for result in having(report, "unexpected-pass"):
            self._item(result, "unexpected pass", "take it off the known-failing list")
        for row in drift_of(report.live).drifted if report.live else ():
            self.say(f"{row.subject} drifted: {row.got}", indent=2, first="-")
        for sentence in live_sentences(report):
            self.say(sentence)
        self.sentence(summary_line(report), style="bold")

    def _item(self, result: ClauseResult, verdict: str, what: str) -> None:
        said = f"{result.clause.id} ({result.clause.grade}) {verdict}: {what}"
        self.say(said, indent=2, first="-")

    def heading(self, title: str) -> None:
        self.gap()
        self.say(title.upper(), style="bold")

    def live(self, report: Report) -> None:
        """What a live run did, in a few sentences; nothing for a run on the mock."""
        for sentence in live_sentences(report):
            self.gap()
            self.say(sentence)
        self.drift(report.live)

    def subjects(self, rows: Sequence[LiveRow]) -> None:
        """What a live service showed of everything it could have shown."""
        if not rows:
            return
        self.gap()
        table = self._table("subject", "live", "reading", "on")
        for row in rows:
            table.add_row(*map(self._text, (row.subject, row.status, row.reading, row.date)))
        self._console.print(table)

    def drift(self, rows: Sequence[LiveRow]) -> None:
        """What a live service showed: readings that hold, what drifted, what was not seen."""
        if not rows:
            return
        found = drift_of(rows)
        self.heading("Seen live")
        for sentence in found.sentences:
            self.say(sentence)
        if found.other:
            self.gap()
            table = self._table("reading that holds", "live", "by default")
            for row in found.other:
                table.add_row(*map(self._text, (row.subject, row.reading, row.expected)))
            self._console.print(table)
        if found.drifted:
            self.heading("Drifted")
        for row in found.drifted:
            self.say(row.subject, style="bold")
            self.say(row.expected, indent=_LABEL_WIDTH + 2, first="  expected")
            self.say(row.got, indent=_LABEL_WIDTH + 2, first="  actual")

    def areas(self, report: Report) -> None:
        table = self._table("area", ">met", "broken", "other")
        for area in areas(report):
            cells = (area.name, str(area.met), area.broken_text, area.other_text)
            style = "red" if area.broken["must"] else ""
            table.add_row(*map(self._text, cells), style=style)
        self._console.print(table)

    def clauses(self, report: Report) -> None:
        table = self._table("clause", "grade", "verdict", ">examples")
        for result in report.results:
            verdict = str(result.verdict).replace("-", " ")
            cells = (result.clause.id, result.clause.grade, verdict, str(result.examples))
            table.add_row(*map(self._text, cells))
        self._console.print(table)

    def broken(self, results: list[ClauseResult]) -> None:
        if results:
            self.heading("Broken")
        for result in results:
            self.gap()
            style = "bold red" if result.clause.grade == "must" else "bold"
            self.say(f"{result.clause.id} ({result.clause.grade})", style=style)
            if not result.findings:
                self.say(result.clause.text, indent=2)
            for finding in result.findings[:1]:
                self._finding(result, finding)
            for finding in result.findings[1:]:
                self.say(finding.summary, indent=_LABEL_WIDTH + 2, first="  also")

    def listed(self, title: str, results: list[ClauseResult], advice: str = "") -> None:
        if not results:
            return
        self.heading(title)
        self.gap()
        if advice:
            self.say(advice)
        for result in results:
            reason = result.reason or "no reason given"
            said = f"{result.clause.id} ({result.clause.grade}): {reason}"
            self.say(said, indent=2, first="-")

    def grouped(self, title: str, by_reason: Mapping[str, list[str]]) -> None:
        if not by_reason:
            return
        said = [
            f"{', '.join(clauses)} ({reason or 'no reason given'})"
            for reason, clauses in by_reason.items()
        ]
        self.gap()
        self.say(f"{title}: {'; '.join(said)}.")

    def _finding(self, result: ClauseResult, finding: Finding) -> None:
        self.say(finding.summary, indent=2)
        for part in parts(result, finding):
            self._part(part)

    def _part(self, part: Part) -> None:
        if part.form == "phrase":
            self.say(part.text, indent=_LABEL_WIDTH + 2, first=f"  {part.label}")
            return
        self.say(part.label, indent=2)
        if part.form == "command":
            self._put(Text("    ") + self._text(part.text))
        else:
            self.quote(part.text)

    def _table(self, *columns: str) -> Table:
        table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="bold")
        for column in columns:
            name = column.removeprefix(">")
            table.add_column(name, justify="right" if name != column else "left", overflow="fold")
        return table

    def _put(self, line: Text) -> None:
        """Prints one line as it is: what is too long runs over, so that it can be copied."""
        line.rstrip()
        self._console.print(line, soft_wrap=True)

    def _room(self, indent: int) -> int:
        return max(self._console.width - indent, _NARROWEST)

    def _text(self, text: str, style: str = "") -> Text:
        encoding = self._console.encoding
        shown = visible(text).encode(encoding, "backslashreplace").decode(encoding)
        return Text(shown, style)
