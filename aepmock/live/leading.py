"""Redirects and links in the answers of a live service: they lead back to the kit, never past it.

A redirect, a next link or a Location that names another host would have a naive client go there
with the real token. Such an answer is given with the kit's own address in the place of that host,
as "another origin": who follows it gets no further, and what it takes along is judged.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from aepmock.judge.answers import next_href
from aepmock.live.settings import LiveSettings
from aepmock.messages import Headers, Request, Response
from aepmock.net import ELSEWHERE, IMS, LOOPBACK, LOOPBACK_NAME, other_origin

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_BLANKS = "".join(map(chr, range(0x21)))


def is_elsewhere(request: Request) -> bool:
    """Whether a request came to where only an answer that was led astray sends anyone."""
    host = urlsplit(request.origin).hostname
    return host in (LOOPBACK_NAME, urlsplit(ELSEWHERE).hostname)


def nothing_there() -> Response:
    """The answer to it."""
    return Response(404, Headers({"Content-Type": "application/json"}), b"{}", injected=True)


class Leads:
    """Turns the addresses in answers into such as a client reaches the kit by.

    `base_path` is that of the service as clients of the kit know it.
    """

    def __init__(self, settings: LiveSettings, base_path: str) -> None:
        self._base = settings.base_url
        self._ims = _origin(settings.ims_token_url)
        self._base_path = base_path

    def kept_here(self, request: Request, response: Response) -> tuple[Response, str]:
        """The answer that a client may be given, and the host to which it had led, or ""."""
        made, host = response, ""
        location = response.headers.get("location")
        if location is not None:
            turned, host = self._turned(location, request)
            if turned != location:
                headers = response.headers.replaced("Location", turned)
                made = replace(made, headers=headers, injected=response.injected or bool(host))
        href = next_href(response)
        if href is not None:
            turned, other = self._turned(href, request)
            if turned != href:
                made = _with_next(made, turned, bool(other))
            host = host or other
        return made, host

    def _turned(self, address: str, request: Request) -> tuple[str, str]:
        """The address that stands for another one, and the host that is named no more."""
        # As the Fetch standard reads an address: it is the most generous.
        plain = re.sub(r"[\t\r\n]", "", address).strip(_BLANKS).replace("\\", "/")
        if not _SCHEME.match(plain) and not plain.startswith("//"):
            return address, ""
        try:
            parts = urlsplit(plain)
            tail = parts.path + (f"?{parts.query}" if parts.query else "")
            host = parts.hostname or plain[:80]
        except ValueError:
            parts, tail, host = urlsplit(""), "/", plain[:80]
        here = LOOPBACK in request.origin
        origin = f"{parts.scheme}://{parts.netloc}".lower()
        if origin == _origin(self._base):
            path = urlsplit(self._base).path
            if tail.startswith(path):
                tail = self._base_path + tail[len(path) :]
            return request.origin + tail, ""
        if origin == self._ims:
            return (request.origin if here else IMS) + tail, ""
        elsewhere = other_origin(request.origin)
        return elsewhere + (tail if tail.startswith("/") else f"/{tail}"), host


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()


def _with_next(response: Response, href: str, astray: bool) -> Response:
    document: dict[str, Any] = json.loads(json.dumps(response.json))
    document["_links"]["next"]["href"] = href
    return replace(
        response,
        headers=response.headers.without("content-encoding"),
        body=json.dumps(document).encode(),
        injected=response.injected or astray,
    )
