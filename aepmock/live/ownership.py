"""What a run created, and so may change and delete: its names, and its journal on disk.

The journal has a line before each create and after each answer; what it says is the truth also
for a run that was killed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aepmock.errors import UsageError
from aepmock.judge.redaction import Redactor
from aepmock.live.redacted import append, redact

FOLDER = Path(".aepmock") / "live"
SCHEMA = "aepmock-live-journal/1"


def name_prefix(run: str) -> str:
    """What the name of everything begins with that a run creates: "aepmock-3f9c2a7b1e-"."""
    return f"aepmock-{run}-"


def lock_of(journal: Path) -> Path:
    """The lock file beside a journal; whoever began the run holds it until the run is over."""
    return journal.with_suffix(".lock")


class Journal:
    """Writes a run's journal; several processes may write the same one."""

    def __init__(self, path: Path, redactor: Redactor) -> None:
        self.path = path
        self._redactor = redactor

    def begin(self, about: Mapping[str, Any]) -> None:
        """The first line: the run, where it went, and since when."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        ignore = self.path.parent.parent / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n", "utf-8")
        self._write({"event": "begin", "schema": SCHEMA, **about})

    def creating(self, name: str) -> None:
        self._write({"event": "creating", "name": name})

    def created(self, name: str, connection_id: str) -> None:
        self._write({"event": "created", "name": name, "id": connection_id})

    def refused(self, name: str, status: int) -> None:
        """A create that certainly made nothing."""
        self._write({"event": "refused", "name": name, "status": status})

    def deleted(self, connection_id: str) -> None:
        self._write({"event": "deleted", "id": connection_id})

    def end(self, left: list[str]) -> None:
        """The last line; `left` are ids that could not be deleted."""
        self._write({"event": "end", "left": left})

    def _write(self, document: Mapping[str, Any]) -> None:
        append(self.path, redact(document, self._redactor))


@dataclass
class Ledger:
    """What a journal says: the run, what it created and did not delete, what it is unsure of.

    `about` is the first line; `living` maps ids to names; `unsure` are names of creates whose
    answer is not in the journal; `clean` says that the run ended and left nothing.
    """

    path: Path
    about: Mapping[str, Any]
    living: dict[str, str] = field(default_factory=dict)
    unsure: set[str] = field(default_factory=set)
    clean: bool = False

    @property
    def run(self) -> str:
        return str(self.about["run"])


def read_journal(path: Path) -> Ledger:
    """What a journal says; a last line that breaks off is as if it were not there.

    Raises UsageError for a file that is no journal.
    """
    ledger: Ledger | None = None
    for line in path.read_text("utf-8").splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue  # the process was killed while it wrote
        event = entry.get("event")
        if event == "begin" and entry.get("schema") == SCHEMA:
            ledger = Ledger(path, entry)
        if ledger is None:
            break
        match event:
            case "creating":
                ledger.unsure.add(entry["name"])
            case "created":
                ledger.living[entry["id"]] = entry["name"]
                ledger.unsure.discard(entry["name"])
            case "refused":
                ledger.unsure.discard(entry["name"])
            case "deleted":
                ledger.living.pop(entry["id"], None)
            case "end":
                ledger.clean = not entry["left"]
    if ledger is None:
        raise UsageError(f"{path} is no journal of a live run")
    return ledger
