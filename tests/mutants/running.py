"""Judges mutants and innocent clients by aepmock judge, and tells how well the judge did."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from tests.mutants.registry import Innocent, Mutant

ROOT = Path(__file__).parents[2]
EXAMPLES = 5
JOBS = 2


@dataclass(frozen=True)
class Judged:
    """What a judge said of a client: clauses that are broken, by grade; or why there is no say."""

    musts: frozenset[str] = frozenset()
    others: frozenset[str] = frozenset()
    trouble: str = ""


@dataclass(frozen=True)
class Line:
    """One client of a run: whether it was convicted as it should be, and of what it should not."""

    name: str
    clause: str
    convicted: bool
    accused: tuple[str, ...]
    trouble: str = ""


def judge(
    target: str, door: str, *, select: Sequence[str] = (), examples: int = EXAMPLES
) -> Judged:
    """Runs aepmock judge in a process of its own and reads its report."""
    with tempfile.TemporaryDirectory(prefix="mutant-") as scratch:
        report = Path(scratch) / "report.json"
        words = [sys.executable, "-m", "aepmock", "judge", target, "--door", door]
        words += ["--examples", str(examples), "--report", str(report)]
        words += [word for pattern in select for word in ("--select", pattern)]
        done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=300)
        if done.returncode not in (0, 1):
            return Judged(trouble=(done.stdout + done.stderr).strip())
        found = json.loads(report.read_text("utf-8"))["clauses"]
    broken = {(c["id"], c["grade"]) for c in found if c["verdict"] == "broken"}
    musts = frozenset(clause for clause, grade in broken if grade == "must")
    return Judged(musts, frozenset(clause for clause, _ in broken) - musts)


def judge_mutant(mutant: Mutant) -> Line:
    """Judges a mutant of everything."""
    judged = judge(mutant.target, mutant.door)
    broken = judged.musts | judged.others
    accused = sorted(judged.musts - mutant.also - {mutant.clause})
    return Line(
        mutant.target, mutant.clause, mutant.clause in broken, tuple(accused), judged.trouble
    )


def judge_innocent(client: Innocent) -> Line:
    """Judges a client that is right of everything."""
    judged = judge(client.target, client.door)
    accused = tuple(sorted(judged.musts | judged.others))
    return Line(client.target, "", True, accused, judged.trouble)


def lines(mutants: Iterable[Mutant], innocents: Iterable[Innocent]) -> Iterator[Line]:
    """Judges some at a time; gives them in order."""
    with ThreadPoolExecutor(JOBS) as pool:
        waiting = [pool.submit(judge_mutant, mutant) for mutant in mutants]
        waiting += [pool.submit(judge_innocent, client) for client in innocents]
        for one in waiting:
            yield one.result()


def main(patterns: Sequence[str]) -> int:
    """Prints a table and the ratios; 0 if all is as it should be."""
    from tests.mutants import INNOCENTS, MUTANTS

    mutants = [m for m in MUTANTS if _chosen(patterns, m.target, m.clause)]
    innocents = [i for i in INNOCENTS if _chosen(patterns, i.target)]
    killed = accusations = troubles = 0
    for line in lines(mutants, innocents):
        killed += line.convicted and bool(line.clause)
        accusations += len(line.accused)
        troubles += bool(line.trouble)
        verdict = "yes" if line.convicted else "NO"
        name = line.name.removeprefix("tests.mutants.")
        print(f"{name:68} {line.clause or '(right)':36} {verdict if line.clause else '':4}", end="")
        print(f"accused: {', '.join(line.accused)}" if line.accused else "", flush=True)
        if line.trouble:
            print(f"    {line.trouble}")
    if not mutants and not innocents:
        print(f"nothing is called like {' '.join(patterns)}")
        return 2
    percent = 100 * killed // len(mutants) if mutants else 100
    print(f"kill ratio: {killed}/{len(mutants)} ({percent} %)")
    print(f"false accusations: {accusations}")
    return int(killed < len(mutants) or accusations > 0 or troubles > 0)


def _chosen(patterns: Sequence[str], *names: str) -> bool:
    return not patterns or any(fnmatchcase(n, f"*{p}*") for n in names for p in patterns)
