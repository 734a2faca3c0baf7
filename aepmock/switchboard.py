"""Which of the mocks that are active a request is for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import chain, count
from threading import RLock, get_ident
from typing import TYPE_CHECKING

from aepmock.doors import open_doors
from aepmock.messages import Request, Response

if TYPE_CHECKING:
    from aepmock.mocking import Mock


class Switchboard:
    """The mocks that are active, and the doors that lead to them."""

    def __init__(self) -> None:
        self._mocks: list[Mock] = []
        self._doors: dict[str, tuple[int, ExitStack]] = {}
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
    def connected(self, mock: Mock, doors: tuple[str, ...]) -> Iterator[None]:
        with self._lock:
            taken = {other.number for other in self._mocks if other.seed == mock.seed}
            mock.begin(next(number for number in count() if number not in taken))
            self._mocks.append(mock)
            for name in doors:
                self._open(name)
        try:
            yield
        finally:
            with self._lock:
                for name in doors:
                    self._close(name)
                self._mocks.remove(mock)

    def _open(self, name: str) -> None:
        users, stack = self._doors.get(name, (0, ExitStack()))
        if users == 0:
            stack.enter_context(open_doors(name, self.handle))
        self._doors[name] = (users + 1, stack)

    def _close(self, name: str) -> None:
        users, stack = self._doors.pop(name)
        if users > 1:
            self._doors[name] = (users - 1, stack)
        else:
            stack.close()
