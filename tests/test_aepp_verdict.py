"""The verdict on aepp: the kit still finds what docs/verdicts/aepp.md says, and leaks no secret."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from aepmock import load_contract

pytest.importorskip("aepp", reason="aepp is not installed: it comes with aepmock[test]")

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "verdicts" / "aepp.md"

WATCHED = """
from pathlib import Path
from examples import aepp_client

def client(settings):
    made = aepp_client.client(settings)
    with Path("secrets.txt").open("a") as noted:
        for secret in (settings.client_secret, made._service.connector.token):
            print(secret, file=noted)
    return made

def writer(settings):
    made = client(settings)
    made.get_connection = made.list_connections = None
    made.count_connections = made.test_connection = None
    return made
"""
"""The adapter, with its secrets noted down; and once more without its reads: aepp repeats a GET
whose answer is no JSON for ever, and the judge waits ten seconds before it breaks each one off."""

RUNS = {
    "watched:client": ("connections.update.if-match", "connections.count.no-limit"),
    "watched:writer": (
        "errors.service",
        "errors.gateway",
        "connections.create.one-post",
        "retries.lost-answer",
        "secrets.redirect",
        "tls.unknown-ca",
    ),
}


@pytest.mark.parametrize(("target", "clauses"), RUNS.items())
def test_the_known_findings_are_found_again(
    tmp_path: Path, target: str, clauses: tuple[str, ...]
) -> None:
    (tmp_path / "watched.py").write_text(WATCHED)
    words = ["judge", target, "--examples", "3", "--report", "out.json"]
    for clause in clauses:
        words += ["--select", clause]
    result = subprocess.run(
        [sys.executable, "-m", "aepmock", *words],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={"PATH": "", "PYTHONIOENCODING": "utf-8", "PYTHONPATH": str(ROOT)},
    )
    assert result.returncode == 1, result.stderr

    text = (tmp_path / "out.json").read_text(encoding="utf-8")
    report: dict[str, Any] = json.loads(text)
    assert {c["id"]: c["verdict"] for c in report["clauses"]} == dict.fromkeys(clauses, "broken")
    contract = load_contract()
    sections = sections_of(PAGE)
    for clause in report["clauses"]:
        assert clause["findings"]
        for finding in clause["findings"]:
            assert finding["source"].startswith(str(contract.clauses[clause["id"]].source.kind))
        assert "Checked by hand: right" in sections[f"{clause['id']} ({clause['grade']})"]

    secrets = set((tmp_path / "secrets.txt").read_text().split())
    assert len(secrets) >= 2
    assert "Authorization: Bearer [secret]" in text
    assert [s for s in secrets if s in text or s in result.stdout or s in result.stderr] == []


def test_every_section_of_the_page_is_a_clause_with_its_grade_and_source() -> None:
    contract = load_contract()
    sections = sections_of(PAGE)
    assert {f"{clause} (must)" for clauses in RUNS.values() for clause in clauses} <= set(sections)
    for heading, body in sections.items():
        name, _, grade = heading.partition(" ")
        clause = contract.clauses[name]
        assert grade == f"({clause.grade})"
        source = f"Source: {clause.source.kind}: {'; '.join(clause.source.where)}"
        assert source in " ".join(body.split()), name
        assert "\nIn aepp: " in body
        assert "```text\n" in body
        assert "\nChecked by hand: right\n" in body


def test_the_table_of_the_page_counts_its_sections() -> None:
    page = PAGE.read_text(encoding="utf-8")
    cells = re.findall(r"^\| [a-z.]+ \| \d+ \| ([^|]*) \|", page, re.MULTILINE)
    assert sum(int(n) for cell in cells for n in re.findall(r"\d+", cell)) == len(sections_of(PAGE))


def sections_of(page: Path) -> dict[str, str]:
    """The text below each heading of the third level, by the heading."""
    broken = page.read_text(encoding="utf-8").partition("\n## Broken\n")[2].partition("\n## ")[0]
    parts = re.split(r"^### (.+)\n", broken, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))
