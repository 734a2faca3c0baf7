"""What a token request says, in its query and in its body, by whatever kind of form."""

from __future__ import annotations

from email.parser import BytesParser
from email.policy import HTTP
from urllib.parse import parse_qsl

from aepmock.messages import Request
from aepmock.net import media_type

URL_ENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
FORMS = frozenset({URL_ENCODED, MULTIPART})
"""DEVC sends the first, ADOBE-LIB and AUTH the second."""


def given_in(request: Request) -> dict[str, str]:
    """The fields that a request gives, by name; those of the body win over the query's."""
    given = dict(request.query)
    kind = media_type(request.headers.get("content-type"))
    if kind == URL_ENCODED:
        given |= dict(parse_qsl(request.body.decode("latin-1"), keep_blank_values=True))
    elif kind == MULTIPART:
        given |= _parts(request)
    return given


def _parts(request: Request) -> dict[str, str]:
    value = request.headers.get("content-type") or ""
    head = f"Content-Type: {value}\r\n\r\n".encode("latin-1", "replace")
    message = BytesParser(policy=HTTP).parsebytes(head + request.body)
    found = {}
    for part in message.iter_parts() if message.is_multipart() else ():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(content, bytes):
            found[name] = content.decode("latin-1")
    return found
