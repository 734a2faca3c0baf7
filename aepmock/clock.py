"""What time it is for a mock: a clock that was given to it, never that of the machine by itself."""

from __future__ import annotations

import time

EPOCH_MS = 1_767_225_600_000
"""2026-01-01T00:00:00Z: where a mock's clock starts, so that every run has the same times."""


class Clock:
    """A clock that stands still until it is moved. Epoch milliseconds."""

    def __init__(self, now_ms: int = EPOCH_MS) -> None:
        self._now_ms = now_ms

    def now_ms(self) -> int:
        return self._now_ms

    def advance(
        self, seconds: float = 0.0, *, minutes: float = 0, hours: float = 0, days: float = 0
    ) -> None:
        """Moves time on, `advance(hours=24)`; raises ValueError for a step back."""
        if minutes or hours or days:
            seconds += 60 * (minutes + 60 * (hours + 24 * days))
        if seconds < 0:
            raise ValueError(f"a clock can't go back by {-seconds} s")
        self._now_ms += round(seconds * 1000)

    def tick(self) -> None:
        """A request came in: a millisecond goes by, so that no two are of one time."""
        self._now_ms += 1

    def elapse(self, seconds: float) -> None:
        """Time went by while a client waited; a clock that goes by itself has seen it."""
        self.advance(seconds)


class MockClock(Clock):
    """The clock of a mock in a test: stands still unless told to follow the process's time."""

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


class WallClock(Clock):
    """The real time, plus what it was advanced by. It goes by itself, so it needs no tick."""

    def __init__(self) -> None:
        super().__init__(0)

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000 + super().now_ms()

    def tick(self) -> None:
        pass

    def elapse(self, seconds: float) -> None:
        pass
