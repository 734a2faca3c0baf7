"""Reading, testing, exploring and deleting one connection."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from aepmock.strategies import (
    AWKWARD_IDS,
    SOURCE_PARAMS,
    answers,
    awkward_ids,
    explorations,
    explored,
)
from aepmock.suite import BY_ID, ClientHarness, Scenario

OPERATIONS = (
    "connections.get",
    "connections.delete",
    "connections.test",
    "connections.explore",
)
LIVE = (
    "test_a_connection_is_read_tested_and_deleted",
    "test_every_kind_of_exploration_asks_for_what_was_wanted",
)
EXERCISES = (
    "request.*",
    "connections.get.*",
    "connections.delete.*",
    "connections.test.*",
    "connections.explore.*",
    "connections.list.all-pages",
    "answers.*",
    "ims.*",
)


def test_a_connection_is_read_tested_and_deleted(harness: ClientHarness) -> None:
    def example(scenario: Scenario, usable: bool) -> None:
        connection_id = scenario.seed(usable=usable, description="a description")[0]["id"]
        scenario.call("get_connection", connection_id=connection_id)
        scenario.call("test_connection", connection_id=connection_id)
        scenario.call("delete_connection", connection_id=connection_id)

    harness.run(example, usable=st.booleans())


def test_a_connection_is_read_whatever_its_state(harness: ClientHarness) -> None:
    def example(scenario: Scenario, state: str) -> None:
        item = scenario.seed(state=state)[0]
        scenario.call("get_connection", connection_id=item["id"])
        scenario.call("list_connections")

    states = harness.contract.states.values()
    harness.run_each([s.name for s in states if s.source.kind == "documented"], example)


def test_every_kind_of_exploration_asks_for_what_was_wanted(harness: ClientHarness) -> None:
    kinds: list[dict[str, Any]] = [
        {"object_type": "root"},
        {"object_type": "table", "object": "Hubspot.Contacts", "preview": True},
        {"object_type": "table", "object": 'dbo.naïve a&b=c+d,%20?#/"e"'},
        {"object_type": "table", "object": "/a path/with slashes/"},
        {
            "object_type": "rest",
            "object": "json",
            "file_type": "json",
            "preview": True,
            "source_params": {"campaignId": "c66a200cda"},
        },
        {"object_type": "file", "object": "/a b/c.csv", "file_type": "delimited", "preview": False},
    ]

    def example(scenario: Scenario, wanted: dict[str, Any]) -> None:
        connection_id = scenario.seed()[0]["id"]
        scenario.call("explore_connection", connection_id=connection_id, **wanted)

    harness.run_each(kinds, example)


def test_what_is_asked_after_another_question_is_asked(harness: ClientHarness) -> None:
    tables: list[dict[str, Any]] = [
        {"object_type": "table", "object": f"Hubspot.{t}"} for t in ("Contacts", "Deals")
    ]

    def example(scenario: Scenario, usable: bool) -> None:
        connection_id = scenario.seed(usable=usable)[0]["id"]
        for wanted in tables:
            scenario.call("explore_connection", connection_id=connection_id, **wanted)
        for _ in range(2):
            scenario.call("test_connection", connection_id=connection_id)

    harness.run_each([True, False], example)


def test_an_exploration_asks_for_what_was_wanted(harness: ClientHarness) -> None:
    def example(scenario: Scenario, wanted: dict[str, Any]) -> None:
        connection_id = scenario.seed()[0]["id"]
        scenario.call("explore_connection", connection_id=connection_id, **wanted)

    harness.run(example, wanted=explorations(harness.connector))


def test_source_params_of_any_json_type_are_sent_as_given(harness: ClientHarness) -> None:
    rest: dict[str, Any] = {"object_type": "rest", "object": "json", "file_type": "json"}

    def example(scenario: Scenario, source_params: dict[str, Any]) -> None:
        connection_id = scenario.seed()[0]["id"]
        scenario.call(
            "explore_connection", connection_id=connection_id, **rest, source_params=source_params
        )

    harness.run_each(SOURCE_PARAMS, example)


def test_what_is_found_is_given_as_it_is(harness: ClientHarness) -> None:
    # A program keeps to I-JSON, which has no larger whole numbers.
    documents = explored() if harness.program is None else explored(largest=2**53 - 1)

    def example(scenario: Scenario, document: Any) -> None:
        connection_id = scenario.seed()[0]["id"]
        with scenario.answering("connections.explore", answers.found(document)):
            scenario.call("explore_connection", connection_id=connection_id, object_type="root")

    harness.run_each(documents, example)


def test_an_id_is_one_segment_of_the_path(harness: ClientHarness) -> None:
    def example(scenario: Scenario, operation: str, connection_id: str) -> None:
        scenario.call_by_id(operation, connection_id)

    for method in BY_ID:
        harness.run_each(
            AWKWARD_IDS,
            lambda scenario, connection_id, method=method: example(scenario, method, connection_id),
        )
    harness.run(example, operation=st.sampled_from(BY_ID), connection_id=awkward_ids())


def test_an_empty_id_is_refused(harness: ClientHarness) -> None:
    def example(scenario: Scenario, operation: str) -> None:
        scenario.seed(2)
        scenario.call_by_id(operation, "")

    harness.run_each(BY_ID, example)
