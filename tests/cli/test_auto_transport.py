"""The transport that `auto` comes to: in process where there is one, else the server."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from aepmock import load_contract

ROOT = Path(__file__).parents[2]
CLAUSES = sum(not clause.startswith("program.") for clause in load_contract().clauses)
FEW = ("--select", "connections.get.*")


def judge(name: str, *options: str) -> subprocess.CompletedProcess[str]:
    target = name if ":" in name else f"tests.correct_clients.{name}:client"
    return subprocess.run(
        [sys.executable, "-m", "aepmock", "judge", target, *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("name", ["aiohttp_session", "urllib3_pool", "urllib_plain"])
def test_a_client_on_another_library_is_judged_through_the_server(
    name: str, tmp_path: Path
) -> None:
    report = tmp_path / "report.json"
    done = judge(name, "--report", str(report), "--examples", "5")
    assert done.stderr == (
        f"aepmock: tests.correct_clients.{name}:client uses another HTTP library: "
        "judging it through the server transport\n"
    )
    assert done.returncode == 0, done.stdout
    found = json.loads(report.read_text())
    assert found["transport"] == "server"
    assert found["summary"]["broken"] == 0
    assert found["summary"]["met"] == CLAUSES - 3  # all but those on fetching tokens


def test_a_client_on_httpx2_is_judged_in_process(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    done = judge("httpx2_auth", "--report", str(report), "--examples", "5")
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(report.read_text())
    assert (found["transport"], found["summary"]["met"]) == ("auto", CLAUSES)


@pytest.mark.parametrize("transport", ["httpx", "httpx2", "requests"])
def test_a_transport_that_was_asked_for_is_kept(transport: str) -> None:
    done = judge("urllib3_pool", *FEW, "--transport", transport)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(
        "aepmock: something in this process tried to reach platform.adobe.io itself; "
        f"aepmock stopped it. Open in-process transports: {transport}."
    )
    assert "--transport server" in done.stderr


def test_several_processes_agree_on_the_server() -> None:
    done = judge("urllib3_pool", *FEW, "--jobs", "2")
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("judging it through the server transport\n") == 1


def test_a_broken_client_on_another_library_is_seen_again_by_its_command(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text(
        "from tests.correct_clients.urllib3_pool import Client\n"
        "class Broken(Client):\n"
        "    def test_connection(self, connection_id):\n"
        "        return super().test_connection(connection_id) or True\n"
        "client = Broken\n"
    )
    words = ("judge", "broken:client", "--select", "connections.test.result")
    done = subprocess.run(
        [sys.executable, "-m", "aepmock", *words],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert "--transport server" in " ".join(done.stdout.split())
