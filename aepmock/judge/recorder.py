"""Records every exchange between a transport and a handler."""

from __future__ import annotations

from collections import deque
from threading import Lock

from aepmock.messages import Exchange, Handler, Request, Response


class Recorder:
    """A handler that remembers each exchange, in order, up to `limit` of them.

    What it keeps is raw, because the judge compares values; it lives no longer than the test
    that made it, and everything that leaves it for a person or a file is redacted first.
    """

    def __init__(self, handler: Handler, *, limit: int = 10_000) -> None:
        self._handler = handler
        self._exchanges: deque[Exchange] = deque(maxlen=limit)
        self._numbers = 0
        self._lock = Lock()

    def handle(self, request: Request) -> Response:
        response = self._handler(request)
        with self._lock:
            self._numbers += 1
            self._exchanges.append(Exchange(request, response, self._numbers))
        return response

    def take(self) -> tuple[Exchange, ...]:
        """What was kept since the last time, which is forgotten."""
        with self._lock:
            taken = tuple(self._exchanges)
            self._exchanges.clear()
        return taken

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """What is kept now."""
        with self._lock:
            return tuple(self._exchanges)
