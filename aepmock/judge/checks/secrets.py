"""Family 8: where secrets turn up that are to stay between the client and the service.

A finding names the place and which secret it is, never the secret.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import is_dataclass
from functools import lru_cache
from urllib.parse import quote, quote_plus, unquote

from aepmock.judge.checks.registry import Verdicts, transcript_check
from aepmock.judge.exception_details import NOT_OWN
from aepmock.judge.findings import Violation
from aepmock.judge.off_origin import off_origin_answers, off_origin_requests
from aepmock.judge.transcript import Call, Transcript
from aepmock.messages import Exchange


def _found(text: str, secrets: Mapping[str, str]) -> str | None:
    """Which secret stands in a text, or None."""
    return next(
        (what for secret, what in secrets.items() if any(form in text for form in _forms(secret))),
        None,
    )


@lru_cache(maxsize=1024)
def _forms(secret: str) -> tuple[str, ...]:
    """How a secret may be written: as it is, percent-encoded, or within something in base64.

    In base64 it looks another way after one octet or two, as behind "id:" in Basic credentials;
    the characters at its ends, which hold bits of its neighbours too, are left out.
    """
    if not secret:
        return ()
    octets = secret.encode()
    found = {secret, quote(secret, safe=""), quote_plus(secret)}
    for before, mixed in enumerate((0, 2, 3)):
        text = b64encode(b"\0" * before + octets).decode("ascii")
        inner = text[mixed : (before + len(octets)) * 8 // 6]
        found |= {inner, inner.replace("+", "-").replace("/", "_")}
    return tuple(form for form in found if len(form) >= len(secret))


def _own(transcript: Transcript) -> Iterator[tuple[Call, Exchange, Mapping[str, str]]]:
    """Requests to Flow Service with the secrets of their call, those that were led away left out.

    The token endpoint is sent the client's secret, in the form or in the query (DEVC).
    """
    for call in transcript.calls:
        secrets = transcript.secrets(call)
        away = off_origin_requests(call)
        for exchange in call.exchanges:
            if transcript.is_for_flow_service(exchange) and exchange.number not in away:
                yield call, exchange, secrets


@transcript_check("secrets.url")
def url(transcript: Transcript) -> Verdicts:
    for _, exchange, secrets in _own(transcript):
        target = exchange.request.target
        what = _found(target, secrets) or ("%" in target and _found(unquote(target), secrets))
        if not what:
            yield None
        else:
            yield Violation(
                f"{what} stands in the URL of a request",
                "a URL without a secret: URLs are logged by everyone on the way",
                f"{what}, in the path or the query",
                exchange,
            )


@transcript_check("secrets.header")
def header(transcript: Transcript) -> Verdicts:
    """What stands in Authorization is the matter of request.authorization."""
    for _, exchange, secrets in _own(transcript):
        for name, value in exchange.request.headers:
            what = None if name.lower() == "authorization" else _found(value, secrets)
            if what is not None:
                yield Violation(
                    f"{what} stands in the header {name}",
                    "the access token in Authorization, and no other secret in a header",
                    f"{name}: …{what}…",
                    exchange,
                )
                break
        else:
            yield None


@transcript_check("secrets.body")
def body(transcript: Transcript) -> Verdicts:
    """What the caller gave may stand as often as it was given."""
    for call, exchange, secrets in _own(transcript):
        if not exchange.request.body:
            continue
        sent, given = _sent(exchange), "\n".join(_texts(list(call.args.values())))
        known = {**secrets, **_params(transcript, call)}
        more = (w for s, w in known.items() if s and _times(s, sent) > _times(s, given))
        what = next(more, None)
        if what is None:
            yield None
        else:
            yield Violation(
                f"{what} stands in the body of a request, where the caller did not put it",
                "each secret where the caller gave it, and nowhere else",
                f"{what}, in a place of the client's own",
                exchange,
            )


def _times(secret: str, text: str) -> int:
    return sum(text.count(form) for form in _forms(secret))


def _sent(exchange: Exchange) -> str:
    """The texts in a JSON body, without their escapes; of another body its octets."""
    try:
        return "\n".join(_texts(exchange.request.json))
    except ValueError:
        return exchange.request.body.decode("utf-8", "replace")


def _texts(value: object) -> Iterator[str]:
    """The texts in what the caller gave, or in a JSON document; names are texts too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for pair in value.items():
            yield from _texts(pair)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _texts(part)
    elif is_dataclass(value):
        yield from _texts(vars(value))


def _params(transcript: Transcript, call: Call) -> dict[str, str]:
    """The secret auth params that the caller gave, those that are no common words."""
    params = getattr(call.args.get("connection"), "auth_params", {})
    names = transcript.contract.secret_names
    return {
        value: f"the connector's {name}"
        for name, value in params.items()
        if name in names and isinstance(value, str) and len(value) >= _LONG
    }


_LONG = 12
"""A shorter text may stand in a body by chance."""


def _leading(clause: str, wanted: str) -> None:
    @transcript_check(clause)
    def check(transcript: Transcript) -> Verdicts:
        for call in transcript.calls:
            secrets = transcript.secrets(call)
            for kind, _, followed in off_origin_answers(call):
                if kind != wanted:
                    continue
                given = next(((e, w) for e in followed if (w := _in_request(e, secrets))), None)
                if given is None:
                    yield None
                    continue
                exchange, what = given
                yield Violation(
                    f"{what} goes to another origin, because a {kind} leads there",
                    "no credential for an origin that the caller did not name",
                    f"{what} sent to {exchange.request.origin}",
                    exchange,
                )


_leading("secrets.redirect", "redirect")
_leading("secrets.next-link", "next link")


def _in_request(exchange: Exchange, secrets: Mapping[str, str]) -> str | None:
    request = exchange.request
    parts = [request.target, *(value for _, value in request.headers)]
    parts.append(request.body.decode("utf-8", "replace"))
    return next((what for part in parts if (what := _found(part, secrets))), None)


def _trace(clause: str, place: str, wanted: str) -> None:
    @transcript_check(clause)
    def check(transcript: Transcript) -> Verdicts:
        for call in transcript.calls:
            traces = [trace for trace in call.traces or () if trace.place == place]
            if not traces:
                continue  # nobody looked there
            secrets = transcript.secrets(call)
            for trace in traces:
                what = _found(trace.text, secrets)
                if what is not None:
                    yield Violation(
                        f"{what} turns up in {trace.where}",
                        wanted,
                        f"{what}, after {call.operation}",
                    )
                    break
            else:
                yield None


_trace("secrets.log", "log", "log records from INFO on, and warnings, without a secret")
_trace("secrets.debug-log", "debug log", "log records below INFO without a secret")
_trace("secrets.output", "output", "no secret on standard output or standard error")
_trace("secrets.repr", "repr", "a repr and a str of the client without a secret")
_trace("secrets.file", "file", "no secret in a file of the working directory")


@transcript_check("secrets.error")
def error(transcript: Transcript) -> Verdicts:
    """What a catcher prints or logs: the text and repr of an exception, its notes, its causes."""
    for call in transcript.calls:
        if call.traces is None or call.raised is None:
            continue
        yield from _look(call, _said(call.raised), transcript.secrets(call), "the error")


@transcript_check("secrets.error-context")
def error_context(transcript: Transcript) -> Verdicts:
    for call in transcript.calls:
        if call.traces is None or call.raised is None:
            continue
        secrets = transcript.secrets(call)
        if any(_found(text, secrets) for _, text in _said(call.raised)):
            continue  # secrets.error
        yield from _look(call, _behind(call.raised), secrets, "what hangs on the error")


@transcript_check("secrets.echo")
def echo(transcript: Transcript) -> Verdicts:
    """What the service repeats is the caller's secret all the same, wherever others read it."""
    for call in transcript.calls:
        repeated = transcript.repeated(call)
        if call.traces is None or not repeated:
            continue
        places = [(trace.where, trace.text) for trace in call.traces]
        if call.raised is not None:
            places += _said(call.raised)
        yield from _look(call, iter(places), repeated, "what is left")


def _look(
    call: Call, texts: Iterator[tuple[str, str]], secrets: Mapping[str, str], holder: str
) -> Verdicts:
    for where, text in texts:
        what = _found(text, secrets)
        if what is not None:
            yield Violation(
                f"{what} turns up in {where}",
                f"{holder} of {call.operation} without a secret",
                f"{what} in a {type(call.raised).__name__}" if call.raised else what,
                call.exchanges[-1] if call.exchanges else None,
            )
            return
    yield None


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An error, its causes, and the members of groups."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        part = waiting.pop(0)
        if part is None or id(part) in seen:
            continue
        seen.add(id(part))
        yield part
        waiting.append(part.__cause__)
        if isinstance(part, BaseExceptionGroup):
            waiting += part.exceptions


def _said(error: BaseException) -> Iterator[tuple[str, str]]:
    for part in _causes(error):
        name = type(part).__name__
        yield f"the text of a {name}", _text(str, part)
        yield f"the repr of a {name}", _text(repr, part)
        for note in getattr(part, "__notes__", ()):
            yield f"a note on a {name}", str(note)


def _behind(error: BaseException) -> Iterator[tuple[str, str]]:
    """The contexts that a traceback shows, and what the client's own errors keep as plain data."""
    for part in _causes(error):
        context = part.__context__
        if context is not None and part.__cause__ is None and not part.__suppress_context__:
            for inner in _causes(context):
                yield f"the context of a {type(part).__name__}", _text(str, inner)
        if type(part).__module__.partition(".")[0] not in NOT_OWN:
            for name, value in getattr(part, "__dict__", {}).items():
                if name != "__notes__":
                    yield f"the attribute {name} of a {type(part).__name__}", _plain(value)


_DEEP = 12
"""How deep plain data is looked into: it may hold itself."""


def _plain(value: object, depth: int = _DEEP) -> str:
    """The texts in plain data, joined; objects of other kinds are not looked into."""
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if depth and type(value) in (dict, list, tuple, set):
        parts = value.items() if isinstance(value, dict) else value
        return "\n".join(_plain(part, depth - 1) for part in parts)  # type: ignore[attr-defined]
    return ""


def _text(form: Callable[[object], str], part: BaseException) -> str:
    """An exception as a text; one that can't be shown gives nothing away."""
    try:
        return form(part)
    except Exception:
        return ""
