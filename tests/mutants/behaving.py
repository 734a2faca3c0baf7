"""Mutants of family 3: methods that do not work at all, and that do not leave the process alone."""

from __future__ import annotations

import locale
import os
import signal
import socket
import ssl
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx

from aepmock.client_api import ClientSettings, NewConnection
from aepmock.clients.reference import Answer, AsyncReferenceClient, ReferenceClient
from aepmock.errors import ClientError
from tests.mutants.registry import breaks


@breaks("answers.good")
class has_nothing_but_stubs:
    """Every method is there, and none is written."""

    def __init__(self, settings: ClientSettings) -> None:
        self.settings = settings

    def create_connection(self, connection: NewConnection) -> Any:
        raise NotImplementedError

    def get_connection(self, connection_id: str) -> Any:
        raise NotImplementedError

    def delete_connection(self, connection_id: str) -> None:
        raise RuntimeError("not yet")


@breaks("answers.good")
class waits_for_what_never_comes(ReferenceClient):
    """As a client does that waits for a lock which it holds itself."""

    def get_connection(self, connection_id: str) -> dict[str, Any]:
        threading.Event().wait()
        return super().get_connection(connection_id)


@breaks("answers.good")
class lists_by_an_attribute_that_is_not_there(ReferenceClient):
    def list_connections(self, **wanted: Any) -> Any:
        yield from self.pages(**wanted)  # type: ignore[attr-defined]


@breaks("answers.good")
class fails_after_each_201(ReferenceClient):
    def read_created(self, answer: Answer) -> dict[str, Any]:
        created = super().read_created(answer)
        raise RuntimeError(f"can't remember {created['id']}: no storage")


@breaks("answers.good")
class fails_in_the_middle_of_a_list(ReferenceClient):
    def list_connections(self, **wanted: Any) -> Iterator[dict[str, Any]]:
        for item in super().list_connections(**wanted):
            yield item
            raise RuntimeError("the cursor is gone")


@breaks("answers.good")
class awaits_what_can_not_be_awaited(AsyncReferenceClient):
    async def get_connection(self, connection_id: str) -> dict[str, Any]:
        return await self.get_request(connection_id)  # type: ignore[misc, no-any-return]


@breaks("answers.good")
class reports_every_error_alike(ReferenceClient):
    """An adapter that calls a method of the client by a name that it has not."""

    def count_connections(self, **wanted: Any) -> int:
        try:
            return int(self.counted(**wanted))  # type: ignore[attr-defined]
        except Exception as error:
            raise ClientError("the count failed", status=500) from error


@breaks("errors.status", also=("errors.code",))
class takes_every_refusal_for_a_dict(ReferenceClient):
    """Its KeyError tells nobody that there is no such connection."""

    def get_connection(self, connection_id: str) -> dict[str, Any]:
        answer = self.send(self.get_request(connection_id))
        item: dict[str, Any] = answer.json()["items"][0]
        return item


@breaks("errors.status", also=("errors.code", "connections.update.conflict-reported"))
class fails_while_it_tells_of_a_refusal(ReferenceClient):
    """The response hangs on the context of an AttributeError, where nobody looks for it."""

    def checked(self, answer: Answer) -> Answer:
        try:
            answer.raise_for_status()
        except httpx.HTTPStatusError as error:
            raise ClientError(error.reason) from error  # type: ignore[attr-defined]
        return answer


@breaks("answers.exit")
class ends_the_program_at_a_refusal(ReferenceClient):
    def error(self, answer: Answer) -> Any:
        sys.exit(f"refused: {answer.status_code}")


@breaks("answers.exit")
class interrupts_its_caller(ReferenceClient):
    """On a good answer: it is not called again."""

    def test_connection(self, connection_id: str) -> bool:
        raise KeyboardInterrupt


@breaks("answers.exit")
class quits_when_it_is_closed(AsyncReferenceClient):
    async def close(self) -> None:
        await super().close()
        raise SystemExit


@breaks("answers.process")
class goes_to_a_folder_of_its_own(ReferenceClient):
    def create_connection(self, connection: NewConnection) -> dict[str, Any]:
        os.chdir(Path.home())
        return super().create_connection(connection)


@breaks("answers.process")
class sets_a_timeout_for_everyone(ReferenceClient):
    def __init__(self, settings: ClientSettings) -> None:
        super().__init__(settings)
        socket.setdefaulttimeout(settings.timeout_s + 1)


@breaks("answers.process")
class catches_what_nobody_catches(ReferenceClient):
    def get_connection(self, connection_id: str) -> dict[str, Any]:
        sys.excepthook = lambda *_: None
        return super().get_connection(connection_id)


@breaks("answers.process")
class takes_a_signal_for_itself(ReferenceClient):
    def __init__(self, settings: ClientSettings) -> None:
        super().__init__(settings)
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, lambda *_: None)


@breaks("answers.process")
class verifies_nothing_for_anyone(AsyncReferenceClient):
    async def list_connections(self, **wanted: Any) -> Any:
        ssl._create_default_https_context = ssl._create_unverified_context  # type: ignore[assignment]
        async for item in super().list_connections(**wanted):
            yield item


@breaks("answers.process")
class writes_numbers_its_own_way(ReferenceClient):
    def count_connections(self, **wanted: Any) -> int:
        before = locale.setlocale(locale.LC_ALL)
        locale.setlocale(locale.LC_ALL, "C" if before != "C" else "C.UTF-8")
        return super().count_connections(**wanted)


@breaks("answers.threads")
class looks_after_its_token_for_ever(ReferenceClient):
    def __init__(self, settings: ClientSettings) -> None:
        super().__init__(settings)
        threading.Thread(target=self._look_after, daemon=True).start()

    def _look_after(self) -> None:
        while True:
            time.sleep(60)


@breaks("answers.threads")
class keeps_its_pool(ReferenceClient):
    def __init__(self, settings: ClientSettings) -> None:
        super().__init__(settings)
        self._pool = ThreadPoolExecutor(1)
        self._pool.submit(self.token)
