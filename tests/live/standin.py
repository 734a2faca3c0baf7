"""A second Flow Service for the proof of live mode, written without a look at the mock.

It knows the documented surface of /connections, the IMS token endpoint and the look-up of a
sandbox, over TLS on loopback, and differs from the mock in whatever `Manner` switches on. It
counts what it is asked for and keeps what other people left in the sandbox.
"""

from __future__ import annotations

import copy
import itertools
import json
import re
import secrets
import ssl
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, unquote, urlsplit

import trustme

BASE = "/data/foundation/flowservice"
SANDBOXES = "/data/foundation/sandbox-management/sandboxes/"
HUBSPOT = "cc6a4487-9e91-433e-a3a3-9cf6626c1806"
CLIENT_ID, CLIENT_SECRET = "standin-client-id", "p8e-standin-client-secret"
ORG = "5EA7ED0C5EA7ED0C5EA7ED0C@AdobeOrg"
SCOPES = "openid,AdobeID,read_organizations"
SANDBOX = "acme-dev"
HUBSPOT_CREDENTIALS = {
    "clientId": "hub-0c5ea7ed-client",
    "clientSecret": "hub-0c5ea7ed-secret",
    "accessToken": "hub-0c5ea7ed-access",
    "refreshToken": "hub-0c5ea7ed-refresh",
}

TABLES = ("HubSpot.Contacts", "Hubspot.Contacts")
"""Both spellings that are printed."""


@dataclass(frozen=True)
class Manner:
    """In what the stand-in differs; every field by itself is one documented difference."""

    delete_status: int = 204
    short_errors: bool = False
    secrets_on_read: str = "returned"
    """"returned", "masked" or "absent"."""
    extra_fields: bool = False
    token_requests: int = 0
    """After that many requests the first token has expired; 0 for never."""
    every_token: bool = False
    """Whether that holds for all tokens."""
    throttled_request: int = 0
    """The number of the request that is answered 429; 0 for none."""
    latency_s: float = 0.0
    flaky_request: int = 0
    """The number of the request that is answered 503; 0 for none."""
    initializing_reads: int = 0
    """How many reads show a new connection as initializing."""
    most_items: int = 0
    """The cap of a page; 0 for none."""
    location: bool = True
    numeric_codes: bool = False
    links_at_end: bool = True
    weak_etags: bool = False
    etag_header: bool = False
    oldest_first: bool = False
    whole_query_links: bool = False
    sandbox_type: str = "development"
    lead_to: str = ""
    """The origin to which lists with a filter lead; "" for none."""
    lead_by: str = "redirect"
    """"redirect" or "next link"."""


@dataclass
class StandIn:
    """The service's state, and what it saw."""

    manner: Manner
    origin: str = ""
    ca_file: str = ""
    minted: int = 0
    requests: list[str] = field(default_factory=list)
    connections: dict[str, dict[str, Any]] = field(default_factory=dict)
    created: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    foreign: dict[str, dict[str, Any]] = field(default_factory=dict)
    tokens: dict[str, int] = field(default_factory=dict)
    after_create: Callable[[], None] = lambda: None
    """Is called when a connection was stored, before the answer goes out."""
    lock: threading.Lock = field(default_factory=threading.Lock)
    _turn: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    _reads: dict[str, int] = field(default_factory=dict)

    @property
    def base_url(self) -> str:
        return self.origin + BASE

    @property
    def token_url(self) -> str:
        return f"{self.origin}/ims/token/v3"

    @property
    def left_behind(self) -> list[str]:
        """Names of connections that are neither someone else's nor deleted."""
        return [c["name"] for i, c in self.connections.items() if i not in self.foreign]

    @property
    def foreign_touched(self) -> bool:
        """Whether anything that other people left was changed or deleted."""
        return any(self.connections.get(i) != was for i, was in self.foreign.items())

    def leave(self, count: int) -> None:
        """Connections of other people, credentials of theirs in them."""
        for number in range(count):
            made = self._stored(
                f"a colleague's connection {number}",
                {"clientId": "theirs", "clientSecret": f"a-colleagues-secret-{number}"},
            )
            self.foreign[made["id"]] = copy.deepcopy(made)

    def environment(self) -> dict[str, str]:
        """The settings of a live run against this stand-in."""
        values = {
            "BASE_URL": self.base_url,
            "IMS_TOKEN_URL": self.token_url,
            "CA_FILE": self.ca_file,
            "CLIENT_ID": CLIENT_ID,
            "CLIENT_SECRET": CLIENT_SECRET,
            "SCOPES": SCOPES,
            "ORG_ID": ORG,
            "SANDBOX": SANDBOX,
        }
        values |= {
            "HUBSPOT_" + re.sub(r"(?=[A-Z])", "_", name).upper(): value
            for name, value in HUBSPOT_CREDENTIALS.items()
        }
        return {f"AEPMOCK_LIVE_{name}": value for name, value in values.items()}

    @property
    def secrets(self) -> list[str]:
        """Every value that no file of a run may hold."""
        theirs = [c["auth"]["params"]["clientSecret"] for c in self.foreign.values()]
        own = [v for k, v in HUBSPOT_CREDENTIALS.items() if k != "clientId"]
        return [CLIENT_SECRET, *own, *theirs, *self.tokens]

    # answers: (status, headers, document)

    def answer(
        self, method: str, target: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, dict[str, str], Any]:
        parts = urlsplit(target)
        if self.manner.latency_s:
            time.sleep(self.manner.latency_s)
        with self.lock:
            self.requests.append(f"{method} {parts.path}")
            if parts.path == "/ims/token/v3" and method == "POST":
                return self._token(parts.query, body)
            refusal = self._gateway(headers)
            if refusal:
                return refusal
            if parts.path.startswith(SANDBOXES) and method == "GET":
                return self._sandbox(unquote(parts.path.removeprefix(SANDBOXES)))
            turn = next(self._turn)
            soon = formatdate(time.time() + 1, usegmt=True)
            if turn == self.manner.throttled_request:
                document = {"error_code": "429050", "message": "Too many requests"}
                return 429, {"Retry-After": soon}, document
            if turn == self.manner.flaky_request:
                return 503, {"Retry-After": "0"}, None
            if not parts.path.startswith(BASE + "/connections"):
                return self._problem(404, "1439", "Resource not found", "There is no such path.")
            rest = [unquote(s) for s in parts.path.removeprefix(BASE).strip("/").split("/")]
            return self._route(method, rest[1:], parse_qsl(parts.query, True), headers, body)

    def _token(self, query: str, body: bytes) -> tuple[int, dict[str, str], Any]:
        given = {k: v[0] for k, v in parse_qs(query + "&" + body.decode()).items()}
        if given.get("client_id") != CLIENT_ID or given.get("client_secret") != CLIENT_SECRET:
            return 400, {}, {"error": "invalid_client", "error_description": "invalid client"}
        self.minted += 1
        token = f"standin.{secrets.token_hex(24)}.{self.minted}"
        limited = self.manner.token_requests and (self.manner.every_token or self.minted == 1)
        self.tokens[token] = self.manner.token_requests if limited else 1_000_000
        return 200, {}, {"access_token": token, "token_type": "bearer", "expires_in": 86399}

    def _gateway(self, headers: dict[str, str]) -> tuple[int, dict[str, str], Any] | None:
        token = headers.get("authorization", "").removeprefix("Bearer ")
        if not token:
            return self._gate(403, "403010", "Oauth token is missing.")
        if self.tokens.get(token, 0) <= 0:
            return self._gate(401, "401013", "Oauth token is not valid")
        self.tokens[token] -= 1
        if headers.get("x-api-key") != CLIENT_ID:
            return self._gate(403, "403003", "Api Key is invalid")
        if headers.get("x-gw-ims-org-id") != ORG:
            return self._gate(403, "403025", "Profile is not valid")
        return None

    def _gate(self, status: int, code: str, message: str) -> tuple[int, dict[str, str], Any]:
        shown = int(code) if self.manner.numeric_codes else code
        return status, {}, {"error_code": shown, "message": message}

    def _sandbox(self, name: str) -> tuple[int, dict[str, str], Any]:
        if name != SANDBOX:
            return 404, {}, {"status": 404, "title": "Not Found", "message": "no such sandbox"}
        document = {
            "name": name,
            "title": "Acme development",
            "state": "active",
            "type": self.manner.sandbox_type,
            "region": "VA7",
            "isDefault": False,
            "eTag": 2,
            "createdBy": "someone@acme.example",
        }
        return 200, {}, document

    def _route(
        self,
        method: str,
        rest: list[str],
        query: list[tuple[str, str]],
        headers: dict[str, str],
        body: bytes,
    ) -> tuple[int, dict[str, str], Any]:
        if headers.get("x-sandbox-name") != SANDBOX:
            return self._problem(404, "2100", "Sandbox not found", "There is no such sandbox.")
        if not rest:
            return self._create(body) if method == "POST" else self._list(query)
        connection = self.connections.get(rest[0])
        if connection is None:
            text = f"The requested connections resource {rest[0]} is not found."
            return self._problem(404, "1439", "Resource not found", text)
        match method, rest[1:]:
            case "GET", []:
                return 200, self._etag_header(connection), {"items": [self._shown(connection)]}
            case "GET", ["test"]:
                return 200, {}, {"result": True}
            case "GET", ["explore"]:
                return self._explore(dict(query))
            case "PATCH", []:
                return self._patch(connection, headers.get("if-match"), body)
            case "DELETE", []:
                del self.connections[rest[0]]
                self.deleted.append(rest[0])
                return self.manner.delete_status, {}, None
        return self._problem(400, "1434", "Invalid request", "There is no such operation.")

    def _create(self, body: bytes) -> tuple[int, dict[str, str], Any]:
        document = json.loads(body)
        if document.get("connectionSpec", {}).get("id") != HUBSPOT:
            return self._problem(400, "1413", "Invalid request", "The spec is not known.")
        params = document.get("auth", {}).get("params", {})
        if set(params) < set(HUBSPOT_CREDENTIALS):
            return self._problem(400, "1100", "Invalid request", "A mandatory field is missing.")
        made = self._stored(document["name"], params, document.get("description"))
        self.created.append(made["name"])
        self.after_create()
        headers = self._etag_header(made)
        if self.manner.location:
            headers["Location"] = f"/connections/{made['id']}"
        return 201, headers, {"id": made["id"], "etag": made["etag"]}

    def _stored(
        self, name: str, params: dict[str, Any], description: str | None = None
    ) -> dict[str, Any]:
        now = round(time.time() * 1000)
        connection = {
            "id": f"{secrets.token_hex(4)}-0000-4000-8000-{secrets.token_hex(6)}",
            "name": name,
            "createdAt": now,
            "updatedAt": now,
            "createdBy": "tech@acme.example",
            "updatedBy": "tech@acme.example",
            "createdClient": CLIENT_ID,
            "updatedClient": CLIENT_ID,
            "sandboxId": "0c5ea7ed-0000-4000-8000-0c5ea7ed0c5e",
            "sandboxName": SANDBOX,
            "imsOrgId": ORG,
            "auth": {"specName": "Basic Authentication", "params": params},
            "connectionSpec": {"id": HUBSPOT, "version": "1.0"},
            "state": "enabled",
            "etag": self._etag(),
        }
        if description is not None:
            connection["description"] = description
        self.connections[str(connection["id"])] = connection
        return connection

    def _etag(self) -> str:
        if self.manner.weak_etags:
            return f'W/"{secrets.token_hex(3)}"'
        return f'"{secrets.token_hex(4)}-0000-0200-0000-{secrets.token_hex(4)}0000"'

    def _etag_header(self, connection: dict[str, Any]) -> dict[str, str]:
        return {"ETag": connection["etag"]} if self.manner.etag_header else {}

    def _shown(self, connection: dict[str, Any]) -> dict[str, Any]:
        """A connection as a read gives it."""
        shown: dict[str, Any] = copy.deepcopy(connection)
        shown["version"] = shown["etag"]
        key = connection["id"]
        self._reads[key] = self._reads.get(key, 0) + 1
        if key not in self.foreign and self._reads[key] <= self.manner.initializing_reads:
            shown["state"] = "initializing"
        if self.manner.extra_fields:
            shown["lastTestedBy"] = "someone@acme.example"
            shown["quota"] = {"used": 1}
        params = shown["auth"]["params"]
        for name in ("clientSecret", "accessToken", "refreshToken"):
            if name in params and self.manner.secrets_on_read == "masked":
                params[name] = "*****"
            elif self.manner.secrets_on_read == "absent":
                params.pop(name, None)
        return shown

    def _list(self, query: list[tuple[str, str]]) -> tuple[int, dict[str, str], Any]:
        given = dict(query)
        start = 0
        led = bool(self.manner.lead_to) and any(v.startswith("desc") for v in given.values())
        if led and self.manner.lead_by == "redirect":
            return 307, {"Location": f"{self.manner.lead_to}/elsewhere"}, None
        token = given.get("continuationToken")
        if token is not None:
            carried = json.loads(bytes.fromhex(token.removeprefix("c")))
            start, query = carried["start"], [(k, v) for k, v in carried["query"]]
            given = dict(query)
        found = list(self.connections.values())
        for text in (v for k, v in query if k == "property"):
            found = [c for c in found if _fits(c, text)]
        if given.get("count", "").lower() == "true":
            return 200, {}, {"count": len(found)}
        if not self.manner.oldest_first:
            found.reverse()
        orderby = given.get("orderby")
        if orderby:
            key = orderby.lstrip("+-")
            found.sort(key=lambda c: c.get(key, ""), reverse=orderby.startswith("-"))
        size = int(given.get("limit", 100))
        if self.manner.most_items:
            size = min(size, self.manner.most_items)
        document: dict[str, Any] = {"items": [self._shown(c) for c in found[start : start + size]]}
        if start + size < len(found):
            carried = {"start": start + size, "query": query}
            href = f"/connections?continuationToken=c{json.dumps(carried).encode().hex()}"
            document["_links"] = {"next": {"href": self.manner.lead_to * led + href}}
        elif self.manner.links_at_end:
            document["_links"] = {}
        return 200, {}, document

    def _patch(
        self, connection: dict[str, Any], if_match: str | None, body: bytes
    ) -> tuple[int, dict[str, str], Any]:
        if not if_match:
            return self._problem(400, "1403", "Invalid request", "If-Match is missing.")
        if if_match != connection["etag"]:
            return self._problem(412, "1404", "Precondition failed", "The version is another.")
        for step in json.loads(body):
            *above, last = step["path"].strip("/").split("/")
            place = connection
            for name in above:
                place = place[name]
            if step["op"].lower() == "remove":
                del place[last]
            else:
                place[last] = step["value"]
        connection["etag"] = self._etag()
        connection["updatedAt"] += 1
        document = {"id": connection["id"], "etag": connection["etag"]}
        return 200, self._etag_header(connection), document

    def _explore(self, given: dict[str, str]) -> tuple[int, dict[str, str], Any]:
        kind, wanted = given.get("objectType", "").lower(), given.get("object", "")
        if kind not in ("root", "table") or (kind == "table" and wanted not in TABLES):
            text = "The request could not be processed. Error from flow provider: no such table"
            return self._problem(400, "1100", "Invalid request", text)
        if kind == "root":
            table = {"type": "table", "name": "HubSpot.Contacts", "path": "HubSpot.Contacts"}
            return 200, {}, [{**table, "canPreview": True, "canFetchSchema": True}]
        column = {"name": "Portal_Id", "type": "string", "xdm": {"type": "string"}}
        document: dict[str, Any] = {"format": "flat", "schema": {"columns": [column]}}
        if given.get("preview", "").lower() == "true":
            document["data"] = [{"Portal_Id": "personal data of someone"}]
        return 200, {}, document

    def _problem(
        self, status: int, code: str, title: str, text: str
    ) -> tuple[int, dict[str, str], Any]:
        short = {"errorMessage": text, "errorDetails": text}
        if self.manner.short_errors:
            return status, {}, short
        document = {
            "type": f"https://ns.adobe.com/aep/errors/FLOW-{code}-{status}",
            "title": title,
            "status": status,
            "report": {"detailed-message": text, "request-id": secrets.token_hex(8)},
            **short,
        }
        return status, {}, document


def _fits(connection: dict[str, Any], text: str) -> bool:
    match = re.fullmatch(r"([A-Za-z.]+)(==|!=|>=|<=|>|<|=)(.*)", text, re.DOTALL)
    if match is None:
        return False
    name, operator, wanted = match.groups()
    value: Any = connection
    for part in name.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    if isinstance(value, int):
        other = int(wanted)
        return bool(
            {
                ">=": value >= other,
                "<=": value <= other,
                ">": value > other,
                "<": value < other,
            }.get(operator, value == other)
        )
    choices = [wanted.strip('"')] if wanted.startswith('"') else wanted.split(",")
    return (value in choices) == (operator != "!=")


@contextmanager
def standing_in(manner: Manner | None = None, *, colleagues: int = 3) -> Iterator[StandIn]:
    """A stand-in that serves until the block ends; `colleagues` connections are there before."""
    state = StandIn(manner or Manner())
    state.leave(colleagues)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            size = int(self.headers.get("Content-Length") or 0)
            fields = {name.lower(): value for name, value in self.headers.items()}
            try:
                answer = state.answer(self.command, self.path, fields, self.rfile.read(size))
            except (ValueError, KeyError, TypeError) as error:
                text = f"The request can't be understood: {type(error).__name__}"
                answer = 400, {}, {"status": 400, "title": "BadRequestError", "detail": text}
            status, headers, document = answer
            body = b"" if document is None else json.dumps(document).encode()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if body:
                self.send_header("Content-Type", "application/json;charset=UTF-8")
            if status != 204:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = _serve

        def log_message(self, format: str, *args: Any) -> None:
            """Says nothing."""

    authority = trustme.CA(organization_name="stand-in")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    with tempfile.TemporaryDirectory() as folder:
        ca_file = Path(folder) / "ca.pem"
        authority.cert_pem.write_to_path(str(ca_file))
        state.origin = f"https://127.0.0.1:{server.server_address[1]}"
        state.ca_file = str(ca_file)
        thread.start()
        try:
            yield state
        finally:
            server.shutdown()
            server.server_close()
            thread.join()
