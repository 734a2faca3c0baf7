"""Updates: etags, patches, conflicts."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from aepmock.strategies import STRANGE_ETAGS
from aepmock.suite import ClientHarness, Interleaving, Scenario

OPERATIONS = ("connections.update", "connections.get")
LIVE = (
    "test_an_update_with_the_current_etag_is_sent_as_given",
    "test_an_update_with_an_outdated_etag_is_a_conflict",
)
EXERCISES = ("request.*", "connections.update.*", "answers.*", "ims.*")


def test_an_update_with_the_current_etag_is_sent_as_given(harness: ClientHarness) -> None:
    def example(scenario: Scenario, operations: list[dict[str, Any]]) -> None:
        item = scenario.seed(description="before")[0]
        scenario.call(
            "update_connection",
            connection_id=item["id"],
            etag=item["etag"],
            operations=operations,
        )

    harness.run(example, operations=harness.patches())


def test_an_update_with_an_outdated_etag_is_a_conflict(harness: ClientHarness) -> None:
    def example(
        scenario: Scenario, mine: list[dict[str, Any]], theirs: list[dict[str, Any]]
    ) -> None:
        item = scenario.seed(description="before")[0]
        for operations in (theirs, mine):
            scenario.call(
                "update_connection",
                connection_id=item["id"],
                etag=item["etag"],
                operations=operations,
            )

    harness.run(example, mine=harness.patches(), theirs=harness.patches())


def test_the_same_update_is_sent_again(harness: ClientHarness) -> None:
    rename = [{"op": "replace", "path": "/name", "value": "another name"}]

    def example(scenario: Scenario, again: list[dict[str, Any]]) -> None:
        connection_id = scenario.seed(description="before")[0]["id"]
        for operations in (rename, again, rename):
            scenario.call(
                "update_connection",
                connection_id=connection_id,
                etag=scenario.current_etag(connection_id),
                operations=operations,
            )

    harness.run_each([rename], example)


def test_operations_that_clients_get_wrong_are_sent_as_given(harness: ClientHarness) -> None:
    def example(scenario: Scenario, operations: list[dict[str, Any]]) -> None:
        item = scenario.seed(description="before")[0]
        scenario.call(
            "update_connection",
            connection_id=item["id"],
            etag=item["etag"],
            operations=operations,
        )

    harness.run_each(AWKWARD_PATCHES, example)


AWKWARD_PATCHES = [
    [{"op": "replace", "path": "/description", "value": ""}],
    [
        {"op": "replace", "path": "/name", "value": "for now"},
        {"op": "replace", "path": "/name", "value": "for good"},
    ],
    [
        {"op": "remove", "path": "/description"},
        {"op": "add", "path": "/description", "value": "null"},
    ],
]
"""An empty value, two operations on one path, and an order that matters."""


def test_an_etag_is_passed_on_whatever_it_looks_like(harness: ClientHarness) -> None:
    def example(scenario: Scenario, etag: str) -> None:
        rename = {"op": "replace", "path": "/name", "value": harness.name("another name")}
        scenario.call(
            "update_connection",
            connection_id=scenario.seed()[0]["id"],
            etag=etag,
            operations=[rename],
        )

    harness.run_each(STRANGE_ETAGS, example)


def test_an_update_of_a_connection_that_is_gone_is_an_error(harness: ClientHarness) -> None:
    def example(scenario: Scenario, operations: list[dict[str, Any]]) -> None:
        item = scenario.seed(description="before")[0]
        scenario.harness.service.reset()
        scenario.call(
            "update_connection",
            connection_id=item["id"],
            etag=item["etag"],
            operations=operations,
        )

    harness.run(example, operations=harness.patches())


def test_of_two_clients_on_one_connection_none_loses_a_change(harness: ClientHarness) -> None:
    with Interleaving(harness) as interleaving:
        harness.run_each(INTERLEAVED, interleaving.run)
        harness.run(interleaving.run, choices=st.lists(st.integers(0, 1), max_size=12))


INTERLEAVED = [(0, 0, 1, 1) * 2, (1, 1, 0, 0) * 2, (0, 1) * 4, (0, 1, 1, 0) * 2]
"""Whose call or request is next: what nobody should have to be lucky to hit upon."""
