"""aepp 0.6.0, the Python library for Adobe Experience Platform, as a client under test.

    pip install aepp==0.6.0
    aepmock judge examples.aepp_client:client --transport server

The adapter translates names, arguments and results, and leaves aepp's behaviour as it is. Before
you read the verdicts:

- aepp reports most errors by returning the error's body. The adapter returns what aepp returned,
  so a method here may hand out something else than its annotation says.
- aepp fetches its own token from `ims_token_url`, when the client is made. `access_token` stays
  unused: `configure(accesstoken=...)` ends in KeyError: 'connectionType'.
- aepp has no timeout and verifies no certificate: `timeout_s` and `ca_file` have nowhere to go.
- aepp sleeps for real between its retries, and repeats a GET whose answer is not JSON every two
  seconds without end. Run it under a deadline.
- In process, under `responses`, aepp's session neither waits for Retry-After nor repeats a request
  whose connection broke. Through the server transport it does both.
- aepp offers no explore, so explore_connection is missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import aepp
from aepp.flowservice import FlowService

if TYPE_CHECKING:
    from aepmock import ClientSettings, NewConnection


def client(settings: ClientSettings) -> AeppClient:
    """Return a client with a configuration, a session and a token of its own."""
    # connectInstance is aepp's documented way to work with several organisations or sandboxes.
    connection = aepp.configure(
        org_id=settings.ims_org_id,
        client_id=settings.client_id,
        secret=settings.client_secret,
        scopes=settings.scopes,
        sandbox=settings.sandbox_name,
        connectInstance=True,
    )
    # aepp's users have an option for neither address. FlowService reads both while it is made: the
    # token's from its connection, the service's from the module, whatever connection it was given.
    connection.getConfigObject()["oauthTokenEndpointV2"] = settings.ims_token_url
    flow_path: str = aepp.config.endpoints["flow"]
    aepp.config.endpoints["global"] = settings.base_url.removesuffix(flow_path)
    # aepp knows one name for API key and client id; what else is passed here becomes a header.
    return AeppClient(FlowService(config=connection, **{"x-api-key": settings.api_key}))


class AeppClient:
    """FlowService's methods on connections under the names that the suite calls."""

    def __init__(self, service: FlowService) -> None:
        self._service = service

    def __repr__(self) -> str:
        # The suite looks for secrets in a client's repr, so it has to be aepp's own.
        return repr(self._service)

    def create_connection(self, connection: NewConnection) -> Mapping[str, Any]:
        spec = {"id": connection.connection_spec_id}
        if connection.connection_spec_version is not None:
            spec["version"] = connection.connection_spec_version
        data: dict[str, Any] = {"name": connection.name, "connectionSpec": spec}
        if connection.description is not None:
            data["description"] = connection.description
        if connection.auth_spec_name is not None:
            data["auth"] = {
                "specName": connection.auth_spec_name,
                "params": dict(connection.auth_params),
            }
        answer: Mapping[str, Any] = self._service.createConnection(data=data)
        return answer

    def get_connection(self, connection_id: str) -> Mapping[str, Any]:
        answer: Mapping[str, Any] = self._service.getConnection(connection_id)
        return answer

    def list_connections(
        self,
        *,
        limit: int | None = None,
        property: Sequence[str] = (),
        orderby: str | None = None,
    ) -> Iterable[Mapping[str, Any]]:
        query: dict[str, Any] = {}
        if limit is not None:
            query["limit"] = limit
        if property:
            query["property"] = list(property)
        if orderby is not None:
            query["orderby"] = orderby
        # "inf" is aepp's documented word for every page; left out, it stops after 100 items.
        answer: Iterable[Mapping[str, Any]] = self._service.getConnections(n_results="inf", **query)
        return answer

    def count_connections(
        self,
        *,
        property: Sequence[str] = (),
    ) -> int:
        query: dict[str, Any] = {"property": list(property)} if property else {}
        answer: int = _field(self._service.getConnections(count=True, **query), "count")
        return answer

    def update_connection(
        self,
        connection_id: str,
        etag: str,
        operations: Sequence[Mapping[str, Any]],
    ) -> Mapping[str, Any]:
        # aepp reads the connection itself and sends the etag that it finds there.
        patch = [dict(operation) for operation in operations]
        answer: Mapping[str, Any] = self._service.patchConnection(connection_id, patch)
        return answer

    def delete_connection(self, connection_id: str) -> Any:
        answer = self._service.deleteConnection(connection_id)
        # aepp returns a success as the number of its status, where the suite expects None. Any
        # other number is no success: an error whose body aepp could not read.
        return None if isinstance(answer, int) and 200 <= answer < 300 else answer

    def test_connection(self, connection_id: str) -> bool:
        answer: bool = _field(self._service.connectionTest(connection_id), "result")
        return answer


def _field(answer: Any, name: str) -> Any:
    """Return the field of that name, or else all that aepp returned, such as an error's body."""
    return answer[name] if isinstance(answer, dict) and name in answer else answer
