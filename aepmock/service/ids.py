"""Fresh names, from a seed: the engine never takes one from the machine."""

from __future__ import annotations

from hashlib import sha256
from random import Random

_VERSION_MASK = ~(0xF << 76 | 0x3 << 62)
_VERSION_4 = 0x4 << 76 | 0x2 << 62
"""RFC 9562: four bits of version, two of variant."""


class IdSource:
    """Fresh names from a seed: the same seed gives the same names in the same order."""

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed
        self._random = Random(f"aepmock {seed}")

    def uuid(self) -> str:
        """A version 4 UUID, "2fce94c1-9a93-4971-8e94-c19a93097129"."""
        return _uuid(self._random.getrandbits(128))

    def uuid_of(self, *names: str) -> str:
        """The UUID of what has these names: always the same, so that nobody need keep it."""
        words = "\0".join((f"aepmock {self._seed}", *names)).encode("utf-8", "surrogatepass")
        return _uuid(int.from_bytes(sha256(words).digest()[:16]))

    def hex(self, digits: int) -> str:
        """That many hexadecimal digits, in lower case."""
        return f"{self._random.getrandbits(4 * digits):0{digits}x}"

    def etag(self, now_ms: int) -> str:
        """An etag with its double quotes; its last group is the epoch seconds of the write.

        Source: the pattern of nearly all samples (HUBSPOT, UPDATE, OAS).
        """
        return f'"{self.hex(8)}-0000-0200-0000-{now_ms // 1000:08x}0000"'


def _uuid(bits: int) -> str:
    """What uuid.UUID(int=…, version=4) writes, without the object: one is made per answer."""
    digits = f"{bits & _VERSION_MASK | _VERSION_4:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
