"""The quick check says what jsonschema says."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aepmock.contract import load_contract
from aepmock.contract.checking import compile_check

CONTRACT = load_contract()
BODIES = ["create-connection", "search-connections", "state-action"]

leaves = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3)
)
keys = st.sampled_from(
    ["name", "description", "auth", "specName", "params", "connectionSpec", "id", "version",
     "queryString", "limit", "orderby", "count", "percentCompleted", "status", "value",
     "properties", "errors", "recordTypes", "x"]
)  # fmt: skip
documents = st.recursive(
    leaves, lambda below: st.lists(below, max_size=3) | st.dictionaries(keys, below, max_size=4)
)


@pytest.mark.parametrize("schema", BODIES)
def test_the_schemas_of_bodies_are_understood(schema: str) -> None:
    assert compile_check(CONTRACT.schemas[schema]) is not None


@given(st.sampled_from(BODIES), documents)
def test_a_document_fits_where_jsonschema_says_so(schema: str, document: Any) -> None:
    assert CONTRACT.fits(schema, document) == CONTRACT.validator(schema).is_valid(document)


def test_a_schema_with_other_keywords_is_left_to_jsonschema() -> None:
    assert compile_check({"type": "string", "pattern": "x"}) is None
    assert compile_check({"properties": {"a": {"enum": [1]}}}) is None
    assert compile_check({"items": {"const": 1}}) is None
    assert compile_check({"type": ["string", "null"]}) is None
    assert not CONTRACT.fits("error-envelope", {})


@pytest.mark.parametrize(
    ("schema", "document", "fits"),
    [
        ({}, None, True),
        ({"type": "integer"}, 1.0, True),
        ({"type": "integer"}, 1.5, False),
        ({"type": "integer"}, True, False),
        ({"type": "number"}, True, False),
        ({"minimum": 1, "maximum": 2}, "x", True),
        ({"minimum": 1}, 0, False),
        ({"maximum": 2}, 3, False),
        ({"required": ["a"]}, {}, False),
        ({"required": ["a"]}, [], True),
        ({"items": {"type": "null"}}, [None, 0], False),
    ],
)
def test_a_keyword_means_what_json_schema_says(schema: Any, document: Any, fits: bool) -> None:
    check = compile_check(schema)
    assert check is not None
    assert check(document) is fits
