"""One verdict a clause, and the report of a whole run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any

from aepmock.contract import Clause
from aepmock.judge.findings import Finding, LiveRow, Tally

INTERRUPTED = "it was interrupted"
"""Why a run was cut short that a person ended with Ctrl-C."""


class Verdict(StrEnum):
    """What may be said of a client and a clause."""

    MET = "met"
    BROKEN = "broken"
    NOT_EXERCISED = "not-exercised"
    UNSUPPORTED = "unsupported"
    KNOWN_FAILING = "known-failing"
    UNEXPECTED_PASS = "unexpected-pass"


@dataclass(frozen=True)
class ClauseResult:
    """The verdict on one clause. `examples` counts how often it was put to the test."""

    clause: Clause
    verdict: Verdict
    examples: int
    findings: tuple[Finding, ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class Report:
    """A whole run: what was judged, how, and every clause's result in the contract's order.

    `started_at` is an ISO 8601 time in UTC, `duration_s` seconds; `waited_s` is the part of
    them that clients were kept waiting, for timeouts and Retry-After. `not_imitated` counts the
    requests for things that aepmock does not imitate, which nobody judged. `reading` names the
    readings that were chosen, "connections.delete-status=202", or is "default". Of a live run,
    `live` says what it showed of the documentation, and `live_run` what it did: its id, counts,
    what it held back and what it left behind. `cut_short` says why the run ended before all was
    done, and `refused` with which status Flow Service itself refused every request, where it did.
    """

    kit: str
    contract: str
    client: str
    mode: str
    transport: str
    seed: int
    started_at: str
    duration_s: float
    results: tuple[ClauseResult, ...]
    waited_s: float = 0.0
    not_imitated: int = 0
    live: tuple[LiveRow, ...] = ()
    live_run: Mapping[str, Any] | None = None
    cut_short: str = ""
    refused: str = ""
    reading: str = "default"

    @property
    def summary(self) -> Mapping[str, int]:
        """How many clauses have each verdict; every verdict is there, also with 0."""
        counts = Counter(str(result.verdict) for result in self.results)
        return {str(verdict): counts.get(str(verdict), 0) for verdict in Verdict}

    def to_json(self) -> dict[str, Any]:
        """Plain data from which `from_json` makes the report again."""
        return {
            **{f.name: getattr(self, f.name) for f in fields(self) if f.name != "results"},
            "live": [asdict(row) for row in self.live],
            "results": [
                {
                    "clause": result.clause.id,
                    "verdict": str(result.verdict),
                    "examples": result.examples,
                    "reason": result.reason,
                    "findings": [asdict(finding) for finding in result.findings],
                }
                for result in self.results
            ],
        }

    @staticmethod
    def from_json(data: Mapping[str, Any], clauses: Mapping[str, Clause]) -> Report:
        """The report that `to_json` gave; clauses come from the contract."""
        results = tuple(
            ClauseResult(
                clauses[r["clause"]],
                Verdict(r["verdict"]),
                r["examples"],
                tuple(Finding(**{**f, "calls": tuple(f["calls"])}) for f in r["findings"]),
                r["reason"],
            )
            for r in data["results"]
        )
        live = tuple(LiveRow(**row) for row in data.get("live", ()))
        return Report(**{**data, "results": results, "live": live})

    @property
    def exercised(self) -> bool:
        """Whether anything was judged at all: a run that exercised nothing is a failure."""
        return any(result.examples for result in self.results)

    @property
    def exit_status(self) -> int:
        """0 every must met, 1 a must broken or an unexpected pass, 2 nothing ran, or not all.

        1 also for a live run that left something behind, or found drift and was to fail by it;
        130 for a run that a person interrupted.
        """
        if self.cut_short == INTERRUPTED:
            return 130
        if self.live_run and self.live_run["left_behind"]:
            return 1
        drifted = any(row.status == "drifted" for row in self.live)
        if drifted and self.live_run and self.live_run.get("fail_on_drift"):
            return 1
        if not self.exercised:
            return 2
        if any(_fails(result) for result in self.results):
            return 1
        return 2 if self.cut_short else 0


def _fails(result: ClauseResult) -> bool:
    if result.verdict is Verdict.UNEXPECTED_PASS:
        return True
    return result.verdict is Verdict.BROKEN and result.clause.grade == "must"


def decide(
    clauses: Iterable[Clause],
    tally: Tally,
    known_failing: Mapping[str, str],
    needs: Mapping[str, str],
    *,
    idle: str = "",
    why_idle: Callable[[str], str] = lambda _: "",
) -> tuple[ClauseResult, ...]:
    """One result for each clause, in their order.

    `known_failing` maps clause ids to reasons; `needs` maps clause ids to the client method
    without which they can't be exercised; `idle` says why none was, where that is known,
    `why_idle` why a certain clause was not, by its id.
    """
    usual = "nothing the client did put it to the test"
    otherwise = "; ".join(tally.failed.values()) or usual
    return tuple(
        _decide(clause, tally, known_failing, needs, idle or why_idle(clause.id) or otherwise)
        for clause in clauses
    )


def _decide(
    clause: Clause,
    tally: Tally,
    known_failing: Mapping[str, str],
    needs: Mapping[str, str],
    idle: str,
) -> ClauseResult:
    met, broken = tally.met.get(clause.id, 0), tally.broken.get(clause.id, 0)
    findings = tuple(tally.findings.get(clause.id, ()))
    reason = known_failing.get(clause.id, "")
    if findings:
        verdict = Verdict.KNOWN_FAILING if clause.id in known_failing else Verdict.BROKEN
    elif met:
        verdict = Verdict.UNEXPECTED_PASS if clause.id in known_failing else Verdict.MET
    elif needs.get(clause.id) in tally.failed:
        verdict = Verdict.NOT_EXERCISED
        reason = tally.failed[needs[clause.id]]
    elif needs.get(clause.id) in tally.unsupported:
        verdict = Verdict.UNSUPPORTED
        reason = f"the client has no {needs[clause.id]}"
    else:
        verdict = Verdict.NOT_EXERCISED
        reason = tally.unproven.get(clause.id) or idle
    return ClauseResult(clause, verdict, met + broken, findings, reason)
