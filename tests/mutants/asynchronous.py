"""Mutants that await: faults that come with an event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from aepmock.client_api import ClientSettings, NewConnection
from aepmock.clients.reference import AsyncReferenceClient
from aepmock.judge.answers import BAD_SUCCESSES, REFUSALS
from tests.mutants.registry import breaks

Operations = Sequence[Mapping[str, Any]]


@breaks(
    "connections.create.one-post",
    # Where one of the two is not answered, the other one has worked.
    also=("retries.lost-answer", "answers.success"),
)
class gathers_a_create_twice(AsyncReferenceClient):
    """Races two tries and takes the first answer."""

    async def create_connection(self, connection: NewConnection) -> dict[str, Any]:
        await self.sign_in()
        request = self.create_request(connection)
        answers = await asyncio.gather(self.send(request), self.send(request))
        return self.read_created(answers[0])


@breaks(
    "connections.update.conflict-reported",
    # Whatever the answer is, nobody is there to hear it.
    also=(
        *REFUSALS,
        *BAD_SUCCESSES,
        "connections.update.sent",
        "connections.update.returns-etag",
        "connections.update.concurrent",
    ),
)
class updates_in_a_task_that_nobody_awaits(AsyncReferenceClient):
    """The caller hears of success before anything was sent."""

    def __init__(self, settings: ClientSettings) -> None:
        super().__init__(settings)
        self._tasks: set[asyncio.Task[Any]] = set()

    async def update_connection(
        self, connection_id: str, etag: str, operations: Operations
    ) -> dict[str, Any]:
        if not connection_id:
            raise ValueError("no id")
        task = asyncio.create_task(super().update_connection(connection_id, etag, operations))
        self._tasks.add(task)
        return {"id": connection_id, "etag": etag}

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await super().close()


@breaks("connections.list.all-pages")
class returns_a_page_instead_of_a_list(AsyncReferenceClient):
    async def list_connections(self, **wanted: Any) -> Any:  # type: ignore[override]
        await self.sign_in()
        request = self.list_request(
            wanted.get("limit"), wanted.get("property", ()), wanted.get("orderby")
        )
        return self.read_items(await self.send(request))


@breaks("ims.token.reuse")
class signs_in_for_every_call(AsyncReferenceClient):
    async def sign_in(self) -> None:
        self._minted = self.read_token(await self.send(self.token_request()))
