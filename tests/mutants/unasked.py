"""Mutants that send, write or give back more than the caller asked for."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import httpx

from aepmock.client_api import NewConnection
from aepmock.clients.reference import ReferenceClient
from tests.mutants.creating import WithBody
from tests.mutants.registry import breaks


@breaks("connections.list.each-once")
class yields_the_end_of_a_page_twice(ReferenceClient):
    def read_items(self, answer: httpx.Response) -> list[dict[str, Any]]:
        items = super().read_items(answer)
        return items + items[-1:] if len(items) > 1 else items


@breaks("connections.list.each-once")
class gives_what_it_gathered_with_every_page(ReferenceClient):
    def list_connections(self, **wanted: Any) -> Iterator[dict[str, Any]]:
        gathered: list[dict[str, Any]] = []
        for number, item in enumerate(super().list_connections(**wanted), 1):
            gathered.append(item)
            yield item
            if number % 20 == 0:
                yield from gathered


@breaks("connections.list.items")
class composes_the_characters_of_names_that_it_lists(ReferenceClient):
    def list_connections(self, **wanted: Any) -> Iterator[dict[str, Any]]:
        for item in super().list_connections(**wanted):
            yield {**item, "name": unicodedata.normalize("NFC", item["name"])}


class _Asking(ReferenceClient):
    """A client whose query strings are changed on their way, in one place."""

    def query(self, pairs: Sequence[tuple[str, str]]) -> str:
        given = list(pairs)
        return super().query(self.asked(given, dict(given)))

    def asked(
        self, pairs: list[tuple[str, str]], named: Mapping[str, str]
    ) -> list[tuple[str, str]]:
        raise NotImplementedError


@breaks("request.unasked-parameters")
class creates_drafts(ReferenceClient):
    def create_request(self, connection: NewConnection) -> httpx.Request:
        url = self.url() + self.query([("mode", "draft")])
        return self.build("POST", url, payload=self.body(connection))


@breaks("request.unasked-parameters", also=("lifecycle.lists",))
class leaves_out_what_is_not_enabled(_Asking):
    """Where nothing was filtered; every connection that it meets happens to be enabled."""

    def asked(
        self, pairs: list[tuple[str, str]], named: Mapping[str, str]
    ) -> list[tuple[str, str]]:
        if "property" in named or "objectType" in named or "count" in named:
            return pairs
        return [*pairs, ("property", "state==enabled")]


@breaks("request.unasked-parameters")
class counts_what_is_enabled(_Asking):
    def asked(
        self, pairs: list[tuple[str, str]], named: Mapping[str, str]
    ) -> list[tuple[str, str]]:
        if "property" in named or "count" not in named:
            return pairs
        return [*pairs, ("property", "state==enabled")]


@breaks("request.unasked-parameters")
class puts_lists_in_an_order_of_its_own(_Asking):
    def asked(
        self, pairs: list[tuple[str, str]], named: Mapping[str, str]
    ) -> list[tuple[str, str]]:
        if "orderby" in named or "objectType" in named or "count" in named:
            return pairs
        return [*pairs, ("orderby", "-updatedAt")]


@breaks("request.unasked-parameters")
class puts_later_pages_in_another_order(ReferenceClient):
    def next_request(self, href: str) -> httpx.Request:
        return super().next_request(f"{href}&orderby=name")


@breaks("request.unasked-parameters")
class previews_whatever_it_explores(_Asking):
    def asked(
        self, pairs: list[tuple[str, str]], named: Mapping[str, str]
    ) -> list[tuple[str, str]]:
        if "objectType" not in named or "preview" in named:
            return pairs
        return [*pairs, ("preview", "true")]


@breaks("request.unasked-parameters")
class takes_every_object_for_a_csv_file(_Asking):
    def asked(
        self, pairs: list[tuple[str, str]], named: Mapping[str, str]
    ) -> list[tuple[str, str]]:
        if "objectType" not in named or "fileType" in named:
            return pairs
        return [*pairs, ("fileType", "delimited")]


@breaks("connections.create.nothing-else")
class says_where_a_connection_comes_from(WithBody):
    def change(self, body: dict[str, Any], connection: NewConnection) -> None:
        body["tags"] = ["acme-client"]


@breaks("connections.create.nothing-else")
class names_the_spec_beside_its_id(WithBody):
    def change(self, body: dict[str, Any], connection: NewConnection) -> None:
        body["connectionSpec"]["name"] = "hubspot"


@breaks("request.unasked-writes", also=("connections.update.concurrent",))
class describes_what_it_reads(ReferenceClient):
    """Everything ought to have a description, its author thinks."""

    def get_connection(self, connection_id: str) -> dict[str, Any]:
        item = super().get_connection(connection_id)
        if not item.get("description"):
            remark = [{"op": "add", "path": "/description", "value": "(none)"}]
            self.send(self.update_request(connection_id, item["etag"], remark))
        return item


@breaks("request.unasked-writes")
class deletes_what_does_not_work(ReferenceClient):
    def test_connection(self, connection_id: str) -> bool:
        works = super().test_connection(connection_id)
        if not works:
            self.send(self.delete_request(connection_id))
        return works
