"""Hypothesis strategies: valid inputs by connector, and answers in every documented form."""

from __future__ import annotations

from aepmock.strategies import answers
from aepmock.strategies.answers import (
    STRANGE_ETAGS,
    bad_successes,
    injected_answers,
    refusal,
    refusals,
    variations,
)
from aepmock.strategies.inputs import (
    AWKWARD,
    AWKWARD_IDS,
    awkward_ids,
    explorations,
    filters,
    header_breakers,
    new_connections,
    orders,
    owned_texts,
    patches,
    renames,
    text_outside_ascii,
    texts,
)

__all__ = [
    "AWKWARD",
    "AWKWARD_IDS",
    "STRANGE_ETAGS",
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
    "text_outside_ascii",
    "texts",
    "variations",
]
