"""The clients of one test, and the service and the surroundings that they are given."""

from __future__ import annotations

import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from functools import cached_property
from typing import Any, Self

from hypothesis import strategies as st

from aepmock.client_api import ClientSettings, NewConnection
from aepmock.clients.driver import CallBroken, CallLost, Driver, Outcome
from aepmock.clients.places import place_of_error
from aepmock.contract import Connector, load_contract
from aepmock.errors import UnsupportedTransportError, UsageError
from aepmock.faults import FaultInjector
from aepmock.judge import Call
from aepmock.judge.recorder import Recorder
from aepmock.judge.transcript import TIMEOUT_FACTOR
from aepmock.messages import Exchange, Request, Response
from aepmock.net import IMS, PLATFORM, ims_token_url
from aepmock.redaction import Redactor
from aepmock.service import FlowService, IdSource
from aepmock.strategies import new_connections, patches
from aepmock.suite.config import SuiteConfig
from aepmock.suite.local_servers import LocalServers
from aepmock.suite.scenario import as_call
from aepmock.suite.shrinking import hypothesis_elsewhere
from aepmock.suite.virtual_time import VirtualTime, virtual_time
from aepmock.transports import install
from aepmock.transports.guard import Guard, guarding

TIMEOUT_S = 2.0
DEADLINE_S = TIMEOUT_FACTOR * TIMEOUT_S
OWN_SANDBOXES = ("only-here", "only-there")
"""A sandbox of each organization that the other one has not, and nobody has compiled in."""
MOST_REQUESTS = 500
"""Requests that one call may send; the longest list of the suite has 105 items."""
MOST_LOST = 3
"""Calls of a method that a program may leave without an answer, in one test."""


class ServedClient:
    """A client and a service under one reading, for one test; nothing here judges.

    `home` is the sandbox of the client that most calls are made with; a client is given
    `timeout_s` for an answer and `deadline_s` for a call.
    """

    own_sandboxes = OWN_SANDBOXES
    home = "dev"
    timeout_s = TIMEOUT_S
    deadline_s = DEADLINE_S
    most_requests = MOST_REQUESTS
    guards_everywhere = False
    """Whether the client may reach nothing but this machine."""

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
        self.redactor = Redactor(self.contract.secret_names)
        self._clients: dict[tuple[str, bool], tuple[Driver, ClientSettings]] = {}
        self._factory_calls: dict[int, Call] = {}
        self.tokens: set[str] = set()
        self.hung = set() if config.program is None else config.program.hopeless()
        self.unanswered: Counter[str] = Counter()
        self.program = config.program
        self.call_began_s = 0.0
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

    def valid_connections(self) -> st.SearchStrategy[NewConnection]:
        """Connections that the service accepts, within what the client knows of."""
        return new_connections(
            self.connector,
            descriptions=self.config.descriptions,
            versions=self.config.versions,
        )

    def patches(self) -> st.SearchStrategy[list[dict[str, Any]]]:
        """JSON Patch operations that a connection with a description accepts."""
        return patches(self.connector)

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

    def __enter__(self) -> Self:
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

    def learn(self, secrets: Iterable[str]) -> None:
        """Texts that nothing may be shown with."""
        secrets = tuple(secrets)
        self.redactor.learn(secrets)
        if self.program is not None:
            self.program.learn(secrets)

    def ready(self) -> bool:
        """Whether the client can be asked; a program that was given up on can't."""
        return self.program is None or self.program.program.ready()

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
