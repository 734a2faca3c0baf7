"""`aepmock judge`: judges a client, or a program that speaks the protocol, clause by clause."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from aepmock.cli.arguments import INTERNAL_ERROR, INTERRUPTED, REPORT_IT, console
from aepmock.errors import UsageError
from aepmock.live.flags import add_flags
from aepmock.settings import OPTIONS, project_folder, resolve
from aepmock.transports import require

_METAVARS = {"known-failing": "FILE", "report": "FILE", "reading": "QUESTION=OPTION"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of `aepmock judge`."""
    parser.usage = "aepmock judge [options] (TARGET | -- COMMAND ARG… | --attach [ADDRESS])"
    about = "the client, as package.module:factory; a program stands after --"
    parser.add_argument("target", metavar="TARGET", nargs="?", help=about)
    for option in OPTIONS.values():
        if option.kind == "flag" or option.name in ("client", "command"):
            continue
        kwargs: dict[str, Any] = {"action": "append"} if option.kind == "list" else {}
        if option.kind == "number":
            kwargs = {"type": int, "metavar": "N"}
        elif option.choices:
            kwargs = {"choices": option.choices}
        else:
            kwargs["metavar"] = _METAVARS.get(option.name, "NAME")
        default = f" (default: {option.default})" if option.default else ""
        parser.add_argument(f"--{option.name}", help=option.about + default, **kwargs)
    add_flags(parser.add_argument, prefix="")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="processes that share it")
    parser.add_argument(
        "--attach",
        nargs="?",
        const="127.0.0.1:0",
        metavar="ADDRESS",
        help="wait for a program that you start, in a debugger say (default: a free port)",
    )
    shown = parser.add_mutually_exclusive_group()
    shown.add_argument("-v", "--verbose", action="store_true", help="list every clause")
    about = "only list what is broken, a line each; --report still writes everything"
    shown.add_argument("--brief", action="store_true", help=about)
    parser.set_defaults(
        command=run,
        elsewhere="(to judge what a program sends: aepmock observe -- COMMAND ARG…)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Runs the suite in a process of its own and shows its verdicts."""
    require("server", "aepmock judge")
    from aepmock.cli.attach import alone, announce, attaching
    from aepmock.cli.live import judged_live
    from aepmock.cli.suite_process import SuiteFailed, run_suite
    from aepmock.reports import write_report
    from aepmock.reports.text import render_report
    from aepmock.suite import make_config

    folder = Path.cwd()
    flags = given_settings(arguments) | _who(arguments)
    if arguments.jobs < 1:
        raise UsageError("--jobs takes a number from 1 on")
    settings = resolve(flags, project=project_folder(folder), prefix="--")
    out, err = console(), console(stderr=True)
    with attaching(arguments.attach) as listener:
        if listener is not None:
            settings = alone(settings)
        if not settings["client"].value and not settings["command"].value and listener is None:
            raise UsageError(
                "no client to judge: aepmock judge package.module:factory, such as "
                "aepmock judge aepmock.clients.reference:client, or aepmock judge -- COMMAND ARG…"
            )
        suite = make_config(settings, folder=folder, listener=listener)
        try:
            with judged_live(arguments, settings, folder, err) as live:
                if listener is not None:
                    announce(listener, err)
                report = run_suite(
                    live.few_examples(settings) if live else settings,
                    config=suite,
                    folder=folder,
                    jobs=arguments.jobs,
                    err=err,
                    listener=listener,
                    live=live.plan if live else None,
                )
            report = live.completed(report) if live else report
        except SuiteFailed as failure:
            print(f"aepmock: internal error:\n{failure}\n{REPORT_IT}", file=sys.stderr)
            return INTERNAL_ERROR
    render_report(report, console=out, verbose=arguments.verbose, brief=arguments.brief)
    failures = []
    for path in settings["report"].value:
        try:
            write_report(report, Path(path))
        except UsageError as error:
            failures.append(str(error))  # the others may stand elsewhere
            continue
        if live:
            live.scan(Path(path))
    if failures:
        raise UsageError("; ".join(failures))
    if report.exit_status == INTERRUPTED:
        print("aepmock: interrupted", file=sys.stderr)
    return report.exit_status


def given_settings(arguments: argparse.Namespace) -> dict[str, Any]:
    """The settings given on the command line, without who is judged."""
    names = (name for name in OPTIONS if name not in ("client", "command"))
    return {name: getattr(arguments, name.replace("-", "_"), None) for name in names}


def _who(arguments: argparse.Namespace) -> dict[str, Any]:
    """What is judged, of TARGET, the words after `--`, and --attach."""
    target, program, attach = arguments.target, arguments.program, arguments.attach
    if program is not None and not program:
        raise UsageError("no program to judge: aepmock judge -- COMMAND ARG…")
    if sum((target is not None, program is not None, attach is not None)) > 1:
        raise UsageError("give one of TARGET, -- COMMAND ARG… and --attach")
    if attach is not None and arguments.jobs != 1:
        raise UsageError("--jobs can't be had with --attach: there is one program")
    if target is not None and target.startswith("-"):
        raise UsageError(f"{target!r} is no client; write package.module:factory")
    return {"client": target, "command": program}
