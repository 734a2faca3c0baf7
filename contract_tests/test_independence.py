"""Two clients that do not know of each other, and one that calls again and again."""

from __future__ import annotations

from aepmock.suite import ClientHarness, Scenario, at_a_time

OPERATIONS = ()
EXERCISES = ("independence.*",)

REPEATS = 6


def test_clients_that_are_used_in_turn_do_not_mix(harness: ClientHarness) -> None:
    here, there = harness.own_sandboxes

    def example(scenario: Scenario, rounds: int) -> None:
        scenario.transcript.together = "in turn"
        for _ in range(rounds):
            for sandbox, org in ((here, False), (there, True)):
                plain = harness.plain_connection()
                scenario.call("create_connection", sandbox=sandbox, org=org, connection=plain)
                scenario.call("list_connections", sandbox=sandbox, org=org)

    harness.run_each([3], example)


def test_clients_in_threads_do_not_mix(harness: ClientHarness) -> None:
    harness.run_each([1, 2], lambda scenario, _: at_a_time(scenario, "threads"))


def test_clients_in_tasks_do_not_mix(harness: ClientHarness) -> None:
    harness.run_each([1, 2], lambda scenario, _: at_a_time(scenario, "tasks"))


def test_the_same_call_again_sends_the_same_headers(harness: ClientHarness) -> None:
    def example(scenario: Scenario, operation: str) -> None:
        scenario.transcript.together = "again"
        item = scenario.seed()[0]
        rename = [{"op": "replace", "path": "/name", "value": "another name"}]
        scenario.call(
            "update_connection", connection_id=item["id"], etag=item["etag"], operations=rename
        )
        for _ in range(REPEATS):
            if operation == "create_connection":
                scenario.call(operation, connection=harness.plain_connection())
            elif operation == "get_connection":
                scenario.call(operation, connection_id=item["id"])
            else:
                scenario.call(operation)

    harness.run_each(["create_connection", "get_connection", "list_connections"], example)
