"""Generated secrets are unmistakable: masking them takes no other word out of a finding."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import find, given, settings
from hypothesis import strategies as st

from aepmock.client_api import NewConnection
from aepmock.contract import load_contract
from aepmock.redaction import MARK, Redactor
from aepmock.strategies import MARKED, new_connections, patches, secrets
from aepmock.suite.scenario import auth_params

HUBSPOT = load_contract().connectors["hubspot"]
QUICKLY = settings(max_examples=60, database=None, deadline=None)
THOROUGHLY = settings(max_examples=1000, database=None)

# Hypothesis draws from what stands in the modules that it runs; a client's source is such a one.
WORDS = ("connectionSpec.version", "If-Match", "/connections", "Content-Type", "application/json")


@QUICKLY
@given(connection=new_connections(HUBSPOT), operations=patches())
def test_no_generated_secret_is_a_word(
    connection: NewConnection, operations: list[Mapping[str, Any]]
) -> None:
    args: Mapping[str, Any] = {"connection": connection, "operations": operations}
    drawn = auth_params(args)
    assert all(value.count(MARKED) == 1 for value in drawn)
    redactor = Redactor(values=drawn)
    assert [redactor.text(word) for word in WORDS] == list(WORDS)


@QUICKLY
@given(value=secrets())
def test_a_generated_secret_is_masked_however_it_is_shown(value: str) -> None:
    redactor = Redactor(values=[value])
    assert redactor.text(f"got {value}") == f"got {MARK}"
    assert MARKED not in redactor.text(repr({"clientSecret": value}))


@pytest.mark.parametrize("character", "+/=&%\"' ü日")
def test_a_generated_secret_may_hold_what_clients_get_wrong(character: str) -> None:
    find(secrets(), lambda value: character in value, settings=THOROUGHLY)


def test_what_stands_beside_the_core_can_be_chosen() -> None:
    templates = st.sampled_from([("{{", "}}"), ("%(", ")s")])
    value = find(secrets(templates), lambda v: v.startswith("%("), settings=THOROUGHLY)
    assert value.startswith(f"%({MARKED}")
    assert value.endswith(")s")
