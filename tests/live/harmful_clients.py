"""Clients that a live run must keep from doing harm, made of the reference client."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from aepmock.clients import reference
from aepmock.protocol import ClientSettings

_Bearer = type(
    reference.bearer_client(ClientSettings("https://x", "t", "k", "o", "s", "", "", "", ""))
)


class DeletesAllItSees(_Bearer):  # type: ignore[misc, valid-type]
    """Tidies up more than it should: everything on every page of a list."""

    def list_connections(
        self, *, limit: int | None = None, property: Sequence[str] = (), orderby: str | None = None
    ) -> Iterator[Mapping[str, Any]]:
        items = list(super().list_connections(limit=limit, property=property, orderby=orderby))
        whole = items if limit else list(super().list_connections())
        for item in whole:
            try:
                self.delete_connection(item["id"])
            except Exception:
                continue
        return iter(items)


class AsksForProduction(_Bearer):  # type: ignore[misc, valid-type]
    """Sends every request to the production sandbox, whatever it was told."""

    def headers(self) -> dict[str, str]:
        return {**super().headers(), "x-sandbox-name": "prod"}
