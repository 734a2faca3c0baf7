"""Before anything else each method is called once, plainly, and is answered well.

A method that fails even so is not called again: whatever is asked of it could only be met by
chance. One that can't be called as the interface says is no fault of the client but of how it is
given to the kit.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aepmock.client_api import OPERATIONS
from aepmock.clients.driver import Driver, split
from aepmock.clients.places import place_of
from aepmock.clients.program.jsonlines import all_args
from aepmock.errors import UsageError
from aepmock.judge import Finding
from aepmock.judge.checks.behaving import (
    ends_the_process,
    fails_on_good_answers,
    hangs_on_good_answers,
)

if TYPE_CHECKING:
    from aepmock.suite.harness import ClientHarness


CLAUSES = frozenset({"answers.good", "answers.exit", "answers.process", "answers.threads"})
"""What they are judged by."""


@dataclass
class FirstCalls:
    """What came of them, once for all tests of a process.

    `failed` says of methods that are not called again how they failed; `threads_told` that a
    thread was seen that outlives its client, so that nobody waits for the next one.
    """

    begun: bool = False
    failed: dict[str, str] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    misuse: UsageError | None = None
    threads_told: bool = False

    def make(self, harness: ClientHarness) -> None:
        """Makes them on this harness. Raises UsageError for a wrong interface."""
        for operation in OPERATIONS:
            with harness.scenario() as scenario:
                if scenario is None:
                    break
                scenario.transcript.first = True
                item = scenario.seed()[0]
                args = all_args(operation, scenario.arguments(operation, item))
                outcome = scenario.call(operation, **args)
                calls = scenario.transcript.calls
            if outcome is None or calls[-1].operation != operation:
                continue
            driver, _ = harness.client(None, other_org=False)
            if harness.program is None and isinstance(outcome.raised, TypeError):
                self._check_signature(driver, operation, args)
            if fails_on_good_answers(calls[-1]) or ends_the_process(calls[-1]):
                name = type(outcome.raised).__name__
                self.failed[operation] = f"{operation} raises {name} when it is first called"
            elif hangs_on_good_answers(calls[-1]):
                self.failed[operation] = f"{operation} does not come back when it is first called"
        self.findings = [f for found in harness.tally.findings.values() for f in found]

    def check(self) -> None:
        """Raises UsageError where the client can't be called as the interface says."""
        if self.misuse is not None:
            raise self.misuse

    def _check_signature(self, driver: Driver, operation: str, args: Mapping[str, Any]) -> None:
        method = driver.method(operation)
        positional, keywords = split(operation, args)
        try:
            inspect.signature(method).bind(*positional, **keywords)
        except ValueError:
            return  # it does not say what it takes
        except TypeError as error:
            shown = [type(value).__name__ for value in positional]
            shown += [f"{name}={value!r}" for name, value in keywords.items()]
            self.misuse = UsageError(
                f"{_name(method)} can't be called as docs/clients.md says: {error}. "
                f"It is called as {operation}({', '.join(shown)}), and stands in "
                f"{place_of(method)}"
            )
            raise self.misuse from None


def _name(method: Callable[..., Any]) -> str:
    return str(getattr(method, "__qualname__", method))


def is_given_up(harness: ClientHarness, *operations: str) -> bool:
    """Whether one of these methods is not to be called: it failed at first, or hung for too long.

    The test fails for what it showed. A thread that never ends can't be stopped, so none begins.
    """
    first = harness.config.first
    failed = [operation for operation in operations if operation in first.failed]
    for finding in first.findings:
        if any(finding.summary.startswith(f"{operation} ") for operation in failed):
            harness.tally.add(finding)
    return bool(failed) or any(map(harness.config.spending.hopeless, operations))
