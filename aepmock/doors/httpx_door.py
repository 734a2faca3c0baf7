"""httpx, sync and async, through respx."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import respx

from aepmock.doors.framing import ADOBE_HOST, complete
from aepmock.messages import Handler, Headers, Request

_FIELD_VALUE = re.compile(rb"(?:[\x21-\x7e\x80-\xff]+(?:[ \t]+[\x21-\x7e\x80-\xff]+)*)?")
"""What h11, which stands below httpx on a real connection, lets pass as a field value."""


@contextmanager
def opened(handler: Handler) -> Iterator[None]:
    """Requests to Adobe's hosts by any httpx client reach the handler; others pass through."""

    def answer(request: httpx.Request) -> httpx.Response:
        response = complete(handler(_read(request)))
        return httpx.Response(
            response.status,
            headers=[(n.encode("latin-1"), v.encode("latin-1")) for n, v in response.headers],
            stream=httpx.ByteStream(response.body),
        )

    # One route for Adobe, one for the rest: httpx's other traffic is not ours to stop.
    router = respx.MockRouter(assert_all_called=False)
    router.route(host__regex=rf"(?i)^{ADOBE_HOST.pattern}$").mock(side_effect=answer)
    router.route().pass_through()
    with router:
        yield


def _read(request: httpx.Request) -> Request:
    fields = []
    for name, value in request.headers.raw:
        # The error of a real connection, which respx does not come to.
        if not _FIELD_VALUE.fullmatch(value):
            raise httpx.LocalProtocolError(f"Illegal header value {value!r}", request=request)
        fields.append((name.decode("latin-1"), value.decode("latin-1")))
    url = request.url
    return Request(
        request.method,
        f"{url.scheme}://{url.netloc.decode('ascii')}",
        url.raw_path.decode("latin-1"),
        Headers(fields),
        request.content,
    )
