"""What a run created, and so may change and delete: its names, and its journal on disk.

The journal has a line before each create and after each answer; what it says is the truth also
for a run that was killed. It lies in a folder that others may write to: whoever reads one takes
what it says for data, and nothing in it that has not the form that the kit gives it.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aepmock.errors import UsageError
from aepmock.live.redacted_files import append
from aepmock.redaction import Redactor
from aepmock.redaction.redacted import redact

FOLDER = Path(".aepmock") / "live"
SCHEMA = "aepmock-live-journal/1"
MOST_OCTETS = 64 * 1024 * 1024
_RUN = re.compile(r"[0-9a-f]{10}")
_SANDBOX = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,255}")
_CONNECTION_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.~-]{0,127}")
_ABOUT = ("base_url", "org_id", "sandbox")


def name_prefix(run: str) -> str:
    """What the name of everything begins with that a run creates: "aepmock-3f9c2a7b1e-"."""
    return f"aepmock-{run}-"


def is_run(text: str) -> bool:
    """Whether a text has the form of a run's id."""
    return _RUN.fullmatch(text) is not None


def is_connection_id(value: object) -> bool:
    """Whether a value can be the id of a connection: one segment of a path, and not "..".

    Services give UUIDs; nobody promised that.
    """
    return isinstance(value, str) and _CONNECTION_ID.fullmatch(value) is not None


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


class NoJournalError(UsageError):
    """A file is no journal of a live run. `empty` says that not even its first line is whole:
    its run was killed before it could create anything."""

    def __init__(self, path: Path, why: str, *, empty: bool = False) -> None:
        super().__init__(f"{path} is no journal of a live run: {why}")
        self.empty = empty


@dataclass
class Ledger:
    """What a journal says: the run, what it created and did not delete, what it is unsure of.

    `about` is the first line; `living` maps ids to names; `creates` counts by name the creates
    whose answer is not in the journal; `odd` the lines that no run of the kit has written, which
    are as if they were not there; `clean` says that the run ended and left nothing.
    """

    path: Path
    about: Mapping[str, Any]
    living: dict[str, str] = field(default_factory=dict)
    creates: Counter[str] = field(default_factory=Counter)
    odd: int = 0
    clean: bool = False

    @property
    def run(self) -> str:
        return str(self.about["run"])

    @property
    def unsure(self) -> list[str]:
        """Names of creates that may have made something: whatever came of each is not known."""
        return sorted(+self.creates)


def read_journal(path: Path) -> Ledger:
    """What a journal says; a line that breaks off is as if it were not there.

    Raises NoJournalError for a file that is no journal, and one that can't be read.
    """
    if path.exists() and not path.is_file():
        raise NoJournalError(path, "it is no file")
    try:
        with path.open("rb") as file:
            content = file.read(MOST_OCTETS + 1)
    except OSError as error:
        raise NoJournalError(path, error.strerror or "it can't be read") from None
    if len(content) > MOST_OCTETS:
        raise NoJournalError(path, f"it has more than {MOST_OCTETS} octets")
    first, *others = content.split(b"\n")
    about = _entry(first)
    if about is None:
        empty = not any(map(bytes.strip, others))
        raise NoJournalError(path, "its first line is not whole", empty=empty)
    why = _not_about(about, path)
    if why:
        raise NoJournalError(path, why)
    ledger = Ledger(path, about)
    for line in others:
        entry = _entry(line)
        if entry is not None:
            ledger.odd += not _note(ledger, entry)
    return ledger


def _entry(line: bytes) -> dict[str, Any] | None:
    """A line as it was written; None for one that the process did not come to the end of."""
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return entry if isinstance(entry, dict) else None


def _not_about(about: Mapping[str, Any], path: Path) -> str:
    """Why a first line is none of ours; "" where it is one."""
    if about.get("event") != "begin" or about.get("schema") != SCHEMA:
        return f"its first line does not say {SCHEMA}"
    run = about.get("run")
    if not isinstance(run, str) or not is_run(run) or run != path.stem:
        return "its run is not the one that the file is named after"
    since = about.get("started_ms")
    if not isinstance(since, int) or isinstance(since, bool) or not 0 <= since < 2**53:
        return "it does not say when its run began"
    if not all(isinstance(about.get(name), str) for name in _ABOUT):
        return "it does not say where its run went"
    return "" if _SANDBOX.fullmatch(about["sandbox"]) else "it names no sandbox"


def _note(ledger: Ledger, entry: Mapping[str, Any]) -> bool:
    """Enters a line into the ledger; False for one that has not the form of ours."""
    event, connection_id = entry.get("event"), entry.get("id")
    name = entry["name"] if isinstance(entry.get("name"), str) else ""
    named = name.startswith(name_prefix(ledger.run))
    match event:
        case "creating" if named:
            ledger.creates[name] += 1
        case "created" if named and is_connection_id(connection_id):
            ledger.living[str(connection_id)] = name
            ledger.creates[name] = max(0, ledger.creates[name] - 1)
        case "refused" if named:
            ledger.creates[name] = max(0, ledger.creates[name] - 1)
        case "deleted" if is_connection_id(connection_id):
            ledger.living.pop(str(connection_id), None)
        case "end" if isinstance(entry.get("left"), list):
            ledger.clean = not entry["left"]
            return True
        case _:
            return False
    ledger.clean = False
    return True


def journals(folder: Path) -> Iterator[Path]:
    """The journals that runs begun in this folder left there."""
    yield from sorted((folder / FOLDER).glob("*.jsonl"))
