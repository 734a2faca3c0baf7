"""`aepmock openapi`: a valid OpenAPI 3.1 document that says what the mock does."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from aepmock.cli.main import main
from aepmock.contract import load_contract
from aepmock.contract.openapi import described, make_openapi, refusals_of
from aepmock.messages import Headers, Request, Response
from tests.service.flow_caller import HUBSPOT, Caller

METHODS = ("get", "post", "patch", "delete", "put")


@cache
def document() -> dict[str, Any]:
    return make_openapi(load_contract())


def operations() -> dict[str, dict[str, Any]]:
    items = document()["paths"].values()
    return {item[m]["operationId"]: item[m] for item in items for m in METHODS if m in item}


def fits(response: Response, operation: str) -> None:
    """Raises where an answer is not as the document has it."""
    answer = operations()[operation]["responses"][str(response.status)]
    if "content" not in answer:
        assert response.body == b""
        return
    schema = answer["content"]["application/json"]["schema"]
    # References lead to the components, so these stand beside the schema.
    root = {**schema, "components": document()["components"]}
    Draft202012Validator(root).validate(response.json)


def test_the_printed_document_is_valid_openapi(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["openapi"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed == document()
    assert printed["openapi"] == "3.1.0"
    OpenAPIV31SpecValidator(printed).validate()


def test_every_operation_is_there_with_what_every_request_needs() -> None:
    contract = load_contract()
    assert set(operations()) == {operation.id for operation in described(contract)}
    assert document()["security"] == [{"token": [], "key": []}]
    for name, operation in operations().items():
        refs = {parameter.get("$ref", "") for parameter in operation.get("parameters", ())}
        headers = {ref.rpartition("/")[2] for ref in refs if ref}
        if contract.operations[name].host == "ims":
            assert operation["security"] == []
            continue
        assert {"organization", "sandbox"} <= headers
        assert ("ifMatch" in headers) == (name == "connections.update")
        assert operation["x-source"]


def test_every_refusal_of_an_operation_stands_at_one_with_an_example_of_its_body() -> None:
    contract = load_contract()
    seen = set()
    for operation in described(contract):
        for rule in refusals_of(contract, operation):
            seen.add(rule.id)
            entry = contract.errors[rule.code]
            answer = operations()[operation.id]["responses"][str(entry.status)]
            assert f"`{entry.code}`: {rule.when}" in answer["description"]
            assert entry.code in answer["content"]["application/json"]["examples"]
    # Where no operation was meant, none can list it.
    assert set(contract.refusals) - seen == {"route.unknown", "route.method", "not-imitated"}


def test_every_example_of_a_refusal_fits_its_schema() -> None:
    for operation in operations().values():
        for answer in operation["responses"].values():
            for media in answer.get("content", {}).values():
                root = {**media["schema"], "components": document()["components"]}
                for code in media.get("examples", {}):
                    example = document()["components"]["examples"][code]
                    Draft202012Validator(root).validate(example["value"])


def test_a_create_is_described_for_every_way_to_authenticate() -> None:
    schemas = document()["components"]["schemas"]
    root = {"$ref": "#/components/schemas/CreateConnection", "components": document()["components"]}
    check = Draft202012Validator(root)
    check.validate(dict(HUBSPOT))
    lacking = json.loads(json.dumps(HUBSPOT))
    del lacking["auth"]["params"]["refreshToken"]
    assert not check.is_valid(lacking)
    contract = load_contract()
    count = sum(max(1, len(c.auth)) for c in contract.connectors.values())
    assert len(schemas["CreateConnection"]["anyOf"]) == count
    params = schemas["HubspotBasicAuthenticationParams"]["properties"]
    assert params["clientSecret"]["writeOnly"]
    assert "writeOnly" not in params["clientId"]


def test_the_mocks_own_answers_are_as_the_document_says() -> None:
    caller = Caller()
    made = caller.send("POST", "/connections", dict(HUBSPOT))
    fits(made, "connections.create")
    path = f"/connections/{made.json['id']}"
    caller.create()
    for query in ("", "?limit=1", "?count=true"):
        fits(caller.send("GET", f"/connections{query}"), "connections.list")
    fits(caller.send("POST", "/connections/search", {"limit": 1}), "connections.search")
    for tail, operation in (("", "get"), ("/test", "test"), ("/configs", "configs")):
        fits(caller.send("GET", path + tail), f"connections.{operation}")
    fits(caller.send("GET", f"{path}/explore?objectType=root"), "connections.explore")
    change = [{"op": "replace", "path": "/name", "value": "b"}]
    match: dict[str, str | None] = {"If-Match": made.json["etag"]}
    fits(caller.send("PATCH", path, change, headers=match), "connections.update")
    fits(caller.send("PATCH", path, change, headers=match), "connections.update")
    fits(caller.send("GET", path, headers={"x-api-key": None}), "connections.get")
    fits(caller.send("DELETE", path), "connections.delete")
    fits(caller.send("GET", path), "connections.get")
    draft = caller.send("POST", "/connections?mode=draft", dict(HUBSPOT)).json["id"]
    fits(caller.send("POST", f"/connections/{draft}/action?op=publish"), "connections.action")
    fits(caller.send("POST", f"/connections/{draft}/action?op=publish"), "connections.action")
    own = caller.credentials
    for secret in (own.client_secret, "another"):
        form = f"grant_type=client_credentials&client_id={own.client_id}"
        form += f"&client_secret={secret}&scope={own.scopes}"
        headers = Headers([("Content-Type", "application/x-www-form-urlencoded")])
        request = Request("POST", "https://ims", "/ims/token/v3", headers, form.encode())
        fits(caller.service.handle(request), "ims.token")
