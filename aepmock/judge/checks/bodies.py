"""Family 2: what the body of a create says, as far as the request alone shows it.

These checks also judge the requests of a test author's client, whose arguments nobody knows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from aepmock.contract import Connector, Contract, other_connector
from aepmock.judge.checks.registry import Verdicts, wire_check
from aepmock.judge.findings import Violation
from aepmock.judge.transcript import Expected
from aepmock.messages import Exchange, Request


def is_create(exchange: Exchange, contract: Contract) -> bool:
    """Whether an exchange is a POST /connections."""
    operation = contract.operation_of(exchange.request)
    return operation is not None and operation.id == "connections.create"


def create_body(exchange: Exchange, contract: Contract) -> dict[str, Any] | None:
    """The body of a create that is a JSON object, or None."""
    if not is_create(exchange, contract):
        return None
    try:
        document = exchange.request.json
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def with_body(request: Request, document: Mapping[str, Any]) -> Request:
    """The request with another JSON body."""
    return replace(
        request, body=json.dumps(document, ensure_ascii=False).encode("utf-8", "backslashreplace")
    )


def _connector(body: Mapping[str, Any], contract: Contract) -> Connector | None:
    spec = body.get("connectionSpec")
    spec_id = spec.get("id") if isinstance(spec, dict) else None
    return contract.connectors_by_spec.get(spec_id) if isinstance(spec_id, str) else None


@wire_check("connections.create.json-body")
def json_body(exchange: Exchange, expected: Expected, contract: Contract) -> Verdicts:
    if not is_create(exchange, contract):
        return
    body = exchange.request.body
    got = None
    if not body.strip():
        got = "no body"
    elif body.startswith(b"\xef\xbb\xbf"):
        got = "a byte order mark before the JSON"
    else:
        try:
            document = exchange.request.json
            if not isinstance(document, dict):
                got = f"a JSON {type(document).__name__}"
            elif not document:
                got = "an empty object"
        except UnicodeDecodeError:
            got = "octets that are not UTF-8"
        except ValueError as error:
            got = f"no JSON: {str(error).partition(':')[0]}"
    if got is None:
        yield None
    else:
        yield Violation(
            "the body of the create is no JSON object in UTF-8",
            "a JSON object in UTF-8, without NaN",
            got,
            exchange,
        )


_KEY = re.compile(rb'"\s*:')
"""Where a key ends. Text may look like that too, but a document can't have more keys than that."""


def _keys(document: Any) -> int:
    """How many keys a document has; those that stood twice count once."""
    count, waiting = 0, [document]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            count += len(value)
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
    return count


@wire_check("connections.create.unique-keys")
def unique_keys(exchange: Exchange, expected: Expected, contract: Contract) -> Verdicts:
    document = create_body(exchange, contract)
    if document is None:
        return
    if len(_KEY.findall(exchange.request.body)) == _keys(document):
        yield None
        return
    twice: list[str] = []

    def collect(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            names = [name for name, _ in pairs]
            twice.extend(n for n in found if names.count(n) > 1)
        return found

    json.loads(exchange.request.body, object_pairs_hook=collect)
    if not twice:
        yield None
        return
    yield Violation(
        f"the key {twice[0]!r} stands twice in one object",
        "every key once",
        ", ".join(map(repr, twice)),
        exchange,
        with_body(exchange.request, exchange.request.json),
    )


@wire_check("connections.create.name")
def has_name(exchange: Exchange, expected: Expected, contract: Contract) -> Verdicts:
    body = create_body(exchange, contract)
    if body is None:
        return
    if isinstance(body.get("name"), str):
        yield None
    else:
        yield Violation(
            "the create has no name",
            '"name": a string',
            f"name {body.get('name')!r}" if "name" in body else "no name",
            exchange,
            with_body(exchange.request, {**body, "name": "a name"}),
        )


@wire_check("connections.create.spec-id")
def known_spec(exchange: Exchange, expected: Expected, contract: Contract) -> Verdicts:
    body = create_body(exchange, contract)
    if body is None or other_connector(contract, body) is not None:
        return
    if _connector(body, contract) is not None:
        yield None
        return
    spec = body.get("connectionSpec")
    given = spec.get("id") if isinstance(spec, dict) else spec
    known = next(iter(contract.connectors.values()))
    right = {**(spec if isinstance(spec, dict) else {}), "id": known.spec_id}
    yield Violation(
        "connectionSpec.id is no documented connection spec",
        f"a spec id, such as {known.spec_id} for {known.name}",
        repr(given) if given is not None else "no connectionSpec.id",
        exchange,
        with_body(exchange.request, {**body, "connectionSpec": right}),
    )


@wire_check("connections.create.spec-version")
def version_type(exchange: Exchange, expected: Expected, contract: Contract) -> Verdicts:
    body = create_body(exchange, contract)
    connector = _connector(body, contract) if body else None
    if body is None or connector is None:
        return
    spec = body["connectionSpec"]
    if "version" not in spec:
        return
    if spec["version"] in connector.versions:
        yield None
        return
    right = {**spec, "version": connector.versions[-1]}
    yield Violation(
        "connectionSpec.version is no version of the spec",
        f'"version": {json.dumps(connector.versions[-1])}',
        f'"version": {json.dumps(spec["version"])}',
        exchange,
        with_body(exchange.request, {**body, "connectionSpec": right}),
    )


@wire_check("connections.create.auth-spec-name")
def known_auth_spec(exchange: Exchange, expected: Expected, contract: Contract) -> Verdicts:
    body = create_body(exchange, contract)
    connector = _connector(body, contract) if body else None
    if body is None or connector is None or not connector.auth:
        return
    auth = body.get("auth")
    name = auth.get("specName") if isinstance(auth, dict) else None
    if isinstance(name, str) and connector.auth_spec(name):
        yield None
        return
    right = {
        "specName": connector.auth[0].name,
        "params": auth.get("params", {}) if isinstance(auth, dict) else {},
    }
    yield Violation(
        f"{connector.name} has no auth spec of this name",
        " or ".join(repr(spec.name) for spec in connector.auth),
        repr(name) if name is not None else "no auth.specName",
        exchange,
        with_body(exchange.request, {**body, "auth": right}),
    )


@wire_check("connections.create.auth-params")
def known_params(exchange: Exchange, expected: Expected, contract: Contract) -> Verdicts:
    body = create_body(exchange, contract)
    connector = _connector(body, contract) if body else None
    auth = body.get("auth") if body else None
    if body is None or connector is None or not isinstance(auth, dict):
        return
    spec = connector.auth_spec(str(auth.get("specName")))
    if spec is None:
        return
    params = auth.get("params")
    sent = set(params) if isinstance(params, dict) else set()
    missing = [name for name in spec.required if name not in sent]
    strange = sorted(sent - spec.names)
    if not missing and not strange:
        yield None
        return
    kept = {k: v for k, v in params.items() if k in spec.names} if isinstance(params, dict) else {}
    right = {**auth, "params": {**kept, **{name: f"the {name}" for name in missing}}}
    parts = [f"{', '.join(missing)} missing"] if missing else []
    parts += [f"{', '.join(strange)} not documented"] if strange else []
    yield Violation(
        f"auth.params are not those of {spec.name}",
        ", ".join(sorted(spec.names)),
        "; ".join(parts),
        exchange,
        with_body(exchange.request, {**body, "auth": right}),
    )
