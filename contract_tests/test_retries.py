"""Answers that never come, refusals that do not end, and waits that were asked for."""

from __future__ import annotations

import time
from dataclasses import replace

from aepmock.strategies import answers, refusal
from aepmock.suite import ALWAYS, CALLS, Bench, Trial, service_operation

OPERATIONS = ()
EXERCISES = ("retries.*", "errors.status")

LOST = ("lost answer: reset", "reset", "empty answer", "lost answer: empty answer")
BUSY_S = 3
IMPATIENT_S = 0.6
"""How long clients are told to wait for an answer, where there is none to come."""


def visit(trial: Trial, call: str, *, timeout_s: float = 2.0) -> None:
    """A plain call by a new client over the wire, where a connection can really break."""
    item = trial.seed()[0]
    settings = replace(trial.bench.loopback.wire(trial.bench.settings), timeout_s=timeout_s)
    trial.visit(settings, call, **trial.arguments(call, item))


def test_a_create_whose_answer_is_lost_is_not_repeated_blindly(bench: Bench) -> None:
    def example(trial: Trial, what: str) -> None:
        with trial.faulting("connections.create", what, times=ALWAYS):
            visit(trial, "create_connection")

    bench.run_each(LOST, example)


def test_a_create_whose_answer_is_lost_once_makes_one_connection(bench: Bench) -> None:
    def example(trial: Trial, what: str) -> None:
        with trial.faulting("connections.create", what):
            visit(trial, "create_connection")

    bench.run_each(LOST, example)


def test_a_call_that_nobody_answers_is_an_error(bench: Bench) -> None:
    def example(trial: Trial, call: str) -> None:
        with trial.faulting(service_operation(call), "reset", times=ALWAYS):
            visit(trial, call)

    bench.run_each(CALLS, example)


def test_a_list_whose_later_page_never_comes_is_an_error(bench: Bench) -> None:
    def example(trial: Trial, what: str) -> None:
        trial.seed(5)
        settings = bench.loopback.wire(bench.settings)
        with trial.faulting("connections.list", what, times=ALWAYS, when={"call": 2}):
            trial.visit(settings, "list_connections", limit=2)

    bench.run_each(["reset", "empty answer"], example)


def test_a_call_that_is_refused_for_ever_comes_to_an_end(bench: Bench) -> None:
    def example(trial: Trial, turn: tuple[str, str]) -> None:
        call, what = turn
        with trial.faulting(service_operation(call), what, times=ALWAYS):
            trial.call_plainly(call)

    bench.run_each([(call, what) for call in CALLS for what in ("503", "html 404")], example)


def test_a_client_waits_as_long_as_it_is_asked_to(bench: Bench) -> None:
    def example(trial: Trial, turn: tuple[str, str]) -> None:
        call, what = turn
        with trial.waiting(), trial.faulting(service_operation(call), what):
            trial.call_plainly(call)

    asked = [
        ("get_connection", "429 retry-after 2s"),
        ("list_connections", "503 retry-after 1s"),
        ("create_connection", "429 retry-after 1s"),
    ]
    bench.run_each(asked, example)


def test_a_client_waits_until_the_date_that_it_is_told(bench: Bench) -> None:
    def example(trial: Trial, call: str) -> None:
        busy = answers.busy_until(int(time.time()), BUSY_S)
        with trial.waiting(), trial.answering(service_operation(call), busy, times=1):
            trial.call_plainly(call)

    bench.run_each(["get_connection"], example)


def test_a_token_that_is_refused_is_replaced_once(bench: Bench) -> None:
    def example(trial: Trial, call: str) -> None:
        with trial.answering(service_operation(call), refusal(bench.contract.errors["401013"])):
            trial.call_plainly(call)

    bench.run_each(["get_connection", "list_connections", "create_connection"], example)


def test_a_server_that_never_answers_is_given_up(bench: Bench) -> None:
    def example(trial: Trial, call: str) -> None:
        with trial.waiting(), trial.faulting(service_operation(call), "timeout", times=ALWAYS):
            visit(trial, call, timeout_s=IMPATIENT_S)

    bench.run_each(["create_connection"], example)
