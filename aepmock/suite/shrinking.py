"""How Hypothesis is used: where it may write, how long it searches, what it shrinks towards."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import hypothesis
from hypothesis import HealthCheck, Phase, Verbosity, configuration

from aepmock.judge import Finding

SEARCH_S = 6.0
"""Time of the processor that a run may spend on the smallest examples of all its findings."""
REAL_PER_SEARCH_S = 2.0
"""Real seconds that may go by for each of these: a client may wait rather than compute."""
SHARE = 3
"""A finding gets this part of what is left, so that something is left for those to come."""
HANGING_S = 8.0
"""Time that calls of one method may cost that had to be broken off; then it is left alone."""
HANGING_RUN_S = 18.0
"""The same for all methods together; then the client is not asked any more."""


class ClauseBroken(Exception):
    """Makes Hypothesis shrink towards the smallest example that breaks one clause."""


class SearchOver(BaseException):
    """Ends a search for lack of time; no Exception, which Hypothesis would take for a failure."""


class Spending:
    """What a run may spend on what a broken client costs above a good one; one a process.

    The search for smallest examples has one budget for all findings of a run, and none is
    searched twice: `small` holds those that were found, by clause and summary.
    """

    def __init__(self, search_s: float = SEARCH_S) -> None:
        # The workers of one run share the budget: each has its part of the tests.
        self._left_s = search_s / int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
        self._ends: tuple[float, float] | None = None
        self.small: dict[tuple[str, str], Finding] = {}
        self._hanging_s: dict[str, float] = {}

    @contextmanager
    def searching(self) -> Iterator[None]:
        """In here `check` ends the search once its share of what is left is spent."""
        share_s = self._left_s / SHARE
        cpu_s, real_s = time.process_time(), time.monotonic()
        self._ends = cpu_s + share_s, real_s + REAL_PER_SEARCH_S * share_s
        try:
            yield
        finally:
            self._ends = None
            waited_s = (time.monotonic() - real_s) / REAL_PER_SEARCH_S
            self._left_s -= min(max(time.process_time() - cpu_s, waited_s), self._left_s)

    def check(self) -> None:
        """Raises SearchOver where a search goes on that has spent its share."""
        if self._ends is not None:
            cpu_s, real_s = self._ends
            if time.process_time() > cpu_s or time.monotonic() > real_s:
                raise SearchOver

    def hung(self, operation: str, seconds: float) -> None:
        """Notes what a call has cost that had to be broken off."""
        self._hanging_s[operation] = self._hanging_s.get(operation, 0.0) + seconds

    def hopeless(self, operation: str) -> bool:
        """Whether a method hung for so long that no more time is spent on it in this run."""
        return self._hanging_s.get(operation, 0.0) >= HANGING_S or bool(self.given_up)

    @property
    def given_up(self) -> str:
        """Why the client is not asked any more; empty while it is."""
        spent_s = sum(self._hanging_s.values())
        if spent_s < HANGING_RUN_S:
            return ""
        names = ", ".join(sorted(self._hanging_s))
        return f"calls had to be broken off after {spent_s:.0f} s in all ({names})"


@cache
def _scratch() -> tempfile.TemporaryDirectory[str]:
    """A folder for Hypothesis's caches, one a process, gone when the process ends."""
    return tempfile.TemporaryDirectory(prefix="aepmock-hypothesis-")


@contextmanager
def hypothesis_elsewhere() -> Iterator[None]:
    """Keeps Hypothesis from leaving a .hypothesis folder in the project that is judged."""
    # There is no public way to learn what was set; None makes Hypothesis find its own again.
    name = "__hypothesis_home_directory"
    before = getattr(configuration, name, None)
    configuration.set_hypothesis_home_dir(_scratch().name)
    try:
        yield
    finally:
        configuration.set_hypothesis_home_dir(before)


def search_settings(examples: int, wanted: str | None) -> hypothesis.settings:
    """So many examples; with a `wanted` clause the smallest one that breaks it is searched."""
    return hypothesis.settings(
        max_examples=examples,
        database=None,
        deadline=None,
        derandomize=False,
        print_blob=False,
        report_multiple_bugs=False,
        verbosity=Verbosity.quiet,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate] if wanted is None else [Phase.generate, Phase.shrink],
        stateful_step_count=12,
    )
