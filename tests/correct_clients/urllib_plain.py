"""A client on the standard library alone: one http.client connection a call, held by a closure."""

from __future__ import annotations

import base64
import gzip
import http.client
import json
import re
import ssl
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import SplitResult, quote, urlsplit

if TYPE_CHECKING:
    from aepmock import ClientSettings, NewConnection

UNREADABLE = object()
MAX_BARREN_PAGES = 200


class FlowServiceProblem(Exception):
    """The call failed; `status` is None where no answer arrived, the code is in the text."""

    def __init__(self, text: str, status: int | None = None) -> None:
        super().__init__(text)
        self.status = status


class Reply(NamedTuple):
    status: int
    body: Any

    def get(self, key: str, kind: type) -> Any:
        """The member `key` of the answer, which has to be of that kind."""
        found = self.body.get(key) if isinstance(self.body, dict) else None
        if isinstance(found, kind) and (kind is bool or not isinstance(found, bool)):
            return found
        raise self.problem(f"no {kind.__name__} {key} in the answer")

    def problem(self, why: str) -> FlowServiceProblem:
        return FlowServiceProblem(f"{self.status}: {why}", self.status)


Call = Callable[..., Reply]


def client(settings: ClientSettings) -> Connections:
    return Connections(caller(settings), urlsplit(settings.base_url))


def caller(settings: ClientSettings) -> Call:
    """A function that sends one request and returns its 2xx answer.

    The token lives in this closure only, so that no attribute or repr can show it.
    """
    base = urlsplit(settings.base_url)
    own_headers = {
        "Authorization": f"Bearer {settings.access_token}",
        "x-api-key": settings.api_key,
        "x-gw-ims-org-id": settings.ims_org_id,
        "x-sandbox-name": settings.sandbox_name,
    }

    def connect() -> http.client.HTTPConnection:
        host, port = base.hostname or "", base.port
        if base.scheme == "http":
            return http.client.HTTPConnection(host, port, timeout=settings.timeout_s)
        context = ssl.create_default_context(cafile=settings.ca_file)
        return http.client.HTTPSConnection(host, port, timeout=settings.timeout_s, context=context)

    def call(
        method: str,
        target: str,
        body: object = None,
        *,
        if_match: str | None = None,
        compressed: bool = False,
    ) -> Reply:
        headers = {**own_headers, "Accept-Encoding": "gzip" if compressed else "identity"}
        if if_match is not None:
            headers["If-Match"] = if_match
        data = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            data = json.dumps(body, ensure_ascii=False, allow_nan=False, default=dict).encode()
        for name, value in headers.items():
            refuse_unsendable(name, value)

        connection = connect()
        status = None
        try:
            connection.request(method, target, data, headers)
            response = connection.getresponse()
            status = response.status
            raw = response.read()
            encoding = response.getheader("Content-Encoding") or "identity"
        except (OSError, http.client.HTTPException) as error:
            text = f"{status or 'no answer'}: {type(error).__name__}"
            raise FlowServiceProblem(text, status) from error
        finally:
            connection.close()

        reply = Reply(status, decoded(raw, encoding, compressed))
        if not 200 <= status <= 299:
            raise FlowServiceProblem(explained(reply), status)
        if reply.body is UNREADABLE:
            raise reply.problem("the answer cannot be read as JSON")
        return reply

    return call


class Connections:
    """The operations on connections, each a line or two on top of `call`."""

    def __init__(self, call: Call, base: SplitResult) -> None:
        self._call = call
        self._base = base
        self._root = base.path.rstrip("/")

    def create_connection(self, connection: NewConnection) -> Mapping[str, Any]:
        body: dict[str, Any] = {
            "name": connection.name,
            "connectionSpec": {"id": connection.connection_spec_id},
        }
        if connection.description is not None:
            body["description"] = connection.description
        if connection.connection_spec_version is not None:
            body["connectionSpec"]["version"] = connection.connection_spec_version
        if connection.auth_spec_name is not None:
            body["auth"] = {"specName": connection.auth_spec_name}
            body["auth"]["params"] = dict(connection.auth_params)
        return id_and_etag(self._call("POST", self._target(), body))

    def get_connection(self, connection_id: str) -> Mapping[str, Any]:
        reply = self._call("GET", self._target(segment(connection_id)))
        items = reply.get("items", list)
        if len(items) == 1 and isinstance(items[0], dict) and isinstance(items[0].get("id"), str):
            return dict(items[0])
        raise reply.problem("not one connection in items")

    def list_connections(
        self, *, limit: int | None = None, property: Sequence[str] = (), orderby: str | None = None
    ) -> Iterator[Mapping[str, Any]]:
        query = [("property", one) for one in property]
        if orderby is not None:
            query.append(("orderby", orderby))
        if limit is not None:
            query.append(("limit", str(limit)))
        target: str | None = self._target(query=query)
        met: set[str] = set()
        barren: list[str] = []
        while target is not None:
            reply = self._call("GET", target, compressed=True)
            new = False
            for item in reply.get("items", list):
                if not isinstance(item, dict):
                    raise reply.problem("an item is no object")
                new = new or str(item.get("id")) not in met
                met.add(str(item.get("id")))
                yield item
            barren = [] if new else [*barren, target]
            target = self._next_target(reply)
            if target in barren or len(barren) > MAX_BARREN_PAGES:
                raise reply.problem("the links of the list lead nowhere new")

    def count_connections(self, *, property: Sequence[str] = ()) -> int:
        query = [("count", "true"), *(("property", one) for one in property)]
        return int(self._call("GET", self._target(query=query)).get("count", int))

    def update_connection(
        self, connection_id: str, etag: str, operations: Sequence[Mapping[str, Any]]
    ) -> Mapping[str, Any]:
        target = self._target(segment(connection_id), "")
        return id_and_etag(self._call("PATCH", target, list(operations), if_match=etag))

    def delete_connection(self, connection_id: str) -> None:
        self._call("DELETE", self._target(segment(connection_id), ""))

    def test_connection(self, connection_id: str) -> bool:
        reply = self._call("GET", self._target(segment(connection_id), "test"))
        return bool(reply.get("result", bool))

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
        query = [("objectType", object_type)]
        if object is not None:
            query.append(("object", object))
        if file_type is not None:
            query.append(("fileType", file_type))
        if preview is not None:
            query.append(("preview", ("false", "true")[preview]))
        if source_params is not None:
            plain = json.dumps(dict(source_params), allow_nan=False).encode()
            query.append(("sourceParams", base64.b64encode(plain).decode("ascii")))
        target = self._target(segment(connection_id), "explore", query=query)
        reply = self._call("GET", target, compressed=True)
        if isinstance(reply.body, dict | list):
            return reply.body
        raise reply.problem("the answer is neither object nor array")

    def close(self) -> None:
        """Nothing is kept open between calls."""

    def _target(self, *segments: str, query: Iterable[tuple[str, str]] = ()) -> str:
        # A last segment of "" makes the final slash that Adobe's OpenAPI has on PATCH and DELETE.
        path = "/".join([self._root, "connections", *segments])
        pairs = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in query)
        return f"{path}?{pairs}" if pairs else path

    def _next_target(self, reply: Reply) -> str | None:
        bad = reply.problem("the next link cannot be followed")
        href: Any = reply.body
        for key in ("_links", "next", "href"):
            if not isinstance(href, dict):
                raise bad
            href = href.get(key)
            if href is None:
                return None
        if not isinstance(href, str) or not href:
            raise bad
        try:
            link = urlsplit(href)
            elsewhere = origin(link) != origin(self._base) or "@" in link.netloc
        except ValueError:
            raise bad from None
        path = link.path
        if not link.scheme and not link.netloc:
            path = self._root + "/" + link.path.removeprefix("/")
        elif elsewhere:
            raise bad
        return quote(f"{path}?{link.query}" if link.query else path, safe=":/?@!$&'()*+,;=%")


def id_and_etag(reply: Reply) -> Mapping[str, Any]:
    given = {"id": reply.get("id", str)}
    if not given["id"]:
        raise reply.problem("the answer's id is empty")
    if reply.body.get("etag") is not None:
        given["etag"] = reply.get("etag", str)
    return given


def segment(connection_id: str) -> str:
    if connection_id == "":
        raise ValueError("the connection id is empty")
    if connection_id in {".", ".."}:
        return connection_id.replace(".", "%2E")
    return quote(connection_id, safe="")


def refuse_unsendable(name: str, value: str) -> None:
    if re.search(r"^[ \t]|[^\t -~]|[ \t]$|^$", value):
        raise ValueError(f"the value for {name} cannot stand in a header as it is")


def origin(url: SplitResult) -> tuple[str, str | None, int]:
    return url.scheme, url.hostname, url.port or (443 if url.scheme == "https" else 80)


def decoded(raw: bytes, encoding: str, compressed: bool) -> Any:
    """The JSON value in an answer, None for an empty answer, or UNREADABLE."""
    encoding = encoding.strip().lower()
    if encoding != "identity" and not (compressed and encoding == "gzip"):
        return UNREADABLE
    try:
        plain = gzip.decompress(raw) if encoding == "gzip" else raw
        return json.loads(plain) if plain.strip() else None
    except (OSError, EOFError, zlib.error, ValueError, RecursionError):
        return UNREADABLE


def explained(reply: Reply) -> str:
    """Status and code, without the service's own words: those may quote a credential."""
    facts = reply.body if isinstance(reply.body, dict) else {}
    code = facts.get("error_code")
    if code is None:
        code = re.search(r"/errors/([^/]+)$", str(facts.get("type")))
        code = code and code[1]
    return f"{reply.status}: {code or 'an error without a code'}"
