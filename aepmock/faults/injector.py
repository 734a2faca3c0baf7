"""Answers put in by a test, in front of the service, and what goes wrong on their way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from threading import Lock
from typing import TYPE_CHECKING, Protocol

from aepmock.contract import Contract
from aepmock.faults.apply import Faulting
from aepmock.faults.model import Fault
from aepmock.messages import Handler, Request, Response

if TYPE_CHECKING:
    from aepmock.service.engine import FlowService

Change = Callable[[Request, Response], Response]
Action = Callable[[Request], Response]


class _Script(Protocol):
    """What is in store for the requests of an operation."""

    def takes(self, operation: str, request: Request) -> bool: ...
    def next(self) -> Action:
        """What happens to the request that it takes."""

    @property
    def used_up(self) -> bool: ...


@dataclass
class _Told:
    """The same for as many requests as told."""

    operation: str
    times: int
    act: Action

    def takes(self, operation: str, request: Request) -> bool:
        return operation == self.operation

    def next(self) -> Action:
        self.times -= 1
        return self.act

    @property
    def used_up(self) -> bool:
        return self.times <= 0


@dataclass
class _Playing:
    """A fault, and how far it has come: `calls` it was asked about, steps that were `played`."""

    fault: Fault
    faulting: Faulting
    calls: int = 0
    played: int = 0

    def takes(self, operation: str, request: Request) -> bool:
        fault = self.fault
        if not fnmatchcase(operation, fault.operation):
            return False
        if not fault.when.holds(request, self.faulting.name_of):
            return False
        self.calls += 1
        return self.calls >= fault.when.call

    def next(self) -> Action:
        step = self.fault.steps[self.played % len(self.fault.steps)]
        self.played += 1
        return lambda request: self.faulting.play(step, request)

    @property
    def used_up(self) -> bool:
        return self.played >= self.fault.times * len(self.fault.steps)

    @property
    def left(self) -> Fault:
        """The fault as it would have to be told now."""
        fault, length = self.fault, len(self.fault.steps)
        call = max(1, fault.when.call - self.calls)
        whole, begun = divmod(self.played, length)
        steps, times = fault.steps, fault.times - whole
        if begun:
            steps = fault.steps[begun:] + fault.steps * (times - 1)
            times = 1
        return replace(fault, steps=steps, times=times, when=replace(fault.when, call=call))


class FaultInjector:
    """A handler that answers in the service's stead, or alters its answers, as often as told.

    A fault that expires tokens, and time that goes by, need the `service` itself.
    """

    def __init__(
        self, contract: Contract, handler: Handler, service: FlowService | None = None
    ) -> None:
        self._contract = contract
        self._handler = handler
        self._faulting = Faulting(contract, handler, service)
        self._scripts: list[_Script] = []
        self._lock = Lock()

    def answer(self, operation: str, answer: Response, *, times: int = 1) -> None:
        """The next `times` requests of an operation ("connections.create") get this answer."""
        marked = replace(answer, injected=True)
        self._scripts.append(_Told(operation, times, lambda _: marked))

    def change(self, operation: str, change: Change, *, times: int = 1) -> None:
        """The service's next `times` answers to an operation become `change(request, answer)`."""

        def act(request: Request) -> Response:
            return replace(change(request, self._handler(request)), injected=True)

        self._scripts.append(_Told(operation, times, act))

    def fault(self, fault: Fault) -> None:
        """Lets a fault happen; of several, the one that was told first comes first."""
        self._scripts.append(_Playing(fault, self._faulting))

    @property
    def faults(self) -> list[Fault]:
        """What is still to happen of the faults, in order."""
        with self._lock:
            return [s.left for s in self._scripts if isinstance(s, _Playing)]

    @property
    def missed(self) -> list[Fault]:
        """The faults of which nothing happened, as they were told."""
        with self._lock:
            return [s.fault for s in self._scripts if isinstance(s, _Playing) and not s.played]

    @property
    def waited_s(self) -> float:
        """Seconds that were really waited because of faults, over the wire."""
        return self._faulting.waited_s

    def clear(self) -> None:
        """Forgets every script that is left."""
        self._scripts.clear()
        self._faulting.led_to.clear()

    def handle(self, request: Request) -> Response:
        if self._faulting.led_to and request.origin in self._faulting.led_to:
            return self._faulting.elsewhere()
        act = self._take(request) if self._scripts else None
        return self._handler(request) if act is None else act(request)

    def _take(self, request: Request) -> Action | None:
        operation = self._contract.operation_of(request)
        if operation is None:
            return None
        with self._lock:
            for script in self._scripts:
                if script.takes(operation.id, request):
                    action = script.next()
                    if script.used_up:
                        self._scripts.remove(script)
                    return action
        return None
