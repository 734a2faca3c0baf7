"""Clients that write queries, and read pages, in unusual but legitimate ways."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any
from uuid import UUID

import httpx

from aepmock.clients.reference import ReferenceClient
from aepmock.errors import ClientError
from tests.mutants.registry import correct


class _Filtering(ReferenceClient):
    """The reference client, its filters changed on their way in one place."""

    def list_request(
        self, limit: int | None, property: Sequence[str], orderby: str | None
    ) -> httpx.Request:
        return super().list_request(limit, self.filters(property), orderby)

    def count_request(self, property: Sequence[str]) -> httpx.Request:
        return super().count_request(self.filters(property))

    def filters(self, given: Sequence[str]) -> Sequence[str]:
        raise NotImplementedError


@correct()
class quotes_the_values_of_its_filters(_Filtering):
    """The documentation has name=="CRMToAEP" beside name==TestConn."""

    def filters(self, given: Sequence[str]) -> Sequence[str]:
        return [re.sub(r'^([\w.]+==)([^",]+)$', r'\1"\2"', text) for text in given]


@correct()
class takes_the_quotes_off_its_filters(_Filtering):
    def filters(self, given: Sequence[str]) -> Sequence[str]:
        return [re.sub(r'^([\w.]+==)"([^",]+)"$', r"\1\2", text) for text in given]


@correct()
class joins_its_filters_backwards(_Filtering):
    def filters(self, given: Sequence[str]) -> Sequence[str]:
        return [",".join(reversed(given))] if given else []


@correct()
class sends_a_filter_once(_Filtering):
    """Filters in a set, their quotes taken off before."""

    def filters(self, given: Sequence[str]) -> Sequence[str]:
        return sorted({re.sub(r'^([\w.]+==)"([^",]+)"$', r"\1\2", text) for text in given})


@correct()
class says_that_it_sorts_upwards(ReferenceClient):
    """orderby=+name, as the documentation prints it."""

    def list_request(
        self, limit: int | None, property: Sequence[str], orderby: str | None
    ) -> httpx.Request:
        if orderby is not None and not orderby.startswith("-"):
            orderby = f"+{orderby}"
        return super().list_request(limit, property, orderby)


@correct()
class sends_nothing_but_the_token(ReferenceClient):
    """As in the one documented sample of a link, whatever else this one holds."""

    def next_request(self, href: str) -> httpx.Request:
        token = next(
            pair for pair in href.partition("?")[2].split("&") if pair.startswith("continuation")
        )
        return self.build("GET", f"{self.url()}?{token}")


class _Bounded(ReferenceClient):
    """Follows next links without looking where they lead."""

    def pages(self, **wanted: Any) -> Iterator[list[dict[str, Any]]]:
        request: httpx.Request | None = self.list_request(
            wanted.get("limit"), wanted.get("property", ()), wanted.get("orderby")
        )
        while request is not None:
            answer = self.send(request)
            yield self.read_items(answer)
            href = self.read_next(answer)
            request = self.next_request(href) if href else None


@correct()
class reads_twenty_pages_at_most(_Bounded):
    def list_connections(self, **wanted: Any) -> Iterator[dict[str, Any]]:
        for page in islice(self.pages(**wanted), 20):
            yield from page


@correct()
class gives_up_after_a_hundred_pages(_Bounded):
    def list_connections(self, **wanted: Any) -> Iterator[dict[str, Any]]:
        for number, page in enumerate(self.pages(**wanted)):
            if number == 100:
                raise ClientError("so many pages: the service must be leading in a circle")
            yield from page


@correct()
class leaves_empty_source_params_out(ReferenceClient):
    def explore_connection(
        self, connection_id: str, *, source_params: Mapping[str, Any] | None = None, **rest: Any
    ) -> Any:
        return super().explore_connection(
            connection_id, source_params=source_params or None, **rest
        )


@correct()
class knows_that_ids_are_uuids(ReferenceClient):
    """And asks for nothing else."""

    def url(self, *segments: str) -> str:
        if segments and segments[0] != "search":
            UUID(segments[0])
        return super().url(*segments)
