"""Who is let in: tokens and their life, keys, organizations, sandboxes."""

from __future__ import annotations

import pytest

from aepmock.messages import Response
from aepmock.service import FlowService
from tests.service.flow_caller import HUBSPOT, Caller, code_of

DAY_S = 86_400


def listed(caller: Caller, **headers: str | None) -> Response:
    return caller.send("GET", "/connections", headers=headers)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_word_bearer_compares_without_case(scheme: str) -> None:
    caller = Caller()
    value = f"{scheme} {caller.credentials.access_token}"
    assert listed(caller, Authorization=value).status == 200


@pytest.mark.parametrize(
    "value", ["{}", "Token {}", "Bearer", "Bearer {}x", "Bearer{}", "Bearer é"]
)
def test_what_is_no_known_bearer_token_is_not_valid(value: str) -> None:
    caller = Caller()
    sent = value.format(caller.credentials.access_token)
    assert code_of(listed(caller, Authorization=sent)) == "401013"


def test_a_token_lives_for_a_day_by_the_clock() -> None:
    caller = Caller()
    caller.service.clock.advance(DAY_S - 10)
    assert listed(caller).status == 200
    caller.service.clock.advance(10)
    assert code_of(listed(caller)) == "401013"


def test_an_expired_token_is_refused_while_the_others_go_on() -> None:
    caller = Caller()
    other = Caller(caller.service)
    caller.service.gateway.expire(caller.credentials.access_token)
    assert code_of(listed(caller)) == "401013"
    assert listed(other).status == 200


def test_a_key_of_another_integration_is_wrong() -> None:
    caller = Caller()
    other = Caller(caller.service)
    assert code_of(listed(caller, **{"x-api-key": other.credentials.api_key})) == "403003"


def test_another_organization_is_refused() -> None:
    caller = Caller()
    other = Caller(caller.service)
    header = {"x-gw-ims-org-id": other.credentials.ims_org_id}
    assert code_of(listed(caller, **header)) == "403025"


def test_an_open_mock_takes_any_token_key_and_organization_that_is_not_empty() -> None:
    service = FlowService(accept_any=True)
    caller = Caller(service)
    strange: dict[str, str | None] = {
        "Authorization": "Bearer x",
        "x-api-key": "y",
        "x-gw-ims-org-id": "z",
    }
    assert listed(caller, **strange).status == 200
    for name in strange:
        assert not listed(caller, **{**strange, name: ""}).ok
        assert not listed(caller, **{**strange, name: None}).ok
    service.clock.advance(DAY_S)
    assert listed(caller).status == 200


def test_organizations_of_an_open_mock_are_kept_apart() -> None:
    caller = Caller(FlowService(accept_any=True))
    caller.create()
    assert listed(caller, **{"x-gw-ims-org-id": "another"}).json["items"] == []


def test_prod_and_dev_are_known_and_a_sandbox_can_be_added() -> None:
    caller = Caller()
    assert listed(caller, **{"x-sandbox-name": "prod"}).status == 200
    assert code_of(listed(caller, **{"x-sandbox-name": "stage"})) == "2100-404"
    caller.service.gateway.add_sandbox(caller.credentials.ims_org_id, "stage")
    assert listed(caller, **{"x-sandbox-name": "stage"}).status == 200


def test_the_id_of_the_sandbox_may_stand_beside_its_name_with_a_service_token() -> None:
    caller = Caller()
    sandboxes = caller.service.gateway.sandboxes(caller.credentials.ims_org_id)
    assert listed(caller, **{"x-sandbox-id": sandboxes["dev"].id}).status == 200
    assert code_of(listed(caller, **{"x-sandbox-id": sandboxes["prod"].id})) == "2103-404"
    user = caller.user()
    assert code_of(listed(user, **{"x-sandbox-id": sandboxes["dev"].id})) == "2110-400"


@pytest.mark.parametrize("value", ["application/json", "Application/JSON; charset=utf-8"])
def test_a_payload_with_the_json_type_is_taken(value: str) -> None:
    response = Caller().send("POST", "/connections", body=b"{}", headers={"Content-Type": value})
    assert code_of(response) == "1405-400"


@pytest.mark.parametrize("value", [None, "", "text/json", "application/json-patch+json", "json"])
def test_a_payload_with_another_type_is_refused(value: str | None) -> None:
    response = Caller().send("POST", "/connections", body=b"{}", headers={"Content-Type": value})
    assert response.status == 400
    assert response.json == {
        "type": "/placeholder/type/uri",
        "status": 400,
        "title": "BadRequestError",
        "detail": "A valid content-type must be specified",
    }


def test_no_payload_needs_no_type() -> None:
    caller = Caller()
    made = caller.send("POST", "/connections?mode=draft", dict(HUBSPOT)).json["id"]
    assert caller.send("POST", f"/connections/{made}/action?op=publish").status == 200


def test_credentials_show_no_secret_in_their_repr() -> None:
    made = FlowService().mint_credentials()
    assert made.access_token not in repr(made)
    assert made.client_secret not in repr(made)
