"""How long a verdict takes: python -m tests.mutants --times [PATTERN …].

Each client is judged by `aepmock judge` as a user would, one after the other, with the default
examples. What counts is the ratio to the reference client: of the processor's time, which other
work of the machine hardly disturbs, and of real time, which on two idle cores must not pass 30 s.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[2]
REFERENCE = "aepmock.clients.reference:client"
MOST_RATIO = 3.0
"""What the median over all mutants may be."""
MOST_S = 30.0
"""What no verdict may pass."""


@dataclass(frozen=True)
class Took:
    """Seconds of real time and of the processor that a verdict took."""

    real_s: float
    cpu_s: float


def time_verdict(target: str, transport: str = "auto") -> Took:
    """Judges a client in a process of its own."""
    words = [sys.executable, "-m", "aepmock", "judge", target, "--transport", transport]
    before, started = os.times(), time.monotonic()
    subprocess.run(words, cwd=ROOT, capture_output=True, check=False)
    after, real_s = os.times(), time.monotonic() - started
    cpu_s = after.children_user + after.children_system
    return Took(real_s, cpu_s - before.children_user - before.children_system)


def show_times(clients: Sequence[tuple[str, str]]) -> int:
    """Prints a line for each (target, transport), and the ratios; 0 if they are within bounds."""
    reference = time_verdict(REFERENCE)
    print(f"{'the reference client':60} {reference.real_s:6.1f} s  cpu {reference.cpu_s:6.1f} s")
    all_took = []
    for target, transport in clients:
        took = time_verdict(target, transport)
        all_took.append(took)
        ratio = took.cpu_s / reference.cpu_s
        name = target.removeprefix("tests.").removeprefix("mutants.")
        mark = f"  OVER {MOST_S:g} s" if took.real_s > MOST_S else ""
        print(
            f"{name:60} {took.real_s:6.1f} s  cpu {took.cpu_s:6.1f} s  x{ratio:.2f}{mark}",
            flush=True,
        )
    by_cpu = [took.cpu_s / reference.cpu_s for took in all_took]
    by_time = [took.real_s / reference.real_s for took in all_took]
    longest_s = max(took.real_s for took in all_took)
    print(f"ratio of real time: median {median(by_time):.2f}, most {max(by_time):.2f}")
    print(f"ratio of the processor's time: median {median(by_cpu):.2f}, most {max(by_cpu):.2f}")
    print(f"longest verdict: {longest_s:.1f} s")
    return int(median(by_time) > MOST_RATIO or longest_s > MOST_S)
