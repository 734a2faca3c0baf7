"""A synchronous httpx client that repeats GETs, pages through an object, and raises plain texts."""

from __future__ import annotations

import base64
import email.utils
import json
import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx

if TYPE_CHECKING:
    from aepmock import ClientSettings, NewConnection

Query = list[tuple[str, str | int | None]]

WAITS_S = (0.05, 0.1)
WORTH_REPEATING = {429, 502, 503, 504}
MAX_STALE_PAGES = 100


class FlowServiceFailure(Exception):
    """All there is to know is in the text: the status first, then the service's code if any."""


@dataclass(frozen=True)
class Reply:
    """One answer, read to its end; `document` is None where there is no JSON in it."""

    status: int
    headers: httpx.Headers = field(repr=False)
    content: bytes = field(repr=False)
    document: Any = field(repr=False)

    def require(self, holds: bool, what: str) -> None:
        if not holds:
            raise FlowServiceFailure(f"{self.status}: the answer lacks {what}")

    def member(self, name: str, *kinds: type) -> Any:
        self.require(isinstance(self.document, dict), "a JSON object")
        value = self.document.get(name)
        self.require(type(value) in kinds, f"a usable {name}")
        return value

    def objects(self) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self.member("items", list)
        self.require(all(isinstance(item, dict) for item in items), "objects as its items")
        return items

    def reference(self) -> dict[str, Any]:
        self.require(self.member("id", str) != "", "an id that is not empty")
        return {"id": self.document["id"], "etag": self.member("etag", str, type(None))}

    def retry_after_s(self) -> float:
        """The seconds that the service asks to wait; 0 if it asks for none."""
        wanted = self.headers.get("Retry-After", "").strip()
        if wanted.isascii() and wanted.isdecimal():
            return float(wanted)
        try:
            until = email.utils.parsedate_to_datetime(wanted).timestamp()
            # Counted from the service's clock, which need not agree with this machine's.
            sent = self.headers.get("Date")
            now = email.utils.parsedate_to_datetime(sent).timestamp() if sent else time.time()
        except (ValueError, OverflowError):
            return 0.0
        return max(0.0, until - now)


@dataclass(frozen=True)
class Wire:
    """Sends requests, and repeats those that only read."""

    http: httpx.Client = field(repr=False)
    base: httpx.URL
    patience_s: float
    sleep: Callable[[float], None] = field(repr=False)

    def read(self, url: httpx.URL) -> Reply:
        for wait_s in WAITS_S:
            reply = self._once(self.http.build_request("GET", url))
            pause_s = max(wait_s, reply.retry_after_s())
            if reply.status not in WORTH_REPEATING or pause_s > self.patience_s:
                return self._accepted(reply)
            self.sleep(pause_s)
        return self._accepted(self._once(self.http.build_request("GET", url)))

    def write(self, method: str, url: httpx.URL, body: object = None, **headers: str) -> Reply:
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        content = None
        if body is not None:
            fields["content-type"] = "application/json"
            content = json.dumps(body, allow_nan=False, default=dict).encode("ascii")
        request = self.http.build_request(method, url, content=content, headers=fields)
        return self._accepted(self._once(request))

    def _once(self, request: httpx.Request) -> Reply:
        try:
            response = self.http.send(request, stream=True)
        except httpx.TransportError as error:
            raise FlowServiceFailure(f"no answer: {type(error).__name__}") from error
        try:
            content = response.read()
        except httpx.HTTPError as error:
            text = f"{response.status_code}: the answer broke off, {type(error).__name__}"
            raise FlowServiceFailure(text) from error
        finally:
            response.close()
        return Reply(response.status_code, response.headers, content, parsed(content))

    def _accepted(self, reply: Reply) -> Reply:
        if not 200 <= reply.status <= 299:
            raise FlowServiceFailure(described(reply))
        reply.require(not reply.content or reply.document is not None, "JSON")
        return reply


@dataclass(frozen=True)
class ConnectionPager:
    """All connections of a list, each once, read page by page; iterating again starts afresh."""

    wire: Wire
    first: httpx.URL

    def __iter__(self) -> Iterator[dict[str, Any]]:
        met: set[str] = set()
        stale: set[httpx.URL] = set()
        url: httpx.URL | None = self.first
        while url is not None:
            reply = self.wire.read(url)
            stale.add(url)
            for item in reply.objects():
                identity = str(item.get("id", item))
                if identity not in met:
                    met.add(identity)
                    stale.clear()
                elif "id" in item:
                    continue
                yield item
            url = self._after(reply)
            ends = url not in stale and len(stale) <= MAX_STALE_PAGES
            reply.require(ends, "a next link that leads on")

    def _after(self, reply: Reply) -> httpx.URL | None:
        links = reply.member("_links", dict) if reply.document.get("_links") else {}
        following = links.get("next") or {}
        reply.require(isinstance(following, dict), "a usable next link")
        href = following.get("href")
        if href is None:
            return None
        reply.require(isinstance(href, str) and href != "", "a usable next link")
        base = self.wire.base
        try:
            url = httpx.URL(href)
            if not url.scheme and not url.host:
                url = httpx.URL(f"{base}{href}" if href[:1] == "/" else f"{base}/{href}")
        except httpx.InvalidURL:
            url = httpx.URL()
        here = (base.scheme, base.host, base.port, b"")
        same = (url.scheme, url.host, url.port, url.userinfo) == here
        reply.require(same, "a next link within the service")
        return url


@dataclass(frozen=True)
class FlowServiceClient:
    """The operations on connections; a GET that fails for a moment is sent up to three times."""

    wire: Wire

    def create_connection(self, connection: NewConnection) -> Mapping[str, Any]:
        body: dict[str, Any] = {
            "name": connection.name,
            "connectionSpec": {"id": connection.connection_spec_id},
        }
        if connection.connection_spec_version is not None:
            body["connectionSpec"]["version"] = connection.connection_spec_version
        if connection.description is not None:
            body["description"] = connection.description
        if connection.auth_spec_name is not None:
            params = connection.auth_params
            body["auth"] = {"specName": connection.auth_spec_name, "params": params}
        return self.wire.write("POST", self._url(), body).reference()

    def get_connection(self, connection_id: str) -> Mapping[str, Any]:
        reply = self.wire.read(self._url(connection_id))
        found = reply.objects()
        reply.require(len(found) == 1 and isinstance(found[0].get("id"), str), "one connection")
        return found[0]

    def list_connections(
        self, *, limit: int | None = None, property: Sequence[str] = (), orderby: str | None = None
    ) -> ConnectionPager:
        query: Query = [("limit", limit), ("orderby", orderby)]
        query += [("property", one) for one in property]
        return ConnectionPager(self.wire, self._url(query=query))

    def count_connections(self, *, property: Sequence[str] = ()) -> int:
        query: Query = [("count", True), *(("property", one) for one in property)]
        count: int = self.wire.read(self._url(query=query)).member("count", int)
        return count

    def update_connection(
        self, connection_id: str, etag: str, operations: Sequence[Mapping[str, Any]]
    ) -> Mapping[str, Any]:
        match = sendable("if-match", etag)
        url = self._url(connection_id)
        return self.wire.write("PATCH", url, list(operations), if_match=match).reference()

    def delete_connection(self, connection_id: str) -> None:
        self.wire.write("DELETE", self._url(connection_id))

    def test_connection(self, connection_id: str) -> bool:
        result: bool = self.wire.read(self._url(connection_id, "/test")).member("result", bool)
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
        params = None
        if source_params is not None:
            text = json.dumps(source_params, allow_nan=False, separators=(",", ":"), default=dict)
            params = base64.b64encode(text.encode()).decode()
        query: Query = [("objectType", object_type), ("object", object), ("fileType", file_type)]
        query += [("preview", preview), ("sourceParams", params)]
        reply = self.wire.read(self._url(connection_id, "/explore", query))
        reply.require(isinstance(reply.document, dict | list), "an object or an array")
        return reply.document

    def close(self) -> None:
        self.wire.http.close()

    def _url(
        self, connection_id: str | None = None, tail: str = "", query: Query | None = None
    ) -> httpx.URL:
        path = "/connections"
        if connection_id is not None:
            if not connection_id:
                raise ValueError("a connection id is never empty")
            segment = quote(connection_id, safe="")
            if segment in {".", ".."}:
                segment = segment.replace(".", "%2E")
            path += f"/{segment}{tail}"
        given = [(name, value) for name, value in query or () if value is not None]
        return httpx.URL(f"{self.wire.base}{path}", params=given or None)


def client(
    settings: ClientSettings, sleep: Callable[[float], None] = time.sleep
) -> FlowServiceClient:
    """A client of these settings; ValueError if one of them cannot be sent in a header."""
    headers = {
        "Accept": "application/json",
        "Authorization": f"Bearer {settings.access_token}",
        "x-api-key": settings.api_key,
        "x-gw-ims-org-id": settings.ims_org_id,
        "x-sandbox-name": settings.sandbox_name,
    }
    http = httpx.Client(
        headers={name: sendable(name, value) for name, value in headers.items()},
        timeout=settings.timeout_s,
        verify=ssl.create_default_context(cafile=settings.ca_file),
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        trust_env=False,
    )
    base = httpx.URL(settings.base_url.rstrip("/"))
    return FlowServiceClient(Wire(http, base, settings.timeout_s, sleep))


def sendable(name: str, value: str) -> str:
    # Blanks around a value would be lost on the way, and httpx would send any control character.
    if value.strip() != value or not value or any(not "\x20" <= sign <= "\x7e" for sign in value):
        raise ValueError(f"{name} has a value that no header can carry")
    return value


def parsed(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def described(reply: Reply) -> str:
    """For instance "412 FLOW-1404-412: Version not matching"."""
    problem = reply.document if isinstance(reply.document, dict) else {}
    code, uri = problem.get("error_code"), problem.get("type")
    if code is None and isinstance(uri, str) and "/errors/" in uri:
        code = uri[uri.rindex("/") + 1 :]
    # The title only: the message hands on a provider's words, and those may quote a credential.
    title = problem.get("title")
    words = title if isinstance(title, str) else "the service refused"
    return f"{reply.status}{f' {code}' if code else ''}: {words}"
