"""Async clients, on httpx and aiohttp, with what goes wrong where tasks and caches meet."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from aepmock.client_api import ClientSettings, NewConnection
from tests.correct_clients.aiohttp_session import FlowService, Success
from tests.correct_clients.httpx_async import AsyncFlowService, FlowServiceError
from tests.mutants.layered_errors import REFUSALS
from tests.mutants.registry import breaks, correct


@breaks("errors.service", also=(*REFUSALS, "connections.delete.sent"))
class deletes_in_a_task_of_its_own(AsyncFlowService):
    """create_task, and nobody awaits it."""

    def __init__(self, settings: ClientSettings) -> None:
        super().__init__(settings)
        self._tasks: set[asyncio.Task[None]] = set()

    async def delete_connection(self, connection_id: str) -> None:
        self._url(connection_id)
        task = asyncio.create_task(self._quietly(connection_id))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _quietly(self, connection_id: str) -> None:
        with contextlib.suppress(Exception):
            await super().delete_connection(connection_id)

    async def close(self) -> None:
        await asyncio.gather(*self._tasks)
        await super().close()


@breaks("errors.service", also=(*REFUSALS, "retries.no-answer"))
class gathers_exceptions_as_results(AsyncFlowService):
    """gather(…, return_exceptions=True), and no look at what came back."""

    async def delete_connection(self, connection_id: str) -> None:
        self._url(connection_id)
        await asyncio.gather(super().delete_connection(connection_id), return_exceptions=True)


@breaks("retries.lost-answer")
class races_a_second_create(AsyncFlowService):
    """A hedged request: after half the timeout it sends the same again and takes the first."""

    def __init__(self, settings: ClientSettings) -> None:
        super().__init__(settings)
        self._patience = settings.timeout_s / 2

    async def create_connection(self, connection: NewConnection) -> Mapping[str, Any]:
        first = asyncio.ensure_future(super().create_connection(connection))
        done, _ = await asyncio.wait({first}, timeout=self._patience)
        if done:
            return await first
        second = asyncio.ensure_future(super().create_connection(connection))
        done, pending = await asyncio.wait({first, second}, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        return await done.pop()


@breaks("retries.no-answer")
class forgets_a_page_that_is_late(AsyncFlowService):
    """Collects in the background, up to a time, and gives what it has."""

    async def list_connections(
        self, *, limit: int | None = None, property: Sequence[str] = (), orderby: str | None = None
    ) -> AsyncIterator[Mapping[str, Any]]:
        count = 0
        try:
            async for item in super().list_connections(
                limit=limit, property=property, orderby=orderby
            ):
                count += 1
                yield item
        except FlowServiceError as trouble:
            if not count or trouble.status is not None:
                raise


@breaks("lifecycle.update-shows", also=("lifecycle.deleted-gone",))
class shares_reads_that_are_under_way(AsyncFlowService):
    """Single flight, whose flights never land: a later read gets the first one's answer."""

    def __init__(self, settings: ClientSettings) -> None:
        super().__init__(settings)
        self._flights: dict[str, asyncio.Future[Mapping[str, Any]]] = {}

    async def get_connection(self, connection_id: str) -> Mapping[str, Any]:
        flight = self._flights.get(connection_id)
        if flight is None or flight.cancelled() or (flight.done() and flight.exception()):
            flight = asyncio.ensure_future(super().get_connection(connection_id))
            self._flights[connection_id] = flight
        return await flight

    async def delete_connection(self, connection_id: str) -> None:
        self._flights.pop(connection_id, None)
        await super().delete_connection(connection_id)


@breaks("connections.update.if-match", transport="server")
class sends_if_match_as_a_parameter(FlowService):
    """On aiohttp: the header's name is a field of the operation instead."""

    async def _ask(self, method: str, url: Any, *, body: Any = None, **headers: str) -> Success:
        headers = {k: v for k, v in headers.items() if k.lower().replace("_", "-") != "if-match"}
        return await super()._ask(method, url, body=body, **headers)


@breaks("connections.create.name", transport="server")
class strips_zero_width_characters(FlowService):
    """On aiohttp: what nobody sees is taken out of the name."""

    async def create_connection(self, connection: NewConnection) -> dict[str, Any]:
        import dataclasses

        seen = connection.name.replace("\u200b", "").replace("\ufeff", "").replace("\u200d", "")
        return await super().create_connection(dataclasses.replace(connection, name=seen))


@correct()
class reads_before_it_writes(AsyncFlowService):
    """Looks at a connection before it changes or deletes it, and at the list before a create."""

    async def create_connection(self, connection: NewConnection) -> Mapping[str, Any]:
        await super().count_connections()
        return await super().create_connection(connection)

    async def update_connection(
        self, connection_id: str, etag: str, operations: Sequence[Mapping[str, Any]]
    ) -> Mapping[str, Any]:
        await super().get_connection(connection_id)
        return await super().update_connection(connection_id, etag, operations)

    async def delete_connection(self, connection_id: str) -> None:
        await super().get_connection(connection_id)
        await super().delete_connection(connection_id)
