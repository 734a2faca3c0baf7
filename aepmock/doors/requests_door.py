"""requests, through responses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import requests
import responses

from aepmock.doors.framing import ADOBE_HOST, complete
from aepmock.messages import Handler, Headers, Request

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_ADOBE_URL = re.compile(rf"(?i)https?://{ADOBE_HOST.pattern}(?::\d+)?(?:[/?#]|$)")
_OTHER_URL = re.compile(rf"(?!{_ADOBE_URL.pattern.removeprefix('(?i)')})", re.IGNORECASE)
_ILLEGAL_VALUE = re.compile(r"\n(?![ \t])|\r(?![ \t\n])")
"""What http.client, which stands below requests on a real connection, refuses."""


@contextmanager
def opened(handler: Handler) -> Iterator[None]:
    """Requests to Adobe's hosts by any session reach the handler; others pass through."""

    def answer(request: requests.PreparedRequest) -> Any:
        response = complete(handler(_read(request)))
        return response.status, list(response.headers.fields), response.body

    with responses.RequestsMock(assert_all_requests_are_fired=False) as router:
        router.add_passthru(_OTHER_URL)
        for method in _METHODS:
            router.add_callback(method, _ADOBE_URL, callback=answer, content_type=None)
        yield


def _read(request: requests.PreparedRequest) -> Request:
    fields = []
    for name, value in request.headers.items():
        # requests hands text to http.client, which writes ISO-8859-1 and refuses line breaks.
        text = value.decode("latin-1") if isinstance(value, bytes) else str(value)
        text.encode("latin-1")
        if _ILLEGAL_VALUE.search(text):
            raise ValueError(f"Invalid header value {text!r}")
        fields.append((name, text))
    split = urlsplit(request.url or "")
    body = request.body or b""
    if not isinstance(body, str | bytes):
        body = b"".join(body) if hasattr(body, "__iter__") else body.read()
    return Request(
        request.method or "GET",
        f"{split.scheme}://{split.netloc}",
        request.path_url,
        Headers(fields),
        body.encode() if isinstance(body, str) else body,
    )
