"""Judges the speaker in this process: a few calls, with timeouts as short as its fault allows."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from aepmock.clients.program.program import Timeouts
from aepmock.contract import load_contract
from aepmock.judge import Tally
from aepmock.suite import ClientHarness, Scenario, SuiteConfig, end_program
from aepmock.suite.programs import ProgramRun

SPEAKER = Path(__file__).with_name("speaker.py")
TIMEOUT_FACTOR = {
    "never-says-hello": Timeouts(hello_s=1.0),
    "hangs-in-one-operation": Timeouts(margin_s=0.1),
    "begins-a-line": Timeouts(margin_s=0.1),
    "stays-after-bye": Timeouts(end_s=0.3),
}


def speaker(fault: str = "") -> list[str]:
    """The command of the speaker with a fault."""
    return [sys.executable, str(SPEAKER), *([fault] if fault else [])]


def config_of(command: Sequence[str], timeouts: Timeouts | None = None) -> SuiteConfig:
    """What judges a program of everything."""
    program = ProgramRun(command, timeouts=timeouts)
    clauses = frozenset(load_contract().clauses)
    return SuiteConfig(
        program.program.client, "program", clauses, transport="server", examples=1, program=program
    )


def judge_program(config: SuiteConfig) -> Tally:
    """What a program met and broke in a handful of calls, and at its end."""
    total = Tally()
    with ClientHarness(config, "a few calls", "default", {}) as harness:
        harness.run_each([0], few_calls)
    total.merge(harness.tally)
    end_program(config, total)
    return total


def few_calls(scenario: Scenario, _: object) -> None:
    """Each kind of answer: an object, a list, null, a number, an error; and odd text."""
    made = scenario.create(scenario.harness.plain_connection())
    odd = scenario.seed(1, name="naïve 日本\u2028\x85\x00 🎈")[0]["id"]
    for connection_id in (odd, made[0] if made else odd, "no such id", "naïve"):
        scenario.call("get_connection", connection_id=connection_id)
    scenario.call("list_connections", limit=1)
    scenario.call("count_connections", property=["name==naïve"])
    scenario.call("delete_connection", connection_id=odd)


@cache
def judge_speaker(fault: str = "") -> Tally:
    """What the speaker with a fault met and broke."""
    return judge_program(config_of(speaker(fault), TIMEOUT_FACTOR.get(fault)))
