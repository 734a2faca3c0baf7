"""Random sequences of calls: what the client says exists is what the service holds."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    consumes,
    multiple,
    rule,
)

from aepmock import NewConnection
from aepmock.strategies import texts
from aepmock.suite import ClientHarness, Scenario

OPERATIONS = ("connections.create", "connections.get", "connections.list", "connections.delete")
LIVE = ("test_a_connection_lives_and_is_gone",)
EXERCISES = ("lifecycle.*", "request.*", "connections.*", "answers.success", "ims.*")


def test_a_connection_lives_and_is_gone(harness: ClientHarness) -> None:
    def example(scenario: Scenario, connection: NewConnection) -> None:
        made = scenario.create(connection)
        if made is None:
            return
        connection_id = made[0]
        scenario.call("get_connection", connection_id=connection_id)
        scenario.call("get_connection", sandbox="prod", connection_id=connection_id)
        scenario.call(
            "update_connection",
            connection_id=connection_id,
            etag=scenario.current_etag(connection_id),
            operations=[{"op": "replace", "path": "/name", "value": harness.name("another name")}],
        )
        scenario.call("get_connection", connection_id=connection_id)
        scenario.call("list_connections")
        scenario.call("delete_connection", connection_id=connection_id)
        scenario.call("get_connection", connection_id=connection_id)
        scenario.call("list_connections")

    harness.run(example, connection=harness.valid_connections())


def test_what_a_colleague_does_is_seen(harness: ClientHarness) -> None:
    """Other clients, with credentials of their own, rename a connection and delete it."""

    def example(scenario: Scenario, name: str) -> None:
        item = scenario.seed()[0]
        rename = [{"op": "replace", "path": "/name", "value": name}]
        scenario.call("get_connection", connection_id=item["id"])
        known = len(scenario.transcript.calls)
        outcome = scenario.call_with_new_client(
            harness.rival_settings(),
            "update_connection",
            connection_id=item["id"],
            etag=item["etag"],
            operations=rename,
        )
        if outcome is not None and len(scenario.transcript.calls) == known:
            return  # it has its host compiled in: what it did is not on record
        scenario.call("get_connection", connection_id=item["id"])
        scenario.call("list_connections")
        scenario.call_with_new_client(
            harness.rival_settings(), "delete_connection", connection_id=item["id"]
        )
        scenario.call("get_connection", connection_id=item["id"])
        scenario.call("list_connections")

    harness.run_each(["of a colleague"], example)


def test_the_client_and_the_service_agree(harness: ClientHarness) -> None:
    connections = harness.valid_connections()

    class Lifecycle(RuleBasedStateMachine):
        """Connections are created, read, changed and deleted, here and in another sandbox."""

        living: Bundle[str] = Bundle("living")
        deleted: Bundle[str] = Bundle("deleted")

        def __init__(self, scenario: Scenario) -> None:
            super().__init__()
            self.scenario = scenario

        @rule(target=living, connection=connections)
        def create(self, connection: NewConnection) -> str | MultipleResults[str]:
            made = self.scenario.create(connection)
            return made[0] if made else multiple()

        @rule(connection_id=living)
        def read(self, connection_id: str) -> None:
            self.scenario.call("get_connection", connection_id=connection_id)

        @rule(connection_id=living)
        def read_from_another_sandbox(self, connection_id: str) -> None:
            self.scenario.call("get_connection", connection_id=connection_id)
            self.scenario.call("get_connection", sandbox="prod", connection_id=connection_id)

        @rule(connection_id=living, name=texts(max_size=30))
        def rename(self, connection_id: str, name: str) -> None:
            etag = self.scenario.current_etag(connection_id)
            if etag is None:
                return
            self.scenario.call("get_connection", connection_id=connection_id)
            self.scenario.call(
                "update_connection",
                connection_id=connection_id,
                etag=etag,
                operations=[{"op": "replace", "path": "/name", "value": name}],
            )
            self.scenario.call("get_connection", connection_id=connection_id)

        @rule(target=deleted, connection_id=consumes(living))
        def delete(self, connection_id: str) -> str:
            self.scenario.call("get_connection", connection_id=connection_id)
            self.scenario.call("delete_connection", connection_id=connection_id)
            self.scenario.call("get_connection", connection_id=connection_id)
            return connection_id

        @rule(connection_id=deleted)
        def read_deleted(self, connection_id: str) -> None:
            self.scenario.call("get_connection", connection_id=connection_id)

        @rule(limit=st.none() | st.integers(1, 3))
        def list(self, limit: int | None) -> None:
            self.scenario.call("list_connections", limit=limit)

    harness.run_machine(Lifecycle)
