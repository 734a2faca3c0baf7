"""Every option of every reading is a switch that a client can notice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from aepmock.contract import load_contract
from aepmock.errors import UsageError
from aepmock.messages import Headers, Request, Response
from aepmock.service import FlowService
from tests.service.flow_caller import BASE, HUBSPOT, ORIGIN, UNSET, Caller, code_of

CONTRACT = load_contract()
Probe = Callable[[Caller], Any]


def answer(response: Response) -> tuple[int, str]:
    return response.status, code_of(response)


def token_missing(caller: Caller) -> Any:
    return answer(caller.send("GET", "/connections", headers={"Authorization": None}))


def code_type(caller: Caller) -> Any:
    bad = caller.send("GET", "/connections", headers={"Authorization": "Bearer x"})
    return bad.json["error_code"]


def org_missing(caller: Caller) -> Any:
    return answer(caller.send("GET", "/connections", headers={"x-gw-ims-org-id": None}))


def org_wrong(caller: Caller) -> Any:
    return answer(caller.send("GET", "/connections", headers={"x-gw-ims-org-id": "x"}))


def content_type(caller: Caller) -> Any:
    return caller.send(
        "POST", "/connections", dict(HUBSPOT), headers={"Content-Type": "text/plain"}
    ).status


def sandbox_missing(caller: Caller) -> Any:
    response = caller.send("POST", "/connections", dict(HUBSPOT), headers={"x-sandbox-name": None})
    return response.status, [c["sandboxName"] for c in caller.service.connections()]


def sandbox_unknown(caller: Caller) -> Any:
    response = caller.send("GET", "/connections", headers={"x-sandbox-name": "zzz"})
    return (*answer(response), "Sandbox Management API" in response.json["errorMessage"])


def envelope(caller: Caller) -> Any:
    return sorted(caller.send("GET", "/connections?limit=x").json)


def unknown_id(caller: Caller) -> Any:
    response = caller.send("GET", "/connections/x")
    return (*answer(response), sorted(response.json))


def delete_status(caller: Caller) -> Any:
    response = caller.send("DELETE", f"/connections/{caller.create()}")
    return response.status, response.body


def if_match_unquoted(caller: Caller) -> Any:
    made = caller.create()
    etag = caller.read(made)["etag"].strip('"')
    return caller.patch(made, {"op": "remove", "path": "/description"}, etag).status


def stale_etag_body(caller: Caller) -> Any:
    made = caller.create()
    response = caller.patch(made, {"op": "remove", "path": "/description"}, '"v1"')
    assert response.status == 412
    return response.json["errorMessage"].partition("version")[0]


def without(field: str) -> Probe:
    def probe(caller: Caller) -> Any:
        response = caller.try_create(**{field: None})
        return response.status

    return probe


def without_version(caller: Caller) -> Any:
    response = caller.try_create(connectionSpec={"id": HUBSPOT["connectionSpec"]["id"]})
    held = [c["connectionSpec"]["version"] for c in caller.service.connections()]
    return response.status, held


def unknown_spec(caller: Caller) -> Any:
    response = caller.try_create(connectionSpec={"id": "x", "version": "1.0"})
    assert response.status == 400
    return sorted(response.json)


def unknown_params(caller: Caller) -> Any:
    params = {**HUBSPOT["auth"]["params"], "zzz": [1]}
    response = caller.try_create(auth={"specName": "Basic Authentication", "params": params})
    kept = [c["auth"]["params"]["zzz"] for c in caller.service.connections()]
    return response.status, kept


def secrets_on_read(caller: Caller) -> Any:
    made = caller.create()
    params = caller.read(made)["auth"]["params"]
    listed = caller.send("GET", "/connections").json["items"][0]["auth"]["params"]
    assert listed == params
    assert params["clientId"] == "the client id"
    return params.get("clientSecret")


def last_page_links(caller: Caller) -> Any:
    caller.create()
    return caller.send("GET", "/connections").json.get("_links", UNSET) is UNSET


def next_href(caller: Caller) -> Any:
    caller.create()
    caller.create()
    page = caller.send("GET", "/connections?limit=1&orderby=name&property=state==enabled").json
    href = page["_links"]["next"]["href"]
    # Whatever it holds, following it as it is gives the rest.
    assert len(caller.send("GET", href).json["items"]) == 1
    return sorted(part.partition("=")[0] for part in href.partition("?")[2].split("&"))


def token_alphabet(caller: Caller) -> Any:
    caller.create()
    caller.create()
    href = caller.send("GET", "/connections?limit=1").json["_links"]["next"]["href"]
    assert len(caller.send("GET", href).json["items"]) == 1
    return href.partition("=")[2].isalnum()


def page_size(caller: Caller) -> Any:
    for _ in range(101):
        caller.create()
    return len(caller.send("GET", "/connections").json["items"])


def limit_above(caller: Caller) -> Any:
    for _ in range(102):
        caller.create()
    page = caller.send("GET", "/connections?limit=101").json
    assert "next" in page["_links"]
    return len(page["items"])


def default_order(caller: Caller) -> Any:
    made = [caller.create(name=name) for name in ("first", "second", "third")]
    caller.patch(made[1], {"op": "remove", "path": "/description"})
    return caller.names()


def create_location(caller: Caller) -> Any:
    response = caller.try_create()
    location = response.headers.get("location")
    return location and location.replace(response.json["id"], "{id}")


def create_etag(caller: Caller) -> Any:
    return sorted(caller.try_create().json)


def etag_header(caller: Caller) -> Any:
    response = caller.try_create()
    header = response.headers.get("etag")
    assert header in (None, response.json["etag"])
    return header is None


def initial_state(caller: Caller) -> Any:
    made = caller.create()
    first = caller.read(made)["state"]
    caller.service.clock.advance(5)
    assert caller.read(made)["state"] == "enabled"
    return first


def publish_etag(caller: Caller) -> Any:
    response = caller.send("POST", "/connections?mode=draft", dict(HUBSPOT))
    made, etag = response.json["id"], response.json["etag"]
    published = caller.send("POST", f"/connections/{made}/action?op=publish").json
    assert published["etag"] == caller.read(made)["etag"]
    return published["etag"] == etag


def configs_answer(caller: Caller) -> Any:
    return type(caller.send("GET", f"/connections/{caller.create()}/configs").json).__name__


def expires_in(caller: Caller) -> Any:
    made = caller.credentials
    query = f"grant_type=client_credentials&client_id={made.client_id}"
    query += f"&client_secret={made.client_secret}&scope={made.scopes}"
    return caller.service.handle(Request("POST", ORIGIN, f"/ims/token/v3?{query}", Headers())).json[
        "expires_in"
    ]


def jwt_exchange(caller: Caller) -> Any:
    made = caller.credentials
    given = f"client_id={made.client_id}&client_secret={made.client_secret}&jwt_token=x"
    headers = Headers([("Content-Type", "application/x-www-form-urlencoded")])
    request = Request("POST", ORIGIN, "/ims/exchange/jwt", headers, given.encode())
    response = caller.service.handle(request)
    return response.status, response.json.get("expires_in")


PROBES: dict[str, tuple[Probe, list[Any]]] = {
    "gateway.token-missing": (
        token_missing,
        [(403, "403010"), (401, "401013"), (400, "2114-400")],
    ),
    "gateway.error-code-type": (code_type, ["401013", 401013]),
    "gateway.org-missing": (org_missing, [(400, "400003"), (401, "2001-401"), (401, "2002-401")]),
    "gateway.org-wrong": (org_wrong, [(403, "403025"), (403, "403027"), (401, "2000-401")]),
    "gateway.content-type": (content_type, [400, 415]),
    "sandbox.missing": (sandbox_missing, [(400, []), (201, ["prod"])]),
    "sandbox.unknown": (
        sandbox_unknown,
        [(404, "2100-404", False), (404, "2101-404", True)],
    ),
    "errors.envelope": (
        envelope,
        [
            ["errorDetails", "errorMessage", "report", "status", "title", "type"],
            ["errorDetails", "errorMessage"],
        ],
    ),
    "connections.unknown-id": (
        unknown_id,
        [
            (
                404,
                "1439-404",
                ["errorDetails", "errorMessage", "report", "status", "title", "type"],
            ),
            (404, "", ["errorDetails", "errorMessage"]),
            (
                404,
                "1101-404",
                ["errorDetails", "errorMessage", "report", "status", "title", "type"],
            ),
            (
                400,
                "1439-400",
                ["errorDetails", "errorMessage", "report", "status", "title", "type"],
            ),
        ],
    ),
    "connections.delete-status": (delete_status, [(204, b""), (202, b"")]),
    "connections.if-match-unquoted": (if_match_unquoted, [412, 200]),
    "connections.stale-etag-body": (stale_etag_body, ["The supplied ", "Supplied "]),
    "connections.create-without-version": (without_version, [(201, ["1.0"]), (422, [])]),
    "connections.create-without-name": (without("name"), [400, 201]),
    "connections.create-without-auth": (without("auth"), [400, 201]),
    "connections.unknown-spec": (
        unknown_spec,
        [["errorDetails", "errorMessage", "report", "status", "title", "type"], ["message"]],
    ),
    "connections.unknown-auth-params": (unknown_params, [(201, [[1]]), (400, [])]),
    "connections.secrets-on-read": (secrets_on_read, ["the client secret", "********", None]),
    "connections.last-page-links": (last_page_links, [False, True]),
    "connections.next-href": (
        next_href,
        [["continuationToken"], ["continuationToken", "limit", "orderby", "property"]],
    ),
    "connections.token-alphabet": (token_alphabet, [True, False]),
    "connections.page-size": (page_size, [100, 20]),
    "connections.limit-above-100": (limit_above, [101, 100]),
    "connections.default-order": (
        default_order,
        [["second", "third", "first"], ["first", "second", "third"]],
    ),
    "connections.create-location": (
        create_location,
        ["/connections/{id}", None, f"{ORIGIN}{BASE}/connections/{{id}}"],
    ),
    "connections.create-etag": (create_etag, [["etag", "id"], ["id"]]),
    "connections.etag-header": (etag_header, [True, False]),
    "connections.initial-state": (initial_state, ["enabled", "initializing"]),
    "connections.publish-etag": (publish_etag, [False, True]),
    "connections.configs-answer": (configs_answer, ["dict", "list"]),
    "ims.expires-in": (expires_in, [86_399, 86_399_000]),
    "ims.jwt-exchange": (jwt_exchange, [(400, None), (200, 86_399_000)]),
}


def test_the_probes_are_about_every_reading() -> None:
    assert set(PROBES) == set(CONTRACT.readings)


@pytest.mark.parametrize("reading", PROBES)
def test_each_option_shows_in_an_answer(reading: str) -> None:
    probe, expected = PROBES[reading]
    options = [option.id for option in CONTRACT.readings[reading].options]
    seen = [probe(Caller(FlowService(readings={reading: option}))) for option in options]
    assert seen == expected
    assert [repr(value) for value in seen].count(repr(seen[0])) == 1


def test_the_default_is_what_a_service_without_readings_does() -> None:
    for reading, (probe, _) in PROBES.items():
        default = CONTRACT.default_readings[reading]
        plain, chosen = FlowService(), FlowService(readings={reading: default})
        assert probe(Caller(plain)) == probe(Caller(chosen))


def test_switched_readings_hold_from_the_next_request_on() -> None:
    caller = Caller()
    made = [caller.create(), caller.create()]
    assert caller.send("DELETE", f"/connections/{made[0]}").status == 204
    caller.service.set_readings({"connections.delete-status": "202"})
    assert caller.send("DELETE", f"/connections/{made[1]}").status == 202


def test_an_unknown_reading_is_misuse() -> None:
    with pytest.raises(UsageError, match=r"unknown reading 'x'"):
        FlowService(readings={"x": "y"})
    with pytest.raises(UsageError, match=r"did you mean '204'\? Allowed: 202, 204"):
        FlowService(readings={"connections.delete-status": "2040"})
