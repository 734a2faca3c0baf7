"""A client on requests.Session that fetches its own token and returns each list as one list."""

from __future__ import annotations

import json
import time
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import quote, urldefrag, urlencode, urlsplit

import requests

if TYPE_CHECKING:
    from aepmock import ClientSettings, NewConnection

RESERVED_AND_PERCENT = ":/?#[]@!$&'()*+,;=%"
DEFAULT_TOKEN_LIFE_S = 300.0
IDLE_PAGES = 500


class FlowServiceError(Exception):
    """The call failed; `status_code` and `code` are None where the service gave none."""

    def __init__(self, text: str, status_code: int | None = None, code: str | None = None) -> None:
        super().__init__(" ".join(str(part) for part in (status_code, code, text) if part))
        self.status_code = status_code
        self.code = code


class ConflictError(FlowServiceError):
    """The connection has changed since its etag was read."""


class TokenError(FlowServiceError):
    """IMS gave no token."""


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any
    is_json: bool

    @property
    def code(self) -> str | None:
        body = self.body if isinstance(self.body, dict) else {}
        uri = body.get("type")
        if isinstance(uri, str) and "/errors/" in uri:
            return uri.split("/")[-1]
        number = body.get("error_code")
        return str(number) if isinstance(number, str | int) else None

    def member(self, name: str, kind: type) -> Any:
        value = self.body.get(name) if isinstance(self.body, dict) else None
        if type(value) is not kind:
            self.reject(f"the answer's {name!r} is missing or is not a {kind.__name__}")
        return value

    def items(self) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self.member("items", list)
        if any(not isinstance(item, dict) for item in items):
            self.reject("the answer's 'items' are not all objects")
        return items

    def reject(self, why: str) -> NoReturn:
        raise FlowServiceError(why, self.status)


class Token:
    """The access token of one client: fetched when first needed and shortly before it expires."""

    def __init__(self, session: requests.Session, settings: ClientSettings) -> None:
        self._session = session
        self._settings = settings
        self._value = ""
        self._stale_at = 0.0

    def current(self) -> str:
        return self._value if time.monotonic() < self._stale_at else self.renewed()

    def renewed(self) -> str:
        asked_at = time.monotonic()
        form = {
            "grant_type": "client_credentials",
            "client_id": self._settings.client_id,
            "client_secret": self._settings.client_secret,
            "scope": self._settings.scopes,
        }
        request = requests.Request("POST", self._settings.ims_token_url, data=form)
        answer = send(self._session, self._session.prepare_request(request), self._settings)
        if not 200 <= answer.status < 300:
            error = answer.body.get("error") if isinstance(answer.body, dict) else None
            code = error if isinstance(error, str) else None
            raise TokenError("IMS refused the client's credentials", answer.status, code)
        self._value = answer.member("access_token", str) or answer.reject("the token is empty")
        life_s = answer.body.get("expires_in")
        if not isinstance(life_s, int | float):
            life_s = DEFAULT_TOKEN_LIFE_S
        # A fixed margin would renew a short-lived token before every single call.
        self._stale_at = asked_at + life_s - min(60.0, life_s / 10)
        return self._value


class FlowService:
    """The connections of one sandbox."""

    def __init__(self, settings: ClientSettings) -> None:
        self._settings = settings
        self._base = settings.base_url.rstrip("/")
        self._session = requests.Session()
        self._session.verify = settings.ca_file or True
        # With it, a .netrc entry would replace the token and an environment variable the CA file.
        self._session.trust_env = False
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._token = Token(self._session, settings)

    def create_connection(self, connection: NewConnection) -> dict[str, Any]:
        spec = {"id": connection.connection_spec_id, "version": connection.connection_spec_version}
        auth = {"specName": connection.auth_spec_name, "params": connection.auth_params}
        payload = {
            "name": connection.name,
            "description": connection.description,
            "connectionSpec": without_none(spec),
            "auth": None if connection.auth_spec_name is None else auth,
        }
        return self._reference(self._call("POST", self._url(), without_none(payload)))

    def get_connection(self, connection_id: str) -> dict[str, Any]:
        answer = self._call("GET", self._url(connection_id))
        items = answer.items()
        if len(items) != 1 or not isinstance(items[0].get("id"), str):
            answer.reject("the answer's 'items' are not one connection")
        return items[0]

    def list_connections(
        self, *, limit: int | None = None, property: Sequence[str] = (), orderby: str | None = None
    ) -> list[dict[str, Any]]:
        connections: list[dict[str, Any]] = []
        known: set[str] = set()
        known_when_followed: dict[str, int] = {}
        idle = 0
        url: str | None = self._url(limit=limit, property=list(property), orderby=orderby)
        while url is not None:
            answer = self._call("GET", url)
            items = answer.items()
            connections += items
            known_before = len(known)
            known.update(str(item.get("id")) for item in items)
            idle = 0 if len(known) > known_before else idle + 1
            url = self._next(answer)
            if url is not None:
                # A repeated link is harmless while there is progress, and a circle when not.
                if known_when_followed.get(url) == len(known) or idle > IDLE_PAGES:
                    answer.reject("the pages of the list go round in a circle")
                known_when_followed[url] = len(known)
        return connections

    def count_connections(self, *, property: Sequence[str] = ()) -> int:
        url = self._url(count="true", property=list(property))
        count: int = self._call("GET", url).member("count", int)
        return count

    def update_connection(
        self, connection_id: str, etag: str, operations: Sequence[Mapping[str, Any]]
    ) -> dict[str, Any]:
        url = self._url(connection_id)
        return self._reference(self._call("PATCH", url, list(operations), etag))

    def delete_connection(self, connection_id: str) -> None:
        self._call("DELETE", self._url(connection_id))

    def test_connection(self, connection_id: str) -> bool:
        result: bool = self._call("GET", self._url(connection_id, "/test")).member("result", bool)
        return result

    def explore_connection(
        self,
        connection_id: str,
        *,
        object_type: str,
        object: str | None = None,
        file_type: str | None = None,
        preview: bool | None = None,
        source_params: Mapping[str, Any] | None = None,
    ) -> Any:
        url = self._url(
            connection_id,
            "/explore",
            objectType=object_type,
            object=object,
            fileType=file_type,
            preview=None if preview is None else str(preview).lower(),
            sourceParams=None if source_params is None else b64encode(encode(source_params)),
        )
        answer = self._call("GET", url)
        if not isinstance(answer.body, dict | list):
            answer.reject("the answer is neither an object nor an array")
        return answer.body

    def close(self) -> None:
        self._session.close()

    def _url(self, connection_id: str | None = None, tail: str = "", **query: Any) -> str:
        url = f"{self._base}/connections"
        if connection_id is not None:
            if not connection_id:
                raise ValueError("an empty connection id would address every connection")
            segment = quote(connection_id, safe="")
            url += "/" + (segment.replace(".", "%2E") if segment in {".", ".."} else segment) + tail
        encoded = urlencode(without_none(query), doseq=True, quote_via=quote, safe="")
        return f"{url}?{encoded}" if encoded else url

    def _next(self, answer: Answer) -> str | None:
        links = answer.body.get("_links") or {}
        link = links.get("next") or {} if isinstance(links, dict) else None
        href = link.get("href") if isinstance(link, dict) else link
        if href is None and isinstance(link, dict):
            return None
        if not isinstance(href, str) or not href:
            answer.reject("the answer's '_links' hold no usable link")
        try:
            parts = urlsplit(href)
            if not parts.scheme and not parts.netloc:
                href = self._base + (href if href.startswith("/") else f"/{href}")
            elif origin(href) != origin(self._base):
                answer.reject("the next link leads to another origin")
            return quote(urldefrag(href).url, safe=RESERVED_AND_PERCENT)
        except ValueError:
            answer.reject("the next link is not a URL")

    def _call(self, method: str, url: str, body: object = None, etag: str | None = None) -> Answer:
        answer = self._once(method, url, body, etag, self._token.current())
        if answer.status == 401 and answer.code == "401013":
            answer = self._once(method, url, body, etag, self._token.renewed())
        if not 200 <= answer.status < 300:
            kind = ConflictError if answer.status == 412 else FlowServiceError
            raise kind(f"{method} was refused", answer.status, answer.code)
        if not answer.is_json:
            answer.reject("the answer is not JSON")
        return answer

    def _once(self, method: str, url: str, body: object, etag: str | None, token: str) -> Answer:
        headers = {
            "Accept": "application/json",
            "Authorization": f"Bearer {token}",
            "x-api-key": self._settings.api_key,
            "x-gw-ims-org-id": self._settings.ims_org_id,
            "x-sandbox-name": self._settings.sandbox_name,
            "If-Match": etag,
            "Content-Type": None if body is None else "application/json",
        }
        headers = without_none(headers)
        for name, value in headers.items():
            if not (value and value.isascii() and value.isprintable() and value == value.strip()):
                raise ValueError(f"{name} is empty or holds characters that a header cannot carry")
        data = None if body is None else encode(body)
        request = requests.Request(method, url, headers=headers, data=data)
        prepared = self._session.prepare_request(request)
        # requests has just decoded "%2E%2E" into a segment that means "one level up".
        prepared.url = url
        return send(self._session, prepared, self._settings)

    @staticmethod
    def _reference(answer: Answer) -> dict[str, Any]:
        etag = answer.body.get("etag") if isinstance(answer.body, dict) else None
        if not isinstance(etag, str | None):
            answer.reject("the answer's 'etag' is not a string")
        return {"id": answer.member("id", str) or answer.reject("the id is empty"), "etag": etag}


def client(settings: ClientSettings) -> FlowService:
    return FlowService(settings)


def send(
    session: requests.Session, prepared: requests.PreparedRequest, settings: ClientSettings
) -> Answer:
    status = None
    try:
        with session.send(
            prepared, timeout=settings.timeout_s, allow_redirects=False, stream=True
        ) as response:
            status = response.status_code
            content = response.content
    except requests.RequestException as error:
        raise FlowServiceError(f"the exchange broke off: {type(error).__name__}", status) from error
    try:
        return Answer(status, json.loads(content) if content else None, is_json=True)
    except (ValueError, RecursionError):
        return Answer(status, None, is_json=False)


def origin(url: str) -> tuple[str, str | None, int | None, bool]:
    """Scheme, host, port, and whether it carries a user name (no origin of ours does)."""
    parts = urlsplit(url)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    return parts.scheme, parts.hostname, port, "@" in parts.netloc


def encode(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), allow_nan=False, default=dict).encode()


def without_none(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
