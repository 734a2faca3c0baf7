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
    HEADER_BREAKERS,
    MARKED,
    awkward_ids,
    explorations,
    filters,
    new_connections,
    orders,
    owned_texts,
    patches,
    renames,
    secrets,
    text_outside_ascii,
    texts,
)
from aepmock.strategies.values import AWKWARD_PARAMS, SOURCE_PARAMS, explored

__all__ = [
    "AWKWARD",
    "AWKWARD_IDS",
    "AWKWARD_PARAMS",
    "HEADER_BREAKERS",
    "MARKED",
    "SOURCE_PARAMS",
    "STRANGE_ETAGS",
    "answers",
    "awkward_ids",
    "bad_successes",
    "explorations",
    "explored",
    "filters",
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
