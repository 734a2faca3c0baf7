"""The interface between the kit and a client under test: settings, a new connection, methods."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True)
class ClientSettings:
    """What a client is given. Secrets stay out of the repr.

    `base_url` is "https://platform.adobe.io/data/foundation/flowservice" in process and a
    loopback URL through the server transport; `access_token` comes without "Bearer ";
    `ims_token_url` is for clients that fetch their own token; `timeout_s` is how long, in
    seconds, the client may wait for an answer to begin or go on; `ca_file` is the CA
    certificate to trust where the server transport speaks TLS, else None.
    """

    base_url: str
    access_token: str = field(repr=False)
    api_key: str
    ims_org_id: str
    sandbox_name: str
    ims_token_url: str
    client_id: str
    client_secret: str = field(repr=False)
    scopes: str
    timeout_s: float = 5.0
    ca_file: str | None = None


@dataclass(frozen=True)
class NewConnection:
    """A connection to create.

    `auth_params` maps documented names to values, for HubSpot {"clientId": "…",
    "clientSecret": "…", "accessToken": "…", "refreshToken": "…"}; for connectors without
    auth `auth_spec_name` is None and `auth_params` empty.
    """

    name: str
    description: str | None
    connection_spec_id: str
    connection_spec_version: str | None
    auth_spec_name: str | None
    auth_params: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True)
class ProtocolObservation:
    """How a program under test kept to one rule of the protocol over stdin and stdout.

    `clause` is the rule, "program.ids"; without a `summary` it was kept, else `expected` and
    `got` say more, and `log` holds the last lines that the program wrote on stderr, without
    secrets. `call` counts the calls of the example before the one in which it happened.
    """

    clause: str
    summary: str = ""
    expected: str = ""
    got: str = ""
    log: tuple[str, ...] = ()
    call: int | None = None


class ClientUnderTest(Protocol):
    """The methods the suite calls, each sync or async; only `create_connection` is required.

    An exception of any type is the client's way to report an error. What is missing is
    reported as unsupported.
    """

    def create_connection(self, connection: NewConnection) -> Mapping[str, Any]:
        """Creates it; returns {"id": "…", "etag": "\\"…\\""}, etag None where none was sent."""

    def get_connection(self, connection_id: str) -> Mapping[str, Any]:
        """The connection itself, out of its envelope."""

    def list_connections(
        self, *, limit: int | None = None, property: Sequence[str] = (), orderby: str | None = None
    ) -> Iterable[Mapping[str, Any]]:
        """Every item of every page; `limit` is the page size, `property` never a bare string."""

    def count_connections(self, *, property: Sequence[str] = ()) -> int:
        """How many connections match."""

    def update_connection(
        self, connection_id: str, etag: str, operations: Sequence[Mapping[str, Any]]
    ) -> Mapping[str, Any]:
        """Applies JSON Patch operations if `etag` is current; returns {"id", "etag"}."""

    def delete_connection(self, connection_id: str) -> None:
        """Deletes it."""

    def test_connection(self, connection_id: str) -> bool:
        """Whether the service could use the connection's credentials."""

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
        """The answer's document."""

    def close(self) -> None:
        """Optional."""


OPERATIONS = (
    "create_connection",
    "get_connection",
    "list_connections",
    "count_connections",
    "update_connection",
    "delete_connection",
    "test_connection",
    "explore_connection",
)
