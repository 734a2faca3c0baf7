"""A typed asyncio client of Flow Service connections on httpx, whose list is an async generator."""

from __future__ import annotations

import base64
import contextlib
import json
import re
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, urlencode

import httpx

if TYPE_CHECKING:
    from aepmock import ClientSettings, NewConnection

JsonObject = dict[str, Any]
Query = Sequence[tuple[str, str]]

FIELD_VALUE = re.compile(r"[!-~]([\t -~]*[!-~])?")
MAX_IDLE_PAGES = 1000


class FlowServiceError(Exception):
    """An error answer, an unreadable one (its `status`), or none at all (`status` is None)."""

    def __init__(self, message: str, status: int | None = None, code: str | None = None) -> None:
        super().__init__(" ".join(str(part) for part in (status, code, message) if part))
        self.status = status
        self.code = code


class Answer(NamedTuple):
    """A 2xx answer; `body` is None where it is empty."""

    status: int
    body: Any

    def as_object(self) -> JsonObject:
        if not isinstance(self.body, dict):
            raise self.unreadable("the answer is not a JSON object")
        return self.body

    def field(self, name: str, kind: type) -> Any:
        value = self.as_object().get(name)
        if type(value) is not kind:
            raise self.unreadable(f"the answer has no proper {name!r}")
        return value

    def reference(self) -> JsonObject:
        if not self.field("id", str):
            raise self.unreadable("the answer has an empty id")
        if not isinstance(self.as_object().get("etag"), str | None):
            raise self.unreadable("the answer's etag is not a string")
        return self.as_object()

    def items(self) -> list[JsonObject]:
        items: list[JsonObject] = self.field("items", list)
        if not all(isinstance(item, dict) for item in items):
            raise self.unreadable("the answer's items are not all objects")
        return items

    def unreadable(self, why: str) -> FlowServiceError:
        return FlowServiceError(why, self.status)


class AsyncFlowService:
    """Connections of one sandbox; every method may raise FlowServiceError or ValueError."""

    def __init__(self, settings: ClientSettings) -> None:
        self._settings = settings
        self._base_url = settings.base_url.rstrip("/")
        ca_file = settings.ca_file
        self._http = httpx.AsyncClient(
            timeout=settings.timeout_s,
            verify=ssl.create_default_context(cafile=ca_file) if ca_file else True,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            follow_redirects=False,
            trust_env=False,
        )

    async def create_connection(self, connection: NewConnection) -> Mapping[str, Any]:
        spec = {"id": connection.connection_spec_id}
        if connection.connection_spec_version is not None:
            spec["version"] = connection.connection_spec_version
        body: JsonObject = {"name": connection.name, "connectionSpec": spec}
        if connection.description is not None:
            body["description"] = connection.description
        if connection.auth_spec_name is not None:
            params = connection.auth_params
            body["auth"] = {"specName": connection.auth_spec_name, "params": params}
        answer = await self._send("POST", self._url(), body)
        return answer.reference()

    async def get_connection(self, connection_id: str) -> Mapping[str, Any]:
        answer = await self._send("GET", self._url(connection_id))
        match answer.items():
            case [{"id": str()} as only]:
                return only
        raise answer.unreadable("the answer does not hold exactly one connection")

    async def list_connections(
        self, *, limit: int | None = None, property: Sequence[str] = (), orderby: str | None = None
    ) -> AsyncIterator[Mapping[str, Any]]:
        query = [("property", condition) for condition in property]
        query += [] if limit is None else [("limit", str(limit))]
        query += [] if orderby is None else [("orderby", orderby)]
        url: str | None = self._url(query=query)
        seen: set[str] = set()
        followed: set[str] = set()
        while url is not None:
            answer = await self._send("GET", url)
            items = answer.items()
            for item in items:
                yield item
            # The same link again is fine as long as it brings connections not met before.
            if not seen.issuperset(str(item.get("id")) for item in items):
                seen.update(str(item.get("id")) for item in items)
                followed.clear()
            url = self._next_url(answer)
            if url in followed or len(followed) > MAX_IDLE_PAGES:
                raise answer.unreadable("the links of the list lead nowhere new")
            if url is not None:
                followed.add(url)

    async def count_connections(self, *, property: Sequence[str] = ()) -> int:
        query = [("count", "true"), *(("property", condition) for condition in property)]
        answer = await self._send("GET", self._url(query=query))
        count: int = answer.field("count", int)
        return count

    async def update_connection(
        self, connection_id: str, etag: str, operations: Sequence[Mapping[str, Any]]
    ) -> Mapping[str, Any]:
        answer = await self._send("PATCH", self._url(connection_id), list(operations), etag)
        return answer.reference()

    async def delete_connection(self, connection_id: str) -> None:
        await self._send("DELETE", self._url(connection_id))

    async def test_connection(self, connection_id: str) -> bool:
        answer = await self._send("GET", self._url(connection_id, "/test"))
        result: bool = answer.field("result", bool)
        return result

    async def explore_connection(
        self,
        connection_id: str,
        *,
        object_type: str,
        object: str | None = None,
        file_type: str | None = None,
        preview: bool | None = None,
        source_params: Mapping[str, Any] | None = None,
    ) -> Any:
        query = [("objectType", object_type)]
        if object is not None:
            query.append(("object", object))
        if file_type is not None:
            query.append(("fileType", file_type))
        if preview is not None:
            query.append(("preview", "true" if preview else "false"))
        if source_params is not None:
            query.append(("sourceParams", base64.b64encode(_to_json(source_params)).decode()))
        answer = await self._send("GET", self._url(connection_id, "/explore", query))
        if not isinstance(answer.body, dict | list):
            raise answer.unreadable("the answer is neither an object nor an array")
        return answer.body

    async def close(self) -> None:
        await self._http.aclose()

    def _url(self, connection_id: str | None = None, tail: str = "", query: Query = ()) -> str:
        url = f"{self._base_url}/connections"
        if connection_id is not None:
            url += f"/{_segment(connection_id)}{tail}"
        return f"{url}?{urlencode(query, quote_via=quote, safe='')}" if query else url

    def _next_url(self, answer: Answer) -> str | None:
        match answer.as_object().get("_links"):
            case None | {"next": None | {"href": None}}:
                return None
            case {"next": {"href": str(href)}} if href:
                return self._resolve(href, answer)
            case {"next": following} if following != {}:
                raise answer.unreadable("the answer's next link has no href")
            case dict():
                return None
        raise answer.unreadable("the answer's _links are not an object")

    def _resolve(self, href: str, answer: Answer) -> str:
        base = httpx.URL(self._url())
        relative = href.startswith("/") and not href.startswith("//")
        with contextlib.suppress(httpx.InvalidURL):
            url = httpx.URL(self._base_url + href) if relative else base.join(href)
            same = (url.scheme, url.host, url.port) == (base.scheme, base.host, base.port)
            # httpx would turn a user name in a URL into a Basic Authorization header.
            if same and not url.userinfo:
                return str(url)
        raise answer.unreadable("the next link leads to another origin")

    async def _send(
        self, method: str, url: str, body: object = None, if_match: str | None = None
    ) -> Answer:
        fields = {
            "Accept": "application/json",
            "Authorization": f"Bearer {self._settings.access_token}",
            "x-api-key": self._settings.api_key,
            "x-gw-ims-org-id": self._settings.ims_org_id,
            "x-sandbox-name": self._settings.sandbox_name,
        }
        if if_match is not None:
            fields["If-Match"] = if_match
        for name, value in fields.items():
            if not FIELD_VALUE.fullmatch(value):
                raise ValueError(f"the value given for {name} cannot be sent in a header")
        content = None
        if body is not None:
            fields["Content-Type"] = "application/json"
            content = _to_json(body)
        request = self._http.build_request(method, url, headers=fields, content=content)
        status, raw = await self._exchange(request)

        readable, parsed = _from_json(raw)
        if not 200 <= status < 300:
            raise FlowServiceError(_title(parsed), status, _code(parsed))
        if not readable and raw:
            raise FlowServiceError("the answer is not JSON", status)
        return Answer(status, parsed)

    async def _exchange(self, request: httpx.Request) -> tuple[int, bytes]:
        try:
            response = await self._http.send(request, stream=True)
        except httpx.HTTPError as error:
            raise FlowServiceError(f"no answer arrived: {type(error).__name__}") from error
        # Read apart from the headers, so that an answer that breaks off still has its status.
        try:
            return response.status_code, await response.aread()
        except httpx.HTTPError as error:
            why = f"the answer broke off: {type(error).__name__}"
            raise FlowServiceError(why, response.status_code) from error
        finally:
            await response.aclose()


def client(settings: ClientSettings) -> AsyncFlowService:
    return AsyncFlowService(settings)


def _segment(connection_id: str) -> str:
    if not connection_id:
        raise ValueError("a connection id cannot be empty")
    # quote() keeps dots, and "." and ".." would vanish from the path on their way.
    dots = connection_id in {".", ".."}
    return connection_id.replace(".", "%2E") if dots else quote(connection_id, safe="")


def _to_json(value: object) -> bytes:
    return json.dumps(value, allow_nan=False, ensure_ascii=False, default=dict).encode()


def _from_json(raw: bytes) -> tuple[bool, Any]:
    # Reported by value, not by exception: a JSONDecodeError carries the whole body along.
    try:
        return True, json.loads(raw)
    except (ValueError, RecursionError):
        return False, None


def _code(body: object) -> str | None:
    match body:
        case {"error_code": str() | int() as code}:
            return str(code)
        case {"type": str(uri)} if "/errors/" in uri:
            return uri.rpartition("/")[2]
    return None


def _title(body: object) -> str:
    # Only the fixed title: the message may quote what a provider was sent, credentials included.
    match body:
        case {"title": str(title)}:
            return title
    return "the request was refused"
