"""What may go wrong, how often and when, as plain data.

A fault is an operation, steps that happen one after the other, and conditions. It is read and
checked in `grammar.py`; `apply.py` makes answers of steps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Literal

from aepmock.messages import Request, path_segment

Place = Literal["stead", "way", "service"]
"""Where a fault happens: in the service's stead, which never sees the request; on the way, to
the answer of a service that did what was asked; or in the service itself."""


@dataclass(frozen=True)
class Kind:
    """What may go wrong. `takes` names what may follow the words; the last word is optional."""

    place: Place
    about: str
    takes: tuple[Literal["seconds", "status", "url"], ...] = ()


KINDS: Mapping[str, Kind] = {
    "good": Kind("service", "the service answers as ever, in the middle of a sequence"),
    "bare": Kind("stead", "a status with an empty body: bare 503", ("status",)),
    "latency": Kind("way", "the answer comes later: latency 0.2s", ("seconds",)),
    "slow body": Kind("way", "the body takes some time: slow body 2s", ("seconds",)),
    "truncated body": Kind("way", "half of the body, and the connection closes"),
    "aborted chunk": Kind("way", "the same with chunked transfer: the last chunk never comes"),
    "wrong content type": Kind("way", "the service's answer, called text/plain"),
    "reset": Kind("stead", "the connection is reset after the request was read"),
    "reset before reading": Kind("stead", "the connection is reset before the request was read"),
    "timeout": Kind("stead", "nothing ever comes"),
    "empty answer": Kind("stead", "the connection is closed without an octet of an answer"),
    "empty body": Kind("stead", "a success without the body that it should have"),
    "garbage": Kind("stead", "octets that are no HTTP"),
    "garbage body": Kind("stead", "a success whose body is no JSON"),
    "html": Kind("stead", "a gateway's page: html, html 504", ("status",)),
    "redirect": Kind("stead", "to another origin: redirect 302 https://…", ("status", "url")),
    "expired token": Kind("service", "the request's token ends its life; the service answers"),
}  # fmt: skip
"""Besides these: a status (503), and every code of the catalogue (1103-503)."""

LOST = "lost answer"
DIALECT: Mapping[int, str] = {
    401: "401013",
    429: "429050",
    500: "1102-500",
    503: "1103-503",
    504: "1104-504",
}
"""The code that stands for a status; a status without one has an empty body."""
REDIRECTS = (301, 302, 303, 307, 308)
LOSABLE = ("reset", "timeout", "empty answer", "empty body", "garbage", "garbage body", "html")


@dataclass(frozen=True)
class Step:
    """One thing that happens to one request.

    `kind` is one of KINDS, or "status" with a `status`, or "code" with a `code` of the
    catalogue. `lost` lets the service do what was asked before. `after_s` is a delay before,
    `retry_after_s` whole seconds for a Retry-After.
    """

    kind: str
    status: int | None = None
    code: str | None = None
    seconds: float | None = None
    url: str | None = None
    retry_after_s: int | None = None
    after_s: float = 0.0
    lost: bool = False

    def __str__(self) -> str:
        """The step in the words of the grammar; reading them gives the step again."""
        words = [self.kind] if self.kind in KINDS else []
        if self.status is not None:
            words.append(str(self.status))
        if self.code is not None:
            words.append(self.code)
        if self.seconds is not None:
            words.append(f"{_number(self.seconds)}s")
        if self.url is not None:
            words.append(self.url)
        if self.retry_after_s is not None:
            words.append(f"retry-after {self.retry_after_s}s")
        if self.after_s:
            words.append(f"after {_number(self.after_s)}s")
        return (f"{LOST}: " if self.lost else "") + " ".join(words)

    @property
    def place(self) -> Place:
        """Where it happens; see Place."""
        return KINDS[self.kind].place if self.kind in KINDS else "stead"


@dataclass(frozen=True)
class When:
    """Which requests of an operation a fault is for: all that is given must hold.

    `call` is the first of the requests that it is for, counted from 1; `id` the connection's in
    the path, `name` that connection's or the one in a JSON body, `header` values by header name,
    all with wildcards; `body` is contained in the body.
    """

    call: int = 1
    id: str | None = None
    name: str | None = None
    header: tuple[tuple[str, str], ...] = ()
    body: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The conditions as the control API takes them; empty for none."""
        given = {"id": self.id, "name": self.name, "body": self.body, "header": dict(self.header)}
        made = {name: value for name, value in given.items() if value}
        return made if self.call == 1 else {"call": self.call, **made}

    def holds(self, request: Request, name_of: Callable[[str], str | None]) -> bool:
        """Whether a request is one of those meant, whichever in number it is.

        `name_of` gives the name of the connection with an id, None where there is none.
        """
        connection_id = _id_in(request)
        if self.id is not None and not fnmatchcase(connection_id, self.id):
            return False
        for name, pattern in self.header:
            if not any(fnmatchcase(value, pattern) for value in request.headers.all(name)):
                return False
        if self.body is not None and self.body.encode() not in request.body:
            return False
        if self.name is None:
            return True
        called = name_of(connection_id) if connection_id else _name_in(request)
        return called is not None and fnmatchcase(called, self.name)


@dataclass(frozen=True)
class Fault:
    """What goes wrong: the `steps` one after the other, all of them `times` times.

    `operation` is an id such as "connections.create", with wildcards. One that is `required`
    fails a strict test in which nothing of it happened.
    """

    operation: str
    steps: tuple[Step, ...]
    times: int = 1
    when: When = field(default_factory=When)
    required: bool = True

    @property
    def words(self) -> str:
        """What goes wrong, "503, 503"."""
        return ", ".join(map(str, self.steps))

    def __str__(self) -> str:
        """The fault in the words of the grammar; reading them gives the fault again."""
        parts = [f"{self.operation}: {self.words}"]
        if self.times != 1:
            parts.append(f"times={self.times}")
        if self.when.call != 1:
            parts.append(f"call={self.when.call}")
        for name in ("id", "name", "body"):
            value = getattr(self.when, name)
            if value is not None:
                parts.append(f"{name}={value}")
        parts += [f"header={name}={value}" for name, value in self.when.header]
        if not self.required:
            parts.append("required=false")
        return "; ".join(parts)


def _number(seconds: float) -> str:
    return f"{seconds:.6f}".rstrip("0").rstrip(".")


def _id_in(request: Request) -> str:
    """The connection's id in the path, …/connections/{id}, or ""."""
    _, found, rest = request.path.partition("/connections/")
    return path_segment(rest.partition("/")[0]) if found else ""


def _name_in(request: Request) -> str | None:
    try:
        document = request.json
    except ValueError:
        return None
    name = document.get("name") if isinstance(document, dict) else None
    return name if isinstance(name, str) else None
