"""An asyncio client on aiohttp: a session made at the first call, lists read whole at once."""

from __future__ import annotations

import base64
import json
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote

import aiohttp
from yarl import URL

if TYPE_CHECKING:
    from aepmock import ClientSettings, NewConnection

Document = dict[str, Any]
IDLE_PAGES = 250


class ServiceError(Exception):
    """`status` is None where nothing was answered; the text has status and code."""

    def __init__(self, text: str, status: int | None = None, code: str = "") -> None:
        super().__init__(": ".join(str(part) for part in (status, code, text) if part))
        self.status = status
        self.code = code or None


@dataclass(frozen=True)
class Success:
    """A 2xx answer, and how to get out of it what it has to hold."""

    status: int
    json: Any

    def unless(self, fine: bool, why: str) -> None:
        if not fine:
            raise ServiceError(f"the answer has no {why}", self.status)

    def value(self, key: str, *, of: type) -> Any:
        held = self.json.get(key) if isinstance(self.json, dict) else None
        self.unless(type(held) is of, f"{of.__name__} {key}")
        return held

    @property
    def items(self) -> list[Document]:
        items: list[Document] = self.value("items", of=list)
        self.unless(all(isinstance(item, dict) for item in items), "objects among its items")
        return items

    @property
    def id_and_etag(self) -> Document:
        identity = self.value("id", of=str)
        etag = self.json.get("etag")
        self.unless(identity != "" and isinstance(etag, str | None), "usable id and etag")
        return {"id": identity, "etag": etag}

    def next_href(self) -> str | None:
        links = self.json.get("_links")
        self.unless(links is None or isinstance(links, dict), "usable links")
        following = (links or {}).get("next")
        if following is None:
            return None
        self.unless(isinstance(following, dict) and "href" in following, "usable next link")
        href: str | None = following["href"]
        self.unless(href is None or (isinstance(href, str) and href != ""), "usable next link")
        return href


class FlowService:
    """The connections of one sandbox. May be used as an async context, or closed by hand."""

    def __init__(self, settings: ClientSettings) -> None:
        self._settings = settings
        self._base = settings.base_url.rstrip("/")
        self._session: aiohttp.ClientSession | None = None
        self._headers = {
            "Authorization": f"Bearer {settings.access_token}",
            "x-api-key": settings.api_key,
            "x-gw-ims-org-id": settings.ims_org_id,
            "x-sandbox-name": settings.sandbox_name,
        }
        for name, value in self._headers.items():
            _check(name, value)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def create_connection(self, connection: NewConnection) -> Document:
        body: Document = {
            "name": connection.name,
            "description": connection.description,
            "connectionSpec": _present(
                id=connection.connection_spec_id, version=connection.connection_spec_version
            ),
        }
        if connection.auth_spec_name is not None:
            params = dict(connection.auth_params)
            body["auth"] = {"specName": connection.auth_spec_name, "params": params}
        return (await self._ask("POST", self._url(), body=_present(**body))).id_and_etag

    async def get_connection(self, connection_id: str) -> Document:
        answer = await self._ask("GET", self._url(connection_id))
        answer.unless(len(answer.items) == 1, "single item")
        item = answer.items[0]
        answer.unless(isinstance(item.get("id"), str), "item with an id")
        return item

    async def list_connections(
        self, *, limit: int | None = None, property: Sequence[str] = (), orderby: str | None = None
    ) -> list[Document]:
        query = [("property", one) for one in property]
        query += list(_present(limit=limit, orderby=orderby).items())
        found: list[Document] = []
        known: set[str] = set()
        visited: dict[URL, int] = {}
        idle = 0
        url: URL | None = self._url(query=query)
        while url is not None:
            answer = await self._ask("GET", url)
            # The same link may come again for as long as it brings something new.
            answer.unless(visited.get(url) != len(known) and idle < IDLE_PAGES, "end to its pages")
            visited[url] = len(known)
            before = len(known)
            found += answer.items
            known |= {str(item.get("id")) for item in answer.items}
            idle = 0 if len(known) > before else idle + 1
            href = answer.next_href()
            url = None if href is None else self._follow(href, answer)
        return found

    async def count_connections(self, *, property: Sequence[str] = ()) -> int:
        query = [("count", "true"), *(("property", one) for one in property)]
        count: int = (await self._ask("GET", self._url(query=query))).value("count", of=int)
        return count

    async def update_connection(
        self, connection_id: str, etag: str, operations: Sequence[Mapping[str, Any]]
    ) -> Document:
        _check("If-Match", etag)
        url = self._url(connection_id)
        answer = await self._ask("PATCH", url, body=list(operations), **{"If-Match": etag})
        return answer.id_and_etag

    async def delete_connection(self, connection_id: str) -> None:
        await self._ask("DELETE", self._url(connection_id))

    async def test_connection(self, connection_id: str) -> bool:
        answer = await self._ask("GET", self._url(connection_id, "/test"))
        result: bool = answer.value("result", of=bool)
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
        query = _present(
            objectType=object_type,
            object=object,
            fileType=file_type,
            preview={None: None, True: "true", False: "false"}[preview],
            sourceParams=None if source_params is None else base64.b64encode(_dump(source_params)),
        )
        url = self._url(connection_id, "/explore", list(query.items()))
        answer = await self._ask("GET", url)
        answer.unless(isinstance(answer.json, dict | list), "document")
        return answer.json

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    def _url(
        self,
        connection_id: str | None = None,
        tail: str = "",
        query: Sequence[tuple[str, Any]] = (),
    ) -> URL:
        text = f"{self._base}/connections"
        if connection_id is not None:
            if not connection_id:
                raise ValueError("an empty id names no connection")
            part = quote(connection_id, safe="")
            text += "/" + (part.replace(".", "%2E") if part.strip(".") == "" else part) + tail
        pairs = "&".join(
            f"{name}={quote(value if isinstance(value, bytes) else str(value), safe='')}"
            for name, value in query
        )
        # Already encoded: aiohttp would decode what needs no encoding, "%2E%2E" included.
        return URL(f"{text}?{pairs}" if pairs else text, encoded=True)

    def _follow(self, href: str, answer: Success) -> URL:
        try:
            target, base = URL(href), URL(self._base)
        except ValueError:
            target = base = URL()
        inside = not target.absolute and not href.startswith("//")
        same = target.absolute and target.origin() == base.origin() and not target.user
        answer.unless(bool(href) and base.absolute and (inside or same), "next link to follow")
        whole = href if same else f"{self._base}/{href.lstrip('/')}"
        return URL(quote(whole.partition("#")[0], safe=":/?@!$&'()*+,;=%"), encoded=True)

    async def _ask(self, method: str, url: URL, *, body: Any = None, **headers: str) -> Success:
        fields = {**self._headers, **headers}
        if body is not None:
            fields["Content-Type"] = "application/json"
        data = None if body is None else _dump(body)
        status: int | None = None
        try:
            async with self._opened().request(
                method, url, data=data, headers=fields, allow_redirects=False
            ) as response:
                status = response.status
                content = await response.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ServiceError(type(error).__name__, status) from error
        parsed, readable = _parse(content)
        if not 200 <= status < 300:
            raise ServiceError("the request was refused", status, _code(parsed))
        if not readable:
            raise ServiceError("the answer is no JSON", status)
        return Success(status, parsed)

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            ca_file = self._settings.ca_file
            trust = ssl.create_default_context(cafile=ca_file) if ca_file else True
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(ssl=trust),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(
                    sock_connect=self._settings.timeout_s, sock_read=self._settings.timeout_s
                ),
            )
        return self._session


def client(settings: ClientSettings) -> FlowService:
    return FlowService(settings)


def _check(name: str, value: str) -> None:
    if not value or value.strip() != value or not (value.isascii() and value.isprintable()):
        raise ValueError(f"{name} can't be sent with this value")


def _present(**fields: Any) -> Document:
    return {name: value for name, value in fields.items() if value is not None}


def _dump(value: object) -> bytes:
    return json.dumps(value, allow_nan=False, ensure_ascii=False, default=dict).encode()


def _parse(content: bytes) -> tuple[Any, bool]:
    try:
        return (json.loads(content) if content else None), True
    except (ValueError, RecursionError):
        return None, False


def _code(problem: Any) -> str:
    if not isinstance(problem, dict):
        return ""
    if problem.get("error_code"):
        return str(problem["error_code"])
    return str(problem.get("type")).rpartition("/errors/")[2] if "type" in problem else ""
