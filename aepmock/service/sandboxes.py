"""Sandbox Management, as far as a live run asks it before it writes. Source: SBAPI."""

from __future__ import annotations

from typing import Any

from aepmock.contract import json_response
from aepmock.messages import Request, Response
from aepmock.service.gateway import Gateway, Sandbox
from aepmock.service.refusals import Refused

_CREATED = "2026-01-01 00:00:00"


def look_up_sandbox(name: str, request: Request, gateway: Gateway) -> Response:
    """The sandbox of that name in the caller's organization. Raises Refused.

    The name in the path says which one is meant; x-sandbox-name is not needed.
    """
    organization = gateway.admit_to_organization(request)
    found = gateway.sandboxes(organization).get(name)
    if found is None:
        raise Refused("sandbox.unknown", sandboxName=name)
    return json_response(200, {"id": found.id, **_shown(found)})


def list_sandboxes(request: Request, gateway: Gateway) -> Response:
    """Every sandbox of the caller's organization, on one page. Raises Refused."""
    organization = gateway.admit_to_organization(request)
    found = [_shown(sandbox) for sandbox in gateway.sandboxes(organization).values()]
    page = {"limit": len(found), "count": len(found)}
    return json_response(200, {"sandboxes": found, "_page": page, "_links": {}})


def _shown(sandbox: Sandbox) -> dict[str, Any]:
    return {
        "name": sandbox.name,
        "title": sandbox.name.capitalize(),
        "state": "active",
        "type": sandbox.type,
        "region": "VA7",
        "isDefault": sandbox.is_default,
        "eTag": 1,
        "createdDate": _CREATED,
        "lastModifiedDate": _CREATED,
        "createdBy": "aepmock",
        "modifiedBy": "aepmock",
    }
