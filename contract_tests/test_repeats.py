"""What is sent again, after an answer that says nothing was done: it is what was sent first."""

from __future__ import annotations

from typing import Any

from aepmock.suite import ClientHarness, Scenario, service_operation

OPERATIONS = ()
EXERCISES = ("request.*", "connections.*")

REFUSED_ONCE = ("429 retry-after 0s", "503 retry-after 0s", "401013")


def test_what_is_sent_again_is_what_was_sent_first(harness: ClientHarness) -> None:
    def example(scenario: Scenario, turn: tuple[str, str]) -> None:
        call, refused = turn
        item = scenario.seed(description="wanted")[0]
        args = {**scenario.arguments(call, item), **more.get(call, {})}
        with scenario.faulting(service_operation(call), refused):
            scenario.call(call, **args)

    more: dict[str, dict[str, Any]] = {
        "list_connections": {"property": ("description==wanted",), "orderby": "-name", "limit": 2},
        "count_connections": {"property": ("description==wanted",)},
        "explore_connection": {"object_type": "table", "object": "Hubspot.Contacts"},
    }
    calls = ("create_connection", "get_connection", "update_connection", *more)
    harness.run_each([(call, refused) for call in calls for refused in REFUSED_ONCE], example)
