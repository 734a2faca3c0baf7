"""Creating connections: what is sent, once, and what comes back."""

from __future__ import annotations

from dataclasses import replace

from aepmock import NewConnection
from aepmock.strategies import AWKWARD, AWKWARD_PARAMS
from aepmock.suite import ClientHarness, Scenario

OPERATIONS = ("connections.create",)
LIVE = (
    "test_a_connection_is_sent_as_given",
    "test_a_description_is_sent_where_there_is_one",
)
EXERCISES = ("connections.create.*", "request.*", "answers.*", "ims.*", "secrets.body")


def test_a_connection_is_sent_as_given(harness: ClientHarness) -> None:
    def example(scenario: Scenario, connection: NewConnection) -> None:
        scenario.create(connection)

    harness.run(example, connection=harness.valid_connections())


def test_a_description_is_sent_where_there_is_one(harness: ClientHarness) -> None:
    plain = harness.plain_connection()
    described = replace(plain, description="for sales", connection_spec_version=None)

    def example(scenario: Scenario, connection: NewConnection) -> None:
        scenario.create(connection)

    harness.run_each([plain, described] if harness.config.descriptions else [plain], example)


def test_a_text_that_clients_get_wrong_is_sent_as_given(harness: ClientHarness) -> None:
    plain = harness.plain_connection()

    def example(scenario: Scenario, text: str) -> None:
        described = text if harness.config.descriptions else None
        scenario.create(replace(plain, name=text, description=described))

    harness.run_each(AWKWARD, example)


def test_a_credential_that_clients_take_for_something_else_is_sent_as_given(
    harness: ClientHarness,
) -> None:
    plain = harness.plain_connection()
    texts = {
        p.name for spec in harness.connector.auth[:1] for p in spec.params if p.type == "string"
    }

    def example(scenario: Scenario, text: str) -> None:
        scenario.create(
            replace(plain, auth_params={**plain.auth_params, **dict.fromkeys(texts, text)})
        )

    harness.run_each(AWKWARD_PARAMS if texts else (), example)


def test_a_connection_is_sent_as_given_again(harness: ClientHarness) -> None:
    def example(scenario: Scenario, first: NewConnection, second: NewConnection) -> None:
        scenario.create(first)
        scenario.create(second)

    harness.run(example, first=harness.valid_connections(), second=harness.valid_connections())
