"""Holds a live answer against the mock's: codes strictly, texts loosely, ids by who they name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from aepmock.contract.problems import TYPE_PREFIX
from aepmock.live.drift.sanitize import MASKED
from aepmock.messages import Response

Key = tuple[str, str]
"""A live name in its scope: ("id", "2fce…"), or an etag in that of its connection's id."""

_VOLATILE = frozenset(
    {
        *("createdAt", "updatedAt", "createdBy", "updatedBy", "createdClient", "updatedClient"),
        *("sandboxId", "access_token", "token_type"),
    }
)
"""Fields of which only the type is compared."""
_ETAGS = frozenset({"etag", "version"})
_ORIGIN = re.compile(r"^(?:[A-Za-z][A-Za-z0-9+.-]*:)?//[^/?#]*|^[A-Za-z][A-Za-z0-9+.-]*:")
_MILLISECONDS = 1_000_000
"""No token lives that many seconds: such an expires_in is in milliseconds."""


@dataclass(frozen=True)
class Difference:
    """Where a live answer is not the mock's: `place` "items[].state", and both as text.

    `extra` says that the live answer has more than the mock's, which the contract allows.
    """

    place: str
    expected: str
    got: str
    extra: bool = False


@dataclass(frozen=True)
class Names:
    """Which live id or etag is which of the mock's; a comparison adds to `fresh` only."""

    known: Mapping[Key, str]
    fresh: dict[Key, str] = field(default_factory=dict)

    def same(self, key: Key, mocked: str) -> bool:
        """Whether a live name stands for the mock's; two new names are matched from now on."""
        mine = self.known.get(key) or self.fresh.get(key)
        if mine is not None:
            return mine == mocked
        taken = {v for k, v in (*self.known.items(), *self.fresh.items()) if k[0] == key[0]}
        if mocked in taken:
            return False
        self.fresh[key] = mocked
        return True

    def mocked(self, key: Key) -> str | None:
        """The mock's name for a live one, or None."""
        return self.known.get(key) or self.fresh.get(key)


def compare(
    live: Mapping[str, Any], mocked: Response, names: Names, scope: str | None
) -> list[Difference]:
    """The differences between a live answer, as it is kept, and the mock's.

    `scope` is the live id of the connection that the request names.
    """
    expected, got = told_of_mock(mocked), told(live)
    if expected != got:
        first = Difference("answer", expected, got)
        if not (mocked.ok and 200 <= live["status"] < 300):
            return [first]
        return [first, *_success(live, mocked, names, scope)]
    return _success(live, mocked, names, scope) if mocked.ok else []


def told(live: Mapping[str, Any]) -> str:
    """A live answer in a few words: "404, 1439-404, full envelope"."""
    body = live.get("json")
    if 200 <= live["status"] < 300:
        return f"{live['status']}, {live['text']}" if "text" in live else str(live["status"])
    return (
        f"{live['status']}, {error_form(body) if 'json' in live else live.get('text', 'no body')}"
    )


def told_of_mock(mocked: Response) -> str:
    """The mock's answer in the same words."""
    if mocked.ok:
        return str(mocked.status)
    return f"{mocked.status}, {error_form(mocked.json) if mocked.body else 'no body'}"


def error_form(body: Any) -> str:
    """Code and form of a refusal's body; the texts in it don't matter."""
    if not isinstance(body, dict):
        return "JSON of an unknown form"
    kind = str(body.get("type", ""))
    if "error_code" in body:
        code = body["error_code"]
        return f"{code}, error_code is a {'string' if isinstance(code, str) else 'number'}"
    if kind.startswith(TYPE_PREFIX):
        return f"{kind.removeprefix(TYPE_PREFIX)}, full envelope"
    if "errorMessage" in body:
        return "short body without a code"
    if "error" in body:
        return f"{body['error']}, OAuth body"
    if "detail" in body or "title" in body:
        return "problem body"
    return "message only" if "message" in body else "JSON of an unknown form"


def _success(
    live: Mapping[str, Any], mocked: Response, names: Names, scope: str | None
) -> list[Difference]:
    document = live.get("json")
    if scope is None and isinstance(document, dict):
        scope = str(document.get("id"))
    found: list[Difference] = []
    if mocked.body and "json" in live:
        found += walk("", document, mocked.json, names, scope or "")
    elif mocked.body and live["status"] == mocked.status:
        found.append(Difference("body", "JSON", live.get("text", "none")))
    elif not mocked.body and "json" in live:
        found.append(Difference("body", "none", "JSON", extra=True))
    # After the body, which says who is who.
    return [*found, *_headers(live.get("headers", {}), mocked, names, scope or "")]


def _headers(
    live: Mapping[str, str], mocked: Response, names: Names, scope: str
) -> Iterator[Difference]:
    leads = _leads(live.get("location"), scope)
    expected = _leads(mocked.headers.get("location"), names.mocked(("id", scope)) or "")
    if leads != expected:
        yield Difference("header Location", expected, leads)
    etag, theirs = live.get("etag"), mocked.headers.get("etag")
    if (etag is None) != (theirs is None):
        there = ("absent", "present")
        yield Difference("header ETag", there[theirs is not None], there[etag is not None])
    elif etag is not None and theirs is not None:
        yield from _etag("header ETag", etag, theirs, names, scope)


def _leads(location: str | None, wanted: str) -> str:
    """What a Location holds: "relative" or "absolute", to the connection or elsewhere."""
    if location is None:
        return "absent"
    absolute, path, _ = taken_apart(location)
    if wanted and not path.rstrip("/").endswith(wanted):
        return "elsewhere"
    return "absolute" if absolute else "relative"


def taken_apart(url: str) -> tuple[bool, str, str]:
    """Whether a URL is absolute, its path, and its query; takes any text."""
    rest = _ORIGIN.sub("", url, count=1)
    path, _, query = rest.partition("?")
    return rest != url, path, query


def walk(place: str, live: Any, mocked: Any, names: Names, scope: str) -> Iterator[Difference]:
    """The differences of two parts of a document, `place` saying which part."""
    key = place.rpartition(".")[2]
    if isinstance(live, dict) and isinstance(mocked, dict):
        if place == "items[]":
            scope = str(live.get("id"))
        for name, value in mocked.items():
            below = f"{place}.{name}" if place else name
            if name in live:
                yield from walk(below, live[name], value, names, scope)
            else:
                yield Difference(below, "present", "absent")
        for name in live.keys() - mocked.keys():
            below = f"{place}.{name}" if place else name
            yield Difference(below, "absent", "present", extra=True)
    elif isinstance(live, list) and isinstance(mocked, list):
        if bool(live) != bool(mocked):
            said = ("nothing", "something")
            yield Difference(place, said[bool(mocked)], said[bool(live)])
        for one, other in zip(live, mocked, strict=False):
            yield from walk(f"{place}[]", one, other, names, scope)
    elif key in _VOLATILE or key == "expires_in":
        yield from _loosely(place, key, live, mocked)
    elif key == "id" and place in ("id", "items[].id"):
        if not names.same(("id", str(live)), str(mocked)):
            yield Difference(place, "the same connection", "another id")
    elif key in _ETAGS and place in (key, f"items[].{key}"):
        yield from _etag(place, live, mocked, names, scope)
    elif live != mocked and not _both_masked(live, mocked):
        yield Difference(place, _shown(mocked), _shown(live))


def _loosely(place: str, key: str, live: Any, mocked: Any) -> Iterator[Difference]:
    if type(live) is not type(mocked):
        yield Difference(place, _kind(mocked), _kind(live))
    elif key == "expires_in" and (live >= _MILLISECONDS) != (mocked >= _MILLISECONDS):
        unit = ("seconds", "milliseconds")
        yield Difference(place, unit[mocked >= _MILLISECONDS], unit[live >= _MILLISECONDS])


def _etag(place: str, live: Any, mocked: Any, names: Names, scope: str) -> Iterator[Difference]:
    if not isinstance(live, str) or not isinstance(mocked, str):
        if type(live) is not type(mocked):
            yield Difference(place, _kind(mocked), _kind(live))
        return
    if _etag_form(live) != "in double quotes":
        yield Difference("etag form", "in double quotes", _etag_form(live))
    if not names.same((scope, opaque(live)), opaque(mocked)):
        known = names.mocked((scope, opaque(live))) is not None
        said = ("the etag as it was", "another") if not known else ("a new etag", "the old one")
        yield Difference(place, *said)


def opaque(etag: str) -> str:
    """An etag without W/ and double quotes."""
    return etag.strip().removeprefix("W/").strip('"')


def _etag_form(etag: str) -> str:
    if etag.startswith('W/"'):
        return "weak"
    quoted = len(etag) > 1 and etag[0] == etag[-1] == '"'
    return "in double quotes" if quoted else "without double quotes"


def _both_masked(live: Any, mocked: Any) -> bool:
    return all(isinstance(x, str) and MASKED.fullmatch(x) is not None for x in (live, mocked))


def _kind(value: Any) -> str:
    kinds = {dict: "an object", list: "an array", str: "a text", bool: "true or false"}
    return "null" if value is None else kinds.get(type(value), "a number")


def _shown(value: Any) -> str:
    """A value for a report: short, and of a document only what it is."""
    if isinstance(value, dict | list):
        return _kind(value)
    text = value if isinstance(value, str) else str(value).lower()
    return text if len(text) <= 60 else text[:59] + "…"
