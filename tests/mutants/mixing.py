"""Mutants of family 9: clients that share what should be each one's own."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import httpx

from aepmock.client_api import ClientSettings
from aepmock.clients.reference import Answer, AsyncReferenceClient, ReferenceClient
from tests.mutants.registry import breaks

HEADERS = ("request.authorization", "request.api-key", "request.ims-org", "request.sandbox")
"""What a request with another client's headers breaks besides."""
AT_A_TIME = ("independence.threads", "independence.tasks")


@breaks(
    "independence.in-turn", also=(*HEADERS, *AT_A_TIME, "lifecycle.lists", "lifecycle.isolation")
)
class keeps_its_settings_in_the_module(ReferenceClient):
    """The client that was made last decides for all."""

    newest: ClassVar[dict[str, str]] = {}

    def __init__(self, settings: ClientSettings) -> None:
        super().__init__(settings)
        self.newest.update(super().headers())

    def headers(self) -> dict[str, str]:
        return dict(self.newest)


@breaks(
    "independence.in-turn",
    also=("request.sandbox", *AT_A_TIME, "lifecycle.lists", "lifecycle.isolation"),
)
class remembers_the_first_sandbox(ReferenceClient):
    """Looked up once, for all clients."""

    first: ClassVar[list[str]] = []

    def headers(self) -> dict[str, str]:
        headers = super().headers()
        self.first.append(headers["x-sandbox-name"])
        return {**headers, "x-sandbox-name": self.first[0]}

    def close(self) -> None:
        super().close()
        self.first.clear()


@breaks("independence.threads", also=(*HEADERS, "independence.tasks"))
class shares_a_session_between_threads(ReferenceClient):
    shared: ClassVar[dict[str, str]] = {}

    def send(self, request: httpx.Request) -> Answer:
        self.shared.update(self.headers())
        time.sleep(0.002)
        request.headers.update(self.shared)
        return super().send(request)


@breaks("independence.tasks", also=HEADERS)
class remembers_who_calls_across_an_await(AsyncReferenceClient):
    """For each thread; a loop's tasks are all in one."""

    current = threading.local()

    async def send(self, request: httpx.Request) -> Answer:
        if request.url.path.endswith("/token/v3"):
            return await super().send(request)
        self.current.headers = self.headers()
        await asyncio.sleep(0.002)
        request.headers.update(self.current.headers)
        return await super().send(request)


@breaks("independence.headers")
class adds_to_its_user_agent(ReferenceClient):
    def __init__(self, settings: ClientSettings) -> None:
        super().__init__(settings)
        self._agent = "acme/2.1"

    def headers(self) -> dict[str, str]:
        self._agent += " (connections)"
        return {**super().headers(), "User-Agent": self._agent}


@breaks("independence.headers")
class adds_a_header_with_each_call(ReferenceClient):
    def __init__(self, settings: ClientSettings) -> None:
        super().__init__(settings)
        self._trail: list[tuple[str, str]] = []

    def send(self, request: httpx.Request) -> Answer:
        self._trail.append(("Via", "1.1 acme"))
        request.headers = httpx.Headers([*request.headers.multi_items(), *self._trail])
        return super().send(request)


@breaks("independence.headers")
class sets_if_match_on_its_session(ReferenceClient):
    def update_connection(
        self, connection_id: str, etag: str, operations: Sequence[Mapping[str, Any]]
    ) -> dict[str, Any]:
        self.http.headers["If-Match"] = etag
        return super().update_connection(connection_id, etag, operations)
