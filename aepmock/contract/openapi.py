"""The contract as one OpenAPI 3.1 document: what `aepmock openapi` prints."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from aepmock.contract import Contract, error_response
from aepmock.contract.model import AuthParam, AuthSpec, Connector, Operation, Refusal
from aepmock.net import IMS, PLATFORM

REQUEST_ID = "00000000-0000-4000-8000-000000000000"
_JSON_TYPES = frozenset({"string", "integer", "number", "boolean", "object", "array"})
_FORM = "application/x-www-form-urlencoded"
_OF_ALL = ("gateway", "sandbox", "query")
_SHARED: Mapping[str, tuple[str, ...]] = {
    "connections.list": ("list", "filter"),
    "connections.search": ("search", "list", "filter"),
}
"""Groups of refusals besides those that are called like the operation itself."""

Json = dict[str, Any]


def make_openapi(contract: Contract) -> Json:
    """The document, as plain data in the order of the contract."""
    paths: dict[str, Json] = {}
    for operation in described(contract):
        item = paths.setdefault(operation.path, {})
        if operation.host == "ims":
            item["servers"] = [{"url": IMS}]
        elif "{id}" in operation.path:
            item["parameters"] = [{"$ref": "#/components/parameters/id"}]
        item[operation.method.lower()] = _operation(contract, operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Flow Service connections, as aepmock reads Adobe's documentation",
            "version": contract.version,
            "description": (
                "Made by `aepmock openapi` from the kit's contract; not made or endorsed by "
                "Adobe. `x-source` says where each piece was read, by the keys of `x-sources`. "
                "Where the documentation contradicts itself or is silent, the default reading "
                "is described, and `x-readings` names the questions."
            ),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": PLATFORM + contract.base_path}],
        "security": [{"token": [], "key": []}],
        "tags": [
            {"name": "connections", "description": "Base connections of Flow Service"},
            {"name": "ims", "description": "Access tokens"},
        ],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", **_asked(contract, "authorization")},
                "key": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "x-api-key",
                    **_asked(contract, "api-key"),
                },
            },
            "parameters": {
                "id": {
                    "name": "id",
                    "in": "path",
                    "required": True,
                    "schema": {"type": "string", "minLength": 1},
                },
                "organization": _header(contract, "x-gw-ims-org-id", "request.ims-org"),
                "sandbox": _header(contract, "x-sandbox-name", "request.sandbox"),
                "ifMatch": _header(contract, "If-Match", "connections.update.if-match"),
            },
            "schemas": _schemas(contract),
            "examples": _examples(contract),
        },
        "x-sources": {key: dict(entry) for key, entry in contract.sources.items()},
    }


def render_openapi(contract: Contract) -> str:
    """The document as JSON."""
    return json.dumps(make_openapi(contract), indent=2, ensure_ascii=False) + "\n"


def described(contract: Contract) -> list[Operation]:
    """The operations of Flow Service and of the token endpoint, in the contract's order."""
    return [op for op in contract.operations.values() if op.host in ("platform", "ims")]


def refusals_of(contract: Contract, operation: Operation) -> list[Refusal]:
    """The rules by which an operation's requests are refused, in the contract's order."""
    area, _, name = operation.id.partition(".")
    if operation.host == "ims":
        own = ("jwt.", "ims.client-") if operation.id == "ims.jwt" else ("ims.",)
        return [rule for rule in contract.refusals.values() if rule.id.startswith(own)]
    groups = {*_OF_ALL, name, *_SHARED.get(operation.id, ())}
    if "{id}" in operation.path:
        groups.add(area)
    found = [r for r in contract.refusals.values() if r.id.partition(".")[0] in groups]
    bare = operation.body == "none"
    return [rule for rule in found if not (bare and rule.id == "gateway.content-type")]


def _operation(contract: Contract, operation: Operation) -> Json:
    platform = operation.host == "platform"
    headers = ["organization", "sandbox"] if platform else []
    headers += ["ifMatch"] if operation.id == "connections.update" else []
    parameters: list[Json] = [{"$ref": f"#/components/parameters/{name}"} for name in headers]
    if platform:
        parameters += [
            {"name": name, "in": "query", "schema": {"type": "string"}} for name in operation.query
        ]
    clauses = [c for c in contract.clauses.values() if c.id.startswith(f"{operation.id}.")]
    made: Json = {
        "operationId": operation.id,
        "tags": [operation.id.partition(".")[0]],
        "summary": f"{operation.method} {operation.path}",
        "description": "\n".join(f"- {c.text} ({c.grade}, `{c.id}`)" for c in clauses),
        "x-source": str(operation.source),
        "x-clauses": [clause.id for clause in clauses],
        "x-readings": [r.id for r in contract.readings.values() if operation.id in r.operations],
    }
    if not platform:
        made["security"] = []
    if parameters:
        made["parameters"] = parameters
    if operation.body != "none":
        made["requestBody"] = _body(operation)
    made["responses"] = _responses(contract, operation)
    return {key: value for key, value in made.items() if value not in ("", []) or key == "security"}


def _body(operation: Operation) -> Json:
    if operation.host == "ims":
        fields = {name: {"type": "string"} for name in operation.query}
        schema: Json = {"type": "object", "required": list(operation.query), "properties": fields}
        return {"required": True, "content": {_FORM: {"schema": schema}}}
    return {
        "required": operation.body == "required",
        "content": {"application/json": {"schema": _ref(_named(operation.schema or ""))}},
    }


def _responses(contract: Contract, operation: Operation) -> Json:
    answers: Json = {}
    for status in operation.success:
        answers[str(status)] = {"description": HTTPStatus(status).phrase, **_success(operation)}
    by_status: dict[int, list[Refusal]] = {}
    for rule in refusals_of(contract, operation):
        by_status.setdefault(contract.errors[rule.code].status, []).append(rule)
    for status, rules in sorted(by_status.items()):
        answers[str(status)] = _refused(contract, rules)
    return answers


def _success(operation: Operation) -> Json:
    """What a success holds; a deletion's has no body."""
    schemas: Mapping[str, Json] = {
        "connections.list": {"anyOf": [_ref("Connections"), _ref("Count")]},
        "connections.search": {"anyOf": [_ref("Connections"), _ref("Count")]},
        "connections.create": _ref("Written"),
        "connections.get": _ref("Connections"),
        "connections.update": _ref("Written"),
        "connections.test": _ref("Tested"),
        "connections.explore": {"description": "The tables, or one table's columns."},
        "connections.configs": {"description": "The columns of the connector's configuration."},
        "connections.action": _ref("Written"),
        "ims.token": _ref("Token"),
        "ims.jwt": _ref("Token"),
    }
    if operation.id not in schemas:
        return {}
    return {"content": {"application/json": {"schema": schemas[operation.id]}}}


def _refused(contract: Contract, rules: Iterable[Refusal]) -> Json:
    """The refusals of one status: which there are, what they look like, one example a code."""
    lines, shapes, examples = [], [], {}
    for rule in rules:
        entry = contract.errors[rule.code]
        reading = f"; another reading: `{rule.reading}`" if rule.reading else ""
        lines.append(f"- `{entry.code}`: {rule.when} ({rule.source}{reading})")
        shapes.append(entry.shape)
        examples[entry.code] = {"$ref": f"#/components/examples/{entry.code}"}
    refs = [_ref(_named(f"{shape}-error")) for shape in dict.fromkeys(shapes)]
    return {
        "description": "\n".join(lines),
        "content": {
            "application/json": {
                "schema": refs[0] if len(refs) == 1 else {"anyOf": refs},
                "examples": examples,
            }
        },
    }


def _examples(contract: Contract) -> Json:
    """What each code looks like on the wire, with the published sample's values."""
    rules = [rule for op in described(contract) for rule in refusals_of(contract, op)]
    entries = [contract.errors[code] for code in dict.fromkeys(rule.code for rule in rules)]
    return {
        entry.code: {
            "summary": f"{entry.status} {entry.code}",
            "value": error_response(entry, request_id=REQUEST_ID).json,
            "x-source": str(entry.source),
        }
        for entry in entries
    }


def _schemas(contract: Contract) -> Json:
    text, code = {"type": "string"}, {"type": ["string", "integer"]}
    bodies = dict.fromkeys(op.schema for op in described(contract) if op.schema)
    made = {_named(name): _embedded(contract, name) for name in ["connection", *bodies]}
    variants = []
    for connector in contract.connectors.values():
        for spec in connector.auth:
            name = _named(f"{connector.key}-{spec.name}-params")
            made[name] = _params(connector, spec)
            variants.append(_variant(connector, spec, name))
        if not connector.auth:
            variants.append(_variant(connector, None, ""))
    create = made[_named("create-connection")]
    create["required"] = ["name", "connectionSpec"]
    create["anyOf"] = variants
    return {
        **made,
        "Connections": _object(["items"], items={"type": "array", "items": _ref("Connection")},
                               _links=_object([], next=_object(["href"], href=text))),
        "Count": _object(["count"], count={"type": "integer", "minimum": 0}),
        "Written": _object(["id"], id=text, etag=text),
        "Tested": _object(["result"], result={"type": "boolean"}),
        "Token": _object(["access_token", "token_type", "expires_in"], access_token=text,
                         token_type=text, expires_in={"type": "integer"}),
        "ServiceError": _embedded(contract, "error-envelope"),
        "GatewayError": _object(["error_code", "message"], error_code=code,
                                message=text),
        "ProblemError": _object(["status", "title"], type=text, status={"type": "integer"},
                                title=text, detail=text),
        "ShortError": _object(["errorMessage"], errorMessage=text, errorDetails=text),
        "MessageError": _object(["message"], message=text),
        "OauthError": _object(["error"], error=text, error_description=text),
    }  # fmt: skip


def _variant(connector: Connector, spec: AuthSpec | None, params: str) -> Json:
    """The part of a create that depends on the connector and its way to authenticate."""
    chosen = _object(
        ["id"], id={"const": connector.spec_id}, version={"enum": [*connector.versions]}
    )
    made: Json = {
        "title": f"{connector.name}, {spec.name}" if spec else connector.name,
        "properties": {"connectionSpec": chosen},
        "x-source": str(connector.source),
    }
    if spec is not None:
        made["required"] = ["auth"]
        made["properties"]["auth"] = _object(
            ["specName", "params"], specName={"const": spec.name}, params=_ref(params)
        )
    return made


def _params(connector: Connector, spec: AuthSpec) -> Json:
    made = _object(list(spec.required), **{param.name: _param(param) for param in spec.params})
    return {"title": f"{connector.name}, {spec.name}", **made, "x-source": str(connector.source)}


def _param(param: AuthParam) -> Json:
    made: Json = {"type": param.type} if param.type in _JSON_TYPES else {}
    if param.about:
        made["description"] = param.about
    return {**made, "format": "password", "writeOnly": True} if param.secret else made


def _header(contract: Contract, name: str, clause: str) -> Json:
    entry = contract.clauses[clause]
    return {
        "name": name,
        "in": "header",
        "required": True,
        "schema": {"type": "string", "minLength": 1},
        "description": entry.text,
        "x-source": str(entry.source),
    }


def _asked(contract: Contract, clause: str) -> Json:
    entry = contract.clauses[f"request.{clause}"]
    return {"description": entry.text, "x-source": str(entry.source)}


def _object(required: list[str], **properties: Any) -> Json:
    made: Json = {"type": "object", "properties": properties}
    return {**made, "required": required} if required else made


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _named(words: str) -> str:
    """A name for a component.

    >>> _named("hubspot-Basic Authentication-params")
    'HubspotBasicAuthenticationParams'
    """
    kept = "".join(c if c.isascii() and c.isalnum() else " " for c in words)
    return "".join(word[:1].upper() + word[1:] for word in kept.split())


def _embedded(contract: Contract, name: str) -> Json:
    """A schema of the contract as a component: its own references lead there."""
    home = "ServiceError" if name == "error-envelope" else _named(name)

    def moved(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: moved(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [moved(inner) for inner in value]
        if isinstance(value, str) and value.startswith("#/$defs/"):
            return value.replace("#/", f"#/components/schemas/{home}/", 1)
        return value

    kept = {k: v for k, v in contract.schemas[name].items() if k not in ("$schema", "$id")}
    made: Json = moved(kept)
    if "$comment" in made:
        made["x-source"] = made.pop("$comment")
    return made
