"""A client's sleeps go by at once, and its clocks agree; everyone else keeps their time."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

from aepmock.suite.virtual_time import VirtualTime, virtual_time


def test_a_sleep_comes_back_at_once_and_every_clock_has_moved_on() -> None:
    virtual = VirtualTime()
    really = time.perf_counter()
    with virtual_time(virtual):
        before = (time.time(), time.monotonic(), time.perf_counter())
        time.sleep(3600)
        after = (time.time(), time.monotonic(), time.perf_counter())
    assert all(later - earlier >= 3600 for earlier, later in zip(before, after, strict=True))
    assert virtual.skipped_s == 3600
    assert time.perf_counter() - really < 60


def test_a_loop_that_looks_at_the_clock_ends() -> None:
    virtual = VirtualTime()
    tries = 0
    with virtual_time(virtual):
        until = time.monotonic() + 30
        while time.monotonic() < until:
            time.sleep(1)
            tries += 1
    assert tries == 30


def test_other_threads_keep_their_time() -> None:
    with ThreadPoolExecutor(1) as pool:
        pool.submit(int).result()
        virtual = VirtualTime()
        with virtual_time(virtual):
            time.sleep(3600)
            there = pool.submit(time.monotonic).result()
            pool.submit(time.sleep, 0.001).result()
            assert time.monotonic() - there > 3500
    assert virtual.skipped_s == 3600


def test_a_client_that_waits_for_a_thread_of_its_own_really_waits() -> None:
    virtual = VirtualTime()
    with virtual_time(virtual), ThreadPoolExecutor(1) as pool:
        work = pool.submit(time.sleep, 0.002)
        until = time.monotonic() + 60
        while not work.done() and time.monotonic() < until:
            time.sleep(0.0005)
        assert work.done()
    assert virtual.skipped_s == 0


def test_an_event_loop_keeps_its_time() -> None:
    async def now() -> float:
        await asyncio.sleep(0)
        return time.monotonic()

    virtual = VirtualTime(skipped_s=3600)
    with virtual_time(virtual):
        assert time.monotonic() - asyncio.run(now()) > 3500


def test_the_module_is_as_it_was_afterwards() -> None:
    before = (time.sleep, time.time, time.monotonic, time.perf_counter)
    with virtual_time(VirtualTime()):
        assert time.sleep is not before[0]
    assert (time.sleep, time.time, time.monotonic, time.perf_counter) == before
