"""What the contract does not hold is answered by 501, and judged by nobody; a miss is wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aepmock.client_api import ClientSettings
from aepmock.contract import is_not_imitated, load_contract, not_imitated
from aepmock.judge import Call, Expected, Transcript, judge_exchange, judge_transcript
from aepmock.messages import Exchange, Headers, Request
from aepmock.service import FlowService
from tests.service.flow_caller import BASE, HUBSPOT, ORIGIN, Caller

CONTRACT = load_contract()
IMS = "https://ims-na1.adobelogin.com"
LOOPBACK = "http://127.0.0.1:4012"
PREFLIGHT = Headers([("Origin", "https://a.example"), ("Access-Control-Request-Method", "POST")])
SETTINGS = ClientSettings(
    base_url=ORIGIN + BASE, access_token="t", api_key="k", ims_org_id="o", sandbox_name="dev",
    ims_token_url=f"{IMS}/ims/token/v3", client_id="k", client_secret="s", scopes="openid",
)  # fmt: skip


def broken_by(request: Request) -> set[str]:
    """The clauses that a request breaks on the wire, as the strict fixture would see it."""
    service = FlowService(accept_any=True)
    exchange = Exchange(request, service.handle(request), 1)
    expected = Expected.of(SETTINGS, any_value=True)
    seen = judge_exchange(exchange, expected, CONTRACT)
    return {observation.clause for observation in seen if observation.violation is not None}


NOT_IMITATED = [
    ("GET", ORIGIN, "/data/foundation/catalog/dataSets?limit=5"),
    ("GET", ORIGIN, "/data/foundation/schemaregistry/tenant/schemas"),
    ("POST", ORIGIN, "/data/foundation/import/batches"),
    ("GET", ORIGIN, "/data/foundation/connectors/privateEndpoints"),
    ("PUT", ORIGIN, "/data/foundation/sandbox-management/sandboxes/dev"),
    ("GET", "https://reactor.adobe.io", "/properties/PR1/rules"),
    ("GET", "https://reactor.adobe.io", "/connections"),
    ("GET", IMS, "/ims/profile/v1?client_id=x"),
    ("POST", IMS, "/ims/revoke"),
    ("GET", IMS, "/"),
    ("GET", LOOPBACK, "/data/foundation/catalog/dataSets"),
    ("GET", LOOPBACK, "/robots.txt"),
    ("PRI", LOOPBACK, "*"),
    *(
        ("GET", ORIGIN, f"{BASE}/{resource}")
        for resource in (
            "flows",
            "flows/ID",
            "flowSpecs?property=x==1",
            "runs/",
            "sourceConnections/a/b/c",
            "targetConnections",
            "connectionSpecs/ID/explore?objectType=root",
        )
    ),
    ("DELETE", ORIGIN, f"{BASE}/flows/ID"),
]


@pytest.mark.parametrize(("method", "origin", "target"), NOT_IMITATED)
def test_what_is_not_imitated_says_so_and_breaks_nothing(
    method: str, origin: str, target: str
) -> None:
    request = Request(method, origin, target)
    response = FlowService().handle(request)
    assert response.status == 501
    assert response.headers.get("content-type") == "application/problem+json"
    assert response.json["title"] == "aepmock does not imitate this"
    named = target.removeprefix(BASE + "/").partition("?")[0].split("/")[0]
    assert named in response.json["detail"]
    assert "limit=5" not in response.body.decode()
    assert broken_by(request) == set()
    assert is_not_imitated(CONTRACT, request)


MISSED = [
    ("GET", ORIGIN, "/connections", "request.base-path"),
    ("GET", ORIGIN, "/flowservice/v1/connections/ID", "request.base-path"),
    ("GET", ORIGIN, "/data/foundation/connections", "request.base-path"),
    ("GET", ORIGIN, "/data%2Ffoundation%2Fflowservice%2Fconnections", "request.base-path"),
    ("GET", ORIGIN, "/data/foundation/flowService/flows", "request.base-path"),
    ("GET", "https://platform-nld2.adobe.io", f"{BASE}/connections", "request.base-path"),
    ("GET", "https://reactor.adobe.io", f"{BASE}/connections", "request.base-path"),
    ("GET", LOOPBACK, "/connections", "request.base-path"),
    ("GET", ORIGIN, f"{BASE}/connectionz", "request.operation"),
    ("GET", ORIGIN, f"{BASE}/Flows", "request.operation"),
    ("GET", ORIGIN, f"{BASE}/v1/flows", "request.operation"),
    ("PUT", ORIGIN, f"{BASE}/connections/ID", "request.operation"),
    ("OPTIONS", ORIGIN, f"{BASE}/connections/ID", "request.operation"),
]


@pytest.mark.parametrize(("method", "origin", "target", "clause"), MISSED)
def test_what_was_meant_for_connections_and_missed_is_wrong(
    method: str, origin: str, target: str, clause: str
) -> None:
    request = Request(method, origin, target)
    assert clause in broken_by(request)
    assert "request.authorization" in broken_by(request)
    assert not is_not_imitated(CONTRACT, request)


@pytest.mark.parametrize(
    "target",
    ["/ims/token", *(f"/ims/token/v{n}" for n in (1, 2, 4)), "/ims/exchange/jwt/"],
)
def test_a_token_request_of_any_version_breaks_nothing(target: str) -> None:
    request = Request("POST", IMS, target, Headers([("Content-Type", "text/plain")]), b"x")
    assert broken_by(request) == set()
    assert not_imitated(CONTRACT, request) is None


def test_a_browsers_question_before_a_page_may_send_is_no_clients_request() -> None:
    for target in (f"{BASE}/connections", "/ims/token/v3", "/elsewhere"):
        request = Request("OPTIONS", ORIGIN, target, PREFLIGHT)
        assert FlowService().handle(request).status == 501
        assert broken_by(request) == set()


def creating(spec_id: Any, **headers: str) -> Request:
    caller = Caller()
    spec = {"id": spec_id, "version": "1.0"}
    auth = {"specName": "Access Key", "params": {"s3AccessKey": "a"}}
    body = {**HUBSPOT, "connectionSpec": spec, "auth": auth}
    return caller.request("POST", "/connections", body, headers=headers)


@pytest.mark.parametrize("spec_id", CONTRACT.not_imitated.connectors)
def test_another_documented_connector_is_not_imitated_and_not_wrong(spec_id: str) -> None:
    request = creating(spec_id)
    response = FlowService(accept_any=True).handle(request)
    assert response.status == 501
    assert CONTRACT.not_imitated.connectors[spec_id] in response.json["detail"]
    assert broken_by(request) == set()
    assert is_not_imitated(CONTRACT, request)


def test_of_another_connector_the_headers_and_the_name_are_judged() -> None:
    request = creating(next(iter(CONTRACT.not_imitated.connectors)))
    headers = request.headers.without("x-api-key")
    body = json.dumps({**request.json, "name": None}).encode()
    wrong = Request(request.method, request.origin, request.target, headers, body)
    assert broken_by(wrong) >= {"request.api-key", "connections.create.name"}


@pytest.mark.parametrize("spec_id", ["hubspot", "", None, 5, "0" * 32])
def test_a_spec_id_that_no_page_has_is_wrong(spec_id: Any) -> None:
    request = creating(spec_id)
    assert "connections.create.spec-id" in broken_by(request)
    assert not is_not_imitated(CONTRACT, request)


def test_what_is_not_imitated_has_a_source_and_nothing_is_in_both() -> None:
    assert set(CONTRACT.not_imitated.resources) == {
        "connectionSpecs", "flowSpecs", "flows", "runs", "sourceConnections", "targetConnections",
    }  # fmt: skip
    assert len(CONTRACT.not_imitated.connectors) == 84
    assert not set(CONTRACT.connectors_by_spec) & set(CONTRACT.not_imitated.connectors)


@pytest.mark.parametrize("origin", ["http://[bad", "", "http://", "https://[::1]:80", "x"])
def test_any_origin_will_do(origin: str) -> None:
    assert FlowService().handle(Request("GET", origin, "/elsewhere")).status == 501


@pytest.mark.parametrize(
    ("connection_id", "target", "broken"),
    [
        ("../../../catalog/dataSets", "/data/catalog/dataSets", True),
        ("../../../catalog/dataSets", "/data/foundation/catalog/batches", False),
        ("../../../\u00fc", "/data/%C3%BC", True),
    ],
)
def test_an_id_that_leads_out_of_flow_service_is_still_judged(
    connection_id: str, target: str, broken: bool
) -> None:
    request = Request("GET", ORIGIN, target)
    assert is_not_imitated(CONTRACT, request)
    exchange = Exchange(request, FlowService().handle(request), 1)
    args = {"connection_id": connection_id}
    call = Call("get_connection", SETTINGS, args, (exchange,), raised=ValueError("501"))
    transcript = Transcript(CONTRACT, [call])
    seen = list(judge_transcript(transcript, {"request.path-encoding", "request.base-path"}))
    assert bool([one for one in seen if one.violation is not None]) is broken
