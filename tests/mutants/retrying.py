"""Mutants of family 7: repeats that do harm, waits that are too short or have no end."""

from __future__ import annotations

import time
from typing import Any

import httpx

from aepmock.client_api import ClientSettings, NewConnection
from aepmock.clients.reference import Answer, AsyncReferenceClient, MintingClient, ReferenceClient
from aepmock.errors import ClientError
from tests.correct_clients.requests_session import FlowService
from tests.mutants.registry import breaks


@breaks("retries.lost-answer")
class repeats_whatever_was_not_answered(ReferenceClient):
    def send(self, request: httpx.Request) -> Answer:
        try:
            return super().send(request)
        except httpx.TransportError:
            return super().send(request)


@breaks("retries.lost-answer")
class repeats_a_create_after_a_pause(AsyncReferenceClient):
    async def create_connection(self, connection: NewConnection) -> dict[str, Any]:
        try:
            return await super().create_connection(connection)
        except httpx.ReadError:
            return await super().create_connection(connection)


@breaks("retries.lost-answer", also=("connections.create.one-post",))
def lets_urllib3_repeat_everything(settings: ClientSettings) -> Any:
    """As an adapter with Retry(allowed_methods=None) does."""
    from requests.adapters import HTTPAdapter
    from urllib3.util import Retry

    made = FlowService(settings)
    retry = Retry(2, status_forcelist=(503,), allowed_methods=None, raise_on_status=False)
    for scheme in ("http://", "https://"):
        made._session.mount(scheme, HTTPAdapter(max_retries=retry))
    return made


@breaks("retries.no-answer")
class takes_no_answer_for_an_empty_one(ReferenceClient):
    def list_connections(self, **wanted: Any) -> Any:
        try:
            return list(super().list_connections(**wanted))
        except httpx.TransportError:
            return []


@breaks("retries.no-answer")
class hopes_that_a_deletion_worked(ReferenceClient):
    def delete_connection(self, connection_id: str) -> None:
        try:
            super().delete_connection(connection_id)
        except httpx.NetworkError:
            return


@breaks("retries.bounded", also=("errors.service",))
class reads_until_it_works(ReferenceClient):
    def test_connection(self, connection_id: str) -> bool:
        while True:
            answer = self.send(self.test_request(connection_id))
            if answer.status_code < 500:
                return self.read_tested(answer)
            time.sleep(1.0)


class _Repeating(ReferenceClient):
    """Repeats a GET that was refused for now, once."""

    def send(self, request: httpx.Request) -> Answer:
        answer = super().send(request)
        if request.method == "GET" and answer.status_code in (429, 503):
            self.pause(answer)
            answer = super().send(request)
        return answer

    def pause(self, answer: Answer) -> None:
        raise NotImplementedError


@breaks("retries.retry-after")
class repeats_at_once(_Repeating):
    def pause(self, answer: Answer) -> None:
        pass


@breaks(
    "retries.retry-after",
    also=(
        "errors.code",
        "errors.status",
    ),
)
class takes_seconds_for_milliseconds(_Repeating):
    def pause(self, answer: Answer) -> None:
        time.sleep(int(answer.headers.get("Retry-After", "0")) / 1000)


@breaks("retries.fresh-token")
class signs_in_again_and_again(MintingClient):
    def send(self, request: httpx.Request) -> Answer:
        answer = super().send(request)
        for _ in range(4):
            if answer.status_code != 401 or "token" in str(request.url.path):
                break
            self._minted = None
            request.headers["Authorization"] = f"Bearer {self.token()}"
            answer = super().send(request)
        return answer


@breaks("retries.fresh-token")
class repeats_with_the_token_that_was_refused(ReferenceClient):
    def get_connection(self, connection_id: str) -> dict[str, Any]:
        for _ in range(3):
            try:
                return super().get_connection(connection_id)
            except ClientError as error:
                if error.status != 401:
                    raise
        return super().get_connection(connection_id)


@breaks("retries.gives-up")
class has_no_timeout(ReferenceClient):
    def __init__(self, settings: ClientSettings) -> None:
        super().__init__(settings)
        self.http.timeout = httpx.Timeout(None)


@breaks("retries.gives-up")
class has_no_timeout_for_reading(AsyncReferenceClient):
    def __init__(self, settings: ClientSettings) -> None:
        super().__init__(settings)
        self.http.timeout = httpx.Timeout(settings.timeout_s, read=None)


@breaks("retries.timeout")
class waits_four_times_as_long(ReferenceClient):
    def __init__(self, settings: ClientSettings) -> None:
        super().__init__(settings)
        self.http.timeout = httpx.Timeout(4 * settings.timeout_s)


@breaks("retries.gives-up")
class has_a_timeout_of_its_own(ReferenceClient):
    """Half a minute, whatever the caller wants."""

    def __init__(self, settings: ClientSettings) -> None:
        super().__init__(settings)
        self.http.timeout = httpx.Timeout(30)
