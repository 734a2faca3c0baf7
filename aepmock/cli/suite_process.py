"""Runs the suite as a pytest process of its own, shows how far it is, and reads its result."""

from __future__ import annotations

import errno
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from aepmock.contract import load_contract
from aepmock.errors import AepmockError, UnsupportedTransportError, UsageError
from aepmock.judge import Report
from aepmock.judge.verdicts import INTERRUPTED
from aepmock.live.flags import PLAN_VARIABLE
from aepmock.settings import OPTIONS, Setting
from aepmock.suite import SuiteConfig, make_report
from aepmock.suite.keeping import SoFar, convict, found_so_far, is_the_clients

if TYPE_CHECKING:
    from aepmock.live.session.plan import Plan

_PERCENT = re.compile(r"\[\s*(\d+)%\]")
_PYTEST_USAGE = 4


class SuiteFailed(AepmockError):
    """The suite itself failed: an internal error, with what pytest printed."""


def run_suite(
    settings: Mapping[str, Setting],
    *,
    config: SuiteConfig,
    folder: Path,
    jobs: int,
    err: Console,
    listener: socket.socket | None = None,
    live: Plan | None = None,
) -> Report:
    """Judges the client that the settings name; modules and files are looked for in `folder`.

    `config` is what the settings ask for, made to find misuse before anything runs. A run that a
    person interrupts, or whose process the client ends, has a report of what was found until then.
    With a `listener`, that is the program which comes there; `live` is the plan of a live run that
    has begun. With the transport "auto", a client that no in-process transport is for is judged
    through the server. Raises UsageError for misuse that only the run could find, SuiteFailed for
    internal errors.
    """
    try:
        return _run_once(settings, config, folder, jobs, err, listener, live)
    except UnsupportedTransportError:
        if settings["transport"].value != "auto":
            raise
        client = settings["client"].value
        text = f"{client} uses another HTTP library: judging it through the server transport"
        err.print(Text(f"aepmock: {text}"), soft_wrap=True)
        server = Setting("server", settings["transport"].origin)
        settings, config = {**settings, "transport": server}, replace(config, transport="server")
        return _run_once(settings, config, folder, jobs, err, None, live)


def _run_once(
    settings: Mapping[str, Setting],
    config: SuiteConfig,
    folder: Path,
    jobs: int,
    err: Console,
    listener: socket.socket | None,
    live: Plan | None,
) -> Report:
    started_at, started = datetime.now(UTC).isoformat(timespec="seconds"), monotonic()

    def so_far(found: SoFar, cut_short: str) -> Report:
        if config.program is not None:
            config.program.learn_of(found.program)
        duration_s = round(monotonic() - started, 2)
        return make_report(
            config, found.tally, started_at=started_at, duration_s=duration_s, cut_short=cut_short
        )

    with tempfile.TemporaryDirectory(prefix="aepmock-") as scratch:
        result = Path(scratch) / "result.json"
        command = _command(settings, result, jobs, live=live is not None)
        inherited = () if listener is None else (listener.fileno(),)
        command += [f"--aepmock-attach={fd}" for fd in inherited]
        try:
            with _progress(err) as progress:
                status, output = _run(command, folder, progress, inherited, live)
        except KeyboardInterrupt:
            found = found_so_far(Path(scratch))
            if live is not None or not found.anything:
                raise
            return so_far(found, INTERRUPTED)
        if not result.exists():
            found = found_so_far(Path(scratch))
            if not found.at or not is_the_clients(status):
                _explain(status, output)
            if found.at == "factory":
                raise UsageError(f"{config.client} ends the process that makes it, status {status}")
            convict(found.tally, config, found.at, status)
            return so_far(found, f"the client ended the process in {found.at}")
        document = json.loads(result.read_text("utf-8"))
    # Whatever else went wrong in such a run says nothing about the client.
    for kind, text in document["errors"]:
        if kind == "around":
            raise UnsupportedTransportError(text)
    for kind, text in document["errors"]:
        if kind == "misuse":
            raise UsageError(text)
        raise SuiteFailed(f"{text}\n\n{output}")
    return Report.from_json(document["report"], load_contract().clauses)


def _command(settings: Mapping[str, Setting], result: Path, jobs: int, *, live: bool) -> list[str]:
    suite = find_spec("aepmock.contract_tests")
    if suite is None or suite.origin is None:
        raise SuiteFailed("the suite aepmock.contract_tests is not installed beside aepmock")
    words = [sys.executable, "-m", "pytest", "--pyargs", "aepmock.contract_tests"]
    words += ["--aepmock-live"] if live else []
    words += ["-c", str(Path(suite.origin).parent / "pytest.ini")]
    words += ["-p", "no:cacheprovider", "-p", "aepmock.pytest_plugin", "--tb=short", "--color=no"]
    words.append("--assert=plain")  # what is said of findings needs no rewritten modules
    words.append("-v")  # a line a test, so that the bar moves
    if jobs > 1:
        if find_spec("xdist") is None:
            raise UsageError("--jobs needs pytest-xdist: python -m pip install pytest-xdist")
        # A client that ends one process would end the next ones too.
        words += ["-p", "xdist", "-n", str(jobs), "--max-worker-restart=0"]
    for name, option in OPTIONS.items():
        value = settings[name].value
        if option.kind == "flag" or name == "report" or value in (None, ()):
            continue
        for one in value if option.kind == "list" else (value,):
            words.append(f"{option.flag}={one}")
    return [*words, f"--aepmock-result={result}"]


def _run(
    command: Sequence[str],
    folder: Path,
    progress: Progress,
    inherited: Sequence[int],
    live: Plan | None,
) -> tuple[int, str]:
    environment = {
        key: value
        for key, value in os.environ.items()
        # Another project's pytest settings are not the suite's.
        if not key.startswith(("PYTEST_", "AEPMOCK_"))
    }
    if live is not None:
        environment[PLAN_VARIABLE] = live.to_text()
    environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    task = progress.add_task("judging", total=100)
    lines: list[str] = []
    with subprocess.Popen(  # noqa: S603 our own interpreter
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        pass_fds=tuple(inherited),
    ) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                lines.append(line)
                match = _PERCENT.search(line)
                if match:
                    progress.update(task, completed=int(match[1]))
        except KeyboardInterrupt:
            _let_end(process, live)
            raise
    return process.returncode, "".join(lines)


def _let_end(process: subprocess.Popen[str], live: Plan | None) -> None:
    """Lets the suite put down what it has, and its programs go; Ctrl-C may have reached it too."""
    if live is not None:
        process.terminate()
        return
    for within_s in (_SOON_S, _LATER_S):
        try:
            process.wait(within_s)
            return
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)
    process.terminate()


_SOON_S, _LATER_S = 0.5, 15.0


def _explain(status: int, output: str) -> None:
    """Raises what a run without a result was about."""
    for line in output.splitlines():
        if line.startswith("ERROR: aepmock: "):
            raise UsageError(line.removeprefix("ERROR: aepmock: "))
    if os.strerror(errno.ENOSPC) in output:
        raise UsageError(f"the suite could not write: {os.strerror(errno.ENOSPC)}")
    if status == _PYTEST_USAGE:
        raise UsageError(output.strip())
    raise SuiteFailed(output.strip())


@contextmanager
def _progress(err: Console) -> Iterator[Progress]:
    """A bar on a terminal, nothing elsewhere."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress:
        yield progress
