"""The command line.

Exit status: 0 well, 1 a must broken, 2 misuse or nothing ran, 3 our fault, 130 interrupted.
"""

from __future__ import annotations

import argparse
import errno
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aepmock import __version__
from aepmock.cli.lookup import clauses, config, connectors, console, openapi
from aepmock.errors import UsageError
from aepmock.live.commands import add_live_commands, judged_live
from aepmock.live.flags import add_flags
from aepmock.settings import OPTIONS, project_folder, resolve

if TYPE_CHECKING:
    from aepmock.faults.model import Fault

MET, BROKEN, MISUSE, FAULT, INTERRUPTED = 0, 1, 2, 3, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a command; returns its exit status."""
    words, program = _split_command(sys.argv[1:] if argv is None else argv)
    arguments = parser().parse_args(words)
    arguments.program = program
    command: Callable[[argparse.Namespace], int] = arguments.command
    try:
        status = command(arguments)
        sys.stdout.flush()
        return status
    except UsageError as error:
        print(f"aepmock: {error}", file=sys.stderr)
        return MISUSE
    except KeyboardInterrupt:
        print("aepmock: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has seen enough.
        sys.stderr.close()
        return MET
    except Exception as error:
        if isinstance(error, OSError) and error.errno in _FULL:
            print(f"aepmock: can't write: {error.strerror}", file=sys.stderr)
            _forget_output()
            return MISUSE
        print(f"aepmock: an internal error: {error}", file=sys.stderr)
        return FAULT


_FULL = (errno.ENOSPC, errno.EDQUOT)


def _forget_output() -> None:
    """Lets Python end without another try to write what could not be written."""
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 1)


def _split_command(words: Sequence[str]) -> tuple[Sequence[str], Sequence[str] | None]:
    """What is ours of `judge … -- COMMAND ARG…`, and the command; None without `--`."""
    if list(words[:1]) != ["judge"] or "--" not in words:
        return words, None
    at = words.index("--")
    return words[:at], words[at + 1 :]


def parser() -> argparse.ArgumentParser:
    """The command line's grammar."""
    top = argparse.ArgumentParser(
        prog="aepmock",
        description="Judges clients of Adobe Experience Platform's Flow Service API.",
        allow_abbrev=False,
    )
    top.add_argument("--version", action="version", version=f"aepmock {__version__}")
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    _add_judge(commands)
    _add_serve(commands)
    _add_proxy(commands)
    add_live_commands(commands)
    for name, about, command in (
        ("clauses", "list or explain the clauses", clauses),
        ("connectors", "list or explain the connectors", connectors),
    ):
        sub = commands.add_parser(name, help=about, description=about, allow_abbrev=False)
        pattern = "PATTERN" if name == "clauses" else "KEY"
        sub.add_argument("pattern", nargs="?", metavar=pattern)
        sub.set_defaults(command=command)
    about = "print the contract as one OpenAPI 3.1 document"
    sub = commands.add_parser("openapi", help=about, description=about, allow_abbrev=False)
    sub.set_defaults(command=openapi)
    about = "show every setting, and where it comes from"
    sub = commands.add_parser("config", help=about, description=about, allow_abbrev=False)
    sub.set_defaults(command=config)
    return top


def _add_judge(commands: Any) -> None:
    about = "judge a client on the mock, clause by clause"
    usage = "aepmock judge [options] (TARGET | -- COMMAND ARG… | --attach [ADDRESS])"
    sub = commands.add_parser(
        "judge", help=about, description=about, usage=usage, allow_abbrev=False
    )
    about_target = "the client, as package.module:factory; a program stands after --"
    sub.add_argument("target", metavar="TARGET", nargs="?", help=about_target)
    for option in OPTIONS.values():
        if option.kind == "flag" or option.name in ("client", "command"):
            continue
        kwargs: dict[str, Any] = {"action": "append"} if option.kind == "list" else {}
        if option.kind == "number":
            kwargs = {"type": int, "metavar": "N"}
        elif option.choices:
            kwargs = {"choices": option.choices}
        elif option.kind == "text":
            kwargs = {"metavar": "FILE" if option.name == "known-failing" else "NAME"}
        default = f" (default: {option.default})" if option.default else ""
        sub.add_argument(f"--{option.name}", help=option.about + default, **kwargs)
    add_flags(sub.add_argument, prefix="")
    sub.add_argument("--jobs", type=int, default=1, metavar="N", help="processes that share it")
    sub.add_argument(
        "--attach",
        nargs="?",
        const="127.0.0.1:0",
        metavar="ADDRESS",
        help="wait for a program that you start, in a debugger say (default: a free port)",
    )
    sub.add_argument("-v", "--verbose", action="store_true", help="list every clause")
    sub.add_argument(
        "--passive",
        action="store_true",
        help="run the program after -- as it is, and judge what it sends",
    )
    sub.set_defaults(command=judge)


def _add_serve(commands: Any) -> None:
    about = "the mock as a real HTTP or HTTPS server, with a control API and a page to watch"
    sub = commands.add_parser("serve", help=about, description=about, allow_abbrev=False)
    sub.add_argument("--host", default="127.0.0.1", help="address (default: 127.0.0.1)")
    sub.add_argument("--port", type=int, default=8080, help="port, 0 for a free one")
    sub.add_argument("--tls", action="store_true", help="https, with a throw-away CA")
    sub.add_argument(
        "--ready-json", action="store_true", help="print one line of JSON when it is ready"
    )
    sub.add_argument(
        "--control-token",
        metavar="TOKEN",
        help="what the control API and the page ask for; also AEPMOCK_CONTROL_TOKEN, which no "
        "other process sees in the list of processes",
    )
    sub.add_argument(
        "--control-token-file", type=Path, metavar="FILE", help="a file that holds this token"
    )
    sub.add_argument(
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME",
        help="a further name that the control API and the page may be asked by",
    )
    sub.add_argument(
        "--journal", type=int, default=1_000, metavar="N", help="how many exchanges are kept"
    )
    sub.add_argument(
        "--mocks", type=int, default=64, metavar="N", help="how many mocks may be made below /t/"
    )
    sub.add_argument(
        "--connections", type=int, default=100_000, metavar="N", help="how many a mock may hold"
    )
    sub.add_argument("--seed", type=int, default=0, help="where made-up values come from")
    sub.add_argument(
        "--credentials",
        choices=("any", "minted"),
        default="any",
        help="let any credentials in, or only those that are printed at the start",
    )
    sub.add_argument(
        "--reading",
        action="append",
        default=[],
        metavar="QUESTION=OPTION",
        help="answer by another reading of the documentation",
    )
    _add_fault(sub)
    sub.set_defaults(command=serve)


def _add_fault(sub: Any) -> None:
    about = "let something go wrong: 'connections.create: 503, 503' (docs/faults.md)"
    sub.add_argument("--fault", action="append", default=[], metavar="FAULT", help=about)


def _add_proxy(commands: Any) -> None:
    about = "run a program whose host is compiled in; its calls to Adobe's hosts reach the mock"
    usage = "aepmock proxy [options] -- COMMAND ARG…"
    sub = commands.add_parser(
        "proxy", help=about, description=about, usage=usage, allow_abbrev=False
    )
    sub.add_argument("--seed", type=int, default=0, help="where made-up values come from")
    sub.add_argument("--reading", action="append", default=[], metavar="QUESTION=OPTION")
    _add_fault(sub)
    about = "write what its requests met and broke: FILE.json, .xml (JUnit), .html or .md"
    sub.add_argument("--report", action="append", default=[], metavar="FILE", help=about)
    sub.add_argument("words", nargs=argparse.REMAINDER, metavar="COMMAND", help="after --")
    sub.set_defaults(command=proxy)


def judge(arguments: argparse.Namespace) -> int:
    """Runs the suite in a process of its own and shows its verdicts."""
    if arguments.passive:
        if arguments.live:
            raise UsageError("--passive judges a program on the mock only: leave --live out")
        return _judge_passively(arguments)
    from aepmock.cli.attach import alone, announce, attaching
    from aepmock.cli.judge import SuiteFailed, run_suite
    from aepmock.reports import write_report
    from aepmock.reports.text import render_report
    from aepmock.suite import make_config

    folder = Path.cwd()
    flags = _flags(arguments) | _who(arguments)
    if arguments.jobs < 1:
        raise UsageError("--jobs takes a number from 1 on")
    settings = resolve(flags, project=project_folder(folder))
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
            print(f"aepmock: an internal error:\n{failure}", file=sys.stderr)
            return FAULT
    render_report(report, console=out, verbose=arguments.verbose)
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


def _judge_passively(arguments: argparse.Namespace) -> int:
    """Judges what a program sends while it does what it does."""
    from aepmock.cli.observe import PassiveRun, judge_program

    if not arguments.program or arguments.target:
        raise UsageError("--passive runs a program: aepmock judge --passive -- COMMAND ARG…")
    folder = Path.cwd()
    flags = _flags(arguments)
    used = ("select", "report", "known-failing", "seed")
    unused = [
        f"--{n}" for n, v in flags.items() if v not in (None, [], "default") and n not in used
    ]
    unused += ["--jobs"] if arguments.jobs != 1 else []
    unused += ["--attach"] if arguments.attach is not None else []
    if unused:
        raise UsageError(
            f"{', '.join(unused)} can't be had with --passive: the program runs once, as it is. "
            f"Allowed: {', '.join(f'--{name}' for name in used)}, --verbose"
        )
    settings = {name: s.value for name, s in resolve(flags, project=project_folder(folder)).items()}
    known = settings["known-failing"]
    run = PassiveRun(
        command=arguments.program,
        select=settings["select"],
        reports=[Path(path) for path in settings["report"]],
        known_failing=folder / known if known else None,
        seed=settings["seed"],
    )
    return judge_program(run, err=console(stderr=True), verbose=arguments.verbose)


def _flags(arguments: argparse.Namespace) -> dict[str, Any]:
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


def serve(arguments: argparse.Namespace) -> int:
    """Serves the mock until it is interrupted."""
    from aepmock.cli.serve import Serve, control_token, serve_until_stopped
    from aepmock.server.instances import Options

    options = Options(
        seed=arguments.seed,
        accept_any=arguments.credentials == "any",
        readings=_readings(arguments.reading),
        journal=arguments.journal,
        mocks=arguments.mocks,
        connections=arguments.connections,
        faults=_faults(arguments.fault),
    )
    serve_until_stopped(
        Serve(
            host=arguments.host,
            port=arguments.port,
            tls=arguments.tls,
            ready_json=arguments.ready_json,
            control_token=control_token(arguments.control_token, arguments.control_token_file),
            allowed_hosts=tuple(arguments.allow_host),
            options=options,
        )
    )
    return MET


def proxy(arguments: argparse.Namespace) -> int:
    """Runs a program behind the proxy; its exit status is ours."""
    words = arguments.words[arguments.words[:1] == ["--"] :]
    if not words:
        raise UsageError("no program to run: aepmock proxy -- COMMAND ARG…")
    from aepmock.cli.proxy import run_behind_proxy

    return run_behind_proxy(
        words,
        seed=arguments.seed,
        readings=_readings(arguments.reading),
        faults=_faults(arguments.fault),
        reports=[Path(path) for path in arguments.report],
    )


def _faults(texts: Sequence[str]) -> tuple[Fault, ...]:
    from aepmock.contract import load_contract
    from aepmock.faults.grammar import faults_of

    return faults_of(load_contract(), texts)


def _readings(pairs: Sequence[str]) -> dict[str, str]:
    found = {}
    for pair in pairs:
        question, equals, option = pair.partition("=")
        if not equals:
            raise UsageError(f"--reading takes QUESTION=OPTION, not {pair!r}")
        found[question] = option
    return found


if __name__ == "__main__":
    raise SystemExit(main())
