"""Successes in every form they may have."""

from __future__ import annotations

from aepmock.strategies import STRANGE_ETAGS, answers, variations
from aepmock.strategies.answers import Change as Form
from aepmock.suite import CALLS, ClientHarness, Scenario, service_operation

OPERATIONS = ("connections.create", "connections.list", "connections.delete")
EXERCISES = (
    "answers.*",
    "connections.get.unwrapped",
    "connections.list.items",
    "connections.*.returns-etag",
)


def test_the_form_of_an_answer_makes_no_difference(harness: ClientHarness) -> None:
    def example(scenario: Scenario, turn: tuple[Form, str]) -> None:
        form, call = turn
        scenario.call_plainly(call)
        scenario.call_plainly(call, change=form)

    forms = (*variations().values(), answers.deflated)
    harness.run_each([(form, call) for form in forms for call in CALLS], example)


def test_an_etag_is_returned_whatever_it_looks_like(harness: ClientHarness) -> None:
    def example(scenario: Scenario, turn: tuple[str, str]) -> None:
        call, etag = turn
        scenario.call_plainly(call, change=answers.another_etag(etag))

    writes = ("create_connection", "update_connection")
    harness.run_each([(call, etag) for call in writes for etag in STRANGE_ETAGS], example)


def test_text_outside_ascii_is_read_however_it_is_written(harness: ClientHarness) -> None:
    def example(scenario: Scenario, turn: tuple[Form, str]) -> None:
        form, call = turn
        scenario.call_plainly(call)
        item = scenario.seed(name="naïve café, 日本語 😀")[0]
        with scenario.changing(service_operation(call), form):
            scenario.call(call, **scenario.arguments(call, item))

    turns = [(form, c) for form in answers.spellings().values() for c in READS]
    harness.run_each(turns, example)


def test_a_byte_order_mark_is_never_misread(harness: ClientHarness) -> None:
    harness.run_each(
        CALLS, lambda scenario, call: scenario.call_plainly(call, change=answers.marked)
    )


READS = ("get_connection", "list_connections")
"""The methods that give back what a connection is called."""


def test_what_an_answer_may_leave_out_may_be_absent(harness: ClientHarness) -> None:
    def example(scenario: Scenario, turn: tuple[str, str, str, str]) -> None:
        call, reading, whole, absent = turn
        for option in (whole, absent):
            with scenario.reading(**{reading: option}):
                scenario.call_plainly(call)

    harness.run_each(ABSENCES, example)


ABSENCES = [
    ("create_connection", "connections.create-location", "present", "absent"),
    ("create_connection", "connections.create-etag", "present", "absent"),
    ("list_connections", "connections.last-page-links", "empty", "absent"),
    ("delete_connection", "connections.delete-status", "204", "202"),
]
"""A method, a reading, its option that leaves nothing out, and the one that does."""
