"""Arranges a report's results for people: by area, by urgency, in sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from aepmock.reports.escaping import visible

if TYPE_CHECKING:
    from aepmock.judge import ClauseResult, Finding, LiveRow, Report

VERDICTS = ("met", "broken", "unexpected-pass", "known-failing", "unsupported", "not-exercised")
GRADES = ("must", "should", "open")
TAKE_IT_OFF = "This passes now: take it off the known-failing list."
TAKE_THEM_OFF = "These pass now: take them off the known-failing list."
NOTHING_EXERCISED = "nothing was exercised, so this says nothing about the client"


@dataclass
class Area:
    """How the clauses of one area fared: `broken` counts by grade, `other` by verdict."""

    name: str
    met: int = 0
    broken: Counter[str] = field(default_factory=Counter)
    other: Counter[str] = field(default_factory=Counter)

    @property
    def broken_text(self) -> str:
        """The broken ones by grade: "1 must, 2 should"; "0" for none."""
        return ", ".join(f"{self.broken[g]} {g}" for g in GRADES if self.broken[g]) or "0"

    @property
    def other_text(self) -> str:
        """What is neither met nor broken: "2 not exercised"; empty for none."""
        return _counts(self.other)


@dataclass(frozen=True)
class Part:
    """One labelled piece of a finding: a phrase, a block of lines, or a command to copy."""

    label: str
    text: str
    form: Literal["phrase", "block", "command"] = "phrase"


def area_of(clause: str) -> str:
    """The area of a clause id: its first part, of `connections` the first two.

    >>> area_of("connections.update.if-match"), area_of("request.api-key")
    ('connections.update', 'request')
    """
    parts = clause.split(".")
    return ".".join(parts[: 2 if parts[0] == "connections" else 1])


def areas(report: Report) -> tuple[Area, ...]:
    """Every area with its counts, in the order of the report."""
    found: dict[str, Area] = {}
    for result in report.results:
        name = area_of(result.clause.id)
        area = found.setdefault(name, Area(name))
        verdict = str(result.verdict)
        if verdict == "met":
            area.met += 1
        elif verdict == "broken":
            area.broken[result.clause.grade] += 1
        else:
            area.other[verdict] += 1
    return tuple(found.values())


def having(report: Report, verdict: str) -> list[ClauseResult]:
    """The results with a verdict, the musts first."""
    found = [r for r in report.results if str(r.verdict) == verdict]
    return sorted(found, key=lambda result: GRADES.index(result.clause.grade))


def parts(result: ClauseResult, finding: Finding) -> Iterator[Part]:
    """What there is to say of a finding beyond its summary, in the order to read it."""
    reading = "" if finding.reading == "default" else finding.reading
    everything = (
        Part("rule", result.clause.text),
        Part("expected", finding.expected),
        Part("actual", finding.got),
        Part("reading", reading),
        Part("calls", "\n".join(map(visible, finding.calls)), "block"),
        Part("exchange", finding.exchange, "block"),
        Part("diff", finding.diff, "block"),
        Part("stderr", finding.log, "block"),
        Part("source", source_of(result, finding)),
        Part("reproduce", finding.reproduce, "command"),
    )
    return (part for part in everything if part.text.strip("\n"))


def source_of(result: ClauseResult, finding: Finding) -> str:
    """Where what was broken is documented: the finding's own source, or else its clause's."""
    return finding.source or str(result.clause.source)


def by_reason(report: Report, verdict: str) -> Mapping[str, list[str]]:
    """Clauses with a verdict by the reason for it, an area that has no others as one pattern.

    {"the client has no explore_connection": ["connections.explore.* (5)"]}
    """
    whole = Counter(area_of(result.clause.id) for result in report.results)
    grouped: dict[str, list[str]] = {}
    for result in having(report, verdict):
        grouped.setdefault(result.reason, []).append(result.clause.id)
    return {reason: _drawn_together(clauses, whole) for reason, clauses in grouped.items()}


def circumstances(report: Report) -> str:
    """How the run was made, in one line, without times."""
    reading = "" if report.reading == "default" else f", reading {report.reading}"
    return (
        f"{report.mode}, transport {report.transport}, seed {report.seed}{reading}"
        f" · contract {report.contract} · aepmock {report.kit}"
    )


def waited(report: Report) -> str:
    """How long clients were kept waiting: "waited 1.5 s for timeouts"; empty for not at all."""
    return f"waited {report.waited_s:.1f} s for timeouts" if report.waited_s else ""


def not_imitated(report: Report) -> str:
    """How many requests nobody judged, in a sentence; empty for none."""
    number = report.not_imitated
    if not number:
        return ""
    requests, were = ("request", "was") if number == 1 else ("requests", "were")
    return f"{number} {requests} to things aepmock does not imitate {were} not judged."


@dataclass(frozen=True)
class DriftSeen:
    """What a live service showed: in sentences, the readings that are not the default's, drift."""

    sentences: tuple[str, ...]
    other: tuple[LiveRow, ...]
    drifted: tuple[LiveRow, ...]


def drift_of(rows: Sequence[LiveRow]) -> DriftSeen:
    """The rows of a live run, arranged."""
    confirmed = [row for row in rows if row.status == "confirmed"]
    readings = [row for row in confirmed if row.reading]
    other = tuple(row for row in readings if row.reading != row.expected)
    plain = [row for row in confirmed if not row.reading and row.got == row.expected]
    told = [row for row in confirmed if not row.reading and row.got != row.expected]
    unseen = sum(row.status == "unseen" for row in rows)
    drifted = tuple(row for row in rows if row.status == "drifted")
    summary = (
        f"Readings confirmed: {len(readings)}, {len(other)} of them not the mock's default. "
        f"Operations and refusals as the mock has them: {len(plain)}. "
        f"Drifted: {len(drifted)}. Not seen: {unseen}."
    )
    sentences = [summary]
    sentences += [f"{row.subject}: {row.got}" for row in told]
    return DriftSeen(tuple(sentences), other, drifted)


def live_sentences(report: Report) -> Iterator[str]:
    """What a live run did beyond its verdicts, a paragraph each; nothing for the mock."""
    run = report.live_run
    if run is None:
        return
    yield (
        f"Live run {run['run']} in the sandbox {run['sandbox']}: {run['requests']} requests, "
        f"{run['created']} created, {run['deleted']} deleted. "
        f"The slowest answer took {run.get('slowest_s', 0):g} s."
    )
    if run["disturbed"]:
        seen = ", ".join(run["disturbances"][:3])
        yield f"Disturbances, which are nobody's fault here: {run['disturbed']} ({seen})."
    if run.get("throttled"):
        yield f"The service throttled the run (429) {run['throttled']} times."
    if run["held_back"]:
        yield f"Held back, did not leave this machine: {'; '.join(run['held_back'])}."
    if run.get("budget_spent"):
        yield "The budget was spent before the suite was done: --live-max-requests N allows more."
    if run["left_behind"]:
        yield (
            f"Left behind: {'; '.join(run['left_behind'])}. "
            f"To try again: aepmock live sweep --run {run['run']}"
        )


def hollow(report: Report) -> Iterator[str]:
    """What makes the verdicts say less than it seems, a sentence each; the worst comes first."""
    if report.cut_short:
        yield f"Not all was done: {report.cut_short}."
    if report.refused:
        yield (
            f"The service refused everything with {report.refused}: what is met below was met by "
            "requests that never worked."
        )
    missing = [r.reason for r in having(report, "unsupported")]
    if missing:
        names = dict.fromkeys(reason.rpartition(" ")[2] for reason in missing)
        yield f"Methods missing: {', '.join(names)} ({_number(missing)} unsupported)."
    idle = having(report, "not-exercised")
    if idle:
        by_area = Counter(area_of(r.clause.id) for r in idle)
        whole = Counter(area_of(r.clause.id) for r in report.results)
        said = [
            f"{area} {f'all {number}' if number == whole[area] else f'{number} of {whole[area]}'}"
            for area, number in by_area.items()
        ]
        yield f"Not exercised: {', '.join(said)}."


def _number(clauses: Sequence[object]) -> str:
    return f"{len(clauses)} clause{'' if len(clauses) == 1 else 's'}"


def summary_line(report: Report) -> str:
    """The run in one line: "88 clauses: 85 met, 1 broken, 2 not exercised · every must met"."""
    total = len(report.results)
    clauses = f"{total} clause{'' if total == 1 else 's'}"
    counts = _counts(Counter(str(result.verdict) for result in report.results))
    return f"{clauses}: {counts or 'none selected'} · {_conclusion(report)}"


def _conclusion(report: Report) -> str:
    if not report.exercised:
        return NOTHING_EXERCISED
    musts = Counter(str(r.verdict) for r in report.results if r.clause.grade == "must")
    passes = len(having(report, "unexpected-pass"))
    take_off = f", take {passes} off the known-failing list" if passes else ""
    if broken := musts["broken"]:
        said = f"{broken} must{'' if broken == 1 else 's'} broken"
    elif musts["known-failing"]:
        said = "no must broken beyond the known failing"
    elif not musts:
        said = "no must among them"
    elif musts["met"] + musts["unexpected-pass"] == musts.total():
        said = "every must met"
    elif musts["met"] + musts["unexpected-pass"]:
        said = "every must met that was exercised"
    else:
        said = "no must was exercised"
    return said + take_off


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(_counted(counts[v], v) for v in VERDICTS if counts.get(v))


def _counted(number: int, verdict: str) -> str:
    ending = "es" if verdict == "unexpected-pass" and number != 1 else ""
    return f"{number} {verdict.replace('-', ' ')}{ending}"


def _drawn_together(clauses: list[str], whole: Mapping[str, int]) -> list[str]:
    """Ids as they are; those of an area that is here as a `whole` as a pattern and a number."""
    here = Counter(map(area_of, clauses))

    def said(clause: str) -> str:
        area = area_of(clause)
        together = here[area] == whole[area] > 1
        return f"{area}.* ({here[area]})" if together else clause

    return list(dict.fromkeys(map(said, clauses)))
