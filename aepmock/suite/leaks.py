"""Watches what a call leaves behind beside its answer: logs, warnings, output, files.

Every logger is heard at every level, also one that does not propagate: the records are caught
where loggers hand them to their handlers. Output is caught as Python writes it and as the process
does. Files are those that were opened for writing below the working directory.
"""

from __future__ import annotations

import io
import logging
import os
import sys
import sysconfig
import tempfile
import threading
import warnings
from collections.abc import Iterator, Set
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from time import monotonic
from typing import Any
from unittest.mock import patch

from aepmock.judge.transcript import Trace

_LARGEST = 1_000_000
"""Octets that are read of a file that a client wrote."""
_USUAL = frozenset(vars(logging.makeLogRecord({})))
"""What every log record has; the rest is what a caller gave as `extra`."""


@contextmanager
def watching() -> Iterator[list[Trace]]:
    """Gathers traces; the list is complete once the context is left.

    Where nothing was left there is an empty one: somebody looked.
    """
    traces = [Trace(place, f"no {place}") for place in ("log", "debug log", "file")]
    with ExitStack() as stack:
        stack.enter_context(_files(traces))
        stack.enter_context(_output(traces))
        stack.enter_context(_warnings(traces))
        stack.enter_context(_logs(traces))
        yield traces


def threads_left(before: Set[threading.Thread], within_s: float = 1.0) -> tuple[str, ...]:
    """The names of threads that were not there before, and do not end in a while.

    Not those of the kit, nor those that an installed library keeps for the whole process.
    """
    until = monotonic() + within_s
    while left := [
        thread
        for thread in threading.enumerate()
        if thread not in before and not thread.name.startswith("aepmock") and not _installed(thread)
    ]:
        if monotonic() > until:
            break
        left[0].join(_TICK_S)
    return tuple(thread.name for thread in left)


_TICK_S = 0.05
_INSTALLED = tuple(sysconfig.get_path(name) for name in ("purelib", "platlib"))


def _installed(thread: threading.Thread) -> bool:
    """Whether what a thread does stands in a library."""
    work = getattr(thread, "_target", None) or type(thread).run
    code = getattr(work, "__code__", None)
    return code is not None and code.co_filename.startswith(_INSTALLED)


@contextmanager
def _logs(traces: list[Trace]) -> Iterator[None]:
    enabled = logging.Logger.isEnabledFor

    def handle(logger: logging.Logger, record: logging.LogRecord) -> None:
        if not record.name.startswith("aepmock"):
            where = f"a log record of {record.name}, {record.levelname}"
            place = "log" if record.levelno >= logging.INFO else "debug log"
            traces.append(Trace(place, where, _record(record)))
        if enabled(logger, record.levelno) and not logger.disabled and logger.filter(record):
            logger.callHandlers(record)

    with (
        patch.object(logging.Logger, "handle", handle),
        patch.object(logging.Logger, "isEnabledFor", lambda *_: True),
        patch.object(logging.Logger, "getEffectiveLevel", lambda _: logging.DEBUG),
    ):
        yield


def _record(record: logging.LogRecord) -> str:
    """All the text of a record: its message, its exception, and what came as `extra`."""
    try:
        parts = [record.getMessage()]
    except Exception:
        parts = [str(record.msg), repr(record.args)]
    if record.exc_info and record.exc_info[1] is not None:
        parts.append(f"{record.exc_info[1]!r} {record.exc_info[1]}")
    parts += [repr(v) for k, v in vars(record).items() if k not in _USUAL]
    return "\n".join(parts)


@contextmanager
def _warnings(traces: list[Trace]) -> Iterator[None]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    for warning in caught:
        where = f"a warning, {warning.category.__name__}"
        traces.append(Trace("log", where, str(warning.message)))


@contextmanager
def _output(traces: list[Trace]) -> Iterator[None]:
    """What goes to the streams of Python and to the descriptors below them."""
    texts = {name: io.TextIOWrapper(io.BytesIO(), "utf-8", "replace") for name in _STREAMS}
    with ExitStack() as stack:
        raw = {name: stack.enter_context(_descriptor(number)) for name, number in _STREAMS.items()}
        stack.enter_context(redirect_stdout(texts["standard output"]))
        stack.enter_context(redirect_stderr(texts["standard error"]))
        yield
        for name, stream in texts.items():
            if not stream.closed:
                stream.flush()
                written = stream.buffer.getvalue()
                traces.append(Trace("output", name, written.decode("utf-8", "replace")))
            raw[name].seek(0)
            written = raw[name].read(_LARGEST)
            traces.append(Trace("output", name, written.decode("utf-8", "replace")))


_STREAMS = {"standard output": 1, "standard error": 2}


@contextmanager
def _descriptor(number: int) -> Iterator[Any]:
    """A file that stands in for a descriptor of the process; an empty one where it is closed."""
    with tempfile.TemporaryFile() as caught:
        try:
            before = os.dup(number)
        except OSError:
            yield caught
            return
        os.dup2(caught.fileno(), number)
        try:
            yield caught
        finally:
            os.dup2(before, number)
            os.close(before)


class _Opened:
    """The paths that were opened for writing while someone watches; one audit hook a process."""

    def __init__(self) -> None:
        self.watchers: list[set[str]] = []
        self._installed = False
        self._lock = threading.Lock()

    def install(self) -> None:
        with self._lock:
            if not self._installed:
                sys.addaudithook(self._hook)
                self._installed = True

    def _hook(self, event: str, args: tuple[Any, ...]) -> None:
        if not self.watchers or event not in ("open", "sqlite3.connect", "os.rename"):
            return
        path = args[1] if event == "os.rename" else args[0]
        if event == "open" and not _writes(args[1], args[2]):
            return
        if isinstance(path, str | bytes | os.PathLike):
            for watcher in self.watchers:
                watcher.add(os.fsdecode(path))


_opened = _Opened()


def _writes(mode: object, flags: object) -> bool:
    if isinstance(mode, str):
        return any(letter in mode for letter in "wax+")
    return isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR))


@contextmanager
def _files(traces: list[Trace]) -> Iterator[None]:
    """Files below the working directory that were written and are still there."""
    _opened.install()
    written: set[str] = set()
    _opened.watchers.append(written)
    folder = Path.cwd()
    try:
        yield
    finally:
        _opened.watchers[:] = [w for w in _opened.watchers if w is not written]
    for name in sorted(written):
        path = folder / name
        if path.is_file() and path.resolve().is_relative_to(folder.resolve()):
            with path.open("rb") as file:
                text = file.read(_LARGEST).decode("utf-8", "replace")
            where = f"the file {path.resolve().relative_to(folder.resolve())}"
            traces.append(Trace("file", where, text))
