"""`aepmock observe`: runs a program as it is, and judges what it sends to the mock."""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING

from aepmock.cli.arguments import BROKEN, MET, console
from aepmock.cli.serve import LIMITS
from aepmock.client_api import ClientSettings
from aepmock.contract import Contract, load_contract
from aepmock.errors import UsageError
from aepmock.judge.checks import WIRE_CHECKS
from aepmock.judge.known_failures import read_known_failing
from aepmock.mocks.observed import ObservedProgram, name_of, run_program
from aepmock.net import NO_PROXY
from aepmock.settings import OPTIONS, project_folder, readings_of, resolve
from aepmock.transports.server import serving

if TYPE_CHECKING:
    from rich.console import Console

    from aepmock.judge import Report

SETTINGS = ("select", "report", "known-failing", "seed", "reading")
"""The settings of `aepmock judge` that this command has too."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of `aepmock observe`."""
    parser.usage = "aepmock observe [options] -- COMMAND ARG…"
    for name, metavar in (
        ("select", "NAME"),
        ("report", "FILE"),
        ("reading", "QUESTION=OPTION"),
    ):
        about = OPTIONS[name].about
        parser.add_argument(f"--{name}", action="append", metavar=metavar, help=about)
    parser.add_argument("--known-failing", metavar="FILE", help=OPTIONS["known-failing"].about)
    parser.add_argument("--seed", type=int, metavar="N", help=OPTIONS["seed"].about)
    parser.add_argument("-v", "--verbose", action="store_true", help="list every clause")
    parser.add_argument("words", nargs="*", metavar="COMMAND", help="after --")
    parser.set_defaults(command=run)


def run(arguments: argparse.Namespace) -> int:
    """Judges what a program sends while it does what it does."""
    if not arguments.program or arguments.words:
        raise UsageError("observe runs a program: aepmock observe [options] -- COMMAND ARG…")
    folder = Path.cwd()
    flags = {name: getattr(arguments, name.replace("-", "_")) for name in SETTINGS}
    resolved = resolve(flags, project=project_folder(folder), prefix="--")
    settings = {name: setting.value for name, setting in resolved.items()}
    known = settings["known-failing"]
    wanted = Observe(
        command=arguments.program,
        select=settings["select"],
        reports=[Path(path) for path in settings["report"]],
        known_failing=folder / known if known else None,
        seed=settings["seed"],
        readings=readings_of(settings["reading"]),
    )
    return observe(wanted, err=console(stderr=True), verbose=arguments.verbose)


@dataclass(frozen=True)
class Observe:
    """What `aepmock observe` was told: the program, clauses, reports to write, known failures."""

    command: Sequence[str]
    select: Sequence[str] = ()
    reports: Sequence[Path] = ()
    known_failing: Path | None = None
    seed: int = 0
    readings: Mapping[str, str] = field(default_factory=dict)


def observe(wanted: Observe, *, err: Console, verbose: bool = False) -> int:
    """Runs a program with the mock's address in its environment, and judges what it sent.

    The program keeps its own streams; the verdict goes to `err` after its end. Gives 1 where a
    must is broken, or the program itself failed, else 0. Raises UsageError where nothing was
    judged: the program can't be started, or sent nothing.
    """
    from aepmock.reports import check_path, write_report

    for path in wanted.reports:
        check_path(path)
    contract = load_contract()
    clauses = _chosen(contract, wanted.select)
    listed = wanted.known_failing
    known = read_known_failing(listed, contract.clauses) if listed else {}
    words = ["aepmock", "observe", "--select", "{clause}", "--seed", str(wanted.seed)]
    words += [f"--reading {question}={option}" for question, option in wanted.readings.items()]
    shown = [name_of(wanted.command), *(["…"] if wanted.command[1:] else [])]
    watch = ObservedProgram(
        seed=wanted.seed,
        readings=wanted.readings,
        clauses=clauses,
        reproduce=" ".join([*words, "--", *map(_quoted, shown)]),
    )
    with serving(watch.handle, limits=LIMITS) as server:
        variables = environment(watch.settings(server.origin), os.environ)
        ended = run_program(wanted.command, variables)
    report = watch.report(
        wanted.command,
        transport="server",
        known_failing={k: v for k, v in known.items() if k in clauses},
    )
    for path in wanted.reports:
        write_report(report, path)
    return _concluded(watch, report, name_of(wanted.command), ended, err=err, verbose=verbose)


def environment(settings: ClientSettings, before: Mapping[str, str]) -> dict[str, str]:
    """The variables of a program: each setting as AEPMOCK_ and its name, where it has a value."""
    found = dict(before)
    for one in fields(settings):
        name, value = f"AEPMOCK_{one.name.upper()}", getattr(settings, one.name)
        if value is None:
            found.pop(name, None)
        else:
            found[name] = str(value)
    # A proxy that the program is used to does not lead to this machine's loopback.
    for name in ("NO_PROXY", "no_proxy"):
        hosts = [host for host in before.get(name, "").split(",") if host.strip()]
        found[name] = ",".join([*hosts, *(h for h in NO_PROXY if h not in hosts)])
    return found


def _chosen(contract: Contract, patterns: Sequence[str]) -> frozenset[str]:
    """The clauses asked for that requests alone can show."""
    asked = {clause.id for clause in contract.select_clauses(patterns)}
    found = asked & set(WIRE_CHECKS)
    if not found:
        raise UsageError(
            f"observe sees requests only, and none of them shows {', '.join(patterns)}: judge "
            "the client itself by aepmock judge package.module:factory. What requests show: "
            f"{', '.join(clause for clause in contract.clauses if clause in WIRE_CHECKS)}"
        )
    return frozenset(found)


def _concluded(
    watch: ObservedProgram, report: Report, name: str, ended: int, *, err: Console, verbose: bool
) -> int:
    from aepmock.reports.text import render_report

    if not watch.requests:
        how = f"{_told(ended)} and " if ended else ""
        raise UsageError(
            f"{name} {how}sent nothing to the mock, whose address was in AEPMOCK_BASE_URL. "
            "For a program whose host is compiled in: aepmock proxy -- COMMAND ARG…"
        )
    err.print()
    render_report(report, console=err, verbose=verbose)
    if ended:
        print(f"aepmock: {name} {_told(ended)}", file=sys.stderr)
    if report.exit_status == MET and ended:
        return BROKEN
    return report.exit_status


def _told(ended: int) -> str:
    if ended > 0:
        return f"ended with exit status {ended}"
    try:
        return f"was ended by {signal.Signals(-ended).name}"
    except ValueError:
        return f"was ended by signal {-ended}"


def _quoted(word: str) -> str:
    return word if word == "…" else shlex.quote(word)
