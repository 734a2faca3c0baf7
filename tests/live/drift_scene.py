"""A live run in miniature: a service that answers by some reading, and who watches it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from aepmock.contract import load_contract
from aepmock.judge import LiveRow
from aepmock.live.drift.sanitize import Sight
from aepmock.live.drift.walk import Drift, Findings
from aepmock.messages import Exchange, Headers, Request, Response
from aepmock.service import FlowService

BASE = "/data/foundation/flowservice"
DAY = "2026-11-24"
SPEC = {"id": "cc6a4487-9e91-433e-a3a3-9cf6626c1806", "version": "1.0"}
AUTH = "Basic Authentication"
PARAMS = {
    "clientId": "hub-client-0001",
    "clientSecret": "hub-secret-0002",
    "accessToken": "hub-access-0003",
    "refreshToken": "hub-refresh-0004",
}
Answer = Callable[[Request], Response]


class Scene:
    """Sends requests to a service that plays the live one, and lets a Drift observe."""

    def __init__(
        self,
        readings: Mapping[str, str] | None = None,
        *,
        change: Callable[[Request, Response], Response | None] | None = None,
    ) -> None:
        self.service = FlowService(seed=99, readings=readings)
        self.made = self.service.mint_credentials()
        self.service.gateway.add_sandbox(self.made.ims_org_id, "acme-dev")
        self.change = change
        secrets = {"ACCESS_TOKEN": self.made.access_token, "CLIENT_SECRET": self.made.client_secret}
        self.sight = Sight(
            load_contract(),
            api_key=self.made.api_key,
            ims_org_id=self.made.ims_org_id,
            sandbox_name="acme-dev",
            secrets=secrets,
        )
        self.drift = Drift(self.sight, now=lambda: f"{DAY}T23:01:12Z")

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: Mapping[str, str | None] | None = None,
    ) -> Response:
        made = self.made
        given: dict[str, str | None] = {
            "Authorization": f"Bearer {made.access_token}",
            "x-api-key": made.api_key,
            "x-gw-ims-org-id": made.ims_org_id,
            "x-sandbox-name": "acme-dev",
        }
        data = b""
        if body is not None:
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            given["Content-Type"] = "application/json"
        given |= headers or {}
        fields = [(n, v) for n, v in given.items() if v is not None]
        request = Request(method, "https://platform.adobe.io", BASE + path, Headers(fields), data)
        return self.pass_on(request)

    def pass_on(self, request: Request) -> Response:
        response: Response | None = self.service.handle(request)
        assert response is not None
        if self.change is not None:
            response = self.change(request, response)
        self.drift(Exchange(request, response or replace(Response(504), injected=True)))
        return response or Response(599)

    def token(self) -> Response:
        made = self.made
        asked = (
            f"grant_type=client_credentials&client_id={made.client_id}"
            f"&client_secret={made.client_secret}&scope={made.scopes}"
        )
        kind = Headers([("Content-Type", "application/x-www-form-urlencoded")])
        return self.pass_on(
            Request("POST", "https://ims-na1.adobelogin.com", "/ims/token/v3", kind, asked.encode())
        )

    def create(self, name: str | None = "aepmock-r1-a", **more: Any) -> tuple[str, str]:
        """The id and etag of a new connection, "" where the answer had none."""
        body = {
            "name": name,
            "connectionSpec": SPEC,
            "auth": {"specName": AUTH, "params": PARAMS},
            **more,
        }
        kept = {key: value for key, value in body.items() if value is not None}
        document = self.send("POST", "/connections", kept).json_or_none or {}
        return str(document.get("id", "")), str(document.get("etag", ""))

    def read(self, connection_id: str) -> Response:
        return self.send("GET", f"/connections/{connection_id}")

    def rename(self, connection_id: str, etag: str | None, name: str = "renamed") -> Response:
        patch = [{"op": "replace", "path": "/name", "value": name}]
        return self.send(
            "PATCH", f"/connections/{connection_id}", patch, headers={"If-Match": etag}
        )

    def publish(self) -> None:
        """Makes a draft and publishes it."""
        body = {
            "name": "aepmock-r1-draft",
            "connectionSpec": SPEC,
            "auth": {"specName": AUTH, "params": PARAMS},
        }
        made = self.send("POST", "/connections?mode=draft", body).json_or_none or {}
        self.send("POST", f"/connections/{made.get('id')}/action?op=publish")
        self.read(str(made.get("id")))

    def everything(self) -> None:
        """Calls whose answers, between them, tell nearly every reading."""
        self.token()
        made, etag = self.create("aepmock-r1-a", description="one")
        self.read(made)
        other, _ = self.create("aepmock-r1-b")
        self.send("GET", "/connections")
        self.send("GET", "/connections?limit=1&property=state==enabled")
        self.send("GET", "/connections?count=true")
        current = self.read(made).json_or_none
        etag = etag or current["items"][0]["etag"]
        self.rename(made, etag)
        self.rename(made, etag)
        self.rename(made, None)
        self.read(made)
        fresh = str(self.service.store.find(*self._place(made)).etag)  # type: ignore[union-attr]
        self.rename(made, fresh.strip('"'))
        self.send("GET", f"/connections/{made}/configs")
        self.send("GET", f"/connections/{made}/explore?objectType=root")
        self.read("00000000-0000-4000-8000-000000000000")
        self.create("aepmock-r1-c", connectionSpec={"id": SPEC["id"]})
        self.create("aepmock-r1-d", connectionSpec={"id": "no-such-spec", "version": "1.0"})
        self.create("aepmock-r1-e", auth=None)
        self.create(None)
        self.create(
            "aepmock-r1-g", auth={"specName": AUTH, "params": {**PARAMS, "unheardOf": "of-value"}}
        )
        self.publish()
        self.send("DELETE", f"/connections/{other}")
        self.read(other)
        self.send("GET", "/connections", headers={"Authorization": None})
        self.send("GET", "/connections", headers={"x-gw-ims-org-id": None})
        self.send("GET", "/connections", headers={"x-gw-ims-org-id": "ANOTHER@AdobeOrg"})
        self.send("GET", "/connections", headers={"x-sandbox-name": None})
        self.send("GET", "/connections", headers={"x-sandbox-name": "unknown"})
        self.send("GET", "/connections", headers={"Authorization": "Bearer expired"})
        self.send("POST", "/connections", {}, headers={"Content-Type": "text/plain"})
        for number in range(130):
            self.service.seed_connection(
                self.made.ims_org_id, "acme-dev", name=f"a colleague's {number}"
            )
        self.send("GET", "/connections")
        self.send("GET", "/connections?limit=120")

    def _place(self, connection_id: str) -> tuple[tuple[str, str], str]:
        return (self.made.ims_org_id, "acme-dev"), connection_id

    def findings(self) -> Findings:
        return self.drift.findings()

    def row(self, subject: str) -> LiveRow:
        """The first row on a subject."""
        return next(row for row in self.findings().rows if row.subject == subject)
