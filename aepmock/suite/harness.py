"""A client, a service and a judge, for one test of the suite under one reading.

A test says which calls are made. The harness makes them with many inputs, lets every selected
clause look at each example, and searches for the smallest example of what is broken.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import replace
from typing import Any, Self

import hypothesis
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.errors import Flaky, HypothesisException
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from aepmock.client_api import ClientSettings
from aepmock.clients.driver import Outcome
from aepmock.errors import unknown
from aepmock.judge import Finding, Tally, Transcript, judge_transcript
from aepmock.judge.findings import Violation
from aepmock.judge.judging import Observation, to_finding
from aepmock.suite.config import SuiteConfig, label, program_clauses
from aepmock.suite.failures import ContractBroken, matches, reproduce
from aepmock.suite.first_calls import CLAUSES as FIRST
from aepmock.suite.leaks import threads_left
from aepmock.suite.scenario import Scenario, as_call, auth_params, told
from aepmock.suite.served_client import ServedClient
from aepmock.suite.shrinking import (
    ClauseBroken,
    SearchOver,
    search_settings,
)
from aepmock.transports import NAMES

BUDGET_S = 75.0
"""Real time that one test may take; examples after that are left out."""
_ASIDE = 1_000_000
"""More than there are tests in a run."""


class ClientHarness(ServedClient):
    """A client, a service and a judge, under one reading, for one test.

    `exercises` are the clauses that the test is for, as patterns, and `order` is its place in the
    run.
    """

    exercises: tuple[str, ...] = ("*",)
    order = 0

    def __init__(self, config: SuiteConfig, name: str, reading: str, readings: Mapping[str, str]):
        super().__init__(config, name, reading, readings)
        self.examples = config.examples
        if readings != config.readings:  # one of many
            self.examples = max(3, config.examples // 5)
        self.tally = Tally()
        self._smallest: dict[str, Finding] = {}
        self._broken: Transcript | None = None

    def __enter__(self) -> Self:
        if self.config.transport not in NAMES:
            raise unknown("transport", self.config.transport, NAMES)
        self._call_first()
        return super().__enter__()

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
