"""The pytest plugin: options, marker, fixtures, summary.

This module is imported in every pytest run of everyone who has aepmock installed, so it imports
pytest and the standard library only; everything heavy is imported where it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    pass

TALLY = pytest.StashKey["Tally"]()
CONFIG = pytest.StashKey["SuiteConfig"]()


def pytest_addoption(parser):
    g = parser.getgroup("aepmock")
    g.addoption("--aepmock-client")
    g.addoption("--aepmock-examples", type=int, default=25)
    g.addoption("--aepmock-readings", default="default")
    g.addoption("--aepmock-door", default="auto")


def suite_config(config):
    if CONFIG not in config.stash:
        from aepmock.contract import load_contract
        from aepmock.suite import SuiteConfig, load_factory

        c = load_contract()
        t = config.getoption("--aepmock-client")
        config.stash[CONFIG] = SuiteConfig(
            load_factory(t),
            t,
            frozenset(c.clauses),
            examples=config.getoption("--aepmock-examples"),
            door=config.getoption("--aepmock-door"),
        )
    return config.stash[CONFIG]


def suite_readings(config):
    return config.getoption("--aepmock-readings")


def suite_tally(config):
    from aepmock.judge import Tally

    return config.stash.setdefault(TALLY, Tally())


def pytest_terminal_summary(terminalreporter, config):
    if TALLY not in config.stash:
        return
    t = config.stash[TALLY]
    from aepmock.contract import load_contract

    for c in load_contract().clauses:
        if t.findings.get(c):
            for f in t.findings[c]:
                terminalreporter.line(
                    f"BROKEN {c} met={t.met.get(c, 0)} broken={t.broken.get(c, 0)}: {f.summary} | exp {f.expected} | got {f.got} | {f.reading} | {f.calls}"
                )
        elif not t.met.get(c):
            terminalreporter.line(f"UNEXERCISED {c}")
    terminalreporter.line(
        f"met: {sum(1 for c in load_contract().clauses if t.met.get(c) and not t.findings.get(c))}"
    )
