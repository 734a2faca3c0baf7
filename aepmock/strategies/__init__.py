"""Hypothesis strategies: valid inputs by connector, and answers in every documented form."""

from __future__ import annotations

from aepmock.strategies import answers
from aepmock.strategies.answers import (
    bad_successes,
    injected_answers,
    refusal,
    refusals,
    variations,
)
from aepmock.strategies.inputs import (
    AWKWARD,
    AWKWARD_IDS,
    MARKED,
    awkward_ids,
    explorations,
    filters,
    header_breakers,
    new_connections,
    orders,
    owned_texts,
    patches,
    renames,
    secrets,
    text_outside_ascii,
    texts,
)

__all__ = [
    "AWKWARD",
    "AWKWARD_IDS",
    "MARKED",
    "answers",
    "awkward_ids",
    "bad_successes",
    "explorations",
    "filters",
    "header_breakers",
    "injected_answers",
    "new_connections",
    "orders",
    "owned_texts",
    "patches",
    "refusal",
    "refusals",
    "renames",
    "secrets",
    "text_outside_ascii",
    "texts",
    "variations",
]
