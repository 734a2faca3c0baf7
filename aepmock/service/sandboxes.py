"""The look-up of one sandbox in Sandbox Management, before a live run writes. Source: SBAPI."""

from __future__ import annotations

from aepmock.contract import json_response
from aepmock.messages import Request, Response
from aepmock.service.gateway import Gateway
from aepmock.service.refusing import Refused

_CREATED = "2026-01-01 00:00:00"


def look_up_sandbox(name: str, request: Request, gateway: Gateway) -> Response:
    """The sandbox of that name in the caller's organization. Raises Refused.

    The name in the path says which one is meant; x-sandbox-name is not needed.
    """
    organization = gateway.admit_to_organization(request)
    found = gateway.sandboxes(organization).get(name)
    if found is None:
        raise Refused("sandbox.unknown", sandboxName=name)
    return json_response(
        200,
        {
            "id": found.id,
            "name": found.name,
            "title": found.name.capitalize(),
            "state": "active",
            "type": found.type,
            "region": "VA7",
            "isDefault": found.is_default,
            "eTag": 1,
            "createdDate": _CREATED,
            "lastModifiedDate": _CREATED,
            "createdBy": "aepmock",
            "modifiedBy": "aepmock",
        },
    )
