"""Two clients with different settings work concurrently; tells which of them sent what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from aepmock.client_api import ClientSettings
from aepmock.clients.concurrent import Job, Outcomes, in_tasks, in_threads
from aepmock.contract.forms import given_in
from aepmock.judge import Call
from aepmock.messages import Exchange
from aepmock.suite.first_calls import is_given_up
from aepmock.suite.scenario import as_call

if TYPE_CHECKING:
    from aepmock.suite.harness import ClientHarness
    from aepmock.suite.scenario import Scenario

ROUNDS = 4


def at_a_time(scenario: Scenario, style: Literal["threads", "tasks"]) -> None:
    """Lets two clients create and read at a time, over the wire, and keeps their calls."""
    harness = scenario.harness
    if harness.program is not None:
        return  # a program is asked one thing at a time
    if is_given_up(harness, "create_connection", "get_connection"):
        return
    jobs = [_job(harness, name, settings) for name, settings in _parties(harness).items()]
    harness.recorder.take()
    harness.requests_of_call = 0
    run = in_threads if style == "threads" else in_tasks
    outcomes = run(harness.config.factory, jobs, deadline_s=harness.deadline_s)
    exchanges = harness.recorder.take()
    harness.check_guard()
    if not harness.local_servers.saw(exchanges):
        return
    scenario.transcript.together = style
    scenario.transcript.tokens |= harness.issued_tokens(exchanges)
    for job, ended in zip(jobs, outcomes, strict=True):
        scenario.transcript.calls += _calls(harness, job, ended, exchanges)


def _parties(harness: ClientHarness) -> dict[str, ClientSettings]:
    """Two clients that have nothing in common but the service."""
    here, there = harness.own_sandboxes
    return {
        "one": harness.local_servers.wire(harness.settings_for(here, other_org=False)),
        "other": harness.local_servers.wire(harness.settings_for(there, other_org=True)),
    }


def _job(harness: ClientHarness, name: str, settings: ClientSettings) -> Job:
    """Creations that bear the party's name, and reads of connections of its own."""
    ids = [
        harness.service.seed_connection(
            settings.ims_org_id,
            settings.sandbox_name,
            connector=harness.config.connector,
            name=name,
        )["id"]
        for _ in range(ROUNDS)
    ]
    plain = harness.plain_connection()
    steps = [
        step
        for number in range(ROUNDS)
        for step in (
            ("create_connection", {"connection": replace(plain, name=f"{name} {number}")}),
            ("get_connection", {"connection_id": ids[number]}),
        )
    ]
    return Job(settings, steps)


def _calls(
    harness: ClientHarness, job: Job, ended: Outcomes, exchanges: Sequence[Exchange]
) -> list[Call]:
    """The calls of a job; each request goes to the call whose name or id it bears."""
    calls: list[Call] = []
    mine = _fetched(harness, job.settings, exchanges)
    for (operation, args), outcome in zip(job.steps, ended, strict=True):
        if outcome is None:
            continue
        if operation == "create_connection":
            mine += [e for e in exchanges if _name_in(e) == args["connection"].name]
        else:
            mine += [e for e in exchanges if e.request.path.endswith(args["connection_id"])]
        calls.append(as_call(outcome, operation, job.settings, args, tuple(mine)))
        mine = []
    return calls


def _fetched(
    harness: ClientHarness, settings: ClientSettings, exchanges: Sequence[Exchange]
) -> list[Exchange]:
    """The token requests of a client, known by its client id."""
    contract = harness.contract
    return [
        e
        for e in exchanges
        if contract.ims_operation(e.request.path)
        and given_in(e.request).get("client_id") == settings.client_id
    ]


def _name_in(exchange: Exchange) -> str | None:
    if exchange.request.method != "POST":
        return None
    try:
        document = exchange.request.json
    except ValueError:
        return None
    return document.get("name") if isinstance(document, dict) else None
