"""Wherever a request holds a secret: neither journal, events and state nor a report show it."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import re
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aepmock.clock import Clock
from aepmock.messages import Headers, Request, Response
from aepmock.mocks.observed import ObservedProgram
from aepmock.redaction.redactor import LONGEST_BODY, MARK, Redactor
from aepmock.redaction.secret_places import worth_learning
from aepmock.reports.json import render_json
from aepmock.server import control
from aepmock.server.events import events
from aepmock.server.instances import MockInstance, Options

BASE = "/data/foundation/flowservice/connections"
SPEC = {"id": "cc6a4487-9e91-433e-a3a3-9cf6626c1806", "version": "1.0"}
BOUNDARY = "----b0undary"


def secrets() -> st.SearchStrategy[str]:
    """Values like none that a request has by itself, with what is spelled in several ways."""
    odd = st.text(st.sampled_from('aZ9+/=-_.~!*@#$^(){}[]|;:?,<>"\\äß€😀'), min_size=4, max_size=12)
    return st.builds("s3cr3t-{}-{}".format, st.integers(10**6, 10**7), odd)


NAMES = st.sampled_from(
    ["clientSecret", "client_secret_value", "Client-Secret", "apikey2", "unheardOf", "x", "value",
     "specname", "clientId2"]
)  # fmt: skip


PATHS = st.sampled_from(
    ["/auth", "/auth/params", "/auth/params/clientSecret", "/auth/params/c_s", "auth/params/x",
     "#/auth/params", "$.auth.params.x", "/%61uth/params/x", "/Auth", "/auth/", "//auth", "/x",
     "auth", 5, None, ["auth", "x"]]
)  # fmt: skip
FIELDS = Headers(
    [
        ("Authorization", "Bearer token-1234"),
        ("x-api-key", "key"),
        ("x-gw-ims-org-id", "o@AdobeOrg"),
        ("x-sandbox-name", "dev"),
    ]
)


def auths(secret: str) -> st.SearchStrategy[Any]:
    """What may stand at `auth`, with the secret somewhere in it."""
    deep = st.recursive(
        st.just(secret),
        lambda inner: (
            st.lists(st.one_of(inner, st.none()), min_size=1, max_size=2).map(
                lambda v: [*v, secret]
            )
            | st.dictionaries(NAMES, inner, min_size=1, max_size=2)
        ),
        max_leaves=4,
    )
    in_params = deep.map(lambda v: {"specName": "Basic Authentication", "params": v})
    pairs = NAMES.map(lambda n: {"params": [{"name": n, "value": secret}]})
    return st.one_of(
        deep, in_params, pairs, st.just(json.dumps({"params": {"clientSecret": secret}}))
    )


@st.composite
def bodies(draw: st.DrawFn, secret: str) -> tuple[str, str | None, bytes]:
    """Method, content type and a body that holds the secret in a secret's place."""
    auth = draw(auths(secret))
    key = draw(st.sampled_from(["auth", "Auth", "authParams", "params", "credentials"]))
    document: Any = {"name": "a", key: auth, "connectionSpec": SPEC}
    kind = draw(
        st.sampled_from(["create", "named", "patch", "form", "multipart", "merge", "search"])
    )
    if kind == "named":
        document = {
            "name": "a",
            draw(st.sampled_from(["clientSecret", "my_password", "apiToken"])): auth,
        }
    if kind == "search":
        document = {"queryString": f"property=auth.params.{draw(NAMES)}=={quote(secret, safe='')}"}
    if kind == "patch":
        path = draw(PATHS)
        op = draw(st.sampled_from(["add", "replace", "test", "set", "REPLACE", None]))
        order = draw(st.permutations([("op", op), ("path", path), ("value", auth)]))
        document = dict(order)
        if draw(st.booleans()):
            document = [{"op": "replace", "path": "/name", "value": "b"}, document]
    if kind == "form":
        name = draw(
            st.sampled_from(["auth[params][clientSecret]", "client_secret", "auth.x", "auth"])
        )
        return (
            "POST",
            "application/x-www-form-urlencoded",
            f"a=b&{name}={quote(secret, safe='')}".encode(),
        )
    if kind == "multipart":
        part = draw(
            st.sampled_from(
                ['; name="clientSecret"', "; name=auth", "", '; name="x"; filename="y"']
            )
        )
        ends = draw(st.sampled_from(["\r\n", "\n"]))
        lines = [
            f"--{BOUNDARY}",
            f"Content-Disposition: form-data{part}",
            "",
            secret,
            f"--{BOUNDARY}--",
            "",
        ]
        return "POST", f"multipart/form-data; boundary={BOUNDARY}", ends.join(lines).encode()
    text = json.dumps(document, ensure_ascii=draw(st.booleans()))
    shape = draw(st.sampled_from(["whole", "whole", "cut", "spoiled", "long", "utf-16", "text"]))
    if shape == "cut":
        text = text[: draw(st.integers(1, len(text)))]
    if shape == "spoiled":
        text = text.replace(",", ",,", 1) + "}"
    if shape == "long":
        text = (
            '{"description": "'
            + "d" * 500
            + '", '
            + text[1:-1]
            + ', "padding": "'
            + "p" * LONGEST_BODY
        )
    body = text.encode("utf-16" if shape == "utf-16" else "utf-8", "surrogatepass")
    kind_sent = draw(
        st.sampled_from(["application/json", "application/json; charset=utf-8", None, "text/plain"])
    )
    return "PATCH" if kind in ("patch", "merge") else "POST", kind_sent, body


@st.composite
def requests(draw: st.DrawFn, secret: str) -> Request:
    """A request with the secret in one secret's place, and perhaps a second time elsewhere."""
    place = draw(st.sampled_from(["body", "body", "body", "filter", "path", "query", "header"]))
    method, kind, body, target = "GET", None, b"", BASE
    fields = [("x-api-key", "key"), ("x-gw-ims-org-id", "o@AdobeOrg"), ("x-sandbox-name", "dev")]
    if place == "body":
        method, kind, body = draw(bodies(secret))
        if method == "PATCH":
            target += "/some-id"
    elif place == "filter":
        sign = draw(st.sampled_from(["==", "=", "~", ">", "!="]))
        text = f"auth.params.{draw(NAMES)}{sign}{draw(st.sampled_from(['', 'other,']))}{secret}"
        text = draw(st.sampled_from([text, f"name==a,{text}", text.replace(secret, f'"{secret}"')]))
        target += "?limit=2&property=" + quote(text, safe=draw(st.sampled_from(["", "=.,"])))
    elif place == "path":
        between = draw(
            st.sampled_from(["/client_secret/", "/i/auth/params/", "/auth/x;token=", "/password="])
        )
        target += between + quote(secret, safe="")
    elif place == "query":
        name = draw(
            st.sampled_from(
                ["client_secret", "access_token", "clientSecretValue", "auth", "auth.x"]
            )
        )
        target += f"?{name}={quote(secret, safe='')}"
    if place == "header":
        name = draw(st.sampled_from(["Authorization", "X-Client-Secret-Value", "Cookie", "auth"]))
        fields.append((name, quote(secret, safe="")))
    if place != "header":
        fields.append(("Authorization", "Bearer token-1234"))
    if kind is not None:
        fields.append(("Content-Type", kind))
    # What was cut off, or can't be read by the redactor, is not known where it stands again.
    forms = (secret, json.dumps(secret)[1:-1])
    whole = place not in ("body", "header") or any(f.encode() + b'"' in body for f in forms)
    if whole and len(body) < LONGEST_BODY and draw(st.booleans()):
        fields.append(("X-Note", f"again {quote(secret, safe='')}"))
        target += ("&" if "?" in target else "?") + "description=" + quote(secret, safe="")
    return Request(method, "http://127.0.0.1:1", target, Headers(fields), body)


def shown(text: str, secret: str) -> list[str]:
    """The forms of the core of a secret that stand in a text."""
    core = re.findall(r"s3cr3t-[0-9]{6,8}", secret)[0]
    return [core] if core in text else []


async def streamed(instance: MockInstance) -> str:
    parts = []
    async for part in events(instance.journal, 0):
        parts.append(part)
        if b"exchange" in part:
            break
    return b"".join(parts).decode()


@given(data=st.data())
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
def test_a_secret_in_a_secrets_place_is_kept_nowhere(data: st.DataObject) -> None:
    secret = data.draw(secrets())
    request = data.draw(requests(secret))
    instance = MockInstance("", Options(), Clock())
    instance.handle(request)
    question = Request("GET", "http://127.0.0.1:1", "/x?limit=5")
    assert len(instance.journal) == 1
    for told in (control.read_journal, control.state, control.verdict):
        assert not shown(told(instance, question, {}).body.decode(), secret)
    assert not shown(asyncio.run(streamed(instance)), secret)
    watch = ObservedProgram(seed=0, readings={})
    watch.handle(request)
    report = watch.report(["program"], transport="proxy")
    assert not shown(render_json(report), secret)


@pytest.mark.parametrize("reading", ["returned", "masked", "absent"])
def test_what_the_service_repeats_is_not_kept_either(reading: str) -> None:
    instance = MockInstance("", Options(readings={"connections.secrets-on-read": reading}), Clock())
    secret = "s3cr3t-1234567-x"
    made = instance.seed({"auth_params": {"oddSecret": secret}, "ims_org_id": "o@AdobeOrg"})
    answer = instance.handle(Request("GET", "http://127.0.0.1:1", f"{BASE}/{made['id']}", FIELDS))
    assert answer.status == 200
    assert secret in answer.body.decode()
    (entry,) = instance.journal.since(0, 1)
    assert secret not in json.dumps(entry.to_json())
    state = control.state(instance, Request("GET", "", "/x"), {}).body.decode()
    assert secret not in state


def test_a_continuation_token_that_repeats_a_filter_is_not_kept() -> None:
    instance = MockInstance(
        "", Options(readings={"connections.token-alphabet": "reserved"}), Clock()
    )
    plain = MockInstance("", Options(), Clock())
    for one in (instance, plain):
        for _ in range(2):
            one.seed(
                {
                    "auth_params": {"clientId": "i", "x": "s3cr3t-1234567"},
                    "ims_org_id": "o@AdobeOrg",
                }
            )
        target = f"{BASE}?limit=1&property=auth.params.x==s3cr3t-1234567"
        answer = one.handle(Request("GET", "http://127.0.0.1:1", target, FIELDS))
        href = answer.json["_links"]["next"]["href"]
        base = BASE.removesuffix("/connections")
        assert one.handle(Request("GET", "http://127.0.0.1:1", base + href, FIELDS)).ok
        kept = json.dumps([entry.to_json() for entry in one.journal.since(0, 5)])
        token = re.findall(r"continuationToken=([^&]+)", href)[0]
        assert token not in kept
        assert "continuationToken=[secret]" in kept


def test_public_params_and_what_is_no_secret_stay() -> None:
    body = {
        "name": "a",
        "description": "about the client secret",
        "auth": {"specName": "Basic Auth", "params": {"clientId": "id-1", "clientSecret": "s"}},
        "connectionSpec": SPEC,
    }
    fields = Headers([("Content-Type", "application/json"), ("Authorization", "Bearer t-1234567")])
    request = Request("POST", "http://h", f"{BASE}?a=b%20c", fields, json.dumps(body).encode())
    kept = Redactor(["clientSecret"]).request(request)
    body["auth"]["params"]["clientSecret"] = MARK  # type: ignore[index]
    assert kept.json == body
    assert kept.target == request.target


@pytest.mark.parametrize(
    "value",
    ["connectionSpec", "Basic Authentication", "clientSecret", "If-Match", "/connections", "short",
     "the client secret", "an access token", "cc6a4487-9e91-433e-a3a3-9cf6626c1806", "[secret]",
     "connections.create.name"],
)  # fmt: skip
def test_a_word_of_the_contract_is_masked_in_its_place_only(value: str) -> None:
    assert not worth_learning(value)
    redactor = Redactor()
    body = json.dumps({"name": f"about {value}", "auth": {"params": {"x": value}}}).encode()
    kept = redactor.request(Request("POST", "", "/x", body=body)).json
    assert kept == {"name": f"about {value}", "auth": {"params": {"x": MARK}}}


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_a_zipped_request_is_kept_unzipped(coding: str) -> None:
    import zlib

    content = b'{"auth": {"params": {"x": "s3cr3t-1234567"}}}'
    body = gzip.compress(content) if coding == "gzip" else zlib.compress(content)
    request = Request("POST", "", "/x", Headers([("Content-Encoding", coding)]), body)
    assert Redactor().request(request).json == {"auth": {"params": {"x": MARK}}}


def test_a_bomb_is_unzipped_no_further_than_is_kept() -> None:
    body = gzip.compress(b'{"name": "' + b"x" * 50_000_000)
    headers = Headers([("Content-Encoding", "gzip")])
    assert len(Redactor().response(Response(200, headers, body)).body) < LONGEST_BODY + 100


def test_a_user_in_an_address_is_gone() -> None:
    answer = Response(302, Headers([("Location", "https://me:s3cr3t-1@h/x?token=s3cr3t-2&a=b")]))
    kept = Redactor().response(answer).headers.get("location")
    assert kept == "https://[secret]@h/x?token=[secret]&a=b"


def test_base64_of_credentials_is_gone() -> None:
    given_ = base64.b64encode(b"me:s3cr3t-1234567").decode()
    request = Request("GET", "", f"/x?a={given_}", Headers([("Authorization", f"Basic {given_}")]))
    kept = Redactor().request(request)
    assert given_ not in kept.target
    assert kept.headers.get("authorization") == "Basic [secret]"
