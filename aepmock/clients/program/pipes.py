"""Lines to and from a program: over the pipes of one that was started, or over a socket."""

from __future__ import annotations

import errno
import os
import select
import signal
import socket
import subprocess
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from aepmock.errors import UsageError

Clock = Callable[[], float]

MAX_LINE = 16 * 1024 * 1024
"""Octets of a line; what is longer is cut and said to be too long."""
MAX_LOG_LINE, MAX_LOG_LINES = 4_000, 50
_CHUNK = 65_536
_SLICE_S = 0.1
"""How long one look at the pipes may take: a program may end while a child holds them open."""
_LAST_WORDS_S = 0.5
"""How long the end of stderr is waited for once stdout has ended."""


@dataclass(frozen=True)
class Line:
    """A line without its end; `too_long` says that only its beginning is here."""

    octets: bytes
    too_long: bool = False


class Channel(ABC):
    """Whole lines both ways, without threads: whoever waits for one also drains the log.

    `ended` becomes true once nothing more can come.
    """

    def __init__(self, clock: Clock, *, to: int, out: int, log: int | None = None) -> None:
        self._clock = clock
        self._to = to
        self._open = {out} if log is None else {out, log}
        self._out = out
        self._buffer = bytearray()
        self._lines: deque[Line] = deque()
        self._cutting = False
        self._log = _Log()
        self.ended = False
        for fd in {to, *self._open}:
            os.set_blocking(fd, False)

    @abstractmethod
    def fate(self) -> str:
        """How the other side ended, as far as it is known: "it ended with status 3"."""

    @abstractmethod
    def stop(self) -> None:
        """Ends it at once, with every process that it started."""

    @abstractmethod
    def _gone(self) -> bool:
        """Whether the other side has ended, whoever still holds its pipes."""

    @property
    def log(self) -> tuple[str, ...]:
        """The last lines of its stderr, the newest last."""
        return self._log.lines

    @property
    def half(self) -> bytes:
        """What has come of a line that has no end yet."""
        return bytes(self._buffer)

    def send(self, line: bytes, *, within_s: float) -> bool:
        """Sends a line; False where the other side did not take it in time, or has ended."""
        left = memoryview(line + b"\n")
        deadline = self._clock() + within_s
        while left:
            try:
                left = left[os.write(self._to, left) :]
            except BlockingIOError:
                if self._clock() > deadline or self.ended:
                    return False
                # It may be busy writing, and read only when that is done.
                self._pump(_SLICE_S, writing=True)
            except OSError:
                return False
        return True

    def receive(self, within_s: float) -> Line | None:
        """The next line, or None where none came in time; then `ended` may say why."""
        deadline = self._clock() + within_s
        while not self._lines and not self.ended:
            left = deadline - self._clock()
            if left < 0:
                return None
            self._pump(min(left, _SLICE_S))
        return self._lines.popleft() if self._lines else None

    def waiting(self) -> Line | None:
        """A line that has come already, or None."""
        if not self._lines and not self.ended:
            self._pump(0.0)
        return self._lines.popleft() if self._lines else None

    def _pump(self, seconds: float, *, writing: bool = False) -> None:
        """Reads what there is to read, waiting for it for so many seconds."""
        to = [self._to] if writing else []
        ready, writable, _ = select.select(list(self._open), to, [], seconds)
        for fd in ready:
            self._read(fd)
        if self._out not in self._open or (not ready and not writable and self._gone()):
            self._end()

    def _read(self, fd: int) -> None:
        try:
            octets = os.read(fd, _CHUNK)
        except BlockingIOError:
            return
        except OSError:
            octets = b""
        if not octets:
            self._open.discard(fd)
        elif fd == self._out:
            self._take(octets)
        else:
            self._log.take(octets)

    def _take(self, octets: bytes) -> None:
        *whole, rest = octets.split(b"\n")
        for part in whole:
            self._buffer += part
            if not self._cutting:
                self._lines.append(Line(bytes(self._buffer[:MAX_LINE])))
            self._buffer.clear()
            self._cutting = False
        if self._cutting:
            return
        self._buffer += rest
        if len(self._buffer) > MAX_LINE:
            self._lines.append(Line(bytes(self._buffer[:200]), too_long=True))
            self._buffer.clear()
            self._cutting = True

    def _end(self) -> None:
        deadline = self._clock() + _LAST_WORDS_S
        self._open.discard(self._out)
        while self._open and self._clock() < deadline:
            ready, _, _ = select.select(list(self._open), [], [], _SLICE_S)
            for fd in ready:
                self._read(fd)
            if not ready and self._gone():
                break
        self.ended = True


class _Log:
    """The last lines of a text that may be endless."""

    def __init__(self) -> None:
        self._lines: deque[str] = deque(maxlen=MAX_LOG_LINES)
        self._open = b""

    @property
    def lines(self) -> tuple[str, ...]:
        return (*self._lines, *([_shown(self._open)] if self._open else []))

    def take(self, octets: bytes) -> None:
        *whole, self._open = (self._open + octets).split(b"\n")
        self._lines.extend(map(_shown, whole[-MAX_LOG_LINES:]))
        self._open = self._open[:MAX_LOG_LINE]


def _shown(octets: bytes) -> str:
    return octets[:MAX_LOG_LINE].decode("utf-8", "replace").rstrip()


class ProgramChannel(Channel):
    """A program that is started here, in a process group of its own."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], clock: Clock
    ) -> None:
        """Raises UsageError for a program that can't be started."""
        try:
            self._process = subprocess.Popen(  # noqa: S603 what the user asked for
                command,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or error
            if getattr(error, "errno", None) == errno.ENOEXEC:
                why = "its first line does not say what runs it, such as #!/usr/bin/env python3"
            raise can_not_run(command[0], why) from None
        stdin, stdout, stderr = self._process.stdin, self._process.stdout, self._process.stderr
        assert stdin is not None
        assert stdout is not None
        assert stderr is not None
        self._pipes = (stdin, stdout, stderr)
        super().__init__(clock, to=stdin.fileno(), out=stdout.fileno(), log=stderr.fileno())

    def fate(self) -> str:
        try:
            status = self._process.wait(_LAST_WORDS_S)
        except subprocess.TimeoutExpired:
            return "it closed its stdout and lives on"
        if status < 0:
            return f"it was ended by {_signal_name(-status)}"
        return f"it ended with status {status}"

    def stop(self) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for pipe in self._pipes:
            with suppress(OSError):
                pipe.close()
        self._open.clear()
        self.ended = True

    def _gone(self) -> bool:
        return self._process.poll() is not None


class SocketChannel(Channel):
    """A program that a person started, on a connection that it opened."""

    def __init__(self, connection: socket.socket, clock: Clock) -> None:
        self._connection = connection
        super().__init__(clock, to=connection.fileno(), out=connection.fileno())

    def fate(self) -> str:
        return "it closed the connection"

    def stop(self) -> None:
        self._connection.close()
        self._open.clear()
        self.ended = True

    def _gone(self) -> bool:
        return False


def can_not_run(program: str, why: object) -> UsageError:
    """What is said of a program that can't be started."""
    hint = ""
    if " " in program:
        hint = "; if that is a program with its arguments, give each word by itself"
    return UsageError(f"can't run {program!r}: {why}{hint}")


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
