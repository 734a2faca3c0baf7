"""The life of a connection: made, read, changed, published, tested, deleted."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aepmock.contract import load_contract
from aepmock.service import FlowService
from tests.service.flow_caller import HUBSPOT, Caller, code_of

CONTRACT = load_contract()


def test_a_create_answers_with_id_etag_and_place() -> None:
    response = Caller().try_create()
    assert response.status == 201
    assert sorted(response.json) == ["etag", "id"]
    assert response.headers.get("location") == f"/connections/{response.json['id']}"
    assert "x-aepmock-clause" not in response.headers


def test_a_read_gives_what_was_created_in_the_documented_form() -> None:
    caller = Caller()
    response = caller.try_create()
    item = caller.read(response.json["id"])
    assert not list(CONTRACT.validator("connection").iter_errors(item))
    assert {name: item[name] for name in HUBSPOT} == HUBSPOT
    assert item["etag"] == item["version"] == response.json["etag"]
    assert item["createdBy"] == item["createdClient"] == caller.credentials.client_id
    assert item["imsOrgId"] == caller.credentials.ims_org_id
    assert (item["state"], item["sandboxName"]) == ("enabled", "dev")
    assert item["createdAt"] == item["updatedAt"]


def test_the_last_group_of_an_etag_is_the_second_of_the_write() -> None:
    caller = Caller()
    item = caller.read(caller.create())
    assert item["etag"].endswith(f'-{item["updatedAt"] // 1000:08x}0000"')


def test_what_was_not_given_is_not_there() -> None:
    caller = Caller()
    item = caller.read(caller.create(description=None))
    assert "description" not in item


def test_unknown_fields_of_a_create_are_ignored() -> None:
    caller = Caller()
    item = caller.read(caller.create(providerId="521eee4d-8cbe-4906-bb48-fb6bd4450033", x=[]))
    assert "providerId" not in item


@pytest.mark.parametrize(
    "name", ["", " ", "\0", "日本語", "\ud800", "👩‍👩‍👧", "\u202e", '"', "x" * 100_000]
)
def test_any_name_comes_back_as_it_was_given(name: str) -> None:
    caller = Caller()
    assert caller.read(caller.create(name=name))["name"] == name


def test_names_need_not_be_unique() -> None:
    caller = Caller()
    assert caller.create() != caller.create()
    assert len(caller.names()) == 2


@pytest.mark.parametrize("value", [None, "", 0])
def test_a_required_param_that_is_null_or_empty_is_missing(value: Any) -> None:
    params = {**HUBSPOT["auth"]["params"], "refreshToken": value}
    response = Caller().try_create(auth={"specName": "Basic Authentication", "params": params})
    assert response.ok == (value == 0)


def test_a_refusal_repeats_no_secret() -> None:
    caller = Caller()
    secret = "the-secret-value"
    auth = {"specName": "Basic Authentication", "params": {"clientSecret": secret}}
    made = caller.create()
    answers = [
        caller.try_create(auth=auth),
        caller.try_create(auth=secret),
        caller.try_create(auth={**auth, "params": secret}),
        caller.send("POST", "/connections", body=json.dumps(auth).encode()[:-1]),
        caller.patch(made, {"op": "add", "path": "/auth/params/x/y", "value": secret}),
        caller.patch(made, {"op": "replace", "path": "/auth", "value": secret}),
        caller.patch(made, {"op": "add", "path": "", "value": auth["params"]}),
    ]
    for answer in answers:
        assert answer.status == 400
        assert secret.encode() not in answer.body
        assert b"the client secret" not in answer.body


def test_every_update_makes_a_new_etag_and_moves_only_updated_at() -> None:
    caller = Caller()
    made = caller.create()
    before = caller.read(made)
    etags = {before["etag"]}
    for number in range(20):
        caller.service.clock.advance(0.5)
        response = caller.patch(made, {"op": "replace", "path": "/name", "value": str(number)})
        assert response.json == {"id": made, "etag": response.json["etag"]}
        etags.add(response.json["etag"])
    after = caller.read(made)
    assert len(etags) == 21
    assert after["etag"] in etags
    assert after["createdAt"] == before["createdAt"] < after["updatedAt"]


def test_a_stale_etag_loses() -> None:
    caller = Caller()
    made = caller.create()
    etag = caller.read(made)["etag"]
    rename = {"op": "replace", "path": "/name", "value": "first"}
    assert caller.patch(made, rename, etag).status == 200
    second = caller.patch(made, {**rename, "value": "second"}, etag)
    assert second.status == 412
    assert second.json["report"]["version"] == etag
    assert second.json["report"]["currentVersion"] == caller.read(made)["etag"]
    assert caller.read(made)["name"] == "first"


@pytest.mark.parametrize("form", ["{}", " {} ", "*"])
def test_an_if_match_that_fits_is_taken(form: str) -> None:
    caller = Caller()
    made = caller.create()
    etag = form.format(caller.read(made)["etag"])
    assert caller.patch(made, {"op": "remove", "path": "/description"}, etag).status == 200


@pytest.mark.parametrize("form", ["W/{}", "{},{}", "'{}'", '"{}"', "x"])
def test_an_if_match_that_does_not_fit_is_stale(form: str) -> None:
    caller = Caller()
    made = caller.create()
    etag = caller.read(made)["etag"]
    response = caller.patch(made, {"op": "remove", "path": "/name"}, form.format(etag, etag))
    assert code_of(response) == "1404-412"


def test_a_deleted_connection_is_gone() -> None:
    caller = Caller()
    made = caller.create()
    deleted = caller.send("DELETE", f"/connections/{made}")
    assert (deleted.status, deleted.body) == (204, b"")
    for method, path in [("GET", ""), ("DELETE", ""), ("GET", "/test"), ("GET", "/explore")]:
        assert caller.send(method, f"/connections/{made}{path}").status == 404
    assert caller.names() == []


def test_a_draft_is_patched_and_published_once() -> None:
    caller = Caller()
    made = caller.send("POST", "/connections?mode=draft", dict(HUBSPOT)).json["id"]
    assert caller.read(made)["state"] == "draft"
    assert caller.patch(made, {"op": "replace", "path": "/name", "value": "x"}).status == 200
    assert caller.read(made)["state"] == "draft"
    published = caller.send("POST", f"/connections/{made}/action?op=PUBLISH", {})
    assert published.json["id"] == made
    assert caller.read(made)["state"] == "enabled"
    again = caller.send("POST", f"/connections/{made}/action?op=publish")
    assert code_of(again) == "1409-400"


def test_a_draft_can_be_deleted() -> None:
    caller = Caller()
    made = caller.send("POST", "/connections?mode=draft", dict(HUBSPOT)).json["id"]
    assert caller.send("DELETE", f"/connections/{made}").status == 204


def test_an_initializing_connection_is_for_service_tokens_until_it_settles() -> None:
    caller = Caller(FlowService(readings={"connections.initial-state": "initializing"}))
    made = caller.create()
    user = caller.user()
    rename = {"op": "replace", "path": "/name", "value": "x"}
    assert code_of(user.patch(made, rename)) == "1417-400"
    assert code_of(user.send("DELETE", f"/connections/{made}")) == "1417-400"
    assert caller.patch(made, rename).status == 200
    caller.service.clock.advance(5)
    assert user.patch(made, rename).status == 200
    assert user.read(made)["state"] == "enabled"


@pytest.mark.parametrize("state", ["enabled", "disabled", "initializing"])
def test_a_state_that_was_set_stays(state: str) -> None:
    caller = Caller(FlowService(readings={"connections.initial-state": "initializing"}))
    made = caller.create()
    caller.service.clock.advance(60)
    assert caller.patch(made, {"op": "replace", "path": "/state", "value": state}).status == 200
    caller.service.clock.advance(60)
    assert caller.read(made)["state"] == state


@pytest.mark.parametrize(
    ("state", "verb", "code"),
    [
        ("delete-finalizing", "update", "1457-400"),
        ("delete-finalizing", "delete", "1458-400"),
        ("updating", "update", "1416-400"),
        ("updating", "delete", "1416-400"),
    ],
)
def test_a_transient_state_allows_neither_update_nor_deletion(
    state: str, verb: str, code: str
) -> None:
    caller = Caller()
    made = caller.create()
    caller.service.set_state(made, state)
    if verb == "update":
        response = caller.patch(made, {"op": "remove", "path": "/name"})
    else:
        response = caller.send("DELETE", f"/connections/{made}")
    assert code_of(response) == code


def test_a_test_says_whether_the_credentials_work() -> None:
    caller = Caller()
    org = caller.credentials.ims_org_id
    good = caller.service.seed_connection(org, "dev")["id"]
    bad = caller.service.seed_connection(org, "dev", usable=False)["id"]
    assert caller.send("GET", f"/connections/{good}/test").json == {"result": True}
    assert caller.send("GET", f"/connections/{bad}/test").json == {"result": False}


def test_a_document_nested_without_end_is_refused_everywhere() -> None:
    caller = Caller()
    made = caller.create()
    for depth in (70, 900, 100_000):
        nested = b"[" * depth + b"]" * depth
        body = b'{"name":"x","auth":{"specName":"Basic Authentication","params":{"a":%s}}}' % nested
        etag = caller.read(made)["etag"]
        patch = b'{"op":"add","path":"/auth/params/x","value":%s}' % nested
        for method, path, sent in [
            ("POST", "/connections", body),
            ("POST", "/connections/search", b'{"a":%s}' % nested),
            ("POST", f"/connections/{made}/action?op=publish", b'{"a":%s}' % nested),
            ("PATCH", f"/connections/{made}", patch),
        ]:
            response = caller.send(method, path, body=sent, headers={"If-Match": etag})
            assert response.status == 400
            assert "deep" in response.json["detail"]
    assert caller.read(made)["auth"] == HUBSPOT["auth"]


@pytest.mark.parametrize(
    "number", [b"NaN", b"Infinity", b"-Infinity", b"1e400", b"-1e999", b"1" * 5_000, b"0x1", b"01"]
)
def test_a_number_that_json_or_a_double_does_not_know_is_refused(number: bytes) -> None:
    body = json.dumps(HUBSPOT).encode().replace(b'"the client id"', number)
    assert Caller().send("POST", "/connections", body=body).status == 400


@pytest.mark.parametrize("number", [b"0", b"-0", b"1e308", b"1.5", b"9" * 4_000, b"1e-400"])
def test_a_number_that_can_be_held_comes_back(number: bytes) -> None:
    caller = Caller()
    body = json.dumps(HUBSPOT).encode().replace(b'"the client id"', number)
    made = caller.send("POST", "/connections", body=body).json["id"]
    assert caller.read(made)["auth"]["params"]["clientId"] == json.loads(number)


@pytest.mark.parametrize(
    "body", [b"\xff", b"\xef\xbb\xbf{}", '{"name":"ü"}'.encode("latin-1"), b"{}{}", b"{'a':1}"]
)
def test_a_body_that_is_no_json_in_utf8_is_refused(body: bytes) -> None:
    response = Caller().send("POST", "/connections", body=body)
    assert response.status == 400
    assert response.json["detail"].startswith("The request body is not valid JSON")
