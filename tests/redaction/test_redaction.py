"""What the redactor leaves of secrets, wherever they stand."""

from __future__ import annotations

import gzip
import json

import pytest

from aepmock.messages import Headers, Request, Response
from aepmock.redaction.redactor import MARK, MOST_CHARACTERS, Redactor

TOKEN = "eyJhbGci.very-secret.token"
SECRET = 'p8e+/ä"=secret'
JSON = Headers([("Content-Type", "application/json")])
FORM = Headers([("Content-Type", "application/x-www-form-urlencoded")])


def redactor() -> Redactor:
    return Redactor(["clientSecret", "refreshToken"], [TOKEN])


def cleaned(body: bytes, headers: Headers = JSON) -> str:
    request = Request("POST", "https://platform.adobe.io", "/x", headers, body)
    return redactor().request(request).body.decode()


def test_the_authorization_keeps_its_scheme_only() -> None:
    headers = Headers([("Authorization", f"Bearer {TOKEN}x"), ("x-api-key", "key")])
    kept = redactor().request(Request("GET", "", "/x", headers)).headers
    assert list(kept) == [("Authorization", f"Bearer {MARK}"), ("x-api-key", "key")]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Authorization", TOKEN),
        ("Cookie", "session=abc"),
        ("X-Client-Secret", "whatever"),
        ("x-access-token", "whatever"),
    ],
)
def test_a_header_that_is_secret_as_a_whole_is_gone(name: str, value: str) -> None:
    kept = redactor().request(Request("GET", "", "/x", Headers([(name, value)]))).headers
    assert kept.get(name) == MARK


def test_a_known_secret_in_another_header_is_gone() -> None:
    headers = Headers([("User-Agent", f"acme {TOKEN}")])
    assert redactor().request(Request("GET", "", "/x", headers)).headers.get("user-agent") == (
        f"acme {MARK}"
    )


@pytest.mark.parametrize(
    "spelled",
    [
        'p8e+/ä"=secret',
        "p8e%2B%2F%C3%A4%22%3Dsecret",
        "p8e%2b/%c3%a4%22%3dsecret",
        "p8e+/%C3%A4%22=secret",
        r"p8e+/\u00e4\"=secret",
        r"p8e+/ä\"=secret",
    ],
)
def test_a_secret_is_known_in_every_spelling(spelled: str) -> None:
    assert Redactor(values=[SECRET]).text(f"<{spelled}>") == f"<{MARK}>"


def test_a_value_too_short_to_be_told_from_chance_stays() -> None:
    assert Redactor(values=["abc"]).text("abcdef") == "abcdef"


def test_of_two_secrets_the_longer_goes_first() -> None:
    assert Redactor(values=["secret-1", "secret-1-and-more"]).text("secret-1-and-more") == MARK


def test_a_secret_parameter_of_the_query_is_gone() -> None:
    request = Request("POST", "", "/ims?client_secret=abc&scope=openid")
    assert redactor().request(request).target == "/ims?client_secret=[secret]&scope=openid"


def test_a_json_body_loses_its_secrets_and_keeps_the_rest() -> None:
    body = {
        "name": "a",
        "auth": {"params": {"clientId": "id", "clientSecret": "s", "REFRESHTOKEN": 7}},
    }
    kept = json.loads(cleaned(json.dumps(body).encode()))
    assert kept == {
        "name": "a",
        "auth": {"params": {"clientId": "id", "clientSecret": MARK, "REFRESHTOKEN": MARK}},
    }


def test_everything_under_a_secret_name_is_gone() -> None:
    body = b'{"clientSecret": {"old": ["a", null], "new": "b"}}'
    assert json.loads(cleaned(body)) == {
        "clientSecret": {"old": [MARK, None], "new": MARK},
    }


def test_a_patch_of_a_secret_loses_its_value() -> None:
    body = [
        {"op": "replace", "path": "/auth/params/clientSecret", "value": "s"},
        {"op": "replace", "path": "/auth/params", "value": {"clientSecret": "s", "clientId": "i"}},
        {"op": "replace", "path": "/name", "value": "a name"},
    ]
    kept = json.loads(cleaned(json.dumps(body).encode()))
    assert [operation["value"] for operation in kept] == [
        MARK,
        {"clientSecret": MARK, "clientId": "i"},
        "a name",
    ]


@pytest.mark.parametrize(
    "body",
    [
        b'{"auth":{"params":{"clientSecret":"hidden',
        b'{"clientSecret" : "hid\\"den", "name": "a"',
        b'{"clientSecret":"hidden","name":"a"',
        b"clientSecret=hidden&name=a",
        b'[{"op":"replace","path":"/auth/params/clientSecret","value":"hidden',
        b'[{"value":"hidden","op":"replace","path":"/auth/params/clientSecret"',
        b"{'clientSecret': 'hidden', 'name': 'a'}",
    ],
)
def test_a_body_that_can_not_be_read_loses_its_secrets(body: bytes) -> None:
    kept = cleaned(body)
    assert "hid" not in kept
    assert "den" not in kept
    assert MARK in kept


def test_a_form_loses_its_secrets() -> None:
    body = b"grant_type=client_credentials&client_secret=s&client_id=i"
    kept = cleaned(body, FORM)
    assert kept == "grant_type=client_credentials&client_secret=[secret]&client_id=i"


def test_a_zipped_answer_is_kept_unzipped() -> None:
    headers = JSON.replaced("Content-Encoding", "gzip")
    body = gzip.compress(b'{"access_token":"abc","expires_in":1}')
    kept = redactor().response(Response(200, headers, body))
    assert kept.body == b'{"access_token": "[secret]", "expires_in": 1}'
    assert "content-encoding" not in kept.headers


def test_octets_that_are_no_gzip_are_not_kept() -> None:
    headers = JSON.replaced("Content-Encoding", "gzip")
    kept = redactor().response(Response(200, headers, b"no gzip"))
    assert kept.body == b"(zipped octets that can't be unzipped)"


def test_a_body_nested_too_deeply_is_still_cleaned() -> None:
    body = b'{"clientSecret":"hidden","deep":' + b"[" * 100_000
    assert "hidden" not in cleaned(body)


def test_an_octet_that_is_no_utf_8_survives() -> None:
    request = Request("POST", "", "/x", JSON, b'{"name":"\xff"}')
    assert b"\xff" in redactor().request(request).body


def test_an_empty_body_stays_empty() -> None:
    assert cleaned(b"") == ""


def test_many_long_secrets_are_not_searched_for_at_any_price() -> None:
    cleaner = Redactor()
    for number in range(40):
        body = {"auth": {f"p{k}": f"{number}-{k}-".ljust(500, "x") for k in range(50)}}
        cleaner.request(Request("POST", "", "/x", JSON, json.dumps(body).encode()))
    assert sum(len(value) for value in cleaner._found) <= MOST_CHARACTERS
    newest = next(reversed(cleaner._found))
    assert cleaner.text(f"<{newest}>") == f"<{MARK}>"
