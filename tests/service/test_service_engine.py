"""The funnel: order of refusal, routes, isolation, determinism."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest

from aepmock.errors import UsageError
from aepmock.messages import Headers, Request, Response
from aepmock.service import FlowService
from tests.service.flow_caller import BASE, HUBSPOT, ORIGIN, Caller, code_of

# Each breaks one thing more than the one before it; what comes first in the order is named.
WRONG_TOKEN: Mapping[str, str | None] = {"Authorization": "Bearer x"}
WRONG_KEY: Mapping[str, str | None] = {"x-api-key": "x"}
WRONG_ORG: Mapping[str, str | None] = {"x-gw-ims-org-id": "x"}
WRONG_TYPE: Mapping[str, str | None] = {"Content-Type": "text/plain"}
WRONG_SANDBOX: Mapping[str, str | None] = {"x-sandbox-name": "zzz"}


@pytest.mark.parametrize(
    ("wrong", "clause"),
    [
        ([WRONG_SANDBOX, WRONG_TYPE, WRONG_ORG, WRONG_KEY, WRONG_TOKEN], "request.authorization"),
        ([WRONG_SANDBOX, WRONG_TYPE, WRONG_ORG, WRONG_KEY], "request.api-key"),
        ([WRONG_SANDBOX, WRONG_TYPE, WRONG_ORG], "request.ims-org"),
        ([WRONG_SANDBOX, WRONG_TYPE], "request.content-type"),
        ([WRONG_SANDBOX], "request.sandbox"),
        ([], "request.operation"),
    ],
)
def test_the_first_thing_wrong_in_the_order_of_refusal_is_named(
    wrong: list[Mapping[str, str | None]], clause: str
) -> None:
    headers = {name: value for fields in wrong for name, value in fields.items()}
    response = Caller().send("POST", "/connectionz?x=1", body=b"{", headers=headers)
    assert response.headers.get("x-aepmock-clause") == clause


def test_what_is_wrong_with_the_operation_comes_last() -> None:
    caller = Caller()
    unknown = caller.send("PATCH", "/connections/x?y=1", body=b"{")
    assert code_of(unknown) == "1439-404"
    made = caller.create()
    assert code_of(caller.send("PATCH", f"/connections/{made}?y=1", body=b"{")) == "1451-400"
    assert code_of(caller.send("PATCH", f"/connections/{made}", body=b"{")) == "1403-400"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/connections"),
        ("GET", "/connections/{id}"),
        ("GET", "/connections/{id}/test"),
        ("GET", "/connections/{id}/configs"),
        ("DELETE", "/connections/{id}"),
    ],
)
def test_a_trailing_slash_makes_no_difference(method: str, path: str) -> None:
    answers = []
    for slash in ("", "/"):
        caller = Caller()
        made = caller.create()
        answers.append(caller.send(method, path.format(id=made) + slash))
    assert answers[0] == answers[1]
    assert answers[0].ok


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("HEAD", "/connections", "GET, POST"),
        ("OPTIONS", "/connections", "GET, POST"),
        ("DELETE", "/connections/", "GET, POST"),
        ("PUT", "/connections/x", "DELETE, GET, PATCH"),
        ("HEAD", "/connections/x", "DELETE, GET, PATCH"),
        ("GET", "/connections/search", "POST"),
        ("POST", "/connections/x/test", "GET"),
        ("get", "/connections", "GET, POST"),
    ],
)
def test_a_method_that_a_path_has_not_is_answered_with_those_it_has(
    method: str, path: str, allow: str
) -> None:
    response = Caller().send(method, path)
    assert (response.status, response.headers.get("allow")) == (405, allow)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "//connections",
        "/connections//",
        "/connections//test",
        "/Connections",
        "/connections/x/tests",
        "/connections/x/test/y",
        "/connections/x//test",
        "/connection",
        "/../connections",
        "/connectionsx",
    ],
)
def test_a_path_that_is_none_is_not_found(path: str) -> None:
    assert Caller().send("GET", path).headers.get("x-aepmock-clause") == "request.operation"


def test_a_path_beside_the_base_path_is_refused_by_the_gateway_first() -> None:
    caller = Caller()
    right = caller.request("GET", "/connections")
    for target in ("/connections", "/flowservice/v1/connections", f"{BASE}/connectionz", BASE):
        admitted = caller.service.handle(Request("GET", ORIGIN, target, right.headers))
        assert admitted.status == 404
        stranger = caller.service.handle(Request("GET", ORIGIN, target, Headers()))
        assert code_of(stranger) == "403010"


@pytest.mark.parametrize(
    ("segment", "connection_id"),
    [
        ("%2e%2e", ".."),
        ("%2F", "/"),
        ("%00", "\0"),
        ("a%20b", "a b"),
        ("a+b", "a+b"),
        ("%C3%BC", "ü"),
        ("%FF", "�"),
        ("%zz", "%zz"),
        ("%ED%A0%80", "���"),
        ("search%2F", "search/"),
        ("x;y=z", "x;y=z"),
        ("x" * 5_000, "x" * 5_000),
    ],
)
def test_an_id_is_one_decoded_segment(segment: str, connection_id: str) -> None:
    response = Caller().send("GET", f"/connections/{segment}")
    assert response.status == 404
    assert response.json["report"]["id"] == connection_id


def test_an_encoded_id_finds_the_connection() -> None:
    caller = Caller()
    made = caller.create()
    encoded = "".join(f"%{ord(letter):02X}" for letter in made)
    assert caller.send("GET", f"/connections/{encoded}").status == 200


def test_sandboxes_and_organizations_are_kept_apart() -> None:
    service = FlowService()
    ours, theirs = Caller(service), Caller(service)
    elsewhere = Caller(service, ours.credentials)
    elsewhere.sandbox = "prod"
    made = ours.create()
    etag = ours.read(made)["etag"]
    for stranger in (theirs, elsewhere):
        assert stranger.names() == []
        assert stranger.send("GET", "/connections?count=true").json == {"count": 0}
        assert stranger.send("GET", f"/connections/{made}").status == 404
        assert stranger.patch(made, {"op": "remove", "path": "/name"}, etag).status == 404
        assert stranger.send("DELETE", f"/connections/{made}").status == 404
    assert ours.read(made)["etag"] == etag


def test_all_sandboxes_of_one_organization_are_listed_together() -> None:
    service = FlowService()
    ours, theirs = Caller(service), Caller(service)
    ours.create(name="in dev")
    ours.sandbox = "prod"
    ours.create(name="in prod")
    theirs.create(name="not ours")
    everything = {"x-sandbox-name": "*", "x-sandbox-id": "*"}
    listed = ours.send("GET", "/connections", headers=everything).json["items"]
    assert [item["sandboxName"] for item in listed] == ["prod", "dev"]
    counted = ours.send("GET", "/connections?count=true", headers=everything)
    assert counted.json == {"count": 2}


def conversation(seed: int) -> list[Response]:
    caller = Caller(FlowService(seed=seed))
    made = caller.create()
    return [
        caller.try_create(name="second"),
        caller.send("GET", "/connections?limit=1"),
        caller.patch(made, {"op": "replace", "path": "/name", "value": "x"}),
        caller.send("GET", "/connections/x"),
        caller.send("GET", f"/connections/{made}"),
        caller.send("DELETE", f"/connections/{made}"),
    ]


def test_the_same_seed_and_requests_give_the_same_bytes() -> None:
    assert conversation(7) == conversation(7)
    assert conversation(7) != conversation(8)


def test_requests_from_several_threads_do_not_get_in_each_others_way() -> None:
    caller = Caller()
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda number: caller.create(name=str(number)), range(200)))
    assert len(set(made)) == 200
    assert caller.send("GET", "/connections?count=true").json == {"count": 200}


def test_reset_forgets_connections_and_keeps_credentials() -> None:
    caller = Caller()
    made = caller.create()
    caller.service.reset()
    assert caller.names() == []
    assert caller.create() != made


def test_connections_come_back_as_copies() -> None:
    caller = Caller()
    made = caller.create()
    seen = next(iter(caller.service.connections()))
    seen["auth"]["params"]["clientId"] = "changed outside"
    seeded = caller.service.seed_connection(caller.credentials.ims_org_id, "dev")
    seeded["auth"]["params"]["clientId"] = "changed outside"
    assert caller.read(made)["auth"]["params"]["clientId"] == "the client id"
    assert caller.read(seeded["id"])["auth"]["params"]["clientId"] != "changed outside"


def test_a_created_connection_is_not_the_request_that_made_it() -> None:
    caller = Caller()
    request = caller.request("POST", "/connections", dict(HUBSPOT))
    made = caller.service.handle(request).json["id"]
    patch = [
        {"op": "replace", "path": "/auth/params", "value": {"clientId": "a"}},
        {"op": "add", "path": "/auth/params/clientId", "value": "b"},
    ]
    sent = caller.request(
        "PATCH", f"/connections/{made}", patch, headers={"If-Match": caller.read(made)["etag"]}
    )
    assert caller.service.handle(sent).status == 200
    assert sent.json == patch
    assert request.json == HUBSPOT


def test_misuse_by_a_test_author_is_named() -> None:
    service = FlowService()
    org = service.mint_credentials().ims_org_id
    with pytest.raises(UsageError, match="did you mean 'hubspot'"):
        service.seed_connection(org, "dev", connector="hubspt")
    with pytest.raises(UsageError, match="unknown state 'x'"):
        service.seed_connection(org, "dev", state="x")
    with pytest.raises(UsageError, match="unknown sandbox 'x'"):
        service.seed_connection(org, "x")
    with pytest.raises(UsageError, match="there is no connection 'x' to set a state of"):
        service.set_state("x", "enabled")
    with pytest.raises(UsageError, match="unknown state 'y'"):
        service.set_state("x", "y")
