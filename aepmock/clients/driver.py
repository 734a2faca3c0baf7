"""Calls a client's methods, sync or async, reads what they return to the end, and bounds them."""

from __future__ import annotations

import asyncio
import inspect
import os
import signal
import threading
from collections.abc import AsyncIterable, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic
from types import FrameType
from typing import Any, NoReturn

from aepmock.client_api import ClientSettings
from aepmock.clients import surroundings
from aepmock.errors import UsageError

Factory = Callable[[ClientSettings], Any]


class CallBroken(BaseException):
    """The kit broke a call off: it went on for longer than any client may."""


class CallLost(Exception):
    """A program gave no answer that could be judged: only what the call sent counts.

    `hung` says that it took all the time that it had.
    """

    def __init__(self, why: str, *, hung: bool = False) -> None:
        super().__init__(why)
        self.hung = hung


@dataclass(frozen=True)
class Outcome:
    """How a call ended: `returned`, or `raised`, or `timed_out` when it was broken off.

    `changed` names what it altered of the process, and is set back; None where nobody looked.
    `took_s` are real seconds.
    """

    returned: Any = None
    raised: BaseException | None = None
    timed_out: bool = False
    changed: tuple[str, ...] | None = None
    took_s: float = 0.0


class Running:
    """What a client is at, told to whoever wants to know if the process ends meanwhile."""

    def __init__(self) -> None:
        self.tell: Callable[[str], None] | None = None

    @contextmanager
    def at(self, what: str) -> Iterator[None]:
        if self.tell is None:
            yield
            return
        self.tell(what)
        try:
            yield
        finally:
            self.tell("")


RUNNING = Running()


class Driver:
    """One client object, in one event loop from the factory to close.

    `deadline_s` bounds each call, in seconds of real time; None leaves that to the client.
    """

    def __init__(
        self, factory: Factory, settings: ClientSettings, *, deadline_s: float | None
    ) -> None:
        self._runner = asyncio.Runner()
        self._deadline_s = deadline_s
        self._client: Any = None
        self.made = self._bounded("factory", lambda: self._make(factory, settings))

    def supports(self, operation: str) -> bool:
        """Whether the client has this method."""
        return callable(getattr(self._client, operation, None))

    def method(self, operation: str) -> Callable[..., Any]:
        """The client's method."""
        found: Callable[..., Any] = getattr(self._client, operation)
        return found

    def call(self, operation: str, args: Mapping[str, Any]) -> Outcome:
        """Calls a method by keyword, or by position for the arguments every client has."""
        method = self.method(operation)
        positional, keywords = split(operation, args)
        return self._bounded(operation, lambda: self._settled(method(*positional, **keywords)))

    def shown(self) -> str:
        """The client's repr and str, where it has any."""
        outcome = self._bounded("repr", lambda: f"{self._client!r}\n{self._client}")
        return str(outcome.returned or "")

    def close(self) -> Outcome | None:
        """Closes the client and its event loop; None where it has no way to be closed."""
        close = getattr(self._client, "close", None)
        outcome = None
        if callable(close):
            outcome = self._bounded("close", lambda: self._settled(close()))
        with _quiet_loop():
            self._runner.close()
        return outcome

    def _make(self, factory: Factory, settings: ClientSettings) -> None:
        try:
            self._client = self._settled(factory(settings))
        except RuntimeError as error:
            if "event loop" not in str(error):
                raise

            # Some async libraries want to be made inside a running loop.
            async def make() -> Any:
                made = factory(settings)
                return await made if inspect.isawaitable(made) else made

            self._client = self._runner.run(make())
        if self._client is None:
            raise UsageError("the factory returned None; it must return a client")

    def _settled(self, value: Any) -> Any:
        """A value with every coroutine awaited and every iterator read to its end."""
        if inspect.isawaitable(value):
            value = self._runner.run(self._awaited(value))
        if isinstance(value, AsyncIterable):
            return self._runner.run(collected(value))
        if isinstance(value, Iterable) and not isinstance(value, _WHOLE):
            return list(value)
        return value

    async def _awaited(self, value: Any) -> Any:
        async with asyncio.timeout(self._deadline_s):
            value = await value
            return await collected(value) if isinstance(value, AsyncIterable) else value

    def _bounded(self, what: str, action: Callable[[], Any]) -> Outcome:
        began = monotonic()
        returned, raised, looped = None, None, False
        with RUNNING.at(what), interruptible():
            before = surroundings.seen()
            try:
                with deadline(self._deadline_s):
                    returned = action()
            except CallBroken:
                looped = True
            except UsageError:
                raise
            except BaseException as error:
                # Also what ends a process, unless a person asked for it.
                raised = error
            finally:
                changed = surroundings.changed(before)
        return Outcome(returned, raised, looped, changed, monotonic() - began)


_WHOLE = (str, bytes, bytearray, Mapping, list)
"""Iterables that are values, not sequences of items still to be fetched."""


async def collected(items: AsyncIterable[Any]) -> list[Any]:
    return [item async for item in items]


_POSITIONAL = ("connection", "connection_id", "etag", "operations")


def split(operation: str, args: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """Leading arguments go by position, because adapters name them as they like."""
    positional = [args[name] for name in _POSITIONAL if name in args]
    keywords = {k: v for k, v in args.items() if k not in _POSITIONAL}
    return positional, keywords


@contextmanager
def deadline(seconds: float | None) -> Iterator[None]:
    """Raises CallBroken in here after so many seconds, again and again until it gets out.

    Works by a timer signal, which also ends a sleep; where there is none (another thread,
    Windows) the call is not bounded.
    """
    in_main_thread = threading.current_thread() is threading.main_thread()
    if seconds is None or not hasattr(signal, "SIGALRM") or not in_main_thread:
        yield
        return

    def break_off(_signal: int, _frame: FrameType | None) -> None:
        raise CallBroken

    before = signal.signal(signal.SIGALRM, break_off)
    signal.setitimer(signal.ITIMER_REAL, seconds, 0.25)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@dataclass
class Person:
    """Who sits before the run, and may ask it to stop."""

    interrupted: bool = False


@contextmanager
def interruptible() -> Iterator[Person]:
    """Lets a person's Ctrl-C through as KeyboardInterrupt, whatever a client makes of it.

    One that a client raises itself is an exception as any other.
    """
    person = Person()
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield person
        return

    def interrupt(number: int, frame: FrameType | None) -> None:
        person.interrupted = True
        before(number, frame)

    signal.signal(signal.SIGINT, interrupt)
    try:
        yield person
    finally:
        signal.signal(signal.SIGINT, before)
        if person.interrupted:
            raise KeyboardInterrupt


@contextmanager
def staying() -> Iterator[None]:
    """In here os._exit raises SystemExit, so that there is somebody left to tell of it."""
    ours, before = os.getpid(), os._exit

    def stay(status: int) -> NoReturn:
        if os.getpid() != ours:
            before(status)  # a child that was forked ends so
        raise SystemExit(f"os._exit({status})")

    os._exit = stay
    try:
        yield
    finally:
        os._exit = before


@contextmanager
def _quiet_loop() -> Iterator[None]:
    """A call that was broken off may leave tasks behind; their end is of no interest."""
    try:
        yield
    except (RuntimeError, CallBroken):
        return
