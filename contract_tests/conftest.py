"""The harness fixture, once for every reading that a test module's operations can notice."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase

import pytest

from aepmock.pytest_plugin import add_to_run, suite_config, suite_readings
from aepmock.suite import ClientHarness, make_harness, reading_variants

EVERYWHERE = ("program.*", "answers.exit", "answers.process", "answers.threads")
"""Clauses that every test puts to the test: how a client behaves as a part of its process."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "harness" not in metafunc.fixturenames:
        return
    from aepmock import load_contract

    operations = getattr(metafunc.module, "OPERATIONS", ())
    choice, chosen = suite_readings(metafunc.config)
    found = reading_variants(load_contract(), choice, operations, chosen)
    metafunc.parametrize("harness", found, ids=[label for label, _ in found], indirect=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out tests that put none of the selected clauses to the test."""
    if not any("harness" in getattr(item, "fixturenames", ()) for item in items):
        return
    suite = suite_config(config)
    clauses = suite.clauses
    kept: list[pytest.Item] = []
    left_out: list[pytest.Item] = []
    for item in items:
        patterns = (*_exercises(item), *EVERYWHERE)
        wanted = any(fnmatchcase(c, p) for c in clauses for p in patterns)
        module = getattr(item, "module", None)
        if suite.real_service is not None:
            names = getattr(module, "LIVE", ())
            if suite.real_service.takes_invalid:
                names += getattr(module, "SEND_INVALID", ())
            wanted = wanted and _name(item) in names
        elif _name(item) in getattr(module, "SEND_INVALID", ()):
            wanted = False
        (kept if wanted or "harness" not in getattr(item, "fixturenames", ()) else left_out).append(
            item
        )
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = kept


def _exercises(item: pytest.Item) -> tuple[str, ...]:
    """The clauses that a test is for, as patterns."""
    return tuple(getattr(getattr(item, "module", None), "EXERCISES", ("*",)))


def _name(item: pytest.Item) -> str:
    return item.name.partition("[")[0]


@pytest.fixture
def harness(request: pytest.FixtureRequest) -> Iterator[ClientHarness]:
    """A client, a service and a judge; fails the test once it is over if a must is broken."""
    label, readings = request.param
    with make_harness(suite_config(request.config), request.node.name, label, readings) as harness:
        harness.exercises = _exercises(request.node)
        harness.order = request.session.items.index(request.node)
        yield harness
    add_to_run(request.config, harness.tally)
    if request.session.exitstatus != pytest.ExitCode.INTERRUPTED:
        harness.verdict()
