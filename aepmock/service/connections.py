"""The operations of /connections but the lists, each a function from a request to a response.

All take the service, the request, the caller, the operation, and the connection that the path
names (None where it names none), and raise `Refused` to say no.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from aepmock.contract import (
    NOT_IMITATED,
    AuthSpec,
    Connector,
    Operation,
    json_response,
    other_connector,
)
from aepmock.messages import Headers, Request, Response
from aepmock.service import bodies, paging
from aepmock.service.actions import check_action
from aepmock.service.explore import explore
from aepmock.service.gateway import Caller
from aepmock.service.patch import instructions, patched
from aepmock.service.presenting import item, present, settle
from aepmock.service.refusals import Refused, provider
from aepmock.service.store import Connection, Scope

if TYPE_CHECKING:
    from aepmock.service.engine import FlowService

INITIALIZING_MS = 5_000
JSON_TYPE = ("Content-Type", "application/json")


def seed(
    service: FlowService,
    scope: Scope,
    connector: Connector,
    *,
    name: str,
    description: str | None,
    auth_params: Mapping[str, Any] | None,
    state: str,
    usable: bool,
    in_use: bool,
) -> dict[str, Any]:
    """Puts a connection in without a request; auth params that are left out are made up."""
    spec = connector.auth[0] if connector.auth else None
    params = {
        param.name: f"{param.name}-{service.ids.hex(16)}" for param in (spec.params if spec else ())
    }
    connection = _new(
        service,
        scope,
        "aepmock",
        name=name,
        description=description,
        spec=(connector.spec_id, connector.versions[-1]),
        auth=(spec.name if spec else None, {**params, **(auth_params or {})}),
        state=state,
    )
    connection.usable = usable
    connection.in_use = in_use
    return present(service, connection)


def create(
    service: FlowService, request: Request, caller: Caller, operation: Operation, _: None
) -> Response:
    """POST /connections. Source: OAS createConnection, DRAFT for mode=draft."""
    given = paging.check_parameters(request, operation)
    mode = given.get("mode")
    if mode not in (None, "draft"):
        raise Refused("create.mode", value=mode, field="mode")
    document = bodies.document(request, "create.body-not-json", "create.body-empty")
    if not isinstance(document, dict):
        raise Refused("create.body-not-json", detail="The request body is not a JSON object")
    other = other_connector(service.contract, document)
    if other is not None:
        raise Refused(NOT_IMITATED, detail=f"aepmock imitates other connectors, not {other}")
    body = bodies.fitting(document, service.contract, "create-connection", _type_rule)
    if "name" not in body and service.readings["connections.create-without-name"] == "refused":
        raise _mandatory("create.name-missing", "name")
    connector, version = _spec(service, body)
    auth = _auth(service, connector, body)
    state = service.readings["connections.initial-state"]
    connection = _new(
        service,
        (caller.ims_org_id, caller.sandbox),
        caller.client_id,
        name=body.get("name"),
        description=body.get("description"),
        spec=(connector.spec_id, version),
        auth=auth,
        state="draft" if mode else state,
    )
    return _written(
        service,
        connection,
        201,
        location=_location(service, request, connection),
        etag=service.readings["connections.create-etag"] == "present",
    )


def get(
    service: FlowService, request: Request, caller: Caller, operation: Operation, found: Connection
) -> Response:
    """GET /connections/{id}: a list of one. Source: OAS retrieveConnection, UPDATE."""
    paging.check_parameters(request, operation)
    headers = _etag_header(service, found)
    return json_response(200, {"items": [item(service, found)]}, Headers([JSON_TYPE, *headers]))


def update(
    service: FlowService, request: Request, caller: Caller, operation: Operation, found: Connection
) -> Response:
    """PATCH /connections/{id}. Source: OAS patchConnection, UPDATE, ERR."""
    paging.check_parameters(request, operation)
    if_match = request.headers.get("if-match")
    if not if_match:
        raise Refused("update.if-match-missing")
    document = bodies.document(request, "update.body-not-json", "update.body-empty")
    wanted = instructions(document)
    _check_state(service, found, caller, "update")
    _check_etag(service, found, if_match)
    current: dict[str, Any] = {"state": found.state}
    if found.name is not None:
        current["name"] = found.name
    if found.description is not None:
        current["description"] = found.description
    if found.auth_spec is not None:
        current["auth"] = {"specName": found.auth_spec, "params": found.auth_params}
    result = patched(current, wanted, service.contract)
    found.name = result.get("name")
    found.description = result.get("description")
    auth = result.get("auth")
    found.auth_spec = auth["specName"] if auth else None
    found.auth_params = auth.get("params", {}) if auth else {}
    if result["state"] != found.state:
        found.state = result["state"]
        found.initializing_until_ms = 0
    _touch(service, found, caller.client_id)
    return _written(service, found, 200)


def delete(
    service: FlowService, request: Request, caller: Caller, operation: Operation, found: Connection
) -> Response:
    """DELETE /connections/{id}, without If-Match. Source: OAS deleteConnection, ERR 1418-400."""
    paging.check_parameters(request, operation)
    _check_state(service, found, caller, "delete")
    if found.in_use:
        raise Refused("delete.in-use", id=found.id)
    service.store.remove(found)
    return Response(int(service.readings["connections.delete-status"]))


def test(
    service: FlowService, request: Request, caller: Caller, operation: Operation, found: Connection
) -> Response:
    """GET /connections/{id}/test: a bad credential is a 200 with false. Source: OAS."""
    paging.check_parameters(request, operation)
    return json_response(200, {"result": found.usable})


def explore_(
    service: FlowService, request: Request, caller: Caller, operation: Operation, found: Connection
) -> Response:
    """GET /connections/{id}/explore. Source: EXPLORE-MA."""
    given = paging.check_parameters(request, operation)
    return json_response(200, explore(_connector(service, found), given))


def configs(
    service: FlowService, request: Request, caller: Caller, operation: Operation, found: Connection
) -> Response:
    """GET /connections/{id}/configs. Source: OAS exploreConfigByConnectionId."""
    paging.check_parameters(request, operation)
    items = list(_connector(service, found).configs)
    as_items = service.readings["connections.configs-answer"] == "items"
    return json_response(200, {"items": items} if as_items else items)


def action(
    service: FlowService, request: Request, caller: Caller, operation: Operation, found: Connection
) -> Response:
    """POST /connections/{id}/action: publishes a draft. Source: DRAFT, OAS performAction."""
    given = paging.check_parameters(request, operation)
    body: Mapping[str, Any] = {}
    if request.body:
        document = bodies.document(request, "action.body")
        body = bodies.fitting(document, service.contract, "state-action", "action.body")
    check_action(given.get("op"), request.parameters("subOp"), body)
    contract = service.contract
    if found.state != contract.publish_from:
        raise Refused("action.state", operation="publish", state=found.state)
    found.state = contract.publish_to
    if service.readings["connections.publish-etag"] == "new":
        _touch(service, found, caller.client_id)
    return _written(service, found, 200)


def _new(
    service: FlowService,
    scope: Scope,
    client_id: str,
    *,
    name: str | None,
    description: str | None,
    spec: tuple[str, str],
    auth: tuple[str | None, dict[str, Any]],
    state: str,
) -> Connection:
    now = service.clock.now_ms()
    connection = Connection(
        id=service.ids.uuid(),
        scope=scope,
        sandbox_id=service.gateway.sandboxes(scope[0])[scope[1]].id,
        name=name,
        description=description,
        spec_id=spec[0],
        spec_version=spec[1],
        auth_spec=auth[0],
        auth_params=auth[1],
        state=state,
        etag=service.ids.etag(now),
        created_at_ms=now,
        updated_at_ms=now,
        created_by=client_id,
        updated_by=client_id,
        change=service.store.next_change(),
        initializing_until_ms=now + INITIALIZING_MS if state == "initializing" else 0,
    )
    service.store.add(connection)
    return connection


def _touch(service: FlowService, connection: Connection, client_id: str) -> None:
    now = service.clock.now_ms()
    connection.etag = service.ids.etag(now)
    connection.updated_at_ms = now
    connection.updated_by = client_id
    connection.change = service.store.next_change()


def _written(
    service: FlowService,
    connection: Connection,
    status: int,
    *,
    location: str | None = None,
    etag: bool = True,
) -> Response:
    document = {"id": connection.id, "etag": connection.etag} if etag else {"id": connection.id}
    headers = [JSON_TYPE, *_etag_header(service, connection)]
    if location is not None:
        headers.append(("Location", location))
    return json_response(status, document, Headers(headers))


def _location(service: FlowService, request: Request, connection: Connection) -> str | None:
    """Where a new connection is: relative to the base path as the one link in OAS, or absolute."""
    option = service.readings["connections.create-location"]
    if option == "absent":
        return None
    path = f"/connections/{connection.id}"
    return path if option == "present" else request.origin + service.contract.base_path + path


def _etag_header(service: FlowService, connection: Connection) -> list[tuple[str, str]]:
    if service.readings["connections.etag-header"] == "present":
        return [("ETag", connection.etag)]
    return []


def _type_rule(path: str, value: Any) -> str:
    """The rule for a field of a create that has a wrong JSON type, by its path in the body."""
    rules = {
        "$.name": "create.name-type",
        "$.description": "create.description-null" if value is None else "create.description-type",
        "$.connectionSpec.version": "create.version-type",
        "$.auth": "create.auth-type",
        "$.auth.specName": "create.auth-type",
        "$.auth.params": "create.params-type",
    }
    return rules.get(path, "create.spec-type")


def _spec(service: FlowService, body: Mapping[str, Any]) -> tuple[Connector, str]:
    spec = body.get("connectionSpec", {})
    spec_id = spec.get("id")
    if not spec_id:
        raise Refused("create.spec-missing")
    connector = service.contract.connectors_by_spec.get(spec_id)
    if connector is None:
        short = service.readings["connections.unknown-spec"] == "short-message"
        raise Refused("create.spec-unknown", code="short-spec-id" if short else None)
    version = spec.get("version")
    if version is None:
        if service.readings["connections.create-without-version"] == "refused":
            raise Refused("create.version-missing", detail="connectionSpec.version is required")
        version = connector.versions[-1]
    elif version not in connector.versions:
        raise Refused("create.version-unknown")
    return connector, version


def _auth(
    service: FlowService, connector: Connector, body: Mapping[str, Any]
) -> tuple[str | None, dict[str, Any]]:
    auth = body.get("auth")
    if not connector.auth:
        return (None, {}) if auth is None else (auth.get("specName"), auth.get("params", {}))
    if auth is None:
        if service.readings["connections.create-without-auth"] == "accepted":
            return None, {}
        raise _mandatory("create.auth-missing", "auth")
    name = auth.get("specName")
    if not name:
        raise _mandatory("create.auth-missing", "auth.specName")
    spec = connector.auth_spec(name)
    if spec is None:
        raise Refused("create.auth-spec-unknown", authSpec=name, specId=connector.spec_id)
    params = auth.get("params", {})
    _check_params(service, spec, params)
    return name, params


def _check_params(service: FlowService, spec: AuthSpec, params: Mapping[str, Any]) -> None:
    for name in spec.required:
        if params.get(name) in (None, ""):
            raise _mandatory("create.auth-param-missing", name)
    strange = sorted(set(params) - spec.names)
    if strange and service.readings["connections.unknown-auth-params"] == "refused":
        raise provider(
            "create.auth-param-unknown",
            f"The request could not be processed. Error message: unknown param {strange[0]}",
        )


def _mandatory(rule: str, name: str) -> Refused:
    """SERR 1304-400, inside Flow Service's 1100-400."""
    return provider(
        rule,
        f"The mandatory field {name} is not provided. Please provide the {name} and try again.",
    )


def _connector(service: FlowService, connection: Connection) -> Connector:
    return service.contract.connectors_by_spec[connection.spec_id]


def _check_state(
    service: FlowService, connection: Connection, caller: Caller, verb: Literal["update", "delete"]
) -> None:
    """Source: states.toml."""
    settle(service, connection)
    state = service.contract.states[connection.state]
    rule = state.update if verb == "update" else state.delete
    if rule == "service-token":
        if caller.kind == "user":
            raise Refused(f"{verb}.user-token")
    elif rule != "allowed":
        params = {"state": state.name} if rule != "1416-400" else {}
        raise Refused(f"{verb}.in-state", code=rule, **params)


def _check_etag(service: FlowService, connection: Connection, if_match: str) -> None:
    """Source: ERR 1404-412, OAS-D for the quotes. `*` fits any version (RFC 9110)."""
    if if_match.strip() == "*":
        return
    offered = if_match.strip()
    quoted = len(offered) > 1 and offered[0] == offered[-1] == '"'
    if not quoted and service.readings["connections.if-match-unquoted"] == "accepted":
        offered = f'"{offered}"'
        quoted = True
    if offered == connection.etag:
        return
    short = service.readings["connections.stale-etag-body"] == "supplied-version"
    stale = f'"{offered}"' != connection.etag
    raise Refused(
        "update.stale" if stale or quoted else "update.if-match-unquoted",
        code="short-stale-etag" if short else None,
        version=if_match.strip(),
        currentVersion=connection.etag,
    )
