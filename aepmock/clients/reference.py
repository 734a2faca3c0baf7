"""The reference client, on httpx: what a client that meets every clause may look like.

`client` makes a synchronous one and `async_client` an asynchronous one; both fetch their own
token, once. `bearer_client` makes one that uses the token it is given.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import httpx

from aepmock.client_api import ClientSettings, NewConnection
from aepmock.clients.reference_messages import Answer, Messages
from aepmock.errors import ClientError

__all__ = [
    "Answer",
    "AsyncReferenceClient",
    "MintingClient",
    "ReferenceClient",
    "async_client",
    "bearer_client",
    "client",
    "trust",
]


def trust(ca_file: str | None) -> ssl.SSLContext:
    """What to verify a server's certificate against: the given CA, else the usual ones."""
    return ssl.create_default_context(cafile=ca_file) if ca_file else _usual_trust()


@cache
def _usual_trust() -> ssl.SSLContext:
    """Read once: that takes as long as a hundred calls."""
    return httpx.create_ssl_context()


class ReferenceClient(Messages):
    """A synchronous client. Raises ClientError for every refusal."""

    def __init__(self, settings: ClientSettings) -> None:
        super().__init__(settings)
        self.http: httpx.Client = httpx.Client(
            verify=trust(settings.ca_file), timeout=settings.timeout_s
        )

    def send(self, request: httpx.Request) -> Answer:
        return self.http.send(request)

    def create_connection(self, connection: NewConnection) -> dict[str, Any]:
        return self.read_created(self.send(self.create_request(connection)))

    def get_connection(self, connection_id: str) -> dict[str, Any]:
        return self.read_one(self.send(self.get_request(connection_id)))

    def list_connections(
        self, *, limit: int | None = None, property: Sequence[str] = (), orderby: str | None = None
    ) -> Iterator[dict[str, Any]]:
        request = self.list_request(limit, property, orderby)
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
            request = self.next_request(href)

    def count_connections(self, *, property: Sequence[str] = ()) -> int:
        return self.read_count(self.send(self.count_request(property)))

    def update_connection(
        self, connection_id: str, etag: str, operations: Sequence[Mapping[str, Any]]
    ) -> dict[str, Any]:
        answer = self.send(self.update_request(connection_id, etag, operations))
        return self.read_updated(answer)

    def delete_connection(self, connection_id: str) -> None:
        self.checked(self.send(self.delete_request(connection_id)))

    def test_connection(self, connection_id: str) -> bool:
        return self.read_tested(self.send(self.test_request(connection_id)))

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
        request = self.explore_request(
            connection_id, object_type, object, file_type, preview, source_params
        )
        return self.document(self.send(request))

    def close(self) -> None:
        self.http.close()


class MintingClient(ReferenceClient):
    """A synchronous client that fetches its own token, once. Source: DEVC."""

    def __init__(self, settings: ClientSettings) -> None:
        super().__init__(settings)
        self._minted: str | None = None

    def token(self) -> str:
        if self._minted is None:
            self._minted = self.read_token(self.send(self.token_request()))
        return self._minted


class AsyncReferenceClient(Messages):
    """An asynchronous client that fetches its own token. Raises ClientError for every refusal."""

    def __init__(self, settings: ClientSettings) -> None:
        super().__init__(settings)
        self.http: httpx.AsyncClient = httpx.AsyncClient(
            verify=trust(settings.ca_file), timeout=settings.timeout_s
        )
        self._minted: str | None = None
        self._signing_in = asyncio.Lock()

    def token(self) -> str:
        assert self._minted is not None, "sign_in comes before every request"
        return self._minted

    async def sign_in(self) -> None:
        """Fetches the token, once, however many tasks want it at the same time."""
        async with self._signing_in:
            if self._minted is None:
                self._minted = self.read_token(await self.send(self.token_request()))

    async def send(self, request: httpx.Request) -> Answer:
        return await self.http.send(request)

    async def create_connection(self, connection: NewConnection) -> dict[str, Any]:
        await self.sign_in()
        return self.read_created(await self.send(self.create_request(connection)))

    async def get_connection(self, connection_id: str) -> dict[str, Any]:
        await self.sign_in()
        return self.read_one(await self.send(self.get_request(connection_id)))

    async def list_connections(
        self, *, limit: int | None = None, property: Sequence[str] = (), orderby: str | None = None
    ) -> AsyncIterator[dict[str, Any]]:
        await self.sign_in()
        request = self.list_request(limit, property, orderby)
        seen: set[str] = set()
        while True:
            answer = await self.send(request)
            for item in self.read_items(answer):
                yield item
            href = self.read_next(answer)
            if href is None:
                return
            if href in seen:
                raise ClientError("the next link leads in a circle")
            seen.add(href)
            request = self.next_request(href)

    async def count_connections(self, *, property: Sequence[str] = ()) -> int:
        await self.sign_in()
        return self.read_count(await self.send(self.count_request(property)))

    async def update_connection(
        self, connection_id: str, etag: str, operations: Sequence[Mapping[str, Any]]
    ) -> dict[str, Any]:
        await self.sign_in()
        answer = await self.send(self.update_request(connection_id, etag, operations))
        return self.read_updated(answer)

    async def delete_connection(self, connection_id: str) -> None:
        await self.sign_in()
        self.checked(await self.send(self.delete_request(connection_id)))

    async def test_connection(self, connection_id: str) -> bool:
        await self.sign_in()
        return self.read_tested(await self.send(self.test_request(connection_id)))

    async def explore_connection(
        self,
        connection_id: str,
        *,
        object_type: str,
        object: str | None = None,
        file_type: str | None = None,
        preview: bool | None = None,
        source_params: Mapping[str, Any] | None = None,
    ) -> Any:
        await self.sign_in()
        request = self.explore_request(
            connection_id, object_type, object, file_type, preview, source_params
        )
        return self.document(await self.send(request))

    async def close(self) -> None:
        await self.http.aclose()


def client(settings: ClientSettings) -> ReferenceClient:
    """The factory of the synchronous client."""
    return MintingClient(settings)


def bearer_client(settings: ClientSettings) -> ReferenceClient:
    """The factory of a synchronous client that uses the token it is given."""
    return ReferenceClient(settings)


def async_client(settings: ClientSettings) -> AsyncReferenceClient:
    """The factory of the asynchronous client."""
    return AsyncReferenceClient(settings)
