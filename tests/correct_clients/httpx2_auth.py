"""A client on httpx2 that fetches its token in an Auth flow, and reads answers by patterns."""

from __future__ import annotations

import base64
import json
import re
import ssl
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote, urlencode

import httpx2

if TYPE_CHECKING:
    from aepmock import ClientSettings, NewConnection

Read = TypeVar("Read")
VISIBLE = re.compile(r"[!-~](?:[ -~]*[!-~])?")
EARLY_S = 30.0
SHORT_OF_NEWS = 400


class FlowServiceError(Exception):
    """What the service said, or how it failed to: `status_code`, `code`, and a text."""

    def __init__(self, text: str, status_code: int | None = None, code: str | None = None) -> None:
        super().__init__(" ".join(filter(None, [str(status_code or ""), code, text])))
        self.status_code = status_code
        self.code = code


class ServerToServer(httpx2.Auth):
    """Fetches a token when there is none, or none that lasts, and puts it on every request."""

    requires_response_body = True

    def __init__(self, settings: ClientSettings) -> None:
        self._url = settings.ims_token_url
        self._form = {
            "grant_type": "client_credentials",
            "client_id": settings.client_id,
            "client_secret": settings.client_secret,
            "scope": settings.scopes,
        }
        self._token = ""
        self._good_until = 0.0

    def auth_flow(
        self, request: httpx2.Request
    ) -> Generator[httpx2.Request, httpx2.Response, None]:
        if time.monotonic() >= self._good_until:
            yield from self._fetch()
        request.headers["Authorization"] = f"Bearer {self._token}"
        response = yield request
        if response.status_code == 401 and code_of(json_in(response)) == "401013":
            yield from self._fetch()
            request.headers["Authorization"] = f"Bearer {self._token}"
            yield request

    def _fetch(self) -> Generator[httpx2.Request, httpx2.Response, None]:
        asked = time.monotonic()
        response = yield httpx2.Request("POST", self._url, data=self._form)
        match response.status_code, json_in(response):
            case 200, {"access_token": str(token), "expires_in": int() | float() as life_s} if (
                token
            ):
                self._token = token
                self._good_until = asked + max(life_s - EARLY_S, life_s / 2)
            case status, {"error": str(error)}:
                raise FlowServiceError("IMS gave no token", status, error)
            case status, _:
                raise FlowServiceError("IMS gave no token", status)


class FlowService:
    """Connections of one sandbox."""

    def __init__(self, settings: ClientSettings) -> None:
        self._base = httpx2.URL(settings.base_url.rstrip("/"))
        fields = {
            "Accept": "application/json",
            "x-api-key": settings.api_key,
            "x-gw-ims-org-id": settings.ims_org_id,
            "x-sandbox-name": settings.sandbox_name,
        }
        self._http = httpx2.Client(
            auth=ServerToServer(settings),
            headers={name: sendable(name, value) for name, value in fields.items()},
            timeout=settings.timeout_s,
            verify=ssl.create_default_context(cafile=settings.ca_file),
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            trust_env=False,
        )

    def create_connection(self, connection: NewConnection) -> dict[str, Any]:
        auth = {"specName": connection.auth_spec_name, "params": connection.auth_params}
        version = connection.connection_spec_version
        body = {
            "name": connection.name,
            **({} if connection.description is None else {"description": connection.description}),
            "connectionSpec": {
                "id": connection.connection_spec_id,
                **({} if version is None else {"version": version}),
            },
            **({} if connection.auth_spec_name is None else {"auth": auth}),
        }
        return self._send("POST", self._url(), made, body)

    def get_connection(self, connection_id: str) -> dict[str, Any]:
        def one(document: Any) -> dict[str, Any]:
            match document:
                case {"items": [{"id": str()} as item]}:
                    return dict(item)
            raise ValueError("not one connection")

        return self._send("GET", self._url(connection_id), one)

    def list_connections(
        self, *, limit: int | None = None, property: Sequence[str] = (), orderby: str | None = None
    ) -> Iterator[dict[str, Any]]:
        query: list[tuple[str, object]] = [("property", condition) for condition in property]
        query += [(n, v) for n, v in (("orderby", orderby), ("limit", limit)) if v is not None]
        url: httpx2.URL | None = self._url(query=query)
        met: set[object] = set()
        stale: list[httpx2.URL] = []
        while url is not None:
            items, href = self._send("GET", url, page)
            new = {str(item.get("id")) for item in items} - met
            stale = [] if new else [*stale, url]
            met |= new
            yield from items
            url = None if href is None else self._following(href)
            if url in stale or len(stale) > SHORT_OF_NEWS:
                raise FlowServiceError("the pages of the list have no end", 200)

    def count_connections(self, *, property: Sequence[str] = ()) -> int:
        query: list[tuple[str, object]] = [("property", condition) for condition in property]
        url = self._url(query=[*query, ("count", "true")])
        count: int = self._send("GET", url, lambda document: member(document, "count", int))
        return count

    def update_connection(
        self, connection_id: str, etag: str, operations: Sequence[Mapping[str, Any]]
    ) -> dict[str, Any]:
        fields = {"If-Match": sendable("If-Match", etag)}
        return self._send("PATCH", self._url(connection_id), made, list(operations), fields)

    def delete_connection(self, connection_id: str) -> None:
        self._send("DELETE", self._url(connection_id), lambda _: None)

    def test_connection(self, connection_id: str) -> bool:
        url = self._url(connection_id, "/test")
        result: bool = self._send("GET", url, lambda document: member(document, "result", bool))
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
        def content(document: Any) -> Any:
            if isinstance(document, dict | list):
                return document
            raise ValueError("neither object nor array")

        query = {"objectType": object_type, "object": object, "fileType": file_type}
        if preview is not None:
            query["preview"] = str(preview).lower()
        if source_params is not None:
            query["sourceParams"] = base64.b64encode(encoded(source_params)).decode("ascii")
        given = [(name, value) for name, value in query.items() if value is not None]
        return self._send("GET", self._url(connection_id, "/explore", given), content)

    def close(self) -> None:
        self._http.close()

    def _url(
        self,
        connection_id: str | None = None,
        tail: str = "",
        query: Sequence[tuple[str, object]] = (),
    ) -> httpx2.URL:
        path = "/connections"
        if connection_id is not None:
            if connection_id == "":
                raise ValueError("the id of a connection is never empty")
            # A segment of one or two dots would vanish on its way.
            dots = connection_id in {".", ".."}
            path += "/" + ("%2E" * len(connection_id) if dots else quote(connection_id, safe=""))
        pairs = urlencode(query, quote_via=quote, safe="")
        return httpx2.URL(f"{self._base}{path}{tail}" + (f"?{pairs}" if pairs else ""))

    def _following(self, href: str) -> httpx2.URL:
        try:
            target = httpx2.URL(href)
            if target.is_relative_url and not target.host:
                return httpx2.URL(f"{self._base}/{href.lstrip('/')}")
        except httpx2.InvalidURL:
            target = httpx2.URL("")
        base = self._base
        if (target.scheme, target.netloc, target.userinfo) == (base.scheme, base.netloc, b""):
            return target
        raise FlowServiceError("the next link leads away from the service", 200)

    def _send(
        self,
        method: str,
        url: httpx2.URL,
        read: Callable[[Any], Read],
        body: object = None,
        fields: Mapping[str, str] | None = None,
    ) -> Read:
        headers = dict(fields or {})
        if body is not None:
            headers["Content-Type"] = "application/json"
        content = None if body is None else encoded(body)
        status = None
        try:
            with self._http.stream(method, url, content=content, headers=headers) as response:
                status = response.status_code
                response.read()
        except httpx2.HTTPError as error:
            raise FlowServiceError(type(error).__name__, status) from error
        if not response.is_success:
            code = code_of(json_in(response))
            raise FlowServiceError(f"{method} was refused", status, code)
        try:
            return read(json.loads(response.content) if response.content else None)
        except (ValueError, RecursionError):
            # Without the cause: a JSONDecodeError holds the whole answer.
            raise FlowServiceError("the answer can't be read", status) from None


def client(settings: ClientSettings) -> FlowService:
    return FlowService(settings)


def sendable(name: str, value: str) -> str:
    if VISIBLE.fullmatch(value) is None:
        raise ValueError(f"no header can carry this {name}")
    return value


def encoded(value: object) -> bytes:
    return json.dumps(value, allow_nan=False, ensure_ascii=False, default=dict).encode()


def json_in(response: httpx2.Response) -> Any:
    try:
        return json.loads(response.content)
    except (ValueError, RecursionError):
        return None


def code_of(problem: Any) -> str | None:
    match problem:
        case {"error_code": str() | int() as code}:
            return str(code)
        case {"type": str(uri)} if "/errors/" in uri:
            return uri.split("/errors/")[-1]
    return None


def member(document: Any, name: str, kind: type) -> Any:
    if isinstance(document, dict) and type(document.get(name)) is kind:
        return document[name]
    raise ValueError(f"no {name}")


def made(document: Any) -> dict[str, Any]:
    match document:
        case {"id": str(identity), **rest} if identity and isinstance(rest.get("etag"), str | None):
            return {"id": identity, "etag": rest.get("etag")}
    raise ValueError("neither id nor etag")


def page(document: Any) -> tuple[list[dict[str, Any]], str | None]:
    items = member(document, "items", list)
    if any(not isinstance(item, dict) for item in items):
        raise ValueError("items that are no objects")
    match document.get("_links"):
        case None | {"next": None | {"href": None}}:
            return items, None
        case {"next": {"href": str(href)}} if href:
            return items, href
        case dict() as links if "next" not in links:
            return items, None
    raise ValueError("links that lead nowhere")
