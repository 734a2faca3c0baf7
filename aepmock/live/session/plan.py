"""What every process of a live run is told, and what it gets from the world outside."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aepmock.live.outbound.transport import Outside, Send
from aepmock.live.settings import LiveSettings
from aepmock.redaction import Redactor


@dataclass(frozen=True)
class Plan:
    """One run: `run` is its id, `private` the folder of its shared state, `journal` a file.

    `started_ms` is epoch milliseconds. `shared` says that other people's connections are few
    enough for a list of the whole sandbox.
    """

    run: str
    settings: LiveSettings
    private: str
    journal: str
    started_ms: int
    whole_lists: bool = False

    @property
    def private_folder(self) -> Path:
        return Path(self.private)

    @property
    def journal_path(self) -> Path:
        return Path(self.journal)

    def to_text(self) -> str:
        """The plan as JSON, secrets included: for another process of the run only."""
        fields: dict[str, Any] = {**vars(self), "settings": self.settings.to_json()}
        return json.dumps(fields)

    @staticmethod
    def from_text(text: str) -> Plan:
        fields: Mapping[str, Any] = json.loads(text)
        return Plan(**{**fields, "settings": LiveSettings.from_json(fields["settings"])})

    def redactor(self, names: frozenset[str]) -> Redactor:
        """A redactor that knows the run's secrets from the start."""
        return Redactor(names, self.settings.secrets)


@dataclass(frozen=True)
class Ports:
    """The world outside: how a request is sent, what time it is, and how to wait (seconds)."""

    send: Send
    now: Callable[[], float] = time.time
    sleep: Callable[[float], None] = field(default=time.sleep)

    @staticmethod
    def of(settings: LiveSettings) -> Ports:
        """The real ones."""
        return Ports(Outside(settings.ca_file).send)
