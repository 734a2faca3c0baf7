"""Takes secrets out of exchanges and texts, keeping who is who: equal secrets, equal marks."""

from __future__ import annotations

import itertools
import json
import re
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

from aepmock.messages import Headers, Request, Response
from aepmock.net import media_type
from aepmock.redaction.secret_places import MARK, Places, carries_auth, closed, worth_learning

__all__ = ["LONGEST_BODY", "MARK", "MOST_CHARACTERS", "MOST_FOUND", "Redactor"]

LONGEST_BODY = 32_768
"""Octets of a body that are looked through and may be kept; the rest goes unseen."""
LONGEST_TARGET = 8_192
MOST_FIELDS = 256
"""So much of a request line and of the header fields is kept."""
MOST_FOUND = 256
"""Secrets found in messages that are searched for elsewhere; the oldest are forgotten first."""
MOST_CHARACTERS = 8_192
"""Of all of them together: a pattern is made of them whenever one is new."""
_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie"})
_PUBLIC_HEADERS = frozenset({"x-api-key", "x-gw-ims-org-id", "x-sandbox-name", "x-sandbox-id"})
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
_LONGEST = 512
"""Of a longer value its beginning is searched for, and what follows that goes with it."""

_ENCODER = json.JSONEncoder(ensure_ascii=False)
_STRING = r"""(["'])(?:(?!\3)[^\\]|\\.)*\3?"""
"""A JSON string, or one as Python writes it, also one that breaks off; the pattern's group 3."""
_OTHER_NAMES = (
    r"(?<![\w.\-])[\w.\-]*"
    r"(?:secret|passw|token|api_?key|private_?key|access_?key|credential)[\w.\-]*"
)
"""What only resembles a secret's name."""
_AUTH_BEGINS = re.compile(r"(?i)[\"'</\[]?\b(?:auth|params|credentials|authentication)\b")
_FILTER = re.compile(
    r"(?i)(\bauth(?:\.|%2e)params(?:\.|%2e)(?!clientId\b)[^=<>!~%&\s'\"]{0,256} {0,4}"
    r"(?:[=<>!~]|%3[cde]|%21|%7e)+)"
    r"(\\?\"[^\"]*\"|[^&\s'\"\]]+)"
)
_VALUES = re.compile(r"\"[^\"\\]*(?:\\.[^\"\\]*)*\"|[^\s\"',;:=<>{}\[\]&]{8,}", re.DOTALL)
_CONTINUED = re.compile(r"(continuationToken(?:=|%3D|\":\s*\"))([^&\"\s\\]+)", re.IGNORECASE)
_USER = re.compile(r"(://)[^/\s@:]*:[^/\s@]*@")


class Redactor:
    """Knows which names hold secrets, and which values are secret wherever they stand.

    `names` are JSON keys and parameters besides the usual ones (compared without case),
    `values` the secrets themselves. What stands in a secret's place in a message is known from
    then on, so redact the message before what is said about it.
    """

    def __init__(self, names: Iterable[str] = (), values: Iterable[str] = ()) -> None:
        self._names = _KEYS | {name.lower() for name in names}
        self._values: set[str] = set()
        self._found: dict[str, None] = {}
        self._compiled: re.Pattern[str] | None = None
        self._last: tuple[Request, Request] | None = None
        self.learn(values)

    def learn(self, values: Iterable[str]) -> None:
        """Adds values that are secret from now on."""
        fresh = {v for v in values if len(v) >= _SHORTEST} - self._values
        if fresh:
            self._values |= fresh
            self._changed()

    @property
    def values(self) -> frozenset[str]:
        """The values that are known to be secret."""
        return frozenset(self._values)

    def text(self, text: str) -> str:
        """A text with every known secret value replaced, and those that filters name."""
        if "params" in text:
            text = _FILTER.sub(rf"\g<1>{MARK}", text)
        if "ontinuation" in text:
            text = _CONTINUED.sub(_continued, text)
        if "@" in text:
            text = _USER.sub(rf"\g<1>{MARK}@", text)
        if not self._values and not self._found:
            return text
        if self._compiled is None:
            longest_first = sorted(self._values | set(self._found), key=lambda v: (-len(v), v))
            self._compiled = re.compile("|".join(map(_pattern, longest_first)))
        return self._compiled.sub(MARK, text)

    def request(self, request: Request) -> Request:
        """A request that may be kept."""
        if self._last is not None and self._last[0] is request:
            return self._last[1]
        places = Places(self._names, patch=request.method == "PATCH")
        path, question, query = _cut(request.target).partition("?")
        target = places.path(path) + question + (places.form(query) if question else "")
        headers, body = self._message(places, request.headers, request.body, request)
        public = {v for n, v in request.headers if n.lower() in _PUBLIC_HEADERS}
        self._find(places.found, public)
        made = Request(
            self.text(request.method),
            self.text(request.origin),
            self.text(target),
            self._texts(headers),
            _octets(self.text(body)),
        )
        self._last = request, made
        return made

    def response(self, response: Response) -> Response:
        """A response that may be kept; one that was zipped is not zipped any more."""
        places = Places(self._names)
        headers, body = self._message(places, response.headers, response.body, response)
        self._find(places.found, ())
        effect = response.effect
        return Response(
            response.status,
            self._texts(headers),
            _octets(self.text(body)),
            response.injected,
            # What the client did not see is not looked through, so it is not kept.
            replace(effect, fault=self.text(effect.fault), behind=None)
            if effect is not None
            else None,
        )

    def _find(self, found: Iterable[str], public: Iterable[str]) -> None:
        """Remembers what stood in the place of a secret."""
        fresh = {v.strip() for v in found} - self._found.keys() - self._values - set(public)
        fresh = {value for value in fresh if worth_learning(value)}
        if not fresh:
            return
        self._found |= dict.fromkeys(sorted(fresh))
        size = sum(min(len(value), _LONGEST) for value in self._found)
        while len(self._found) > MOST_FOUND or size > MOST_CHARACTERS:
            oldest = next(iter(self._found))
            del self._found[oldest]
            size -= min(len(oldest), _LONGEST)
        self._changed()

    def _changed(self) -> None:
        self._compiled = None
        self._last = None

    def _message(
        self, places: Places, headers: Headers, body: bytes, read: Request | Response
    ) -> tuple[Headers, str]:
        """Headers and body without what stands in a secret's place."""
        whole: Request | Response | None = read
        if (headers.get("content-encoding") or "").lower() in ("gzip", "deflate"):
            # A secret can't be seen in zipped octets, and yet it could be got out of them.
            headers, body, whole = headers.without("content-encoding"), _unzipped(body), None
        more = len(body) - LONGEST_BODY
        if more > 0:
            body, whole = body[:LONGEST_BODY], None
        kept = Headers(
            (n, self._header(places, n.lower(), v)) for n, v in headers.fields[:MOST_FIELDS]
        )
        text = self._body(places, headers, body, whole) if body else ""
        return kept, f"{text}… ({more} more octets)" if more > 0 else text

    def _texts(self, headers: Headers) -> Headers:
        return Headers((self.text(n), self.text(v)) for n, v in headers)

    def _header(self, places: Places, name: str, value: str) -> str:
        if name in _HEADERS:
            scheme, blank, rest = value.partition(" ")
            places.found.append(rest if blank else value)
            return f"{scheme} {MARK}" if blank and rest and name == "authorization" else MARK
        if name in _PUBLIC_HEADERS:
            return value
        if name in ("location", "referer"):
            path, question, query = value.partition("?")
            return path + question + (places.form(query) if question else "")
        return places.parameter(name.removeprefix("x-").replace("-", "_"), value)

    def _body(
        self, places: Places, headers: Headers, body: bytes, read: Request | Response | None
    ) -> str:
        """A body that may be kept; `read` is the message, where it may have read it already."""
        declared = headers.get("content-type")
        kind = media_type(declared)
        if kind.startswith("multipart/"):
            named = re.search(r'(?i)boundary="?([^";,]+)', (declared or "").partition(";")[2])
            boundary = named[1].strip().encode("latin-1", "replace") if named else b""
            return _text(places.multipart(body, boundary))
        text = _text(body)
        if kind == "application/x-www-form-urlencoded":
            return places.form(text)
        with suppress(ValueError, RecursionError):
            return _ENCODER.encode(places.document(_read(text, read)))
        for part in closed(text):
            with suppress(ValueError, RecursionError):
                return f"{_ENCODER.encode(places.document(json.loads(part)))}… (breaks off)"
        return self._unreadable(places, text)

    def _unreadable(self, places: Places, text: str) -> str:
        """A body that can't be read: nothing behind the first sign of auth, and no named secret."""
        if "&" in text and "=" in text and not text.lstrip().startswith(("<", "{", "[")):
            text = places.form(text)
        names = "|".join(map(re.escape, sorted(self._names, key=len)[::-1])) + "|" + _OTHER_NAMES
        if places.is_patch or re.search(rf'(?i)/(?:{names})"', text):
            names += "|value"  # a JSON Patch names the secret in its path
        whole = re.compile(rf"(?i)(?:{names})[\"']?\s*[:=>]\s*[\[{{]")
        begins = min(
            filter(None, (_AUTH_BEGINS.search(text), whole.search(text))),
            key=lambda found: found.start(),
            default=None,
        )
        if begins:
            places.found += _texts_in(text[begins.end() :])
            text = f"{text[: begins.end()]} {MARK}… (the rest can't be read)"
        pattern = re.compile(rf"(?is)([\"'<]?(?:{names})[\"']?\s*[:=>]\s*)({_STRING}|[^\s,&}}<]+)")
        places.found += [found[2].strip("\"'") for found in pattern.finditer(text)]
        return pattern.sub(rf"\g<1>{MARK}", text)


def _texts_in(text: str) -> Iterator[str]:
    """What may be values in a text that can't be read, the first of them."""
    for found in itertools.islice(_VALUES.finditer(text), MOST_FOUND // 2):
        yield found[0].strip('"')
        with suppress(ValueError):
            yield str(json.loads(found[0]))


def _cut(target: str) -> str:
    more = len(target) - LONGEST_TARGET
    return target if more <= 0 else f"{target[:LONGEST_TARGET]}… ({more} more characters)"


def _continued(match: re.Match[str]) -> str:
    return match[1] + MARK if carries_auth(unquote(match[2])) else match[0]


def _read(text: str, read: Request | Response | None) -> Any:
    """The JSON of a body, as strictly as the message read it, or else as any reader may."""
    if read is not None:
        with suppress(ValueError):
            return read.json
    return json.loads(text)


def _text(body: bytes) -> str:
    """A body as text: in UTF-16 or UTF-32, too, JSON can be read."""
    encoding = json.detect_encoding(body)
    if encoding not in ("utf-8", "utf-8-sig"):
        with suppress(UnicodeDecodeError):
            return body.decode(encoding).removeprefix("\ufeff")
    return body.decode("utf-8", "surrogateescape").removeprefix("\ufeff")


def _pattern(value: str) -> str:
    spelled = "".join(map(_spelled, value[:_LONGEST]))
    return spelled if len(value) <= _LONGEST else spelled + r"[^\s\"'&,;<>]*"


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
    """The beginning of what was zipped: a few octets may hold gigabytes."""
    try:
        return zlib.decompressobj(wbits=47).decompress(body, LONGEST_BODY + 1)
    except zlib.error:
        return b"(zipped octets that can't be unzipped)"


def _octets(text: str) -> bytes:
    """The text as it was on the wire; half a character, which has no UTF-8, as its escape."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace")
