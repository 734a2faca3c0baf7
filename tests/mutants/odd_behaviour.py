"""Clients with unusual but legitimate habits: how they wait, repeat, log, redirect, share."""

from __future__ import annotations

import asyncio
import itertools
import logging
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar
from urllib.parse import urljoin

import httpx

from aepmock.client_api import ClientSettings, NewConnection
from aepmock.clients.reference import (
    Answer,
    AsyncReferenceClient,
    MintingClient,
    ReferenceClient,
    trust,
)
from aepmock.errors import ClientError
from tests.mutants.registry import correct


@correct()
class follows_redirects_of_reads_without_credentials(ReferenceClient):
    def send(self, request: httpx.Request) -> Answer:
        answer = super().send(request)
        if request.method == "GET" and answer.is_redirect and "Location" in answer.headers:
            return self.http.get(urljoin(str(request.url), answer.headers["Location"]))
        return answer


@correct()
class follows_next_links_anywhere_without_credentials(ReferenceClient):
    def next_request(self, href: str) -> httpx.Request:
        if href.startswith("/"):
            return super().next_request(href)
        return self.http.build_request("GET", href)


@correct()
class tells_what_it_does(ReferenceClient):
    """In the log, and once on standard error, without a secret."""

    def __init__(self, settings: ClientSettings) -> None:
        super().__init__(settings)
        self._said = False

    def send(self, request: httpx.Request) -> Answer:
        answer = super().send(request)
        said = f"{request.method} {request.url.path}: {answer.status_code}"
        if not self._said:
            print(said, file=sys.stderr)
            self._said = True
        shown = {n: v for n, v in request.headers.items() if n != "authorization"}
        logging.getLogger("acme").debug("%s %s %s…", said, shown, self.token()[:8])
        return answer


@dataclass
class Holder:
    """A client's credentials, which it has to keep somewhere."""

    token: str = field(repr=False)
    sandbox: str


@correct()
class keeps_its_token_in_a_field_without_repr(ReferenceClient):
    def __init__(self, settings: ClientSettings) -> None:
        super().__init__(settings)
        self.held = Holder(settings.access_token, settings.sandbox_name)

    def __repr__(self) -> str:
        return f"Client({self.held!r})"

    def token(self) -> str:
        return self.held.token


@correct()
class looks_before_a_second_create(ReferenceClient):
    """Whatever the first one came to: a refusal for now, or no answer."""

    def create_connection(self, connection: NewConnection) -> dict[str, Any]:
        try:
            return super().create_connection(connection)
        except (httpx.TransportError, ClientError) as error:
            if isinstance(error, ClientError) and (error.status or 0) < 500:
                raise
            time.sleep(0.5)
        for item in self.list_connections():
            if item["name"] == connection.name:
                return {"id": item["id"], "etag": item["etag"]}
        return super().create_connection(connection)


@correct()
class repeats_what_is_idempotent(ReferenceClient):
    """Reads and deletions, four times, with pauses that double; a deletion may find nothing."""

    def send(self, request: httpx.Request) -> Answer:
        if request.method not in ("GET", "DELETE"):
            return super().send(request)
        for pause_s in (0.5, 1.0, 2.0):
            try:
                answer = super().send(request)
            except httpx.TransportError:
                time.sleep(pause_s)
                continue
            if answer.status_code < 500:
                return answer
            time.sleep(max(pause_s, float(answer.headers.get("Retry-After", 0))))
        return super().send(request)


@correct()
class waits_by_the_clock(ReferenceClient):
    """Repeats for ten seconds, and looks at the clock all the time."""

    def send(self, request: httpx.Request) -> Answer:
        until_s = time.monotonic() + 10.0
        while True:
            answer = super().send(request)
            if request.method != "GET" or answer.status_code not in (429, 503):
                return answer
            asked = answer.headers.get("Retry-After", "0.3")
            if asked.endswith("GMT"):
                return answer  # a date, which it does not read
            go_on_s = time.monotonic() + float(asked)
            if go_on_s > until_s:
                return answer
            while time.monotonic() < go_on_s:
                time.sleep(0.05)


@correct()
class signs_in_once_more_when_the_token_is_refused(MintingClient):
    def send(self, request: httpx.Request) -> Answer:
        answer = super().send(request)
        if answer.status_code == 401 and "Authorization" in request.headers:
            self._minted = None
            request.headers["Authorization"] = f"Bearer {self.token()}"
            answer = super().send(request)
        return answer


@correct()
class shares_its_connections(ReferenceClient):
    """One pool for all objects, whose headers are each request's own."""

    pools: ClassVar[dict[str | None, httpx.Client]] = {}

    def __init__(self, settings: ClientSettings) -> None:
        super().__init__(settings)
        self.http = self.pools.setdefault(
            settings.ca_file, httpx.Client(verify=trust(settings.ca_file))
        )

    def send(self, request: httpx.Request) -> Answer:
        request.extensions["timeout"] = httpx.Timeout(self.settings.timeout_s).as_dict()
        return self.http.send(request)

    def close(self) -> None:
        """The pool stays open for the others."""


@correct()
class numbers_its_requests(ReferenceClient):
    def __init__(self, settings: ClientSettings) -> None:
        super().__init__(settings)
        self._numbers: Iterator[int] = itertools.count(8)

    def headers(self) -> dict[str, str]:
        return {**super().headers(), "x-request-number": str(next(self._numbers))}


@correct()
class asks_whether_anything_is_new(ReferenceClient):
    """With the etag of the last read: a header more from the second time on."""

    def __init__(self, settings: ClientSettings) -> None:
        super().__init__(settings)
        self._etags: dict[str, str] = {}

    def get_connection(self, connection_id: str) -> dict[str, Any]:
        request = self.get_request(connection_id)
        if connection_id in self._etags:
            request.headers["If-None-Match"] = self._etags[connection_id]
        item = self.read_one(self.send(request))
        if isinstance(item.get("etag"), str):
            self._etags[connection_id] = item["etag"]
        return item


@correct()
class runs_a_loop_in_every_call:
    """Looks synchronous; within, everything awaits."""

    def __init__(self, settings: ClientSettings) -> None:
        self._settings = settings

    def __getattr__(self, name: str) -> Any:
        if not name.endswith(("_connection", "_connections")):
            raise AttributeError(name)

        def call(*args: Any, **more: Any) -> Any:
            async def work() -> Any:
                client = AsyncReferenceClient(self._settings)
                client._minted = self._settings.access_token
                try:
                    if name == "list_connections":
                        return [item async for item in client.list_connections(*args, **more)]
                    return await getattr(client, name)(*args, **more)
                finally:
                    await client.close()

            return asyncio.run(work())

        return call


@correct()
class looks_now_and_then_whether_its_thread_is_done(ReferenceClient):
    """And gives up when that takes longer than its timeout."""

    def send(self, request: httpx.Request) -> Answer:
        with ThreadPoolExecutor(1) as pool:
            work = pool.submit(super().send, request)
            until_s = time.monotonic() + 2 * self.settings.timeout_s
            while not work.done() and time.monotonic() < until_s:
                time.sleep(0.001)
            if not work.done():
                raise TimeoutError("the thread did not come back")
            return work.result()


@correct()
class trims_its_header_values(ReferenceClient):
    """As the Fetch standard asks of every client that is built on fetch."""

    def __init__(self, settings: ClientSettings) -> None:
        trimmed = settings.sandbox_name.strip("\t\n\r ")
        super().__init__(replace(settings, sandbox_name=trimmed))
