"""What of an exchange with a live service is kept: only what is known to be harmless.

Drift and recordings are made of `Seen`, which nothing but a `Sight` makes. Known secrets become
placeholders, equal ones equal placeholders, so that a replay still knows who is who; what other
people put into the sandbox is not kept at all.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from aepmock.contract import Contract
from aepmock.messages import Exchange, Headers, Request, Response, path_segment
from aepmock.redaction import Redactor
from aepmock.redaction.redacted import Redacted, redact

TOKEN, SECRET, KEY = "{ACCESS_TOKEN}", "{CLIENT_SECRET}", "{API_KEY}"
ORG, SANDBOX, SCOPES = "{ORG_ID}", "{SANDBOX_NAME}", "{SCOPES}"
FOREIGN, SOMEONE, TEXT = "{FOREIGN}", "{USER}", "{TEXT}"
UNREADABLE = "(no JSON)"
MASKED = re.compile(r"[*•●xX]{3,}")
"""What a service puts in the place of a secret."""
SHORTEST = 6
"""A shorter value is not searched for in files: it would be found by chance."""

_REQUEST_HEADERS = ("content-type", "if-match")
_RESPONSE_HEADERS = ("content-type", "location", "etag", "retry-after", "allow")
_PEOPLE = frozenset({"createdBy", "updatedBy", "createdClient", "updatedClient"})
_PLAIN = frozenset(
    {
        *("id", "etag", "version", "name", "description", "state", "createdAt", "updatedAt"),
        *("count", "result", "href", "specName", "status", "title", "type", "detail"),
        *("error_code", "message", "errorMessage", "errorDetails", "detailed-message"),
        *("error", "error_description", "expires_in", "token_type"),
    }
)
"""Fields whose text may stay, known secrets taken out."""


@dataclass(frozen=True)
class Seen:
    """An exchange that may be kept: `redacted` holds its form in a recording.

    {"operation": "connections.delete", "at": "2026-11-24T23:01:12Z",
    "request": {"method": "DELETE", "path": "/connections/…", "headers": {…}},
    "response": {"status": 204, "headers": {}}};
    the response is None where no answer came.
    """

    redacted: Redacted

    @property
    def document(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.redacted.document
        return found

    @property
    def operation(self) -> str:
        return str(self.document["operation"])

    @property
    def date(self) -> str:
        """The day of the exchange, "2026-11-24"."""
        return self.at[:10]

    @property
    def at(self) -> str:
        """When it was, "2026-11-24T23:01:12Z"."""
        return str(self.document["at"])

    @property
    def request(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.document["request"]
        return found

    @property
    def response(self) -> Mapping[str, Any] | None:
        found: Mapping[str, Any] | None = self.document["response"]
        return found

    @property
    def status(self) -> int:
        """The answer's status, 0 where none came."""
        return int(self.response["status"]) if self.response else 0

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300


def seen_again(document: Mapping[str, Any]) -> Seen:
    """An exchange that stood in a recording."""
    return Seen(redact(document, Redactor()))


class Sight:
    """Knows one run's secrets and what the run created; sees exchanges without them.

    `secrets` maps names to values, {"ACCESS_TOKEN": "eyJ…", "CLIENT_SECRET": "p8e-…"};
    `guarded` says that only requests with a token of the run are shown, as the gate has it.
    """

    def __init__(
        self,
        contract: Contract,
        *,
        api_key: str,
        ims_org_id: str,
        sandbox_name: str,
        secrets: Mapping[str, str],
        guarded: bool = False,
    ) -> None:
        self._contract = contract
        self._redactor = Redactor(contract.secret_names)
        self._places = {"api": api_key, "org": ims_org_id, "sandbox": sandbox_name}
        self._sandbox = re.compile(rf"(?<![\w-]){re.escape(sandbox_name)}(?![\w-])")
        self._placeholders: dict[str, str] = {}
        self._names: dict[str, int] = {}
        self._ours: set[str] = set()
        self._guarded = guarded
        for name, value in secrets.items():
            self.learn(name, value)

    def learn(self, name: str, value: str) -> str:
        """Takes a value for a secret from now on; returns what stands in its place."""
        if value not in self._placeholders:
            self._names[name] = number = self._names.get(name, 0) + 1
            self._placeholders[value] = "{" + name + (f"_{number}" if number > 1 else "") + "}"
            self._redactor.learn([value])
        return self._placeholders[value]

    def exchange(self, exchange: Exchange, *, at: str) -> Seen | None:
        """The exchange to keep; None where it is no documented operation."""
        return self._made(exchange.request, exchange.response, at)

    def lost(self, request: Request, *, at: str) -> Seen | None:
        """A request to which no answer came."""
        return self._made(request, None, at)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every value that was learned."""
        return tuple(self._placeholders)

    def _made(self, request: Request, response: Response | None, at: str) -> Seen | None:
        operation = self._contract.operation_of(request)
        if operation is None:
            return None
        sent = self._request(request, operation.id)
        got = None if response is None else self._response(response, operation.id)
        document = {"operation": operation.id, "at": at, "request": sent, "response": got}
        return Seen(redact(document, self._redactor))

    def _request(self, request: Request, operation: str) -> dict[str, Any]:
        headers = {
            name: self._text(value)
            for name in _REQUEST_HEADERS
            if (value := request.headers.get(name)) is not None
        }
        headers |= self._who(request.headers)
        if operation == "ims.token":
            return {"method": request.method, "path": request.path, "headers": headers}
        target = request.target.removeprefix(self._contract.base_path)
        document: dict[str, Any] = {
            "method": request.method,
            "path": self._text(target),
            "headers": headers,
        }
        if request.body:
            try:
                document["json"] = self._body(request.json)
            except (ValueError, RecursionError):
                document["text"] = UNREADABLE
        return document

    def _who(self, headers: Headers) -> dict[str, str]:
        """The four headers that say who asks: the run's own values, or that it was another."""
        found = {}
        token = headers.get("authorization")
        if token is not None:
            scheme, _, value = token.partition(" ")
            if self._guarded:
                self.learn("ACCESS_TOKEN", value.strip())
            found["authorization"] = f"{scheme} {self._placeholders.get(value.strip(), '{WRONG}')}"
        for name, place, placeholder in (
            ("x-api-key", "api", KEY),
            ("x-gw-ims-org-id", "org", ORG),
            ("x-sandbox-name", "sandbox", SANDBOX),
        ):
            given = headers.get(name)
            if given is not None:
                same = given == self._places[place]
                found[name] = placeholder if same else given if given in ("", "*") else "{WRONG}"
        return found

    def _body(self, body: Any) -> Any:
        """A request's body: a connection, JSON Patch, or what a client made of them."""
        if isinstance(body, list):
            return [self._body(one) for one in body]
        if not isinstance(body, dict):
            return self._leaf("", body)
        path = body.get("path")
        if isinstance(path, str) and path.startswith("/auth"):
            name = path.removeprefix("/auth").strip("/").rpartition("/")[2] or "auth"
            return {k: self._params(name, v) if k == "value" else v for k, v in body.items()}
        return {key: self._field(key, value, sent=True) for key, value in body.items()}

    def _response(self, response: Response, operation: str) -> dict[str, Any]:
        headers = {
            name: self._text(value)
            for name in _RESPONSE_HEADERS
            if (value := response.headers.get(name)) is not None
        }
        document: dict[str, Any] = {"status": response.status, "headers": headers}
        if not response.body:
            return document
        try:
            return {**document, "json": self._answer(response, operation)}
        except (ValueError, OSError, EOFError, zlib.error, RecursionError):
            html = b"<html" in response.body[:2000].lower()
            return {**document, "text": "(HTML)" if html else UNREADABLE}

    def _answer(self, response: Response, operation: str) -> Any:
        """An answer's document, as much of it as may be kept."""
        found = response.json
        if not response.ok:
            return self._field("", found)
        if operation == "connections.create" and isinstance(found, dict):
            self._ours.add(str(found.get("id")))
        if operation in ("connections.explore", "connections.configs"):
            return form(found)
        if operation == "ims.token" and isinstance(found, dict):
            token = found.get("access_token")
            placeholder = self.learn("ACCESS_TOKEN", token) if isinstance(token, str) else None
            return {**self._field("", found), "access_token": placeholder}
        return self._field("", found)

    def _field(self, key: str, value: Any, *, sent: bool = False) -> Any:
        """A part of a document, by the name that it stands under."""
        if key == "items" and isinstance(value, list):
            return [self._item(item) for item in value]
        if key == "params":
            return self._params("param", value)
        if isinstance(value, dict):
            return {k: self._field(k, v, sent=sent) for k, v in value.items()}
        if isinstance(value, list):
            return [self._field(key, v, sent=sent) for v in value]
        if sent and isinstance(value, str):
            return self._text(value)
        return self._leaf(key, value)

    def _item(self, item: Any) -> Any:
        """A connection of a list: only what this run made may be looked into."""
        if isinstance(item, dict) and str(item.get("id")) in self._ours:
            return self._field("", item)
        return {"id": FOREIGN}

    def _params(self, name: str, value: Any) -> Any:
        """Credentials, whatever they are called: each value by a placeholder of its own."""
        if isinstance(value, dict):
            return {k: self._params(k, v) for k, v in value.items()}
        if isinstance(value, list):
            return [self._params(name, v) for v in value]
        if not isinstance(value, str) or not value or MASKED.fullmatch(value):
            return value
        return self.learn(name, value)

    def _leaf(self, key: str, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        if key in _PEOPLE:
            return SOMEONE
        for name, place, placeholder in (
            ("imsOrgId", "org", ORG),
            ("sandboxName", "sandbox", SANDBOX),
        ):
            if key == name:
                return placeholder if value == self._places[place] else "{WRONG}"
        return self._text(value) if key in _PLAIN else TEXT

    def _text(self, text: str) -> str:
        text = self._redactor.text(text)
        for place, placeholder in (("api", KEY), ("org", ORG)):
            if len(self._places[place]) >= SHORTEST:
                text = text.replace(self._places[place], placeholder)
        return self._sandbox.sub(SANDBOX, text)


def form(document: Any) -> Any:
    """A document with its keys and without its texts and numbers: what others' data looks like."""
    if isinstance(document, dict):
        return {key: [] if key == "data" else form(value) for key, value in document.items()}
    if isinstance(document, list):
        return [form(value) for value in document[:1]]
    if isinstance(document, bool) or document is None:
        return document
    return 0 if isinstance(document, int | float) else TEXT


def connection_id(seen: Seen) -> str | None:
    """The id that a request's path names, percent-decoded."""
    path = str(seen.request["path"]).partition("?")[0]
    parts = path.strip("/").split("/")
    if len(parts) < 2 or parts[0] != "connections" or seen.operation == "connections.search":
        return None
    return path_segment(parts[1])


def query(seen: Seen) -> list[tuple[str, str]]:
    """The request's query parameters, decoded, in order."""
    _, _, text = str(seen.request["path"]).partition("?")
    return parse_qsl(text, keep_blank_values=True)
