"""`aepmock.mock()`: a mock Flow Service for tests: transports installed, Adobe's hosts guarded.

Several mocks may be active at once, nested or in threads: each has credentials of its own, and a
request reaches the one that minted its token. Where none did, its API key decides; a request
without either reaches the innermost mock that its thread made active, or else the innermost.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from threading import get_ident
from typing import Any

from aepmock.client_api import ClientSettings
from aepmock.clock import MockClock
from aepmock.contract import Contract
from aepmock.errors import BlockedRequestError
from aepmock.faults import FaultInjector
from aepmock.faults.grammar import What, faults_of, make_fault
from aepmock.faults.model import Fault
from aepmock.judge import Expected, Finding, judge_exchange
from aepmock.judge.judging import explain, to_finding
from aepmock.judge.recorder import Recorder
from aepmock.judge.rendering import exchange_text, response_text
from aepmock.messages import Exchange, Request, Response
from aepmock.mocks.router import MockRouter
from aepmock.net import PLATFORM, ims_token_url, read_authorization
from aepmock.redaction import Redactor
from aepmock.service import FlowService
from aepmock.transports import in_process_transports
from aepmock.transports.guard import Guard, guarding


class StrictError(AssertionError):
    """A request broke a must of the contract, or a fault of the test never happened.

    Says which must, why, and the nearest right request.
    """


@dataclass(frozen=True)
class JournalEntry:
    """An exchange with its secrets taken out, and what was wrong with it.

    `clause` is the clause that a refused request broke, or the rule that refused it where it
    broke none; None for a success. `explanation` says so in words. `findings` are all clauses
    that the request broke, refused or not.
    """

    exchange: Exchange
    clause: str | None
    explanation: str
    findings: tuple[Finding, ...]

    @property
    def request(self) -> Request:
        return self.exchange.request

    @property
    def response(self) -> Response:
        return self.exchange.response

    @property
    def fault(self) -> str:
        """What was put in the way of the answer, "lost answer: reset"; empty for nothing."""
        return self.response.effect.fault if self.response.effect else ""

    @property
    def diff(self) -> str:
        """The way from the request to the nearest right one; empty where nothing was wrong."""
        return next((f.diff for f in self.findings if f.diff), "")

    def __str__(self) -> str:
        parts = [exchange_text(self.exchange)]
        parts += [self.explanation] if self.explanation else []
        parts += [self.diff] if self.diff else []
        return "\n\n".join(parts)


class Journal(Sequence[JournalEntry]):
    """Every exchange so far, the oldest first; computed when it is looked at."""

    def __init__(self, mock: Mock) -> None:
        self._mock = mock

    def __len__(self) -> int:
        return len(self._mock.exchanges)

    def __getitem__(self, index: Any) -> Any:
        found = self._mock.exchanges[index]
        if isinstance(found, Exchange):
            return self._mock.entry(found)
        return [self._mock.entry(exchange) for exchange in found]

    def __repr__(self) -> str:
        lines = (
            f"{e.request.method} {e.request.target} → {e.response.status or 'no answer'}"
            + (f" {e.clause}" if e.clause else "")
            + (f" (a fault: {e.fault})" if e.fault else "")
            for e in self
        )
        return "<Journal\n  " + "\n  ".join(lines) + "\n>" if len(self) else "<Journal, empty>"


class Mock:
    """A Flow Service for a test. Made by `aepmock.mock()` and the fixtures."""

    def __init__(
        self, *, strict: bool, readings: Mapping[str, str], sandbox: str, seed: int
    ) -> None:
        self.service = FlowService(seed=seed, clock=MockClock(), readings=readings)
        self.seed = seed
        self.strict = strict
        self.thread = 0
        self._sandbox = sandbox
        self._interposer = FaultInjector(self.contract, self.service.handle, self.service)
        self._recorder = Recorder(self._interposer.handle)
        self._origin = PLATFORM
        self._ims_url = ims_token_url()

    @property
    def contract(self) -> Contract:
        return self.service.contract

    def begin(self, number: int) -> None:
        """Mints the credentials, which follow from the seed and the mock's number.

        The number is 0 unless mocks with the same seed are active; ids and etags are the same
        for all of them.
        """
        self.thread = get_ident()
        self.service.gateway.number = number
        self._credentials = self.service.mint_credentials()
        self.service.gateway.add_sandbox(self._credentials.ims_org_id, self._sandbox)

    @property
    def number(self) -> int:
        return self.service.gateway.number

    @property
    def clock(self) -> MockClock:
        """The mock's time: `clock.advance(seconds)` moves it on, `clock.follow()` lets it go by."""
        clock = self.service.clock
        assert isinstance(clock, MockClock)
        return clock

    @property
    def settings(self) -> ClientSettings:
        """What the client under test is to be given."""
        made = self._credentials
        return ClientSettings(
            base_url=self._origin + self.contract.base_path,
            access_token=made.access_token,
            api_key=made.api_key,
            ims_org_id=made.ims_org_id,
            sandbox_name=self._sandbox,
            ims_token_url=self._ims_url,
            client_id=made.client_id,
            client_secret=made.client_secret,
            scopes=made.scopes,
        )

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """Every exchange as it was, secrets included: for comparing, not for showing."""
        return self._recorder.exchanges

    @property
    def journal(self) -> Journal:
        """Every exchange and what was wrong with it, secrets taken out."""
        return Journal(self)

    @property
    def connections(self) -> list[Mapping[str, Any]]:
        """What the service holds now, in the order of creation, auth params included."""
        return list(self.service.connections())

    def seed_connection(self, **fields: Any) -> Mapping[str, Any]:
        """Puts a connection into the settings' sandbox without a request; returns it.

        `name`, `description`, `auth_params` {"clientId": "…"}, `connector` ("hubspot"),
        `state` ("enabled", "draft", …), `usable` (False: its test answers false), `in_use`
        (True: it can't be deleted). Raises UsageError for an unknown connector or state.
        """
        place = self._credentials.ims_org_id, self._sandbox
        return self.service.seed_connection(*place, **fields)

    def fault(
        self,
        operation: str,
        what: What | None = None,
        *,
        code: str | None = None,
        status: int | None = None,
        times: int = 1,
        when: Mapping[str, Any] | None = None,
        required: bool = True,
    ) -> None:
        """Lets something go wrong with the next requests of an operation.

        `operation` is an id such as "connections.create", with wildcards; `what` says in words
        what goes wrong with one request after the other: "503, 503", "lost answer: reset",
        "latency 0.2s". `code` is short for one of the catalogue ("1103-503"), `status` for a
        bare HTTP status with an empty body. All of it happens `times` times. `when` chooses
        requests: {"call": 3} begins with the third, {"name": "a*"}, {"id": …}, {"body": …},
        {"header": {"x-sandbox-name": "dev"}}. A strict test fails if nothing of it happened,
        unless `required` is False. Raises UsageError for what is not in the grammar.
        """
        self.let(
            make_fault(
                self.contract,
                operation,
                what,
                code=code,
                status=status,
                times=times,
                when=when,
                required=required,
            )
        )

    def let(self, fault: Fault) -> None:
        """Lets a fault happen that was made already."""
        self._interposer.fault(fault)

    @property
    def faults(self) -> list[Fault]:
        """What is still to go wrong, in order; `str` of one says it in words."""
        return self._interposer.faults

    @property
    def waited_s(self) -> float:
        """Seconds that were really waited because of faults."""
        return self._interposer.waited_s

    def expire_tokens(self) -> None:
        """Ends the life of every token so far, that of `.settings` too: 401, code 401013."""
        self.service.expire_tokens()

    def reset(self) -> None:
        """Forgets connections, faults and journal; credentials stay valid."""
        self.service.reset()
        self._interposer.clear()
        self._recorder.take()

    def handle(self, request: Request) -> Response:
        """The handler that the transports lead to."""
        return self._recorder.handle(request)

    def has_token_of(self, request: Request) -> bool:
        """Whether a request carries a token that this mock minted, valid still or not."""
        _, token = read_authorization(request.headers.get("authorization"))
        return bool(token) and self.service.gateway.has_token(token)

    def has_key_of(self, request: Request) -> bool:
        """Whether a request names an integration of this mock: its API key, or client id."""
        key = request.headers.get("x-api-key")
        if key is not None:
            return self.service.gateway.has_key(key)
        client_id = self._credentials.client_id
        return client_id in request.target or client_id.encode() in request.body

    def serve_at(self, origin: str) -> None:
        """Says that clients reach this mock at an origin of its own, "http://127.0.0.1:4012"."""
        self._origin = origin
        self._ims_url = ims_token_url(origin)

    def entry(self, exchange: Exchange) -> JournalEntry:
        """An exchange as the journal shows it."""
        clause = exchange.response.headers.get("x-aepmock-clause")
        request = self._redactor.request(exchange.request)
        response = self._redactor.response(exchange.response)
        return JournalEntry(
            Exchange(request, response, exchange.number),
            clause,
            explain(clause, self.contract) if clause else "",
            self._findings(exchange),
        )

    def check(self) -> None:
        """Raises StrictError if a request broke a must, or if a fault never happened.

        Does nothing where strict is off.
        """
        if not self.strict:
            return
        for exchange in self.exchanges:
            musts = [
                finding
                for finding in self._findings(exchange)
                if self.contract.clauses[finding.clause].grade == "must"
            ]
            if musts:
                raise StrictError(self._message(exchange, musts))
        missed = next((fault for fault in self._interposer.missed if fault.required), None)
        if missed is not None:
            raise StrictError(self._never_happened(missed))

    def _never_happened(self, fault: Fault) -> str:
        made = (self.contract.operation_of(exchange.request) for exchange in self.exchanges)
        fitting = sum(op is not None and fnmatchcase(op.id, fault.operation) for op in made)
        if fitting:
            why = f"of {fitting} requests of that operation it was for none"
        else:
            why = f"no request of that operation came, of {len(self.exchanges)} in all"
        return (
            f"a fault of this test never happened: {fault}\n{why}\n"
            "A test that means it: required=False (in words: ; required=false), "
            "or @pytest.mark.aepmock(strict=False)"
        )

    def _message(self, exchange: Exchange, findings: Sequence[Finding]) -> str:
        lines = [f"request {exchange.number} of this test breaks the contract of Flow Service"]
        for finding in findings:
            clause = self.contract.clauses[finding.clause]
            lines += [
                "",
                f"{clause.id} (must): {finding.summary}",
                f"  the contract  {clause.text}",
                f"  expected      {finding.expected}",
                f"  actual        {finding.got}",
                f"  source        {finding.source}",
            ]
        diff = next((f.diff for f in findings if f.diff), "")
        if diff:
            lines += ["", "the nearest right request:", diff]
        else:
            lines += ["", findings[0].exchange]
        answer = self._redactor.response(exchange.response)
        lines += ["", "it was answered with", response_text(answer).partition("\n\n")[0]]
        lines += ["", "A test that means it: @pytest.mark.aepmock(strict=False)"]
        return "\n".join(lines)

    def _findings(self, exchange: Exchange) -> tuple[Finding, ...]:
        return tuple(
            to_finding(seen.clause, seen.violation, self.contract, self._redactor)
            for seen in judge_exchange(exchange, self._expected, self.contract)
            if seen.violation is not None
        )

    @cached_property
    def _expected(self) -> Expected:
        """Any value will do: a test may be about wrong credentials."""
        return Expected.of(self.settings, any_value=True)

    @cached_property
    def _redactor(self) -> Redactor:
        made = self._credentials
        return Redactor(self.contract.secret_names, [made.access_token, made.client_secret])


_router = MockRouter()


def mock(
    *,
    strict: bool = True,
    readings: Mapping[str, str] | None = None,
    sandbox: str = "dev",
    seed: int = 0,
    transport: str = "auto",
    faults: Sequence[str | Fault | Mapping[str, Any]] = (),
) -> AbstractContextManager[Mock]:
    """A mock that is active inside the `with`.

    `strict` fails the block at its end if a request broke a must; `readings` switches what the
    documentation leaves open, {"connections.delete-status": "202"}; `sandbox` is the sandbox of
    `.settings`; `transport` opens one in-process transport only, or a loopback server with
    "server"; `faults` are what goes wrong from the start, ["connections.create: 503, 503"]. Raises
    UsageError for unknown names, StrictError for a broken must, BlockedRequestError if something
    tried to reach Adobe's hosts outside the transports.
    """
    made = Mock(strict=strict, readings=readings or {}, sandbox=sandbox, seed=seed)
    for fault in faults_of(made.contract, faults):
        made.let(fault)
    return _active(made, transport, in_process_transports(transport))


@contextmanager
def _active(made: Mock, transport: str, transports: tuple[str, ...]) -> Iterator[Mock]:
    with ExitStack() as stack:
        stack.enter_context(_router.connected(made, transports))
        if transport == "server":
            from aepmock.transports.server import serving

            made.serve_at(stack.enter_context(serving(made.handle)).origin)
        guard: Guard = stack.enter_context(guarding(transports))
        yield made
        # Not after an error of the test: its own failure says more.
        if guard.attempts:
            raise BlockedRequestError(guard.explain(guard.attempts[0]))
        made.check()
