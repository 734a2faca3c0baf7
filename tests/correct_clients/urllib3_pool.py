"""A client on urllib3 alone: one pool, module-level functions that read, errors by kind."""

from __future__ import annotations

import base64
import json
import string
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote, urlsplit

import urllib3

if TYPE_CHECKING:
    from aepmock import ClientSettings, NewConnection

Read = TypeVar("Read")
PRINTABLE = frozenset(string.printable) - frozenset("\t\n\r\v\f")
MAX_FRUITLESS = 300


class FlowError(Exception):
    """Base of what goes wrong: `status` and `code` as the service gave them, else None."""

    def __init__(self, why: str, status: int | None = None, code: str | None = None) -> None:
        self.status, self.code = status, code
        super().__init__(f"{why} (status {status}, code {code})")


class NoAnswer(FlowError):
    """Nothing came back in time."""


class Refused(FlowError):
    """The service, or something before it, said no."""


class Unreadable(FlowError):
    """The service said yes, in words that can't be understood."""


class Pool:
    """The wire: one origin, fixed headers, no repeats and no redirects of urllib3's own."""

    def __init__(self, settings: ClientSettings) -> None:
        headers = {
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
            "Authorization": f"Bearer {settings.access_token}",
            "x-api-key": settings.api_key,
            "x-gw-ims-org-id": settings.ims_org_id,
            "x-sandbox-name": settings.sandbox_name,
        }
        self._headers = {name: checked(name, value) for name, value in headers.items()}
        self._manager = urllib3.PoolManager(
            timeout=urllib3.Timeout(connect=settings.timeout_s, read=settings.timeout_s),
            retries=False,
            ca_certs=settings.ca_file,
        )

    def ask(
        self,
        method: str,
        url: str,
        read: Callable[[Any], Read],
        *,
        body: object = None,
        if_match: str | None = None,
    ) -> Read:
        """What `read` makes of a success; it raises ValueError for what it does not take."""
        headers = dict(self._headers)
        if if_match is not None:
            headers["If-Match"] = checked("If-Match", if_match)
        data = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            data = json.dumps(body, allow_nan=False, default=dict).encode()
        status: int | None = None
        try:
            response = self._manager.request(
                method, url, body=data, headers=headers, redirect=False, preload_content=False
            )
            try:
                status = response.status
                content = response.read(decode_content=True)
            finally:
                response.close()
        except urllib3.exceptions.HTTPError as error:
            kind = NoAnswer if status is None else Refused if status >= 300 else Unreadable
            raise kind(f"{method}: {type(error).__name__}", status) from error
        if not 200 <= status < 300:
            raise Refused(f"{method} was refused", status, code_in(content))
        try:
            return read(json.loads(content) if content else None)
        except (ValueError, RecursionError) as error:
            # Never the parser's own words: they may quote the answer.
            raise Unreadable(f"{method}: {type(error).__name__}", status) from None

    def close(self) -> None:
        self._manager.clear()


class Client:
    """Connections of a sandbox."""

    def __init__(self, settings: ClientSettings) -> None:
        self._base = settings.base_url.rstrip("/")
        self._pool = Pool(settings)

    def create_connection(self, connection: NewConnection) -> dict[str, Any]:
        spec = {"id": connection.connection_spec_id}
        body: dict[str, Any] = {"name": connection.name, "connectionSpec": spec}
        for present, target, key in (
            (connection.description, body, "description"),
            (connection.connection_spec_version, spec, "version"),
        ):
            if present is not None:
                target[key] = present
        if connection.auth_spec_name is not None:
            auth = {"specName": connection.auth_spec_name, "params": connection.auth_params}
            body["auth"] = auth
        return self._pool.ask("POST", self._url(), reference, body=body)

    def get_connection(self, connection_id: str) -> dict[str, Any]:
        return self._pool.ask("GET", self._url(connection_id), only_item)

    def list_connections(
        self, *, limit: int | None = None, property: Sequence[str] = (), orderby: str | None = None
    ) -> Iterable[dict[str, Any]]:
        query = [("property", one) for one in property]
        query += [("limit", str(limit))] if limit is not None else []
        query += [("orderby", orderby)] if orderby is not None else []
        return self._pages(self._url(query=query))

    def _pages(self, url: str | None) -> Iterable[dict[str, Any]]:
        met: set[object] = set()
        fruitless: set[str] = set()
        while url:
            if url in fruitless or len(fruitless) > MAX_FRUITLESS:
                raise Unreadable("the pages of the list lead in a circle", 200)
            items, link = self._pool.ask("GET", url, page)
            ids = {str(item.get("id")) for item in items}
            fruitless = {*fruitless, url} if ids <= met else set()
            met |= ids
            yield from items
            url = link and self._followed(link)

    def _followed(self, link: str) -> str:
        """Where a next link leads; those of the service begin behind the base path."""
        try:
            target, base = urlsplit(link), urlsplit(self._base)
            inside = not target.scheme and not target.netloc
            same = (target.scheme, target.netloc) == (base.scheme, base.netloc)
        except ValueError:
            inside = same = False
        if not inside and not same:
            raise Unreadable("the next link leads elsewhere", 200)
        path = link if same else f"{self._base}/{link.lstrip('/')}"
        return quote(path.partition("#")[0], safe=":/?@!$&'()*+,;=%[]")

    def count_connections(self, *, property: Sequence[str] = ()) -> int:
        query = [("count", "true"), *(("property", one) for one in property)]
        url = self._url(query=query)
        count: int = self._pool.ask("GET", url, lambda got: member(got, "count", int))
        return count

    def update_connection(
        self, connection_id: str, etag: str, operations: Sequence[Mapping[str, Any]]
    ) -> dict[str, Any]:
        url = self._url(connection_id)
        return self._pool.ask("PATCH", url, reference, body=[*operations], if_match=etag)

    def delete_connection(self, connection_id: str) -> None:
        self._pool.ask("DELETE", self._url(connection_id), lambda _: None)

    def test_connection(self, connection_id: str) -> bool:
        url = self._url(connection_id, "/test")
        result: bool = self._pool.ask("GET", url, lambda got: member(got, "result", bool))
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
            text = json.dumps(source_params, allow_nan=False, default=dict)
            params = base64.b64encode(text.encode()).decode()
        given = {
            "objectType": object_type,
            "object": object,
            "fileType": file_type,
            "preview": None if preview is None else json.dumps(preview),
            "sourceParams": params,
        }
        query = [(name, value) for name, value in given.items() if value is not None]
        return self._pool.ask("GET", self._url(connection_id, "/explore", query), document)

    def close(self) -> None:
        self._pool.close()

    def _url(
        self,
        connection_id: str | None = None,
        tail: str = "",
        query: Sequence[tuple[str, str]] = (),
    ) -> str:
        url = f"{self._base}/connections"
        if connection_id is not None:
            url += f"/{segment(connection_id)}{tail}"
        # urllib3 leaves percent-encoding as it is, once everything odd is encoded.
        pairs = "&".join(f"{name}={quote(value, safe='')}" for name, value in query)
        return f"{url}?{pairs}" if pairs else url


client = Client


def segment(connection_id: str) -> str:
    if not connection_id:
        raise ValueError("a connection id can't be empty")
    if connection_id in (".", ".."):
        # urllib3 resolves these two, encoded or not; no connection is called so.
        raise ValueError(f"{connection_id!r} is no connection id")
    return quote(connection_id, safe="")


def checked(name: str, value: str) -> str:
    if not value or value != value.strip() or not PRINTABLE.issuperset(value):
        raise ValueError(f"the value of {name} can't be sent as it is")
    return value


def member(got: Any, name: str, *kinds: type) -> Any:
    if not isinstance(got, dict) or type(got.get(name)) not in kinds:
        raise ValueError(name)
    return got[name]


def reference(got: Any) -> dict[str, Any]:
    if not member(got, "id", str) or not isinstance(got.get("etag"), str | None):
        raise ValueError("id or etag")
    return {"id": got["id"], "etag": got.get("etag")}


def items_of(got: Any) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = member(got, "items", list)
    if any(not isinstance(item, dict) for item in items):
        raise ValueError("items")
    return items


def only_item(got: Any) -> dict[str, Any]:
    (item,) = items_of(got)
    member(item, "id", str)
    return item


def page(got: Any) -> tuple[list[dict[str, Any]], str | None]:
    """The items of a page, and the next link where there is one."""
    links = got.get("_links") if isinstance(got, dict) else None
    following = member(got, "_links", dict).get("next") if links is not None else None
    if following is None:
        return items_of(got), None
    href = member(following, "href", str, type(None)) if following else ""
    if href == "":
        raise ValueError("href")
    return items_of(got), href


def document(got: Any) -> Any:
    if not isinstance(got, dict | list):
        raise ValueError("a document")
    return got


def code_in(content: bytes) -> str | None:
    try:
        problem = json.loads(content)
    except (ValueError, RecursionError):
        return None
    if not isinstance(problem, dict):
        return None
    _, slash, code = str(problem.get("type")).rpartition("/errors/")
    found = problem.get("error_code") or (slash and code)
    return str(found) if found else None
