"""The command that a finding names shows the same sample first."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


def first_findings(words: Sequence[str], report: Path) -> dict[str, dict[str, Any]]:
    """Of each broken clause of a run the finding that is shown first."""
    words = [sys.executable, "-m", *words, "--report", str(report)]
    subprocess.run(words, cwd=ROOT, capture_output=True, timeout=300, check=False)
    clauses = json.loads(report.read_text("utf-8"))["clauses"]
    return {clause["id"]: clause["findings"][0] for clause in clauses if clause["findings"]}


def sample(finding: dict[str, Any]) -> tuple[str, str, list[str]]:
    """What happened, without the ids and tokens that the service made up."""
    calls = [re.sub(r"[0-9a-f-]{36}", "…", line) for line in finding["calls"]]
    return finding["summary"], re.sub(r"[0-9a-f-]{36}", "…", finding["got"]), calls


@pytest.mark.parametrize(
    ("mutant", "clause", "selected"),
    [
        # Two tests find it, of which one is run for other clauses only, and comes first.
        (
            "answering:returns_the_envelope",
            "connections.get.unwrapped",
            ("independence.headers", "connections.get.unwrapped"),
        ),
    ],
)
def test_the_command_shows_the_same_sample_first(
    mutant: str, clause: str, selected: tuple[str, ...], tmp_path: Path
) -> None:
    words = ["aepmock", "judge", f"tests.mutants.{mutant}", "--examples", "2", "--seed", "7"]
    for pattern in selected:
        words += ["--select", pattern]
    shown = first_findings(words, tmp_path / "whole.json")[clause]
    again = first_findings(shlex.split(shown["reproduce"]), tmp_path / "again.json")
    assert sample(again[clause]) == sample(shown)
