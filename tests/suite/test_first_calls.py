"""What comes of calling each method once, before anything else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from aepmock.client_api import NewConnection
from aepmock.clients.reference import Answer, ReferenceClient
from aepmock.contract import load_contract
from aepmock.errors import UsageError
from aepmock.judge import ClauseResult, Tally
from aepmock.judge.exception_details import crashed
from aepmock.strategies import refusal
from aepmock.suite import ClientHarness, ContractBroken, SuiteConfig, make_report
from contract_tests.test_errors import refuse
from tests.mutants import behaving


def config_of(client: Callable[..., Any], *patterns: str) -> SuiteConfig:
    clauses = frozenset(c.id for c in load_contract().select_clauses(patterns))
    return SuiteConfig(client, "acme:client", clauses, examples=1)


def judged(config: SuiteConfig, calls: Sequence[str]) -> Tally:
    """What plain calls of these methods met and broke."""
    with ClientHarness(config, "plain calls", "default", {}) as harness:
        harness.run_each(calls, lambda scenario, call: scenario.call_plainly(call))
    return harness.tally


def results(config: SuiteConfig, tally: Tally) -> dict[str, ClauseResult]:
    report = make_report(config, tally, started_at="", duration_s=0.0)
    return {result.clause.id: result for result in report.results}


def test_a_client_of_stubs_meets_nothing() -> None:
    config = config_of(behaving.has_nothing_but_stubs)
    tally = judged(config, ["create_connection", "get_connection", "delete_connection"])
    found = results(config, tally)
    assert [c for c, r in found.items() if r.verdict == "broken"] == ["answers.good"]
    musts = {c for c, r in found.items() if r.verdict == "met" and r.clause.grade == "must"}
    assert musts <= {"answers.exit", "answers.process"}
    assert found["connections.create.name"].reason == (
        "create_connection raises NotImplementedError when it is first called"
    )
    assert found["connections.list.stops"].reason == "the client has no list_connections"


def test_what_fails_first_is_convicted_whatever_is_selected() -> None:
    config = config_of(behaving.fails_after_each_201, "connections.create.*")
    with ClientHarness(config, "plain calls", "default", {}) as harness:
        harness.run_each([0], lambda scenario, _: scenario.call_plainly("create_connection"))
    found = results(config, harness.tally)
    assert found["answers.good"].verdict == "broken"
    assert {r.verdict for c, r in found.items() if c != "answers.good"} == {"not-exercised"}
    with pytest.raises(ContractBroken, match="create_connection raises RuntimeError"):
        harness.verdict()


def test_every_test_that_lacks_a_method_says_why_it_fails() -> None:
    config = config_of(behaving.lists_by_an_attribute_that_is_not_there)
    assert set(judged(config, ["get_connection"]).findings) == {"answers.good"}
    assert judged(config, ["get_connection"]).findings == {}
    assert set(judged(config, ["list_connections"]).findings) == {"answers.good"}


class with_a_list_of_its_own(ReferenceClient):
    def list_connections(self) -> Any:  # type: ignore[override]
        return super().list_connections()


class with_a_create_by_parts(ReferenceClient):
    def create_connection(self, name: str, spec: str) -> Any:  # type: ignore[override]
        raise NotImplementedError


@pytest.mark.parametrize(
    ("client", "said"),
    [
        (with_a_list_of_its_own, "list_connections(limit=None, property=(), orderby=None)"),
        (with_a_create_by_parts, "create_connection(NewConnection)"),
    ],
)
def test_a_method_that_can_not_be_called_is_misuse(client: Any, said: str) -> None:
    config = config_of(client)
    for _ in range(2):  # in each test of a run
        with (
            pytest.raises(UsageError, match="can't be called") as raised,
            ClientHarness(config, "x", "default", {}),
        ):
            pass
        assert said in str(raised.value)
        assert f"{client.__name__}." in str(raised.value)
        assert "test_first_calls.py:" in str(raised.value)


class fails_inside(ReferenceClient):
    def create_connection(self, connection: NewConnection) -> Any:
        return len(connection)  # type: ignore[arg-type]


def test_a_type_error_inside_is_no_misuse() -> None:
    tally = judged(config_of(fails_inside), [])
    assert tally.failed == {
        "create_connection": "create_connection raises TypeError when it is first called"
    }


def test_a_request_that_is_refused_is_no_failure_on_a_good_answer() -> None:
    class wrong(ReferenceClient):
        def token(self) -> str:
            return "of someone else"

    config = config_of(wrong)
    tally = judged(config, ["get_connection"])
    assert tally.failed == {}
    assert "answers.good" not in tally.findings
    assert make_report(config, tally, started_at="", duration_s=0.0).refused == "401"


def refused(client: Any, code: str) -> dict[str, ClauseResult]:
    config = config_of(client, "errors.*", "answers.exit")
    with ClientHarness(config, "refused", "default", {}) as harness:
        answer = harness.contract.errors[code]
        harness.run_each(
            [0], lambda scenario, _: refuse(scenario, "get_connection", refusal(answer))
        )
    return results(config, harness.tally)


def test_an_accident_meets_no_clause_about_errors() -> None:
    found = refused(behaving.takes_every_refusal_for_a_dict, "1439-404")
    assert found["errors.service"].verdict == "not-exercised"
    assert "fails with KeyError" in found["errors.service"].reason
    assert found["errors.status"].verdict == "broken"


def test_an_end_of_the_program_is_one_defect() -> None:
    found = refused(behaving.ends_the_program_at_a_refusal, "1439-404")
    assert [c for c, r in found.items() if r.verdict == "broken"] == ["answers.exit"]
    assert not any(r.verdict == "met" for c, r in found.items() if c.startswith("errors."))


def own(error: BaseException) -> Callable[[], None]:
    def act() -> None:
        raise error

    return act


class Missing(KeyError):
    pass


@pytest.mark.parametrize(
    ("act", "accident"),
    [
        (lambda: dict[str, str]()["id"], True),
        (lambda: None.json(), True),  # type: ignore[attr-defined]
        (lambda: int(None), True),  # type: ignore[call-overload]
        (lambda: __import__("os").environ["NO SUCH NAME"], True),
        (own(NotImplementedError()), True),
        (own(SystemExit(1)), True),
        (own(KeyError("no such connection")), False),
        (own(Missing("no such connection")), False),
        (own(TypeError("a page is a number")), False),
        (lambda: int("x"), False),
        (lambda: __import__("json").loads("<"), False),
    ],
)
def test_an_accident_is_told_from_a_report(act: Callable[[], object], accident: bool) -> None:
    with pytest.raises(BaseException) as raised:  # noqa: PT011 of any kind
        act()
    assert crashed(raised.value) is accident


def test_what_a_client_changes_is_set_back(monkeypatch: pytest.MonkeyPatch) -> None:
    import os
    from pathlib import Path

    monkeypatch.chdir(Path.cwd())
    before = os.getcwd()  # noqa: PTH109
    tally = judged(config_of(behaving.goes_to_a_folder_of_its_own), ["create_connection"])
    assert "the working directory" in tally.findings["answers.process"][0].got
    assert os.getcwd() == before  # noqa: PTH109


class says_nothing(ReferenceClient):
    def read_one(self, answer: Answer) -> Any:
        return super().read_one(answer)


def test_a_right_client_breaks_nothing_first() -> None:
    tally = judged(config_of(says_nothing), [])
    assert tally.findings == {}
    assert tally.met["answers.good"] == 8
