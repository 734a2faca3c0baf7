"""The IMS token endpoint, POST /ims/token/v3. Source: DEVC; refusals by ADOBE-LIB and RFC6749."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl

from aepmock.contract import json_response
from aepmock.messages import Request, Response
from aepmock.service.gateway import TOKEN_LIFE_S, Gateway
from aepmock.service.refusing import Refused


def issue_token(request: Request, gateway: Gateway, readings: Mapping[str, str]) -> Response:
    """A new token for the integration that asks, by form or by query. Raises Refused."""
    given = dict(request.query)
    content_type = (request.headers.get("content-type") or "").partition(";")[0].strip().lower()
    if content_type == "application/x-www-form-urlencoded":
        given |= dict(parse_qsl(request.body.decode("latin-1"), keep_blank_values=True))
    integration = gateway.integration(given.get("client_id", ""))
    if integration is None:
        raise Refused("ims.client-id")
    if integration.client_secret and integration.client_secret != given.get("client_secret"):
        raise Refused("ims.client-secret")
    if given.get("grant_type") != "client_credentials":
        raise Refused("ims.grant-type")
    asked = {scope for scope in given.get("scope", "").replace(" ", ",").split(",") if scope}
    allowed = set(integration.scopes.split(",")) if integration.scopes else asked
    if not asked or asked - allowed:
        raise Refused("ims.scope")
    factor = 1000 if readings["ims.expires-in"] == "milliseconds" else 1
    return json_response(
        200,
        {
            "access_token": gateway.issue(integration),
            "token_type": "bearer",
            "expires_in": TOKEN_LIFE_S * factor,
        },
    )
