"""Whether a client looks at the certificate of the server that it talks to."""

from __future__ import annotations

from dataclasses import replace

from aepmock.suite import CERTIFIED, Bench, Trial

OPERATIONS = ()
EXERCISES = ("tls.*",)


def test_a_server_that_can_not_be_trusted_gets_no_request(bench: Bench) -> None:
    def example(trial: Trial, calls: tuple[tuple[bool, bool], ...]) -> None:
        for named, trusted in calls:
            settings = bench.loopback.over_tls(bench.settings, named=named)
            given = settings if trusted else replace(settings, ca_file=None)
            trial.transcript.certified = CERTIFIED
            trial.visit(given, "create_connection", connection=bench.plain_connection())

    bench.run_each([((True, False),), ((True, True), (False, True))], example)
