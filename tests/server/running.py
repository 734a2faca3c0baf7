"""A server in a process of its own, as a user starts it, and a plain client for it."""

from __future__ import annotations

import http.client
import json
import signal
import ssl
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

CREATE = {
    "name": "HubSpot",
    "auth": {
        "specName": "Basic Authentication",
        "params": {
            "clientId": "a client id",
            "clientSecret": "hush-client-secret",
            "accessToken": "hush-access-token",
            "refreshToken": "hush-refresh-token",
        },
    },
    "connectionSpec": {"id": "cc6a4487-9e91-433e-a3a3-9cf6626c1806", "version": "1.0"},
}
JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Running:
    """What the server said when it was ready, and its process."""

    ready: Mapping[str, Any]
    process: subprocess.Popen[str]

    @property
    def netloc(self) -> str:
        return urlsplit(str(self.ready["base_url"])).netloc

    def ask(
        self,
        method: str,
        target: str,
        *,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request on a connection of its own."""
        if self.ready["ca_file"]:
            context = ssl.create_default_context(cafile=self.ready["ca_file"])
            made: http.client.HTTPConnection = http.client.HTTPSConnection(
                self.netloc, timeout=10, context=context
            )
        else:
            made = http.client.HTTPConnection(self.netloc, timeout=10)
        sent = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        try:
            made.request(method, target, sent, dict(headers or {}))
            answer = made.getresponse()
            return Answer(answer.status, dict(answer.getheaders()), answer.read())
        finally:
            made.close()

    def control(self, method: str, path: str, body: Any = None, *, mock: str = "") -> Answer:
        """A request of the control API, with the content type that a change needs."""
        kind = JSON if method != "GET" else {}
        return self.ask(method, f"{mock}/__aepmock__{path}", body=body, headers=kind)

    def create(self, *, mock: str = "", token: str = "", **changed: Any) -> Answer:
        """A create as a right client sends it, but for what is changed in the body."""
        made = self.ready["credentials"]
        return self.ask(
            "POST",
            f"{mock}/data/foundation/flowservice/connections",
            body={**CREATE, **changed},
            headers={**JSON, **self.credentials(token or made["access_token"])},
        )

    def credentials(self, token: str) -> dict[str, str]:
        made = self.ready["credentials"]
        return {
            "Authorization": f"Bearer {token}",
            "x-api-key": made["api_key"],
            "x-gw-ims-org-id": made["ims_org_id"],
            "x-sandbox-name": made["sandbox_name"],
        }


@contextmanager
def running(*words: str) -> Iterator[Running]:
    """`aepmock serve` with these options on a free port; it must stop well when told to."""
    command = [sys.executable, "-m", "aepmock", "serve", "--port", "0", "--ready-json", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield Running(json.loads(process.stdout.readline()), process)
            process.send_signal(signal.SIGTERM)
            assert process.wait(5) == 0
            assert process.stdout.read() == ""
        finally:
            process.kill()
