"""Who looks on at a live run: each is shown every exchange, and says at the end what it learned."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from aepmock.judge import LiveRow
from aepmock.live.plan import Plan
from aepmock.messages import Exchange


class Watch(Protocol):
    """Looks on in one process of a run. Is shown secrets, and keeps them in memory only."""

    def __call__(self, exchange: Exchange) -> None:
        """An exchange with the sandbox, in order; the kit's own are among them."""

    def rows(self) -> Iterable[LiveRow]:
        """What it showed, redacted: for the report."""


def watches(plan: Plan) -> list[Watch]:
    """Those of a run."""
    return []
