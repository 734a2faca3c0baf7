"""Answers that never come, refusals that do not end, and waits that were asked for."""

from __future__ import annotations

import time
from dataclasses import replace

from aepmock.strategies import answers, refusal
from aepmock.suite import ALWAYS, CALLS, ClientHarness, Scenario, service_operation

OPERATIONS = ()
EXERCISES = ("retries.*", "errors.status")

LOST = ("lost answer: reset", "reset", "empty answer", "lost answer: empty answer")
BUSY_S = 3
IMPATIENT_S = 0.6
"""How long clients are told to wait for an answer, where there is none to come."""


def call_once(scenario: Scenario, call: str, *, timeout_s: float = 2.0) -> None:
    """A plain call by a new client over the wire, where a connection can really break."""
    item = scenario.seed()[0]
    settings = replace(
        scenario.harness.local_servers.wire(scenario.harness.settings), timeout_s=timeout_s
    )
    scenario.call_with_new_client(settings, call, **scenario.arguments(call, item))


def test_a_create_whose_answer_is_lost_is_not_repeated_blindly(harness: ClientHarness) -> None:
    def example(scenario: Scenario, what: str) -> None:
        with scenario.faulting("connections.create", what, times=ALWAYS):
            call_once(scenario, "create_connection")

    harness.run_each(LOST, example)


def test_a_create_whose_answer_is_lost_once_makes_one_connection(harness: ClientHarness) -> None:
    def example(scenario: Scenario, what: str) -> None:
        with scenario.faulting("connections.create", what):
            call_once(scenario, "create_connection")

    harness.run_each(LOST, example)


def test_a_call_that_nobody_answers_is_an_error(harness: ClientHarness) -> None:
    def example(scenario: Scenario, call: str) -> None:
        with scenario.faulting(service_operation(call), "reset", times=ALWAYS):
            call_once(scenario, call)

    harness.run_each(CALLS, example)


def test_a_list_whose_later_page_never_comes_is_an_error(harness: ClientHarness) -> None:
    def example(scenario: Scenario, what: str) -> None:
        scenario.seed(5)
        settings = harness.local_servers.wire(harness.settings)
        with scenario.faulting("connections.list", what, times=ALWAYS, when={"call": 2}):
            scenario.call_with_new_client(settings, "list_connections", limit=2)

    harness.run_each(["reset", "empty answer"], example)


def test_a_call_that_is_refused_for_ever_comes_to_an_end(harness: ClientHarness) -> None:
    def example(scenario: Scenario, turn: tuple[str, str]) -> None:
        call, what = turn
        with scenario.faulting(service_operation(call), what, times=ALWAYS):
            scenario.call_plainly(call)

    harness.run_each([(call, what) for call in CALLS for what in ("503", "html 404")], example)


def test_a_client_waits_as_long_as_it_is_asked_to(harness: ClientHarness) -> None:
    def example(scenario: Scenario, turn: tuple[str, str]) -> None:
        call, what = turn
        with scenario.waiting(), scenario.faulting(service_operation(call), what):
            scenario.call_plainly(call)

    asked = [
        ("get_connection", "429 retry-after 2s"),
        ("list_connections", "503 retry-after 1s"),
        ("create_connection", "429 retry-after 1s"),
    ]
    harness.run_each(asked, example)


def test_a_client_waits_until_the_date_that_it_is_told(harness: ClientHarness) -> None:
    def example(scenario: Scenario, call: str) -> None:
        busy = answers.busy_until(int(time.time()), BUSY_S)
        with scenario.waiting(), scenario.answering(service_operation(call), busy, times=1):
            scenario.call_plainly(call)

    harness.run_each(["get_connection"], example)


def test_a_token_that_is_refused_is_replaced_once(harness: ClientHarness) -> None:
    def example(scenario: Scenario, call: str) -> None:
        with scenario.answering(
            service_operation(call), refusal(harness.contract.errors["401013"])
        ):
            scenario.call_plainly(call)

    harness.run_each(["get_connection", "list_connections", "create_connection"], example)


def test_a_server_that_never_answers_is_given_up(harness: ClientHarness) -> None:
    def example(scenario: Scenario, call: str) -> None:
        with (
            scenario.waiting(),
            scenario.faulting(service_operation(call), "timeout", times=ALWAYS),
        ):
            call_once(scenario, call, timeout_s=IMPATIENT_S)

    harness.run_each(["create_connection"], example)
