"""Family 1: the headers of every request."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from aepmock.contract import Contract
from aepmock.judge.checks.behaving import reported
from aepmock.judge.checks.bodies import create_body, is_create
from aepmock.judge.checks.registry import (
    SessionVerdicts,
    Verdicts,
    transcript_check,
    wire_check,
)
from aepmock.judge.findings import Violation
from aepmock.judge.transcript import PRIMARY, Expected, Transcript
from aepmock.messages import Exchange, Headers, Request
from aepmock.net import media_type, read_authorization

_CONTROL = ("\r", "\n", "\0")
_FETCH_WHITESPACE = "\t\n\r "
"""What the Fetch standard takes off the ends of a header value. Source: FETCH normalize."""


def _for_platform(exchange: Exchange, contract: Contract) -> bool:
    """Whether a request is for Flow Service, not for the token endpoint."""
    return contract.ims_operation(exchange.request.path) is None


def _once(
    exchange: Exchange, expected: Expected, name: str, wanted: frozenset[str]
) -> Iterator[Violation | None]:
    """A header that stands once with one of the wanted values, or with any where any will do."""
    values = exchange.request.headers.all(name)
    if len(values) == 1 and (values[0].strip() in wanted or (expected.any_value and values[0])):
        yield None
        return
    right = min(wanted)
    nearest = exchange.request.headers.replaced(name, right)
    if not values:
        summary, got = f"{name} is missing", "no such header"
    elif len(values) > 1:
        summary, got = f"{name} is sent {len(values)} times", f"{len(values)} header fields"
    else:
        summary = f"{name} is not the caller's"
        got = repr(values[0])
    yield Violation(
        summary,
        f"{name}: {right}",
        got,
        exchange,
        _with_headers(exchange, nearest),
    )


def _with_headers(exchange: Exchange, headers: Headers) -> Request:
    return replace(exchange.request, headers=headers)


@wire_check("request.api-key")
def api_key(exchange: Exchange, expected: Expected, contract: Contract) -> Verdicts:
    if _for_platform(exchange, contract):
        yield from _once(exchange, expected, "x-api-key", expected.api_keys)


@wire_check("request.ims-org")
def ims_org(exchange: Exchange, expected: Expected, contract: Contract) -> Verdicts:
    if _for_platform(exchange, contract):
        yield from _once(exchange, expected, "x-gw-ims-org-id", expected.orgs)


@wire_check("request.sandbox")
def sandbox(exchange: Exchange, expected: Expected, contract: Contract) -> Verdicts:
    if _for_platform(exchange, contract):
        yield from _once(exchange, expected, "x-sandbox-name", expected.sandboxes)
        headers = exchange.request.headers
        if headers.get("x-sandbox-id") == "*" and headers.get("x-sandbox-name") != "*":
            yield Violation(
                "x-sandbox-id stands for all sandboxes, and x-sandbox-name for one",
                "no x-sandbox-id",
                "x-sandbox-id: *",
                exchange,
                _with_headers(exchange, headers.without("x-sandbox-id")),
            )


@wire_check("request.authorization")
def authorization(exchange: Exchange, expected: Expected, contract: Contract) -> Verdicts:
    """The scheme compares without case (RFC 9110 11.1): a published client writes bearer."""
    if not _for_platform(exchange, contract):
        return
    values = exchange.request.headers.all("authorization")
    scheme, token = read_authorization(values[0] if values else None)
    right_token = token in expected.tokens or (expected.any_value and bool(token))
    if len(values) == 1 and scheme == "bearer" and right_token:
        yield None
        return
    right = "Bearer " + min(expected.tokens)
    if not values:
        summary, got = "Authorization is missing", "no such header"
    elif len(values) > 1:
        summary, got = f"Authorization is sent {len(values)} times", f"{len(values)} header fields"
    elif scheme != "bearer":
        summary, got = "Authorization does not say Bearer", "another scheme, or none"
    else:
        summary, got = "the Bearer token is not the caller's", "another token"
    yield Violation(
        summary,
        "Authorization: Bearer and the caller's token, once",
        got,
        exchange,
        _with_headers(exchange, exchange.request.headers.replaced("Authorization", right)),
    )


@wire_check("request.content-type")
def content_type(exchange: Exchange, expected: Expected, contract: Contract) -> Verdicts:
    request = exchange.request
    if request.method not in ("POST", "PUT", "PATCH") or not request.body:
        return
    if not _for_platform(exchange, contract):
        return
    values = request.headers.all("content-type")
    media = media_type(values[0] if values else None)
    if len(values) == 1 and media == "application/json":
        yield None
        return
    right = request.headers.replaced("Content-Type", "application/json")
    yield Violation(
        "the payload is not said to be JSON" if values else "Content-Type is missing",
        "Content-Type: application/json",
        ", ".join(values) or "no such header",
        exchange,
        _with_headers(exchange, right),
    )


@transcript_check("request.header-injection")
def header_injection(transcript: Transcript) -> SessionVerdicts:
    """A break at an end may be trimmed, as the Fetch standard has it: then nothing is injected."""
    for call in transcript.calls:
        name = call.settings.sandbox_name
        if call.operation not in PRIMARY or not any(c in name for c in _CONTROL):
            continue
        sent = [e for e in call.exchanges if transcript.is_for_flow_service(e)]
        garbled = [e for e in sent if not _is_trimmed(e, name, transcript.contract)]
        if garbled:
            yield Violation(
                "a sandbox name with a control character was sent, whole or as another name",
                "an error before anything is sent",
                f"x-sandbox-name: {', '.join(map(repr, _sandboxes(garbled[0]))) or 'absent'}",
                garbled[0],
            )
        elif not sent and call.raised is None:
            yield Violation(
                "a call with a sandbox name that can't be sent came back as if it had worked",
                "an error before anything is sent",
                "a return value",
            )
        else:
            yield reported(call)


def _sandboxes(exchange: Exchange) -> tuple[str, ...]:
    return exchange.request.headers.all("x-sandbox-name")


def _is_trimmed(exchange: Exchange, name: str, contract: Contract) -> bool:
    """Whether a request bears the name without the white space at its ends, and is whole.

    A break that was sent after all ends the header section too early, and the body with it.
    """
    own = name.strip(_FETCH_WHITESPACE)
    if any(c in own for c in _CONTROL) or _sandboxes(exchange) != (own,):
        return False
    return not is_create(exchange, contract) or create_body(exchange, contract) is not None


@transcript_check("request.header-ascii")
def header_ascii(transcript: Transcript) -> Verdicts:
    for call in transcript.calls:
        name = call.settings.sandbox_name
        if name.isascii() or call.operation not in PRIMARY:
            continue
        sent = [e for e in call.exchanges if transcript.is_for_flow_service(e)]
        if sent:
            yield Violation(
                "a sandbox name outside ASCII was sent",
                "an error before anything is sent",
                f"x-sandbox-name: {sent[0].request.headers.get('x-sandbox-name')!r}",
                sent[0],
            )
        else:
            yield None
