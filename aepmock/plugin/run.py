"""What one pytest run is about: its settings, what it judges, what it found so far."""

from __future__ import annotations

from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

import pytest

from aepmock.errors import UsageError
from aepmock.live.flags import EXAMPLES
from aepmock.settings import OPTIONS, Option, Setting, readings_of, resolve

if TYPE_CHECKING:
    import socket

    from aepmock.judge import Report, Tally
    from aepmock.live.in_pytest import LiveSession
    from aepmock.suite import SuiteConfig
    from aepmock.suite.keeping import Keeper


class Run:
    """What one pytest run knows of itself; lives in the config's stash."""

    def __init__(self, settings: dict[str, Setting]) -> None:
        from datetime import UTC, datetime

        from aepmock.judge import Tally

        self.settings = settings
        self.tally: Tally = Tally()
        self.started_at = datetime.now(UTC).isoformat(timespec="seconds")
        self.started = monotonic()
        self.first_nodes: dict[str, str] = {}
        self.errors: list[tuple[str, str]] = []
        self.suite: SuiteConfig | None = None
        self.report: Report | None = None
        self.judged = False
        self.keeper: Keeper | None = None
        self.cut_short = ""

    def value(self, name: str) -> Any:
        return self.settings[name].value


RUN = pytest.StashKey[Run]()
LIVE: pytest.StashKey[LiveSession] = pytest.StashKey()


def run_of(config: pytest.Config) -> Run:
    """The run's settings and results. Raises pytest.UsageError for settings that are wrong."""
    if RUN not in config.stash:
        flags = {n: flag_of(config, o) for n, o in OPTIONS.items() if o.kind != "flag"}
        try:
            settings = resolve(
                flags, ini=lambda option: config.getini(option.ini), project=config.rootpath
            )
        except UsageError as error:
            raise pytest.UsageError(f"aepmock: {error}") from None
        config.stash[RUN] = Run(settings)
    return config.stash[RUN]


def flag_of(config: pytest.Config, option: Option) -> Any:
    return config.getoption(option.flag.lstrip("-").replace("-", "_"), None)


def suite_config(config: pytest.Config) -> SuiteConfig:
    """What the suite judges. Raises pytest.UsageError where no client is named, or a wrong one."""
    run = run_of(config)
    if run.suite is None:
        from aepmock.suite import make_config

        try:
            folder, attach = config.invocation_params.dir, config.getoption("aepmock_attach")
            run.suite = make_config(run.settings, folder=folder, listener=_listener(attach))
            _keep(config, run)
            if LIVE in config.stash:
                run.suite = _live_config(run.suite, run.settings, config.stash[LIVE])
        except UsageError as error:
            raise pytest.UsageError(f"aepmock: {error}") from None
        run.judged = True
    return run.suite


def _keep(config: pytest.Config, run: Run) -> None:
    """For `aepmock judge`: what was found so far outlives this process."""
    result = config.getoption("aepmock_result")
    if result:
        from aepmock.suite.keeping import Keeper

        run.keeper = Keeper(Path(result).parent, worker_of(config))
        config.add_cleanup(run.keeper.close)


def worker_of(config: pytest.Config) -> str:
    """The name of one of xdist's processes; "main" for any other."""
    return str(config.workerinput["workerid"]) if is_worker(config) else "main"  # type: ignore[attr-defined]


def _listener(number: int | None) -> socket.socket | None:
    """The socket that `aepmock judge --attach` listens on, by its file descriptor."""
    if number is None:
        return None
    import socket

    return socket.socket(fileno=number)


def _live_config(
    suite: SuiteConfig, settings: dict[str, Setting], live: LiveSession
) -> SuiteConfig:
    from dataclasses import replace

    from aepmock.live.suite.real_service import LiveService

    if suite.program is not None:
        suite.program.fence()
    few = EXAMPLES if settings["examples"].origin == "default" else suite.examples
    return replace(suite, real_service=LiveService(live.handler), examples=few, readings={})


def is_worker(config: pytest.Config) -> bool:
    """Whether this is one of xdist's processes, which only gather."""
    return hasattr(config, "workerinput")


def suite_readings(config: pytest.Config) -> tuple[str, dict[str, str]]:
    """Which readings the suite runs under: "default" or "all", and those that are chosen.

    A real service has its own.
    """
    if LIVE in config.stash:
        return "default", {}
    run = run_of(config)
    return str(run.value("readings")), readings_of(run.value("reading"))


def add_to_run(config: pytest.Config, tally: Tally) -> None:
    """Adds what a test of the suite saw, and keeps it in case that this process ends."""
    run = run_of(config)
    run.tally.merge(tally)
    if run.keeper is not None:
        run.keeper.keep(suite_config(config), run.tally)
