"""What a fault's effect means in octets and seconds, the same for every door."""

from __future__ import annotations

from aepmock.messages import Effect, Response

GARBAGE = b"\x00\xff\x16 this is not HTTP \xfe\r\n\r\n"
"""What comes instead of an answer: with an end, so that nobody waits for more of it."""
SILENCE_S = 600.0
"""After so long without an octet the connection is reset in the mock's time, as gateways do."""
_PARTS = 10


class GaveUp(Exception):
    """The client's timeout is over before the next octet comes."""


def wait_in_mock_time(effect: Effect, seconds: float, timeout_s: float | None) -> None:
    """Lets the mock's own time pass. Raises GaveUp where the client would not wait so long."""
    if timeout_s is not None and seconds >= timeout_s:
        effect.elapsed(timeout_s, 0.0)
        raise GaveUp
    if seconds:
        effect.elapsed(seconds, 0.0)


def parts(response: Response) -> list[tuple[float, bytes]]:
    """The body in parts, each with the seconds that go by before it comes."""
    body, effect = response.body, response.effect
    if effect is None or not effect.spread_s or not body:
        return [(0.0, body)] if body else []
    size = -(-len(body) // _PARTS)
    cut = [body[start : start + size] for start in range(0, len(body), size)]
    return [(effect.spread_s / len(cut), part) for part in cut]


def missing(response: Response) -> str:
    """What h11 says of a body that was cut, below httpx and httpx2."""
    declared = response.headers.get("content-length")
    if declared is None:
        why = "incomplete chunked read"
    else:
        why = f"received {len(response.body)} bytes, expected {declared}"
    return f"peer closed connection without sending complete message body ({why})"
