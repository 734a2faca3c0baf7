"""Whether the judge convicts every mutant of its fault, and nobody of anything else."""

from __future__ import annotations

import pytest

from aepmock.client_api import OPERATIONS
from aepmock.contract import load_contract
from aepmock.judge.checks import TRANSCRIPT_CHECKS, WIRE_CHECKS, needs, registry, why_idle
from aepmock.suite import load_factory
from tests.mutants import CORRECT_CLIENTS, MUTANTS, CorrectClient, Mutant
from tests.mutants.running import ROOT, judge_by_command, judge_correct, judge_mutant
from tests.program.speaker import FAULTS

CLAUSES = load_contract().clauses

# A mutant may leave open whatever it likes.
pytestmark = pytest.mark.filterwarnings("ignore")


def test_every_clause_has_a_mutant() -> None:
    # What is asked of programs only is broken by programs: tests/program judges them.
    assert {mutant.clause for mutant in MUTANTS} | set(FAULTS.values()) == set(CLAUSES)


def test_every_clause_has_a_check_and_every_check_a_clause() -> None:
    assert {*TRANSCRIPT_CHECKS, *WIRE_CHECKS} == set(CLAUSES)


def test_what_a_clause_needs_is_a_method_of_a_client() -> None:
    assert {needs(clause) for clause in CLAUSES} <= {None, *OPERATIONS}


def test_reasons_for_not_being_tested_are_about_clauses() -> None:
    assert {clause for clause in CLAUSES if why_idle(clause)} == set(registry._IDLE)


def test_what_a_mutant_breaks_besides_are_other_musts() -> None:
    for mutant in MUTANTS:
        assert mutant.clause not in mutant.also, mutant.target
        assert all(CLAUSES[clause].grade == "must" for clause in mutant.also), mutant.target


def test_every_client_is_found_by_its_target() -> None:
    targets = [mutant.target for mutant in MUTANTS] + [client.target for client in CORRECT_CLIENTS]
    assert len(set(targets)) == len(targets)
    for mutant in MUTANTS:
        assert load_factory(mutant.target, ROOT) is mutant.factory


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.target.rpartition(".")[2])
def test_a_mutant_is_convicted_of_its_fault_only(mutant: Mutant) -> None:
    line = judge_mutant(mutant)
    assert line.trouble == ""
    assert line.convicted
    assert line.accused == {}


@pytest.mark.parametrize(
    "client", CORRECT_CLIENTS, ids=lambda client: client.target.rpartition(".")[2]
)
def test_a_client_that_is_right_is_accused_of_nothing(client: CorrectClient) -> None:
    line = judge_correct(client)
    assert line.trouble == ""
    assert line.accused == {}


@pytest.mark.parametrize(
    ("name", "status", "broken"),
    [
        ("creating:sends_null_for_no_description", 1, {"connections.create.description-absent"}),
        # What it does depends on the examples before, which Hypothesis calls flaky.
        ("sdk_creating:remembers_creates_by_name", 1, {"connections.create.one-post"}),
        ("tokens:asks_for_a_token_before_each_call", 0, {"ims.token.reuse"}),
        ("odd_but_right:can_only_create", 0, set()),
    ],
)
def test_the_command_says_the_same(name: str, status: int, broken: set[str]) -> None:
    said, judged = judge_by_command(f"tests.mutants.{name}", "auto")
    assert judged.trouble == ""
    assert said == status
    assert set(judged.broken) == broken
