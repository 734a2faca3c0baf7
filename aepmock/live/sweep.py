"""Deletes what live runs left behind that could not tidy up themselves."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from aepmock.errors import UsageError, unknown
from aepmock.live.handler import LiveHandler
from aepmock.live.ownership import FOLDER, Ledger, lock_of, read_journal
from aepmock.live.plan import Plan, Ports
from aepmock.live.run import owner_only
from aepmock.live.settings import LiveSettings, require
from aepmock.live.tidying import tidy

DONE, LEFT = 0, 1
BUDGET = 10_000
LOCK_WAIT_S = 1.0
"""A process of a run that was killed looks at the lock for a moment, and then gives up."""


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

    Raises UsageError for a run that has no journal, and where the settings are for another
    organization or service than a journal's.
    """
    ledgers = [ledger for ledger in _ledgers(folder) if not ledger.clean or ledger.run == run]
    if run is not None and run not in {ledger.run for ledger in ledgers}:
        raise unknown("live run", run, [ledger.run for ledger in ledgers] or ["none"])
    status = DONE
    found = 0
    for ledger in ledgers:
        if run not in (None, ledger.run) or sandbox not in (None, ledger.about["sandbox"]):
            continue
        found += 1
        if _sweep_one(ledger, settings, dry_run=dry_run, say=say, ports=ports) == LEFT:
            status = LEFT
    if not found:
        say(f"nothing to sweep: no journal below {FOLDER} lists anything that is left")
    return status


def _ledgers(folder: Path) -> list[Ledger]:
    return [read_journal(path) for path in sorted((folder / FOLDER).glob("*.jsonl"))]


def _sweep_one(
    ledger: Ledger,
    settings: LiveSettings,
    *,
    dry_run: bool,
    say: Callable[[str], None],
    ports: Ports | None,
) -> int:
    from filelock import FileLock, Timeout

    lock = FileLock(lock_of(ledger.path))
    try:
        lock.acquire(timeout=LOCK_WAIT_S)
    except Timeout:
        say(f"run {ledger.run} is still going on: left alone")
        return DONE
    try:
        return _tidy_up(ledger, settings, dry_run=dry_run, say=say, ports=ports)
    finally:
        lock.release()
        lock_of(ledger.path).unlink(missing_ok=True)


def _tidy_up(
    ledger: Ledger,
    settings: LiveSettings,
    *,
    dry_run: bool,
    say: Callable[[str], None],
    ports: Ports | None,
) -> int:
    where = str(ledger.about["sandbox"])
    if dry_run:
        say(f"run {ledger.run}, sandbox {where}: would delete")
        for connection_id, name in ledger.living.items():
            say(f"  {connection_id} {name}")
        for name in sorted(ledger.unsure):
            say(f"  {name}, if it is there: the answer to its create was lost")
        return DONE
    aimed = replace(
        settings,
        sandbox=where,
        org_id=settings.org_id or str(ledger.about["org_id"]),
        budget=BUDGET,
    )
    require(aimed)
    _check_same(ledger, aimed)
    with tempfile.TemporaryDirectory(prefix="aepmock-live-") as private:
        plan = Plan(ledger.run, aimed, private, str(ledger.path), int(ledger.about["started_ms"]))
        handler = LiveHandler(plan, ports, owner=True)
        tidied = tidy(handler, ledger)
        handler.journal.end([*tidied.left, *([tidied.unsure] if tidied.unsure else [])])
    _forget_private_folder(ledger)
    say(f"run {ledger.run}, sandbox {where}: {len(tidied.deleted)} deleted")
    if tidied.clean:
        return DONE
    say("left behind:")
    for connection_id, why in tidied.left.items():
        say(f"  {connection_id} {why}")
    if tidied.unsure:
        say(f"  {tidied.unsure}")
    return LEFT


def _check_same(ledger: Ledger, settings: LiveSettings) -> None:
    for word, name in (("organization", "org_id"), ("service", "base_url")):
        there, here = str(ledger.about[name]), str(getattr(settings, name))
        if there != here:
            raise UsageError(
                f"run {ledger.run} was in the {word} {there}, and the settings are for {here}: "
                f"set AEPMOCK_LIVE_{name.upper()} to sweep it, or name another run by --run"
            )


def _forget_private_folder(ledger: Ledger) -> None:
    """A run that was killed left its private folder with the token in it."""
    folder = Path(str(ledger.about.get("private", "")))
    if folder.name.startswith("aepmock-live-") and folder.is_dir() and owner_only(folder):
        shutil.rmtree(folder, ignore_errors=True)
