"""One example of the suite: an empty service, and the calls that are made."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from aepmock.client_api import OPERATIONS, ClientSettings, NewConnection
from aepmock.clients.driver import CallLost, Driver, Outcome
from aepmock.faults import FaultInjector
from aepmock.faults.grammar import What, make_fault
from aepmock.faults.injector import Change
from aepmock.judge import Call, Transcript
from aepmock.judge.checks.retries import is_silent
from aepmock.judge.findings import Violation
from aepmock.judge.judging import describe_call
from aepmock.judge.transcript import PRIMARY, Trace
from aepmock.messages import Exchange, Response
from aepmock.net import origin_of
from aepmock.suite.first_calls import is_given_up
from aepmock.suite.leaks import watching

if TYPE_CHECKING:
    from aepmock.suite.harness import ClientHarness

BY_ID = (
    "get_connection",
    "update_connection",
    "delete_connection",
    "test_connection",
    "explore_connection",
)
ALWAYS = 1_000_000
"""How often a fault happens that happens to every request."""
CALLS = OPERATIONS
"""Every method of a client."""


def service_operation(call: str) -> str:
    """The service's operation that a client's method is for, where a count is a list."""
    return next(op for op in sorted(PRIMARY[call]) if op != "connections.search")


@dataclass
class Scenario:
    """One example: an empty service, and the calls that are made."""

    harness: ClientHarness
    transcript: Transcript
    injector: FaultInjector
    started: float = field(default_factory=time.monotonic)
    watched: bool = False

    def call(
        self, operation: str, *, sandbox: str | None = None, org: bool = False, **args: Any
    ) -> Outcome | None:
        """Calls a method of the client, or of one with another sandbox; None if it has none.

        `org` takes the client of another organization. A method that once went on for ever is
        not called again in the same test: the time is better spent on the others.
        """
        if not self.harness.ready():
            return None
        driver, settings_ = self.harness.client(sandbox, other_org=org)
        made = self.harness.factory_call(driver)
        if made is not None:
            self.transcript.calls.append(made)
        self.transcript.tokens |= self.harness.tokens
        if driver.made.raised is not None:
            failed = as_call(driver.made, operation, settings_, args, ())
            self.transcript.calls.append(failed)
            return driver.made
        if not driver.supports(operation):
            self.transcript.unsupported.add(operation)
            return None
        if is_given_up(self.harness, operation) or operation in self.harness.hung:
            return None
        return self._call(driver, settings_, operation, args)

    def _call(
        self, driver: Driver, settings_: ClientSettings, operation: str, args: Mapping[str, Any]
    ) -> Outcome:
        """Calls a method that the client has, and keeps what came of it."""
        given = self._begin(args)
        with self._watching() as traces, self.harness.virtual_time():
            outcome = driver.call(operation, args)
        self.harness.note(operation, outcome)
        return self._keep(outcome, operation, settings_, given, driver, traces)

    def call_with_new_client(
        self, settings_: ClientSettings, operation: str, **args: Any
    ) -> Outcome | None:
        """Makes a client with settings of its own for a single call, and closes it again.

        What its making sends, and an error in it, belong to the call; None if it has no such
        method. A call whose requests go elsewhere shows nothing: the client has its host
        compiled in.
        """
        if is_given_up(self.harness, operation):
            return None
        given = self._begin(args)
        with self._watching() as traces, self.harness.virtual_time():
            driver = self.harness.driver(settings_)
            outcome = driver.made
            if outcome.raised is None and not outcome.timed_out and driver.supports(operation):
                outcome = driver.call(operation, args)
        try:
            if outcome is driver.made and outcome.raised is None and not outcome.timed_out:
                self.transcript.unsupported.add(operation)
                return None
            self.harness.note(operation, outcome)
            outcome = self._keep(outcome, operation, settings_, given, driver, traces)
            if not _at_home(settings_, self.transcript.calls[-1]):
                self.transcript.calls.pop()
        finally:
            driver.close()
        return outcome

    def _begin(self, args: Mapping[str, Any]) -> Mapping[str, Any]:
        self.harness.recorder.take()
        self.harness.requests_of_call = 0
        self.harness.call_began_s = time.monotonic()
        self.harness.begun_s.clear()
        given: Mapping[str, Any] = _snapshot(args)
        if self.harness.program is not None:
            self.harness.program.learn(auth_params(args))
        return given

    @contextmanager
    def _watching(self) -> Iterator[list[Trace] | None]:
        if not self.watched:
            yield None
        elif self.harness.program is not None:
            # What it writes on stderr is its log; where else it writes can't be seen from here.
            traces: list[Trace] = []
            yield traces
            log = self.harness.program.program.log
            traces.append(Trace("log", "its log, on standard error", log))
        else:
            with watching() as traces:
                yield traces

    def _keep(
        self,
        outcome: Outcome,
        operation: str,
        settings_: ClientSettings,
        given: Mapping[str, Any],
        driver: Driver,
        traces: list[Trace] | None,
    ) -> Outcome:
        """Adds a call to the transcript, with what it sent and what it left behind."""
        exchanges = self.harness.recorder.take()
        waited = any(map(is_silent, exchanges))
        self.harness.take_observations(self.transcript, waited=waited)
        if self.harness.program is not None:
            outcome = replace(outcome, changed=None)
        if outcome.timed_out and not exchanges and self.harness.program is not None:
            # Nothing was done: that is program.answers, and says nothing about a client.
            outcome = Outcome(raised=CallLost("it never came back", hung=True))
        self.harness.check_guard()
        begun_s = self.harness.begun_s
        self.transcript.at_s |= {
            e.number: begun_s[id(e.request)] for e in exchanges if id(e.request) in begun_s
        }
        call = as_call(outcome, operation, settings_, given, exchanges)
        call = replace(call, strangers=self.harness.take_strangers())
        if traces is not None:
            if self.harness.program is None:
                traces.append(Trace("repr", "the client's repr", driver.shown()))
            call = replace(call, traces=tuple(traces))
        self.transcript.calls.append(call)
        self._learn_tokens()
        return outcome

    def watch(self) -> None:
        """From now on looks at what calls leave behind, and takes the canaries for secrets."""
        self.watched = True
        self.transcript.canaries |= {
            value: f"the connector's {name}" for name, value in self.harness.canaries.items()
        }

    def create(self, connection: NewConnection, **where: Any) -> tuple[str, str | None] | None:
        """Creates by the client; the id and etag that the service gave, or None."""
        outcome = self.call("create_connection", connection=connection, **where)
        if outcome is None or not self.transcript.calls:
            return None
        for exchange in self.transcript.primary(self.transcript.calls[-1]):
            document = exchange.response.json_or_none
            if exchange.response.ok and isinstance(document, dict) and "id" in document:
                return document["id"], document.get("etag")
        return None

    def call_by_id(self, operation: str, connection_id: str) -> Outcome | None:
        """One of the methods that take an id, with plain other arguments."""
        extra: dict[str, Any] = {}
        if operation == "update_connection":
            rename = {"op": "replace", "path": "/name", "value": self.harness.name("another name")}
            extra = {"etag": '"00000000-0000-0200-0000-695600000000"', "operations": [rename]}
        elif operation == "explore_connection":
            extra = {"object_type": "root"}
        return self.call(operation, connection_id=connection_id, **extra)

    def call_plainly(self, operation: str, *, change: Change | None = None) -> Outcome | None:
        """Any method with plain arguments, on a connection that was just put in.

        `change` is what the service's answer to it passes through.
        """
        with ExitStack() as stack:
            item = self.seed()[0]
            if change is not None:
                stack.enter_context(self.changing(service_operation(operation), change))
            return self.call(operation, **self.arguments(operation, item))

    def arguments(self, operation: str, item: Mapping[str, Any]) -> dict[str, Any]:
        """Plain arguments for any method, on a connection that was put in."""
        rename = {"op": "replace", "path": "/name", "value": self.harness.name("another name")}
        if operation == "create_connection":
            return {"connection": self.harness.plain_connection()}
        if operation in ("list_connections", "count_connections"):
            return {}
        found = {"connection_id": item["id"]}
        if operation == "update_connection":
            return {**found, "etag": item["etag"], "operations": [rename]}
        return {**found, "object_type": "root"} if operation == "explore_connection" else found

    def call_whole_list(self) -> Outcome | None:
        """Lists everything that the sandbox holds."""
        return self.call("list_connections")

    def look_at_a_long_page(self) -> None:
        """Has the kit itself ask for a page of more than 100 items; a live run only."""

    def be_refused(self, kind: str) -> None:
        """Sends a wrong request of the kit's own, in a live run; a mock's refusals are known."""

    def create_somehow(self, *, sandbox: str) -> None:
        """A plain create by the client of another sandbox."""
        self.call("create_connection", sandbox=sandbox, connection=self.harness.plain_connection())

    @contextmanager
    def reading(self, **readings: str) -> Iterator[None]:
        """In here the service answers by these readings."""
        before = dict(self.harness.service.readings)
        self.harness.service.set_readings({**before, **readings})
        try:
            yield
        finally:
            self.harness.service.set_readings(before)

    def seed(self, count: int = 1, **fields: Any) -> list[Mapping[str, Any]]:
        """Puts connections in without the client."""
        settings_ = self.harness.settings
        items = [
            self.harness.service.seed_connection(
                settings_.ims_org_id,
                settings_.sandbox_name,
                connector=self.harness.config.connector,
                **{"name": f"connection {number}", **fields},
            )
            for number in range(count)
        ]
        self.transcript.calls.append(Call("seed", settings_, returned=items))
        return items

    def current_etag(self, connection_id: str) -> str | None:
        """The etag the service holds now, or None where it has no such connection."""
        for item in self.harness.service.connections():
            if item["id"] == connection_id:
                return str(item["etag"])
        return None

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """In here a client may really have to wait: the time is counted and shown."""
        started = time.monotonic()
        try:
            yield
        finally:
            self.harness.tally.waited_s += time.monotonic() - started

    @contextmanager
    def answering(self, operation: str, answer: Response, *, times: int = ALWAYS) -> Iterator[None]:
        """In here every request of an operation gets this answer, repeats included."""
        self.injector.answer(operation, answer, times=times)
        try:
            yield
        finally:
            self.injector.clear()

    @contextmanager
    def faulting(
        self,
        operation: str,
        what: What,
        *,
        times: int = 1,
        when: Mapping[str, Any] | None = None,
    ) -> Iterator[None]:
        """In here a fault happens: scenario.faulting("connections.create", "lost answer: reset").

        With `times` ALWAYS it does so to every request, repeats included.
        """
        fault = make_fault(self.harness.contract, operation, what, times=times, when=when)
        self.injector.fault(fault)
        try:
            yield
        finally:
            self.injector.clear()

    @contextmanager
    def changing(self, operation: str, change: Change) -> Iterator[None]:
        """In here the service's answers to an operation pass through `change`."""
        self.injector.change(operation, change, times=1_000_000)
        try:
            yield
        finally:
            self.injector.clear()

    def _learn_tokens(self) -> None:
        self.transcript.tokens |= self.harness.issued_tokens(self.transcript.calls[-1].exchanges)


def _at_home(settings_: ClientSettings, call: Call) -> bool:
    """Whether all requests of a call went to the addresses that its client was given."""
    origins = {origin_of(url) for url in (settings_.base_url, settings_.ims_token_url)}
    return all(origin_of(e.request.origin) in origins for e in call.exchanges)


def as_call(
    outcome: Outcome,
    operation: str,
    settings_: ClientSettings,
    args: Mapping[str, Any],
    exchanges: tuple[Exchange, ...],
) -> Call:
    """An outcome as the judge's record of a call."""
    returned = _snapshot(outcome.returned)
    lost = isinstance(outcome.raised, CallLost)
    raised = None if lost else outcome.raised
    return Call(
        operation,
        settings_,
        args,
        exchanges,
        returned,
        raised,
        outcome.timed_out,
        lost,
        changed=outcome.changed,
        took_s=outcome.took_s,
    )


def auth_params(args: Mapping[str, Any]) -> list[str]:
    """The texts that a call puts into a connection's auth params."""
    found = list(args["connection"].auth_params.values()) if "connection" in args else []
    for operation in args.get("operations", ()):
        value = operation.get("value")
        found += value.values() if isinstance(value, Mapping) else ()
    return [value for value in found if isinstance(value, str)]


_CALLS_TOLD = 8


def told(transcript: Transcript, violation: Violation) -> list[str]:
    """The calls that led to a violation, or the one that it is about."""
    calls = transcript.calls
    if violation.call is not None:
        return [describe_call(call) for call in calls[violation.call : violation.call + 1]]
    sent = [n for n, c in enumerate(calls) if any(e is violation.exchange for e in c.exchanges)]
    end = sent[0] + 1 if sent else _CALLS_TOLD
    earlier = max(0, end - _CALLS_TOLD)
    before = [f"({earlier} calls before)"] if earlier else []
    return before + [describe_call(call) for call in calls[earlier:end]]


def _snapshot(value: Any) -> Any:
    """A value as it is now: a client may go on to change what it was given, or gave."""
    try:
        return deepcopy(value)
    except Exception:
        return value  # an object of the client's that can't be copied
