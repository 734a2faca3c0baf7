"""What the suite's tests run on: a bench with a client, a service, a judge, and Hypothesis."""

from __future__ import annotations

from collections.abc import Mapping

from aepmock.suite.bench import Bench
from aepmock.suite.broken import ContractBroken
from aepmock.suite.config import SuiteConfig, load_factory, make_config, make_report, worlds
from aepmock.suite.duel import Duel
from aepmock.suite.ending import end_program
from aepmock.suite.loopback import CERTIFIED
from aepmock.suite.together import at_a_time
from aepmock.suite.trial import ALWAYS, BY_ID, CALLS, Trial, service_operation

__all__ = [
    "ALWAYS",
    "BY_ID",
    "CALLS",
    "CERTIFIED",
    "Bench",
    "ContractBroken",
    "Duel",
    "SuiteConfig",
    "Trial",
    "at_a_time",
    "end_program",
    "load_factory",
    "make_bench",
    "make_config",
    "make_report",
    "service_operation",
    "worlds",
]


def make_bench(config: SuiteConfig, name: str, reading: str, readings: Mapping[str, str]) -> Bench:
    """The bench for one test: on a mock under these readings, or on the live run's sandbox."""
    if config.live is None:
        return Bench(config, name, reading, readings)
    from aepmock.live.bench import LiveBench

    return LiveBench(config, name, config.live)
