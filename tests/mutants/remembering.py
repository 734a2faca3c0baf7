"""Layered clients that remember more than they may."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from aepmock.client_api import ClientSettings, NewConnection
from tests.mutants.layers_base import LayeredClient
from tests.mutants.registry import breaks


@breaks(
    "connections.update.etag-verbatim",
    also=(
        "connections.update.no-lost-update",
        "connections.update.concurrent",
    ),
)
class knows_a_newer_etag(LayeredClient):
    """It keeps the etag of its own last write, and thinks that it knows better."""

    def __init__(self, settings: ClientSettings) -> None:
        super().__init__(settings)
        self._etags: dict[str, str] = {}

    def update_connection(
        self, connection_id: str, etag: str, operations: Sequence[Mapping[str, Any]]
    ) -> dict[str, Any]:
        newest = self._etags.get(connection_id, etag)
        done = super().update_connection(connection_id, newest, operations)
        self._etags[connection_id] = done["etag"]
        return done


@breaks("lifecycle.update-shows", also=("lifecycle.deleted-gone",))
class caches_reads_until_its_own_write(LayeredClient):
    """What a colleague changes is never seen."""

    def __init__(self, settings: ClientSettings) -> None:
        super().__init__(settings)
        self._read: dict[str, dict[str, Any]] = {}

    def get_connection(self, connection_id: str) -> dict[str, Any]:
        if connection_id not in self._read:
            self._read[connection_id] = super().get_connection(connection_id)
        return self._read[connection_id]

    def update_connection(
        self, connection_id: str, etag: str, operations: Sequence[Mapping[str, Any]]
    ) -> dict[str, Any]:
        self._read.pop(connection_id, None)
        return super().update_connection(connection_id, etag, operations)

    def delete_connection(self, connection_id: str) -> None:
        self._read.pop(connection_id, None)
        super().delete_connection(connection_id)


@breaks("lifecycle.lists")
class lists_from_memory_for_a_minute(LayeredClient):
    """Its own creates and deletions empty the memory, a colleague's do not."""

    def __init__(self, settings: ClientSettings) -> None:
        super().__init__(settings)
        self._listed: dict[Any, tuple[float, list[dict[str, Any]]]] = {}

    def list_connections(
        self, *, limit: int | None = None, property: Sequence[str] = (), orderby: str | None = None
    ) -> Iterator[dict[str, Any]]:
        key = (limit, tuple(property), orderby)
        at, items = self._listed.get(key, (-60.0, []))
        if time.monotonic() - at >= 60:
            items = list(super().list_connections(limit=limit, property=property, orderby=orderby))
            self._listed[key] = (time.monotonic(), items)
        return iter(items)

    def create_connection(self, connection: NewConnection) -> dict[str, Any]:
        self._listed.clear()
        return super().create_connection(connection)

    def delete_connection(self, connection_id: str) -> None:
        self._listed.clear()
        super().delete_connection(connection_id)


@breaks("connections.test.result")
class remembers_what_a_test_said(LayeredClient):
    """Credentials that have become invalid are valid for ever."""

    def __init__(self, settings: ClientSettings) -> None:
        super().__init__(settings)
        self._tested: dict[str, bool] = {}

    def test_connection(self, connection_id: str) -> bool:
        if connection_id not in self._tested:
            self._tested[connection_id] = super().test_connection(connection_id)
        return self._tested[connection_id]


@breaks("connections.count.asked-for")
class remembers_what_it_counted(LayeredClient):
    def __init__(self, settings: ClientSettings) -> None:
        super().__init__(settings)
        self._counted: dict[tuple[str, ...], int] = {}

    def count_connections(self, *, property: Sequence[str] = ()) -> int:
        key = tuple(property)
        if key not in self._counted:
            self._counted[key] = super().count_connections(property=property)
        return self._counted[key]
