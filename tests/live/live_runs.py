"""Live runs against the stand-in, as a user starts them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.live.standin import StandIn

CLIENT = "aepmock.clients.reference:client"


@dataclass(frozen=True)
class LiveResult:
    """How a run ended, what it said, and what it left in its folder."""

    status: int
    out: str
    err: str
    folder: Path
    report: Mapping[str, Any]

    def row(self, subject: str) -> Mapping[str, str]:
        """The first row on a subject in the report's `live` list."""
        return next(row for row in self.report["live"] if row["subject"] == subject)

    @property
    def drifted(self) -> list[tuple[str, str, str]]:
        return [
            (row["subject"], row["expected"], row["got"])
            for row in self.report["live"]
            if row["status"] == "drifted"
        ]

    @property
    def not_default(self) -> dict[str, str]:
        """Readings that hold other than the mock has them by default."""
        return {
            row["subject"]: row["reading"]
            for row in self.report["live"]
            if row["reading"] and row["reading"] != row["expected"]
        }

    def files(self) -> list[Path]:
        return [path for path in self.folder.rglob("*") if path.is_file()]


def judge_live(standin: StandIn, folder: Path, *words: str, client: str = CLIENT) -> LiveResult:
    """`aepmock judge --live` in a folder of its own; `words` are further arguments."""
    done = command(standin, folder, *judging(client), *words)
    report = folder / "report.json"
    found = json.loads(report.read_text("utf-8")) if report.exists() else {}
    return LiveResult(done.returncode, done.stdout, done.stderr, folder, found)


def judging(client: str = CLIENT) -> list[str]:
    """The words of a short live run that records and reports."""
    words = ["judge", client, "--live", "--examples", "1", "--live-rate", "1000"]
    return [*words, "--live-record", "recorded", "--report", "report.json"]


def command(standin: StandIn, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Runs `aepmock WORDS…` in a folder with the settings of the stand-in."""
    return subprocess.run(
        [sys.executable, "-m", "aepmock", *words],
        cwd=folder,
        env=environment(standin),
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def environment(standin: StandIn) -> dict[str, str]:
    """This one without what another test, or this run of pytest, set; with the live settings."""
    plain = {k: v for k, v in os.environ.items() if not k.startswith(("AEPMOCK_", "PYTEST_"))}
    return {**plain, **standin.environment()}


def secrets_found(result: LiveResult, standin: StandIn) -> list[str]:
    """Secrets of the run and of other people in what it wrote and said."""
    texts = [path.read_bytes() for path in result.files()]
    texts += [result.out.encode(), result.err.encode()]
    return [s for s in standin.secrets if any(s.encode() in text for text in texts)]
