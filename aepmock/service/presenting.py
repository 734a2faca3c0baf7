"""How a connection looks to those who read it."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

from aepmock.service.store import Connection

if TYPE_CHECKING:
    from aepmock.service.engine import FlowService


def present(service: FlowService, connection: Connection) -> dict[str, Any]:
    """The connection as the service's own side sees it, whatever a read would hide."""
    settle(service, connection)
    return deepcopy(connection.item(frozenset(), "returned"))


def settle(service: FlowService, connection: Connection) -> None:
    """Ends the initializing state once its time is over."""
    until = connection.initializing_until_ms
    if connection.state == "initializing" and until and service.clock.now_ms() >= until:
        connection.state = "enabled"


def item(service: FlowService, connection: Connection) -> dict[str, Any]:
    """The connection as a client reads it."""
    settle(service, connection)
    secrets = service.contract.secret_names
    return connection.item(secrets, service.readings["connections.secrets-on-read"])
