"""Redirects and next links that lead a client to another origin."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urljoin

from aepmock.judge.answers import next_href
from aepmock.judge.transcript import Call
from aepmock.messages import Exchange
from aepmock.net import origin_of


def is_redirect(exchange: Exchange) -> bool:
    """Whether an answer sends the client elsewhere."""
    response = exchange.response
    return 300 <= response.status < 400 and "location" in response.headers


def off_origin_answers(call: Call) -> Iterator[tuple[str, Exchange, list[Exchange]]]:
    """Answers of a call that lead to another origin, and the requests of the call that went there.

    The kind is "redirect" or "next link".
    """
    own = {origin_of(call.settings.base_url)}
    for exchange in call.exchanges:
        for kind, target in _targets(exchange):
            place = origin_of(target)
            if place is None or place in own:
                continue
            yield (
                kind,
                exchange,
                [
                    e
                    for e in call.exchanges
                    if e.number > exchange.number and origin_of(e.request.origin) == place
                ],
            )


def _targets(exchange: Exchange) -> Iterator[tuple[str, str]]:
    if is_redirect(exchange):
        location = exchange.response.headers.get("location") or ""
        yield "redirect", urljoin(exchange.request.url, location)
    href = next_href(exchange.response)
    if href is not None:
        yield "next link", href


def off_origin_requests(call: Call) -> set[int]:
    """Numbers of the requests that went where an answer led: not judged as the client's own."""
    return {e.number for _, _, followed in off_origin_answers(call) for e in followed}
