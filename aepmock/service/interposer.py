"""Answers put in by a test, in front of the service: the service never sees those requests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import Lock

from aepmock.contract import Contract
from aepmock.messages import Handler, Request, Response

Change = Callable[[Request, Response], Response]


@dataclass
class _Script:
    operation: str
    times: int
    answer: Response | None
    change: Change | None


class Interposer:
    """A handler that answers in the service's stead, or alters its answers, as often as told."""

    def __init__(self, contract: Contract, handler: Handler) -> None:
        self._contract = contract
        self._handler = handler
        self._scripts: list[_Script] = []
        self._lock = Lock()

    def answer(self, operation: str, answer: Response, *, times: int = 1) -> None:
        """The next `times` requests of an operation ("connections.create") get this answer."""
        self._scripts.append(_Script(operation, times, replace(answer, injected=True), change=None))

    def change(self, operation: str, change: Change, *, times: int = 1) -> None:
        """The service's next `times` answers to an operation become `change(request, answer)`."""
        self._scripts.append(_Script(operation, times, None, change))

    @property
    def waiting(self) -> list[tuple[str, int, Response]]:
        """Answers that are still to be given: operation, how often, and the answer."""
        with self._lock:
            return [(s.operation, s.times, s.answer) for s in self._scripts if s.answer]

    def clear(self) -> None:
        """Forgets every script that is left."""
        self._scripts.clear()

    def handle(self, request: Request) -> Response:
        script = self._take(request) if self._scripts else None
        if script is None:
            return self._handler(request)
        if script.answer is not None:
            return script.answer
        assert script.change is not None
        return replace(script.change(request, self._handler(request)), injected=True)

    def _take(self, request: Request) -> _Script | None:
        operation = self._contract.operation_of(request)
        if operation is None:
            return None
        with self._lock:
            for script in self._scripts:
                if script.operation == operation.id:
                    script.times -= 1
                    if script.times <= 0:
                        self._scripts.remove(script)
                    return script
        return None
