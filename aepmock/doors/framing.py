"""What every door does to a request and an answer, so that all doors are alike."""

from __future__ import annotations

import re

from aepmock.messages import Headers, Response

ADOBE_HOST = re.compile(r"(?:[^/@]*\.)?(?:adobe\.io|adobelogin\.com)", re.IGNORECASE)
"""Hosts that a door answers for, and that the guard keeps everyone else from."""


def complete(response: Response) -> Response:
    """The answer with a Content-Length, where HTTP wants one (RFC 9110 8.6)."""
    headers = response.headers
    if response.status == 204 or "content-length" in headers or "transfer-encoding" in headers:
        return response
    fields = [*headers.fields, ("Content-Length", str(len(response.body)))]
    return Response(response.status, Headers(fields), response.body, response.injected)
