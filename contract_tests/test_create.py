"""Creating connections: what is sent, once, and what comes back."""

from __future__ import annotations

from dataclasses import replace

from aepmock import NewConnection
from aepmock.strategies import AWKWARD, AWKWARD_PARAMS
from aepmock.suite import Bench, Trial

OPERATIONS = ("connections.create",)
LIVE = (
    "test_a_connection_is_sent_as_given",
    "test_a_description_is_sent_where_there_is_one",
)
EXERCISES = ("connections.create.*", "request.*", "answers.*", "ims.*", "secrets.body")


def test_a_connection_is_sent_as_given(bench: Bench) -> None:
    def example(trial: Trial, connection: NewConnection) -> None:
        trial.create(connection)

    bench.run(example, connection=bench.valid_connections())


def test_a_description_is_sent_where_there_is_one(bench: Bench) -> None:
    plain = bench.plain_connection()
    described = replace(plain, description="for sales", connection_spec_version=None)

    def example(trial: Trial, connection: NewConnection) -> None:
        trial.create(connection)

    bench.run_each([plain, described] if bench.config.descriptions else [plain], example)


def test_a_text_that_clients_get_wrong_is_sent_as_given(bench: Bench) -> None:
    plain = bench.plain_connection()

    def example(trial: Trial, text: str) -> None:
        described = text if bench.config.descriptions else None
        trial.create(replace(plain, name=text, description=described))

    bench.run_each(AWKWARD, example)


def test_a_credential_that_clients_take_for_something_else_is_sent_as_given(bench: Bench) -> None:
    plain = bench.plain_connection()
    texts = {p.name for spec in bench.connector.auth[:1] for p in spec.params if p.type == "string"}

    def example(trial: Trial, text: str) -> None:
        trial.create(
            replace(plain, auth_params={**plain.auth_params, **dict.fromkeys(texts, text)})
        )

    bench.run_each(AWKWARD_PARAMS if texts else (), example)


def test_a_connection_is_sent_as_given_again(bench: Bench) -> None:
    def example(trial: Trial, first: NewConnection, second: NewConnection) -> None:
        trial.create(first)
        trial.create(second)

    bench.run(example, first=bench.valid_connections(), second=bench.valid_connections())
