"""Finds where the live service and the mock part, and which reading of the documentation holds.

The exchanges of a run are kept redacted and gone through once it is over, as often as it takes
until what was learned explains all that can be explained. The same is done with a recording.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock

from aepmock.contract import Contract, Reading, load_contract
from aepmock.judge import LiveRow
from aepmock.live.drift.compare import error_form, told
from aepmock.live.drift.sanitize import Seen, Sight
from aepmock.live.drift.shadow import Prediction, Shadow
from aepmock.messages import Exchange

UNKNOWN_FIELDS = "answers.unknown-fields"
"""The clause by which a live answer may have more than is documented."""
CLAUSES = {
    "etag form": "connections.update.etag-quotes",
    "_links.next.href": "connections.list.next-link",
    "continuationToken": "connections.list.next-link",
}
"""What a difference at some place is about, other than its operation."""
THROTTLED = 429
LONG_AGO = "2026-01-01T00:00:00Z"
_PASSES = 4
"""How often the exchanges are gone through at most; twice is the rule."""
_WRITES = frozenset({"connections.create", "connections.update", "connections.action"})
_READS = frozenset({"connections.get", "connections.list", "connections.search"})


@dataclass(frozen=True)
class Findings:
    """What came out: rows by subject, and how often the service was disturbed, by what."""

    rows: tuple[LiveRow, ...]
    disturbances: Mapping[str, int] = field(default_factory=dict)

    @property
    def drifted(self) -> tuple[LiveRow, ...]:
        return tuple(row for row in self.rows if row.status == "drifted")


class Drift:
    """Takes the exchanges of a live run in their order; tells what differs at the end.

    `now` gives the time as "2026-11-24T23:01:12Z".
    """

    def __init__(self, sight: Sight, *, now: Callable[[], str]) -> None:
        self.sight = sight
        self._now = now
        self._seen: list[Seen] = []
        self._lock = Lock()

    def __call__(self, exchange: Exchange) -> None:
        """Sees an exchange; an answer that was put in stands for one that never came."""
        with self._lock:
            if exchange.response.injected:
                seen = self.sight.lost(exchange.request, at=self._now())
            else:
                seen = self.sight.exchange(exchange, at=self._now())
            if seen is not None:
                self._seen.append(seen)

    @property
    def exchanges(self) -> tuple[Seen, ...]:
        """What was seen, redacted, in order."""
        with self._lock:
            return tuple(self._seen)

    def findings(self) -> Findings:
        """What differs so far."""
        return find_drift(self.exchanges)


def disturbance(seen: Seen) -> str | None:
    """What disturbed an exchange, "503" or "no answer"; None where the service itself spoke."""
    if seen.response is None:
        return "no answer"
    if seen.status == THROTTLED:
        after = " with Retry-After" if "retry-after" in seen.response["headers"] else ""
        return f"429{after}"
    if seen.status >= 500:
        return str(seen.status)
    return f"{seen.status} in HTML" if seen.response.get("text") == "(HTML)" else None


def _clause_about(seen: Seen) -> str | None:
    """The clause about answers of that form, which so are known to occur; None for none."""
    response = seen.response
    if response is None:
        return None
    if "json" in response:
        return (
            "errors.gateway" if "error_code" in error_form(response["json"]) else "errors.service"
        )
    return {"(HTML)": "errors.html-body", None: "errors.empty-body"}.get(response.get("text"))


def find_drift(exchanges: Sequence[Seen], contract: Contract | None = None) -> Findings:
    """What a sequence of live exchanges confirms, and where it is not as the mock has it."""
    contract = contract or load_contract()
    believed = contract.default_readings
    for _ in range(_PASSES):
        walked = _Walk(contract, believed, exchanges)
        if walked.believed == believed:
            break
        believed = walked.believed
    _tell_states_apart(contract, walked, exchanges)
    return Findings(tuple(walked.rows()), walked.disturbances)


class _Walk:
    """One way through the exchanges, learning readings as it goes."""

    def __init__(
        self,
        contract: Contract,
        believed: Mapping[str, str],
        exchanges: Sequence[Seen],
        *,
        learning: bool = True,
    ) -> None:
        self.contract = contract
        self.believed = dict(believed)
        self.shadow = Shadow(contract, exchanges[0].at if exchanges else LONG_AGO)
        self.evidence: dict[str, dict[str, str]] = {}
        self.confirmed: dict[str, LiveRow] = {}
        self.disturbed: dict[str, LiveRow] = {}
        self.drifted: dict[tuple[str, str], LiveRow] = {}
        self.extras: dict[str, str] = {}
        self.disturbances: Counter[str] = Counter()
        self.score = (0, 0)
        self._learning = learning
        self._past: list[Seen] = []
        for seen in exchanges:
            self._step(seen)
            self._past.append(seen)

    def _step(self, seen: Seen) -> None:
        disturbed = disturbance(seen)
        if disturbed is not None:
            self._note_disturbance(seen, disturbed)
            return
        if not self.shadow.comparable(seen):
            self.shadow.resolve(seen)
            return
        best = self.shadow.predict(seen, self.believed)
        if self._learning:
            if best.differences:
                best = self._learn(seen, best)
            self._weigh(seen, best)
        self._note(seen, best)
        self.shadow.follow(seen, best)

    def _note_disturbance(self, seen: Seen, disturbed: str) -> None:
        self.disturbances[disturbed] += 1
        clause = _clause_about(seen)
        if clause is not None:
            got = f"{seen.operation}: {disturbed}"
            row = LiveRow(clause, "confirmed", "", "a disturbance", got, seen.date)
            self.disturbed.setdefault(clause, row)
        # A 429 says that nothing was done.
        if seen.status != THROTTLED:
            self.shadow.doubt(seen)

    def _learn(self, seen: Seen, best: Prediction) -> Prediction:
        """Changes what is believed, one reading at a time, while that explains more."""
        while best.differences:
            found = min(
                self._attempts(seen), key=lambda a: (a[1].score, self._doubted(*a[0])), default=None
            )
            if found is None or found[1].score >= best.score:
                break
            (question, option), best = found
            self.believed[question] = option
        return best if not best.differences else self._learn_from_the_past(seen, best)

    def _attempts(self, seen: Seen) -> list[tuple[tuple[str, str], Prediction]]:
        found = []
        for reading in self._readings(seen):
            for option in self._others(reading):
                readings = {**self.believed, reading.id: option}
                found.append(((reading.id, option), self.shadow.predict(seen, readings)))
        return found

    def _learn_from_the_past(self, seen: Seen, best: Prediction) -> Prediction:
        """Tries readings by which an earlier write would have left another state behind."""
        if any((seen.operation, d.place) in self.drifted for d in best.differences):
            return best
        for reading in self._readings(seen):
            if not _outlasts(reading):
                continue
            for option in self._others(reading):
                readings = {**self.believed, reading.id: option}
                other = _Walk(self.contract, readings, self._past, learning=False)
                prediction = other.shadow.predict(seen, other.believed)
                if prediction.score < best.score:
                    self.believed, self.shadow, best = other.believed, other.shadow, prediction
        return best

    def _weigh(self, seen: Seen, best: Prediction) -> None:
        """Notes which readings this answer speaks for: any other would explain it worse."""
        for reading in self._readings(seen):
            option = self.believed[reading.id]
            if option in self.evidence.get(reading.id, {}):
                self.evidence[reading.id][option] = seen.date
                continue
            worse = all(
                self.shadow.predict(seen, {**self.believed, reading.id: other}).score > best.score
                for other in self._others(reading)
            )
            if worse:
                self.evidence.setdefault(reading.id, {})[option] = seen.date

    def _note(self, seen: Seen, best: Prediction) -> None:
        different, settled = best.score
        self.score = (self.score[0] + different, self.score[1] + settled)
        serious = [d for d in best.differences if not d.extra]
        for difference in best.differences:
            if difference.extra:
                self.extras[f"{seen.operation}: {difference.place}"] = seen.date
        for difference in serious:
            subject = CLAUSES.get(difference.place, best.subject)
            where = "" if difference.place == "answer" else f"{difference.place}: "
            row = LiveRow(
                subject,
                "drifted",
                expected=f"{where}{difference.expected}",
                got=f"{where}{difference.got}",
                date=seen.date,
            )
            self.drifted.setdefault((subject, difference.place), row)
        if not serious:
            said = told(seen.response or {})
            self.confirmed[best.subject] = LiveRow(
                best.subject, "confirmed", "", said, said, seen.date
            )

    def _readings(self, seen: Seen) -> list[Reading]:
        return [r for r in self.contract.readings.values() if r.touches([seen.operation])]

    def _others(self, reading: Reading) -> list[str]:
        return [o.id for o in reading.options if o.id != self.believed[reading.id]]

    def _doubted(self, question: str, option: str) -> bool:
        """Whether this run spoke for another answer to the question before."""
        return bool(self.evidence.get(question, {}).keys() - {option})

    def rows(self) -> Iterable[LiveRow]:
        """One row for each subject, or for each place where a subject drifted."""
        for reading in self.contract.readings.values():
            yield self._reading_row(reading)
        if self.extras:
            date = max(self.extras.values())
            got = ", ".join(sorted(self.extras))
            yield LiveRow(UNKNOWN_FIELDS, "confirmed", "", "only documented fields", got, date)
        yield from self.disturbed.values()
        subjects = [*operations(self.contract), *_refusal_subjects(self.contract)]
        for subject in dict.fromkeys([*subjects, *self.confirmed, *(s for s, _ in self.drifted)]):
            drifted = [row for (s, _), row in self.drifted.items() if s == subject]
            if drifted:
                yield from drifted
            elif subject in self.confirmed:
                yield self.confirmed[subject]
            else:
                yield LiveRow(subject, "unseen")

    def _reading_row(self, reading: Reading) -> LiveRow:
        found = self.evidence.get(reading.id, {})
        if not found:
            return LiveRow(reading.id, "unseen")
        option = self.believed[reading.id] if self.believed[reading.id] in found else min(found)
        if len(found) > 1:
            both = ", then ".join(sorted(found))
            return LiveRow(reading.id, "drifted", option, "one answer", both, max(found.values()))
        return LiveRow(reading.id, "confirmed", option, reading.default, option, found[option])


def operations(contract: Contract) -> list[str]:
    """Those that a run's clients may call; the look-up of the sandbox is the kit's own."""
    return [
        operation for operation in contract.operations if not operation.startswith("sandboxes.")
    ]


def _outlasts(reading: Reading) -> bool:
    """Whether a write by that reading leaves behind what later reads show."""
    return bool(_WRITES & set(reading.operations) and _READS & set(reading.operations))


def _refusal_subjects(contract: Contract) -> list[str]:
    return [rule.clause or rule.id for rule in contract.refusals.values()]


def _tell_states_apart(contract: Contract, walked: _Walk, exchanges: Sequence[Seen]) -> None:
    """Confirms a reading that only later reads can notice, if any other explains them worse."""
    done = {seen.operation for seen in exchanges if seen.ok}
    if not (done & _WRITES and done & _READS):
        return

    def score(**readings: str) -> tuple[int, int]:
        believed = {**walked.believed, **readings}
        return _Walk(contract, believed, exchanges, learning=False).score

    for reading in contract.readings.values():
        if reading.id in walked.evidence or not _outlasts(reading):
            continue
        option, mine = walked.believed[reading.id], score()
        others = [o.id for o in reading.options if o.id != option]
        if all(score(**{reading.id: other}) > mine for other in others):
            walked.evidence[reading.id] = {option: max(seen.date for seen in exchanges)}


def merged(parts: Iterable[Iterable[LiveRow]]) -> tuple[LiveRow, ...]:
    """What several processes of one run found, as one: what drifted anywhere has drifted."""
    rank = {"drifted": 2, "confirmed": 1, "unseen": 0}
    best: dict[str, list[LiveRow]] = {}
    for row in (row for part in parts for row in part):
        rows = best.setdefault(row.subject, [row])
        if rank[row.status] > rank[rows[0].status]:
            best[row.subject] = [row]
        elif row.status != rows[0].status or row in rows:
            continue
        elif row.status == "drifted":
            rows.append(row)
        elif row.reading != rows[0].reading:
            both = ", then ".join(sorted({row.reading, rows[0].reading}))
            best[row.subject] = [
                LiveRow(row.subject, "drifted", row.reading, "one answer", both, row.date)
            ]
        elif row.date > rows[0].date:
            best[row.subject] = [row]
    return tuple(row for rows in best.values() for row in rows)
