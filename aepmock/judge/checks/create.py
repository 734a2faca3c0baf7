"""Family 2: whether a create sends what the caller gave, and returns what the service said."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from aepmock.contract import other_connector
from aepmock.judge.answers import SUCCESS, items_of, kind_of, same
from aepmock.judge.checks.bodies import create_body, with_body
from aepmock.judge.checks.registry import Verdicts, transcript_check
from aepmock.judge.checks.retries import unanswered
from aepmock.judge.findings import Violation
from aepmock.judge.transcript import Call, Transcript
from aepmock.messages import Exchange
from aepmock.net import read_authorization

if TYPE_CHECKING:
    from aepmock.client_api import NewConnection

_NOTHING_DONE = frozenset({401, 429})


def creates(
    transcript: Transcript,
) -> Iterator[tuple[Call, NewConnection, Exchange, dict[str, Any]]]:
    """Every create on the wire that has a JSON object, with what the caller gave."""
    for call in transcript.of("create_connection"):
        for exchange in transcript.primary(call):
            body = create_body(exchange, transcript.contract)
            if body is not None:
                yield call, call.args["connection"], exchange, body


def part(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """An object within a body; an empty one where there is none."""
    value = body.get(name)
    return value if isinstance(value, dict) else {}


@transcript_check("connections.create.name")
def name(transcript: Transcript) -> Verdicts:
    for _, given, exchange, body in creates(transcript):
        if body.get("name") == given.name:
            yield None
        elif "name" in body:
            yield Violation(
                "name is not what the caller gave",
                repr(given.name),
                repr(body["name"]),
                exchange,
                with_body(exchange.request, {**body, "name": given.name}),
            )


@transcript_check("connections.create.description")
def description(transcript: Transcript) -> Verdicts:
    for _, given, exchange, body in creates(transcript):
        if given.description is None:
            continue
        if body.get("description") == given.description:
            yield None
        else:
            yield Violation(
                "description is not what the caller gave",
                repr(given.description),
                repr(body["description"]) if "description" in body else "no description",
                exchange,
                with_body(exchange.request, {**body, "description": given.description}),
            )


@transcript_check("connections.create.description-absent")
def description_absent(transcript: Transcript) -> Verdicts:
    for _, given, exchange, body in creates(transcript):
        if given.description is not None:
            continue
        if "description" not in body:
            yield None
        else:
            right = {k: v for k, v in body.items() if k != "description"}
            yield Violation(
                "a description is sent that the caller did not give",
                "no description",
                f"description {body['description']!r}",
                exchange,
                with_body(exchange.request, right),
            )


@transcript_check("connections.create.spec-id")
def spec_id(transcript: Transcript) -> Verdicts:
    for _, given, exchange, body in creates(transcript):
        sent = part(body, "connectionSpec").get("id")
        if sent == given.connection_spec_id:
            yield None
        elif (
            isinstance(sent, str) and sent in transcript.contract.connectors_by_spec
        ) or other_connector(transcript.contract, body) is not None:
            yield Violation(
                "connectionSpec.id is another connector's",
                repr(given.connection_spec_id),
                repr(sent),
                exchange,
            )


@transcript_check("connections.create.spec-version")
def spec_version(transcript: Transcript) -> Verdicts:
    for _, given, exchange, body in creates(transcript):
        wanted = given.connection_spec_version
        spec = part(body, "connectionSpec")
        if wanted is None or not spec:
            continue
        if spec.get("version") == wanted and isinstance(spec["version"], str):
            yield None
        elif "version" not in spec:
            right = {**body, "connectionSpec": {**spec, "version": wanted}}
            yield Violation(
                "connectionSpec.version is left out though the caller gave one",
                repr(wanted),
                "no version",
                exchange,
                with_body(exchange.request, right),
            )


@transcript_check("connections.create.auth-spec-name")
def auth_spec_name(transcript: Transcript) -> Verdicts:
    for _, given, exchange, body in creates(transcript):
        sent = part(body, "auth").get("specName")
        if given.auth_spec_name is None:
            if body.get("auth") in ({}, {"params": {}}):
                continue  # no source speaks of an auth that says nothing
            if "auth" in body:
                yield Violation(
                    "auth is sent for a connector without any", "no auth", "an auth", exchange
                )
            else:
                yield None
        elif sent == given.auth_spec_name:
            yield None
        elif isinstance(sent, str):
            yield Violation(
                "auth.specName is not what the caller gave",
                repr(given.auth_spec_name),
                repr(sent),
                exchange,
            )


@transcript_check("connections.create.auth-params")
def auth_params(transcript: Transcript) -> Verdicts:
    for _, given, exchange, body in creates(transcript):
        sent = part(part(body, "auth"), "params")
        if given.auth_spec_name is None or set(sent) != set(given.auth_params):
            continue  # which names there are is the matter of the check in bodies.py
        altered = [k for k, v in given.auth_params.items() if not same(sent[k], v)]
        if not altered:
            yield None
            continue
        lengths = ", ".join(_difference(k, given.auth_params[k], sent[k]) for k in altered)
        yield Violation(
            f"auth.params.{altered[0]} is not what the caller gave",
            "every value as given",
            lengths,
            exchange,
        )


def _difference(name: str, given: Any, sent: Any) -> str:
    """How a value differs, without showing it: it may be a secret."""
    if not isinstance(sent, str):
        return f"{name}: a JSON {type(sent).__name__}"
    if len(sent) != len(str(given)):
        return f"{name}: {len(sent)} characters instead of {len(str(given))}"
    return f"{name}: other characters"


@transcript_check("connections.create.tokens-apart")
def tokens_apart(transcript: Transcript) -> Verdicts:
    for call, given, exchange, body in creates(transcript):
        params = part(part(body, "auth"), "params")
        if not params:
            continue
        ims = {call.settings.access_token, *transcript.tokens}
        misplaced = [k for k, v in params.items() if isinstance(v, str) and v in ims]
        _, bearer = read_authorization(exchange.request.headers.get("authorization"))
        if misplaced:
            yield Violation(
                f"the IMS token is sent as auth.params.{misplaced[0]}",
                "the connector's own token",
                "the IMS token",
                exchange,
            )
        elif bearer and bearer in given.auth_params.values():
            yield Violation(
                "a token of the connector is sent as Bearer",
                "the IMS token",
                "one of auth.params",
                exchange,
            )
        else:
            yield None


@transcript_check("connections.create.one-post")
def one_post(transcript: Transcript) -> Verdicts:
    for call in transcript.of("create_connection"):
        posts = transcript.primary(call)
        if not posts:
            # A header that can't be sent is refused by a server before anyone records it.
            if call.raised is None and call.settings.sandbox_name.isprintable():
                yield Violation(
                    "create_connection returned without having sent anything",
                    "one POST /connections",
                    "no POST /connections",
                )
            continue
        repeat = _blind_repeat(transcript, call, posts)
        if repeat is None:
            yield None
        else:
            before = posts[posts.index(repeat) - 1].response.status
            yield Violation(
                f"the POST is repeated after a {before}, and may create a second connection",
                "one POST, and the error for the caller to decide",
                f"{len(posts)} POSTs in one call",
                repeat,
            )


def _blind_repeat(transcript: Transcript, call: Call, posts: list[Exchange]) -> Exchange | None:
    """The first POST that follows another, which may have worked, without a look in between."""
    for before, after in pairwise(posts):
        if before.response.status in _NOTHING_DONE or unanswered(before):
            continue  # retries.lost-answer
        looked = any(
            before.number < e.number < after.number
            and transcript.operation(e) in ("connections.list", "connections.search")
            for e in call.exchanges
        )
        if not looked or before.response.ok:
            return after
    return None


def _answered(
    transcript: Transcript, *operations: str
) -> Iterator[tuple[Call, Exchange, Mapping[str, Any]]]:
    """Calls that returned after a readable success, with its exchange and document.

    Of several successes it is the one whose id came back: which one a client takes is its own
    matter, and that there are several that of connections.create.one-post.
    """
    for call in transcript.of(*operations):
        primary = transcript.primary(call)
        if not primary or call.raised is not None or call.timed_out:
            continue
        if not _is_success(transcript, primary[-1]):
            continue
        found = [(e, e.response.json_or_none) for e in primary if _is_success(transcript, e)]
        documents = [(e, d) for e, d in found if isinstance(d, dict)]
        own = [(e, d) for e, d in documents if "id" in d and d["id"] == _returned(call, "id")]
        for exchange, document in (own or documents)[-1:]:
            yield call, exchange, document


def _is_success(transcript: Transcript, exchange: Exchange) -> bool:
    return kind_of(exchange.response, transcript.operation(exchange)) == SUCCESS


def _returned(call: Call, key: str) -> Any:
    return call.returned.get(key) if isinstance(call.returned, Mapping) else None


@transcript_check("connections.create.returns-id")
def returns_id(transcript: Transcript) -> Verdicts:
    for call, exchange, document in _answered(transcript, "create_connection"):
        if "id" in document:
            yield _same(call, exchange, "id", document["id"])


@transcript_check("connections.create.returns-etag")
def create_etag(transcript: Transcript) -> Verdicts:
    for call, exchange, document in _answered(transcript, "create_connection"):
        yield _same_etag(call, exchange, document)


@transcript_check("connections.update.returns-etag")
def update_etag(transcript: Transcript) -> Verdicts:
    for call, exchange, document in _answered(transcript, "update_connection"):
        yield _same_etag(call, exchange, document)


def _same_etag(call: Call, exchange: Exchange, document: Mapping[str, Any]) -> Violation | None:
    """Where the body has none, any that the service named in the same call will do."""
    wanted = document.get("etag")
    got = _returned(call, "etag")
    if wanted is None and (got is None or (isinstance(got, str) and got in _etags_named(call))):
        return None
    return _same(call, exchange, "etag", wanted)


def _etags_named(call: Call) -> set[Any]:
    """Etags in headers, and of items that were read back, since the write."""
    named: set[Any] = set()
    for exchange in call.exchanges:
        named.add(exchange.response.headers.get("etag"))
        named |= {item.get("etag") for item in items_of(exchange.response)}
    return named


def _same(call: Call, exchange: Exchange, key: str, wanted: Any) -> Violation | None:
    got = _returned(call, key)
    if got == wanted:
        return None
    if isinstance(call.returned, Mapping):
        shown = f"{key} {got!r}"
    else:
        shown = f"a {type(call.returned).__name__}"
    return Violation(
        f"the {key} that {call.operation} returned is not the answer's",
        f"{key} {wanted!r}",
        shown,
        exchange,
    )
