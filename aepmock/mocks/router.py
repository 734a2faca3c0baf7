"""Which of the mocks that are active a request is for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import chain, count
from threading import RLock, get_ident
from typing import TYPE_CHECKING

from aepmock.messages import Request, Response
from aepmock.transports import install

if TYPE_CHECKING:
    from aepmock.mocks.mock import Mock


class MockRouter:
    """The mocks that are active, and the transports that lead to them."""

    def __init__(self) -> None:
        self._mocks: list[Mock] = []
        self._transports: dict[str, tuple[int, ExitStack]] = {}
        self._lock = RLock()

    def handle(self, request: Request) -> Response:
        return self._owner(request).handle(request)

    def _owner(self, request: Request) -> Mock:
        with self._lock:
            mocks = self._mocks[::-1]
        here = get_ident()
        by_token = (m for m in mocks if m.has_token_of(request))
        by_key = (m for m in mocks if m.has_key_of(request))
        by_thread = (m for m in mocks if m.thread == here)
        return next(chain(by_token, by_key, by_thread, mocks))

    @contextmanager
    def connected(self, mock: Mock, transports: tuple[str, ...]) -> Iterator[None]:
        with self._lock:
            taken = {other.number for other in self._mocks if other.seed == mock.seed}
            mock.begin(next(number for number in count() if number not in taken))
            self._mocks.append(mock)
            for name in transports:
                self._open(name)
        try:
            yield
        finally:
            with self._lock:
                for name in transports:
                    self._close(name)
                self._mocks.remove(mock)

    def _open(self, name: str) -> None:
        users, stack = self._transports.get(name, (0, ExitStack()))
        if users == 0:
            stack.enter_context(install(name, self.handle))
        self._transports[name] = (users + 1, stack)

    def _close(self, name: str) -> None:
        users, stack = self._transports.pop(name)
        if users > 1:
            self._transports[name] = (users - 1, stack)
        else:
            stack.close()
