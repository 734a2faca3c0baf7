"""What is said of a program that does not keep to the protocol, and of one that does."""

from __future__ import annotations

import socket
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from aepmock.clients.program.pipes import SocketChannel
from aepmock.clients.program.program import Program, Timeouts
from aepmock.contract import load_contract
from aepmock.suite import ClientHarness, end_program
from aepmock.suite.programs import ProgramRun, environment
from tests.program.judging import config_of, judge_program, judge_speaker, speaker
from tests.program.speaker import FAULTS, ODDITIES

CLAUSES = load_contract().clauses
DRIVER = {clause for clause in CLAUSES if clause.startswith("program.")}


def test_a_right_program_meets_every_clause_of_the_protocol() -> None:
    tally = judge_speaker()
    assert tally.findings == {}
    assert set(tally.met) >= DRIVER


def test_a_program_has_the_time_that_its_clauses_say() -> None:
    timeouts = Timeouts()
    for clause, words in (
        ("program.hello", f"within {timeouts.hello_s:g} s"),
        ("program.answers", f"{timeouts.margin_s:g} s more"),
        ("program.ends", f"within {timeouts.end_s:g} s"),
    ):
        assert words in CLAUSES[clause].text


@pytest.mark.parametrize("oddity", ODDITIES)
def test_a_program_that_is_odd_but_right_is_accused_of_nothing(oddity: str) -> None:
    tally = judge_speaker(oddity)
    assert tally.findings == {}
    assert set(tally.met) >= DRIVER


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_told_as_what_it_is(fault: str) -> None:
    tally = judge_speaker(fault)
    musts = {clause for clause in tally.findings if CLAUSES[clause].grade == "must"}
    assert musts == {FAULTS[fault]}
    finding = tally.findings[FAULTS[fault]][0]
    assert "Traceback (most recent call last)" not in str(finding)
    assert "eyJ" not in str(finding)
    assert finding.reproduce.endswith(f"speaker.py {fault}")


@pytest.mark.parametrize(
    ("fault", "got"),
    [
        ("says-a-banner", "a line: 'Acme client 2.1 (c) Acme'"),
        ("logs-to-stdout", "a line: 'calling with [secret]'"),
        ("leaves-out-null", "neither result nor error; what returns nothing answers with"),
        ("ends-in-one-operation", "it ended with status 3"),
        ("ends-within-a-line", "it ended with status 0, after a line without an end: '{"),
        ("begins-a-line", "after a line without an end: '{"),
        ("ends-at-once", "it ended with status 1"),
        ("knows-another-operation", "unknown operation 'make_connection'; did you mean"),
        ("says-hello-wrongly", "a result that is a string, not an object"),
        ("stays-after-bye", "it still runs, and was stopped"),
    ],
)
def test_what_was_got_is_said_in_words(fault: str, got: str) -> None:
    assert got in judge_speaker(fault).findings[FAULTS[fault]][0].got


def test_the_last_lines_of_stderr_are_shown_without_secrets() -> None:
    finding = judge_speaker("ends-in-one-operation").findings["program.alive"][0]
    assert finding.log == "Traceback: the token [secret] is odd"
    assert judge_speaker("ends-at-once").findings["program.hello"][0].log == (
        "Error: Cannot find module 'acme'"
    )


def test_after_a_hang_the_other_operations_still_get_a_verdict() -> None:
    tally = judge_speaker("hangs-in-one-operation")
    # Once when each method is called first, and once in the test.
    assert tally.broken["program.answers"] == 2
    assert {"connections.create.name", "connections.list.all-pages"} <= set(tally.met)
    assert tally.met["program.ends"] == 1


def test_a_program_that_ends_after_each_call_is_started_again() -> None:
    tally = judge_speaker("ends-within-a-line")
    assert set(tally.findings) == {"program.alive"}
    assert len(tally.findings["program.alive"]) > 1
    assert "connections.create.name" in tally.met


def test_a_program_without_a_hello_is_asked_once_only() -> None:
    config = config_of(speaker("ends-at-once"))
    tally = judge_program(config)
    again = judge_program(config)
    assert set(tally.findings) == {"program.hello"}
    assert again.findings == {}


def test_children_of_a_hung_program_are_stopped_with_it(tmp_path: Path) -> None:
    mark = tmp_path / "alive"
    child = f"import time\nwhile True: open({str(mark)!r}, 'w').close(); time.sleep(0.02)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    config = config_of([sys.executable, "-c", parent], Timeouts(hello_s=1.0))
    judge_program(config)
    mark.unlink(missing_ok=True)
    deadline = time.monotonic() + 0.2
    while time.monotonic() < deadline:
        assert not mark.exists()


def test_a_child_that_holds_the_pipes_does_not_hide_an_end() -> None:
    parent = (
        "import subprocess, sys\n"
        "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "sys.exit(7)\n"
    )
    began = time.monotonic()
    tally = judge_program(config_of([sys.executable, "-c", parent]))
    assert tally.findings["program.hello"][0].got == "it ended with status 7"
    assert time.monotonic() - began < 20


def test_a_flood_on_stdout_is_one_fault_and_ends(tmp_path: Path) -> None:
    flood = "while True: print('x' * 100)"
    tally = judge_program(config_of([sys.executable, "-c", flood], Timeouts(hello_s=1.0)))
    assert set(tally.findings) == {"program.hello", "program.stdout"}
    assert len(tally.findings["program.stdout"]) == 1


def test_a_program_that_reads_nothing_does_not_block_the_judge() -> None:
    deaf = (
        "import json, sys, time\n"
        "input()\n"
        "result = {'name': 'deaf', 'operations': ['create_connection']}\n"
        "print(json.dumps({'id': 0, 'result': result}), flush=True)\n"
        "time.sleep(99)\n"
    )
    config = config_of([sys.executable, "-c", deaf], Timeouts(margin_s=0.1))
    with ClientHarness(config, "a long name", "default", {}) as harness:
        connection = replace(harness.plain_connection(), name="x" * 1_000_000)
        harness.run_each(
            [0], lambda scenario, _: scenario.call("create_connection", connection=connection)
        )
    end_program(config, harness.tally)
    assert set(harness.tally.findings) == {"program.answers"}


def test_requests_without_end_are_no_fault_of_the_protocol() -> None:
    endless = (
        "import json, sys, urllib.error, urllib.request\n"
        "for line in sys.stdin:\n"
        "    asked = json.loads(line)\n"
        "    if asked['op'] == 'hello':\n"
        "        result = {'name': 'endless', 'operations': ['create_connection']}\n"
        "        print(json.dumps({'id': 0, 'result': result}), flush=True)\n"
        "    while 'settings' in asked:\n"
        "        try:\n"
        "            urllib.request.urlopen(asked['settings']['base_url'] + '/connections')\n"
        "        except urllib.error.HTTPError as error:\n"
        "            error.close()\n"
    )
    config = config_of([sys.executable, "-c", endless])
    with ClientHarness(config, "one call", "default", {}) as harness:
        harness.run_each([0], lambda scenario, _: scenario.create(harness.plain_connection()))
    end_program(config, harness.tally)
    assert not any(clause.startswith("program.") for clause in harness.tally.findings)
    assert "request.authorization" in harness.tally.findings


def test_the_name_of_a_program_is_what_it_says() -> None:
    config = config_of(speaker())
    assert config.name.endswith("speaker.py")
    judge_program(config)
    assert config.name == "speaker 1.0"


def test_a_program_reaches_loopback_around_a_proxy_and_sees_nothing_of_ours() -> None:
    before = {"HTTP_PROXY": "http://proxy:3128", "NO_PROXY": "a.example", "PYTEST_ADDOPTS": "-x"}
    assert environment(before) == {
        "HTTP_PROXY": "http://proxy:3128",
        "NO_PROXY": "a.example,127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
    }


def test_a_run_that_started_nothing_ends_nothing() -> None:
    run = ProgramRun(["no-such-program"])
    run.close()
    assert not run.started


def test_a_program_that_is_gone_before_bye_is_told_so() -> None:
    ours, theirs = socket.socketpair()
    channel = SocketChannel(ours, time.monotonic)
    program = Program(lambda: channel, clock=time.monotonic, redact=str, timeouts=Timeouts())
    theirs.sendall(b'{"id": 0, "result": {"name": "brief", "operations": ["create_connection"]}}\n')
    assert program.ready()
    theirs.close()
    program.end()
    (seen,) = [conduct for conduct in program.take_observations() if conduct.summary]
    assert (seen.clause, seen.summary) == ("program.alive", "the program ends before bye")
