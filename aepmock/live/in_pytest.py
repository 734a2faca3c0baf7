"""A live run inside pytest, begun by this process, by `aepmock judge` or by xdist's controller."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from aepmock.judge import Report, Tally
from aepmock.live.drift.observe import Watch, watches
from aepmock.live.flags import PLAN_VARIABLE
from aepmock.live.outbound.handler import LiveHandler
from aepmock.live.redacted_files import scan
from aepmock.live.session.plan import Plan
from aepmock.live.session.run import LiveRun, live_run
from aepmock.live.settings import resolve_live
from aepmock.live.shown import shown_report, shown_row


class LiveSession:
    """The part that one process of pytest has in a live run."""

    def __init__(self, handler: LiveHandler, run: LiveRun | None, stack: ExitStack) -> None:
        self.handler = handler
        self._run = run
        self._stack = stack
        self._watches: list[Watch] = watches(handler.plan)
        handler.observers += self._watches

    def add_rows(self, tally: Tally) -> None:
        """Adds what this process's watches learned to what its tests saw."""
        for watch in self._watches:
            rows = [shown_row(row, self.handler.redactor) for row in watch.rows()]
            tally.live += [row for row in rows if row not in tally.live]

    def finish(self) -> None:
        """Tidies up, where this process began the run. Does nothing a second time."""
        self._stack.close()

    def completed(self, report: Report) -> Report:
        """The report, with what the run did and left behind as far as this process knows."""
        if self._run is not None:
            return self._run.completed(report)
        clean = shown_report(report, self.handler.redactor)
        return replace(clean, live_run=self.handler.about())

    def scan(self, path: Path) -> None:
        """Deletes a file that holds a secret of the run, and raises SecretFoundError."""
        scan(path, self.handler.known_secrets())


def taken_plan() -> Plan | None:
    """The plan that `aepmock judge` left for this process; it is gone from the environment then."""
    text = os.environ.pop(PLAN_VARIABLE, None)
    return Plan.from_text(text) if text else None


def join(plan: Plan) -> LiveSession:
    """Takes part in a run that another process has begun, and will end."""
    return LiveSession(LiveHandler(plan), None, ExitStack())


def begin(
    flags: Mapping[str, Any],
    *,
    table: Mapping[str, Any],
    folder: Path,
    connector: str,
    say: Callable[[str], None],
) -> LiveSession:
    """Begins a run in this process. Raises UsageError where it must not begin."""
    settings = resolve_live(flags, table=table, folder=folder)
    stack = ExitStack()
    run = stack.enter_context(live_run(settings, folder=folder, connector=connector, say=say))
    return LiveSession(run.handler, run, stack)
