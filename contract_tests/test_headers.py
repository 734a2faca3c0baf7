"""Settings that no header can hold."""

from __future__ import annotations

from aepmock.strategies import HEADER_BREAKERS, text_outside_ascii
from aepmock.suite import Bench, Trial

OPERATIONS = ("connections.list", "connections.get")
EXERCISES = ("request.header-*",)


def test_a_control_character_in_a_header_is_refused(bench: Bench) -> None:
    def example(trial: Trial, sandbox: str) -> None:
        trial.create_somehow(sandbox=sandbox)

    bench.run_each(HEADER_BREAKERS, example)


def test_a_sandbox_name_outside_ascii_is_refused(bench: Bench) -> None:
    def example(trial: Trial, sandbox: str) -> None:
        trial.create_somehow(sandbox=sandbox)

    bench.run(example, sandbox=text_outside_ascii())
