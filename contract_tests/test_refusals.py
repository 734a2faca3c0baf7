"""Requests that a live service has to refuse, one of each kind; only with --live-send-invalid."""

from __future__ import annotations

from aepmock.suite import ClientHarness, Scenario

OPERATIONS = ("connections.get", "connections.create", "connections.update")
EXERCISES = ("errors.*", "connections.update.*", "lifecycle.deleted-gone")
SEND_INVALID = (
    "test_an_unknown_id_is_reported",
    "test_the_kit_is_refused_what_is_wrong",
)
NOBODYS = "0a11ce00-0000-4000-8000-00000000aeb0"


def test_an_unknown_id_is_reported(harness: ClientHarness) -> None:
    def example(scenario: Scenario, connection_id: str) -> None:
        scenario.call("get_connection", connection_id=connection_id)

    harness.run_each([NOBODYS], example)


def test_the_kit_is_refused_what_is_wrong(harness: ClientHarness) -> None:
    """No client is asked to send these: who looks on compares the answers with the mock's."""

    def example(scenario: Scenario, kind: str) -> None:
        scenario.be_refused(kind)

    harness.run_each(["bad-json", "unknown-spec", "missing-param", "missing-if-match"], example)
