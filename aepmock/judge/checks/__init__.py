"""The checks, by clause. A check yields None for what was met and a Violation for what was not."""

from __future__ import annotations

from aepmock.judge.checks import (
    asking,
    behaving,
    bodies,
    counts,
    create,
    errors,
    exploring,
    headers,
    independence,
    items,
    lifecycle,
    lists,
    program,
    reading,
    responses,
    retries,
    secrets,
    tls,
    tokens,
    update,
    urls,
    values,
)
from aepmock.judge.checks.registry import TRANSCRIPT_CHECKS, WIRE_CHECKS, needs, why_idle

MODULES = (
    responses,
    asking,
    behaving,
    bodies,
    create,
    program,
    errors,
    exploring,
    headers,
    independence,
    items,
    lists,
    counts,
    lifecycle,
    reading,
    retries,
    secrets,
    tokens,
    tls,
    update,
    urls,
    values,
)
"""Where the checks stand: each module registers its own when it is imported."""

__all__ = ["MODULES", "TRANSCRIPT_CHECKS", "WIRE_CHECKS", "needs", "why_idle"]
