"""Clocks go forward only, by requests where they stand still, and by what they are told."""

from __future__ import annotations

import pytest

from aepmock.clock import Clock, MockClock, WallClock
from aepmock.messages import Headers, Request
from aepmock.service import FlowService


def test_a_clock_goes_forward_only() -> None:
    clock = Clock(1_000)
    clock.advance(1.5)
    assert clock.now_ms() == 2_500
    with pytest.raises(ValueError, match="can't go back by 1 s"):
        clock.advance(-1)


@pytest.mark.parametrize("seconds", [0.001, 0.002, 60.0])
def test_the_wall_clock_goes_on_by_all_that_it_is_advanced(
    monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    monkeypatch.setattr("time.time_ns", lambda: 5_000_000_000)
    clock = WallClock()
    clock.advance(seconds)
    assert clock.now_ms() == 5_000 + round(seconds * 1000)


def test_only_a_clock_that_stands_still_ticks_and_elapses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time_ns", lambda: 5_000_000_000)
    for clock, moved in ((Clock(), 2_001), (MockClock(), 2_001), (WallClock(), 0)):
        before = clock.now_ms()
        clock.tick()
        clock.elapse(2)
        assert clock.now_ms() - before == moved, type(clock)


def test_every_request_is_a_millisecond_later_than_the_one_before() -> None:
    service = FlowService()
    began = service.clock.now_ms()
    for number in (1, 2, 3):
        service.handle(Request("GET", "https://platform.adobe.io", "/", Headers(), b""))
        assert service.clock.now_ms() == began + number
