"""Every rule of refusals.json is reached by a request, and answered as the catalogue has it."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest

from aepmock.contract import Refusal, load_contract
from aepmock.messages import Headers, Request, Response
from aepmock.service import FlowService
from tests.service.flow_caller import HUBSPOT, ORIGIN, Caller, code_of

CONTRACT = load_contract()
AMAZON_S3 = "ecadc60c-7455-4d87-84dc-2a0e293d997b"
FORM = Headers([("Content-Type", "application/x-www-form-urlencoded")])


def with_header(
    name: str, value: str | None, *, user: bool = False
) -> Callable[[Caller], Response]:
    def act(caller: Caller) -> Response:
        caller = caller.user() if user else caller
        return caller.send("GET", "/connections", headers={name: value})

    return act


def listing(query: str) -> Callable[[Caller], Response]:
    return lambda caller: caller.send("GET", f"/connections?{query}")


def creating(**fields: Any) -> Callable[[Caller], Response]:
    return lambda caller: caller.try_create(**fields)


def raw_create(**fields: Any) -> Callable[[Caller], Response]:
    """A create with fields that are null; `creating` would leave them out."""
    return lambda caller: caller.send("POST", "/connections", {**HUBSPOT, **fields})


def updating(
    operations: Any, *, state: str = "enabled", if_match: str | None = "current"
) -> Callable[[Caller], Response]:
    def act(caller: Caller) -> Response:
        made = caller.create()
        etag = caller.read(made)["etag"] if if_match == "current" else if_match
        caller.service.set_state(made, state)
        headers = {"If-Match": etag}
        return caller.send("PATCH", f"/connections/{made}", operations, headers=headers)

    return act


def deleting(*, state: str = "enabled", user: bool = False) -> Callable[[Caller], Response]:
    def act(caller: Caller) -> Response:
        made = caller.create()
        caller.service.set_state(made, state)
        return (caller.user() if user else caller).send("DELETE", f"/connections/{made}")

    return act


def acting(query: str, json: Any = None) -> Callable[[Caller], Response]:
    def act(caller: Caller) -> Response:
        made = caller.create()
        body = {} if json is None else {"json": json}
        return caller.send("POST", f"/connections/{made}/action{query}", **body)

    return act


def exploring(query: str) -> Callable[[Caller], Response]:
    return lambda caller: caller.send("GET", f"/connections/{caller.create()}/explore{query}")


def searching(body: bytes) -> Callable[[Caller], Response]:
    return lambda caller: caller.send("POST", "/connections/search", body=body)


def token(**wrong: str) -> Callable[[Caller], Response]:
    def act(caller: Caller) -> Response:
        made = caller.credentials
        given = {
            "grant_type": "client_credentials",
            "client_id": made.client_id,
            "client_secret": made.client_secret,
            "scope": made.scopes,
            **wrong,
        }
        body = "&".join(f"{k}={v}" for k, v in given.items()).encode()
        return caller.service.handle(Request("POST", ORIGIN, "/ims/token/v3", FORM, body))

    return act


def update_by_user(caller: Caller) -> Response:
    made = caller.create()
    etag = caller.read(made)["etag"]
    caller.service.set_state(made, "initializing")
    return caller.user().patch(made, [{"op": "remove", "path": "/description"}], etag)


def delete_in_use(caller: Caller) -> Response:
    org = caller.credentials.ims_org_id
    made = caller.service.seed_connection(org, "dev", in_use=True)
    return caller.send("DELETE", f"/connections/{made['id']}")


def cross_sandbox(query: str) -> Callable[[Caller], Response]:
    return lambda caller: caller.send(
        "GET", f"/connections{query}", headers={"x-sandbox-name": "*", "x-sandbox-id": "*"}
    )


def without_param(caller: Caller) -> Response:
    params = {**HUBSPOT["auth"]["params"]}
    del params["refreshToken"]
    return caller.try_create(auth={"specName": "Basic Authentication", "params": params})


def with_strange_param(caller: Caller) -> Response:
    params = {**HUBSPOT["auth"]["params"], "zzz": "1"}
    return caller.try_create(auth={"specName": "Basic Authentication", "params": params})


SPEC = HUBSPOT["connectionSpec"]
RENAME = [{"op": "replace", "path": "/name", "value": "renamed"}]
NO_VERSION = {"connectionSpec": {"id": HUBSPOT["connectionSpec"]["id"]}}

Case = tuple[str, Callable[[Caller], Response], dict[str, str], dict[str, str]]
"""A rule, what someone does, the parameters in the answer, the readings it happens under."""
CASES: list[Case] = [
    ("gateway.token-missing", with_header("Authorization", None), {}, {}),
    ("gateway.token-invalid", with_header("Authorization", "Bearer x"), {}, {}),
    ("gateway.token-invalid", with_header("Authorization", "Basic eDp5"), {}, {}),
    ("gateway.token-invalid", with_header("Authorization", "Bearer "), {}, {}),
    ("gateway.api-key-missing", with_header("x-api-key", None), {}, {}),
    ("gateway.api-key-wrong", with_header("x-api-key", "x"), {}, {}),
    ("gateway.org-missing", with_header("x-gw-ims-org-id", None), {}, {}),
    ("gateway.org-wrong", with_header("x-gw-ims-org-id", "x@AdobeOrg"), {}, {}),
    (
        "gateway.content-type",
        lambda c: c.send("POST", "/connections", body=b"{}", headers={"Content-Type": None}),
        {},
        {},
    ),
    (
        "gateway.content-type",
        lambda c: c.send(
            "PATCH", "/connections/x", body=b"[]", headers={"Content-Type": "text/plain"}
        ),
        {},
        {},
    ),
    ("sandbox.missing", with_header("x-sandbox-name", None), {"header": "x-sandbox-name"}, {}),
    ("sandbox.missing", with_header("x-sandbox-name", ""), {"header": "x-sandbox-name"}, {}),
    ("sandbox.unknown", with_header("x-sandbox-name", "zzz"), {"sandboxName": "zzz"}, {}),
    (
        "sandbox.id-with-user-token",
        with_header("x-sandbox-id", "1", user=True),
        {"header": "x-sandbox-id"},
        {},
    ),
    (
        "sandbox.id-unknown",
        with_header("x-sandbox-id", "1"),
        {"sandboxId": "1", "sandboxName": "dev"},
        {},
    ),
    (
        "sandbox.all-with-user-token",
        with_header("x-sandbox-name", "*", user=True),
        {"header": "x-sandbox-name"},
        {},
    ),
    ("sandbox.all-without-id", with_header("x-sandbox-name", "*"), {}, {}),
    ("sandbox.all-without-id", with_header("x-sandbox-id", "*"), {}, {}),
    ("sandbox.all-not-allowed", cross_sandbox("/x"), {}, {}),
    ("route.unknown", lambda c: c.send("GET", "/connectionz"), {}, {}),
    ("not-imitated", lambda c: c.send("GET", "/flows"), {}, {}),
    ("not-imitated", creating(connectionSpec={"id": AMAZON_S3, "version": "1.0"}), {}, {}),
    ("route.method", lambda c: c.send("PUT", "/connections/x"), {}, {}),
    ("query.unknown", listing("testParam=1"), {"params": "testParam"}, {}),
    ("query.value", listing("limit=-1"), {"value": "-1", "field": "limit"}, {}),
    ("query.value", listing("limit=x"), {"value": "x", "field": "limit"}, {}),
    ("query.value", listing("count=maybe"), {"value": "maybe", "field": "count"}, {}),
    (
        "query.token",
        listing("continuationToken=x"),
        {"value": "x", "field": "continuationToken"},
        {},
    ),
    ("list.limit-with-count", listing("limit=1&count=true"), {}, {}),
    ("list.limit-with-count", searching(b'{"limit":1,"count":true}'), {}, {}),
    ("list.orderby-sign", listing("orderby=%2B-name"), {}, {}),
    ("list.orderby-sign", listing("orderby=name-"), {}, {}),
    ("list.orderby-sign", listing("orderby=name%20desc"), {}, {}),
    ("list.orderby-field", listing("orderby=%23id"), {"field": "#id"}, {}),
    ("list.orderby-field", listing("orderby=-zzz"), {"field": "-zzz"}, {}),
    ("list.orderby-cross-sandbox", cross_sandbox("?orderby=name"), {}, {}),
    ("filter.not-implemented", listing("property=name~x"), {"operator": "~"}, {}),
    ("filter.many-values", listing("property=createdAt%3C%3D1,2"), {"operator": "<="}, {}),
    (
        "filter.operator-for-field",
        listing("property=id%3E%3D1"),
        {"operator": ">=", "field": "id"},
        {},
    ),
    ("filter.field", listing("property=connections==1"), {"field": "connections"}, {}),
    ("filter.operator", listing("property=name!%3Ex"), {"operator": "!>"}, {}),
    ("filter.operator", listing("property=name!=x"), {"operator": "!="}, {}),
    (
        "filter.value",
        listing("property=createdAt==1676643256,1676643210"),
        {"value": "1676643256,1676643210", "field": "createdAt"},
        {},
    ),
    (
        "filter.value",
        listing("property=createdAt%3Eyesterday"),
        {"value": "yesterday", "field": "createdAt"},
        {},
    ),
    ("filter.form", listing("property=createdAt=="), {"value": "createdAt=="}, {}),
    ("filter.form", listing("property=name"), {"value": "name"}, {}),
    ("filter.value-type", listing("property=connectionSpec==x"), {}, {}),
    ("create.body-empty", lambda c: c.send("POST", "/connections"), {}, {}),
    ("create.body-empty", lambda c: c.send("POST", "/connections", {}), {}, {}),
    ("create.body-empty", lambda c: c.send("POST", "/connections", None), {}, {}),
    ("create.body-not-json", lambda c: c.send("POST", "/connections", body=b"{"), {}, {}),
    ("create.body-not-json", lambda c: c.send("POST", "/connections", [1]), {}, {}),
    (
        "create.mode",
        lambda c: c.send("POST", "/connections?mode=x", dict(HUBSPOT)),
        {"value": "x", "field": "mode"},
        {},
    ),
    ("create.name-type", creating(name=1), {}, {}),
    ("create.description-type", creating(description=5), {}, {}),
    ("create.description-null", raw_create(description=None), {}, {}),
    ("create.spec-type", creating(connectionSpec="hubspot"), {}, {}),
    ("create.spec-type", creating(connectionSpec={"id": 5}), {}, {}),
    ("create.version-type", creating(connectionSpec={**SPEC, "version": 1.0}), {}, {}),
    ("create.auth-type", creating(auth="secret"), {}, {}),
    ("create.auth-type", creating(auth={"specName": 5, "params": {}}), {}, {}),
    (
        "create.params-type",
        creating(auth={"specName": "Basic Authentication", "params": []}),
        {},
        {},
    ),
    ("create.name-missing", creating(name=None), {"message": "name"}, {}),
    ("create.spec-missing", creating(connectionSpec=None), {}, {}),
    ("create.spec-missing", creating(connectionSpec={"version": "1.0"}), {}, {}),
    ("create.spec-unknown", creating(connectionSpec={"id": "x"}), {}, {}),
    (
        "create.version-missing",
        creating(**NO_VERSION),
        {},
        {"connections.create-without-version": "refused"},
    ),
    (
        "create.version-unknown",
        creating(connectionSpec={**HUBSPOT["connectionSpec"], "version": "9.9"}),
        {},
        {},
    ),
    ("create.auth-missing", creating(auth=None), {"message": "auth"}, {}),
    ("create.auth-missing", creating(auth={"params": {}}), {"message": "auth.specName"}, {}),
    (
        "create.auth-spec-unknown",
        creating(auth={"specName": "authConnection", "params": {}}),
        {"authSpec": "authConnection", "specId": "cc6a4487-9e91-433e-a3a3-9cf6626c1806"},
        {},
    ),
    ("create.auth-param-missing", without_param, {"message": "refreshToken"}, {}),
    (
        "create.auth-param-unknown",
        with_strange_param,
        {"message": "zzz"},
        {"connections.unknown-auth-params": "refused"},
    ),
    (
        "connections.not-found",
        lambda c: c.send("GET", "/connections/x"),
        {"id": "x", "type": "connections"},
        {},
    ),
    (
        "update.if-match-missing",
        updating(RENAME, if_match=None),
        {"header": "If-Match"},
        {},
    ),
    ("update.if-match-missing", updating(RENAME, if_match=""), {}, {}),
    ("update.stale", updating(RENAME, if_match='"v1"'), {"version": '"v1"'}, {}),
    ("update.body-empty", updating([]), {}, {}),
    ("update.body-not-json", updating("x"), {}, {}),
    ("update.body-not-json", updating([1]), {}, {}),
    ("update.operation", updating({"op": "move", "path": "/name"}), {"operation": "move"}, {}),
    ("update.spec", updating({"op": "remove", "path": "/connectionSpec"}), {}, {}),
    (
        "update.spec",
        updating({"op": "add", "path": "/connectionSpec/version", "value": "2.0"}),
        {},
        {},
    ),
    (
        "update.state-value",
        updating({"op": "replace", "path": "/state", "value": "delete-finalizing"}),
        {"state": "delete-finalizing", "allowed": "enabled, disabled, initializing"},
        {},
    ),
    (
        "update.instructions",
        updating({"op": "replace", "path": "/keyWhichDoesNotExist", "value": 1}),
        {"message": 'Missing field "keyWhichDoesNotExist".'},
        {},
    ),
    ("update.in-state", updating(RENAME, state="updating"), {}, {}),
    (
        "update.in-state",
        updating(RENAME, state="delete-finalizing"),
        {"state": "delete-finalizing"},
        {},
    ),
    ("update.user-token", update_by_user, {}, {}),
    ("delete.in-state", deleting(state="updating"), {}, {}),
    (
        "delete.in-state",
        deleting(state="delete-finalizing"),
        {"state": "delete-finalizing"},
        {},
    ),
    ("delete.user-token", deleting(state="initializing", user=True), {}, {}),
    ("delete.in-use", delete_in_use, {}, {}),
    ("action.op-missing", acting(""), {"parameter": "op"}, {}),
    ("action.op", acting("?op=zzz"), {"operation": "zzz"}, {}),
    ("action.finalize", acting("?op=FINALIZE&subOp=APPLY"), {"action": "finalize"}, {}),
    (
        "action.state",
        acting("?op=publish"),
        {"operation": "publish", "state": "enabled"},
        {},
    ),
    ("action.sub-op", acting("?op=publish&subOp=reverse"), {"subAction": "reverse"}, {}),
    (
        "action.sub-op-progress",
        acting("?op=publish&subOp=progress,apply"),
        {"subOperation": "progress"},
        {},
    ),
    (
        "action.sub-op-operation",
        acting("?op=publish&subOp=PROGRESS"),
        {"subOperation": "PROGRESS", "operation": "publish"},
        {},
    ),
    (
        "action.status",
        acting("?op=publish", {"status": {"value": "started"}}),
        {"status": "started"},
        {},
    ),
    (
        "action.status-progress",
        acting("?op=publish&subOp=progress", {"status": {"value": "FAILED"}}),
        {"status": "failed", "subOp": "progress"},
        {},
    ),
    (
        "action.percent",
        acting("?op=publish", {"status": {"value": "COMPLETED"}, "percentCompleted": 50}),
        {},
        {},
    ),
    ("action.body", acting("?op=publish", "text"), {}, {}),
    ("search.body-empty", searching(b""), {}, {}),
    ("search.body-not-json", searching(b"["), {}, {}),
    ("search.body-not-json", searching(b'{"limit":1001}'), {}, {}),
    ("query.unknown", searching(b'{"queryString":"a=1"}'), {"params": "a"}, {}),
    ("explore.object-type-missing", exploring(""), {"message": "objectType"}, {}),
    ("explore.object-type-missing", exploring("?objectType="), {"message": "objectType"}, {}),
    ("explore.object-type", exploring("?objectType=sheet"), {"message": "objectType"}, {}),
    ("explore.object-missing", exploring("?objectType=table"), {}, {}),
    ("explore.not-supported", exploring("?objectType=folder&object=x"), {}, {}),
    ("explore.no-table", exploring("?objectType=table&object=zzz"), {"message": "zzz"}, {}),
    ("explore.source-params", exploring("?objectType=root&sourceParams=e3"), {}, {}),
    (
        "explore.source-params",
        exploring(
            "?objectType=root&filters=" + base64.b64encode(b"[" * 99_999).decode().rstrip("=")
        ),
        {},
        {},
    ),
    ("ims.grant-type", token(grant_type="password"), {}, {}),
    ("ims.client-id", token(client_id="x"), {}, {}),
    ("ims.client-secret", token(client_secret="x"), {}, {}),
    ("ims.scope", token(scope="openid,zzz"), {}, {}),
    ("ims.scope", token(scope=""), {}, {}),
    (
        "jwt.ended",
        lambda c: c.service.handle(Request("POST", ORIGIN, "/ims/exchange/jwt/", FORM, b"x=y")),
        {},
        {},
    ),
]


def unquoted(caller: Caller) -> Response:
    made = caller.create()
    etag = caller.read(made)["etag"].strip('"')
    return caller.patch(made, RENAME, etag)


CASES.append(("update.if-match-unquoted", unquoted, {}, {}))


def test_the_table_reaches_every_rule() -> None:
    assert {rule for rule, *_ in CASES} == set(CONTRACT.refusals)


def codes_of(rule: Refusal) -> set[str]:
    """A state may have a code of its own; every other rule has one code."""
    own = {
        "update.in-state": {state.update for state in CONTRACT.states.values()},
        "delete.in-state": {state.delete for state in CONTRACT.states.values()},
    }
    return own.get(rule.id, {rule.code}) - {"allowed", "service-token"}


def held(service: FlowService) -> list[Any]:
    return list(service.connections())


@pytest.mark.parametrize(
    ("rule", "act", "report", "readings"),
    CASES,
    ids=[f"{number}-{case[0]}" for number, case in enumerate(CASES)],
)
def test_a_rule_answers_with_its_entry_of_the_catalogue(
    rule: str,
    act: Callable[[Caller], Response],
    report: dict[str, str],
    readings: dict[str, str],
) -> None:
    entry = CONTRACT.refusals[rule]
    response = act(Caller(FlowService(readings=readings)))

    assert response.headers.get("x-aepmock-clause") == (entry.clause or entry.id)
    shape = CONTRACT.errors[entry.code].shape
    media = "application/problem+json" if shape == "own" else "application/json"
    assert response.headers.get("content-type") == media
    if shape == "service":
        assert not list(CONTRACT.validator("error-envelope").iter_errors(response.json))
        code = code_of(response)
        assert code in codes_of(entry)
        error = CONTRACT.errors[code]
        assert (response.status, response.json["status"]) == (error.status, error.status)
        assert response.json["title"] == error.title
        given = response.json["report"]
        message = error.message.format(**given)
        assert response.json["errorMessage"] == response.json["errorDetails"] == message
        assert given["detailed-message"] == message
        assert set(given) == {"detailed-message", "request-id", *error.params}
        for name, value in report.items():
            assert value == given[name] or (name == "message" and value in given[name])
    elif shape == "gateway":
        assert response.json == {
            "error_code": entry.code,
            "message": CONTRACT.errors[entry.code].message,
        }
    else:
        assert response.status == CONTRACT.errors[entry.code].status


@pytest.mark.parametrize(
    ("rule", "act", "readings"),
    [(rule, act, readings) for rule, act, _, readings in CASES],
    ids=[f"{number}-{case[0]}" for number, case in enumerate(CASES)],
)
def test_a_refused_request_changes_nothing(
    rule: str, act: Callable[[Caller], Response], readings: dict[str, str]
) -> None:
    caller = Caller(FlowService(readings=readings))
    before: list[Any] = []
    handle = caller.service.handle

    def watching(request: Request) -> Response:
        before[:] = held(caller.service)
        return handle(request)

    caller.service.handle = watching  # type: ignore[method-assign]
    assert not act(caller).ok
    assert held(caller.service) == before


def test_every_documented_code_of_connections_can_be_met() -> None:
    """Those of the catalogue that speak of flows, runs, specs, mappings and permissions can't."""
    met = {CONTRACT.refusals[rule].code for rule, *_ in CASES}
    options = {o.id for r in CONTRACT.readings.values() for o in r.options}
    states = {rule for s in CONTRACT.states.values() for rule in (s.update, s.delete)}
    about_connections = set(
        """
        1100-400 1101-404 1401-400 1402-400 1403-400 1404-412 1405-400 1406-400 1407-400 1408-400
        1409-400 1413-400 1414-400 1415-400 1416-400 1417-400 1418-400 1424-400 1432-400 1433-400
        1434-400 1435-400 1436-400 1437-400 1439-400 1439-404 1440-400 1443-400 1448-400 1449-400
        1450-400 1451-400 1452-400 1453-400 1454-400 1455-400 1456-400 1457-400 1458-400
        2000-401 2001-401 2002-401 2100-404 2101-404 2103-404 2105-400
        2110-400 2111-403 2112-400 2113-400 2114-400 2119-400
        400003 401013 403000 403003 403010 403025 403027
    """.split()  # noqa: SIM905
    )
    assert about_connections - met - options - states == set()
