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
from aepmock.suite import Bench, Trial

OPERATIONS = ("connections.create", "connections.get", "connections.list", "connections.delete")
LIVE = ("test_a_connection_lives_and_is_gone",)
EXERCISES = ("lifecycle.*", "request.*", "connections.*", "answers.success", "ims.*")


def test_a_connection_lives_and_is_gone(bench: Bench) -> None:
    def example(trial: Trial, connection: NewConnection) -> None:
        made = trial.create(connection)
        if made is None:
            return
        connection_id = made[0]
        trial.call("get_connection", connection_id=connection_id)
        trial.call("get_connection", sandbox="prod", connection_id=connection_id)
        trial.call(
            "update_connection",
            connection_id=connection_id,
            etag=trial.current_etag(connection_id),
            operations=[{"op": "replace", "path": "/name", "value": bench.name("another name")}],
        )
        trial.call("get_connection", connection_id=connection_id)
        trial.call("list_connections")
        trial.call("delete_connection", connection_id=connection_id)
        trial.call("get_connection", connection_id=connection_id)
        trial.call("list_connections")

    bench.run(example, connection=bench.valid_connections())


def test_what_a_colleague_does_is_seen(bench: Bench) -> None:
    """Other clients, with credentials of their own, rename a connection and delete it."""

    def example(trial: Trial, name: str) -> None:
        item = trial.seed()[0]
        rename = [{"op": "replace", "path": "/name", "value": name}]
        trial.call("get_connection", connection_id=item["id"])
        trial.visit(
            bench.rival_settings(),
            "update_connection",
            connection_id=item["id"],
            etag=item["etag"],
            operations=rename,
        )
        trial.call("get_connection", connection_id=item["id"])
        trial.call("list_connections")
        trial.visit(bench.rival_settings(), "delete_connection", connection_id=item["id"])
        trial.call("get_connection", connection_id=item["id"])
        trial.call("list_connections")

    bench.run_each(["of a colleague"], example)


def test_the_client_and_the_service_agree(bench: Bench) -> None:
    connections = bench.valid_connections()

    class Lifecycle(RuleBasedStateMachine):
        """Connections are created, read, changed and deleted, here and in another sandbox."""

        living: Bundle[str] = Bundle("living")
        deleted: Bundle[str] = Bundle("deleted")

        def __init__(self, trial: Trial) -> None:
            super().__init__()
            self.trial = trial

        @rule(target=living, connection=connections)
        def create(self, connection: NewConnection) -> str | MultipleResults[str]:
            made = self.trial.create(connection)
            return made[0] if made else multiple()

        @rule(connection_id=living)
        def read(self, connection_id: str) -> None:
            self.trial.call("get_connection", connection_id=connection_id)

        @rule(connection_id=living)
        def read_from_another_sandbox(self, connection_id: str) -> None:
            self.trial.call("get_connection", connection_id=connection_id)
            self.trial.call("get_connection", sandbox="prod", connection_id=connection_id)

        @rule(connection_id=living, name=texts(max_size=30))
        def rename(self, connection_id: str, name: str) -> None:
            etag = self.trial.current_etag(connection_id)
            if etag is None:
                return
            self.trial.call("get_connection", connection_id=connection_id)
            self.trial.call(
                "update_connection",
                connection_id=connection_id,
                etag=etag,
                operations=[{"op": "replace", "path": "/name", "value": name}],
            )
            self.trial.call("get_connection", connection_id=connection_id)

        @rule(target=deleted, connection_id=consumes(living))
        def delete(self, connection_id: str) -> str:
            self.trial.call("get_connection", connection_id=connection_id)
            self.trial.call("delete_connection", connection_id=connection_id)
            self.trial.call("get_connection", connection_id=connection_id)
            return connection_id

        @rule(connection_id=deleted)
        def read_deleted(self, connection_id: str) -> None:
            self.trial.call("get_connection", connection_id=connection_id)

        @rule(limit=st.none() | st.integers(1, 3))
        def list(self, limit: int | None) -> None:
            self.trial.call("list_connections", limit=limit)

    bench.run_machine(Lifecycle)
