"""Saves what a run has found so far, so that an interrupted run still has a report."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aepmock.clients.driver import RUNNING
from aepmock.contract import load_contract
from aepmock.judge import Finding, Tally
from aepmock.suite.config import SuiteConfig, label
from aepmock.suite.failures import reproduce

_WIDTH = 64
_FAULTS = frozenset({signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL})
"""By which a process ends that is broken itself; the others somebody sends."""


class Keeper:
    """Writes down what one process of the suite, `who`, has found, and what the client is at."""

    def __init__(self, folder: Path, who: str) -> None:
        self._found = folder / f"{who}.found"
        self._at = os.open(folder / f"{who}.at", os.O_WRONLY | os.O_CREAT, 0o600)
        RUNNING.tell = self._tell

    def _tell(self, what: str) -> None:
        os.pwrite(self._at, what.encode().ljust(_WIDTH)[:_WIDTH], 0)

    def keep(self, config: SuiteConfig, tally: Tally) -> None:
        """Replaces what was kept before, whole or not at all."""
        program = config.program.to_json() if config.program else {}
        draft = self._found.with_suffix(".draft")
        draft.write_text(json.dumps({"tally": tally.to_json(), "program": program}), "utf-8")
        draft.replace(self._found)

    def close(self) -> None:
        RUNNING.tell = None
        os.close(self._at)


@dataclass
class SoFar:
    """What processes of the suite had found: in all, and what clients were at, by process."""

    tally: Tally = field(default_factory=Tally)
    program: Mapping[str, Any] = field(default_factory=dict)
    at: str = ""
    anything: bool = False


def found_so_far(folder: Path, who: str = "*") -> SoFar:
    """Reads what was kept."""
    so_far = SoFar()
    for path in sorted(folder.glob(f"{who}.found")):
        data = json.loads(path.read_text("utf-8"))
        so_far.tally.merge(Tally.from_json(data["tally"]))
        so_far.program = data["program"] or so_far.program
        so_far.anything = True
    for path in sorted(folder.glob(f"{who}.at")):
        so_far.at = so_far.at or path.read_text("utf-8").strip()
    return so_far


def is_the_clients(status: int | None) -> bool:
    """Whether a process ended with this status by what went on in it; None is unknown."""
    return status is None or status >= 0 or -status in _FAULTS


def convict(tally: Tally, config: SuiteConfig, at: str, status: int | None) -> None:
    """Counts that the process ended while the client was at something."""
    clause = load_contract().clauses["answers.exit"]
    got = "the process is gone"
    if status is not None:
        got = f"it ended with status {status}" if status >= 0 else _by_signal(-status)
    finding = Finding(
        clause=clause.id,
        summary=f"{at} ends the process of its caller at once",
        expected="an error that except Exception catches",
        got=f"{got}, without a word to anyone (os._exit, or a crash below Python)",
        source=str(clause.source),
        reproduce=reproduce(config, clause.id, reading=label(config.readings)),
    )
    tally.add(finding)
    tally.count(clause.id, met=False)


def _by_signal(number: int) -> str:
    return f"it was ended by {signal.Signals(number).name}"
