"""Whether a client looks at the certificate of the server that it talks to."""

from __future__ import annotations

from dataclasses import replace

from aepmock.suite import CERTIFIED, ClientHarness, Scenario

OPERATIONS = ()
EXERCISES = ("tls.*",)


def test_a_server_that_can_not_be_trusted_gets_no_request(harness: ClientHarness) -> None:
    def example(scenario: Scenario, calls: tuple[tuple[bool, bool], ...]) -> None:
        for named, trusted in calls:
            settings = harness.local_servers.over_tls(harness.settings, named=named)
            given = settings if trusted else replace(settings, ca_file=None)
            scenario.transcript.certified = CERTIFIED
            scenario.call_with_new_client(
                given, "create_connection", connection=harness.plain_connection()
            )

    harness.run_each([((True, False),), ((True, True), (False, True))], example)
