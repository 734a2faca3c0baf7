"""The control API of one mock: what a test may ask and change, besides being a client."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from aepmock.contract import Connector
from aepmock.errors import unknown
from aepmock.faults.grammar import make_fault
from aepmock.messages import Request, Response
from aepmock.server.instances import SANDBOX, MockInstance
from aepmock.server.problems import Rejected, document
from aepmock.service import Credentials
from aepmock.service.store import MASK

Body = Mapping[str, Any]
Operation = Callable[[MockInstance, Request, Body], Response]

LONGEST_ADVANCE_S = 10 * 366 * 86_400
MOST_SEEDS = 1_000
MOST_ENTRIES = 1_000
MOST_SHOWN = 100
MOST_FAULTS = 200
MOST_OCTETS = 1024 * 1024
"""Of a page of the journal; what is left comes with the next one."""

SEED_FIELDS: Mapping[str, tuple[type, ...]] = {
    "name": (str,),
    "description": (str, type(None)),
    "connector": (str,),
    "auth_params": (dict, type(None)),
    "state": (str,),
    "usable": (bool,),
    "in_use": (bool,),
    "ims_org_id": (str,),
    "sandbox_name": (str,),
}

FAULT_FIELDS: Mapping[str, tuple[type, ...]] = {
    "operation": (str,),
    "fault": (str, list, type(None)),
    "code": (str, type(None)),
    "status": (int, type(None)),
    "times": (int,),
    "when": (dict, type(None)),
}


def reset(instance: MockInstance, request: Request, body: Body) -> Response:
    """Connections, faults, journal, verdicts, readings as they were at the start."""
    checked(body, {})
    instance.reset()
    return document(200, {})


def seed(instance: MockInstance, request: Request, body: Body) -> Response:
    """Puts connections in: all of them, or none where one is wrong."""
    given = checked(body, {"connections": (list,)}, required=("connections",))["connections"]
    if len(given) > MOST_SEEDS:
        raise Rejected(400, f"connections: at most {MOST_SEEDS} at once, not {len(given)}")
    for fields in given:
        if not isinstance(fields, dict):
            raise Rejected(400, "connections: each one is an object")
        _check_seed(instance, checked(fields, SEED_FIELDS, where="connections"))
    instance.check_room(len(given))
    made = [instance.seed(fields) for fields in given]
    return document(201, {"connections": [masked(instance, item) for item in made]})


def _check_seed(instance: MockInstance, fields: Body) -> None:
    contract, service = instance.contract, instance.service
    for name, known in (("connector", contract.connectors), ("state", contract.states)):
        if name in fields and fields[name] not in known:
            raise unknown(name, fields[name], known)
    sandboxes = service.gateway.sandboxes(fields.get("ims_org_id", instance.credentials.ims_org_id))
    if fields.get("sandbox_name", SANDBOX) not in sandboxes:
        raise unknown("sandbox", fields["sandbox_name"], sandboxes)


def state(instance: MockInstance, request: Request, body: Body) -> Response:
    """What the service holds, secrets masked; the newest connections first."""
    limit = number(request, "limit", MOST_SHOWN, MOST_ENTRIES)
    service, journal = instance.service, instance.journal
    count, items = service.newest(limit)
    return document(
        200,
        {
            "mock": instance.name,
            "count": count,
            "connections": [masked(instance, item) for item in items],
            "faults": _waiting(instance),
            "clock": _clock(instance),
            "requests": instance.requests,
            "journal": {"entries": len(journal), "last": journal.last, "limit": journal.limit},
        },
    )


def read_journal(instance: MockInstance, request: Request, body: Body) -> Response:
    """Entries after `since`, the oldest first; `next` is where to go on."""
    since = number(request, "since", 0, 10**15)
    limit = number(request, "limit", MOST_SHOWN, MOST_ENTRIES)
    shown: list[dict[str, Any]] = []
    octets = 0
    for entry in instance.journal.since(since, limit):
        octets += entry.size
        if shown and octets > MOST_OCTETS:
            break
        shown.append(entry.to_json())
    return document(
        200,
        {
            "entries": shown,
            "next": shown[-1]["number"] if shown else since,
            "last": instance.journal.last,
        },
    )


def clear_journal(instance: MockInstance, request: Request, body: Body) -> Response:
    instance.journal.clear()
    return document(200, {})


def faults(instance: MockInstance, request: Request, body: Body) -> Response:
    """Faults that are still to happen."""
    return document(200, {"faults": _waiting(instance)})


def add_fault(instance: MockInstance, request: Request, body: Body) -> Response:
    """Lets something go wrong with the next requests of an operation."""
    given = dict(checked(body, FAULT_FIELDS, required=("operation",)))
    given = {name: value for name, value in given.items() if value is not None}
    if len(instance.injector.faults) >= MOST_FAULTS:
        raise Rejected(429, f"{MOST_FAULTS} faults are still to happen; delete them first")
    fault = make_fault(instance.contract, what=given.pop("fault", None), **given)
    instance.injector.fault(fault)
    return document(201, {"faults": _waiting(instance)})


def clear_faults(instance: MockInstance, request: Request, body: Body) -> Response:
    instance.injector.clear()
    return document(200, {"faults": []})


def clock(instance: MockInstance, request: Request, body: Body) -> Response:
    return document(200, _clock(instance))


def advance(instance: MockInstance, request: Request, body: Body) -> Response:
    """Moves the mock's time on; tokens expire, connections finish initializing."""
    given = checked(body, {"advance_s": (int, float)}, required=("advance_s",))
    seconds = given["advance_s"]
    if not 0 <= seconds <= LONGEST_ADVANCE_S:
        raise Rejected(400, f"advance_s: from 0 to {LONGEST_ADVANCE_S}, ten years")
    instance.service.clock.advance(seconds)
    return document(200, _clock(instance))


def expire_tokens(instance: MockInstance, request: Request, body: Body) -> Response:
    """Ends the life of every token so far: the next request with one is refused with 401013."""
    checked(body, {})
    instance.expire_tokens()
    return document(200, {})


def readings(instance: MockInstance, request: Request, body: Body) -> Response:
    """What the documentation leaves open, and how this mock reads it."""
    return document(200, _readings(instance))


def set_readings(instance: MockInstance, request: Request, body: Body) -> Response:
    """Answers by other readings from now on; those not named stay as they are."""
    given = checked(body, {"readings": (dict,)}, required=("readings",))["readings"]
    if not all(isinstance(option, str) for option in given.values()):
        raise Rejected(400, "readings: each option is a text")
    instance.service.set_readings({**instance.service.readings, **given})
    return document(200, _readings(instance))


def default_readings(instance: MockInstance, request: Request, body: Body) -> Response:
    instance.reset_readings()
    return document(200, _readings(instance))


def verdict(instance: MockInstance, request: Request, body: Body) -> Response:
    """What the requests so far say, by the checks that need no more than one exchange."""
    met, broken = instance.met, instance.broken
    clauses = [
        {
            "id": clause.id,
            "grade": clause.grade,
            "verdict": "broken" if clause.id in broken else "met",
            "met": met.get(clause.id, 0),
            "broken": broken.get(clause.id, 0),
            "text": clause.text,
        }
        for clause in instance.contract.clauses.values()
        if clause.id in met or clause.id in broken
    ]
    return document(
        200,
        {
            "requests": instance.requests,
            "met": sum(c["verdict"] == "met" for c in clauses),
            "broken": sum(c["verdict"] == "broken" for c in clauses),
            "clauses": clauses,
        },
    )


def mint(instance: MockInstance, request: Request, body: Body) -> Response:
    """Further credentials of this mock; `access_token` may be one that the caller chose."""
    given = checked(body, {"access_token": (str,)})
    return document(201, credentials(instance.mint(chosen_token(given))))


def credentials(made: Credentials) -> dict[str, Any]:
    """Credentials as a client needs them; the only answer that shows secrets."""
    return {**asdict(made), "sandbox_name": SANDBOX}


def chosen_token(given: Body) -> str | None:
    """The token that a caller chose for a mock, or None. Raises Rejected for an unusable one."""
    token = given.get("access_token")
    if token is None:
        return None
    if not (6 <= len(token) <= 4_096 and token.isascii() and token.isprintable()) or " " in token:
        raise Rejected(400, "access_token: 6 to 4096 visible ASCII characters")
    return str(token)


ROUTES: Mapping[tuple[str, str], Operation] = {
    ("POST", "/reset"): reset,
    ("POST", "/seed"): seed,
    ("GET", "/state"): state,
    ("GET", "/journal"): read_journal,
    ("DELETE", "/journal"): clear_journal,
    ("GET", "/faults"): faults,
    ("POST", "/faults"): add_fault,
    ("DELETE", "/faults"): clear_faults,
    ("GET", "/clock"): clock,
    ("POST", "/clock"): advance,
    ("POST", "/expire-tokens"): expire_tokens,
    ("GET", "/readings"): readings,
    ("POST", "/readings"): set_readings,
    ("DELETE", "/readings"): default_readings,
    ("GET", "/verdict"): verdict,
    ("POST", "/credentials"): mint,
}
"""What each mock of a server answers below /__aepmock__."""


def checked(
    body: Body,
    fields: Mapping[str, tuple[type, ...]],
    *,
    required: tuple[str, ...] = (),
    where: str = "the body",
) -> Body:
    """The body, whose fields are all known and of their type. Raises Rejected."""
    for name, value in body.items():
        if name not in fields:
            allowed = ", ".join(fields) or "nothing"
            raise Rejected(400, f"{where}: unknown field {name[:64]!r}; allowed: {allowed}")
        kinds = fields[name]
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            raise Rejected(400, f"{where}: {name} has the wrong type")
    for name in required:
        if name not in body:
            raise Rejected(400, f"{where}: {name} is missing")
    return body


def read_body(request: Request) -> Body:
    """The body of a request for the control API: a JSON object, or nothing."""
    if not request.body.strip():
        return {}
    try:
        found = request.json
    except ValueError:
        raise Rejected(400, "the body is no JSON") from None
    if not isinstance(found, dict):
        raise Rejected(400, "the body is no JSON object")
    return found


def number(request: Request, name: str, default: int, most: int) -> int:
    """A whole number of the query. Raises Rejected."""
    text = request.parameter(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 17) or int(text) > most:
        raise Rejected(400, f"{name}: a whole number from 0 to {most}")
    return int(text)


def masked(instance: MockInstance, item: Mapping[str, Any]) -> dict[str, Any]:
    """A connection without secrets: of the auth params, only those known to be none are shown."""
    shown = dict(item)
    if "auth" in shown:
        connector = instance.contract.connectors_by_spec.get(shown["connectionSpec"]["id"])
        public = _public_params(connector, shown["auth"]["specName"]) if connector else set()
        params = shown["auth"].get("params") or {}
        shown["auth"] = {
            **shown["auth"],
            "params": {
                name: v if name in public and isinstance(v, str) else MASK
                for name, v in params.items()
            },
        }
    return shown


def _public_params(connector: Connector, spec_name: str) -> set[str]:
    return {
        param.name
        for spec in connector.auth
        if spec.name == spec_name
        for param in spec.params
        if not param.secret
    }


def _clock(instance: MockInstance) -> dict[str, Any]:
    return {"now_ms": instance.service.clock.now_ms()}


def _readings(instance: MockInstance) -> dict[str, Any]:
    return {
        "readings": dict(instance.service.readings),
        "options": {
            reading.id: [option.id for option in reading.options]
            for reading in instance.contract.readings.values()
        },
    }


def _waiting(instance: MockInstance) -> list[dict[str, Any]]:
    return [
        {
            "operation": fault.operation,
            "fault": fault.words,
            "times": fault.times,
            "when": fault.when.to_json(),
        }
        for fault in instance.injector.faults
    ]
