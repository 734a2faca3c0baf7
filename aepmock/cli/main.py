"""The command line.

Exit status: 0 well, 1 a must broken, 2 misuse or nothing ran, 3 an internal error, 130 interrupted.
"""

from __future__ import annotations

import argparse
import errno
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from traceback import extract_tb

from aepmock import __version__
from aepmock.cli.arguments import INTERNAL_ERROR, INTERRUPTED, MET, MISUSE, REPORT_IT
from aepmock.errors import UsageError
from aepmock.transports import require

COMMANDS: Mapping[str, tuple[str, str]] = {
    "judge": ("judge a client on the mock, clause by clause", "judge:add_arguments"),
    "observe": ("run a program as it is, and judge what it sends", "observe:add_arguments"),
    "serve": (
        "the mock as a real HTTP or HTTPS server, with a control API and a page to watch",
        "serve:add_arguments",
    ),
    "proxy": (
        "run a program whose host is compiled in; its calls to Adobe's hosts reach the mock",
        "proxy:add_arguments",
    ),
    "live": (
        "what a live run needs: checked settings, recordings, a way to clean up",
        "live:add_arguments",
    ),
    "clauses": ("list or explain the clauses", "lookup:add_clauses"),
    "connectors": ("list or explain the connectors", "lookup:add_connectors"),
    "openapi": ("print the contract as one OpenAPI 3.1 document", "lookup:add_openapi"),
    "config": ("show every setting, and where it comes from", "lookup:add_config"),
}
"""What each command is for, and what adds its arguments: a function in a module of this package."""
NEEDS: Mapping[str, str] = {"observe": "server", "serve": "server", "proxy": "proxy"}
"""The extra without which the module of a command can't be imported."""
RUNS_A_PROGRAM = frozenset({"judge", "observe"})
"""Commands of which all after `--` is a program, with its arguments."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a command; returns its exit status."""
    words, program = _split_program(sys.argv[1:] if argv is None else argv)
    try:
        arguments = _parsed(words)
        arguments.program = program
        command: Callable[[argparse.Namespace], int] = arguments.command
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
        print(f"aepmock: internal error: {_told(error)}\n{REPORT_IT}", file=sys.stderr)
        return INTERNAL_ERROR


_FULL = (errno.ENOSPC, errno.EDQUOT)


def _told(error: Exception) -> str:
    """An unexpected error in one line: "KeyError: 'id' (engine.py:217)".

    Only the place of a traceback: the errors that it came from may quote what must not be shown.
    """
    frame = extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {error} ({Path(frame.filename).name}:{frame.lineno})"


def _forget_output() -> None:
    """Lets Python end without another try to write what could not be written."""
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 1)


def _split_program(words: Sequence[str]) -> tuple[Sequence[str], Sequence[str] | None]:
    """What is ours of `judge … -- COMMAND ARG…`, and the program; None without `--`."""
    if not RUNS_A_PROGRAM & set(words[:1]) or "--" not in words:
        return words, None
    at = words.index("--")
    return words[:at], words[at + 1 :]


def _parsed(words: Sequence[str]) -> argparse.Namespace:
    """The arguments of a command. Raises UsageError for one that it does not have."""
    arguments, rest = parser(words[0] if words else "").parse_known_args(words)
    if not rest:
        return arguments
    used: argparse.ArgumentParser = arguments.parser
    found = next((word.partition("=")[0] for word in rest if word.startswith("-")), None)
    if found is None:
        raise UsageError(f"{used.prog} takes no {rest[0]!r}; see {used.prog} --help")
    # Without the dashes, which all have in common.
    names = [name.lstrip("-") for action in used._actions for name in action.option_strings]
    near = get_close_matches(found.lstrip("-"), names, n=1)
    hint = f"did you mean --{near[0]}?" if near else f"see {used.prog} --help"
    more = f" {arguments.elsewhere}" if "elsewhere" in arguments and not near else ""
    raise UsageError(f"{used.prog} has no option {found}; {hint}{more}")


def parser(chosen: str = "") -> argparse.ArgumentParser:
    """The command line's grammar: all commands by name, the chosen one with its arguments.

    The others' modules are not imported, so that help comes at once.
    """
    top = argparse.ArgumentParser(
        prog="aepmock",
        description="Judges clients of Adobe Experience Platform's Flow Service API.",
        allow_abbrev=False,
    )
    top.add_argument("--version", action="version", version=f"aepmock {__version__}")
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    for name, (about, place) in COMMANDS.items():
        sub = commands.add_parser(name, help=about, description=about, allow_abbrev=False)
        if name == chosen:
            if name in NEEDS:
                require(NEEDS[name], f"aepmock {name}")
            module, _, function = place.partition(":")
            sub.set_defaults(parser=sub)
            getattr(import_module(f"aepmock.cli.{module}"), function)(sub)
    return top


if __name__ == "__main__":
    raise SystemExit(main())
