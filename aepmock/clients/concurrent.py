"""Runs several clients concurrently: each in its own thread, or as tasks of one event loop."""

from __future__ import annotations

import asyncio
import inspect
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from aepmock.client_api import ClientSettings
from aepmock.clients.driver import (
    CallBroken,
    Driver,
    Factory,
    Outcome,
    deadline,
    interruptible,
    split,
)

Step = tuple[str, Mapping[str, Any]]
"""A method and its arguments."""
Outcomes = list[Outcome | None]
"""How each step of a job ended; None where the client has no such method, or did not come to it."""

_SWITCH_S = 1e-5
"""How long a thread runs before another may: shorter than usual, so that threads meet."""


@dataclass(frozen=True)
class Job:
    """What one client is to do: it is made with these settings for that, and closed again."""

    settings: ClientSettings
    steps: Sequence[Step]


def in_threads(factory: Factory, jobs: Sequence[Job], *, deadline_s: float) -> list[Outcomes]:
    """Does the jobs at a time, each in a thread of its own, from the factory to close."""
    outcomes: list[Outcomes] = [[None] * len(job.steps) for job in jobs]
    start = threading.Barrier(len(jobs))

    def work(number: int) -> None:
        job, mine = jobs[number], outcomes[number]
        driver = Driver(factory, job.settings, deadline_s=deadline_s)
        try:
            start.wait(deadline_s)
            for at, (operation, args) in enumerate(job.steps):
                if driver.made.raised is not None:
                    mine[at] = driver.made
                elif driver.supports(operation):
                    mine[at] = driver.call(operation, args)
        finally:
            driver.close()

    threads = [
        threading.Thread(target=work, args=(number,), daemon=True, name=f"aepmock client {number}")
        for number in range(len(jobs))
    ]
    with _eager_threads():
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(deadline_s)
    return outcomes


def in_tasks(factory: Factory, jobs: Sequence[Job], *, deadline_s: float) -> list[Outcomes]:
    """Does the jobs at a time, as tasks of one loop; methods that do not await go to threads."""
    outcomes: list[Outcomes] = [[None] * len(job.steps) for job in jobs]

    async def work(job: Job, mine: Outcomes) -> None:
        client = factory(job.settings)
        if inspect.isawaitable(client):
            client = await client
        for at, (operation, args) in enumerate(job.steps):
            method = getattr(client, operation, None)
            if callable(method):
                mine[at] = await _outcome(method, operation, args)
        close = getattr(client, "close", None)
        if callable(close):
            await _outcome(close, "close", {})

    async def together() -> None:
        async with asyncio.timeout(deadline_s):
            await asyncio.gather(*map(work, jobs, outcomes), return_exceptions=True)

    try:
        with asyncio.Runner() as runner, interruptible(), deadline(deadline_s):
            runner.run(together())
    except (TimeoutError, CallBroken):
        pass  # what was done until then is what there is to judge
    return outcomes


async def _outcome(method: Callable[..., Any], operation: str, args: Mapping[str, Any]) -> Outcome:
    positional, keywords = split(operation, args)
    try:
        returned = await asyncio.to_thread(method, *positional, **keywords)
        if inspect.isawaitable(returned):
            returned = await returned
    except (asyncio.CancelledError, CallBroken):
        raise
    except BaseException as error:
        # A task that lets KeyboardInterrupt or SystemExit out would end the loop of all.
        return Outcome(raised=error)
    return Outcome(returned=returned)


@contextmanager
def _eager_threads() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(_SWITCH_S)
    try:
        yield
    finally:
        sys.setswitchinterval(before)
