"""Mutants of family 10: clients that remember what they should ask for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from aepmock.clients.reference import ReferenceClient
from aepmock.protocol import ClientSettings, NewConnection
from tests.mutants.registry import breaks

Operations = Sequence[Mapping[str, Any]]


class _Remembering(ReferenceClient):
    """Reads each connection once; forgets it when it is updated or deleted."""

    def __init__(self, settings: ClientSettings) -> None:
        super().__init__(settings)
        self.known: dict[str, dict[str, Any]] = {}

    def get_connection(self, connection_id: str) -> dict[str, Any]:
        if connection_id not in self.known:
            self.known[connection_id] = super().get_connection(connection_id)
        return self.known[connection_id]

    def update_connection(
        self, connection_id: str, etag: str, operations: Operations
    ) -> dict[str, Any]:
        self.known.pop(connection_id, None)
        return super().update_connection(connection_id, etag, operations)

    def delete_connection(self, connection_id: str) -> None:
        self.known.pop(connection_id, None)
        super().delete_connection(connection_id)


@breaks(
    "lifecycle.reads-back",
    # What is returned is neither what was just answered nor what was just written.
    also=("connections.get.unwrapped", "lifecycle.update-shows"),
)
class returns_what_it_read_first(_Remembering):
    """The key of the cache is always the same."""

    def get_connection(self, connection_id: str) -> dict[str, Any]:
        fresh = ReferenceClient.get_connection(self, connection_id)
        return self.known.setdefault("last", fresh)


@breaks("lifecycle.reads-back")
class answers_a_read_from_what_it_sent(ReferenceClient):
    """Keeps what it created, its name in the form in which it likes names."""

    def __init__(self, settings: ClientSettings) -> None:
        super().__init__(settings)
        self._made: dict[str, dict[str, Any]] = {}

    def create_connection(self, connection: NewConnection) -> dict[str, Any]:
        made = super().create_connection(connection)
        self._made[made["id"]] = {**made, "name": connection.name.strip()[:20]}
        return made

    def get_connection(self, connection_id: str) -> dict[str, Any]:
        if connection_id in self._made:
            return self._made.pop(connection_id)
        return super().get_connection(connection_id)

    def update_connection(
        self, connection_id: str, etag: str, operations: Operations
    ) -> dict[str, Any]:
        self._made.pop(connection_id, None)
        return super().update_connection(connection_id, etag, operations)

    def delete_connection(self, connection_id: str) -> None:
        self._made.pop(connection_id, None)
        super().delete_connection(connection_id)


@breaks("lifecycle.lists")
class lists_once(ReferenceClient):
    def __init__(self, settings: ClientSettings) -> None:
        super().__init__(settings)
        self._listed: dict[Any, list[dict[str, Any]]] = {}

    def list_connections(self, **wanted: Any) -> Any:
        key = repr(sorted(wanted.items()))
        if key not in self._listed:
            self._listed[key] = list(super().list_connections(**wanted))
        return iter(self._listed[key])


@breaks(
    "lifecycle.lists",
    # Its list holds what no page held.
    also=("connections.list.all-pages",),
)
class adds_what_it_made_itself(ReferenceClient):
    """And forgets to take away what it deleted."""

    def __init__(self, settings: ClientSettings) -> None:
        super().__init__(settings)
        self._made: dict[str, dict[str, Any]] = {}

    def get_connection(self, connection_id: str) -> dict[str, Any]:
        item = super().get_connection(connection_id)
        self._made[connection_id] = item
        return item

    def list_connections(self, **wanted: Any) -> Any:
        items = {item["id"]: item for item in super().list_connections(**wanted)}
        return list({**self._made, **items}.values())


@breaks("lifecycle.update-shows", also=("lifecycle.deleted-gone",))
class keeps_what_it_read_over_an_update(_Remembering):
    def update_connection(
        self, connection_id: str, etag: str, operations: Operations
    ) -> dict[str, Any]:
        return ReferenceClient.update_connection(self, connection_id, etag, operations)


@breaks("lifecycle.deleted-gone", also=("lifecycle.update-shows",))
class keeps_what_it_read_over_a_deletion(_Remembering):
    def delete_connection(self, connection_id: str) -> None:
        ReferenceClient.delete_connection(self, connection_id)


@breaks("lifecycle.isolation")
class shares_what_it_read_between_sandboxes(_Remembering):
    shared: ClassVar[dict[str, dict[str, Any]]] = {}

    def __init__(self, settings: ClientSettings) -> None:
        super().__init__(settings)
        self.known = self.shared
