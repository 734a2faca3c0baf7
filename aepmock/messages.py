"""The messages that every part of the kit uses: a request, a response, and an exchange of both.

Header names compare without case and keep the case they were sent in, because a report should
show what was on the wire. Values are text decoded as ISO-8859-1, so that any octet survives.
"""

from __future__ import annotations

import codecs
import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import isfinite
from typing import Any, Literal
from urllib.parse import parse_qsl, unquote


class Headers:
    """An immutable, ordered list of header fields.

    >>> headers = Headers([("X-Api-Key", "k"), ("accept", "*/*")])
    >>> headers.get("x-api-key")
    'k'
    >>> headers.all("Accept")
    ('*/*',)
    """

    __slots__ = ("_by_name", "fields")

    def __init__(self, fields: Iterable[tuple[str, str]] | Mapping[str, str] = ()) -> None:
        pairs = fields.items() if isinstance(fields, Mapping) else fields
        self.fields: tuple[tuple[str, str], ...] = tuple(pairs)
        self._by_name: dict[str, list[str]] | None = None

    def _named(self) -> dict[str, list[str]]:
        """Values by name in lower case, made when first asked for: many are only kept."""
        if self._by_name is None:
            self._by_name = {}
            for name, value in self.fields:
                self._by_name.setdefault(name.lower(), []).append(value)
        return self._by_name

    def get(self, name: str) -> str | None:
        """The first value of a field, or None where there is none."""
        values = self._named().get(name.lower())
        return values[0] if values else None

    def all(self, name: str) -> tuple[str, ...]:
        """Every value of a field, in the order sent; a field sent once gives one."""
        return tuple(self._named().get(name.lower(), ()))

    def replaced(self, name: str, value: str) -> Headers:
        """A copy in which the field stands once, with this value; it is added where absent."""
        kept = [(n, v) for n, v in self.fields if n.lower() != name.lower()]
        return Headers([*kept, (name, value)])

    def without(self, name: str) -> Headers:
        """A copy in which no field has this name."""
        return Headers([(n, v) for n, v in self.fields if n.lower() != name.lower()])

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self.fields)

    def __len__(self) -> int:
        return len(self.fields)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._named()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Headers) and self.fields == other.fields

    def __hash__(self) -> int:
        return hash(self.fields)

    def __repr__(self) -> str:
        return f"Headers({list(self.fields)!r})"


@dataclass(frozen=True)
class Request:
    """A request as it was on the wire.

    `origin` is scheme and authority ("https://platform.adobe.io"); `target` the path and query
    exactly as sent ("/data/foundation/flowservice/connections?limit=2").
    """

    method: str
    origin: str
    target: str
    headers: Headers = field(default_factory=Headers)
    body: bytes = b""

    @cached_property
    def path(self) -> str:
        """The path as sent, percent-encoding included."""
        return self.target.partition("?")[0]

    @cached_property
    def query(self) -> tuple[tuple[str, str], ...]:
        """Decoded query parameters in order; `+` is read as a blank, as form encoding has it."""
        return tuple(
            parse_qsl(
                self.target.partition("?")[2],
                keep_blank_values=True,
                encoding="utf-8",
                errors="surrogateescape",
            )
        )

    @cached_property
    def json(self) -> Any:
        """The body read as JSON. Raises ValueError where it is none."""
        return read_json(self.body)

    @property
    def url(self) -> str:
        return self.origin + self.target

    def parameter(self, name: str) -> str | None:
        """The first value of a query parameter, or None where it was not sent."""
        return next((value for key, value in self.query if key == name), None)

    def parameters(self, name: str) -> tuple[str, ...]:
        """Every value of a query parameter, in the order sent."""
        return tuple(value for key, value in self.query if key == name)


Ending = Literal["whole", "cut", "closed", "reset", "garbage", "silence"]
"""How an answer ends: whole; cut in its body; or none of it comes, because the connection is
closed, or reset, or brings octets that are no HTTP, or because nothing comes at all."""


def _no_one_counts(mock_s: float, real_s: float) -> None:
    pass


@dataclass(frozen=True)
class Effect:
    """What becomes of an answer on its way to the client: the transports bring it about.

    `fault` is what was asked for, in the words of the grammar ("lost answer: reset"). The
    answer begins after `delay_s`, its body is spread over `spread_s`. `behind` is what the
    service itself had answered, where it was asked and the client saw something else: it has
    secrets. `elsewhere` says that another origin answered, to which a fault had led the client:
    what is asked there is nothing that the contract is about. A transport calls
    `elapsed(mock_s, real_s)` for the time that went by, by the mock's own clock and in truth.
    """

    fault: str
    ending: Ending = "whole"
    delay_s: float = 0.0
    spread_s: float = 0.0
    behind: Response | None = field(default=None, repr=False)
    elsewhere: bool = False
    elapsed: Callable[[float, float], None] = field(default=_no_one_counts, repr=False)


@dataclass(frozen=True)
class Response:
    """An answer: `status` 201, `headers`, `body` as bytes.

    `injected` says that a test put the answer in, or altered it: it is never evidence of what
    the service itself would have done. `effect` is what a fault does to it on its way; where
    the client gets no answer at all, the status is 0.
    """

    status: int
    headers: Headers = field(default_factory=Headers)
    body: bytes = b""
    injected: bool = field(default=False, compare=False)
    effect: Effect | None = field(default=None, compare=False)

    @cached_property
    def json(self) -> Any:
        """The body read as JSON, unzipped where it is zipped. Raises ValueError.

        Who reads JSON may ignore a byte order mark, who writes it must not send one (RFC8259 8.1).
        """
        coding = self.headers.get("content-encoding") or ""
        body = unzipped(self.body, coding) if coding in _WINDOWS else self.body
        return read_json(body.removeprefix(codecs.BOM_UTF8))

    @cached_property
    def json_or_none(self) -> Any:
        """The body read as JSON, or None where it is none."""
        try:
            return self.json
        except ValueError:
            return None

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300


@dataclass(frozen=True)
class Exchange:
    """A request and its answer; `number` counts the exchanges of one recording from 1."""

    request: Request
    response: Response
    number: int = 0


Handler = Callable[[Request], Response]


MOST_UNZIPPED = 32 * 1024 * 1024
"""So many octets of a zipped body are read; one that holds more can't be read."""


_WINDOWS = {"gzip": 31, "deflate": 15}
"""What zlib calls the content codings of RFC 9110 8.4.1."""


def unzipped(body: bytes, coding: str = "gzip", most: int = MOST_UNZIPPED) -> bytes:
    """What a body holds in a content coding: gzip (several members too), or deflate.

    Raises ValueError for octets that are none, and for more than `most` octets.
    """
    parts: list[bytes] = []
    size = 0
    while body:
        reader = zlib.decompressobj(wbits=_WINDOWS[coding])
        try:
            part = reader.decompress(body, most - size + 1)
        except zlib.error as error:
            raise ValueError(f"octets that can't be unzipped: {error}") from None
        size += len(part)
        if size > most:
            raise ValueError(f"more than {most} octets when it is unzipped")
        if not reader.eof:
            raise ValueError("zipped octets that break off")
        parts.append(part)
        body = reader.unused_data.lstrip(b"\0")
    return b"".join(parts)


def read_json(body: bytes) -> Any:
    """A body as JSON by RFC 8259: UTF-8 without a byte order mark, no NaN, no Infinity.

    Raises ValueError for everything else, also for nesting too deep to read and for numbers
    that no double holds, such as 1e400: read as infinity, they could not be written again.
    """
    try:
        return _DECODER.decode(body.decode("utf-8"))
    except RecursionError:
        raise ValueError("nested too deeply to read") from None


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not isfinite(number):
        raise ValueError(f"{text[:20]} is beyond what a number can hold")
    return number


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_finite)


def path_segment(raw: str) -> str:
    """One path segment, percent-decoded as UTF-8; octets that are none stay as surrogates."""
    return unquote(raw, encoding="utf-8", errors="surrogateescape")
