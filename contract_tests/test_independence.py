"""Two clients that do not know of each other, and one that calls again and again."""

from __future__ import annotations

from aepmock.suite import Bench, Trial, at_a_time

OPERATIONS = ()
EXERCISES = ("independence.*",)

REPEATS = 6


def test_clients_that_are_used_in_turn_do_not_mix(bench: Bench) -> None:
    here, there = bench.own_sandboxes

    def example(trial: Trial, rounds: int) -> None:
        trial.transcript.together = "in turn"
        for _ in range(rounds):
            for sandbox, org in ((here, False), (there, True)):
                plain = bench.plain_connection()
                trial.call("create_connection", sandbox=sandbox, org=org, connection=plain)
                trial.call("list_connections", sandbox=sandbox, org=org)

    bench.run_each([3], example)


def test_clients_in_threads_do_not_mix(bench: Bench) -> None:
    bench.run_each([1, 2], lambda trial, _: at_a_time(trial, "threads"))


def test_clients_in_tasks_do_not_mix(bench: Bench) -> None:
    bench.run_each([1, 2], lambda trial, _: at_a_time(trial, "tasks"))


def test_the_same_call_again_sends_the_same_headers(bench: Bench) -> None:
    def example(trial: Trial, operation: str) -> None:
        trial.transcript.together = "again"
        item = trial.seed()[0]
        rename = [{"op": "replace", "path": "/name", "value": "another name"}]
        trial.call(
            "update_connection", connection_id=item["id"], etag=item["etag"], operations=rename
        )
        for _ in range(REPEATS):
            if operation == "create_connection":
                trial.call(operation, connection=bench.plain_connection())
            elif operation == "get_connection":
                trial.call(operation, connection_id=item["id"])
            else:
                trial.call(operation)

    bench.run_each(["create_connection", "get_connection", "list_connections"], example)
