"""What the suite's tests need: the harness, scenarios, and the operations of a client."""

from __future__ import annotations

from collections.abc import Mapping

from aepmock.suite.concurrency import at_a_time
from aepmock.suite.config import (
    SuiteConfig,
    load_factory,
    make_config,
    make_report,
    reading_variants,
)
from aepmock.suite.failures import ContractBroken
from aepmock.suite.harness import ClientHarness
from aepmock.suite.interleaving import Interleaving
from aepmock.suite.local_servers import CERTIFIED
from aepmock.suite.program_end import end_program
from aepmock.suite.scenario import ALWAYS, BY_ID, CALLS, Scenario, service_operation

__all__ = [
    "ALWAYS",
    "BY_ID",
    "CALLS",
    "CERTIFIED",
    "ClientHarness",
    "ContractBroken",
    "Interleaving",
    "Scenario",
    "SuiteConfig",
    "at_a_time",
    "end_program",
    "load_factory",
    "make_config",
    "make_harness",
    "make_report",
    "reading_variants",
    "service_operation",
]


def make_harness(
    config: SuiteConfig, name: str, reading: str, readings: Mapping[str, str]
) -> ClientHarness:
    """The harness for one test: on a mock under these readings, or on the run's real service."""
    if config.real_service is not None:
        return config.real_service.harness(config, name)
    return ClientHarness(config, name, reading, readings)
