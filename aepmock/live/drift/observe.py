"""Observers of a live run: each sees every exchange, and reports at the end what it learned."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from aepmock.contract import load_contract
from aepmock.judge import LiveRow
from aepmock.live.drift.sanitize import Sight
from aepmock.live.drift.walk import Drift
from aepmock.live.session.plan import Plan
from aepmock.messages import Exchange

ANSWERS = "answers.json-form"


class Watch(Protocol):
    """Looks on in one process of a run. Is shown secrets, and keeps them in memory only."""

    def __call__(self, exchange: Exchange) -> None:
        """An exchange with the sandbox, in order; the kit's own are among them."""

    def rows(self) -> Iterable[LiveRow]:
        """What it showed, redacted: for the report. Asked once, when all is over."""


def watches(plan: Plan) -> list[Watch]:
    """Those of a run."""
    return [DriftWatch(plan)]


class DriftWatch:
    """Holds what one process of a run sees against the mock, and records it where that is asked."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._odd = 0
        settings = plan.settings
        named = {"CLIENT_SECRET": settings.client_secret, "ACCESS_TOKEN": settings.access_token}
        self._drift = Drift(
            Sight(
                load_contract(),
                api_key=settings.client_id,
                ims_org_id=settings.org_id,
                sandbox_name=settings.sandbox,
                secrets={name: value for name, value in named.items() if value},
                guarded=True,
            ),
            now=_now,
        )

    def __call__(self, exchange: Exchange) -> None:
        try:
            self._drift(exchange)
        except Exception:
            # Whatever a service answers must not end a run that has something to delete.
            self._odd += 1

    def rows(self) -> Iterable[LiveRow]:
        """What was confirmed, what drifted, what was not seen; keeps the recording first."""
        seen = self._drift.exchanges
        if self._plan.settings.record:
            from aepmock.live.drift.recording import keep_recording

            worker = os.environ.get("PYTEST_XDIST_WORKER")
            words = [_stamp(self._plan.started_ms), self._plan.run, *([worker] if worker else [])]
            secrets = (*self._plan.settings.secrets, *self._drift.sight.secrets)
            keep_recording(Path(self._plan.settings.record), "-".join(words), seen, secrets)
        try:
            rows = self._drift.findings().rows if seen else ()
        except Exception:
            rows, self._odd = (), self._odd + 1
        return (*rows, *self._not_compared())

    def _not_compared(self) -> Iterator[LiveRow]:
        if self._odd:
            got = f"{self._odd} that the kit could not compare; please report this"
            yield LiveRow(ANSWERS, "drifted", expected="answers of the documented form", got=got)


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _stamp(epoch_ms: int) -> str:
    """A time as files sort by it: "2026-11-24T230112Z"."""
    return datetime.fromtimestamp(epoch_ms / 1000, UTC).strftime("%Y-%m-%dT%H%M%SZ")
