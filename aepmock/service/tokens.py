"""The IMS token endpoint, POST /ims/token/v3 and its other versions, and the JWT exchange.

Source: DEVC, PM-IMS, CAPILLARY, and AUTH for the exchange; refusals by ADOBE-LIB and RFC6749.
"""

from __future__ import annotations

from collections.abc import Mapping

from aepmock.contract import json_response
from aepmock.contract.forms import given_in
from aepmock.messages import Request, Response
from aepmock.service.gateway import TOKEN_LIFE_S, Credentials, Gateway
from aepmock.service.refusals import Refused


def issue_token(request: Request, gateway: Gateway, readings: Mapping[str, str]) -> Response:
    """A new token for the integration that asks, by form or by query. Raises Refused."""
    given = given_in(request)
    integration = _integration(given, gateway)
    if given.get("grant_type") != "client_credentials":
        raise Refused("ims.grant-type")
    asked = {scope for scope in given.get("scope", "").replace(" ", ",").split(",") if scope}
    allowed = set(integration.scopes.split(",")) if integration.scopes else asked
    if not asked or asked - allowed:
        raise Refused("ims.scope")
    factor = 1000 if readings["ims.expires-in"] == "milliseconds" else 1
    return _issued(integration, gateway, TOKEN_LIFE_S * factor)


def exchange_jwt(request: Request, gateway: Gateway, readings: Mapping[str, str]) -> Response:
    """What is said to a deprecated Service Account (JWT): by default, that it has ended.

    The JWT's signature is not checked. Raises Refused.
    """
    if readings["ims.jwt-exchange"] == "ended":
        raise Refused("jwt.ended")
    integration = _integration(given_in(request), gateway)
    return _issued(integration, gateway, TOKEN_LIFE_S * 1000)


def _integration(given: Mapping[str, str], gateway: Gateway) -> Credentials:
    integration = gateway.integration(given.get("client_id", ""))
    if integration is None:
        raise Refused("ims.client-id")
    if integration.client_secret and integration.client_secret != given.get("client_secret"):
        raise Refused("ims.client-secret")
    return integration


def _issued(integration: Credentials, gateway: Gateway, expires_in: int) -> Response:
    token = gateway.issue(integration)
    return json_response(
        200, {"access_token": token, "token_type": "bearer", "expires_in": expires_in}
    )
