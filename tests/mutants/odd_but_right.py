"""Clients in unusual but legitimate styles: nothing that the judge may accuse them of."""

from __future__ import annotations

import json
import time
from collections import UserDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import httpx

from aepmock.client_api import ClientSettings, NewConnection
from aepmock.clients import reference
from aepmock.clients.reference import (
    Answer,
    AsyncReferenceClient,
    MintingClient,
    ReferenceClient,
)
from aepmock.errors import ClientError
from tests.correct_clients.requests_session import FlowService
from tests.mutants.registry import correct

Operations = Sequence[Mapping[str, Any]]


@correct()
class lists_by_search(ReferenceClient):
    """POST /connections/search, its filters in a queryString."""

    def list_connections(
        self, *, limit: int | None = None, property: Sequence[str] = (), orderby: str | None = None
    ) -> Iterator[dict[str, Any]]:
        body: dict[str, Any] = {}
        if property:
            body["queryString"] = "&".join(f"property={quote(p, safe='')}" for p in property)
        if limit is not None:
            body["limit"] = limit
        if orderby is not None:
            body["orderby"] = orderby
        url: str | None = self.url("search")
        followed: set[str] = set()
        while url is not None:
            answer = self.send(self.build("POST", url, payload=body))
            yield from self.read_items(answer)
            href = self.read_next(answer)
            if href in followed:
                raise ClientError("the next link leads in a circle")
            followed |= {href} if href else set()
            url = self.settings.base_url + href if href else None


@correct()
class counts_by_search(lists_by_search):
    def count_connections(self, *, property: Sequence[str] = ()) -> int:
        body: dict[str, Any] = {"count": True}
        if property:
            body["queryString"] = "&".join(f"property={quote(p, safe='')}" for p in property)
        return self.read_count(self.send(self.build("POST", self.url("search"), payload=body)))


@correct()
class looks_up_before_acting(ReferenceClient):
    """Reads a connection before it updates, deletes, tests or explores it."""

    def update_connection(
        self, connection_id: str, etag: str, operations: Operations
    ) -> dict[str, Any]:
        self.get_connection(connection_id)
        return super().update_connection(connection_id, etag, operations)

    def delete_connection(self, connection_id: str) -> None:
        self.get_connection(connection_id)
        super().delete_connection(connection_id)

    def test_connection(self, connection_id: str) -> bool:
        self.get_connection(connection_id)
        return super().test_connection(connection_id)

    def explore_connection(self, connection_id: str, **rest: Any) -> Any:
        self.get_connection(connection_id)
        return super().explore_connection(connection_id, **rest)


@correct()
class sees_a_conflict_coming(ReferenceClient):
    """Compares etags before it sends, and reports the conflict itself."""

    def update_connection(
        self, connection_id: str, etag: str, operations: Operations
    ) -> dict[str, Any]:
        if self.get_connection(connection_id)["etag"] != etag:
            raise ClientError("the connection has changed", status=412, code="1404-412")
        return super().update_connection(connection_id, etag, operations)


@correct()
class looks_for_its_own_after_a_failure(ReferenceClient):
    """A create that may have worked is looked for by its name, and repeated where it is not."""

    def create_connection(self, connection: NewConnection) -> dict[str, Any]:
        answer = self.send(self.create_request(connection))
        if answer.status_code < 500:
            return self.read_created(answer)
        for item in self.list_connections():
            if item["name"] == connection.name:
                return {"id": item["id"], "etag": item["etag"]}
        return self.read_created(self.send(self.create_request(connection)))


@correct()
class repeats_a_create_that_was_not_admitted(MintingClient):
    """After a 401, with a fresh token, once; after a 429, once."""

    def create_connection(self, connection: NewConnection) -> dict[str, Any]:
        answer = self.send(self.create_request(connection))
        if answer.status_code in (401, 429):
            if answer.status_code == 401:
                self._minted = None
            time.sleep(float(answer.headers.get("Retry-After", "0")))
            answer = self.send(self.create_request(connection))
        return self.read_created(answer)


@correct()
class reads_back_what_it_created(ReferenceClient):
    """For the etag, where the answer to the create had none."""

    def create_connection(self, connection: NewConnection) -> dict[str, Any]:
        made = super().create_connection(connection)
        if made["etag"] is None:
            made["etag"] = self.get_connection(made["id"])["etag"]
        return made


@correct()
class looks_the_connection_spec_up(ReferenceClient):
    """Before each create, as long as the service has it: a resource that is not judged."""

    def create_connection(self, connection: NewConnection) -> dict[str, Any]:
        spec_id = quote(connection.connection_spec_id, safe="")
        self.send(self.build("GET", f"{self.settings.base_url}/connectionSpecs/{spec_id}"))
        return super().create_connection(connection)


@correct()
class says_content_type_always(ReferenceClient):
    def headers(self) -> dict[str, str]:
        return {**super().headers(), "Content-Type": "application/json; charset=utf-8"}

    def build(self, method: str, url: str, **rest: Any) -> httpx.Request:
        request = super().build(method, url, **rest)
        request.headers["Content-Type"] = "application/json; charset=utf-8"
        return request


@correct()
class shouts_its_headers(ReferenceClient):
    def headers(self) -> dict[str, str]:
        headers = super().headers()
        headers["Authorization"] = f"bearer {self.token()}"
        return {
            **{n.upper(): v for n, v in headers.items()},
            "X-Request-Id": "7f1c0a52-2c8c-4c0e-9a53-5c2a7d3a9d10",
            "USER-AGENT": "acme/2.1",
            "ACCEPT-ENCODING": "identity",
        }


@correct()
class ends_its_paths_with_a_slash(ReferenceClient):
    def url(self, *segments: str) -> str:
        return super().url(*segments) + "/"


@correct()
class writes_json_in_its_own_way(ReferenceClient):
    """Keys sorted, indented, everything outside ASCII escaped."""

    def encode(self, payload: Any) -> bytes:
        return json.dumps(payload, indent=2, sort_keys=True, allow_nan=False).encode()


@correct()
class sends_a_single_operation_bare(ReferenceClient):
    """And its op in capitals."""

    def build(self, method: str, url: str, *, payload: Any = None, **rest: Any) -> httpx.Request:
        if method == "PATCH":
            payload = [{**o, "op": o["op"].upper()} for o in payload]
            payload = payload[0] if len(payload) == 1 else payload
        return super().build(method, url, payload=payload, **rest)


@correct()
class joins_filters_with_commas(ReferenceClient):
    def list_request(
        self, limit: int | None, property: Sequence[str], orderby: str | None
    ) -> httpx.Request:
        joined = [",".join(property)] if property else []
        return super().list_request(limit, joined, orderby)

    def count_request(self, property: Sequence[str]) -> httpx.Request:
        return super().count_request([",".join(property)] if property else [])


@correct()
class has_a_page_size_of_its_own(ReferenceClient):
    def list_request(
        self, limit: int | None, property: Sequence[str], orderby: str | None
    ) -> httpx.Request:
        return super().list_request(limit or 2, property, orderby)


@correct()
class takes_links_apart(ReferenceClient):
    """Keeps the token, and asks again with all it was asked with."""

    def list_connections(
        self, *, limit: int | None = None, property: Sequence[str] = (), orderby: str | None = None
    ) -> Any:
        self._wanted = (limit, property, orderby)
        return list(super().list_connections(limit=limit, property=property, orderby=orderby))

    def next_request(self, href: str) -> httpx.Request:
        token = parse_qs(urlsplit(href).query)["continuationToken"][0]
        request = self.list_request(*self._wanted)
        separator = "&" if request.url.query else "?"
        url = f"{request.url}{separator}continuationToken={quote(token, safe='')}"
        return self.build("GET", url)


@correct()
class gives_every_item_once(ReferenceClient):
    """As a view of a dict, in whatever order."""

    def list_connections(self, **wanted: Any) -> Any:
        return {item["id"]: item for item in super().list_connections(**wanted)}.values()


@correct()
class looks_at_the_first_page_before(ReferenceClient):
    """Asks whether there is anything at all, and then for all of it."""

    def list_connections(self, **wanted: Any) -> Iterator[dict[str, Any]]:
        request = self.list_request(
            wanted.get("limit"), wanted.get("property", ()), wanted.get("orderby")
        )
        if self.read_items(self.send(request)):
            yield from super().list_connections(**wanted)


class Record(UserDict[str, Any]):
    """A Mapping that is no dict, with its fields as attributes too."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "data":
            raise AttributeError(name)
        return self.data[name]


@correct()
class returns_records(ReferenceClient):
    def read_created(self, answer: Answer) -> Any:
        return Record(super().read_created(answer))

    def read_updated(self, answer: Answer) -> Any:
        return MappingProxyType(super().read_updated(answer))

    def read_items(self, answer: Answer) -> Any:
        return [Record(item) for item in super().read_items(answer)]


@correct()
class keeps_one_object_for_each_connection(ReferenceClient):
    """And brings it up to date whenever it reads the connection again."""

    def __init__(self, settings: ClientSettings) -> None:
        super().__init__(settings)
        self._objects: dict[str, dict[str, Any]] = {}

    def read_one(self, answer: Answer) -> dict[str, Any]:
        item = super().read_one(answer)
        kept = self._objects.setdefault(str(item.get("id")), {})
        kept.clear()
        kept.update(item)
        return kept


@correct()
class returns_the_whole_answer_of_a_write(ReferenceClient):
    def read_created(self, answer: Answer) -> dict[str, Any]:
        return {**self.mapping(answer), **super().read_created(answer)}


@correct()
class leaves_an_absent_etag_out(ReferenceClient):
    def read_created(self, answer: Answer) -> dict[str, Any]:
        return {k: v for k, v in super().read_created(answer).items() if v is not None}


@correct()
class logs_in_at_once(MintingClient):
    """And refuses settings that no header can hold before anything else."""

    def __init__(self, settings: ClientSettings) -> None:
        super().__init__(settings)
        self.headers()


@correct()
class refuses_settings_before_it_logs_in(ReferenceClient):
    def __init__(self, settings: ClientSettings) -> None:
        if not settings.sandbox_name.isascii() or not settings.sandbox_name.isprintable():
            raise SystemError("no such sandbox")
        super().__init__(settings)


@correct()
class opens_a_client_for_every_call(ReferenceClient):
    """With the base URL and the headers in httpx's own hands."""

    def send(self, request: httpx.Request) -> Answer:
        settings = self.settings
        with httpx.Client(
            base_url=settings.base_url,
            verify=reference.trust(settings.ca_file),
            timeout=settings.timeout_s,
        ) as http:
            return http.send(request)


@correct()
class works_in_a_thread(ReferenceClient):
    def send(self, request: httpx.Request) -> Answer:
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(super().send, request).result()


@correct()
class repeats_what_only_reads(ReferenceClient):
    """Up to three times after a 5xx."""

    def send(self, request: httpx.Request) -> Answer:
        answer = super().send(request)
        for _ in range(2):
            if request.method != "GET" or answer.status_code < 500:
                break
            if "Retry-After" in answer.headers:
                break
            answer = super().send(request)
        return answer


@correct()
class can_only_create(ReferenceClient):
    def __getattribute__(self, name: str) -> Any:
        if name.endswith(("_connection", "_connections")) and name != "create_connection":
            raise AttributeError(name)
        return super().__getattribute__(name)


@correct()
class gathers_a_list(AsyncReferenceClient):
    """A coroutine that gives a list, where the reference client has a generator."""

    async def list_connections(self, **wanted: Any) -> Any:  # type: ignore[override]
        return tuple([item async for item in super().list_connections(**wanted)])


@correct()
async def is_made_by_a_coroutine(settings: ClientSettings) -> AsyncReferenceClient:
    """The factory signs in before it returns."""
    made = AsyncReferenceClient(settings)
    await made.sign_in()
    return made


@correct()
class names_the_origin_in_full(FlowService):
    """https://platform.adobe.io:443 is the same place."""

    def _url(self, connection_id: str | None = None, tail: str = "", **query: Any) -> str:
        url = super()._url(connection_id, tail, **query)
        return url.replace("https://platform.adobe.io/", "https://platform.adobe.io:443/", 1)


@correct()
class writes_booleans_as_python_does(FlowService):
    """count=True, as a published client does."""

    def _url(self, connection_id: str | None = None, tail: str = "", **query: Any) -> str:
        url = super()._url(connection_id, tail, **query)
        return url.replace("count=true", "count=True")


@correct()
class lists_in_two_passes(FlowService):
    """Ids first, then everything once more, to be sure that nothing moved."""

    def list_connections(self, **wanted: Any) -> Iterable[dict[str, Any]]:  # type: ignore[override]
        ids = {item["id"] for item in super().list_connections(**wanted)}
        return [item for item in super().list_connections(**wanted) if item["id"] in ids]
