"""Layered clients whose layer for retries, pages or sign-in is wrong."""

from __future__ import annotations

import concurrent.futures
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import httpx

from aepmock.client_api import ClientSettings
from tests.mutants.layered_errors import REFUSALS
from tests.mutants.layers_base import BUSY, FlowError, LayeredClient, Send, told
from tests.mutants.registry import breaks, correct


class _KeepsTrying(LayeredClient):
    """A retry layer that takes a request apart and makes it anew, for all that is sent."""

    def retry_layer(self, request: httpx.Request, send: Send) -> httpx.Response:
        answer = send(request)
        for _ in range(2):
            if answer.status_code != 429 or (pause := self.pause(answer)) > 10:
                break
            time.sleep(pause)
            answer = send(self.anew(request))
        return answer

    def anew(self, request: httpx.Request) -> httpx.Request:
        return httpx.Request(
            request.method, request.url, headers=request.headers, content=request.content
        )


class _SignsInAgain(LayeredClient):
    """An auth layer that makes the request anew after a 401."""

    def auth_layer(self, request: httpx.Request, send: Send) -> httpx.Response:
        answer = send(self.signed(request))
        if answer.status_code == 401 and told(answer).error_code == "401013":
            self._token = None
            answer = send(self.signed(self.anew(request)))
        return answer

    def anew(self, request: httpx.Request) -> httpx.Request:
        return httpx.Request(
            request.method, request.url, headers=request.headers, content=request.content
        )


@breaks("connections.create.json-body", also=("connections.update.operations",))
class sends_an_empty_body_the_second_time(_KeepsTrying):
    """The body was a stream, and is used up after a 429."""

    def anew(self, request: httpx.Request) -> httpx.Request:
        headers = {k: v for k, v in request.headers.items() if k.lower() != "content-length"}
        return httpx.Request(request.method, request.url, headers=headers, content=b"")


@breaks("connections.update.if-match")
class forgets_if_match_the_second_time(_KeepsTrying):
    def anew(self, request: httpx.Request) -> httpx.Request:
        request = super().anew(request)
        request.headers.pop("If-Match", None)
        return request


@breaks("connections.update.if-match")
class forgets_if_match_after_signing_in_again(_SignsInAgain):
    def anew(self, request: httpx.Request) -> httpx.Request:
        request = super().anew(request)
        request.headers.pop("If-Match", None)
        return request


@breaks("request.sandbox")
class forgets_the_sandbox_after_signing_in_again(_SignsInAgain):
    """The second request has the headers of the session and no others."""

    def anew(self, request: httpx.Request) -> httpx.Request:
        request = super().anew(request)
        request.headers.pop("x-sandbox-name", None)
        return request


@breaks(
    "connections.list.property",
    also=(
        "connections.explore.object-type",
        "connections.count.property",
        "connections.count.asked-for",
        "answers.success",
    ),
)
class forgets_the_query_the_second_time(_KeepsTrying):
    def anew(self, request: httpx.Request) -> httpx.Request:
        return httpx.Request(
            request.method,
            request.url.copy_with(query=None),
            headers=request.headers,
            content=request.content,
        )


@breaks("request.query-parameters")
class adds_a_counter_to_what_it_sends_again(_KeepsTrying):
    def anew(self, request: httpx.Request) -> httpx.Request:
        url = request.url.copy_add_param("retry", "1")
        return httpx.Request(request.method, url, headers=request.headers, content=request.content)


@breaks("connections.create.one-post")
class posts_again_after_a_503_with_retry_after(LayeredClient):
    """Takes a Retry-After for leave to repeat anything."""

    def again(self, request: httpx.Request, answer: httpx.Response) -> bool:
        asked = "Retry-After" in answer.headers
        return answer.status_code in BUSY and (request.method == "GET" or asked)


@breaks("connections.create.one-post")
class posts_again_after_a_500_only(LayeredClient):
    def again(self, request: httpx.Request, answer: httpx.Response) -> bool:
        posted = request.method == "POST" and answer.status_code == 500
        return posted or super().again(request, answer)


@breaks("retries.lost-answer")
class posts_again_when_the_line_is_cut(LayeredClient):
    """RemoteProtocolError: the server closed the connection without an answer."""

    def retry_layer(self, request: httpx.Request, send: Send) -> httpx.Response:
        try:
            return super().retry_layer(request, send)
        except httpx.RemoteProtocolError:
            return super().retry_layer(request, send)


@breaks("retries.lost-answer")
class posts_again_when_reading_fails(LayeredClient):
    """ReadError and ReadTimeout, but not RemoteProtocolError."""

    def retry_layer(self, request: httpx.Request, send: Send) -> httpx.Response:
        try:
            return super().retry_layer(request, send)
        except httpx.ReadError:
            return super().retry_layer(request, send)


@breaks("retries.retry-after")
class takes_retry_after_for_milliseconds(LayeredClient):
    def pause(self, answer: httpx.Response) -> float:
        return super().pause(answer) / 1000


@breaks("retries.retry-after")
class knows_no_dates_in_retry_after(LayeredClient):
    """A date is waited for a tenth of a second."""

    def pause(self, answer: httpx.Response) -> float:
        asked = answer.headers.get("Retry-After", "0")
        return float(asked) if asked.isdigit() else 0.1


@breaks("errors.status", also=("errors.code",))
class fails_at_a_date_in_retry_after(LayeredClient):
    """ValueError, and the 429 is lost."""

    def pause(self, answer: httpx.Response) -> float:
        return float(answer.headers.get("Retry-After", 0.05))


@breaks("retries.retry-after")
class waits_a_second_at_most(LayeredClient):
    def pause(self, answer: httpx.Response) -> float:
        return min(super().pause(answer), 1.0)


@breaks("errors.service")
class returns_nothing_after_the_last_try(LayeredClient):
    """The loop falls through: for reads of what stays unavailable the answer is None."""

    def get_connection(self, connection_id: str) -> Any:
        for _ in range(3):
            try:
                return super().get_connection(connection_id)
            except FlowError as trouble:
                if trouble.status_code != 503:
                    raise
        return None


@breaks(
    "errors.service",
    also=(
        "retries.no-answer",
        "errors.gateway",
    ),
)
class ends_the_list_when_a_later_page_fails(LayeredClient):
    """What was read so far is given for the whole."""

    def pages(self, query: Sequence[tuple[str, str]]) -> Iterator[httpx.Response]:
        count = 0
        try:
            for page in super().pages(query):
                count += 1
                yield page
        except (FlowError, httpx.TransportError):
            if not count:
                raise


@breaks("connections.list.stops", also=("connections.list.each-once",))
class reads_ahead_after_the_last_page(LayeredClient):
    """Asks for the last page again, to see whether anything has changed meanwhile."""

    def pages(self, query: Sequence[tuple[str, str]]) -> Iterator[httpx.Response]:
        href = None
        for page in super().pages(query):
            yield page
            href = self.following(page) or href
        if href:
            self.call("GET", href)


@correct()
class keeps_nothing_of_the_link_but_its_token(LayeredClient):
    """The token knows the filters: the only documented link holds nothing else."""

    def following(self, page: httpx.Response) -> str | None:
        href = super().following(page)
        if href is None:
            return None
        params = httpx.URL("http://x" + href).params
        return f"/connections?{httpx.QueryParams(continuationToken=params['continuationToken'])}"


@breaks("errors.service", also=(*REFUSALS, "retries.no-answer"))
class deletes_in_the_background(LayeredClient):
    """Returns at once; nobody ever looks at what came of it."""

    def __init__(self, settings: ClientSettings) -> None:
        super().__init__(settings)
        self._pool = concurrent.futures.ThreadPoolExecutor(1)

    def delete_connection(self, connection_id: str) -> None:
        path = self.path(connection_id)
        self.headers()
        concurrent.futures.wait([self._pool.submit(self.call, "DELETE", path)], timeout=1)

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)
        super().close()


@breaks("errors.empty-body")
class takes_all_below_400_for_done(LayeredClient):
    """As `ok` of requests does: a 304 of a deletion."""

    def delete_connection(self, connection_id: str) -> None:
        request = self.http.build_request(
            "DELETE", self.settings.base_url + self.path(connection_id), headers=self.headers()
        )
        answer = self.send(request)
        if answer.status_code >= 400:
            raise told(answer)


@breaks("connections.delete.sent")
class looks_before_it_deletes(LayeredClient):
    """And is content where there is nothing."""

    def delete_connection(self, connection_id: str) -> None:
        try:
            self.get_connection(connection_id)
        except FlowError as trouble:
            if trouble.status_code == 404:
                return
            raise
        super().delete_connection(connection_id)


@breaks("ims.token.reuse")
class takes_seconds_for_milliseconds(LayeredClient):
    """A token of a day is of 86 seconds, less five minutes for safety."""

    def __init__(self, settings: ClientSettings) -> None:
        super().__init__(settings)
        self._until = 0.0

    def token(self) -> str:
        if self._token is None or time.monotonic() >= self._until:
            answer = self.http.send(self.token_request())
            document = self.document(answer)
            token = document.get("access_token")
            if not isinstance(token, str):
                raise FlowError("no token", answer.status_code)
            self._token = token
            self._until = time.monotonic() + document.get("expires_in", 86399) / 1000 - 300
        return self._token


@breaks("request.authorization")
class goes_on_without_a_token(LayeredClient):
    """`Bearer None` is what a refusal of IMS becomes."""

    def fetch_token(self) -> str:
        answer = self.http.send(self.token_request())
        try:
            return str(answer.json().get("access_token"))
        except (ValueError, AttributeError):
            return "None"


@breaks("ims.token.credentials")
class asks_for_the_first_scope_only(LayeredClient):
    def token_request(self) -> httpx.Request:
        from urllib.parse import urlencode

        form = {
            "grant_type": "client_credentials",
            "client_id": self.settings.client_id,
            "client_secret": self.settings.client_secret,
            "scope": self.settings.scopes.split(",")[0],
        }
        return self.http.build_request(
            "POST",
            self.settings.ims_token_url,
            content=urlencode(form),
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        )


@breaks(
    "connections.update.no-blind-repeat",
    also=(
        "connections.update.etag-verbatim",
        "connections.update.no-lost-update",
        "connections.update.concurrent",
    ),
)
class repeats_an_update_with_a_star(LayeredClient):
    def update_connection(
        self, connection_id: str, etag: str, operations: Sequence[Mapping[str, Any]]
    ) -> dict[str, Any]:
        try:
            return super().update_connection(connection_id, etag, operations)
        except FlowError as trouble:
            if trouble.status_code != 412:
                raise
            return super().update_connection(connection_id, "*", operations)
