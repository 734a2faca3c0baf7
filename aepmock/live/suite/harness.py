"""The harness of a live run: the same tests and the same judge, with a real sandbox behind them."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from functools import cached_property
from typing import Any
from unittest.mock import patch

from hypothesis import strategies as st

from aepmock.client_api import ClientSettings, NewConnection
from aepmock.faults import FaultInjector
from aepmock.judge import Transcript
from aepmock.live.outbound.handler import LiveHandler
from aepmock.live.outbound.throttle import is_disturbance
from aepmock.live.session.cleanup import delete_all
from aepmock.live.session.journal import name_prefix
from aepmock.live.session.shared_state import LiveStopped
from aepmock.live.settings import missing_credentials
from aepmock.live.suite.scenario import LiveScenario, OutOfReach
from aepmock.net import IMS, PLATFORM, ims_token_url
from aepmock.strategies import new_connections, owned_texts, renames
from aepmock.suite.config import SuiteConfig
from aepmock.suite.harness import ClientHarness
from aepmock.suite.programs import environment
from aepmock.suite.scenario import Scenario

TIMEOUT_S = 60.0
MOST_VALUES = 4
"""How many of the values that a test goes through are tried."""
SHORTEST_SECRET = 8
"""What is shorter may stand anywhere by chance, and would be taken for a secret."""
TRIES = 2
"""How often an example is begun that was disturbed."""


class LiveHarness(ClientHarness):
    """A client, a real sandbox and a judge, for one test."""

    timeout_s = TIMEOUT_S
    deadline_s = 5 * TIMEOUT_S
    most_requests = 60
    guards_everywhere = True

    def __init__(self, config: SuiteConfig, name: str, handler: LiveHandler) -> None:
        super().__init__(config, name, "default", {})
        self.live = handler
        self.home = handler.settings.sandbox
        self.injector = FaultInjector(self.contract, handler.handle)
        self.service.gateway.add_sandbox(handler.settings.org_id, self.home)
        self.redactor = handler.redactor

    def __enter__(self) -> LiveHarness:
        # A client that minds the proxy of the environment would look for the kit there.
        self._stack.enter_context(patch.dict(os.environ, environment(os.environ)))
        super().__enter__()
        self.learn((*self.live.settings.secrets, *self._run_tokens()))
        return self

    def _call_first(self) -> None:
        """Each call costs requests; those of the tests are judged as they are."""

    def settings_for(self, sandbox: str, *, other_org: bool) -> ClientSettings:
        settings, origin = self.live.settings, self._origin
        return ClientSettings(
            base_url=(origin or PLATFORM) + self.contract.base_path,
            access_token=self.live.tokens.current(),
            api_key=settings.client_id,
            ims_org_id=settings.org_id,
            sandbox_name=sandbox,
            ims_token_url=ims_token_url(origin or IMS),
            client_id=settings.client_id,
            client_secret=settings.client_secret,
            scopes=settings.scopes,
            timeout_s=self.timeout_s,
        )

    def virtual_time(self) -> AbstractContextManager[None]:
        """A client that waits for a real service waits in earnest."""
        return nullcontext()

    def name(self, text: str) -> str:
        """A name of the run's, and never the same one again."""
        return self.live.fresh_name(text)

    def named_afresh(self, connection: NewConnection) -> NewConnection:
        """The same connection under a name that no create of the run has had."""
        text = re.sub(rf"{name_prefix(self.live.plan.run)}(?:\d+-)?", "", connection.name, count=1)
        return replace(connection, name=self.name(text))

    def valid_connections(self) -> st.SearchStrategy[NewConnection]:
        return new_connections(
            self.connector,
            descriptions=self.config.descriptions,
            versions=self.config.versions,
            names=owned_texts("").map(self.name),
            params=self._params(),
        )

    def plain_connection(self) -> NewConnection:
        plain = super().plain_connection()
        return NewConnection(**{**vars(plain), "auth_params": self._params()})

    @cached_property
    def canaries(self) -> Mapping[str, str]:
        """The user's own secrets for the connector: nobody hits upon one by chance."""
        spec = self.connector.auth[0] if self.connector.auth else None
        secret = spec.secrets if spec else ()
        return {
            name: value
            for name, value in self._params().items()
            if name in secret and len(value) >= SHORTEST_SECRET
        }

    def patches(self) -> st.SearchStrategy[list[dict[str, Any]]]:
        return renames(owned_texts("").map(self.name))

    def check_creating(self) -> None:
        """Raises OutOfReach where there are no credentials for the connector."""
        lacking = missing_credentials(self.live.settings, self.config.connector)
        if lacking:
            raise OutOfReach(f"creates need {', '.join(lacking)}")

    def _params(self) -> Mapping[str, Any]:
        spec = self.connector.auth[0] if self.connector.auth else None
        given = self.live.settings.credentials.get(self.config.connector, {})
        return {p.name: given[p.name] for p in (spec.params if spec else ()) if p.name in given}

    def run_each(self, values: Iterable[Any], example: Callable[..., None]) -> None:
        """The first few of the values: each costs requests."""
        for value in list(values)[: max(self.config.examples, MOST_VALUES)]:
            for _ in range(TRIES):
                with self._scenario(None) as scenario:
                    if scenario is None:
                        return
                    example(scenario, value)
                if not scenario.disturbed:
                    break

    def _explore(self, search: Callable[[str | None], None]) -> None:
        """Looks for what is broken; to look for a smaller example would cost requests."""
        search(None)

    def _dry_scenario(self) -> Scenario:
        return LiveScenario(self, Transcript(self.contract, live=True), self.injector)

    @contextmanager
    def _scenario(self, wanted: str | None) -> Iterator[LiveScenario | None]:
        """One judged example, and what it created deleted again; None once the budget is spent."""
        self.live.throttle.wait()
        if self.live.throttle.spent() or not self.ready():
            yield None
            return
        self.recorder.take()
        transcript = Transcript(
            self.contract, tokens=set(self.tokens) | self._run_tokens(), live=True
        )
        scenario = LiveScenario(self, transcript, self.injector)
        scenario.watch()
        try:
            yield scenario
        except OutOfReach as reason:
            self._note(str(reason))
        finally:
            delete_all(self.live)
        transcript.tokens |= self._run_tokens()
        self._cut_disturbed(scenario)
        self._judge(scenario, wanted)

    def _run_tokens(self) -> set[str]:
        return set(self.live.tokens.known())

    def _cut_disturbed(self, scenario: LiveScenario) -> None:
        """Leaves out of the judging the first call that was disturbed, and all that came later."""
        calls = scenario.transcript.calls
        for number, call in enumerate(calls):
            if any(is_disturbance(e.response) for e in call.exchanges):
                scenario.disturbed = True
                del calls[number:]
                return

    def _note(self, text: str) -> None:
        with self.live.state.changing() as state:
            if text not in state.notes:
                state.notes.append(text)

    def _reproduce(self, clause: str) -> str:
        return super()._reproduce(clause).replace("aepmock judge", "aepmock judge --live", 1)

    def _check_made(self, driver: Any, settings_: ClientSettings) -> None:
        if isinstance(driver.made.raised, LiveStopped):
            raise driver.made.raised
        super()._check_made(driver, settings_)

    def stop_if_told(self) -> None:
        """Raises LiveStopped once nothing more may be sent, whatever the client made of it."""
        state = self.live.state.look()
        if state.stopped or state.ended:
            raise LiveStopped(state.stopped or state.ended)
