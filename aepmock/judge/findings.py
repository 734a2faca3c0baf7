"""What was found wrong, and how often a clause was put to the test."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from aepmock.messages import Exchange, Request


@dataclass(frozen=True)
class Violation:
    """What a check found, before anyone knows under which reading it happened.

    `expected` and `got` are short texts without any secret; `nearest` is the request as it
    would have been right, where one can be made; `log` the last lines of a
    program's stderr, `call` the number of the one call of the example that it is about.
    """

    summary: str
    expected: str
    got: str
    exchange: Exchange | None = None
    nearest: Request | None = None
    log: tuple[str, ...] = ()
    call: int | None = None


@dataclass(frozen=True)
class Unproven:
    """What shows nothing of a clause, though it looks as if it did: why, in a few words."""

    why: str


@dataclass(frozen=True)
class Finding:
    """A broken clause with its evidence, redacted: safe to show, keep and send.

    `exchange` is the request and answer as text, `diff` the way to the nearest right request,
    `calls` the example that led there, one line a call, `log` the last lines of a program's
    stderr. Of the findings of a clause the one with the lowest `order` is shown first, as it is
    when `reproduce` is run.
    """

    clause: str
    summary: str
    expected: str
    got: str
    reading: str = "default"
    calls: tuple[str, ...] = ()
    exchange: str = ""
    diff: str = ""
    log: str = ""
    source: str = ""
    reproduce: str = ""
    order: int = 0


@dataclass(frozen=True)
class LiveRow:
    """What a live run showed of a clause or a reading, the `subject`.

    `status` is "confirmed", "drifted" or "unseen"; `reading` the option that explains the
    answer, "" for none; `date` an ISO 8601 day. Redacted.
    """

    subject: str
    status: str
    reading: str = ""
    expected: str = ""
    got: str = ""
    date: str = ""


@dataclass
class Tally:
    """How often each clause was met, and what was found; adds up over tests and workers.

    `failed` says of methods that fail on a good answer how they do, `unproven` why what was seen
    of a clause shows nothing; `statuses` counts the answers that Flow Service gave by itself;
    `waited_s` is how long clients were really kept waiting for what was put to the test,
    `not_imitated` how many requests were for things that aepmock does not imitate.
    """

    met: dict[str, int] = field(default_factory=dict)
    broken: dict[str, int] = field(default_factory=dict)
    findings: dict[str, list[Finding]] = field(default_factory=dict)
    unsupported: set[str] = field(default_factory=set)
    failed: dict[str, str] = field(default_factory=dict)
    unproven: dict[str, str] = field(default_factory=dict)
    statuses: dict[str, int] = field(default_factory=dict)
    waited_s: float = 0.0
    not_imitated: int = 0
    live: list[LiveRow] = field(default_factory=list)

    def count(self, clause: str, *, met: bool) -> None:
        counts = self.met if met else self.broken
        counts[clause] = counts.get(clause, 0) + 1

    def add(self, finding: Finding) -> None:
        """Keeps a finding in its order; of several with the same words only the first."""
        kept = self.findings.setdefault(finding.clause, [])
        first: dict[str, Finding] = {}
        for one in sorted([*kept, finding], key=lambda one: one.order):
            first.setdefault(one.summary, one)
        kept[:] = first.values()

    def merge(self, other: Tally) -> None:
        for mine, theirs in (
            (self.met, other.met),
            (self.broken, other.broken),
            (self.statuses, other.statuses),
        ):
            for key, number in theirs.items():
                mine[key] = mine.get(key, 0) + number
        for findings in other.findings.values():
            for finding in findings:
                self.add(finding)
        self.unsupported |= other.unsupported
        self.failed = {**other.failed, **self.failed}
        self.unproven = {**other.unproven, **self.unproven}
        self.waited_s += other.waited_s
        self.not_imitated += other.not_imitated
        self.live += [row for row in other.live if row not in self.live]

    def to_json(self) -> dict[str, Any]:
        """Plain data, for the way from an xdist worker to its controller."""
        return {
            "met": self.met,
            "broken": self.broken,
            "findings": [asdict(f) for found in self.findings.values() for f in found],
            "unsupported": sorted(self.unsupported),
            "failed": self.failed,
            "unproven": self.unproven,
            "statuses": self.statuses,
            "waited_s": self.waited_s,
            "not_imitated": self.not_imitated,
            "live": [asdict(row) for row in self.live],
        }

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Tally:
        tally = Tally(dict(data["met"]), dict(data["broken"]), {}, set(data["unsupported"]))
        tally.failed, tally.unproven = dict(data["failed"]), dict(data["unproven"])
        tally.statuses = dict(data["statuses"])
        tally.waited_s = data["waited_s"]
        tally.not_imitated = data["not_imitated"]
        for found in data["findings"]:
            tally.add(Finding(**{**found, "calls": tuple(found["calls"])}))
        tally.live = [LiveRow(**row) for row in data.get("live", ())]
        return tally

    @staticmethod
    def sum(tallies: Iterable[Tally]) -> Tally:
        total = Tally()
        for tally in tallies:
            total.merge(tally)
        return total
