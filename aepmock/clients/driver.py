"""Calls a client's methods, sync or async, reads what they return to the end, and bounds them."""

from __future__ import annotations

import asyncio
import inspect
import signal
import threading
from collections.abc import AsyncIterable, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any

from aepmock.errors import UsageError
from aepmock.protocol import ClientSettings

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
    """How a call ended: `returned`, or `raised`, or `looped` when it was broken off."""

    returned: Any = None
    raised: BaseException | None = None
    looped: bool = False


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
        self.made = self._bounded(lambda: self._make(factory, settings))

    def supports(self, operation: str) -> bool:
        """Whether the client has this method."""
        return callable(getattr(self._client, operation, None))

    def call(self, operation: str, args: Mapping[str, Any]) -> Outcome:
        """Calls a method by keyword, or by position for the arguments every client has."""
        method = getattr(self._client, operation)
        positional, keywords = split(operation, args)
        return self._bounded(lambda: self._settled(method(*positional, **keywords)))

    def shown(self) -> str:
        """The client's repr and str, where it has any."""
        outcome = self._bounded(lambda: f"{self._client!r}\n{self._client}")
        return str(outcome.returned or "")

    def close(self) -> None:
        """Closes the client, where it can be closed, and its event loop."""
        close = getattr(self._client, "close", None)
        if callable(close):
            self._bounded(lambda: self._settled(close()))
        with _quiet_loop():
            self._runner.close()

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

    def _bounded(self, action: Callable[[], Any]) -> Outcome:
        try:
            with deadline(self._deadline_s):
                return Outcome(returned=action())
        except CallBroken:
            return Outcome(looped=True)
        except (KeyboardInterrupt, SystemExit, UsageError):
            raise
        except BaseException as error:
            return Outcome(raised=error)


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


@contextmanager
def _quiet_loop() -> Iterator[None]:
    """A call that was broken off may leave tasks behind; their end is of no interest."""
    try:
        yield
    except (RuntimeError, CallBroken):
        return
