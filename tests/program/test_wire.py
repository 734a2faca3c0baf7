"""The lines of the protocol: what the kit writes, and how it reads what comes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings

from aepmock.client_api import OPERATIONS, ClientSettings, NewConnection
from aepmock.clients.program.jsonlines import (
    MAX_INTEGER,
    PARAMETERS,
    UnwrittenError,
    all_args,
    parse,
    read_answer,
    read_hello,
    request_line,
)
from aepmock.contract import load_contract
from aepmock.strategies import explorations, new_connections, patches

HUBSPOT = load_contract().connectors["hubspot"]
SETTINGS = ClientSettings("http://127.0.0.1:1/x", "t", "k", "o", "dev", "i", "c", "s", "openid")


def test_a_call_has_id_op_settings_and_every_argument() -> None:
    args = all_args("list_connections", {"limit": 2})
    line = request_line(3, "list_connections", args, SETTINGS)
    assert json.loads(line) == {
        "id": 3,
        "op": "list_connections",
        "settings": {
            "base_url": "http://127.0.0.1:1/x",
            "access_token": "t",
            "api_key": "k",
            "ims_org_id": "o",
            "sandbox_name": "dev",
            "ims_token_url": "i",
            "client_id": "c",
            "client_secret": "s",
            "scopes": "openid",
            "timeout_s": 5.0,
            "ca_file": None,
        },
        "args": {"limit": 2, "property": [], "orderby": None},
    }


def test_hello_and_bye_are_written_as_documented() -> None:
    assert json.loads(request_line(0, "hello", {"protocol": 1})) == {
        "id": 0,
        "op": "hello",
        "args": {"protocol": 1},
    }
    assert json.loads(request_line(9, "bye")) == {"id": 9, "op": "bye"}


def test_every_operation_has_its_arguments() -> None:
    assert set(PARAMETERS) == set(OPERATIONS)
    assert list(PARAMETERS["update_connection"]) == ["connection_id", "etag", "operations"]


@given(connection=new_connections(HUBSPOT))
@settings(max_examples=50, deadline=None)
def test_a_connection_arrives_as_it_is_in_one_line_of_ascii(connection: NewConnection) -> None:
    line = request_line(1, "create_connection", {"connection": connection}, SETTINGS)
    assert line.isascii()
    assert b"\n" not in line
    sent = json.loads(line)["args"]["connection"]
    assert sent["name"] == connection.name
    assert sent["description"] == connection.description
    assert sent["auth_params"] == dict(connection.auth_params)


@given(operations=patches(HUBSPOT), exploration=explorations(HUBSPOT))
@settings(max_examples=50, deadline=None)
def test_everything_that_the_suite_makes_up_can_be_written(
    operations: list[dict[str, Any]], exploration: dict[str, Any]
) -> None:
    assert request_line(1, "update_connection", {"operations": operations})
    assert request_line(1, "explore_connection", exploration)


@pytest.mark.parametrize("value", ["\ud800", "a\udfffb", MAX_INTEGER + 1, -MAX_INTEGER - 1])
def test_what_i_json_forbids_is_not_written(value: object) -> None:
    with pytest.raises(UnwrittenError):
        request_line(1, "get_connection", {"connection_id": [{"a": value}]})


@pytest.mark.parametrize(
    "line",
    [b"", b"Listening", b"1", b"[]", b'"x"', b"null", b'{"id": NaN}', b"\xff", b"[" * 100_000],
)
def test_a_line_that_is_no_object_is_no_answer(line: bytes) -> None:
    assert parse(line) is None


@pytest.mark.parametrize(
    ("message", "result", "error", "flaw"),
    [
        ({"result": {"id": "x"}}, {"id": "x"}, None, ""),
        ({"result": None}, None, None, ""),
        ({"result": 1, "error": None}, 1, None, ""),
        ({"error": {"status": 404, "code": None, "message": "m"}}, None, 404, ""),
        ({"result": None, "error": {"status": 404}}, None, 404, ""),
        ({"result": {}, "error": {"status": 404}}, None, 404, "both a result and an error"),
        ({}, None, None, "neither result nor error"),
        ({"error": None}, None, None, "neither result nor error"),
        ({"error": "gone"}, None, None, "an error that is a string, not an object"),
        ({"error": {"status": "404"}}, None, "404", "a status that is a string, neither"),
        ({"error": {"status": True}}, None, True, "a status that is a boolean"),
        ({"error": {"code": 403010}}, None, None, "a code that is a number"),
        ({"error": {"message": ["m"]}}, None, None, "a message that is an array"),
    ],
)
def test_the_form_of_an_answer_is_told(
    message: dict[str, Any], result: object, error: object, flaw: str
) -> None:
    answer = read_answer({"id": 4, **message})
    assert (answer.id, answer.result) == (4, result)
    assert (answer.error or {}).get("status") == error
    assert answer.flaw.startswith(flaw)
    assert bool(answer.flaw) == bool(flaw)


@pytest.mark.parametrize(
    ("result", "said"),
    [
        (None, "a result that is null, not an object"),
        ({"operations": []}, "no name"),
        ({"name": " ", "operations": []}, "a name that is an empty string"),
        ({"name": 1, "operations": []}, "a name that is a number"),
        ({"name": "x"}, "no array of operations"),
        ({"name": "x", "operations": [1]}, "no array of operations"),
        ({"name": "x", "operations": ["get"]}, "unknown operation 'get'"),
        ({"name": "x", "operations": []}, "no create_connection among the operations"),
    ],
)
def test_what_is_wrong_with_a_hello_is_told(result: Any, said: str) -> None:
    found = read_hello(read_answer({"id": 0, "result": result}))
    assert isinstance(found, str)
    assert found.startswith(said)


def test_a_hello_with_an_error_is_told_with_its_message() -> None:
    answer = read_answer({"id": 0, "error": {"message": "only protocol 2"}})
    assert read_hello(answer) == "an error: only protocol 2"
