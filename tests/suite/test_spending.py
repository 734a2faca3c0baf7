"""What a broken client may cost: one budget for all searches, and an end to what hangs."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import strategies as st

from aepmock.client_api import ClientSettings
from aepmock.clients.reference import ReferenceClient
from aepmock.judge import Finding
from aepmock.suite import ClientHarness, Scenario, SuiteConfig, shrinking
from aepmock.suite.concurrency import at_a_time
from aepmock.suite.interleaving import Interleaving
from aepmock.suite.shrinking import SearchOver, Spending

NAME = "connections.create.name"


class Time:
    """A processor and a clock that a test moves."""

    def __init__(self) -> None:
        self.cpu_s = self.real_s = 0.0

    def process_time(self) -> float:
        return self.cpu_s

    def monotonic(self) -> float:
        return self.real_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Time:
    made = Time()
    monkeypatch.setattr(shrinking, "time", made)
    monkeypatch.delenv("PYTEST_XDIST_WORKER_COUNT", raising=False)
    return made


def spend(spending: Spending, go_by: Callable[[], None]) -> int:
    """How many examples a search has before it is over."""
    with spending.searching():
        for number in itertools.count():
            try:
                spending.check()
            except SearchOver:
                return number
            go_by()
    raise AssertionError


def test_all_searches_of_a_run_share_one_budget(clock: Time) -> None:
    def go_by() -> None:
        clock.cpu_s += 0.01

    spending = Spending(6.0)
    counts = [spend(spending, go_by) for _ in range(30)]
    assert counts[0] == pytest.approx(200, abs=2)
    assert counts == sorted(counts, reverse=True)
    assert counts[5] > 20
    assert clock.cpu_s < 6.5


def test_a_client_that_only_waits_spends_it_too(clock: Time) -> None:
    def go_by() -> None:
        clock.real_s += 0.1

    spending = Spending(6.0)
    for _ in range(30):
        spend(spending, go_by)
    assert 9 < clock.real_s < 15


def test_workers_share_it(clock: Time, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_XDIST_WORKER_COUNT", "4")

    def go_by() -> None:
        clock.cpu_s += 0.01

    assert spend(Spending(6.0), go_by) == pytest.approx(50, abs=2)


def test_outside_a_search_nothing_is_over(clock: Time) -> None:
    spending = Spending(1.0)
    clock.cpu_s = clock.real_s = 1_000.0
    spending.check()


def test_a_method_that_hangs_is_left_alone_and_in_the_end_the_client() -> None:
    spending = Spending()
    spending.hung("get_connection", 7.0)
    assert not spending.hopeless("get_connection")
    spending.hung("get_connection", 2.0)
    assert spending.hopeless("get_connection")
    assert not spending.hopeless("list_connections")
    assert spending.given_up == ""
    spending.hung("list_connections", 10.0)
    assert spending.hopeless("create_connection")
    assert spending.given_up == (
        "calls had to be broken off after 19 s in all (get_connection, list_connections)"
    )


class CutsNames(ReferenceClient):
    """Sends three characters of a name, which breaks more clauses than one."""

    def create_connection(self, connection: Any) -> Any:
        return super().create_connection(replace(connection, name=connection.name[:3]))


def make(settings: ClientSettings) -> CutsNames:
    return CutsNames(settings)


def create(scenario: Scenario, name: str) -> None:
    scenario.create(replace(scenario.harness.plain_connection(), name=name))


@pytest.fixture
def wanted(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """For what the smallest example was searched; None is the search for anything broken."""
    made: list[str | None] = []
    before = ClientHarness._settings

    def settings(self: ClientHarness, clause: str | None) -> Any:
        made.append(clause)
        return before(self, clause)

    monkeypatch.setattr(ClientHarness, "_settings", settings)
    return made


def findings(
    config: SuiteConfig, example: Callable[..., None] = create
) -> Mapping[str, list[Finding]]:
    """What a test with the client found."""
    with ClientHarness(config, "a test", "default", {}) as harness:
        harness.run(example, name=st.text("abcdefgh", min_size=4, max_size=40))
    return harness.tally.findings


def test_what_was_found_in_one_test_is_not_searched_in_the_next(wanted: list[str | None]) -> None:
    config = SuiteConfig(make, "cuts_names", frozenset({NAME}))
    (finding,) = findings(config)[NAME]
    assert wanted == [None, NAME]
    assert "'aaaa'" in finding.calls[0]
    assert findings(config)[NAME] == [finding]
    assert wanted == [None, NAME, None]


def test_a_finding_is_shown_as_it_is_where_there_is_nothing_left_to_spend(
    wanted: list[str | None],
) -> None:
    config = SuiteConfig(make, "cuts_names", frozenset({NAME}), spending=Spending(0.0))
    assert len(findings(config)[NAME]) == 1
    assert wanted == [None, NAME]


def test_one_example_shows_all_that_it_breaks(wanted: list[str | None]) -> None:
    """The search for the first clause's smallest example settles the second as well."""
    clauses = frozenset({NAME, "lifecycle.reads-back"})

    class CutsMore(CutsNames):
        def get_connection(self, connection_id: str) -> dict[str, Any]:
            return {**super().get_connection(connection_id), "name": "other"}

    def create_and_read(scenario: Scenario, name: str) -> None:
        made = scenario.create(replace(scenario.harness.plain_connection(), name=name))
        if made is not None:
            scenario.call("get_connection", connection_id=made[0])

    found = findings(SuiteConfig(CutsMore, "cuts_more", clauses), create_and_read)
    assert set(found) == clauses
    assert len(wanted) == 2
    assert all("'aaaa'" in finding.calls[0] for (finding,) in found.values())


class NeverEnds(ReferenceClient):
    """Asks until it is broken off."""

    asked = 0

    def get_connection(self, connection_id: str) -> dict[str, Any]:
        type(self).asked += 1
        while True:
            super().get_connection(connection_id)


def test_what_hung_in_one_test_is_not_asked_in_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shrinking, "HANGING_S", 0.001)
    monkeypatch.setattr(shrinking, "HANGING_RUN_S", 0.001)
    monkeypatch.setattr(NeverEnds, "asked", 0)
    config = SuiteConfig(NeverEnds, "never_ends", frozenset({"lifecycle.reads-back"}))
    outcomes = []

    def read(scenario: Scenario, call: str) -> None:
        outcomes.append(scenario.call_plainly(call))

    for _ in range(2):
        with ClientHarness(config, "a test", "default", {}) as harness:
            harness.run_each(["get_connection", "list_connections"], read)
    assert outcomes == [None, None, None, None]  # it hung when it was first called
    with ClientHarness(config, "a test", "default", {}) as harness:
        for style in ("threads", "tasks"):
            harness.run_each([style], at_a_time)
        with Interleaving(harness) as interleaving:
            harness.run_each([[0, 1]], interleaving.run)
    assert NeverEnds.asked == 1
    assert config.idle.startswith("the client was not asked any more: calls had to be broken off")
