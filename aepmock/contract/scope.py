"""What a request is about: Flow Service as the contract holds it, or something else.

"Whatever the contract does not hold yet is not imitated, never wrong": the service answers it by
501, and no clause is about it. A request that was plainly meant for what the contract holds and
missed it, by a wrong base path or a misspelt resource, is wrong all the same.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from aepmock.contract.model import Contract
from aepmock.messages import Request, path_segment
from aepmock.net import ADOBE_HOST

NOT_IMITATED = "not-imitated"
"""The rule of refusals.toml by which such a request is answered."""
_PLATFORM = re.compile(r"platform[^.]*\.adobe\.io")
_LONGEST = 200


def not_imitated(contract: Contract, request: Request) -> str | None:
    """What a request is for that aepmock does not imitate, in words; None for all else.

    A create of a connector that is documented, and that the contract lacks, is not meant here:
    `other_connector` knows it, for most of what such a request says can be judged.
    """
    if is_preflight(request):
        return "CORS, which a browser asks about before it sends a page's request"
    if contract.ims_operation(request.path) or contract.sandbox_looked_up(request) is not None:
        return None
    base = contract.base_path
    if request.path == base or request.path.startswith(base + "/"):
        resource = path_segment(request.path[len(base) :].partition("/")[2].partition("/")[0])
        if resource in contract.not_imitated.resources:
            return f"Flow Service's {resource}"
        return None
    if _meant_for_flow_service(request):
        return None
    return f"{request.method[:20]} {_host(request)}{request.path}"[:_LONGEST]


def is_beside(contract: Contract, request: Request) -> bool:
    """Whether no clause is about a request: it asks another service, or what is not imitated."""
    if contract.sandbox_looked_up(request) is not None:
        return True
    ims = contract.ims_operation(request.path)
    if ims is not None:
        return ims.id != "ims.token"
    return not_imitated(contract, request) is not None


def is_preflight(request: Request) -> bool:
    """Whether a browser asks if a page may send a request: no client does. Source: Fetch, CORS."""
    headers = request.headers
    return (
        request.method == "OPTIONS"
        and "origin" in headers
        and "access-control-request-method" in headers
    )


def other_connector(contract: Contract, body: Mapping[str, Any]) -> str | None:
    """The name of the connector that a create's body asks for, where only the pages know it."""
    spec = body.get("connectionSpec")
    spec_id = spec.get("id") if isinstance(spec, dict) else None
    return contract.not_imitated.connectors.get(spec_id) if isinstance(spec_id, str) else None


def is_not_imitated(contract: Contract, request: Request) -> bool:
    """Whether a request is for anything that aepmock does not imitate, a connector included."""
    if not_imitated(contract, request) is not None:
        return True
    operation = contract.operation_of(request)
    if operation is None or operation.id != "connections.create":
        return False
    try:
        body = request.json
    except ValueError:
        return False
    return isinstance(body, dict) and other_connector(contract, body) is not None


def _host(request: Request) -> str:
    """The host in lower case; "" where the origin names none that can be read."""
    try:
        return urlsplit(request.origin).hostname or ""
    except ValueError:
        return ""


def _meant_for_flow_service(request: Request) -> bool:
    """Whether a path outside the base path is one of Flow Service's that went wrong.

    Its name shows that anywhere; its resource does on the platform's own hosts, and on a server
    that is none of Adobe's, where a client was given a base URL. Other APIs have connections too.
    """
    parts = {part.lower() for part in re.split("/+", path_segment(request.path))}
    if "flowservice" in parts:
        return True
    host = _host(request)
    own = _PLATFORM.fullmatch(host) or not ADOBE_HOST.fullmatch(host)
    return bool(own and "connections" in parts)
