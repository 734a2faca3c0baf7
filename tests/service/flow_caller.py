"""Someone who calls a FlowService: right requests by default, each part replaceable."""

from __future__ import annotations

import json as json_module
from collections.abc import Mapping
from copy import deepcopy
from typing import Any
from urllib.parse import quote

from aepmock.messages import Headers, Request, Response
from aepmock.service import Credentials, FlowService

BASE = "/data/foundation/flowservice"
ORIGIN = "https://platform.adobe.io"
HUBSPOT: Mapping[str, Any] = {
    "name": "connection for HubSpot",
    "description": "connection for HubSpot",
    "auth": {
        "specName": "Basic Authentication",
        "params": {
            "clientId": "the client id",
            "clientSecret": "the client secret",
            "accessToken": "the access token",
            "refreshToken": "the refresh token",
        },
    },
    "connectionSpec": {"id": "cc6a4487-9e91-433e-a3a3-9cf6626c1806", "version": "1.0"},
}
"""The documented body of a create (HUBSPOT)."""
UNSET: Any = object()


class Caller:
    """One integration that calls one service; `sent` keeps its requests."""

    def __init__(
        self, service: FlowService | None = None, credentials: Credentials | None = None
    ) -> None:
        self.service = service or FlowService()
        self.credentials = credentials or self.service.mint_credentials()
        self.sandbox = "dev"

    def user(self) -> Caller:
        """Someone of the same organization with a user's token."""
        org = self.credentials.ims_org_id
        return Caller(self.service, self.service.mint_credentials("user", ims_org_id=org))

    def headers(self) -> dict[str, str]:
        made = self.credentials
        return {
            "Authorization": f"Bearer {made.access_token}",
            "x-api-key": made.api_key,
            "x-gw-ims-org-id": made.ims_org_id,
            "x-sandbox-name": self.sandbox,
        }

    def request(
        self,
        method: str,
        path: str,
        json: Any = UNSET,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str | None] | None = None,
    ) -> Request:
        """A request below the base path; headers of value None are left out."""
        sent: dict[str, str | None] = dict(self.headers())
        if json is not UNSET:
            body = json_module.dumps(json).encode()
        if body is not None:
            sent["Content-Type"] = "application/json"
        sent.update(headers or {})
        fields = [(name, value) for name, value in sent.items() if value is not None]
        return Request(method, ORIGIN, BASE + path, Headers(fields), body or b"")

    def send(self, method: str, path: str, json: Any = UNSET, **more: Any) -> Response:
        return self.service.handle(self.request(method, path, json, **more))

    def create(self, **fields: Any) -> str:
        """The id of a new connection; fields of value None are left out of the body."""
        response = self.try_create(**fields)
        assert response.status == 201, response.body
        return str(response.json["id"])

    def try_create(self, **fields: Any) -> Response:
        body = {**deepcopy(dict(HUBSPOT)), **fields}
        return self.send("POST", "/connections", {k: v for k, v in body.items() if v is not None})

    def read(self, connection_id: str) -> dict[str, Any]:
        response = self.send("GET", f"/connections/{connection_id}")
        assert response.status == 200, response.body
        item = response.json["items"][0]
        assert isinstance(item, dict)
        return item

    def patch(self, connection_id: str, operations: Any, etag: str | None = None) -> Response:
        """An update with the current etag, where no other is given."""
        etag = etag or self.read(connection_id)["etag"]
        return self.send(
            "PATCH", f"/connections/{connection_id}", operations, headers={"If-Match": etag}
        )

    def names(self, query: str = "") -> list[str]:
        """Names of the connections that a list with this raw query gives."""
        response = self.send("GET", f"/connections{query}")
        assert response.status == 200, response.body
        return [item["name"] for item in response.json["items"]]

    def filtered(self, *filters: str) -> Response:
        query = "&".join(f"property={quote(text, safe='')}" for text in filters)
        return self.send("GET", f"/connections?{query}")


def code_of(response: Response) -> str:
    """The code in a refusal's body: "1404-412", "403010"; "" where it has none."""
    document = response.json
    if "error_code" in document:
        return str(document["error_code"])
    return str(document.get("type", "")).rpartition("FLOW-")[2]
