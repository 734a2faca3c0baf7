"""The IMS token endpoint: by form or by query, until tomorrow."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from aepmock.messages import Headers, Request, Response
from aepmock.service import FlowService
from tests.service.flow_caller import ORIGIN, Caller

FORM = "application/x-www-form-urlencoded"


def given(caller: Caller, **changed: str) -> dict[str, str]:
    made = caller.credentials
    return {
        "grant_type": "client_credentials",
        "client_id": made.client_id,
        "client_secret": made.client_secret,
        "scope": made.scopes,
    } | changed


def by_form(caller: Caller, content_type: str = FORM, **changed: str) -> Response:
    body = urlencode(given(caller, **changed)).encode()
    headers = Headers([("content-type", content_type)])
    return caller.service.handle(Request("POST", ORIGIN, "/ims/token/v3", headers, body))


def by_query(caller: Caller, **changed: str) -> Response:
    target = "/ims/token/v3?" + urlencode(given(caller, **changed))
    return caller.service.handle(Request("POST", ORIGIN, target))


def lets_in(caller: Caller, token: str) -> bool:
    headers = {"Authorization": f"Bearer {token}"}
    return caller.send("GET", "/connections", headers=headers).ok


@pytest.mark.parametrize("ask", [by_form, by_query])
def test_a_token_is_issued_and_lets_its_caller_in(ask: object) -> None:
    caller = Caller()
    response = ask(caller)  # type: ignore[operator]
    assert response.status == 200
    assert response.json["token_type"] == "bearer"
    assert response.json["expires_in"] == 86_399
    assert lets_in(caller, response.json["access_token"])
    assert lets_in(caller, caller.credentials.access_token)


def test_each_token_is_another_one() -> None:
    caller = Caller()
    assert by_form(caller).json["access_token"] != by_form(caller).json["access_token"]


def test_a_token_ends_when_it_says() -> None:
    caller = Caller()
    answer = by_form(caller).json
    caller.service.clock.advance(answer["expires_in"] - 1)
    assert lets_in(caller, answer["access_token"])
    caller.service.clock.advance(1)
    assert not lets_in(caller, answer["access_token"])
    assert lets_in(caller, by_form(caller).json["access_token"])


@pytest.mark.parametrize("separator", [",", " ", ", "])
def test_scopes_may_be_apart_by_commas_or_blanks(separator: str) -> None:
    caller = Caller()
    scope = caller.credentials.scopes.replace(",", separator)
    assert by_form(caller, scope=scope).status == 200
    assert by_form(caller, scope="openid").status == 200


@pytest.mark.parametrize(
    ("changed", "error", "text"),
    [
        ({"client_id": "x"}, "invalid_client", "invalid client_id parameter"),
        ({"client_id": ""}, "invalid_client", "invalid client_id parameter"),
        ({"client_secret": "x"}, "invalid_client", "invalid client_secret parameter"),
        ({"grant_type": "password"}, "unsupported_grant_type", "unsupported grant_type parameter"),
        ({"scope": "openid zzz"}, "invalid_scope", "invalid scope parameter"),
        ({"scope": " , "}, "invalid_scope", "invalid scope parameter"),
    ],
)
def test_a_wrong_field_is_refused_as_oauth_has_it(
    changed: dict[str, str], error: str, text: str
) -> None:
    response = by_form(Caller(), **changed)
    assert response.status == 400
    assert response.json == {"error": error, "error_description": text}


def test_a_body_that_is_no_form_is_not_read() -> None:
    assert by_form(Caller(), content_type="application/json").status == 400
    assert by_form(Caller(), content_type=FORM + "; charset=utf-8").status == 200


def test_another_method_is_told_the_right_one() -> None:
    response = Caller().service.handle(Request("GET", ORIGIN, "/ims/token/v3"))
    assert (response.status, response.headers.get("allow")) == (405, "POST")


def test_an_open_mock_gives_a_token_to_anyone_with_a_client_id() -> None:
    caller = Caller(FlowService(accept_any=True))
    response = by_form(caller, client_id="x", client_secret="y", scope="z")
    assert lets_in(caller, response.json["access_token"])
    assert by_form(caller, client_id="").status == 400
