"""python -m tests.correct_clients [SEEDS]: accuses no correct client, whatever the seed.

Judges every correct client, the reference clients and the example programs with so many seeds
(default: 10), and prints each one that is accused of a must.
"""

from __future__ import annotations

import json
import pkgutil
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path

from tests import correct_clients
from tests.languages.programs import EXAMPLES

ROOT = Path(__file__).parents[2]
SEEDS = 10
JOBS = 2
FEW = "5"
"""Examples a test of a program, whose calls take longer; clients in Python get the default."""


def everyone() -> dict[str, list[str]]:
    """The words after `aepmock judge` that name each correct client."""
    names = [
        f"tests.correct_clients.{m.name}" for m in pkgutil.iter_modules(correct_clients.__path__)
    ]
    found = {name: [f"{name}:client"] for name in names if not name.endswith("__main__")}
    for name in ("client", "async_client", "bearer_client"):
        found[f"reference {name}"] = [f"aepmock.clients.reference:{name}"]
    for name, example in EXAMPLES.items():
        if all(map(shutil.which, example.needs)):
            found[f"example {name}"] = ["--examples", FEW, "--", *example.command()]
    return found


def accused_of(words: Sequence[str], seed: int) -> list[str]:
    """The musts that a run found broken; the run's own words where it has no verdict."""
    with tempfile.TemporaryDirectory(prefix="aepmock-correct-") as scratch:
        report = Path(scratch) / "report.json"
        options = ["--seed", str(seed), "--report", str(report)]
        command = [sys.executable, "-m", "aepmock", "judge", *options, *words]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if not report.exists():
            return [(done.stdout + done.stderr).strip()]
        clauses = json.loads(report.read_text("utf-8"))["clauses"]
    return [c["id"] for c in clauses if c["verdict"] == "broken" and c["grade"] == "must"]


def main(seeds: int) -> int:
    """Prints a line for each accusation and a sum; 1 where there was any."""
    clients = everyone()
    runs = list(product(clients, range(seeds)))
    with ThreadPoolExecutor(JOBS) as pool:
        found = list(pool.map(lambda run: accused_of(clients[run[0]], run[1]), runs))
    for (name, seed), musts in zip(runs, found, strict=True):
        if musts:
            print(f"{name}, seed {seed}: {', '.join(musts)}")
    accused = sum(map(bool, found))
    print(f"{len(clients)} correct clients, {seeds} seeds: {accused} false accusations")
    return int(accused > 0)


if __name__ == "__main__":
    raise SystemExit(main(int(sys.argv[1]) if sys.argv[1:] else SEEDS))
