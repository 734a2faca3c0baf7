"""A client, a service and a judge, for one test of the suite under one reading.

A test says which calls are made. The harness makes them with many inputs, lets every selected
clause look at each example, and searches for the smallest example of what is broken.
"""

from __future__ import annotations

import math
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import replace
from functools import cached_property
from typing import Any

import hypothesis
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.errors import Flaky, HypothesisException
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from aepmock.client_api import ClientSettings, NewConnection
from aepmock.clients.driver import CallBroken, CallLost, Driver, Outcome
from aepmock.clients.places import place_of_error
from aepmock.contract import Connector, load_contract
from aepmock.errors import UnsupportedTransportError, UsageError, unknown
from aepmock.faults import FaultInjector
from aepmock.judge import Call, Finding, Tally, Transcript, judge_transcript
from aepmock.judge.checks.retries import TIMEOUT_FACTOR
from aepmock.judge.findings import Violation
from aepmock.judge.judging import Observation, to_finding
from aepmock.judge.recorder import Recorder
from aepmock.messages import Exchange, Request, Response
from aepmock.net import IMS, PLATFORM, ims_token_url
from aepmock.redaction import Redactor
from aepmock.service import FlowService, IdSource
from aepmock.strategies import new_connections, patches
from aepmock.suite.config import SuiteConfig, label, program_clauses
from aepmock.suite.failures import ContractBroken, matches, reproduce
from aepmock.suite.first_calls import CLAUSES as FIRST
from aepmock.suite.leaks import threads_left
from aepmock.suite.local_servers import LocalServers
from aepmock.suite.scenario import Scenario, as_call, auth_params, told
from aepmock.suite.shrinking import (
    ClauseBroken,
    SearchOver,
    hypothesis_elsewhere,
    search_settings,
)
from aepmock.suite.virtual_time import VirtualTime, virtual_time
from aepmock.transports import NAMES, install
from aepmock.transports.guard import Guard, guarding

TIMEOUT_S = 2.0
DEADLINE_S = TIMEOUT_FACTOR * TIMEOUT_S
OWN_SANDBOXES = ("only-here", "only-there")
"""A sandbox of each organization that the other one has not, and nobody has compiled in."""
MOST_REQUESTS = 500
"""Requests that one call may send; the longest list of the suite has 105 items."""
MOST_LOST = 3
"""Calls of a method that a program may leave without an answer, in one test."""
BUDGET_S = 75.0
"""Real time that one test may take; examples after that are left out."""
_ASIDE = 1_000_000
"""More than there are tests in a run."""


class ClientHarness:
    """A client, a service and a judge, under one reading, for one test.

    `home` is the sandbox of the client that most calls are made with; a client is given
    `timeout_s` for an answer and `deadline_s` for a call. `exercises` are the clauses that the test
    is for, as patterns, and `order` is its place in the run.
    """

    home = "dev"
    timeout_s = TIMEOUT_S
    deadline_s = DEADLINE_S
    most_requests = MOST_REQUESTS
    guards_everywhere = False
    """Whether the client may reach nothing but this machine."""
    exercises: tuple[str, ...] = ("*",)
    order = 0

    def __init__(self, config: SuiteConfig, name: str, reading: str, readings: Mapping[str, str]):
        self.config = config
        self.reading = reading
        self.contract = load_contract()
        self.seed = zlib.crc32(f"{config.seed} {name} {reading}".encode())
        self.service = FlowService(seed=self.seed, readings=readings)
        self.credentials = self.service.mint_credentials()
        self.other_credentials = self.service.mint_credentials()
        for credentials, sandbox in zip(
            (self.credentials, self.other_credentials), OWN_SANDBOXES, strict=True
        ):
            self.service.gateway.add_sandbox(credentials.ims_org_id, sandbox)
        self.injector = FaultInjector(self.contract, self.service.handle, self.service)
        self.recorder = Recorder(self._answer)
        self.requests_of_call = 0
        self.gate: Callable[[Request], None] | None = None
        self.virtual = VirtualTime()
        self.begun_s: dict[int, float] = {}
        self.tally = Tally()
        self.redactor = Redactor(self.contract.secret_names)
        self.examples = config.examples
        if readings != config.readings:  # one of many
            self.examples = max(3, config.examples // 5)
        self._clients: dict[tuple[str, bool], tuple[Driver, ClientSettings]] = {}
        self._factory_calls: dict[int, Call] = {}
        self.tokens: set[str] = set()
        self.hung = set() if config.program is None else config.program.hopeless()
        self.unanswered: Counter[str] = Counter()
        self.program = config.program
        self.call_began_s = 0.0
        self._smallest: dict[str, Finding] = {}
        self._broken: Transcript | None = None
        self._stack = ExitStack()
        self._threads: frozenset[threading.Thread] = frozenset()
        self.local_servers = LocalServers(
            self.recorder.handle, self.contract.base_path, self._stack
        )
        self._origin: str | None = None
        self._guard: Guard | None = None
        self._spent_s = 0.0

    def _answer(self, request: Request) -> Response:
        """Breaks a call off that sends requests without end, where it can be reached."""
        self.requests_of_call += 1
        in_process = threading.current_thread() is threading.main_thread()
        if self.requests_of_call > self.most_requests and in_process:
            raise CallBroken
        if self.gate is not None:
            self.gate(request)
        self.begun_s[id(request)] = self.virtual.now_s()
        return self.injector.handle(request)

    @property
    def connector(self) -> Connector:
        return self.contract.connectors[self.config.connector]

    own_sandboxes = OWN_SANDBOXES

    def valid_connections(self) -> st.SearchStrategy[NewConnection]:
        """Connections that the service accepts, within what the client knows of."""
        return new_connections(
            self.connector,
            descriptions=self.config.descriptions,
            versions=self.config.versions,
        )

    def patches(self) -> st.SearchStrategy[list[dict[str, Any]]]:
        """JSON Patch operations that a connection with a description accepts."""
        return patches()

    def name(self, text: str) -> str:
        """The text as the name of a connection; a live run puts its own name before it."""
        return text

    @cached_property
    def canaries(self) -> Mapping[str, str]:
        """Values for the secret auth params, by name, that nobody could hit upon by chance."""
        ids = IdSource(self.seed)
        spec = self.connector.auth[0] if self.connector.auth else None
        return {name: f"canary{ids.hex(32)}" for name in sorted(spec.secrets)} if spec else {}

    def canary_connection(self) -> NewConnection:
        """A plain connection whose secrets are canaries."""
        plain = self.plain_connection()
        return replace(plain, auth_params={**plain.auth_params, **self.canaries})

    def plain_connection(self) -> NewConnection:
        """A connection without anything odd."""
        connector = self.connector
        spec = connector.auth[0] if connector.auth else None
        return NewConnection(
            name=self.name("a plain connection"),
            description=None,
            connection_spec_id=connector.spec_id,
            connection_spec_version=connector.versions[-1],
            auth_spec_name=spec.name if spec else None,
            auth_params={p.name: f"the-{p.name}" for p in spec.params} if spec else {},
        )

    @property
    def settings(self) -> ClientSettings:
        """The settings of the client that most calls are made with."""
        return self.settings_for(self.home, other_org=False)

    def rival_settings(self) -> ClientSettings:
        """The settings of a client with fresh credentials for the same organization."""
        own = self.settings
        fresh = self.service.mint_credentials(ims_org_id=own.ims_org_id)
        self.learn([fresh.access_token, fresh.client_secret])
        return replace(
            own,
            access_token=fresh.access_token,
            api_key=fresh.api_key,
            client_id=fresh.client_id,
            client_secret=fresh.client_secret,
        )

    def settings_for(self, sandbox: str, *, other_org: bool) -> ClientSettings:
        credentials = self.other_credentials if other_org else self.credentials
        origin = self._origin
        ims = ims_token_url(origin or IMS)
        return ClientSettings(
            base_url=(origin or PLATFORM) + self.contract.base_path,
            access_token=credentials.access_token,
            api_key=credentials.api_key,
            ims_org_id=credentials.ims_org_id,
            sandbox_name=sandbox,
            ims_token_url=ims,
            client_id=credentials.client_id,
            client_secret=credentials.client_secret,
            scopes=credentials.scopes,
            timeout_s=self.timeout_s,
        )

    def __enter__(self) -> ClientHarness:
        if self.config.transport not in NAMES:
            raise unknown("transport", self.config.transport, NAMES)
        self._call_first()
        self._stack.enter_context(hypothesis_elsewhere())
        transports = self._stack.enter_context(install(self.config.transport, self.recorder.handle))
        if self.program is not None:
            self._stack.enter_context(self.program.answering(self.recorder.handle))
            self.program.allow(self.timeout_s, lambda: self.requests_of_call, self.most_requests)
            self._origin = self.program.origin
        elif self.config.transport == "server":
            self._origin = self.local_servers.serve().origin
        self.local_servers.origin = self._origin
        guard = guarding(transports, everywhere=self.guards_everywhere)
        self._guard = self._stack.enter_context(guard)
        self.learn(
            value
            for credentials in (self.credentials, self.other_credentials)
            for value in (credentials.access_token, credentials.client_secret)
        )
        self._threads = frozenset(threading.enumerate())
        return self

    def _call_first(self) -> None:
        """Calls every method once, for all tests of this process."""
        first = self.config.first
        if not first.begun:
            first.begun = True
            config = replace(self.config, clauses=self.config.clauses & FIRST)
            reading = label(config.readings)
            with ClientHarness(config, "first calls", reading, config.readings) as harness:
                first.make(harness)
            self.tally.merge(harness.tally)
        first.check()
        self.tally.failed |= first.failed

    def learn(self, secrets: Iterable[str]) -> None:
        """Texts that nothing may be shown with."""
        secrets = tuple(secrets)
        self.redactor.learn(secrets)
        if self.program is not None:
            self.program.learn(secrets)

    def ready(self) -> bool:
        """Whether the client can be asked; a program that was given up on can't."""
        return self.program is None or self.program.program.ready()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            ends = [(driver.close(), settings_) for driver, settings_ in self._clients.values()]
            if kind is None and self.program is None:
                self._judge_ends(ends)
        finally:
            self._stack.close()

    def _judge_ends(self, ends: Sequence[tuple[Outcome | None, ClientSettings]]) -> None:
        """Judges how clients were closed, and what of them goes on; not where none can be."""
        calls = [
            as_call(outcome, "close", settings_, {}, ())
            for outcome, settings_ in ends
            if outcome is not None
        ]
        if not calls:
            return
        if not self.config.first.threads_told:
            left = threads_left(self._threads)
            self.config.first.threads_told = bool(left)
            calls[-1] = replace(calls[-1], threads=left)
        scenario = self._dry_scenario()
        scenario.transcript.calls += calls
        self._judge(scenario, None)

    def client(self, sandbox: str | None, *, other_org: bool) -> tuple[Driver, ClientSettings]:
        """The client for a sandbox, made when it is first wanted and kept for this test."""
        key = (sandbox or self.home, other_org)
        if key not in self._clients:
            settings_ = self.settings_for(key[0], other_org=other_org)
            self.recorder.take()
            driver = self.driver(settings_)
            exchanges = self.recorder.take()
            self.check_guard()
            self._clients[key] = (driver, settings_)
            self._check_made(driver, settings_)
            if exchanges or (driver.made.changed and self.program is None):
                self.tokens |= self.issued_tokens(exchanges)
                self._factory_calls[id(driver)] = as_call(
                    driver.made, "factory", settings_, {}, exchanges
                )
        return self._clients[key]

    def virtual_time(self) -> AbstractContextManager[None]:
        """In here the client's own waits go by at once."""
        return virtual_time(self.virtual)

    def driver(self, settings_: ClientSettings) -> Driver:
        """A client with these settings, not kept."""
        # A program's calls have a deadline of their own, and may need the time to say hello.
        deadline_s = None if self.program else TIMEOUT_FACTOR * settings_.timeout_s
        return Driver(self.config.factory, settings_, deadline_s=deadline_s)

    def _check_made(self, driver: Driver, settings_: ClientSettings) -> None:
        """Raises UsageError for a factory that gives no client; odd settings it may refuse."""
        if driver.made.timed_out:
            raise UsageError(f"{self.config.client} did not return within {self.deadline_s:g} s")
        error = driver.made.raised
        if error is not None and settings_.sandbox_name in self.service.gateway.sandboxes(
            settings_.ims_org_id
        ):
            text = self.redactor.text(f"{type(error).__name__}: {error}")
            place = place_of_error(error)
            where = f" ({place})" if place else ""
            raise UsageError(f"{self.config.client} raised {text}{where}")
        if error is None and not driver.supports("create_connection"):
            raise UsageError(
                f"what {self.config.client} returned has no create_connection, "
                "the one method that is required"
            )

    def factory_call(self, driver: Driver) -> Call | None:
        """What the making of a client sent, once: it belongs to the first example."""
        return self._factory_calls.pop(id(driver), None)

    def note(self, operation: str, outcome: Outcome) -> None:
        """Keeps in mind which methods are not worth another call in this test."""
        lost = outcome.raised if isinstance(outcome.raised, CallLost) else None
        self.unanswered[operation] += lost is not None
        hung = outcome.timed_out or (lost is not None and lost.hung)
        if outcome.timed_out and self.program is None:
            self.config.spending.hung(operation, time.monotonic() - self.call_began_s)
        if hung or self.unanswered[operation] >= MOST_LOST:
            self.hung.add(operation)
        if hung and self.program is not None:
            self.program.hangs[operation] += 1

    def issued_tokens(self, exchanges: Iterable[Exchange]) -> set[str]:
        """Access tokens that the token endpoint gave out in these exchanges."""
        found = set()
        for exchange in exchanges:
            document = exchange.response.json_or_none
            ims = self.contract.ims_operation(exchange.request.path)
            if ims is not None and isinstance(document, dict):
                token = document.get("access_token")
                if isinstance(token, str):
                    found.add(token)
        self.tokens |= found
        self.learn(found)
        return found

    def check_guard(self) -> None:
        """Raises UnsupportedTransportError once the client did that: nothing could be judged."""
        if self._guard is not None and self._guard.attempts:
            raise UnsupportedTransportError(self._guard.explain(self._guard.attempts[0]))

    def take_strangers(self) -> tuple[str, ...]:
        """Hosts that the client tried to reach beside the service, and was kept from."""
        noted = [] if self._guard is None else self._guard.strangers
        if self.program is not None:
            noted = [*noted, *self.program.strangers]
            self.program.strangers.clear()
        found = tuple(dict.fromkeys(noted))
        if self._guard is not None:
            self._guard.strangers.clear()
        return found

    def run(self, example: Callable[..., None], **inputs: st.SearchStrategy[Any]) -> None:
        """Runs an example, `example(scenario, **drawn)`, with many inputs and judges each run."""

        def attempt(drawn: Mapping[str, Any], wanted: str | None) -> None:
            with self._scenario(wanted) as scenario:
                if scenario is not None:
                    example(scenario, **drawn)

        strategy = st.fixed_dictionaries(inputs)

        def search(wanted: str | None) -> None:
            test = given(strategy)(lambda drawn: attempt(drawn, wanted))
            self._settings(wanted)(hypothesis.seed(self.seed)(test))()

        self._explore(search)

    def run_each(self, values: Iterable[Any], example: Callable[..., None]) -> None:
        """Runs an example, `example(scenario, value)`, once for every value and judges each run."""
        with suppress(SearchOver):
            for value in values:
                with self._scenario(None) as scenario:
                    if scenario is not None:
                        example(scenario, value)

    def run_machine(self, machine: Callable[[Scenario], RuleBasedStateMachine]) -> None:
        """Runs a state machine over random sequences of calls and judges each sequence."""
        harness = self

        def search(wanted: str | None) -> None:
            def make() -> RuleBasedStateMachine:
                context = harness._scenario(wanted)
                scenario = context.__enter__()
                made = machine(scenario or harness._dry_scenario())
                teardown = made.teardown

                def judged_teardown() -> None:
                    teardown()
                    context.__exit__(None, None, None)

                made.teardown = judged_teardown  # type: ignore[method-assign]
                return made

            hypothesis.seed(self.seed)(make)
            run_state_machine_as_test(make, settings=self._settings(wanted))  # type: ignore[arg-type]

        self._explore(search)

    def _explore(self, search: Callable[[str | None], None]) -> None:
        """First looks for everything that is broken, then for the smallest example of each."""
        if not self.ready():
            return
        before = {*self.tally.findings, *program_clauses()}
        # A client may go by what it was asked in other examples (Flaky): what was seen counts.
        with suppress(SearchOver, Flaky):
            search(None)
        pending = [clause for clause in self.tally.findings if clause not in before]
        while pending:
            self._shrink(pending, search)

    def _shrink(self, pending: list[str], search: Callable[[str | None], None]) -> None:
        """The smallest example for the first of the clauses, and for whatever else it shows."""
        clause, spending = pending.pop(0), self.config.spending
        found = self.tally.findings[clause]
        known = spending.small.get((clause, found[0].summary))
        if known is not None:
            self.tally.findings[clause] = [known]
            return
        self._smallest.pop(clause, None)
        self._broken = None
        with (
            suppress(ClauseBroken, HypothesisException, BaseExceptionGroup, SearchOver),
            spending.searching(),
        ):
            search(clause)
        if clause not in self._smallest or self._broken is None:
            return
        self._settle(self._smallest[clause])
        for seen in judge_transcript(self._broken, {*pending}):
            if seen.violation is not None and seen.clause in pending:
                pending.remove(seen.clause)
                self._settle(self._finding(self._broken, seen.clause, seen.violation))

    def _settle(self, small: Finding) -> None:
        """Shows a clause by this example from now on, in later tests of the run too."""
        self.tally.findings[small.clause] = [small]
        self.config.spending.small[small.clause, small.summary] = small

    def _settings(self, wanted: str | None) -> hypothesis.settings:
        return search_settings(self.examples, wanted)

    @property
    def _budget_s(self) -> float:
        """A person at a breakpoint is not hurried."""
        return math.inf if self.program is not None and self.program.attached else BUDGET_S

    def scenario(self) -> AbstractContextManager[Scenario | None]:
        """One example that is judged once it is left; None where there is no time for it."""
        return self._scenario(None)

    def _dry_scenario(self) -> Scenario:
        return Scenario(self, Transcript(self.contract), self.injector)

    @contextmanager
    def _scenario(self, wanted: str | None) -> Iterator[Scenario | None]:
        """One judged example; None once the client can't be asked. Raises SearchOver."""
        self.config.spending.check()
        if self._spent_s > self._budget_s:
            raise SearchOver
        if not self.ready():
            yield None
            return
        self.service.reset()
        self.injector.clear()
        self.recorder.take()
        transcript = Transcript(self.contract, tokens=set(self.tokens))
        scenario = Scenario(self, transcript, self.injector)
        yield scenario
        self._spent_s += time.monotonic() - scenario.started
        self._judge(scenario, wanted)

    def _judge(self, scenario: Scenario, wanted: str | None) -> None:
        transcript = scenario.transcript
        self.tally.unsupported |= transcript.unsupported
        self._count_statuses(transcript)
        self.learn([*transcript.canaries, *transcript.tokens])
        for call in transcript.calls:
            self.redactor.learn(auth_params(call.args))
        if wanted is None:
            self.tally.not_imitated += transcript.not_imitated
        verdicts: dict[str, bool] = {}
        for seen in self._observations(transcript, wanted):
            if seen.unproven:
                self.tally.unproven.setdefault(seen.clause, self.redactor.text(seen.unproven))
                continue
            verdicts[seen.clause] = verdicts.get(seen.clause, True) and seen.violation is None
            if seen.violation is None:
                continue
            finding = self._finding(transcript, seen.clause, seen.violation)
            if seen.clause != wanted:
                self.tally.add(finding)
            else:
                self._smallest[wanted] = finding
                self._broken = transcript
                raise ClauseBroken(wanted)
        for clause, met in verdicts.items():
            if clause != wanted:
                self.tally.count(clause, met=met)

    def _count_statuses(self, transcript: Transcript) -> None:
        """Counts how Flow Service itself answered; what a test put in is left out."""
        statuses = self.tally.statuses
        for call in transcript.calls:
            if call.settings.sandbox_name != self.home or call.args.get("connection_id") == "":
                continue
            for exchange in transcript.primary(call):
                if not exchange.response.injected and exchange.response.status:
                    status = str(exchange.response.status)
                    statuses[status] = statuses.get(status, 0) + 1

    def _finding(self, transcript: Transcript, clause: str, violation: Violation) -> Finding:
        return to_finding(
            clause,
            violation,
            self.contract,
            self.redactor,
            reading=self.reading,
            calls=told(transcript, violation),
            reproduce=self._reproduce(clause),
            order=self._order(clause),
        )

    def _observations(self, transcript: Transcript, wanted: str | None) -> Iterable[Observation]:
        """What is seen of an example; how a program behaves is of interest at any time."""
        if self.program is not None:
            self.take_observations(transcript)
            if wanted is not None:
                yield from judge_transcript(transcript, program_clauses())
        yield from judge_transcript(transcript, self.config.judged if wanted is None else {wanted})

    def take_observations(self, transcript: Transcript, *, waited: bool = False) -> None:
        """Notes how the program behaved in the call that the transcript is about to keep.

        One that `waited` for a server that says nothing is no worse than any other client.
        """
        if self.program is not None:
            transcript.observations += [
                replace(seen, call=len(transcript.calls))
                for seen in self.program.program.take_observations()
                if not (waited and seen.clause == "program.answers" and seen.summary)
            ]

    def judge_observations(self) -> None:
        """Judges what the program did outside of any example."""
        self._judge(self._dry_scenario(), None)

    def _reproduce(self, clause: str) -> str:
        return reproduce(
            self.config,
            clause,
            reading=self.reading,
            examples=self.examples,
            exercises=self.exercises,
        )

    def _order(self, clause: str) -> int:
        """A test that is not for a clause is not run for it, so what it finds comes last."""
        return self.order if matches(clause, self.exercises) else self.order + _ASIDE

    def verdict(self) -> None:
        """Raises ContractBroken if a must is broken that is not known to fail."""
        musts = [
            findings[0]
            for clause, findings in sorted(self.tally.findings.items())
            if self.contract.clauses[clause].grade == "must"
            and clause not in self.config.known_failing
        ]
        if musts:
            raise ContractBroken(musts)
