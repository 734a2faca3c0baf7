"""A live run from its beginning to its end: checks, announcement, suite and cleanup."""

from __future__ import annotations

import secrets
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType
from typing import Any

from aepmock.errors import UsageError
from aepmock.judge import Report
from aepmock.live.flags import EXAMPLES
from aepmock.live.outbound.handler import LiveHandler
from aepmock.live.private import private_folder
from aepmock.live.redacted_files import scan
from aepmock.live.session import sandbox_check
from aepmock.live.session.cleanup import Cleanup, clean_up, count_connections
from aepmock.live.session.journal import (
    FOLDER,
    Ledger,
    NoJournalError,
    lock_of,
    name_prefix,
    read_journal,
)
from aepmock.live.session.plan import Plan, Ports
from aepmock.live.settings import LiveSettings, missing_credentials, require
from aepmock.live.shown import saying, shown, shown_report
from aepmock.settings import Setting

MOST_FOR_WHOLE_LISTS = 40
"""A sandbox with more connections than this is not listed as a whole: it costs requests."""
Say = Callable[[str], None]
_ENDING = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))


@dataclass
class LiveRun:
    """A run that has begun. `cleanup` is what the end of it did."""

    plan: Plan
    handler: LiveHandler
    cleanup: Cleanup | None = None

    def about(self) -> dict[str, Any]:
        """The run as plain data for the report: counts, what was held back, what is left."""
        cleanup = self.cleanup or Cleanup()
        left = [f"{i} {why}" for i, why in cleanup.left.items()]
        return {
            **self.handler.about(),
            "left_behind": left + [cleanup.unsure] * bool(cleanup.unsure),
        }

    def few_examples(self, settings: Mapping[str, Setting]) -> dict[str, Setting]:
        """The suite's settings, with fewer examples unless the user said how many."""
        few = Setting(EXAMPLES, "default")
        asked = settings["examples"]
        return {**settings, "examples": few if asked.origin == "default" else asked}

    def completed(self, report: Report) -> Report:
        """The report, with what the run did and left behind; what it confirmed is remembered."""
        settings = self.plan.settings
        if settings.record and report.live:
            from aepmock.live.drift.recording import keep_confirmed

            keep_confirmed(Path(settings.record), report.live, settings.secrets)
        about = {**self.about(), "fail_on_drift": settings.fail_on_drift}
        self.handler.known_secrets()
        return replace(shown_report(report, self.handler.redactor), live_run=about)

    def shown(self, text: str) -> str:
        """A text of several lines without the run's secrets and without control characters."""
        self.handler.known_secrets()
        return shown(text, self.handler.redactor, lines=True)

    def scan(self, path: Path) -> None:
        """Deletes a file that holds a secret of the run, and raises SecretFoundError."""
        scan(path, self.handler.known_secrets())


@contextmanager
def live_run(
    settings: LiveSettings,
    *,
    folder: Path,
    connector: str,
    say: Say,
    ports: Ports | None = None,
) -> Iterator[LiveRun]:
    """Begins a run, shows what it will do, and tidies up whatever happens inside.

    The journal stands below `folder`. `say` is given lines for people. SIGTERM ends the run like
    Ctrl-C. Raises UsageError before anything was written where the run must not begin.
    """
    require(settings)
    say = _whatever_happens(say)
    run = secrets.token_hex(5)
    journal = folder / FOLDER / f"{run}.jsonl"
    with private_folder() as private, _stopping_well():
        now = (ports or Ports.of(settings)).now
        plan = Plan(run, settings, str(private), str(journal), round(now() * 1000))
        handler = LiveHandler(plan, ports, owner=True)
        say = saying(say, handler.redactor)
        sandbox = sandbox_check.check(handler)
        count = count_connections(handler)
        plan = replace(plan, whole_lists=count is not None and count <= MOST_FOR_WHOLE_LISTS)
        handler.plan = plan
        for line in announcement(plan, sandbox, count, connector):
            say(line)
        with _locked(journal):
            try:
                handler.journal.begin(
                    {
                        "run": run,
                        "started_ms": plan.started_ms,
                        "base_url": settings.base_url,
                        "org_id": settings.org_id,
                        "sandbox": settings.sandbox,
                    }
                )
            except OSError as error:
                raise UsageError(f"the journal {journal} can't be written: {error}") from None
            made = LiveRun(plan, handler)
            try:
                yield made
            finally:
                with _undisturbed(say):
                    _finish(made, say)


def _finish(run: LiveRun, say: Say) -> None:
    run.handler.throttle.close()
    ledger = _ledger(run, say)
    if ledger.living or ledger.unsure or run.handler.state.look().created:
        run.cleanup = clean_up(run.handler, ledger)
    else:
        run.cleanup = Cleanup()
    try:
        left = [*run.cleanup.left, *([run.cleanup.unsure] if run.cleanup.unsure else [])]
        run.handler.journal.end(left)
    except OSError as error:
        say(f"aepmock: the journal {run.plan.journal} can't be written to: {error}")
    if not run.cleanup.clean:
        say(f"aepmock: left behind in the sandbox {run.plan.settings.sandbox}:")
        for connection_id, why in run.cleanup.left.items():
            say(f"  {connection_id} {why}")
        if run.cleanup.unsure:
            say(f"  {run.cleanup.unsure}")
        say(f"To try again: aepmock live sweep --run {run.plan.run}")


def _ledger(run: LiveRun, say: Say) -> Ledger:
    """What the journal says, or without one what this process knows for itself."""
    plan = run.plan
    try:
        return read_journal(plan.journal_path)
    except NoJournalError as error:
        say(f"aepmock: {error}; what bears the run's name is looked for")
        # A create that nobody can look up: the whole list is asked for.
        creates = Counter({name_prefix(plan.run): 1})
        return Ledger(
            plan.journal_path, {"run": plan.run, "started_ms": plan.started_ms}, creates=creates
        )


def announcement(
    plan: Plan, sandbox: sandbox_check.Sandbox, count: int | None, connector: str
) -> Iterator[str]:
    """What is going to happen, before it does."""
    settings = plan.settings
    kind = ", ".join(word for word in (sandbox.type, sandbox.state) if word) or "type not known"
    minutes = settings.max_requests / settings.rate / 60
    there = "" if count is None else f", {count} connection{'' if count == 1 else 's'} now"
    yield f"live run {plan.run}: sandbox {settings.sandbox} ({kind}{there})"
    yield f"  organization  {settings.org_id}"
    yield f"  service       {settings.base_url}"
    yield (
        f"  requests      at most {settings.max_requests}, {settings.rate:g} a second: "
        f"{_duration(minutes)} at most, waits that the service asks for left out"
    )
    lacking = missing_credentials(settings, connector)
    if connector in settings.credentials and not lacking:
        names = f"{name_prefix(plan.run)}…"
        yield f"  creates       {connector} connections {names}, all deleted again"
    else:
        yield f"  creates       nothing: {', '.join(lacking) or 'credentials'} not set"
    yield f"  journal       {FOLDER}/{plan.run}.jsonl"


def _duration(minutes: float) -> str:
    return f"{minutes * 60:.0f} s" if minutes < 2 else f"{minutes:.0f} min"


def _whatever_happens(say: Say) -> Say:
    """Says what can be said: a terminal that is gone must not keep anything from being deleted."""

    def carefully(line: str) -> None:
        with suppress(OSError, ValueError):
            say(line)

    return carefully


@contextmanager
def _locked(journal: Path) -> Iterator[None]:
    """Holds the run's lock, so that a sweep leaves it alone."""
    from filelock import FileLock

    lock = FileLock(lock_of(journal))
    try:
        journal.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except OSError as error:
        raise UsageError(f"the journal {journal} can't be written: {error}") from None
    with lock:
        lock.release()  # acquired twice by now
        yield
    with suppress(OSError):
        lock_of(journal).unlink()


@contextmanager
def _stopping_well() -> Iterator[None]:
    """Makes SIGTERM and SIGHUP exceptions, so that what is the run's is deleted."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, stop) for number in _ENDING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _undisturbed(say: Say) -> Iterator[None]:
    """Keeps a second Ctrl-C from ending the cleaning up; a third one does end it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    times = 0

    def timeouts(_signal: int, _frame: FrameType | None) -> None:
        nonlocal times
        times += 1
        if times > 1:
            raise KeyboardInterrupt
        say("aepmock: deleting what the run created; once more to leave it (aepmock live sweep)")

    before = {number: signal.signal(number, timeouts) for number in (signal.SIGINT, *_ENDING)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
