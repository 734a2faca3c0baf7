"""The two operations of /connections that list: by GET, and by search.

They take what the other operations take. Of many connections they choose while others use the
service.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from aepmock.contract import Operation, json_response
from aepmock.messages import Request, Response
from aepmock.service import bodies, paging, store
from aepmock.service.gateway import Caller
from aepmock.service.presenting import item, settle
from aepmock.service.refusals import Refused
from aepmock.service.store import Connection

if TYPE_CHECKING:
    from aepmock.service.engine import FlowService

MANY = 1_000
"""Connections of which a list is made while others use the service."""


def list_(
    service: FlowService, request: Request, caller: Caller, operation: Operation, _: None
) -> Response | Callable[[], Response]:
    """GET /connections. Source: OAS listConnections, SORT."""
    given = paging.check_parameters(request, operation)
    query = paging.list_query(request, given, service.readings)
    return _listed(service, caller, query, "/connections")


def search(
    service: FlowService, request: Request, caller: Caller, operation: Operation, _: None
) -> Response | Callable[[], Response]:
    """POST /connections/search. Source: OAS getConnectionsByFilters."""
    given = paging.check_parameters(request, operation)
    if not request.body.strip():
        raise Refused("search.body-empty")
    document = bodies.document(request, "search.body-not-json")
    body = bodies.fitting(document, service.contract, "search-connections", "search.body-not-json")
    query = paging.search_query(body, given.get("continuationToken"), service.readings)
    return _listed(service, caller, query, "/connections/search")


def _listed(
    service: FlowService, caller: Caller, query: paging.ListQuery, path: str
) -> Response | Callable[[], Response]:
    """The list; of many connections, what is left to do once others may use the service."""
    found = list(service.store.at((caller.ims_org_id, caller.sandbox)))
    readings = service.readings
    secrets, treatment = service.contract.secret_names, readings["connections.secrets-on-read"]

    def present(page: Sequence[Connection]) -> list[dict[str, Any]]:
        with service.undisturbed():
            return [item(service, connection) for connection in page]

    def reader(field: str) -> Callable[[Connection], Any]:
        if field == "state":
            for connection in found:
                settle(service, connection)
        return store.reader(field, secrets, treatment)

    def answered() -> Response:
        if readings["connections.default-order"] == "newest-first":
            found.sort(key=attrgetter("change"), reverse=True)
        document = paging.answer(
            found,
            query,
            readings,
            path=path,
            cross_sandbox=caller.sandbox == "*",
            reader=reader,
            present=present,
        )
        return json_response(200, document)

    return answered if len(found) > MANY else answered()
