"""The checks, by clause. A check yields None for what was met and a Problem for what was not."""

from __future__ import annotations

from aepmock.judge.checks import (
    answering,
    asking,
    behaving,
    bodies,
    creating,
    driving,
    erring,
    exploring,
    headers,
    independence,
    items,
    listing,
    living,
    reading,
    retrying,
    secrecy,
    tokens,
    trusting,
    updating,
    urls,
    values,
)
from aepmock.judge.checks.registry import SESSION_CHECKS, WIRE_CHECKS, needs, why_idle

MODULES = (
    answering,
    asking,
    behaving,
    bodies,
    creating,
    driving,
    erring,
    exploring,
    headers,
    independence,
    items,
    listing,
    living,
    reading,
    retrying,
    secrecy,
    tokens,
    trusting,
    updating,
    urls,
    values,
)
"""Where the checks stand: each module registers its own when it is imported."""

__all__ = ["MODULES", "SESSION_CHECKS", "WIRE_CHECKS", "needs", "why_idle"]
