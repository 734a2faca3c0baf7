"""PATCH: JSON Patch as RFC 6902 has it, on what a connection lets be changed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.service.flow_caller import HUBSPOT, Caller, code_of

PARAMS = HUBSPOT["auth"]["params"]
AUTH = HUBSPOT["auth"]


def after(operations: Any) -> dict[str, Any]:
    """The patchable fields of a fresh connection after the operations."""
    caller = Caller()
    made = caller.create()
    response = caller.patch(made, operations)
    assert response.status == 200, response.body
    item = caller.read(made)
    return {k: item[k] for k in ("name", "description", "auth", "state") if k in item}


def refused(operations: Any) -> str:
    """The text of the refusal; nothing has changed."""
    caller = Caller()
    made = caller.create()
    before = caller.read(made)
    response = caller.patch(made, operations)
    assert code_of(response) == "1455-400", response.body
    assert caller.read(made) == before
    text = response.json["report"]["message"]
    assert isinstance(text, str)
    return text


BEFORE = {
    "name": HUBSPOT["name"],
    "description": HUBSPOT["description"],
    "auth": AUTH,
    "state": "enabled",
}


@pytest.mark.parametrize(
    ("operations", "changed"),
    [
        ([{"op": "replace", "path": "/name", "value": "x"}], {"name": "x"}),
        ({"op": "replace", "path": "/name", "value": "x"}, {"name": "x"}),
        ([{"op": "REPLACE", "path": "/name", "value": "x"}], {"name": "x"}),
        ([{"op": "Add", "path": "/description", "value": ""}], {"description": ""}),
        (
            [
                {"op": "add", "path": "/name", "value": "a"},
                {"op": "add", "path": "/name", "value": "b"},
            ],
            {"name": "b"},
        ),
        (
            [{"op": "replace", "path": "/auth/params", "value": {"clientId": "x"}}],
            {"auth": {**AUTH, "params": {"clientId": "x"}}},
        ),
        (
            [{"op": "add", "path": "/auth/params/a~1b~0c~01", "value": None}],
            {"auth": {**AUTH, "params": {**PARAMS, "a/b~c~1": None}}},
        ),
        (
            [{"op": "add", "path": "/auth/params/", "value": 1}],
            {"auth": {**AUTH, "params": {**PARAMS, "": 1}}},
        ),
        (
            [
                {"op": "add", "path": "/auth/params/list", "value": [1, 2, 3]},
                {"op": "remove", "path": "/auth/params/list/0"},
                {"op": "add", "path": "/auth/params/list/1", "value": "between"},
                {"op": "add", "path": "/auth/params/list/-", "value": "last"},
                {"op": "replace", "path": "/auth/params/list/0", "value": {"a": []}},
                {"op": "add", "path": "/auth/params/list/0/a/0", "value": True},
            ],
            {
                "auth": {
                    **AUTH,
                    "params": {**PARAMS, "list": [{"a": [True]}, "between", 3, "last"]},
                }
            },
        ),
        (
            [{"op": "replace", "path": "", "value": {**BEFORE, "name": "whole"}}],
            {"name": "whole"},
        ),
        ([{"op": "replace", "path": "/state", "value": "disabled"}], {"state": "disabled"}),
        ([{"op": "remove", "path": "/description", "value": "ignored"}], {"description": None}),
        ([{"op": "remove", "path": "/auth/params"}], {"auth": {**AUTH, "params": {}}}),
        (
            [
                {"op": "remove", "path": "/auth/params/clientId"},
                {"op": "add", "path": "/auth/params/clientId", "value": "back"},
            ],
            {"auth": {**AUTH, "params": {**PARAMS, "clientId": "back"}}},
        ),
    ],
)
def test_operations_do_what_the_rfc_says(operations: Any, changed: dict[str, Any]) -> None:
    expected = {k: v for k, v in {**BEFORE, **changed}.items() if v is not None}
    assert after(operations) == expected


@pytest.mark.parametrize(
    ("operations", "text"),
    [
        ({"path": "/name", "value": "x"}, 'Missing field "op".'),
        ({"op": "replace", "value": "x"}, 'Missing field "path".'),
        ({"op": "replace", "path": "/name"}, 'Missing field "value".'),
        ({"op": "replace", "path": 5, "value": "x"}, 'Missing field "path".'),
        ({"op": "replace", "path": None, "value": "x"}, 'Missing field "path".'),
        ({"op": "replace", "path": ["name"], "value": "x"}, 'Missing field "path".'),
        ({"op": 1, "path": "/name", "value": "x"}, 'Missing field "op".'),
        ({"op": "remove", "path": "/zzz"}, 'Missing field "zzz".'),
        ({"op": "replace", "path": "/zzz", "value": 1}, 'Missing field "zzz".'),
        ({"op": "add", "path": "/a/b", "value": 1}, 'Missing field "b".'),
        ({"op": "add", "path": "/zzz", "value": 1}, 'Missing field "zzz".'),
        ({"op": "add", "path": "name", "value": 1}, 'The path "name" does not begin with /.'),
        ({"op": "add", "path": "/a~2b", "value": 1}, 'Missing field "a~2b".'),
        ({"op": "add", "path": "/name/0", "value": "x"}, 'Missing field "0".'),
        ({"op": "remove", "path": "/name/0"}, 'Missing field "0".'),
        ({"op": "remove", "path": "/name/-"}, 'Missing field "-".'),
        ({"op": "replace", "path": "/name", "value": 1}, 'Invalid value of field "name".'),
        ({"op": "replace", "path": "/name", "value": None}, 'Invalid value of field "name".'),
        ({"op": "replace", "path": "/auth/params", "value": []}, 'of field "auth.params".'),
        ({"op": "remove", "path": "/auth"}, 'The field "auth" can\'t be removed.'),
        ({"op": "remove", "path": "/auth/specName"}, 'Missing field "specName".'),
        ({"op": "remove", "path": "/state"}, 'The field "state" can\'t be removed.'),
        ({"op": "remove", "path": ""}, 'Missing field "".'),
        ({"op": "replace", "path": "", "value": []}, "The connection can't be replaced."),
        ({"op": "replace", "path": "", "value": "x"}, "The connection can't be replaced."),
        ({"op": "replace", "path": "", "value": {"state": "enabled"}}, "can't be removed."),
        ({"op": "replace", "path": "", "value": {**BEFORE, "id": "x"}}, 'Missing field "id".'),
        ({"op": "replace", "path": "/id", "value": "x"}, 'Missing field "id".'),
        ({"op": "replace", "path": "/createdAt", "value": 1}, 'Missing field "createdAt".'),
        ({"op": "add", "path": "/auth/params/clientId/x", "value": 1}, 'Missing field "x".'),
    ],
)
def test_what_can_not_be_applied_is_refused_with_its_place(operations: Any, text: str) -> None:
    assert refused(operations).endswith(text)


@pytest.mark.parametrize("index", ["01", "-1", "4", "1e0", "x", "", "٣", "9" * 5_000])
def test_what_is_no_index_of_an_array_is_refused(index: str) -> None:
    operations = [
        {"op": "add", "path": "/auth/params/list", "value": [1, 2, 3]},
        {"op": "add", "path": f"/auth/params/list/{index}", "value": 0},
    ]
    assert refused(operations) == f'Missing field "{index}".'


def test_operations_are_applied_all_or_none() -> None:
    refused(
        [
            {"op": "replace", "path": "/name", "value": "changed"},
            {"op": "replace", "path": "/auth/params", "value": {}},
            {"op": "remove", "path": "/zzz"},
        ]
    )


@pytest.mark.parametrize("value", ["draft", "delete-finalizing", "", None, 1, {"a": [1]}, ["x"]])
def test_a_state_that_is_none_is_refused_however_it_is_put_in(value: Any) -> None:
    for operation in (
        {"op": "replace", "path": "/state", "value": value},
        {"op": "replace", "path": "", "value": {**BEFORE, "state": value}},
    ):
        caller = Caller()
        made = caller.create()
        response = caller.patch(made, operation)
        assert code_of(response) == "1456-400"
        assert caller.read(made)["state"] == "enabled"


def test_the_connection_spec_can_not_come_in_with_the_whole_document() -> None:
    caller = Caller()
    whole = {**BEFORE, "connectionSpec": {"id": "x", "version": "1"}}
    response = caller.patch(caller.create(), {"op": "replace", "path": "", "value": whole})
    assert code_of(response) == "1414-400"


def test_small_patches_can_not_build_a_deep_document() -> None:
    caller = Caller()
    made = caller.create()
    level: Any = 1
    for _ in range(40):
        level = {"a": level}
    first = {"op": "add", "path": "/auth/params/a", "value": level}
    assert caller.patch(made, first).status == 200
    second = {"op": "add", "path": "/auth/params" + "/a" * 41, "value": level}
    assert code_of(caller.patch(made, second)) == "1455-400"
    chain = [
        {"op": "add", "path": "/auth/params" + "/a" * length, "value": {}}
        for length in range(1, 300)
    ]
    assert code_of(caller.patch(made, chain)) == "1455-400"
    assert caller.send("GET", f"/connections/{made}").status == 200


def additions(count: int) -> list[dict[str, Any]]:
    return [
        {"op": "add", "path": f"/auth/params/p{number}", "value": number} for number in range(count)
    ]


def test_a_thousand_operations_are_carried_out() -> None:
    assert len(after(additions(1_000))["auth"]["params"]) == 1_004


def test_more_operations_are_beyond_the_mock_and_the_answer_says_so() -> None:
    caller = Caller()
    made = caller.create()
    answer = caller.patch(made, additions(1_001))
    assert answer.status == 413
    assert answer.json["title"] == "A limit of the mock"
    assert "x-aepmock-clause" not in answer.headers


def test_a_path_without_end_is_refused() -> None:
    assert "characters" in refused([{"op": "add", "path": "/a" * 1_000_000, "value": 1}])
