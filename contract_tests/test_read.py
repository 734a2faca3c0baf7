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
from aepmock.suite import BY_ID, Bench, Trial

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


def test_a_connection_is_read_tested_and_deleted(bench: Bench) -> None:
    def example(trial: Trial, usable: bool) -> None:
        connection_id = trial.seed(usable=usable, description="a description")[0]["id"]
        trial.call("get_connection", connection_id=connection_id)
        trial.call("test_connection", connection_id=connection_id)
        trial.call("delete_connection", connection_id=connection_id)

    bench.run(example, usable=st.booleans())


def test_a_connection_is_read_whatever_its_state(bench: Bench) -> None:
    def example(trial: Trial, state: str) -> None:
        item = trial.seed(state=state)[0]
        trial.call("get_connection", connection_id=item["id"])
        trial.call("list_connections")

    states = bench.contract.states.values()
    bench.run_each([s.name for s in states if s.source.kind == "documented"], example)


def test_every_kind_of_exploration_asks_for_what_was_wanted(bench: Bench) -> None:
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

    def example(trial: Trial, wanted: dict[str, Any]) -> None:
        connection_id = trial.seed()[0]["id"]
        trial.call("explore_connection", connection_id=connection_id, **wanted)

    bench.run_each(kinds, example)


def test_what_is_asked_after_another_question_is_asked(bench: Bench) -> None:
    tables: list[dict[str, Any]] = [
        {"object_type": "table", "object": f"Hubspot.{t}"} for t in ("Contacts", "Deals")
    ]

    def example(trial: Trial, usable: bool) -> None:
        connection_id = trial.seed(usable=usable)[0]["id"]
        for wanted in tables:
            trial.call("explore_connection", connection_id=connection_id, **wanted)
        for _ in range(2):
            trial.call("test_connection", connection_id=connection_id)

    bench.run_each([True, False], example)


def test_an_exploration_asks_for_what_was_wanted(bench: Bench) -> None:
    def example(trial: Trial, wanted: dict[str, Any]) -> None:
        connection_id = trial.seed()[0]["id"]
        trial.call("explore_connection", connection_id=connection_id, **wanted)

    bench.run(example, wanted=explorations(bench.connector))


def test_source_params_of_any_json_type_are_sent_as_given(bench: Bench) -> None:
    rest: dict[str, Any] = {"object_type": "rest", "object": "json", "file_type": "json"}

    def example(trial: Trial, source_params: dict[str, Any]) -> None:
        connection_id = trial.seed()[0]["id"]
        trial.call(
            "explore_connection", connection_id=connection_id, **rest, source_params=source_params
        )

    bench.run_each(SOURCE_PARAMS, example)


def test_what_is_found_is_given_as_it_is(bench: Bench) -> None:
    # A program keeps to I-JSON, which has no larger whole numbers.
    documents = explored() if bench.program is None else explored(largest=2**53 - 1)

    def example(trial: Trial, document: Any) -> None:
        connection_id = trial.seed()[0]["id"]
        with trial.answering("connections.explore", answers.found(document)):
            trial.call("explore_connection", connection_id=connection_id, object_type="root")

    bench.run_each(documents, example)


def test_an_id_is_one_segment_of_the_path(bench: Bench) -> None:
    def example(trial: Trial, operation: str, connection_id: str) -> None:
        trial.call_by_id(operation, connection_id)

    for method in BY_ID:
        bench.run_each(
            AWKWARD_IDS,
            lambda trial, connection_id, method=method: example(trial, method, connection_id),
        )
    bench.run(example, operation=st.sampled_from(BY_ID), connection_id=awkward_ids())


def test_an_empty_id_is_refused(bench: Bench) -> None:
    def example(trial: Trial, operation: str) -> None:
        trial.seed(2)
        trial.call_by_id(operation, "")

    bench.run_each(BY_ID, example)
