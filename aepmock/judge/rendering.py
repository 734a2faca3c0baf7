"""Requests and answers as text for people, and the difference between two requests."""

from __future__ import annotations

import json
from collections.abc import Iterable
from difflib import unified_diff

from aepmock.messages import Exchange, Request, Response

LONGEST_BODY = 4_000
MOST_FIELDS = 100
LONGEST_LINE = 2_048
_NOISE = frozenset(
    {"host", "accept", "accept-encoding", "connection", "user-agent", "content-length"}
)


def request_text(request: Request, *, noise: bool = False) -> str:
    """A request, its JSON body indented; headers that never matter only with `noise`."""
    lines = [f"{request.method} {request.target}"]
    lines += _field_lines((n, v) for n, v in request.headers if noise or n.lower() not in _NOISE)
    return "\n".join([*lines, *_body_lines(request.body)])


def response_text(response: Response) -> str:
    """An answer, its JSON body indented."""
    lines = [f"HTTP {response.status}"] if response.status else ["no answer"]
    if response.effect is not None:
        lines[0] += f" (a fault: {response.effect.fault})"
    elif response.injected:
        lines[0] += " (put in, or altered, by the test)"
    lines += _field_lines((n, v) for n, v in response.headers if n.lower() not in _NOISE)
    return "\n".join([*lines, *_body_lines(response.body)])


def exchange_text(exchange: Exchange) -> str:
    """A request and its answer."""
    return f"{request_text(exchange.request)}\n\n{response_text(exchange.response)}"


def request_diff(sent: Request, right: Request) -> str:
    """What to change in a request to make it right, as a unified diff; empty for no change."""
    lines = unified_diff(
        request_text(sent).split("\n"),
        request_text(right).split("\n"),
        "sent",
        "right",
        lineterm="",
        n=2,
    )
    return "\n".join(lines)


def _field_lines(fields: Iterable[tuple[str, str]]) -> list[str]:
    lines = [f"{name}: {value}" for name, value in fields]
    more = len(lines) - MOST_FIELDS
    lines = [x if len(x) <= LONGEST_LINE else f"{x[:LONGEST_LINE]}…" for x in lines[:MOST_FIELDS]]
    return lines if more <= 0 else [*lines, f"… {more} more header fields"]


def _body_lines(body: bytes) -> list[str]:
    if not body:
        return []
    text = body.decode("utf-8", "backslashreplace")
    try:
        text = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        pass
    if len(text) > LONGEST_BODY:
        text = f"{text[:LONGEST_BODY]}\n… {len(text) - LONGEST_BODY} more characters"
    return ["", *text.split("\n")]
