"""httpx2, sync and async, at its public transports.

No library that mocks httpx2 is older than a few months, so the transport stands in front of the two
methods that every transport has by its documentation. A client with a transport of its own, such
as MockTransport, or with mocks that replace these methods inside the transport, keeps it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

import httpx2

from aepmock.messages import Handler, Headers, Request, Response
from aepmock.net import is_adobe
from aepmock.transports.http_rules import FIELD_NAME, FIELD_VALUE, complete
from aepmock.transports.httpx_delivery import delivered, delivered_later


@contextmanager
def opened(handler: Handler) -> Iterator[None]:
    """Requests to Adobe's hosts by any httpx2 client reach the handler; others pass through.

    Of several open transports the one opened last answers.
    """
    send = httpx2.HTTPTransport.handle_request
    send_async = httpx2.AsyncHTTPTransport.handle_async_request

    def handle_request(self: httpx2.HTTPTransport, request: httpx2.Request) -> httpx2.Response:
        if not is_adobe(request.url.host):
            return send(self, request)
        request.read()
        return _answer(handler, request)

    async def handle_async_request(
        self: httpx2.AsyncHTTPTransport, request: httpx2.Request
    ) -> httpx2.Response:
        if not is_adobe(request.url.host):
            return await send_async(self, request)
        await request.aread()
        return await _answer_later(handler, request)

    with (
        mock.patch.object(httpx2.HTTPTransport, "handle_request", handle_request),
        mock.patch.object(httpx2.AsyncHTTPTransport, "handle_async_request", handle_async_request),
    ):
        yield


def _answer(handler: Handler, request: httpx2.Request) -> httpx2.Response:
    response = complete(handler(_read(request)), request.method)
    if response.effect is not None:
        faulty: httpx2.Response = delivered(httpx2, response, request)
        return faulty
    return _made(response)


async def _answer_later(handler: Handler, request: httpx2.Request) -> httpx2.Response:
    response = complete(handler(_read(request)), request.method)
    if response.effect is not None:
        faulty: httpx2.Response = await delivered_later(httpx2, response, request)
        return faulty
    return _made(response)


def _made(response: Response) -> httpx2.Response:
    return httpx2.Response(
        response.status,
        headers=[(n.encode("latin-1"), v.encode("latin-1")) for n, v in response.headers],
        stream=httpx2.ByteStream(response.body),
    )


def _read(request: httpx2.Request) -> Request:
    fields = []
    for name, value in request.headers.raw:
        # The errors of a real connection, which a request does not come to here.
        if not FIELD_NAME.fullmatch(name):
            raise httpx2.LocalProtocolError(f"Illegal header name {name!r}", request=request)
        if not FIELD_VALUE.fullmatch(value):
            raise httpx2.LocalProtocolError(f"Illegal header value {value!r}", request=request)
        fields.append((name.decode("latin-1"), value.decode("latin-1")))
    url = request.url
    # A target that the caller set by hand is not part of the URL.
    target = request.extensions.get("target", url.raw_path)
    return Request(
        request.method,
        f"{url.scheme}://{url.netloc.decode('ascii')}",
        target.decode("latin-1"),
        Headers(fields),
        request.content,
    )
