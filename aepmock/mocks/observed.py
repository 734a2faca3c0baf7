"""An observed program: runs it unchanged, judges each request that it sends, and sums up."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from time import monotonic
from types import FrameType

from aepmock import __version__
from aepmock.client_api import ClientSettings
from aepmock.clock import WallClock
from aepmock.contract import is_not_imitated, load_contract
from aepmock.errors import UsageError
from aepmock.faults import FaultInjector
from aepmock.faults.model import Fault
from aepmock.judge import Expected, Report, Tally, decide, judge_exchange
from aepmock.judge.checks import WIRE_CHECKS
from aepmock.judge.judging import to_finding
from aepmock.messages import Exchange, Request, Response
from aepmock.net import ims_token_url
from aepmock.redaction.callers import LearningRedactor
from aepmock.service import FlowService

SANDBOX = "dev"
_PASSED_ON = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGWINCH")


class ObservedProgram:
    """A mock that lets any credentials in, and judges each request as it comes.

    `origin` is the one place where requests may go; with None it is this mock, by whichever
    name the program knows it. `clauses` are the ids to judge by, None for all that requests
    show; `reproduce` is a command with {clause} that shows a finding again; `faults` go wrong
    from the start.
    """

    def __init__(
        self,
        *,
        seed: int,
        readings: Mapping[str, str],
        origin: str | None = None,
        clauses: Collection[str] | None = None,
        reproduce: str = "",
        faults: Sequence[Fault] = (),
    ) -> None:
        self.contract = load_contract()
        self.tally = Tally()
        self.requests = 0
        self.seed = seed
        self.clauses = [
            clause
            for clause in self.contract.clauses.values()
            if clause.id in WIRE_CHECKS and (clauses is None or clause.id in clauses)
        ]
        self._ids = frozenset(clause.id for clause in self.clauses)
        self._service = FlowService(
            seed=seed, clock=WallClock(), readings=readings, accept_any=True
        )
        self._interposer = FaultInjector(self.contract, self._service.handle, self._service)
        for fault in faults:
            self._interposer.fault(fault)
        self.credentials = self._service.mint_credentials()
        secrets = [self.credentials.access_token, self.credentials.client_secret]
        self._masking = LearningRedactor(self.contract.secret_names, secrets)
        self._origin = origin
        self._expected: tuple[str, Expected] | None = None
        self._reproduce = reproduce
        self._fault: Exception | None = None
        self._started_at = datetime.now(UTC).isoformat(timespec="seconds")
        self._started = monotonic()

    def settings(self, origin: str) -> ClientSettings:
        """What a program may be given that finds this mock at an origin."""
        made = self.credentials
        return ClientSettings(
            base_url=origin + self.contract.base_path,
            access_token=made.access_token,
            api_key=made.api_key,
            ims_org_id=made.ims_org_id,
            sandbox_name=SANDBOX,
            ims_token_url=ims_token_url(origin),
            client_id=made.client_id,
            client_secret=made.client_secret,
            scopes=made.scopes,
        )

    def handle(self, request: Request) -> Response:
        """The service's answer; what the request broke is counted."""
        response = self._interposer.handle(request)
        self.requests += 1
        self.tally.not_imitated += is_not_imitated(self.contract, request)
        try:
            self._judge(Exchange(request, response, self.requests))
        except Exception as fault:
            # The kit's own fault: the program is to have its answer all the same.
            self._fault = self._fault or fault
        return response

    def report(
        self,
        command: Sequence[str],
        *,
        transport: str,
        known_failing: Mapping[str, str] | None = None,
    ) -> Report:
        """The verdict on every clause that single requests show, from the start until now.

        Raises what kept a request from being judged.
        """
        if self._fault is not None:
            raise self._fault
        return Report(
            kit=__version__,
            contract=self.contract.version,
            client=name_of(command),
            mode="mock",
            transport=transport,
            seed=self.seed,
            started_at=self._started_at,
            duration_s=round(monotonic() - self._started, 2),
            not_imitated=self.tally.not_imitated,
            results=decide(self.clauses, self.tally, known_failing or {}, {}),
        )

    def _judge(self, exchange: Exchange) -> None:
        expected = self._expected_of(self._origin or exchange.request.origin)
        redactor = self._masking.of(exchange.request)
        for seen in judge_exchange(exchange, expected, self.contract, self._ids):
            self.tally.count(seen.clause, met=seen.violation is None)
            if seen.violation is not None:
                self.tally.add(
                    to_finding(
                        seen.clause,
                        seen.violation,
                        self.contract,
                        redactor,
                        reproduce=self._reproduce.replace("{clause}", seen.clause),
                    )
                )

    def _expected_of(self, origin: str) -> Expected:
        """Any value will do; what is missing is shown with those of our own credentials."""
        if self._expected is None or self._expected[0] != origin:
            self._expected = origin, Expected.of(self.settings(origin), any_value=True)
        return self._expected[1]


def name_of(command: Sequence[str]) -> str:
    """A program's name; not the whole command, whose arguments may hold a token.

    >>> name_of(["/usr/bin/curl", "-H", "Authorization: Bearer x"])
    'curl'
    """
    return command[0].replace("\\", "/").rstrip("/").rpartition("/")[2] or command[0]


def run_program(command: Sequence[str], variables: Mapping[str, str]) -> int:
    """Runs a program with our own streams; gives its exit status, -n where signal n ended it.

    Signals that reach us meanwhile are handed on to it. Raises UsageError for a program that
    can't be started.
    """
    try:
        child = subprocess.Popen(command, env=variables)  # noqa: S603 what the user asked for
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise UsageError(f"can't run {command[0]!r}: {why}") from None
    with _passing_on(child):
        return child.wait()


@contextmanager
def _passing_on(child: subprocess.Popen[bytes]) -> Iterator[None]:
    """Hands signals on to the program; its end is then ours."""
    at_terminal = sys.stdin is not None and sys.stdin.isatty()

    def pass_on(number: int, frame: FrameType | None) -> None:
        # A terminal's Ctrl-C has reached the program already.
        if not (at_terminal and number in (signal.SIGINT, getattr(signal, "SIGQUIT", None))):
            child.send_signal(number)

    before = {}
    for name in _PASSED_ON:
        number = getattr(signal, name, None)
        if number is not None:
            before[number] = signal.signal(number, pass_on)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
