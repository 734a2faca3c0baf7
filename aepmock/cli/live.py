"""`aepmock live doctor`, `live replay`, `live sweep`, and what `judge --live` needs."""

from __future__ import annotations

import argparse
import shutil
import sys
import textwrap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from aepmock.errors import AepmockError, UsageError
from aepmock.live.flags import FLAGS, add_flags, given
from aepmock.settings import Setting, project_folder, read_live_table

if TYPE_CHECKING:
    from rich.console import Console

    from aepmock.live.session.run import LiveRun
    from aepmock.live.settings import LiveSettings

REACHING = frozenset({"live-file", "live-host", "live-sandbox", "live-rate"})
"""Flags that also the doctor and the sweep have."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds `doctor`, `replay` and `sweep` below `aepmock live`."""
    inner = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_doctor(inner)
    _add_replay(inner)
    _add_sweep(inner)


def _added(inner: Any, name: str, about: str, command: Any) -> argparse.ArgumentParser:
    sub: argparse.ArgumentParser = inner.add_parser(
        name, help=about, description=about, allow_abbrev=False
    )
    sub.set_defaults(command=command, parser=sub)
    return sub


def _add_doctor(inner: Any) -> None:
    about = "check every live setting, one by one, without creating anything"
    doctor = _added(inner, "doctor", about, run_doctor)
    add_flags(doctor.add_argument, prefix="", only=REACHING)
    doctor.add_argument("--connector", default="hubspot", metavar="NAME")


def _add_replay(inner: Any) -> None:
    about = "hold recordings of live runs against the mock, offline"
    replay = _added(inner, "replay", about, run_replay)
    replay.add_argument("folder", metavar="DIR", help="what --live-record was given")
    about = "exit status 1 if the mock does not answer as the service did"
    replay.add_argument("--fail-on-drift", action="store_true", help=about)
    about = "also list what no live run confirmed within so many days"
    replay.add_argument("--max-age-days", type=int, metavar="N", help=about)
    about = "list every reading, operation and refusal, and the day it was seen"
    replay.add_argument("-v", "--verbose", action="store_true", help=about)


def _add_sweep(inner: Any) -> None:
    about = "delete what an interrupted live run left behind"
    sweep = _added(inner, "sweep", about, run_sweep)
    sweeping = REACHING - {"live-sandbox"} | {"live-allow-sandbox"}
    add_flags(sweep.add_argument, prefix="", only=sweeping)
    sweep.add_argument("--sandbox", metavar="NAME", help="only runs in this sandbox")
    sweep.add_argument("--run", metavar="ID", help="only this run")
    sweep.add_argument("--dry-run", action="store_true", help="say what would be deleted")


@contextmanager
def judged_live(
    arguments: argparse.Namespace, settings: Mapping[str, Setting], folder: Path, err: Console
) -> Iterator[LiveRun | None]:
    """A live run around the suite where `--live` asks for one; None where it does not."""
    if not arguments.live:
        for flag in FLAGS:
            if getattr(arguments, flag.attribute, None) not in (None, False):
                raise UsageError(f"--{flag.name} is for live runs: add --live, or leave it out")
        yield None
        return
    if settings["reading"].origin == "flag":
        raise UsageError("--reading is for the mock: a real service answers by its own")
    from aepmock.live.session.run import live_run

    connector = str(settings["connector"].value)
    with live_run(live_settings(arguments), folder=folder, connector=connector, say=say) as run:
        try:
            yield run
        except AepmockError as error:
            # What the suite's process said at its end, the client's own words in it.
            error.args = (run.shown(str(error)),)
            raise


def live_settings(arguments: argparse.Namespace) -> LiveSettings:
    """The live settings of this folder and these flags."""
    from aepmock.live.settings import resolve_live

    folder = Path.cwd()
    flags = given(lambda name: getattr(arguments, name, None))
    return resolve_live(flags, table=read_live_table(project_folder(folder)), folder=folder)


def say(line: str) -> None:
    """A line for people, beside what a program may read."""
    _print(line, sys.stderr)


def tell(line: str) -> None:
    """A line of what was asked for."""
    _print(line, sys.stdout)


def _print(line: str, stream: TextIO) -> None:
    """On a terminal as wide as that is; elsewhere in one line, for those who search it."""
    lines = [line]
    if stream.isatty():
        width = max(shutil.get_terminal_size((80, 24)).columns, 40)
        lines = textwrap.wrap(
            line, width, subsequent_indent=" " * 7, break_long_words=False, break_on_hyphens=False
        ) or [""]
    print("\n".join(lines), file=stream, flush=True)


def run_doctor(arguments: argparse.Namespace) -> int:
    """Checks the settings; 0 if a live run could begin, else 2."""
    from aepmock.live.doctor import examine

    return examine(live_settings(arguments), connector=arguments.connector, say=tell)


def run_replay(arguments: argparse.Namespace) -> int:
    """Holds recordings against the mock; 1 if they differ and that is to fail."""
    from datetime import UTC, datetime

    from rich.console import Console

    from aepmock.live.drift.recording import not_confirmed_for, replay_all
    from aepmock.live.shown import shown_row
    from aepmock.redaction import Redactor
    from aepmock.reports.text import render_drift

    folder, days = Path(arguments.folder), arguments.max_age_days
    if days is not None and days < 0:
        raise UsageError("--max-age-days takes a number from 0 on")
    findings = replay_all(folder)
    out = Console(highlight=False)
    # A recording comes with a repository: it is data, as an answer of the service was.
    rows = [shown_row(row, Redactor()) for row in findings.rows]
    render_drift(rows, console=out, verbose=arguments.verbose)
    if days is not None:
        stale = not_confirmed_for(folder, days, today=datetime.now(UTC).date())
        print(f"\nNot confirmed within {days} days: {len(stale) or 'nothing'}")
        for one in stale:
            since = "never" if one.confirmed is None else f"since {one.confirmed.date}"
            print(f"  {one.subject:<40} {since}")
    return int(bool(arguments.fail_on_drift and findings.drifted))


def run_sweep(arguments: argparse.Namespace) -> int:
    """Deletes what journals list; 1 if something is left."""
    from aepmock.live.session.sweep import sweep

    return sweep(
        live_settings(arguments),
        folder=Path.cwd(),
        sandbox=arguments.sandbox,
        run=arguments.run,
        dry_run=arguments.dry_run,
        say=tell,
    )
