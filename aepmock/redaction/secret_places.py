"""Finds secrets in a message by their place: names, auth, patches, filters.

Everything below `auth` is taken for a secret but what the connectors' documentation calls public.
A name that only resembles a secret's is taken for one: better a mark too many than a secret shown.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Collection
from functools import cache
from typing import Any
from urllib.parse import quote, unquote, unquote_plus

from aepmock.contract import load_contract
from aepmock.messages import read_json

MARK = "[secret]"
SHORTEST_FOUND = 8
"""A value found in a message is searched for elsewhere only from this length on."""

_SECRET_NAME = re.compile(
    r"secret|passw|passphrase|pwd$|^token|tokens?$|tokenvalue|apikey|privatekey|accesskey"
    r"|accountkey|connectionstring|sasur[il]|credential|^authorization$|^bearer"
)
"""What a name of a secret has in it, once only its letters and digits are left."""
_NO_SECRETS = frozenset(
    ["continuationtoken", "nexttoken", "pagetoken", "tokentype", "tokenurl", "tokenurn"]
)
_AUTH_NAMES = frozenset(
    ["auth", "auths", "authparams", "authparameters", "authentication", "credentials", "params"]
)
_HARMLESS = frozenset(["name", "description", "state", "connectionspec"])
"""What a patch may set without touching auth."""
_FORM_NAMES = _HARMLESS | {"granttype", "clientid", "scope", "specname", "id", "version"}
_COMMON = frozenset(
    ["a", "an", "the", "any", "my", "some", "test", "dummy", "example", "fake", "client", "access",
     "refresh", "auth", "secret", "token", "password", "key", "id", "user", "name", "value",
     "string", "null", "none", "undefined", "true", "false", "basic", "bearer"]
)  # fmt: skip
_SPEC_NAME = re.compile(r"[A-Za-z]+(?: [A-Za-z]+){0,4}")
_SPLIT = re.compile(r"[./\[\]]+")
# Begins where a name begins: a long text without an operator is read once.
_OPERATOR = re.compile(r"(?<![\w.\-\[\]])([\w.\-\[\]]+) {0,4}[=<>!~]+")
_PART_NAME = re.compile(rb'name="?([^";\r\n]*)', re.IGNORECASE)
_ENCODER = json.JSONEncoder(ensure_ascii=False)


class Places:
    """Masks the secrets of one message; `found` is what they were."""

    def __init__(self, names: Collection[str], *, patch: bool = False) -> None:
        self._names = names
        self.is_patch = patch
        self.found: list[str] = []

    def is_secret(self, name: str) -> bool:
        if name.lower() in self._names:
            return True
        bare = _bare(name)
        return bare not in _NO_SECRETS and _SECRET_NAME.search(bare) is not None

    def document(self, value: Any) -> Any:
        """A JSON document; of a PATCH, its instructions."""
        found = value if isinstance(value, list) else [value]
        if self.is_patch:
            shown = [self._object(v, patch=True) if isinstance(v, dict) else v for v in found]
            return self._value(shown) if isinstance(value, list) else self._value(shown[0])
        return self._value(value)

    def _value(self, value: Any) -> Any:
        if isinstance(value, dict):
            return self._object(value)
        if isinstance(value, list):
            return [self._value(v) for v in value]
        return self.string(value) if isinstance(value, str) else value

    def _object(self, value: dict[str, Any], *, patch: bool = False) -> dict[str, Any]:
        lowered = {key.lower(): key for key in value}
        if patch or "path" in lowered or "op" in lowered:
            path = value.get(lowered.get("path", ""))
            return {
                key: self._patched(path, v) if key.lower() == "value" else self._member(key, v)
                for key, v in value.items()
            }
        return {key: self._member(key, v) for key, v in value.items()}

    def _member(self, key: str, value: Any) -> Any:
        if key == "queryString" and isinstance(value, str):
            return self.form(value)
        *_, last = parts = _SPLIT.split(key)
        if self.is_secret(last) or self.is_secret(key):
            return self.masked(value)
        if not _AUTH_NAMES.isdisjoint(map(_bare, parts)):
            return self._below_auth(last, value)
        return self._value(value)

    def _patched(self, path: Any, value: Any) -> Any:
        """What an instruction puts at a path, in whatever form that is written."""
        parts = [p for p in _SPLIT.split(unquote(path).lstrip("#$")) if p] if _is(path) else ["?"]
        if not parts or _bare(parts[0]) in _HARMLESS:
            return self._value(value)
        return self._below_auth(parts[-1], value)

    def _below_auth(self, name: str, value: Any) -> Any:
        """A value below auth: every leaf is secret, but those documented as public."""
        if isinstance(value, dict):
            return {key: self._below_auth(key, v) for key, v in value.items()}
        if isinstance(value, list):
            return [self._below_auth("", v) for v in value]
        public = isinstance(value, str) and (
            name in _public_names() or (name == "specName" and _is_spec_name(value))
        )
        return value if public else self.masked(value)

    def masked(self, value: Any) -> Any:
        """A value whose every leaf is secret; that there is none is no secret."""
        if isinstance(value, dict):
            return {key: self.masked(v) for key, v in value.items()}
        if isinstance(value, list):
            return [self.masked(v) for v in value]
        if value is None:
            return None
        self.found.append(str(value))
        if isinstance(value, str):
            self._look_inside(value)
        return MARK

    def _look_inside(self, text: str) -> None:
        """A secret may be a document or a connection string, with the real secrets in it."""
        if text.lstrip()[:1] in ("{", "["):
            try:
                inner = read_json(text.encode("utf-8", "surrogateescape"))
            except (ValueError, RecursionError):
                return
            if isinstance(inner, dict | list):
                self.masked(inner)
            return
        for pair in re.split(r"[;&\s]+", text):
            key, _, value = pair.partition("=")
            if value and self.is_secret(key):
                self.found.append(value)

    def string(self, text: str) -> str:
        """A text: it may be a document in itself, or a filter."""
        if text.lstrip()[:1] in ("{", "[") and '"' in text:
            try:
                inner = self.document(read_json(text.encode("utf-8", "surrogateescape")))
            except (ValueError, RecursionError):
                return self._filter(text)
            return _ENCODER.encode(inner)
        return self._filter(text)

    def _filter(self, text: str) -> str:
        for match in _OPERATOR.finditer(text):
            parts = _SPLIT.split(match[1])
            if parts[-1] in _public_names() or parts[-1] == "specName":
                continue
            if self.is_secret(parts[-1]) or not _AUTH_NAMES.isdisjoint(map(_bare, parts)):
                rest = text[match.end() :]
                self.found += [rest, *(part.strip(' "') for part in rest.split(","))]
                return text[: match.end()] + MARK
        return text

    def form(self, text: str) -> str:
        """A query or a form as it was sent, but for the values that hold a secret."""
        return "&".join(map(self._pair, text.split("&")))

    def _pair(self, raw: str) -> str:
        name, equals, value = raw.partition("=")
        decoded = unquote_plus(value, errors="surrogateescape")
        shown = self.parameter(unquote_plus(name, errors="surrogateescape"), decoded)
        if shown == decoded:
            return raw
        return name + equals + quote(shown, safe='[]=<>!~,.:"{} ', errors="surrogateescape")

    def parameter(self, name: str, value: str) -> str:
        """The value of a parameter, or of a field in a form."""
        if _bare(name) == "continuationtoken":
            return MARK if carries_auth(value) else value
        shown = self._member(name, value)
        return shown if isinstance(shown, str) else MARK

    def path(self, path: str) -> str:
        """A path; a secret's name in it says that the next segment is the secret."""
        if path.startswith("/ims/"):
            return path
        segments, below = path.split("/"), False
        for number, raw in enumerate(segments):
            segment, before = unquote(raw), unquote(segments[number - 1]) if number else ""
            key, equals, value = segment.partition("=")
            if equals and self.is_secret(key.rpartition(";")[2]):
                segments[number] = f"{key}={self.masked(value)}"
            elif before != MARK and self.is_secret(before) and not self.is_secret(segment):
                segments[number] = self.masked(segment) if segment else segment
            elif below and segment and not self._is_word(segment):
                segments[number] = self.masked(segment)
            below = below or _bare(segment) in _AUTH_NAMES
        return "/".join(segments)

    def _is_word(self, segment: str) -> bool:
        """Whether a segment below auth is a name and not a value."""
        known = segment in _public_words() or _bare(segment) in _AUTH_NAMES
        return known or self.is_secret(segment)

    def multipart(self, body: bytes, boundary: bytes) -> bytes:
        """A form in parts: what a part holds is shown only where its name is harmless."""
        parts = body.split(b"--" + boundary) if boundary else [body]
        return (b"--" + boundary).join(map(self._part, parts))

    def _part(self, part: bytes) -> bytes:
        head, blank, content = part.partition(b"\r\n\r\n")
        if not blank:
            head, blank, content = part.partition(b"\n\n")
        text = content.strip().decode("utf-8", "surrogateescape")
        if not blank or not text:
            # Without a head nobody knows what it is; between the last boundary and the end is "--".
            return part if len(part.strip()) <= 2 else MARK.encode()
        named = _PART_NAME.search(head)
        name = named[1].decode("utf-8", "replace") if named else ""
        if _bare(name) not in _FORM_NAMES:
            self.found.append(text)
            return head + blank + MARK.encode() + b"\r\n"
        return head + blank + self.string(text).encode("utf-8", "surrogateescape") + b"\r\n"


def worth_learning(value: str) -> bool:
    """Whether a value that was found to be secret can be searched for without hitting by chance."""
    if len(value) < SHORTEST_FOUND or value == MARK or value in _public_words():
        return False
    return not _COMMON.issuperset(re.split(r"[\W_]+", value.lower().strip("-_. ")))


def carries_auth(token: str) -> bool:
    """Whether a continuation token, opened, speaks of auth: it repeats the list's filters."""
    bare = token[1:].upper()
    for text, decode in (
        (token[token.find("&") + 1 :], base64.b64decode),
        (bare + "=" * (-len(bare) % 8), base64.b32decode),
    ):
        try:
            content = decode(text)
        except (binascii.Error, ValueError):
            continue
        if b"auth" in content or b"arams" in content:
            return True
    return False


def closed(text: str, most_levels: int = 100) -> list[str]:
    """JSON that breaks off, closed there: in its last text, or else behind its last whole value.

    Empty for what is no beginning of JSON.
    """
    if text.lstrip()[:1] not in ("{", "["):
        return []
    open_ends: list[str] = []
    end, found = 0, []
    for token in _STRUCTURE.finditer(text):
        sign = token[0]
        if sign == '"':
            found.append(f'{text}"' + "".join(reversed(open_ends)))
            break
        if sign in ("{", "["):
            if len(open_ends) == most_levels:
                break
            open_ends.append("}" if sign == "{" else "]")
            end = token.end()
        elif sign in ("}", "]"):
            if not open_ends:
                return []
            open_ends.pop()
            end = token.end()
        elif sign == ",":
            end = token.start()
    return [*found, text[:end] + "".join(reversed(open_ends))]


_STRUCTURE = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\],"]', re.DOTALL)


def _bare(name: str) -> str:
    return "".join(c for c in name.lower() if c.isalnum())


def _is(path: Any) -> bool:
    return isinstance(path, str)


def _is_spec_name(value: str) -> bool:
    """A documented name, or what someone could have taken for one."""
    return value in _public_words() or (
        len(value) <= 40 and _SPEC_NAME.fullmatch(value) is not None
    )


@cache
def _public_names() -> frozenset[str]:
    """Auth params that hold no secret in any connector."""
    params = [p for c in load_contract().connectors.values() for s in c.auth for p in s.params]
    return frozenset(p.name for p in params if not p.secret) - {p.name for p in params if p.secret}


@cache
def _public_words() -> frozenset[str]:
    """What the contract itself says: no value that equals it is searched for."""
    contract = load_contract()
    words = {*contract.clauses, *contract.operations, *contract.states, *contract.refusals}
    for operation in contract.operations.values():
        words |= {operation.path, *operation.query}
    for connector in contract.connectors.values():
        words |= {connector.name, connector.key, connector.spec_id, *connector.versions}
        words |= {str(table["name"]) for table in connector.tables}
        for spec in connector.auth:
            words |= {spec.name, *spec.names}
    for schema in contract.schemas.values():
        words |= _keys(schema)
    headers = ["authorization", "x-api-key", "x-gw-ims-org-id", "x-sandbox-name", "content-type",
               "if-match", "application/json", "Authorization", "Content-Type", "If-Match",
               "createdAt", "updatedAt", "specName", "next", "items"]  # fmt: skip
    return frozenset(words) | set(headers)


def _keys(schema: Any) -> set[str]:
    if isinstance(schema, dict):
        found = (
            set(schema.get("properties", ()))
            if isinstance(schema.get("properties"), dict)
            else set()
        )
        return found.union(*(_keys(v) for v in schema.values()))
    if isinstance(schema, list):
        return set().union(*(_keys(v) for v in schema))
    return set()
