"""The clock of a mock in a test."""

from __future__ import annotations

import time

from aepmock.service import Clock


class TestClock(Clock):
    """Stands still until it is moved, unless it is told to follow the time of the process."""

    __test__ = False  # No class of tests, whatever its name.

    def __init__(self) -> None:
        super().__init__()
        self._followed_s: float | None = None

    def now_ms(self) -> int:
        if self._followed_s is not None:
            now_s = time.time()
            super().advance(max(0.0, now_s - self._followed_s))
            self._followed_s = now_s
        return super().now_ms()

    def follow(self) -> None:
        """From now on goes as `time.time()` goes, which freezegun and time-machine move.

        The date stays the mock's own; where `time.time()` steps back, this stands still.
        """
        self._followed_s = time.time()
