"""The suite as another repository runs it."""

from __future__ import annotations

import json

import pytest

from aepmock import load_contract

REFERENCE = "aepmock.clients.reference:client"
BROKEN = """
from aepmock.clients.reference import MintingClient

class Stripping(MintingClient):
    def body(self, connection):
        body = super().body(connection)
        return {**body, "name": body["name"].strip() or "x"}

def client(settings):
    return Stripping(settings)
"""
SUITE = ("--pyargs", "aepmock.contract_tests", "-k", "test_create", "--aepmock-examples", "5")


def test_a_right_client_passes_and_the_summary_counts(pytester: pytest.Pytester) -> None:
    result = pytester.runpytest_subprocess(*SUITE, "--aepmock-client", REFERENCE)
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["aepmock: mock, transport auto, readings default, seed 0"])
    asked = [clause for clause in load_contract().clauses if not clause.startswith("program.")]
    counted = f"{len(asked)} clauses: * met, * not-exercised"
    result.stdout.fnmatch_lines(["*= aepmock =*", counted])


def test_a_broken_client_fails_with_clause_evidence_and_command(
    pytester: pytest.Pytester,
) -> None:
    pytester.makepyfile(broken=BROKEN)
    result = pytester.runpytest_subprocess(*SUITE, "--aepmock-client", "broken:client")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        [
            "*ContractBroken: connections.create.name: name is not what the caller gave",
            "broken connections.create.name (must) *test_create.py::*",
            "*aepmock judge broken:client --select connections.create.name *",
        ]
    )


def test_results_of_two_workers_are_one_report(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(broken=BROKEN)
    result = pytester.runpytest_subprocess(
        *SUITE, "-n", "2", "--aepmock-client", "broken:client", "--aepmock-report", "out.json"
    )
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    report = json.loads((pytester.path / "out.json").read_text())
    verdicts = {clause["id"]: clause["verdict"] for clause in report["clauses"]}
    assert verdicts["connections.create.name"] == "broken"
    assert verdicts["connections.create.spec-id"] == "met"


def test_a_known_failure_may_fail_and_one_that_passes_fails_the_run(
    pytester: pytest.Pytester,
) -> None:
    pytester.makepyfile(broken=BROKEN)
    known = pytester.path / "known.txt"
    known.write_text("connections.create.name  names are trimmed until 2.0\n")
    options = ("--aepmock-known-failing", "known.txt")
    lifecycle = ("--aepmock-select", "connections.create.*")
    run = pytester.runpytest_subprocess
    assert run(*SUITE, *lifecycle, *options, "--aepmock-client", "broken:client").ret == 0
    result = run(*SUITE, *lifecycle, *options, "--aepmock-client", REFERENCE)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["unexpected-pass connections.create.name (must)*"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "*no client to judge*"),
        (("--aepmock-client", "nix"), "*not of the form package.module:factory*"),
        (("--aepmock-client", "nix:x"), "*can't be imported*"),
        (("--aepmock-client", "aepmock.clients.reference:nix"), "*unknown name in*"),
        (("--aepmock-client", REFERENCE, "--aepmock-select", "nix.*"), "*unknown clause*"),
        (("--aepmock-client", REFERENCE, "--aepmock-report", "x.doc"), "*.json*"),
        (("--aepmock-client", REFERENCE, "--aepmock-known-failing", "no.txt"), "*can't be read*"),
    ],
)
def test_misuse_is_one_line_that_says_what_to_do(
    pytester: pytest.Pytester, arguments: tuple[str, ...], message: str
) -> None:
    result = pytester.runpytest_subprocess(*SUITE, *arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: aepmock: {message}"])
    assert "Traceback" not in result.stderr.str()


@pytest.mark.parametrize("table", ["tool.pytest.ini_options", "tool.pytest"])
def test_settings_come_from_the_ini_file_in_both_spellings(
    pytester: pytest.Pytester, table: str
) -> None:
    if table == "tool.pytest" and pytest.version_tuple < (9,):
        pytest.skip("native TOML came with pytest 9")
    pytester.makepyprojecttoml(f'[{table}]\naepmock_client = "{REFERENCE}"\n')
    assert pytester.runpytest_subprocess(*SUITE).ret == pytest.ExitCode.OK


def test_settings_come_from_tool_aepmock_and_unknown_keys_are_refused(
    pytester: pytest.Pytester,
) -> None:
    pytester.makepyprojecttoml(f'[tool.aepmock]\nclient = "{REFERENCE}"\n')
    assert pytester.runpytest_subprocess(*SUITE).ret == pytest.ExitCode.OK
    pytester.makepyprojecttoml('[tool.aepmock]\nclent = "x"\n')
    result = pytester.runpytest_subprocess(*SUITE)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*unknown key 'clent'; did you mean 'client'*"])
