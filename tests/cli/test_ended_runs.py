"""Runs that end before all is done, by the client, by a person, or by the disk."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

REFERENCE = "aepmock.clients.reference:client"
OVER = "from aepmock.clients.reference import ReferenceClient\nimport os, sys\n"


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "aepmock", "judge", *words]


def run(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(*words), cwd=cwd, capture_output=True, text=True, timeout=300)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import sys\nsys.exit(0)\n", "acme.py:2: it ends the program (SystemExit: 0)"),
        ("import os\nos._exit(0)\n", "acme.py:2: it ends the program (SystemExit: os._exit(0))"),
        ("raise KeyboardInterrupt\n", "acme.py:1: KeyboardInterrupt"),
        ("def client(:\n", "acme.py:1: SyntaxError: invalid syntax"),
        ("x = 1\ny = z\n", "acme.py:2: NameError: name 'z' is not defined"),
        ("import nix\n", "acme.py:1: No module named 'nix'"),
        (
            "import sys\ndef client(settings):\n    sys.exit(3)\n",
            "acme:client raised SystemExit: 3 (acme.py:3)",
        ),
        (
            "import os\ndef client(settings):\n    os._exit(0)\n",
            "acme:client ends the process that makes it, status 0",
        ),
    ],
)
def test_a_client_that_can_not_be_had_is_misuse(source: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "acme.py").write_text(source)
    done = run("acme:client", "--select", "connections.get.*", cwd=tmp_path)
    assert done.returncode == 2, done.stdout + done.stderr
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_process_that_a_client_ends_is_a_verdict(jobs: str, tmp_path: Path) -> None:
    method = "    def delete_connection(self, connection_id):\n        os._exit(0)\n"
    (tmp_path / "acme.py").write_text(f"{OVER}class client(ReferenceClient):\n{method}")
    words = ("--select", "connections.get.*", "--report", "out.json", "--jobs", jobs)
    done = run("acme:client", *words, cwd=tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    report = json.loads((tmp_path / "out.json").read_text())
    assert report["cut_short"]
    broken = [c for c in report["clauses"] if c["verdict"] == "broken"]
    assert [c["id"] for c in broken] == ["answers.exit"]
    assert broken[0]["findings"][0]["summary"].startswith("delete_connection ends the process")
    assert "Not all was done" in done.stdout


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_ctrl_c_ends_with_what_was_found_until_then(jobs: str, tmp_path: Path) -> None:
    words = ("--report", "out.json", "--examples", "2000", "--jobs", jobs)
    process = subprocess.Popen(
        command(REFERENCE, *words),
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    time.sleep(25)
    os.killpg(process.pid, signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 130, output
    assert output.endswith("aepmock: interrupted\n")
    assert "Not all was done: it was interrupted." in output
    report = json.loads((tmp_path / "out.json").read_text())
    assert report["summary"]["met"] > 0
    assert report["summary"]["not-exercised"] > 0


def test_a_report_that_can_not_be_written_is_found_out_before_the_run(tmp_path: Path) -> None:
    began = time.monotonic()
    done = run(REFERENCE, "--report", "/proc/out.json", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("aepmock: the report '/proc/out.json' can't be written")
    assert time.monotonic() - began < 15


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_is_said_in_one_line(tmp_path: Path) -> None:
    words = command(REFERENCE, "--select", "connections.test.*", "--examples", "1")
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            words, cwd=tmp_path, stdout=full, stderr=subprocess.PIPE, text=True, timeout=300
        )
    assert done.returncode == 2
    assert done.stderr == "aepmock: can't write: No space left on device\n"
