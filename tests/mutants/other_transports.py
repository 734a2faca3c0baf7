"""Layered clients on http.client and urllib3: what goes wrong where one sends by hand."""

from __future__ import annotations

import functools
import gzip
import http.client
import ssl
import time
from collections.abc import Callable
from typing import Any, TypeVar

import httpx
import urllib3

from aepmock.client_api import ClientSettings
from tests.mutants.layers_base import FlowError, LayeredClient
from tests.mutants.registry import breaks, correct

Call = TypeVar("Call", bound=Callable[..., Any])


def again_on(*kinds: type[Exception]) -> Callable[[Call], Call]:
    """The decorator of all decorators: tries twice more, whatever it was that failed."""

    def wrap(call: Call) -> Call:
        @functools.wraps(call)
        def tried(*args: Any, **kwargs: Any) -> Any:
            for _ in range(2):
                try:
                    return call(*args, **kwargs)
                except kinds:
                    time.sleep(0.01)
            return call(*args, **kwargs)

        return tried  # type: ignore[return-value]

    return wrap


class OverHttpClient(LayeredClient):
    """A connection for each request."""

    def through(self, depth: int, request: httpx.Request) -> httpx.Response:
        if depth < len(self.layers):
            return super().through(depth, request)
        return self.by_hand(request)

    def fetch_token(self) -> str:
        answer = self.by_hand(self.token_request())
        token = self.document(answer).get("access_token")
        if not isinstance(token, str):
            raise FlowError("no token", answer.status_code)
        return token

    def connect(self, url: httpx.URL) -> http.client.HTTPConnection:
        wait = self.settings.timeout_s
        if url.scheme != "https":
            return http.client.HTTPConnection(url.host, url.port or 80, timeout=wait)
        context = ssl.create_default_context(cafile=self.settings.ca_file)
        return http.client.HTTPSConnection(url.host, url.port or 443, timeout=wait, context=context)

    def by_hand(self, request: httpx.Request) -> httpx.Response:
        connection = self.connect(request.url)
        try:
            connection.request(
                request.method,
                request.url.raw_path.decode("ascii"),
                body=request.content or None,
                headers=self.wire_headers(request),
            )
            got = connection.getresponse()
            return self.made(got, self.octets(got))
        except (OSError, http.client.HTTPException) as trouble:
            raise FlowError(f"no answer: {type(trouble).__name__}") from trouble
        finally:
            connection.close()

    def wire_headers(self, request: httpx.Request) -> dict[str, str]:
        own = ("host", "content-length", "accept-encoding", "connection", "transfer-encoding")
        headers = {k: v for k, v in request.headers.items() if k.lower() not in own}
        if request.method in ("POST", "PATCH"):
            headers["Content-Length"] = str(len(request.content))
        return headers

    def octets(self, got: http.client.HTTPResponse) -> bytes:
        return got.read()

    def made(self, got: http.client.HTTPResponse, octets: bytes) -> httpx.Response:
        kept = [(k, v) for k, v in got.getheaders() if k.lower() != "content-encoding"]
        return httpx.Response(got.status, headers=kept, content=octets)


@correct(transport="server")
class a_connection_for_each_request(OverHttpClient):
    """http.client, without keep-alive."""


@breaks("answers.chunked", transport="server")
class reads_what_was_announced(OverHttpClient):
    """As many octets as Content-Length says; where there is none, what comes at once."""

    def octets(self, got: http.client.HTTPResponse) -> bytes:
        length = got.getheader("Content-Length")
        return got.read(int(length)) if length else got.read1(65536)


@breaks("answers.success", transport="server")
class reads_the_first_64_kb(OverHttpClient):
    """One read of a fixed size, enough for every answer that was tried."""

    def octets(self, got: http.client.HTTPResponse) -> bytes:
        return got.read(65536)


@breaks("answers.gzip", transport="server")
class cannot_undo_what_it_offers_in_parts(OverHttpClient):
    """Offers deflate too, and knows gzip only."""

    def wire_headers(self, request: httpx.Request) -> dict[str, str]:
        return {**super().wire_headers(request), "Accept-Encoding": "gzip, deflate"}

    def octets(self, got: http.client.HTTPResponse) -> bytes:
        octets = got.read()
        if got.getheader("Content-Encoding") == "gzip":
            return gzip.decompress(octets)
        if got.getheader("Content-Encoding"):
            raise FlowError("cannot be undone", got.status)
        return octets


@breaks("retries.no-answer", transport="server")
class takes_a_cut_answer_for_a_whole_one(OverHttpClient):
    """IncompleteRead holds what came: for a deletion that is enough."""

    def by_hand(self, request: httpx.Request) -> httpx.Response:
        try:
            return super().by_hand(request)
        except FlowError:
            if request.method == "DELETE":
                return httpx.Response(204)
            raise


@breaks("tls.wrong-host", transport="server")
class checks_no_names(OverHttpClient):
    def connect(self, url: httpx.URL) -> http.client.HTTPConnection:
        if url.scheme != "https":
            return super().connect(url)
        context = ssl.create_default_context(cafile=self.settings.ca_file)
        context.check_hostname = False
        return http.client.HTTPSConnection(
            url.host, url.port or 443, timeout=self.settings.timeout_s, context=context
        )


class Pooled(OverHttpClient):
    """A pool of connections that are kept open, by urllib3."""

    retries: Any = False

    def __init__(self, settings: ClientSettings) -> None:
        super().__init__(settings)
        self.pool = urllib3.PoolManager(ca_certs=settings.ca_file, maxsize=2)

    def by_hand(self, request: httpx.Request) -> httpx.Response:
        headers = {k: v for k, v in request.headers.items() if k.lower() != "host"}
        try:
            got = self.pool.request(
                request.method,
                str(request.url),
                body=request.content or None,
                headers=headers,
                retries=self.retries,
                redirect=False,
                timeout=self.settings.timeout_s,
            )
        except urllib3.exceptions.HTTPError as trouble:
            raise FlowError(f"no answer: {type(trouble).__name__}") from None
        kept = [(k, v) for k, v in got.headers.items() if k.lower() != "content-encoding"]
        return httpx.Response(got.status, headers=kept, content=got.data)

    def close(self) -> None:
        self.pool.clear()
        super().close()


@correct(transport="server")
class a_pool_of_connections(Pooled):
    """urllib3, with keep-alive and no retries of its own."""


@breaks("retries.lost-answer", also=("connections.create.one-post",), transport="server")
class lets_the_pool_retry_everything(Pooled):
    """Retry(allowed_methods=None): a POST too."""

    retries = urllib3.Retry(2, allowed_methods=None, backoff_factor=0, redirect=False)


@breaks("retries.lost-answer", transport="server")
class decorates_its_transport(Pooled):
    """The retry decorator on the one method through which all goes, for lost connections."""

    @again_on(FlowError)
    def by_hand(self, request: httpx.Request) -> httpx.Response:
        return super().by_hand(request)


@breaks("connections.create.one-post", transport="server")
class lets_the_pool_repeat_statuses(Pooled):
    """A forcelist of statuses for all methods."""

    retries = urllib3.Retry(
        2,
        status_forcelist=(502, 504),
        allowed_methods=None,
        backoff_factor=0,
        connect=0,
        read=0,
        redirect=False,
        raise_on_status=False,
    )


@breaks(
    "request.api-key",
    also=(
        "request.ims-org",
        "request.sandbox",
        "independence.in-turn",
        "independence.threads",
        "independence.tasks",
    ),
    transport="server",
)
class shares_its_pool_and_headers(Pooled):
    """Default headers of all objects, which are those of the first."""

    shared: dict[str, str] = {}  # noqa: RUF012

    def headers(self) -> dict[str, str]:
        mine = super().headers()
        for name, value in mine.items():
            self.shared.setdefault(name, value)
        return {name: self.shared[name] for name in mine}
