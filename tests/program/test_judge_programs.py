"""aepmock judge -- COMMAND: what it prints, and with which status it ends."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree

import pytest

from aepmock.cli.main import main
from tests.program.judging import speaker

FEW = ("--select", "connections.get.*", "--examples", "1")


def judge(
    *words: str, cwd: Path, fault: str | None = None, **more: str
) -> subprocess.CompletedProcess[str]:
    command = ["--", *speaker(fault)] if fault is not None else []
    return subprocess.run(
        [sys.executable, "-m", "aepmock", "judge", *words, *command],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={"PATH": os.environ["PATH"], "COLUMNS": "80", "PYTHONIOENCODING": "utf-8", **more},
    )


ONLY_IN_PYTHON = {
    "answers.exit",
    "answers.process",
    "answers.threads",
    "independence.threads",
    "independence.tasks",
    "secrets.debug-log",
    "secrets.output",
    "secrets.repr",
    "secrets.file",
}
"""What a program that is asked one thing at a time, from outside, can't show."""


def test_a_right_program_ends_with_0_and_is_called_what_it_says(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    done = judge("--examples", "1", "--report", str(report), cwd=tmp_path, fault="")
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80
    found = json.loads(report.read_text())
    assert (found["client"], found["transport"]) == ({"name": "speaker 1.0"}, "server")
    assert found["summary"]["broken"] == 0
    idle = {c["id"] for c in found["clauses"] if c["verdict"] == "not-exercised"}
    assert {clause for clause in idle if not clause.startswith("ims.")} == ONLY_IN_PYTHON
    assert sum(c["id"].startswith("program.") for c in found["clauses"]) == 8


def test_a_fault_of_the_program_is_in_every_report_and_is_seen_again(tmp_path: Path) -> None:
    reports = [f"--report=out.{ending}" for ending in ("json", "xml", "md")]
    done = judge(*FEW, *reports, cwd=tmp_path, fault="ends-in-one-operation")
    assert done.returncode == 1, done.stderr
    lines = done.stdout.splitlines()
    assert "program.alive (must)" in lines
    assert "    Traceback: the token [secret] is odd" in lines
    command = next(line.strip() for line in lines if "aepmock judge --select" in line)
    assert max(len(line) for line in lines if line.strip() != command) <= 80
    assert shlex.split(command)[-3:] == speaker("ends-in-one-operation")
    found = json.loads((tmp_path / "out.json").read_text())
    broken = [c for c in found["clauses"] if c["verdict"] == "broken"]
    assert [c["id"] for c in broken] == ["program.alive"]
    assert broken[0]["findings"][0]["log"] == "Traceback: the token [secret] is odd"
    for text in ((tmp_path / f"out.{e}").read_text() for e in ("xml", "md", "json")):
        assert "Traceback: the token [secret] is odd" in text
        assert "eyJ" not in text
    assert ElementTree.parse(tmp_path / "out.xml").getroot().get("failures") == "1"
    again = judge(*shlex.split(command)[2:], cwd=tmp_path)
    assert again.returncode == 1
    assert "program.alive (must)" in again.stdout


def test_two_processes_have_a_program_each_and_make_one_report(tmp_path: Path) -> None:
    done = judge(*FEW, "--jobs", "2", cwd=tmp_path, fault="says-a-banner")
    assert done.returncode == 1, done.stderr
    assert done.stdout.startswith("speaker 1.0\n")
    assert done.stdout.count("program.stdout (must)") == 1


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_program_that_says_no_hello_leaves_nothing_else_to_tell(
    jobs: str, tmp_path: Path
) -> None:
    done = judge(*FEW, "--jobs", jobs, cwd=tmp_path, fault="ends-at-once")
    assert done.returncode == 1, done.stderr
    said = " ".join(done.stdout.split())
    assert "program.hello (must)" in said
    assert "Error: Cannot find module 'acme'" in said
    assert "(the program was not asked: it did not say hello)" in said


def test_a_fault_may_be_known(tmp_path: Path) -> None:
    (tmp_path / "known.txt").write_text("program.stdout  until 2.0\n")
    known = ("--known-failing", "known.txt")
    assert judge(*FEW, *known, cwd=tmp_path, fault="says-a-banner").returncode == 0
    select = ("--select", "program.stdout", "--select", "connections.get.*", "--examples", "1")
    done = judge(*select, *known, cwd=tmp_path, fault="")
    assert done.returncode == 1
    assert "take 1 off the known-failing list" in " ".join(done.stdout.split())


def test_a_program_may_come_from_the_project_or_the_environment(tmp_path: Path) -> None:
    words = json.dumps(speaker())
    (tmp_path / "pyproject.toml").write_text(f"[tool.aepmock]\ncommand = {words}\n")
    assert judge(*FEW, cwd=tmp_path).stdout.startswith("speaker 1.0\n")
    done = judge(*FEW, cwd=tmp_path, AEPMOCK_CLIENT="aepmock.clients.reference:client")
    assert done.stdout.startswith("aepmock.clients.reference:client\n")


def test_pytest_judges_a_program_too(pytester: pytest.Pytester) -> None:
    words = [f"--aepmock-command={word}" for word in speaker("says-a-banner")]
    chosen = ("--aepmock-select", "request.header-ascii", "--aepmock-examples", "1")
    suite = ("--pyargs", "aepmock.contract_tests", "-k", "test_headers")
    result = pytester.runpytest_subprocess(*suite, *chosen, *words)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["broken program.stdout (must) *test_headers.py::*"])


def test_a_script_without_a_first_line_is_told_what_it_lacks(tmp_path: Path) -> None:
    script = tmp_path / "client"
    script.write_text("print(1)\n")
    script.chmod(0o755)
    done = judge(*FEW, "--", "./client", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr == (
        "aepmock: can't run './client': its first line does not say what runs it, "
        "such as #!/usr/bin/env python3\n"
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--"], "no program to judge: aepmock judge -- COMMAND ARG…"),
        (["--", "no-such-program"], "no program of that name is on the PATH"),
        (["--", "node client.mjs"], "give each word by itself"),
        (["--", "./nix"], "can't run './nix': there is no such file"),
        (["--", "./plain.txt"], "it is not executable: chmod +x ./plain.txt"),
        (["--transport", "httpx", "--", "sh"], "a program is judged through the server transport"),
        (["a:b", "--", "sh"], "give one of TARGET, -- COMMAND ARG… and --attach"),
        (["--attach", "--", "sh"], "give one of TARGET, -- COMMAND ARG… and --attach"),
        (["--attach", "--jobs", "2"], "--jobs can't be had with --attach"),
        (["--attach", "0.0.0.0:1"], "127.0.0.1:PORT, not '0.0.0.0:1'"),
        (["--attach", "127.0.0.1:99999"], "127.0.0.1:PORT"),
        (["--attach", "--select", "nix"], "unknown clause 'nix'"),
        (
            ["aepmock.clients.reference:client", "--select", "program.*"],
            "program.* is asked of programs only",
        ),
    ],
)
def test_misuse_is_told_with_status_2(
    words: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plain.txt").touch()
    assert main(["judge", *words]) == 2
    printed = capsys.readouterr()
    assert message in printed.err
    assert printed.err.startswith("aepmock: ")
    assert printed.err.count("\n") == 1


def test_an_interrupted_run_leaves_no_program_behind(tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    script = f"import os, time; open({str(mark)!r}, 'w').write(f'{{os.getpid()}}.'); time.sleep(99)"
    words = [sys.executable, "-m", "aepmock", "judge", *FEW, "--", sys.executable, "-c", script]
    with subprocess.Popen(
        words, cwd=tmp_path, start_new_session=True, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        while not (mark.exists() and mark.read_text().endswith(".")):
            assert process.poll() is None
            os.sched_yield()
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(30) == 130
        assert process.stderr.read() == "aepmock: interrupted\n"
    pid = int(mark.read_text().rstrip("."))
    deadline = time.monotonic() + 20
    while lives(pid):
        assert time.monotonic() < deadline
        os.sched_yield()


def lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
