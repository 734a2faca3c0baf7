"""Deletes what live runs left behind that could not clean up themselves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from aepmock.contract import load_contract
from aepmock.errors import UsageError, unknown
from aepmock.live import private
from aepmock.live.outbound.handler import LiveHandler
from aepmock.live.session import sandbox_check
from aepmock.live.session.cleanup import clean_up
from aepmock.live.session.journal import (
    FOLDER,
    Ledger,
    NoJournalError,
    is_run,
    journals,
    lock_of,
    read_journal,
)
from aepmock.live.session.plan import Plan, Ports
from aepmock.live.session.shared_state import LiveStopped
from aepmock.live.settings import LiveSettings, require
from aepmock.live.shown import saying, shown
from aepmock.redaction import Redactor

DONE, LEFT = 0, 1
MAX_REQUESTS = 10_000
LOCK_WAIT_S = 1.0
"""A process of a run that was killed looks at the lock for a moment, and then gives up."""


@dataclass
class _Sweep:
    """What one sweep goes by, and what it has to say at the end."""

    settings: LiveSettings
    dry_run: bool
    say: Callable[[str], None]
    redactor: Redactor
    ports: Ports | None


def sweep(
    settings: LiveSettings,
    *,
    folder: Path,
    sandbox: str | None,
    run: str | None,
    dry_run: bool,
    say: Callable[[str], None],
    ports: Ports | None = None,
) -> int:
    """Deletes what the journals below `folder` list; 0, or 1 if something is left.

    Each journal counts for itself: what is wrong with one, or with its sandbox, is said and keeps
    no other from being swept. Raises UsageError at the end where something was refused: another
    organization or service, a sandbox that may not be written to; and for an unknown run.
    """
    redactor = Redactor(load_contract().secret_names, settings.secrets)
    job = _Sweep(settings, dry_run, saying(say, redactor), redactor, ports)
    _forget_dead_folders(job)
    status, found, refused = DONE, 0, []
    paths = [path for path in journals(folder) if run in (None, path.stem)]
    if run is not None and not paths:
        runs = [path.stem for path in journals(folder) if is_run(path.stem)]
        raise unknown("live run", run, runs or ["none"])
    for path in paths:
        try:
            ledger = read_journal(path)
        except NoJournalError as error:
            job.say(f"{error}: left alone")
            status = status if error.empty else LEFT
            continue
        if (ledger.clean and run is None) or sandbox not in (None, ledger.about["sandbox"]):
            continue
        found += 1
        try:
            status = max(status, _sweep_one(ledger, job))
        except UsageError as error:
            refused.append(shown(error, redactor, lines=True))
            job.say(f"run {ledger.run}: not swept")
            if isinstance(error, LiveStopped):
                break
    if refused:
        raise UsageError("\n".join(dict.fromkeys(refused)))
    if not found and status == DONE:
        job.say(f"nothing to sweep: no journal below {FOLDER} lists anything that is left")
    return status


def _forget_dead_folders(job: _Sweep) -> None:
    """A run that was killed left its private folder with the token in it, journal or not."""
    for folder in private.dead_folders():
        if job.dry_run:
            job.say(f"{folder}, which a run that was killed left: would be removed")
        else:
            private.remove(folder)
            job.say(f"{folder}, which a run that was killed left: removed")


def _sweep_one(ledger: Ledger, job: _Sweep) -> int:
    from filelock import FileLock, Timeout

    if lock_of(ledger.path).is_symlink():
        raise UsageError(f"run {ledger.run}: its lock {lock_of(ledger.path)} leads elsewhere")
    lock = FileLock(lock_of(ledger.path))
    try:
        lock.acquire(timeout=LOCK_WAIT_S)
    except Timeout:
        job.say(f"run {ledger.run} is still going on: left alone")
        return DONE
    except OSError as error:
        raise UsageError(f"run {ledger.run}: its lock can't be taken: {error}") from None
    try:
        # The run may have gone on, or come to its end, since it was read.
        return _clean_up(read_journal(ledger.path), job)
    finally:
        lock.release()
        lock_of(ledger.path).unlink(missing_ok=True)


def _clean_up(ledger: Ledger, job: _Sweep) -> int:
    say, where = job.say, str(ledger.about["sandbox"])
    if ledger.odd:
        say(f"run {ledger.run}: {ledger.odd} line(s) of its journal are not the kit's: left out")
    if job.dry_run:
        say(f"run {ledger.run}, sandbox {where}: would delete, if its name is this run's")
        for connection_id, name in ledger.living.items():
            say(f"  {connection_id} {name}")
        for name in ledger.unsure:
            say(f"  {name}, if it is there: the answer to its create was lost")
        return DONE
    allowed = where if job.settings.allow_sandbox == where else None
    aimed = replace(job.settings, sandbox=where, allow_sandbox=allowed, max_requests=MAX_REQUESTS)
    require(aimed)
    _check_same(ledger, aimed)
    with private.private_folder() as folder:
        plan = Plan(ledger.run, aimed, str(folder), str(ledger.path), ledger.about["started_ms"])
        handler = LiveHandler(plan, job.ports, owner=True)
        say = saying(say, handler.redactor)
        sandbox_check.check(handler)
        handler.throttle.close()
        cleanup = clean_up(handler, ledger)
        try:
            handler.journal.end([*cleanup.left, *([cleanup.unsure] if cleanup.unsure else [])])
        except OSError as error:
            say(f"run {ledger.run}: its journal can't be written to: {error}")
    say(f"run {ledger.run}, sandbox {where}: {len(cleanup.deleted)} deleted")
    if cleanup.clean:
        return DONE
    say("left behind:")
    for connection_id, why in cleanup.left.items():
        say(f"  {connection_id} {why}")
    if cleanup.unsure:
        say(f"  {cleanup.unsure}")
    return LEFT


def _check_same(ledger: Ledger, settings: LiveSettings) -> None:
    for word, name in (("organization", "org_id"), ("service", "base_url")):
        there, here = str(ledger.about[name]), str(getattr(settings, name))
        if there != here:
            raise UsageError(
                f"run {ledger.run} was in the {word} {there!r}, and the settings are for {here}: "
                f"set AEPMOCK_LIVE_{name.upper()} to sweep it, or name another run by --run"
            )
