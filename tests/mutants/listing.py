"""Mutants of family 4: pages, links, filters and counts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import parse_qs, unquote, urljoin, urlsplit

import httpx

from aepmock.clients.reference import Answer, ReferenceClient
from aepmock.errors import ClientError
from tests.mutants.registry import breaks


class _Paging(ReferenceClient):
    """The reference client's list, taken apart."""

    def list_connections(
        self, *, limit: int | None = None, property: Sequence[str] = (), orderby: str | None = None
    ) -> Iterator[dict[str, Any]]:
        yield from self.pages(self.list_request(limit, property, orderby), property)

    def pages(self, request: httpx.Request, property: Sequence[str]) -> Iterator[dict[str, Any]]:
        seen: set[str] = set()
        while True:
            answer = self.send(request)
            yield from self.read_items(answer)
            href = self.read_next(answer)
            if href is None:
                return
            if href in seen:
                raise ClientError("the next link leads in a circle")
            seen.add(href)
            request = self.page_after(href, property)

    def page_after(self, href: str, property: Sequence[str]) -> httpx.Request:
        return self.next_request(href)


@breaks("connections.list.all-pages")
class returns_the_first_page(_Paging):
    def read_next(self, answer: Answer) -> str | None:
        return None


@breaks("connections.list.all-pages")
class loses_the_last_page(_Paging):
    """Looks for the next link before it hands the items out."""

    def pages(self, request: httpx.Request, property: Sequence[str]) -> Iterator[dict[str, Any]]:
        answer = self.send(request)
        first = True
        while first or self.read_next(answer) is not None:
            yield from self.read_items(answer)
            first = False
            href = self.read_next(answer)
            if href is None:
                return
            answer = self.send(self.next_request(href))


@breaks("connections.list.all-pages")
class stops_after_twenty_items(_Paging):
    """Takes the limit, or the service's documented default, for the whole."""

    def list_connections(
        self, *, limit: int | None = None, property: Sequence[str] = (), orderby: str | None = None
    ) -> Iterator[dict[str, Any]]:
        every = super().list_connections(limit=limit, property=property, orderby=orderby)
        for number, item in enumerate(every, 1):
            yield item
            if number == (limit or 20):
                return


@breaks("connections.list.all-pages", also=("connections.list.each-once",))
class asks_for_the_first_page_for_ever(_Paging):
    """Follows the link in name only: the token does not come along."""

    def pages(self, request: httpx.Request, property: Sequence[str]) -> Iterator[dict[str, Any]]:
        while True:
            answer = self.send(request)
            yield from self.read_items(answer)
            if self.read_next(answer) is None:
                return


@breaks("connections.list.all-pages")
class makes_one_of_connections_with_one_name(_Paging):
    def pages(self, request: httpx.Request, property: Sequence[str]) -> Iterator[dict[str, Any]]:
        items = super().pages(request, property)
        yield from {item["name"][:10]: item for item in items}.values()


@breaks("connections.list.stops")
class asks_until_a_page_brings_nothing_new(_Paging):
    def pages(self, request: httpx.Request, property: Sequence[str]) -> Iterator[dict[str, Any]]:
        known: set[str] = set()
        while True:
            answer = self.send(request)
            items = self.read_items(answer)
            fresh = [item for item in items if item["id"] not in known]
            yield from fresh
            known |= {item["id"] for item in fresh}
            href = self.read_next(answer)
            if href is not None:
                request = self.next_request(href)
            elif not fresh:
                return


@breaks(
    "connections.list.next-link",
    # The host's root is not below the base path; and a link with a host of its own is followed.
    also=("request.base-path", "secrets.next-link"),
)
class joins_the_next_link_with_the_host(_Paging):
    def page_after(self, href: str, property: Sequence[str]) -> httpx.Request:
        return self.build("GET", urljoin(self.settings.base_url, href))


@breaks("connections.list.next-link", also=("request.base-path",))
class doubles_a_part_of_the_base_path(_Paging):
    def page_after(self, href: str, property: Sequence[str]) -> httpx.Request:
        origin = self.settings.base_url.partition("/data")[0]
        return self.build("GET", f"{origin}/flowservice{href}")


@breaks(
    "connections.list.next-link",
    # A token's & begins another parameter.
    also=("request.query-parameters",),
)
class decodes_the_token_and_leaves_it_so(_Paging):
    def page_after(self, href: str, property: Sequence[str]) -> httpx.Request:
        return self.build("GET", self.settings.base_url + unquote(href))


@breaks("connections.list.next-link")
class encodes_the_token_twice(_Paging):
    def page_after(self, href: str, property: Sequence[str]) -> httpx.Request:
        token = urlsplit(href).query.removeprefix("continuationToken=")
        return self.build("GET", self.url() + self.query([("continuationToken", token)]))


@breaks("connections.list.next-link", also=("request.query-parameters",))
class calls_the_token_start(_Paging):
    """As other APIs of the platform do."""

    def page_after(self, href: str, property: Sequence[str]) -> httpx.Request:
        token = parse_qs(urlsplit(href).query)["continuationToken"][0]
        return self.build("GET", self.url() + self.query([("start", token)]))


@breaks("connections.list.keeps-filter")
class keeps_the_first_filter_only(_Paging):
    def page_after(self, href: str, property: Sequence[str]) -> httpx.Request:
        request = super().page_after(href, property)
        for text in property[:1]:
            request.url = request.url.copy_add_param("property", text)
        return request


@breaks("connections.list.keeps-filter")
class filters_later_pages_by_state(_Paging):
    def page_after(self, href: str, property: Sequence[str]) -> httpx.Request:
        request = super().page_after(href, property)
        if property:
            request.url = request.url.copy_add_param("property", "state==enabled")
        return request


@breaks("connections.list.empty-page")
class ends_at_an_empty_page(_Paging):
    def read_next(self, answer: Answer) -> str | None:
        return super().read_next(answer) if self.read_items(answer) else None


@breaks("connections.list.moving-items")
class fails_on_the_second_sight_of_an_id(_Paging):
    def pages(self, request: httpx.Request, property: Sequence[str]) -> Iterator[dict[str, Any]]:
        known: set[str] = set()
        for item in super().pages(request, property):
            if item["id"] in known:
                raise ClientError("the service repeats itself")
            known.add(item["id"])
            yield item


@breaks("connections.list.repeated-token")
class follows_a_circle(_Paging):
    def pages(self, request: httpx.Request, property: Sequence[str]) -> Iterator[dict[str, Any]]:
        href: str | None = ""
        while href is not None:
            answer = self.send(request)
            yield from self.read_items(answer)
            href = self.read_next(answer)
            if href is not None:
                request = self.next_request(href)


@breaks("connections.list.limit")
class asks_for_a_hundred_whatever_was_wanted(_Paging):
    def list_request(
        self, limit: int | None, property: Sequence[str], orderby: str | None
    ) -> httpx.Request:
        return super().list_request(100, property, orderby)


@breaks("connections.list.limit", also=("request.query-parameters",))
class calls_the_limit_page_size(_Paging):
    def query(self, pairs: Sequence[tuple[str, str]]) -> str:
        return super().query([("pageSize" if n == "limit" else n, v) for n, v in pairs])


@breaks("connections.list.property", also=("connections.count.property",))
class sends_the_last_filter_only(_Paging):
    """Parameters in a dict."""

    def query(self, pairs: Sequence[tuple[str, str]]) -> str:
        return super().query(list(dict(pairs).items()))


@breaks("connections.list.property")
class drops_the_filters_once_there_is_an_order(_Paging):
    def list_request(
        self, limit: int | None, property: Sequence[str], orderby: str | None
    ) -> httpx.Request:
        return super().list_request(limit, () if orderby else property, orderby)


@breaks("request.query-encoding")
class quotes_a_list_of_values_as_one(_Paging):
    """state=="enabled,disabled" is one value with a comma in it."""

    def query(self, pairs: Sequence[tuple[str, str]]) -> str:
        quoted = [(n, re.sub(r'^(\w+==)([^"]+,[^"]+)$', r'\1"\2"', v)) for n, v in pairs]
        return super().query(quoted)


@breaks("request.query-encoding")
class makes_a_filter_of_each_value(_Paging):
    def query(self, pairs: Sequence[tuple[str, str]]) -> str:
        return super().query(
            [(n, part) for n, v in pairs for part in (v.split(",") if n == "property" else [v])]
        )


@breaks("connections.list.orderby")
class drops_the_sign_of_the_order(_Paging):
    def list_request(
        self, limit: int | None, property: Sequence[str], orderby: str | None
    ) -> httpx.Request:
        return super().list_request(limit, property, orderby.lstrip("+-") if orderby else None)


@breaks("connections.list.orderby", also=("request.query-parameters",))
class writes_order_by_in_camel_case(_Paging):
    def query(self, pairs: Sequence[tuple[str, str]]) -> str:
        return super().query([("orderBy" if n == "orderby" else n, v) for n, v in pairs])


@breaks("connections.count.value", also=("connections.count.asked-for",))
class counts_the_first_page(_Paging):
    def count_connections(self, *, property: Sequence[str] = ()) -> int:
        return len(self.read_items(self.send(self.list_request(20, property, None))))


@breaks("connections.count.value")
class returns_the_count_as_text(_Paging):
    def count_connections(self, *, property: Sequence[str] = ()) -> Any:
        return str(super().count_connections(property=property))


@breaks("connections.count.value")
class returns_whether_there_are_any(_Paging):
    def read_count(self, answer: Answer) -> int:
        return super().read_count(answer) > 0


@breaks("connections.count.no-limit")
class sends_its_page_size_with_every_list(_Paging):
    def count_request(self, property: Sequence[str]) -> httpx.Request:
        request = super().count_request(property)
        request.url = request.url.copy_add_param("limit", "20")
        return request


@breaks("connections.count.property")
class counts_everything(_Paging):
    def count_request(self, property: Sequence[str]) -> httpx.Request:
        return super().count_request(())
