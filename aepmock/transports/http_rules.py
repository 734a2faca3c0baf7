"""Rules of HTTP that every transport applies, so that all transports behave alike."""

from __future__ import annotations

import re

from aepmock.messages import Headers, Response

FIELD_NAME = re.compile(rb"[-!#$%&'*+.^_`|~0-9a-zA-Z]+")
FIELD_VALUE = re.compile(rb"(?:[^\x00\s]+(?:[ \t]+[^\x00\s]+)*)?")
"""What h11, which stands below httpx and httpx2 on a real connection, lets pass."""


def complete(response: Response, method: str) -> Response:
    """The answer as it is sent: with a Content-Length, where HTTP wants one (RFC 9110 8.6).

    The answer to HEAD has the length of the body, and no body (RFC 9110 9.3.2).
    """
    headers = response.headers
    if response.status == 0:
        return response
    if response.status != 204 and not (
        "content-length" in headers or "transfer-encoding" in headers
    ):
        headers = Headers([*headers.fields, ("Content-Length", str(len(response.body)))])
    elif method != "HEAD":
        return response
    body = b"" if method == "HEAD" else response.body
    return Response(response.status, headers, body, response.injected, response.effect)
