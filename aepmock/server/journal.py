"""What passed, newest last: redacted before it is kept, and bounded in number and in size."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from aepmock.judge import Finding
from aepmock.judge.rendering import request_text, response_text
from aepmock.messages import Headers, Request, Response

LONGEST_BODY = 16_384
LONGEST_VALUE = 2_048
MOST_FIELDS = 64
MOST_OCTETS = 64 * 1024 * 1024
"""Of a whole journal, whatever its limit: large requests must not fill the memory."""


@dataclass(frozen=True)
class Entry:
    """One exchange, redacted and shortened, and what was wrong with it.

    `verdict` is "broken" where the request broke a clause, "not-imitated" where it is for something
    that aepmock does not imitate, "refused" where the service said no without that, "injected" for
    a fault that was asked for, else "ok". `at_ms` is the mock's
    time in epoch milliseconds.
    """

    number: int
    at_ms: int
    operation: str | None
    request: Request
    response: Response
    verdict: str
    clause: str | None
    explanation: str
    findings: tuple[Finding, ...]
    grades: Mapping[str, str]

    def to_json(self) -> dict[str, Any]:
        """The entry as the control API shows it."""
        return {
            "number": self.number,
            "at_ms": self.at_ms,
            "operation": self.operation,
            "method": self.request.method,
            "target": self.request.target,
            "status": self.response.status,
            "verdict": self.verdict,
            "fault": self.response.effect.fault if self.response.effect else None,
            "clause": self.clause,
            "explanation": self.explanation,
            "findings": [
                {
                    "clause": found.clause,
                    "grade": self.grades[found.clause],
                    "summary": found.summary,
                    "expected": found.expected,
                    "got": found.got,
                    "source": found.source,
                }
                for found in self.findings
            ],
            "diff": next((found.diff for found in self.findings if found.diff), ""),
            "request": request_text(self.request),
            "response": response_text(self.response),
        }

    @cached_property
    def size(self) -> int:
        """About how many octets it takes."""
        texts = [f.summary + f.expected + f.got + f.diff + f.source for f in self.findings]
        heads = (*self.request.headers, *self.response.headers)
        return (
            len(self.request.body)
            + len(self.response.body)
            + len(self.request.target)
            + sum(map(len, texts))
            + sum(len(name) + len(value) for name, value in heads)
        )


class Journal:
    """The last `limit` entries. Numbers go on after a clearing: they never repeat."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.clearings = 0
        self.closed = False
        self._entries: deque[Entry] = deque()
        self._octets = 0
        self._numbers = 0
        self._listeners: set[Callable[[], object]] = set()

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def last(self) -> int:
        """The highest number so far, 0 at the start."""
        return self._numbers

    def next_number(self) -> int:
        self._numbers += 1
        return self._numbers

    def add(self, entry: Entry) -> None:
        self._entries.append(entry)
        self._octets += entry.size
        while len(self._entries) > self.limit or (
            self._octets > MOST_OCTETS and len(self._entries) > 1
        ):
            self._octets -= self._entries.popleft().size
        self._tell()

    def since(self, number: int, most: int) -> list[Entry]:
        """The oldest `most` entries with a higher number."""
        if not self._entries or number >= self._entries[-1].number:
            return []
        # Numbers follow each other: where to begin need not be searched for.
        start = max(0, number - self._entries[0].number + 1)
        return list(itertools.islice(self._entries, start, start + most))

    def clear(self) -> None:
        self._entries.clear()
        self._octets = 0
        self.clearings += 1
        self._tell()

    def close(self) -> None:
        """Ends the streams of those who follow it."""
        self.closed = True
        self._tell()

    def follow(self, listener: Callable[[], object]) -> Callable[[], None]:
        """Calls `listener` after each change, until what is returned is called."""
        self._listeners.add(listener)
        return lambda: self._listeners.discard(listener)

    def _tell(self) -> None:
        for listener in tuple(self._listeners):
            listener()


def shortened_request(request: Request) -> Request:
    """A request of a size that may be kept in thousands."""
    return Request(
        _short(request.method),
        _short(request.origin),
        _short(request.target),
        _headers(request.headers),
        _body(request.body),
    )


def shortened_response(response: Response) -> Response:
    return replace(response, headers=_headers(response.headers), body=_body(response.body))


def shortened_finding(finding: Finding) -> Finding:
    """A finding without the exchange, which its entry has."""
    return replace(
        finding,
        summary=_short(finding.summary),
        expected=_short(finding.expected),
        got=_short(finding.got),
        diff=_short(finding.diff, LONGEST_BODY),
        exchange="",
    )


def _headers(headers: Headers) -> Headers:
    if len(headers) <= MOST_FIELDS and all(len(v) <= LONGEST_VALUE for _, v in headers):
        return headers
    return Headers((_short(n), _short(v)) for n, v in headers.fields[:MOST_FIELDS])


def _short(text: str, longest: int = LONGEST_VALUE) -> str:
    return text if len(text) <= longest else f"{text[:longest]}… ({len(text)} characters)"


def _body(body: bytes) -> bytes:
    if len(body) <= LONGEST_BODY:
        return body
    return body[:LONGEST_BODY] + f"… ({len(body)} octets)".encode()
