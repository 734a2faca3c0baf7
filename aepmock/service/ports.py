"""What the engine needs from outside and never takes by itself: time and fresh names."""

from __future__ import annotations

from random import Random

EPOCH_MS = 1_767_225_600_000
"""2026-01-01T00:00:00Z: where a mock's clock starts, so that every run has the same times."""


_VERSION_MASK = ~(0xF << 76 | 0x3 << 62)
_VERSION_4 = 0x4 << 76 | 0x2 << 62
"""RFC 9562: four bits of version, two of variant."""


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

    def elapse(self, seconds: float) -> None:
        """Time went by while a client waited; a clock that goes by itself has seen it."""
        self.advance(seconds)


class IdSource:
    """Fresh names from a seed: the same seed gives the same names in the same order."""

    def __init__(self, seed: int = 0) -> None:
        self._random = Random(f"aepmock {seed}")

    def uuid(self) -> str:
        """A version 4 UUID, "2fce94c1-9a93-4971-8e94-c19a93097129"."""
        # What uuid.UUID(int=…, version=4) writes, without the object: it is made per answer.
        bits = self._random.getrandbits(128) & _VERSION_MASK | _VERSION_4
        digits = f"{bits:032x}"
        return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"

    def hex(self, digits: int) -> str:
        """That many hexadecimal digits, in lower case."""
        return f"{self._random.getrandbits(4 * digits):0{digits}x}"

    def etag(self, now_ms: int) -> str:
        """An etag with its double quotes; its last group is the epoch seconds of the write.

        Source: the pattern of nearly all samples (HUBSPOT, UPDATE, OAS).
        """
        return f'"{self.hex(8)}-0000-0200-0000-{now_ms // 1000:08x}0000"'
