"""Settings that no header can hold."""

from __future__ import annotations

from aepmock.strategies import HEADER_BREAKERS, text_outside_ascii
from aepmock.suite import ClientHarness, Scenario

OPERATIONS = ("connections.list", "connections.get")
EXERCISES = ("request.header-*",)


def test_a_control_character_in_a_header_is_refused(harness: ClientHarness) -> None:
    def example(scenario: Scenario, sandbox: str) -> None:
        scenario.create_somehow(sandbox=sandbox)

    harness.run_each(HEADER_BREAKERS, example)


def test_a_sandbox_name_outside_ascii_is_refused(harness: ClientHarness) -> None:
    def example(scenario: Scenario, sandbox: str) -> None:
        scenario.create_somehow(sandbox=sandbox)

    harness.run(example, sandbox=text_outside_ascii())
