"""The end of a run: tells the program to end, and judges how it does."""

from __future__ import annotations

from aepmock.judge import Tally
from aepmock.suite.config import SuiteConfig, label
from aepmock.suite.harness import ClientHarness


def end_program(config: SuiteConfig, tally: Tally, *, at_once: bool = False) -> None:
    """Ends the program of a run, if there is one, and counts how it did; without bye `at_once`."""
    run = config.program
    if run is None or not run.started:
        return
    try:
        with ClientHarness(config, "the end", label(config.readings), config.readings) as harness:
            if not at_once:
                run.program.end()
            harness.judge_observations()
        tally.merge(harness.tally)
    finally:
        run.close()
