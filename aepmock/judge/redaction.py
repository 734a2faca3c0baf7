"""Takes secrets out of exchanges and texts, keeping who is who: equal secrets, equal marks."""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

from aepmock.messages import Headers, Request, Response

MARK = "[secret]"
_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie"})
_KEY_HEADER = "x-api-key"
"""Adobe's API key is the client id, which is no secret."""
_KEYS = frozenset(
    [
        "access_token",
        "refresh_token",
        "client_secret",
        "password",
        "token",
        "secret",
        "apikey",
        "api_key",
        "accesstoken",
        "refreshtoken",
        "clientsecret",
        "securitytoken",
        "s3secretkey",
        "secretaccesskey",
        "connectionstring",
        "privatekey",
        "private_key",
        "sastoken",
        "sas_uri",
        "sasuri",
    ]
)
_SHORTEST = 6
"""A value shorter than this is not searched for in running text: it would hit by chance."""


_ENCODER = json.JSONEncoder(ensure_ascii=False)
_STRING = r"""(["'])(?:(?!\3)[^\\]|\\.)*\3?"""
"""A JSON string, or one as Python writes it, also one that breaks off; the pattern's group 3."""


class Redactor:
    """Knows which names hold secrets, and which values are secret wherever they stand.

    `names` are JSON keys and parameters besides the usual ones (compared without case),
    `values` the secrets themselves.
    """

    def __init__(self, names: Iterable[str] = (), values: Iterable[str] = ()) -> None:
        self._names = _KEYS | {name.lower() for name in names}
        self._values: set[str] = set()
        self._pattern: re.Pattern[str] | None = None
        self.learn(values)

    def learn(self, values: Iterable[str]) -> None:
        """Adds values that are secret from now on."""
        fresh = {v for v in values if len(v) >= _SHORTEST} - self._values
        if fresh:
            self._values |= fresh
            self._pattern = None  # made when it is needed: most that is learned is never looked for

    @property
    def values(self) -> frozenset[str]:
        """The values that are known to be secret."""
        return frozenset(self._values)

    def text(self, text: str) -> str:
        """A text with every known secret value replaced."""
        if self._pattern is None:
            if not self._values:
                return text
            longest_first = sorted(self._values, key=lambda v: (-len(v), v))
            self._pattern = re.compile("|".join("".join(map(_spelled, v)) for v in longest_first))
        return self._pattern.sub(MARK, text)

    def request(self, request: Request) -> Request:
        """A request that may be kept."""
        path, question, query = request.target.partition("?")
        if question and any(name.lower() in self._names for name, _ in request.query):
            query = self._form(query)
        return Request(
            request.method,
            request.origin,
            self.text(path + question + query),
            self._headers(request.headers),
            self._body(request.headers, request.body, request),
        )

    def response(self, response: Response) -> Response:
        """A response that may be kept; one that was zipped is not zipped any more."""
        headers, body = response.headers, response.body
        if headers.get("content-encoding") == "gzip":
            # A secret can't be seen in zipped octets, and yet it could be got out of them.
            headers, body = headers.without("content-encoding"), _unzipped(body)
        effect = response.effect
        return Response(
            response.status,
            self._headers(headers),
            self._body(headers, body, response if body is response.body else None),
            response.injected,
            # What the client did not see is not looked through, so it is not kept.
            replace(effect, fault=self.text(effect.fault), behind=None)
            if effect is not None
            else None,
        )

    def _headers(self, headers: Headers) -> Headers:
        return Headers((n, self._header(n.lower(), v)) for n, v in headers)

    def _header(self, name: str, value: str) -> str:
        if name != _KEY_HEADER and name.removeprefix("x-").replace("-", "_") in self._names:
            return MARK
        if name not in _HEADERS:
            return self.text(value)
        scheme, blank, rest = value.partition(" ")
        return f"{scheme} {MARK}" if blank and rest and name == "authorization" else MARK

    def _body(self, headers: Headers, body: bytes, read: Request | Response | None = None) -> bytes:
        """A body that may be kept; `read` is the message, where it may have read it already."""
        if not body:
            return body
        kind = (headers.get("content-type") or "").partition(";")[0].strip().lower()
        text = body.decode("utf-8", "surrogateescape")
        if kind == "application/x-www-form-urlencoded":
            text = self._form(text)
        else:
            try:
                text = _ENCODER.encode(self._document(_read(text, read)))
            except (ValueError, RecursionError):
                return self._unreadable(text)
        return _octets(self.text(text))

    def _unreadable(self, text: str) -> bytes:
        """A body that is no JSON, or breaks off: cleaned by what its keys look like."""
        names = "|".join(map(re.escape, sorted(self._names, key=len)[::-1]))
        if re.search(rf'(?i)/(?:{names})"', text):
            names += "|value"  # a JSON Patch names the secret in its path
        pattern = re.compile(rf"(?is)([\"']?(?:{names})[\"']?\s*[:=]\s*)({_STRING}|[^\s,&}}]+)")
        return _octets(self.text(pattern.sub(rf"\g<1>{MARK}", text)))

    def _form(self, text: str) -> str:
        pairs = parse_qsl(text, keep_blank_values=True)
        return urlencode(
            [(n, MARK if n.lower() in self._names else v) for n, v in pairs],
            safe="[]",
            errors="surrogateescape",
        )

    def _document(self, value: Any) -> Any:
        if isinstance(value, dict):
            pointed = "path" in value and self._is_secret(str(value["path"]).rsplit("/", 1)[-1])
            return {
                k: _masked(v)
                if k.lower() in self._names or (pointed and k == "value")
                else self._document(v)
                if isinstance(v, dict | list)
                else v
                for k, v in value.items()
            }
        if isinstance(value, list):
            return [self._document(v) for v in value]
        return value

    def _is_secret(self, name: str) -> bool:
        return name.lower() in self._names


def _read(text: str, read: Request | Response | None) -> Any:
    """The JSON of a body, as strictly as the message read it, or else as any reader may."""
    if read is not None:
        with suppress(ValueError):
            return read.json
    return json.loads(text)


def _masked(value: Any) -> Any:
    """A value whose every part is secret; that there is none is no secret."""
    if isinstance(value, dict):
        return {k: _masked(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_masked(v) for v in value]
    return None if value is None else MARK


def _spelled(character: str) -> str:
    """A pattern for a character as it is, percent-encoded, or escaped as in JSON or by Python."""
    if character.isascii() and character.isalnum():
        return character
    octets = "".join(f"%{octet:02X}" for octet in character.encode("utf-8", "surrogatepass"))
    escaped = {json.dumps(character)[1:-1], json.dumps(character, ensure_ascii=False)[1:-1]}
    escaped |= {"\\'"} if character == "'" else set()
    forms = [re.escape(form) for form in sorted({character, octets} | escaped)]
    return f"(?i:{'|'.join(forms)})"


def _unzipped(body: bytes) -> bytes:
    try:
        return gzip.decompress(body)
    except (OSError, EOFError, zlib.error):
        return b"(zipped octets that can't be unzipped)"


def _octets(text: str) -> bytes:
    """The text as it was on the wire; half a character, which has no UTF-8, as its escape."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace")
