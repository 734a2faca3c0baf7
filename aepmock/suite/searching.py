"""How Hypothesis is used: where it may write, how long it searches, what it shrinks towards."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import hypothesis
from hypothesis import HealthCheck, Phase, Verbosity, configuration


class ClauseBroken(Exception):
    """Makes Hypothesis shrink towards the smallest example that breaks one clause."""


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
