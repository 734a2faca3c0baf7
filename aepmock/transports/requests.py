"""requests, at the connections of its adapters.

Everything above the socket is requests' and urllib3's own, so a Retry of an adapter waits, counts
and gives up as it does on a real connection. Mocks of one's own made with responses keep working
beside an open transport. One that is started inside the transport answers for what it names,
Adobe's hosts included, and leaves the rest of them to the transport; one that was started before is
asked for all hosts but Adobe's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock
from urllib.parse import urlsplit

import requests
import responses
from requests.adapters import HTTPAdapter

from aepmock.messages import Handler
from aepmock.net import is_adobe
from aepmock.transports.urllib3_pool import make_pool

_Send = Callable[..., requests.Response]


@contextmanager
def opened(handler: Handler) -> Iterator[None]:
    """Requests to Adobe's hosts by any session reach the handler; others pass through.

    Of several open transports the one opened last answers.
    """
    pools: dict[tuple[str, str, int | None], Any] = {}
    before: _Send = HTTPAdapter.send
    # The adapter's own method, also while a mock of responses stands in front of it.
    own: _Send = responses.RequestsMock()._real_send
    make_send = responses.RequestsMock.unbound_on_send
    connecting = _connecting()
    connect = getattr(HTTPAdapter, connecting)

    def send(adapter: HTTPAdapter, request: requests.PreparedRequest, *a: Any, **k: Any) -> Any:
        ours = is_adobe(urlsplit(request.url or "").hostname)
        return (own if ours else before)(adapter, request, *a, **k)

    def connected(adapter: HTTPAdapter, asked: Any, *a: Any, **k: Any) -> Any:
        split = urlsplit(getattr(asked, "url", asked) or "")
        if split.hostname is None or not is_adobe(split.hostname):
            return connect(adapter, asked, *a, **k)
        place = split.scheme, split.hostname, split.port
        if place not in pools:
            pools[place] = make_pool(handler, *place)
        return pools[place]

    def unbound_on_send(self: responses.RequestsMock) -> Any:
        """The send of a mock that is started while the transport is open."""
        theirs = make_send(self)

        def send_beside(
            adapter: HTTPAdapter, request: requests.PreparedRequest, *a: Any, **k: Any
        ) -> Any:
            ours = is_adobe(urlsplit(request.url or "").hostname) and not _names(self, request)
            return (send if ours else theirs)(adapter, request, *a, **k)

        return send_beside

    with (
        mock.patch.object(HTTPAdapter, "send", send),
        mock.patch.object(HTTPAdapter, connecting, connected),
        mock.patch.object(responses.RequestsMock, "unbound_on_send", unbound_on_send),
    ):
        yield


def _connecting() -> str:
    """The method by which an adapter gets its connection: up to requests 2.31 by a URL."""
    newer = "get_connection_with_tls_context"
    return newer if hasattr(HTTPAdapter, newer) else "get_connection"


def _names(router: responses.RequestsMock, request: requests.PreparedRequest) -> bool:
    """Whether one of the mock's answers is about this request."""
    # Matchers look at attributes that responses itself sets before it asks them.
    request.params = router._parse_request_params(request.path_url)  # type: ignore[attr-defined]
    request.req_kwargs = {}  # type: ignore[attr-defined]
    return any(response.matches(request)[0] for response in router.registered())
