"""Keeps what a live run saw as fixtures, and remembers when each reading was last confirmed.

DIR/2026-11-24T230112Z-3f9c2a7b1e.jsonl is the exchanges of a run, in order; each further process
of the run has a file of its own, …-3f9c2a7b1e-gw0.jsonl;
DIR/confirmed.jsonl says of each subject on which day, and how, a live service last confirmed it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from pathlib import Path

from aepmock.contract import load_contract
from aepmock.errors import UsageError
from aepmock.judge import LiveRow
from aepmock.live.drift.sanitize import Seen, seen_again
from aepmock.live.drift.walk import Findings, find_drift, merged, operations
from aepmock.live.redacted_files import write
from aepmock.redaction import Redactor
from aepmock.redaction.redacted import redact

SCHEMA = "aepmock-recording/1"
CONFIRMED = "confirmed.jsonl"
CONFIRMED_SCHEMA = "aepmock-confirmed/1"


def keep_recording(
    folder: Path, name: str, exchanges: Sequence[Seen], secrets: Iterable[str]
) -> Path | None:
    """Writes exchanges as DIR/NAME.jsonl; returns the file, None where there are none.

    Raises SecretFoundError, and keeps nothing, if one of `secrets` were in it, and UsageError
    where the folder can't be written to.
    """
    if not exchanges:
        return None
    head = redact({"schema": SCHEMA, "contract": load_contract().version}, Redactor())
    path = folder / f"{name}.jsonl"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write(path, [head, *(seen.redacted for seen in exchanges)], secrets)
    except OSError as error:
        raise UsageError(f"the recording {path} can't be written: {error}") from None
    return path


def read_recording(path: Path) -> tuple[Seen, ...]:
    """The exchanges of a recording, in order. Raises UsageError for a file that is none."""
    try:
        lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        head, *exchanges = lines
        if head.get("schema") != SCHEMA:
            raise ValueError(f"its first line does not say {SCHEMA}")
        known = load_contract().operations
        found = tuple(map(seen_again, exchanges))
        for number, seen in enumerate(found, 2):
            whole = (
                seen.operation in known
                and datetime.fromisoformat(seen.at)
                and seen.request["method"]
            )
            if not whole or (seen.response is not None and not seen.status):
                raise ValueError(f"line {number} is no exchange")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{path} is no recording of a live run: {error}") from None
    return found


def recordings(folder: Path) -> list[Path]:
    """The recordings in a folder, the oldest first. Raises UsageError where there are none."""
    found = sorted(path for path in folder.glob("*.jsonl") if path.name != CONFIRMED)
    if not found:
        raise UsageError(
            f"{folder} has no recording; `aepmock judge TARGET --live --live-record {folder}` "
            "makes one"
        )
    return found


def replay(path: Path) -> Findings:
    """How today's mock differs from what was recorded."""
    return find_drift(read_recording(path))


def replay_all(folder: Path) -> Findings:
    """How today's mock differs from all that a folder has, the latest recording counting most.

    A subject that drifted in an older recording only, and was confirmed since, is confirmed.
    """
    latest: dict[str, list[LiveRow]] = {}
    disturbances: Counter[str] = Counter()
    for _, paths in groupby(recordings(folder), _run_of):
        parts = [replay(path) for path in paths]
        for part in parts:
            disturbances.update(part.disturbances)
        by_subject: dict[str, list[LiveRow]] = {}
        for row in merged(part.rows for part in parts):
            by_subject.setdefault(row.subject, []).append(row)
        for subject, rows in by_subject.items():
            if rows[0].status != "unseen" or subject not in latest:
                latest[subject] = rows
    return Findings(tuple(row for rows in latest.values() for row in rows), disturbances)


def _run_of(path: Path) -> str:
    """The name of a recording without that of the process: time and run."""
    worker = path.stem.rpartition("-")[2]
    return path.stem.removesuffix(f"-{worker}") if worker.startswith("gw") else path.stem


@dataclass(frozen=True)
class Confirmation:
    """That a live service confirmed a subject: the reading that held, "" where it is none."""

    reading: str
    date: str


def read_confirmed(folder: Path) -> dict[str, Confirmation]:
    """What was confirmed, by subject; empty where nothing was yet. Raises UsageError."""
    path = folder / CONFIRMED
    if not path.exists():
        return {}
    try:
        head, *lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        if head["schema"] != CONFIRMED_SCHEMA:
            raise ValueError(f"its schema is not {CONFIRMED_SCHEMA}")
        found = {
            str(line["subject"]): Confirmation(str(line["reading"]), str(line["date"]))
            for line in lines
        }
        for entry in found.values():
            date.fromisoformat(entry.date)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{path} can't be read: {error}") from None
    return found


def keep_confirmed(folder: Path, rows: Iterable[LiveRow], secrets: Iterable[str]) -> None:
    """Adds what a run confirmed to what runs before it did. What drifted is confirmed no more."""
    found = read_confirmed(folder)
    for row in rows:
        if row.status == "confirmed":
            found[row.subject] = Confirmation(row.reading, row.date)
        elif row.status == "drifted":
            found.pop(row.subject, None)
    lines = [{"subject": subject, **vars(entry)} for subject, entry in sorted(found.items())]
    documents = [{"schema": CONFIRMED_SCHEMA}, *lines]
    try:
        write(folder / CONFIRMED, [redact(d, Redactor()) for d in documents], secrets)
    except OSError as error:
        raise UsageError(f"{folder / CONFIRMED} can't be written: {error}") from None


@dataclass(frozen=True)
class Stale:
    """A subject that was not confirmed for too long: `age_days` None for never."""

    subject: str
    age_days: int | None
    confirmed: Confirmation | None


def not_confirmed_for(folder: Path, days: int, *, today: date) -> list[Stale]:
    """Readings and operations that no live service confirmed within so many days."""
    contract = load_contract()
    confirmed = read_confirmed(folder)
    return list(_stale([*contract.readings, *operations(contract)], confirmed, days, today))


def _stale(
    subjects: Iterable[str], confirmed: Mapping[str, Confirmation], days: int, today: date
) -> Iterator[Stale]:
    for subject in subjects:
        entry = confirmed.get(subject)
        age = None if entry is None else (today - date.fromisoformat(entry.date)).days
        if age is None or age > days:
            yield Stale(subject, age, entry)
