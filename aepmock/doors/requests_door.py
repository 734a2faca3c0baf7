"""requests, through responses.

Mocks of one's own made with responses keep working beside an open door. One that is started
inside the door answers for what it names, Adobe's hosts included, and leaves the rest of them to
the door; one that was started before is asked for all hosts but Adobe's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock
from urllib.parse import urlsplit

import requests
import responses
from requests.adapters import HTTPAdapter

from aepmock.doors.framing import complete, is_adobe
from aepmock.messages import Handler, Headers, Request

_ILLEGAL_VALUE = re.compile(r"\n(?![ \t])|\r(?![ \t\n])")
"""What http.client, which stands below requests on a real connection, refuses."""
_PERCENT = re.compile(r"%[0-9a-f]{2}", re.IGNORECASE)

_Send = Callable[..., requests.Response]


class _Door(responses.RequestsMock):
    """A mock that answers every request of every method, and keeps no record of them."""

    def __init__(self, handler: Handler) -> None:
        super().__init__(assert_all_requests_are_fired=False)
        self._to = handler
        self._anything = responses.CallbackResponse(
            "GET", "https://platform.adobe.io/", self._respond, content_type=None
        )

    def answer(
        self, adapter: HTTPAdapter, request: requests.PreparedRequest, *args: Any, **kwargs: Any
    ) -> requests.Response:
        """What HTTPAdapter.send would give, its retries included."""
        try:
            return self.unbound_on_send()(adapter, request, *args, **kwargs)
        finally:
            # They would grow with every call.
            self.calls.reset()
            self._anything.calls.reset()

    def _find_match(
        self, request: requests.PreparedRequest
    ) -> tuple[responses.BaseResponse, list[str]]:
        return self._anything, []

    def _respond(self, request: requests.PreparedRequest) -> Any:
        read = _read(request)
        response = complete(self._to(read), read.method)
        return response.status, list(response.headers.fields), response.body


@contextmanager
def opened(handler: Handler) -> Iterator[None]:
    """Requests to Adobe's hosts by any session reach the handler; others pass through.

    Of several open doors the one opened last answers.
    """
    door = _Door(handler)
    before: _Send = HTTPAdapter.send
    make_send = responses.RequestsMock.unbound_on_send

    def send(adapter: HTTPAdapter, request: requests.PreparedRequest, *a: Any, **k: Any) -> Any:
        if is_adobe(urlsplit(request.url or "").hostname):
            return door.answer(adapter, request, *a, **k)
        return before(adapter, request, *a, **k)

    def unbound_on_send(self: responses.RequestsMock) -> Any:
        """The send of a mock that is started while the door is open."""
        theirs = make_send(self)

        def send_beside(
            adapter: HTTPAdapter, request: requests.PreparedRequest, *a: Any, **k: Any
        ) -> Any:
            ours = is_adobe(urlsplit(request.url or "").hostname) and not _names(self, request)
            return (send if ours else theirs)(adapter, request, *a, **k)

        return theirs if isinstance(self, _Door) else send_beside

    with (
        mock.patch.object(HTTPAdapter, "send", send),
        mock.patch.object(responses.RequestsMock, "unbound_on_send", unbound_on_send),
    ):
        yield


def _names(router: responses.RequestsMock, request: requests.PreparedRequest) -> bool:
    """Whether one of the mock's answers is about this request."""
    # Matchers look at attributes that responses itself sets before it asks them.
    request.params = router._parse_request_params(request.path_url)  # type: ignore[attr-defined]
    request.req_kwargs = {}  # type: ignore[attr-defined]
    return any(response.matches(request)[0] for response in router.registered())


def _read(request: requests.PreparedRequest) -> Request:
    split = urlsplit(request.url or "")
    fields = []
    for name, value in request.headers.items():
        # requests hands text to http.client, which writes ISO-8859-1 and refuses line breaks.
        text = value.decode("latin-1") if isinstance(value, bytes) else str(value)
        text.encode("latin-1")
        if _ILLEGAL_VALUE.search(text):
            raise ValueError(f"Invalid header value {text.encode('latin-1')!r}")
        fields.append((name.decode("latin-1") if isinstance(name, bytes) else name, text))
    if "host" not in request.headers:
        fields.insert(0, ("Host", split.netloc.rpartition("@")[2]))
    return Request(
        request.method or "GET",
        f"{split.scheme}://{split.netloc}",
        _target(request.path_url),
        Headers(fields),
        _body(request.body),
    )


def _target(path_url: str) -> str:
    """The target as requests and urllib3 send it: one slash in front, escapes in capitals."""
    if path_url.startswith("//"):
        path_url = "/" + path_url.lstrip("/")
    return _PERCENT.sub(lambda match: match[0].upper(), path_url)


def _body(body: Any) -> bytes:
    if body is None:
        return b""
    if isinstance(body, str):
        return body.encode()
    if isinstance(body, bytes | bytearray | memoryview):
        return bytes(body)
    if hasattr(body, "read"):
        return _body(body.read())
    return b"".join(_body(part) for part in body)
