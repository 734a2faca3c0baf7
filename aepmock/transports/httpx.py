"""httpx, sync and async, through respx.

respx mocks of one's own keep working beside an open transport, whichever was opened first: the
transport answers for Adobe's hosts, except where a route of theirs names what is asked for, and all
other hosts are theirs. Where no other mock is open, other hosts are reached as ever.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import respx
from respx.models import AllMockedAssertionError, PassThrough
from respx.patterns import Pattern

from aepmock.messages import Handler, Headers, Request, Response
from aepmock.net import is_adobe
from aepmock.transports.http_rules import FIELD_NAME, FIELD_VALUE, complete
from aepmock.transports.httpx_delivery import delivered, delivered_later


class _Transport(respx.MockRouter):
    """A router without routes: it keeps no record of calls, which would grow with each."""

    def __init__(self, handler: Handler) -> None:
        super().__init__(assert_all_called=False)
        self._to = handler

    def handler(self, request: httpx.Request) -> httpx.Response:
        if is_adobe(request.url.host):
            other = next((r for r in self._others() if _names(r, request)), None)
            return other.handler(request) if other else _answer(self._to, request)
        raise self._not_ours(request)

    async def async_handler(self, request: httpx.Request) -> httpx.Response:
        if is_adobe(request.url.host):
            other = next((r for r in self._others() if _names(r, request)), None)
            if other is not None:
                return await other.async_handler(request)
            return await _answer_later(self._to, request)
        raise self._not_ours(request)

    def _others(self) -> list[respx.Router]:
        routers = self.Mocker.routers if self.Mocker else []
        return [router for router in routers if not isinstance(router, _Transport)]

    def _not_ours(self, request: httpx.Request) -> BaseException:
        """respx asks the next router after the first of these, and the network after the second."""
        if self._others():
            return AllMockedAssertionError(f"RESPX: {request!r} not mocked!")
        route: Any = None
        return PassThrough(
            f"Request marked to pass through: {request!r}", request=request, origin=route
        )


@contextmanager
def opened(handler: Handler) -> Iterator[None]:
    """Requests to Adobe's hosts by any httpx client reach the handler; others pass through.

    Of several open transports the one opened last answers.
    """
    transport = _Transport(handler)
    with transport:
        # In front of everyone: a mock that answers whatever it is asked would hide the transport.
        if transport.Mocker is not None:
            transport.Mocker.routers.remove(transport)
            transport.Mocker.routers.insert(0, transport)
        yield


def _names(router: respx.Router, request: httpx.Request) -> bool:
    """Whether one of the router's routes is about this request; one for everything is not."""
    return any(
        isinstance(route.pattern, Pattern) and bool(route.pattern.match(request))
        for route in router.routes
    )


def _answer(handler: Handler, request: httpx.Request) -> httpx.Response:
    response = complete(handler(_read(request)), request.method)
    if response.effect is not None:
        faulty: httpx.Response = delivered(httpx, response, request)
        return faulty
    return _made(response)


async def _answer_later(handler: Handler, request: httpx.Request) -> httpx.Response:
    response = complete(handler(_read(request)), request.method)
    if response.effect is not None:
        faulty: httpx.Response = await delivered_later(httpx, response, request)
        return faulty
    return _made(response)


def _made(response: Response) -> httpx.Response:
    return httpx.Response(
        response.status,
        headers=[(n.encode("latin-1"), v.encode("latin-1")) for n, v in response.headers],
        stream=httpx.ByteStream(response.body),
    )


def _read(request: httpx.Request) -> Request:
    fields = []
    for name, value in request.headers.raw:
        # The errors of a real connection, which respx does not come to.
        if not FIELD_NAME.fullmatch(name):
            raise httpx.LocalProtocolError(f"Illegal header name {name!r}", request=request)
        if not FIELD_VALUE.fullmatch(value):
            raise httpx.LocalProtocolError(f"Illegal header value {value!r}", request=request)
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
