"""A program under test, for a whole run of the suite: its process, its transport, its secrets."""

from __future__ import annotations

import atexit
import os
import shlex
import shutil
import signal
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from urllib.parse import urlsplit

from aepmock.clients.driver import CallBroken
from aepmock.clients.program.pipes import ProgramChannel, SocketChannel, can_not_run
from aepmock.clients.program.program import ENDLESS, Program, Timeouts
from aepmock.contract import load_contract
from aepmock.messages import Handler, Request, Response
from aepmock.net import NO_PROXY
from aepmock.redaction import Redactor

MOST_HANGS = 3
"""Times that an operation may hang in a run; each costs the margin and more."""
_OURS = ("PYTEST_", "AEPMOCK_")
_LOOPBACK = ",".join(NO_PROXY)


class ProgramRun:
    """One process and one server transport, for as many tests as there are.

    `command` is what to run; `listener`, in its place, a socket on which a program that a
    person started is waited for, without any deadline.
    """

    def __init__(
        self,
        command: Sequence[str],
        listener: socket.socket | None = None,
        timeouts: Timeouts | None = None,
    ) -> None:
        self.command = tuple(command)
        self.attached = listener is not None
        self._listener = listener
        self._patience = ENDLESS if self.attached else timeouts or Timeouts()
        self._name = self._given_up = ""
        self.started = False
        self.hangs: Counter[str] = Counter()
        self.strangers: list[str] = []
        self._fenced = False
        self._proxy: str | None = None
        self._secrets: set[str] = set()
        self._handler: Handler | None = None
        self._origin: str | None = None
        self._stack = ExitStack()
        self.program = Program(
            self._start,
            clock=time.monotonic,
            redact=self._redact,
            timeouts=self._patience,
            again=not self.attached,
        )

    @property
    def name(self) -> str:
        """What the program calls itself, or its command before it has said so."""
        if self.program.hello is not None:
            return self.program.hello.name
        return self._name or shlex.join(self.command) or "a program that was attached"

    @property
    def given_up(self) -> str:
        """Why it is not asked any more; empty while it is."""
        return self._given_up or self.program.given_up

    def to_json(self) -> dict[str, str]:
        """What a worker knows of it, for its controller."""
        return {"name": self.name, "given_up": self.given_up} if self.started else {}

    def learn_of(self, data: Mapping[str, str]) -> None:
        """Takes over what a worker knows of it."""
        if data:
            self._name, self._given_up = data["name"], data["given_up"]

    @property
    def words(self) -> str:
        """The end of a command that judges it again."""
        return "--attach" if self.attached else f"-- {shlex.join(self.command)}"

    def hopeless(self) -> set[str]:
        """Operations in which it hung so often that there is no time for them any more."""
        return {operation for operation, times in self.hangs.items() if times >= MOST_HANGS}

    @property
    def origin(self) -> str:
        """The server transport's origin, opened when it is first wanted."""
        if self._origin is None:
            from aepmock.transports.server import serving

            self._origin = self._stack.enter_context(serving(self._handle)).origin
        return self._origin

    @contextmanager
    def answering(self, handler: Handler) -> Iterator[None]:
        """In here the transport leads to this handler."""
        self._handler = handler
        try:
            yield
        finally:
            self._handler = None

    def allow(self, timeout_s: float, requests: Callable[[], int], most: int) -> None:
        """Bounds each call: `timeout_s` for every answer it needs, and a margin.

        `requests` counts those of the call that goes on; with more than `most` it is endless.
        """

        def allowed_s() -> float:
            sent = requests()
            if sent > most:
                raise CallBroken
            return self._patience.margin_s + timeout_s * (1 + sent)

        self.program.allowed_s = allowed_s

    def learn(self, secrets: Iterable[str]) -> None:
        """Texts without which everything is shown that the program wrote."""
        self._secrets.update(secrets)

    def fence(self) -> None:
        """Gives the program a proxy that lets nothing pass but to this machine, for a live run.

        Who minds the proxy of the environment gets no further; nothing stops the others.
        """
        self._fenced = True

    def _environment(self) -> dict[str, str]:
        found = environment(os.environ)
        if not self._fenced:
            return found
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            found[name] = found[name.lower()] = self._fence()
        return {**found, "NO_PROXY": _LOOPBACK, "no_proxy": _LOOPBACK}

    def _fence(self) -> str:
        """The origin of that proxy, opened when it is first wanted."""
        if self._proxy is None:
            from aepmock.transports.proxy import proxying

            def refuse(request: Request) -> Response:
                self.strangers.append(urlsplit(request.origin).hostname or "a host")
                return Response(503)

            def misled(_: str) -> None:
                self.strangers.append("one of Adobe's hosts")

            opened = proxying(refuse, refused=self.strangers.append, trouble=misled)
            self._proxy = self._stack.enter_context(opened).origin
        return self._proxy

    def close(self) -> None:
        """Stops everything at once; does nothing the second time."""
        self.program.stop()
        self._stack.close()
        self._origin = self._proxy = None
        if self._listener is not None:
            self._listener.close()

    def _start(self) -> ProgramChannel | SocketChannel:
        if not self.started:
            _end_with_us(self)
        self.started = True
        if self._listener is None:
            return ProgramChannel(self.command, self._environment(), time.monotonic)
        connection, _ = self._listener.accept()
        # Whoever hangs up is not waited for again: the run would never end.
        self._listener.close()
        return SocketChannel(connection, time.monotonic)

    def _handle(self, request: Request) -> Response:
        handler = self._handler
        return handler(request) if handler is not None else Response(503)

    def _redact(self, text: str) -> str:
        return Redactor(load_contract().secret_names, self._secrets).text(text)


def check_command(command: Sequence[str], folder: Path) -> None:
    """Raises UsageError for a program that is not there, or is none."""
    program = command[0]
    if "/" in program and not (folder / program).is_file():
        raise can_not_run(program, "there is no such file")
    if "/" in program and not os.access(folder / program, os.X_OK):
        raise can_not_run(program, f"it is not executable: chmod +x {shlex.quote(program)}")
    if "/" not in program and shutil.which(program) is None:
        raise can_not_run(program, "no program of that name is on the PATH")


def environment(before: Mapping[str, str]) -> dict[str, str]:
    """The variables of a program: without ours, and with a way to loopback around any proxy."""
    found = {k: v for k, v in before.items() if not k.startswith(_OURS)}
    for name in ("NO_PROXY", "no_proxy"):
        found[name] = f"{found[name]},{_LOOPBACK}" if found.get(name) else _LOOPBACK
    return found


def _end_with_us(run: ProgramRun) -> None:
    """Lets no program outlive this process, unless that is killed outright."""
    atexit.register(run.close)

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    try:
        if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            signal.signal(signal.SIGTERM, interrupt)
    except ValueError:
        return  # not in the main thread: whoever runs us sees to signals
