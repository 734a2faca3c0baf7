"""Two clients update one connection, their requests interleaved in an order that a test chooses.

In process each client works in a thread of its own, and every call and every request waits until
it is its turn. A server would be held up by that: there the turns are whole calls.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import partial
from threading import Condition, get_ident
from time import monotonic
from typing import TYPE_CHECKING, Any

from aepmock.client_api import ClientSettings
from aepmock.clients.driver import Driver, Outcome
from aepmock.contract.forms import given_in
from aepmock.judge import Call
from aepmock.messages import Exchange, Request
from aepmock.suite.first_calls import is_given_up
from aepmock.suite.scenario import as_call

if TYPE_CHECKING:
    from aepmock.suite.harness import ClientHarness
    from aepmock.suite.scenario import Scenario


@dataclass
class _Made:
    """A call that a rival made; `requests` are the ids of what it sent."""

    operation: str
    args: Mapping[str, Any]
    outcome: Outcome = field(default_factory=lambda: Outcome(timed_out=True))
    requests: set[int] = field(default_factory=set)


class _Rival:
    """A client with a thread of its own, in which it is made, called and closed."""

    def __init__(self, harness: ClientHarness, name: str, settings: ClientSettings) -> None:
        self.name = name
        self.settings = settings
        self.calls: list[_Made] = []
        self.thread = 0
        self._harness = harness
        self._pool = ThreadPoolExecutor(1, thread_name_prefix=f"aepmock rival {name}")
        self._driver: Driver | None = None

    def run(self, work: Callable[[], None]) -> Future[None]:
        def here() -> None:
            self.thread = get_ident()
            work()

        return self._pool.submit(here)

    def call(self, operation: str, **args: Any) -> Outcome | None:
        """One call, in the rival's thread; None where the client has no such method."""
        if self._driver is None:
            factory, deadline_s = self._harness.config.factory, self._harness.deadline_s
            self._driver = Driver(factory, self.settings, deadline_s=deadline_s)
        if self._driver.made.raised is not None or not self._driver.supports(operation):
            return None
        made = _Made(operation, args)
        self.calls.append(made)
        made.outcome = self._driver.call(operation, args)
        return made.outcome

    def close(self) -> None:
        def close() -> None:
            if self._driver is not None:
                self._driver.close()

        wait([self._pool.submit(close)], self._harness.deadline_s)
        self._pool.shutdown(wait=False)


class _Turns:
    """Holds whatever the rivals are about to do until it is its turn."""

    def __init__(self, choices: Sequence[int], patience_s: float) -> None:
        self._choices = choices
        self._until = monotonic() + patience_s
        self._waiting: list[tuple[str, object]] = []
        self._turn: object = None
        self._change = Condition()

    def wait(self, name: str) -> None:
        """Comes back once this request may go on, or once time is up."""
        ticket = object()
        with self._change:
            self._waiting.append((name, ticket))
            self._change.notify_all()
            self._change.wait_for(lambda: self._turn is ticket, self._left_s)
            self._waiting.remove((name, ticket))
            self._turn = None
            self._change.notify_all()

    def give(self, running: Mapping[str, Future[None]]) -> None:
        """Gives turns as the choices say until all are done; each waits for who is at work."""
        taken = 0
        for future in running.values():
            future.add_done_callback(self._notify)
        while monotonic() < self._until:
            with self._change:
                self._change.wait_for(lambda: self._settled(running), self._left_s)
                names = sorted({name for name, _ in self._waiting})
                if not names:
                    break
                choice = self._choices[taken] if taken < len(self._choices) else 0
                name = names[choice % len(names)]
                taken += 1
                self._turn = next(ticket for who, ticket in self._waiting if who == name)
                self._change.notify_all()
                self._change.wait_for(lambda: self._turn is None, self._left_s)

    def _settled(self, running: Mapping[str, Future[None]]) -> bool:
        """Whether everyone waits or is done."""
        if self._turn is not None:
            return False
        waiting = {name for name, _ in self._waiting}
        return all(name in waiting or future.done() for name, future in running.items())

    def _notify(self, _: object) -> None:
        with self._change:
            self._change.notify_all()

    @property
    def _left_s(self) -> float:
        return max(0.0, self._until - monotonic())


class Interleaving:
    """Two clients of one organization and sandbox, each with credentials of its own."""

    def __init__(self, harness: ClientHarness) -> None:
        self._harness = harness
        self._rivals = [
            _Rival(harness, name, harness.rival_settings()) for name in ("one", "other")
        ]
        self._turns: _Turns | None = None
        self._mixed = False

    def __enter__(self) -> Interleaving:
        if self._harness.config.transport != "server":
            self._harness.gate = self._hold
        return self

    def __exit__(self, *_: object) -> None:
        self._harness.gate = None
        for rival in self._rivals:
            rival.close()

    def run(self, scenario: Scenario, choices: Sequence[int]) -> None:
        """Both read a connection and change it; keeps their calls.

        Of clients that use each other's credentials nobody can say who did what: nothing is kept.
        """
        harness = self._harness
        if is_given_up(harness, "get_connection", "update_connection"):
            return
        item = scenario.seed()[0]
        harness.recorder.take()
        harness.requests_of_call = 0
        for rival in self._rivals:
            rival.calls.clear()
        if harness.gate is None:
            self._by_calls(item, choices)
        else:
            self._by_requests(item, choices)
        exchanges = harness.recorder.take()
        harness.check_guard()
        if self._mixed:
            return
        scenario.transcript.together = "interleaved"
        scenario.transcript.tokens |= harness.issued_tokens(exchanges)
        for rival in self._rivals:
            scenario.transcript.calls += _calls(rival, exchanges)

    def _by_requests(self, item: Mapping[str, Any], choices: Sequence[int]) -> None:
        turns = self._turns = _Turns(choices, self._harness.deadline_s)

        def work(rival: _Rival) -> None:
            for step in _steps(rival, item):
                turns.wait(rival.name)
                step()

        running = {rival.name: rival.run(partial(work, rival)) for rival in self._rivals}
        turns.give(running)
        wait(running.values(), self._harness.deadline_s)

    def _by_calls(self, item: Mapping[str, Any], choices: Sequence[int]) -> None:
        scripts = {rival.name: (rival, _steps(rival, item)) for rival in self._rivals}
        taken = 0
        while scripts:
            choice = choices[taken] if taken < len(choices) else 0
            name = sorted(scripts)[choice % len(scripts)]
            taken += 1
            rival, steps = scripts[name]
            step = next(steps, None)
            if step is None:
                del scripts[name]
            else:
                before = len(self._harness.recorder.exchanges)
                wait([rival.run(step)], self._harness.deadline_s)
                sent = self._harness.recorder.exchanges[before:]
                for made in rival.calls[-1:]:
                    made.requests |= {id(e.request) for e in sent}

    def _hold(self, request: Request) -> None:
        """Lets a rival's request wait for its turn, and notes whose it is."""
        named = next((r for r in self._rivals if _is_from(request, r.settings)), None)
        working = next((r for r in self._rivals if r.thread == get_ident()), None)
        rival = working or named
        if rival is None or self._turns is None:
            return
        if named is not rival:
            self._mixed = True
        self._turns.wait(rival.name)
        if rival.calls:
            rival.calls[-1].requests.add(id(request))


def _steps(rival: _Rival, item: Mapping[str, Any]) -> Iterator[Callable[[], None]]:
    """What a rival does: it reads the connection, and changes what it read."""
    etag = item["etag"]

    def read() -> None:
        nonlocal etag
        outcome = rival.call("get_connection", connection_id=item["id"])
        if outcome is not None and isinstance(outcome.returned, Mapping):
            found = outcome.returned.get("etag")
            # One that lost its quotes on the way is no fault of the update.
            etag = found if isinstance(found, str) and found.startswith('"') else etag

    def change() -> None:
        rename = [{"op": "replace", "path": "/name", "value": f"of the {rival.name}"}]
        rival.call("update_connection", connection_id=item["id"], etag=etag, operations=rename)

    yield read
    yield change


def _is_from(request: Request, settings: ClientSettings) -> bool:
    """Every rival has a key and a client id of its own."""
    if request.headers.get("x-api-key") == settings.api_key:
        return True
    return given_in(request).get("client_id") == settings.client_id


def _calls(rival: _Rival, exchanges: Sequence[Exchange]) -> list[Call]:
    return [
        as_call(
            made.outcome,
            made.operation,
            rival.settings,
            made.args,
            tuple(e for e in exchanges if id(e.request) in made.requests),
        )
        for made in rival.calls
    ]
