"""The end of a run: the program that was judged is told so, and how it takes that is judged."""

from __future__ import annotations

from aepmock.judge import Tally
from aepmock.suite.bench import Bench
from aepmock.suite.config import SuiteConfig


def end_program(config: SuiteConfig, tally: Tally, *, at_once: bool = False) -> None:
    """Ends the program of a run, if there is one, and counts how it did; without bye `at_once`."""
    run = config.program
    if run is None or not run.started:
        return
    try:
        with Bench(config, "the end", "default", {}) as bench:
            if not at_once:
                run.program.end()
            bench.judge_conduct()
        tally.merge(bench.tally)
    finally:
        run.close()
