"""What is sent again, after an answer that says nothing was done: it is what was sent first."""

from __future__ import annotations

from typing import Any

from aepmock.suite import Bench, Trial, service_operation

OPERATIONS = ()
EXERCISES = ("request.*", "connections.*")

REFUSED_ONCE = ("429 retry-after 0s", "503 retry-after 0s", "401013")


def test_what_is_sent_again_is_what_was_sent_first(bench: Bench) -> None:
    def example(trial: Trial, turn: tuple[str, str]) -> None:
        call, refused = turn
        item = trial.seed(description="wanted")[0]
        args = {**trial.arguments(call, item), **more.get(call, {})}
        with trial.faulting(service_operation(call), refused):
            trial.call(call, **args)

    more: dict[str, dict[str, Any]] = {
        "list_connections": {"property": ("description==wanted",), "orderby": "-name", "limit": 2},
        "count_connections": {"property": ("description==wanted",)},
        "explore_connection": {"object_type": "table", "object": "Hubspot.Contacts"},
    }
    calls = ("create_connection", "get_connection", "update_connection", *more)
    bench.run_each([(call, refused) for call in calls for refused in REFUSED_ONCE], example)
