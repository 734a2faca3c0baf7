"""Judges mutants and correct clients, and tells how well the judge did.

The suite's tests are called here, in one process for many clients: starting Python, pytest and
the plugin anew for each would take several times as long as the judging. `judge_by_command` goes
the long way, as a user does.
"""

from __future__ import annotations

import json
import pkgutil
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from importlib import import_module
from itertools import chain
from pathlib import Path
from unittest.mock import patch

import contract_tests
from aepmock.clients import reference
from aepmock.contract import load_contract
from aepmock.errors import AepmockError
from aepmock.judge import Tally
from aepmock.suite import ClientHarness, SuiteConfig, load_factory
from tests.mutants.registry import CorrectClient, Mutant
from tests.mutants.timing import show_times
from tests.program.judging import judge_speaker
from tests.program.speaker import FAULTS

ROOT = Path(__file__).parents[2]
EXAMPLES = 5
JOBS = 2

Test = Callable[[ClientHarness], None]


@cache
def trust(ca_file: str | None) -> ssl.SSLContext:
    """One context for all: to make one takes longer than a test of the suite."""
    return ssl.create_default_context(cafile=ca_file)


class Hasty(ClientHarness):
    """Finds what is broken, without the smallest example of it, which takes most of the time."""

    def _explore(self, search: Callable[[str | None], None]) -> None:
        search(None)


@dataclass(frozen=True)
class Judged:
    """What a judge said of a client: what is broken, by clause, with a word on how."""

    broken: Mapping[str, str]
    trouble: str = ""


@dataclass(frozen=True)
class Line:
    """One client of a run: whether it was convicted as it should be, and of what it should not."""

    name: str
    clause: str
    convicted: bool
    accused: Mapping[str, str]
    trouble: str = ""


@cache
def suite_tests() -> Mapping[str, Test]:
    """Every test of the suite, by the name that pytest gives it."""
    found: dict[str, Test] = {}
    for module in pkgutil.iter_modules(contract_tests.__path__):
        if module.name.startswith("test_"):
            for name, value in vars(import_module(f"contract_tests.{module.name}")).items():
                if name.startswith("test_"):
                    found[f"{name}[default]"] = value
    return found


def judge(target: str, transport: str, *, examples: int = EXAMPLES) -> Judged:
    """Judges a client in this process, of every clause."""
    contract = load_contract()
    config = SuiteConfig(
        load_factory(target, ROOT),
        target,
        frozenset(contract.clauses),
        transport=transport,
        examples=examples,
    )
    tally = Tally()
    try:
        for name, test in suite_tests().items():
            with (
                patch.object(reference, "trust", trust),
                Hasty(config, name, "default", {}) as harness,
            ):
                test(harness)
            tally.merge(harness.tally)
    except AepmockError as error:
        return Judged({}, f"{type(error).__name__}: {error}")
    return Judged({c: f[0].summary + " · " + f[0].got for c, f in tally.findings.items()})


def judge_by_command(
    target: str, transport: str, *, examples: int = EXAMPLES
) -> tuple[int, Judged]:
    """The exit status of aepmock judge in a process of its own, and what its report says."""
    with tempfile.TemporaryDirectory(prefix="mutant-") as scratch:
        report = Path(scratch) / "report.json"
        words = [sys.executable, "-m", "aepmock", "judge", target, "--transport", transport]
        words += ["--examples", str(examples), "--report", str(report)]
        done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=300)
        if not report.exists():
            return done.returncode, Judged({}, (done.stdout + done.stderr).strip())
        found = json.loads(report.read_text("utf-8"))["clauses"]
    broken = {c["id"]: c["findings"][0]["summary"] for c in found if c["verdict"] == "broken"}
    return done.returncode, Judged(broken)


def judge_mutant(mutant: Mutant) -> Line:
    """Judges a mutant; what is graded should may be broken beside its clause."""
    judged = judge(mutant.target, mutant.transport)
    clauses = load_contract().clauses
    accused = {
        clause: how
        for clause, how in sorted(judged.broken.items())
        if clauses[clause].grade == "must" and clause not in mutant.also | {mutant.clause}
    }
    convicted = mutant.clause in judged.broken
    return Line(mutant.target, mutant.clause, convicted, accused, judged.trouble)


def judge_correct(client: CorrectClient) -> Line:
    """Judges a client that is right: nothing may be broken, whatever its grade."""
    judged = judge(client.target, client.transport)
    return Line(client.target, "", False, judged.broken, judged.trouble)


def judge_fault(fault: str) -> Line:
    """Judges a program over stdin and stdout with a fault."""
    found = {c: f[0].summary + " · " + f[0].got for c, f in judge_speaker(fault).findings.items()}
    clause = FAULTS[fault]
    accused = {other: how for other, how in found.items() if other != clause}
    return Line(f"tests.program.speaker:{fault}", clause, clause in found, accused)


def judge_one(target: str) -> Line:
    """Judges a client by its target: a mutant would not survive the way to another process."""
    from tests.mutants import CORRECT_CLIENTS, MUTANTS

    for mutant in MUTANTS:
        if mutant.target == target:
            return judge_mutant(mutant)
    return judge_correct(next(client for client in CORRECT_CLIENTS if client.target == target))


def lines(targets: Sequence[str]) -> Iterator[Line]:
    """Judges several clients at a time; gives them in order."""
    with ProcessPoolExecutor(JOBS) as pool:
        yield from pool.map(judge_one, targets)


def main(patterns: Sequence[str]) -> int:
    """Prints a table and the ratios; 0 if all is as it should be. With --times, of time."""
    from tests.mutants import CORRECT_CLIENTS, MUTANTS

    times, patterns = "--times" in patterns, [p for p in patterns if p != "--times"]
    mutants = [m.target for m in MUTANTS if _chosen(patterns, m.target, m.clause)]
    correct = [i.target for i in CORRECT_CLIENTS if _chosen(patterns, i.target)]
    faults = [f for f, clause in FAULTS.items() if _chosen(patterns, f"speaker:{f}", clause)]
    if not mutants and not correct and not faults:
        print(f"nothing is called like {' '.join(patterns)}")
        return 2
    if times:
        return show_times([(m.target, m.transport) for m in MUTANTS if m.target in mutants])
    killed = accusations = troubles = 0
    for line in chain(lines([*mutants, *correct]), map(judge_fault, faults)):
        killed += line.convicted
        accusations += len(line.accused)
        troubles += bool(line.trouble)
        verdict = "convicted" if line.convicted else "SURVIVED" if line.clause else "right"
        name = line.name.removeprefix("tests.").removeprefix("mutants.")
        print(f"{name:60} {line.clause:36} {verdict}", flush=True)
        for clause, how in line.accused.items():
            print(f"    FALSELY ACCUSED of {clause}: {how}", flush=True)
        if line.trouble:
            print(f"    NOT JUDGED: {line.trouble}", flush=True)
    broken = len(mutants) + len(faults)
    percent = 100 * killed // broken if broken else 100
    print(f"kill ratio: {killed}/{broken} ({percent} %)")
    print(f"false accusations: {accusations}")
    return int(killed < broken or accusations > 0 or troubles > 0)


def _chosen(patterns: Sequence[str], *names: str) -> bool:
    return not patterns or any(fnmatchcase(n, f"*{p}*") for n in names for p in patterns)
