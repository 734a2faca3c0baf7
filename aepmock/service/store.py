"""The connections a service holds, kept apart by organization and sandbox."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

Scope = tuple[str, str]
"""An organization and a sandbox in it: ("5C13…@AdobeOrg", "dev")."""

MASK = "********"


@dataclass
class Connection:
    """A connection as the service keeps it. Times are epoch milliseconds."""

    id: str
    scope: Scope
    sandbox_id: str
    name: str | None
    description: str | None
    spec_id: str
    spec_version: str
    auth_spec: str | None
    auth_params: dict[str, Any] = field(repr=False)
    state: str
    etag: str
    created_at_ms: int
    updated_at_ms: int
    created_by: str
    updated_by: str
    change: int
    """Counts the writes of a whole service: what is higher was written later."""
    initializing_until_ms: int = 0
    usable: bool = True
    """Whether the connector accepts the credentials."""
    in_use: bool = False
    """Whether flows are built on it."""

    def item(self, secrets: frozenset[str], treatment: str) -> dict[str, Any]:
        """The connection as a read gives it. Source: OAS ConnectionItemDTO, UPDATE.

        `treatment` is an option of the reading connections.secrets-on-read, `secrets` the
        names of the params it concerns. What is nested in it is the store's own: to be read,
        and copied where it is handed on.
        """
        item: dict[str, Any] = {
            "id": self.id,
            "createdAt": self.created_at_ms,
            "updatedAt": self.updated_at_ms,
            "createdBy": self.created_by,
            "updatedBy": self.updated_by,
            "createdClient": self.created_by,
            "updatedClient": self.updated_by,
            "sandboxId": self.sandbox_id,
            "sandboxName": self.scope[1],
            "imsOrgId": self.scope[0],
            "connectionSpec": {"id": self.spec_id, "version": self.spec_version},
            "state": self.state,
            "version": self.etag,
            "etag": self.etag,
        }
        if self.name is not None:
            item["name"] = self.name
        if self.description is not None:
            item["description"] = self.description
        if self.auth_spec is not None:
            params = visible_params(self.auth_params, secrets, treatment)
            item["auth"] = {"specName": self.auth_spec, "params": params}
        return item


_STORED: Mapping[str, Callable[[Connection], Any]] = {
    "id": attrgetter("id"),
    "name": attrgetter("name"),
    "description": attrgetter("description"),
    "state": attrgetter("state"),
    "version": attrgetter("etag"),
    "etag": attrgetter("etag"),
    "createdAt": attrgetter("created_at_ms"),
    "updatedAt": attrgetter("updated_at_ms"),
    "createdBy": attrgetter("created_by"),
    "updatedBy": attrgetter("updated_by"),
    "createdClient": attrgetter("created_by"),
    "updatedClient": attrgetter("updated_by"),
    "sandboxId": attrgetter("sandbox_id"),
    "sandboxName": lambda connection: connection.scope[1],
    "imsOrgId": lambda connection: connection.scope[0],
    "connectionSpec.id": attrgetter("spec_id"),
    "connectionSpec.version": attrgetter("spec_version"),
    "auth.specName": attrgetter("auth_spec"),
}
"""What is stored at the paths of `Connection.item` that hold single values."""


def reader(path: str, secrets: frozenset[str], treatment: str) -> Callable[[Connection], Any]:
    """What reads the value that `Connection.item` has at a dotted path, None where it has none.

    A list of many thousands reads what it chooses by, and makes items of one page only.
    """
    if path in _STORED:
        return _STORED[path]
    first, *below = path.removeprefix("auth.params.").split(".")
    if first in secrets and treatment in ("masked", "absent"):
        hidden = None if treatment == "absent" or below else MASK
        return lambda c: hidden if c.auth_spec is not None and first in c.auth_params else None

    def read(connection: Connection) -> Any:
        value: Any = connection.auth_params if connection.auth_spec is not None else None
        for key in (first, *below):
            if not isinstance(value, Mapping):
                return None
            value = value.get(key)
        return value

    return read


def visible_params(
    params: Mapping[str, Any], secrets: frozenset[str], treatment: str
) -> dict[str, Any]:
    """Auth params as a reading lets them be seen."""
    if treatment == "masked":
        return {k: MASK if k in secrets else v for k, v in params.items()}
    if treatment == "absent":
        return {k: v for k, v in params.items() if k not in secrets}
    return dict(params)


class Store:
    """Connections by scope and id, in the order of creation."""

    def __init__(self) -> None:
        self._scopes: dict[Scope, dict[str, Connection]] = {}
        self._changes = 0
        self._held = 0

    def next_change(self) -> int:
        self._changes += 1
        return self._changes

    def add(self, connection: Connection) -> None:
        self._scopes.setdefault(connection.scope, {})[connection.id] = connection
        self._held += 1

    def find(self, scope: Scope, connection_id: str) -> Connection | None:
        """The connection, or None where this scope has none of that id."""
        return self._scopes.get(scope, {}).get(connection_id)

    def remove(self, connection: Connection) -> None:
        scope = self._scopes[connection.scope]
        del scope[connection.id]
        self._held -= 1
        if not scope:
            del self._scopes[connection.scope]

    def at(self, scope: Scope) -> Iterator[Connection]:
        """Connections of a scope; sandbox "*" stands for all of the organization's."""
        if scope[1] != "*":
            yield from self._scopes.get(scope, {}).values()
            return
        for (org, _), connections in self._scopes.items():
            if org == scope[0]:
                yield from connections.values()

    def __len__(self) -> int:
        return self._held

    def __iter__(self) -> Iterator[Connection]:
        for connections in self._scopes.values():
            yield from connections.values()

    def clear(self) -> None:
        self._scopes.clear()
        self._held = 0

    def copied(self) -> Store:
        """A store of its own with the same connections. Auth params are replaced, never changed."""
        made = Store()
        made._changes, made._held = self._changes, self._held
        for scope, connections in self._scopes.items():
            made._scopes[scope] = {key: copy(found) for key, found in connections.items()}
        return made
