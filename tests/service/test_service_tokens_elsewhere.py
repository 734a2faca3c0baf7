"""The token endpoint in its other versions and forms, and the exchange of a JWT."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from aepmock.messages import Headers, Request, Response
from aepmock.service import FlowService
from tests.service.flow_caller import ORIGIN, Caller

URL_ENCODED = "application/x-www-form-urlencoded"
PATHS = ["/ims/token", "/ims/token/v1", "/ims/token/v2", "/ims/token/v3", "/ims/token/v4"]


def given(caller: Caller) -> dict[str, str]:
    made = caller.credentials
    return {
        "grant_type": "client_credentials",
        "client_id": made.client_id,
        "client_secret": made.client_secret,
        "scope": made.scopes.replace(",", " "),
    }


def ask(caller: Caller, target: str, body: bytes = b"", content_type: str = "") -> Response:
    headers = Headers([("Content-Type", content_type)] if content_type else [])
    return caller.service.handle(Request("POST", ORIGIN, target, headers, body))


def multipart(fields: dict[str, str]) -> bytes:
    parts = [
        f'--limit\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    return ("".join(parts) + "--limit--\r\n").encode()


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("how", ["query", "form", "multipart"])
def test_every_version_issues_a_token_that_lets_in(path: str, how: str) -> None:
    caller = Caller()
    fields = given(caller)
    if how == "query":
        response = ask(caller, f"{path}?{urlencode(fields)}")
    elif how == "form":
        response = ask(caller, path, urlencode(fields).encode(), URL_ENCODED)
    else:
        kind = "multipart/form-data; boundary=limit"
        response = ask(caller, path, multipart(fields), kind)
    assert response.status == 200
    bearer = {"Authorization": f"Bearer {response.json['access_token']}"}
    assert caller.send("GET", "/connections", headers=bearer).ok


@pytest.mark.parametrize("path", PATHS)
def test_every_version_checks_the_secret(path: str) -> None:
    caller = Caller()
    fields = {**given(caller), "client_secret": "another"}
    response = ask(caller, path, urlencode(fields).encode(), URL_ENCODED)
    assert (response.status, response.json["error"]) == (400, "invalid_client")


def test_an_unknown_version_is_not_imitated() -> None:
    assert ask(Caller(), "/ims/token/v5").status == 501


def test_a_broken_multipart_body_is_refused_like_an_empty_one() -> None:
    for body in (b"", b"--limit", b"\xff\xfe", b"--limit\r\n\r\n\r\n--limit--"):
        response = ask(Caller(), "/ims/token/v4", body, "multipart/form-data; boundary=limit")
        assert response.status == 400
    assert ask(Caller(), "/ims/token/v4", b"x", "multipart/form-data").status == 400


@pytest.mark.parametrize("path", ["/ims/exchange/jwt", "/ims/exchange/jwt/"])
def test_the_exchange_of_a_jwt_says_that_it_has_ended(path: str) -> None:
    response = ask(Caller(), path, b"client_id=a&client_secret=b&jwt_token=c", URL_ENCODED)
    assert (response.status, response.json["error"]) == (400, "unauthorized_client")
    assert "deprecated" in response.json["error_description"]


def test_by_another_reading_the_exchange_gives_a_token() -> None:
    caller = Caller(FlowService(readings={"ims.jwt-exchange": "answered"}))
    fields = {**given(caller), "jwt_token": "x.y.z"}
    response = ask(
        caller, "/ims/exchange/jwt/", multipart(fields), "multipart/form-data; boundary=limit"
    )
    assert response.json["expires_in"] == 86_399_000
    bearer = {"Authorization": f"Bearer {response.json['access_token']}"}
    assert caller.send("GET", "/connections", headers=bearer).ok
    wrong = {**fields, "client_secret": "x"}
    kind = "multipart/form-data; boundary=limit"
    assert ask(caller, "/ims/exchange/jwt", multipart(wrong), kind).status == 400
