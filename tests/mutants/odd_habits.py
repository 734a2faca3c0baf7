"""Clients that are right and have habits that few others have."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

import httpx

from aepmock.client_api import ClientSettings, NewConnection
from tests.mutants.layers_base import FlowError, LayeredClient
from tests.mutants.registry import correct
from tests.mutants.sdk_base import ApiResponse, SdkClient


@correct()
class a_generated_sdk(SdkClient):
    """The base of the generated SDKs, as it is."""


@correct()
class a_client_of_layers(LayeredClient):
    """The base of the layered clients, as it is."""


@correct()
class drops_what_it_has_given_already(LayeredClient):
    """An item that moved to a later page is given once."""

    def list_connections(
        self, *, limit: int | None = None, property: Sequence[str] = (), orderby: str | None = None
    ) -> Iterator[dict[str, Any]]:
        given: set[str] = set()
        for item in super().list_connections(limit=limit, property=property, orderby=orderby):
            if item.get("id") not in given:
                given.add(str(item.get("id")))
                yield item


@correct()
class asks_with_if_none_match(LayeredClient):
    """A cache of reads that always asks: only a 304, which may never come, is from it."""

    def __init__(self, settings: ClientSettings) -> None:
        super().__init__(settings)
        self._known: dict[str, dict[str, Any]] = {}

    def get_connection(self, connection_id: str) -> dict[str, Any]:
        known = self._known.get(connection_id, {})
        etag = known.get("etag")
        extra: Any = {"If_None_Match": etag} if isinstance(etag, str) else {}
        try:
            answer = self.call("GET", self.path(connection_id), **extra)
        except FlowError as trouble:
            if trouble.status_code == 304 and known:
                return known
            raise
        items = self.items(answer)
        if not items:
            raise FlowError("nothing there", answer.status_code)
        self._known[connection_id] = items[0]
        return items[0]


@correct()
class says_what_is_the_default_anyway(LayeredClient):
    """`count=false` with a list, which the Postman collection sends, and `preview=false`."""

    def filters(
        self, limit: int | None, property: Sequence[str], orderby: str | None
    ) -> list[tuple[str, str]]:
        return [*super().filters(limit, property, orderby), ("count", "false")]


@correct()
class counts_in_capitals(LayeredClient):
    """`count=True`, as a Python program writes it; aepp does."""

    def count_connections(self, *, property: Sequence[str] = ()) -> int:
        query = [("count", str(True)), *(("property", one) for one in property)]
        count: int = self.pick(self.call("GET", self.path(), query=query), "count", int)
        return count


@correct()
class says_bearer_in_lower_case(LayeredClient):
    """The name of a scheme has no case: RFC 9110 11.1."""

    def signed(self, request: httpx.Request) -> httpx.Request:
        request.headers["Authorization"] = f"bearer {self.token()}"
        return request


@correct()
class names_its_requests(LayeredClient):
    """Headers of its own: an id for each request, a language, a content type on reads too."""

    def headers(self) -> dict[str, str]:
        return {
            **super().headers(),
            "x-request-id": "00000000-0000-4000-8000-000000000000",
            "Accept-Language": "de, en;q=0.5",
            "Content-Type": "application/json",
            "Cache-Control": "no-cache",
            "Connection": "close",
        }


@correct()
class sends_its_page_size_with_the_link(LayeredClient):
    """`…?continuationToken=T&limit=7`, as aepp does, where the link has no limit."""

    def pages(self, query: Sequence[tuple[str, str]]) -> Iterator[httpx.Response]:
        limits = [(name, value) for name, value in query if name == "limit"]
        been: set[str] = set()
        page = self.call("GET", self.path(), query=query)
        yield page
        while href := self.following(page):
            if href in been:
                raise FlowError("the same page again", page.status_code)
            been.add(href)
            more = "" if "limit=" in href or not limits else f"&limit={limits[0][1]}"
            page = self.call("GET", href + more)
            yield page


@correct()
class reads_a_page_ahead(LayeredClient):
    """Has the next page before it gives this one, and gives read-only views."""

    def list_connections(  # type: ignore[override]
        self, *, limit: int | None = None, property: Sequence[str] = (), orderby: str | None = None
    ) -> Iterator[Mapping[str, Any]]:
        waiting: list[dict[str, Any]] = []
        for page in self.pages(self.filters(limit, property, orderby)):
            yield from map(MappingProxyType, waiting)
            waiting = self.items(page)
        yield from map(MappingProxyType, waiting)


@correct()
class encodes_more_than_it_must(SdkClient):
    """Every octet of an id as %XX in small letters, and of a query's values."""

    def path_value(self, value: str) -> str:
        super().path_value(value)
        return "".join(f"%{octet:02x}" for octet in value.encode())

    def query_string(self, pairs: Any) -> str:
        text = "&".join(
            f"{name}=" + "".join(f"%{octet:02x}" for octet in value.encode())
            for name, value in pairs
        )
        return "?" + text if text else ""


@correct()
class writes_blanks_as_plus(SdkClient):
    """A query as forms have it, which servers read alike."""

    def query_string(self, pairs: Any) -> str:
        text = "&".join(
            f"{name}={quote(value, safe='').replace('%20', '+')}" for name, value in pairs
        )
        return "?" + text if text else ""


@correct()
class writes_json_for_people(SdkClient):
    """Indented, sorted, with \\u escapes and a line end."""

    def serialize(self, body: Any) -> bytes:
        return (json.dumps(body, indent=4, sort_keys=True) + "\n").encode()


@correct()
class looks_for_what_it_lost(LayeredClient):
    """After a create without an answer it looks for the name and, where that is there, gives it."""

    def create_connection(self, connection: NewConnection) -> dict[str, Any]:
        before = {str(item.get("id")) for item in self.list_connections()}
        try:
            return super().create_connection(connection)
        except httpx.TransportError as trouble:
            for item in self.list_connections():
                new = item.get("id") not in before
                if new and item.get("name") == connection.name:
                    return {"id": item["id"], "etag": item.get("etag")}
            raise FlowError("no answer, and nothing made") from trouble


@correct()
class gives_read_only_mappings(SdkClient):
    """Gives what the answer of an update says in a mapping of its own, not in a dict."""

    def written(self, answer: ApiResponse) -> Any:
        return MappingProxyType(super().written(answer))


@correct()
class refuses_what_no_spec_is(SdkClient):
    """Says for itself that an id is empty or has a control character, before anything is sent."""

    def path_value(self, value: str) -> str:
        if not value.strip() or not value.isprintable():
            raise ValueError("not a connection id")
        return super().path_value(value)


@correct()
class turns_keys_of_operations_around(LayeredClient):
    """Patches a copy of the operations, each key in another order."""

    def update_connection(
        self, connection_id: str, etag: str, operations: Sequence[Mapping[str, Any]]
    ) -> dict[str, Any]:
        turned = [dict(reversed(list(operation.items()))) for operation in operations]
        return super().update_connection(connection_id, etag, turned)
