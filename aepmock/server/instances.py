"""The isolated mocks of one server: each a service of its own, with its journal and verdicts."""

from __future__ import annotations

import logging
import re
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from aepmock.clock import Clock
from aepmock.contract import is_not_imitated
from aepmock.errors import UsageError
from aepmock.faults import FaultInjector
from aepmock.faults.model import Fault
from aepmock.judge import Expected, judge_exchange
from aepmock.judge.judging import Observation, explain, to_finding
from aepmock.messages import Exchange, Request, Response
from aepmock.net import read_authorization
from aepmock.redaction.callers import LearningRedactor
from aepmock.server.journal import (
    Entry,
    Journal,
    shortened_finding,
    shortened_request,
    shortened_response,
)
from aepmock.server.problems import Rejected, problem
from aepmock.service import Credentials, FlowService
from aepmock.service.connection_lists import MANY

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
SANDBOX = "dev"
LARGE = 32_768
"""Octets of a body that take a while to read."""
_LISTS = ("connections.list", "connections.search")
MOST_CREDENTIALS = 100
"""What may be minted for one mock besides its first: their secrets are looked for everywhere."""


class TooMany(UsageError):
    """The server has as many mocks, or a mock as many credentials, as there may be."""


@dataclass(frozen=True)
class Options:
    """What every mock has in common.

    `faults` happen in the mock that answers without a prefix, until its first reset.
    """

    seed: int = 0
    accept_any: bool = True
    readings: Mapping[str, str] | None = None
    max_journal: int = 1_000
    max_mocks: int = 64
    max_resources: int = 100_000
    faults: tuple[Fault, ...] = ()


class MockInstance:
    """One mock: what it is asked goes through `handle`; the control API uses the rest."""

    def __init__(self, name: str, options: Options, clock: Clock) -> None:
        # Its own seed: two mocks must not mint the same tokens.
        seed = options.seed if not name else zlib.crc32(f"{options.seed} {name}".encode())
        self.name = name
        self.service = FlowService(
            seed=seed, clock=clock, readings=options.readings, accept_any=options.accept_any
        )
        self.contract = self.service.contract
        self.credentials = self.service.mint_credentials()
        self.injector = FaultInjector(self.contract, self.service.handle, self.service)
        self.journal = Journal(options.max_journal)
        self.met: dict[str, int] = {}
        self.broken: dict[str, int] = {}
        self.requests = 0
        self._minted = 0
        self._options = options
        self._grades = {clause.id: clause.grade for clause in self.contract.clauses.values()}
        self._expected: Expected | None = None
        made = self.credentials
        self._masking = LearningRedactor(
            self.contract.secret_names, [made.access_token, made.client_secret]
        )

    def handle(self, request: Request) -> Response:
        """The answer to a client's request, which is judged and written into the journal."""
        return self.noted(request, *self.answer(request))

    def takes_time(self, request: Request) -> bool:
        """Whether others should not wait for the answer: `answer` may be called in a thread."""
        if len(request.body) > LARGE:
            return True
        operation = self.contract.operation_of(request)
        return operation is not None and operation.id in _LISTS and len(self.service.store) > MANY

    def answer(self, request: Request) -> tuple[Response, list[Observation]]:
        """The answer to a client's request, and what the request shows; nothing is written down."""
        if request.method == "POST" and self._is_full_for(request):
            response = problem(Rejected(507, self._full()))
        else:
            response = self.injector.handle(request)
        try:
            exchange = Exchange(request, response)
            seen = list(judge_exchange(exchange, self._expected_of(request), self.contract))
        except Exception:
            # The kit's fault. The client is to have its answer all the same.
            logging.getLogger("aepmock.server").exception("a request could not be judged")
            seen = []
        return response, seen

    def noted(self, request: Request, response: Response, seen: Iterable[Observation]) -> Response:
        """The answer, once what the request shows is counted, and both are in the journal."""
        try:
            self._record(request, response, seen)
        except Exception:
            logging.getLogger("aepmock.server").exception("a request could not be written down")
        return response

    def knows(self, request: Request) -> bool:
        """Whether the request's credentials are this mock's."""
        _, token = read_authorization(request.headers.get("authorization"))
        if token:
            return self.service.gateway.has_token(token)
        made = self.credentials.client_id
        return made in request.target or made.encode() in request.body

    def mint(self, token: str | None = None) -> Credentials:
        """Further credentials; `token` is one that the caller chose. Raises TooMany."""
        if self._minted >= MOST_CREDENTIALS:
            raise TooMany(
                f"{MOST_CREDENTIALS} further credentials of this mock were made already; use "
                "those, or make another mock by POST /__aepmock__/mocks"
            )
        self._minted += 1
        made = self.service.mint_credentials(ims_org_id=self.credentials.ims_org_id)
        if token is not None:
            self.service.gateway.issue(made, token=token)
            made = Credentials(
                token,
                made.api_key,
                made.ims_org_id,
                made.client_id,
                made.client_secret,
                made.scopes,
            )
        self._masking.learn([made.access_token, made.client_secret])
        return made

    def check_room(self, number: int) -> None:
        """Raises TooMany where so many more connections can't be held."""
        if len(self.service.store) + number > self._options.max_resources:
            raise TooMany(self._full())

    def seed(self, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        """Puts a connection in; by default into the sandbox and organization of the start."""
        given = dict(fields)
        org = given.pop("ims_org_id", self.credentials.ims_org_id)
        sandbox = given.pop("sandbox_name", SANDBOX)
        return self.service.seed_connection(org, sandbox, **given)

    def expire_tokens(self) -> None:
        """Ends the life of every token: those minted here, and the last ones that callers used."""
        self.service.expire_tokens()
        for token in self._masking.callers:
            self.service.expire_token(token)

    def reset(self) -> None:
        """Forgets connections, faults, journal and verdicts, and goes back to its readings."""
        self.service.reset()
        self.injector.clear()
        self.service.set_readings(self._options.readings or {})
        self.met.clear()
        self.broken.clear()
        self.requests = 0
        self.journal.clear()

    def reset_readings(self) -> None:
        self.service.set_readings(self._options.readings or {})

    def _is_full_for(self, request: Request) -> bool:
        if len(self.service.store) < self._options.max_resources:
            return False
        operation = self.contract.operation_of(request)
        return operation is not None and operation.id == "connections.create"

    def _full(self) -> str:
        return (
            f"this mock holds {len(self.service.store)} of its {self._options.max_resources} "
            "connections; POST /__aepmock__/reset empties it, a larger --max-resources allows more"
        )

    def _record(self, request: Request, response: Response, seen: Iterable[Observation]) -> None:
        number = self.journal.next_number()
        self.requests += 1
        problems = []
        for observation in seen:
            counts = self.met if observation.violation is None else self.broken
            counts[observation.clause] = counts.get(observation.clause, 0) + 1
            if observation.violation is not None:
                problems.append((observation.clause, observation.violation))
        redactor = self._masking.of(request)
        findings = tuple(
            shortened_finding(to_finding(clause, problem, self.contract, redactor))
            for clause, problem in problems
        )
        clause = response.headers.get("x-aepmock-clause")
        operation = self.contract.operation_of(request)
        self.journal.add(
            Entry(
                number,
                self.service.clock.now_ms(),
                operation.id if operation else None,
                shortened_request(redactor.request(request)),
                shortened_response(redactor.response(response)),
                self._verdict(request, response, bool(findings)),
                findings[0].clause if findings else clause,
                explain(clause, self.contract) if clause else "",
                findings,
                self._grades,
            )
        )

    def _verdict(self, request: Request, response: Response, findings: bool) -> str:
        if response.injected and not findings:
            return "injected"
        if findings or response.headers.get("x-aepmock-clause") in self.contract.clauses:
            return "broken"
        if is_not_imitated(self.contract, request):
            return "not-imitated"
        return "refused" if response.status >= 400 else "ok"

    def _expected_of(self, request: Request) -> Expected:
        """A client may know this server by any of its names, so the base URL is the request's."""
        base_url = request.origin + self.contract.base_path
        expected = self._expected
        if expected is None or expected.base_url != base_url:
            made = self.credentials
            self._expected = expected = Expected(
                base_url,
                frozenset({made.access_token}),
                frozenset({made.api_key}),
                frozenset({made.ims_org_id}),
                frozenset({SANDBOX}),
                any_value=True,
            )
        return expected


class MockInstances:
    """The mocks of a server by name; "" is the one that answers without a prefix."""

    def __init__(self, options: Options, clock: type[Clock] = Clock) -> None:
        self.options = options
        self._clock = clock
        self.main = MockInstance("", options, clock())
        for fault in options.faults:
            self.main.injector.fault(fault)
        self._named: dict[str, MockInstance] = {}

    def named(self, name: str) -> MockInstance:
        """The mock of that name, made where there is none. Raises UsageError."""
        found = self._named.get(name)
        if found is not None:
            return found
        if not NAME.fullmatch(name):
            raise UsageError(
                "a mock's name has 1 to 64 letters, digits, dots, dashes and underscores, "
                "a letter or digit first"
            )
        if len(self._named) >= self.options.max_mocks:
            raise TooMany(
                f"this server has its {self.options.max_mocks} mocks already; delete one by "
                "DELETE /__aepmock__/mocks/NAME, or start it with a larger --max-mocks"
            )
        made = self._named[name] = MockInstance(name, self.options, self._clock())
        return made

    def find(self, name: str) -> MockInstance | None:
        return self._named.get(name)

    def all(self) -> list[MockInstance]:
        return [self.main, *self._named.values()]

    def owner(self, request: Request) -> MockInstance:
        """The mock whose credentials a request carries; the main one where they are no one's."""
        return next((t for t in self._named.values() if t.knows(request)), self.main)

    def delete(self, name: str) -> bool:
        """Whether there was a mock of that name, which is gone now."""
        found = self._named.pop(name, None)
        if found is not None:
            found.journal.close()
        return found is not None
