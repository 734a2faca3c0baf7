"""Family 1: clients that fetch their own token."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from aepmock.contract.forms import FORMS, URL_ENCODED, given_in
from aepmock.judge.checks.registry import Verdicts, transcript_check
from aepmock.judge.findings import Violation
from aepmock.judge.transcript import Call, Transcript
from aepmock.messages import Exchange
from aepmock.net import media_type


def _token_requests(transcript: Transcript) -> Iterator[tuple[Call, Exchange]]:
    for call in transcript.calls:
        for exchange in call.exchanges:
            operation = transcript.contract.ims_operation(exchange.request.path)
            if operation is not None and operation.id == "ims.token":
                yield call, exchange


@transcript_check("ims.token.form")
def form(transcript: Transcript) -> Verdicts:
    for _, exchange in _token_requests(transcript):
        request = exchange.request
        media = media_type(request.headers.get("content-type"))
        right = request.method == "POST" and (not request.body or media in FORMS)
        grant = given_in(request).get("grant_type")
        if right and grant == "client_credentials":
            yield None
        else:
            yield Violation(
                "the token request is no client_credentials form",
                f"POST, {URL_ENCODED}, grant_type=client_credentials",
                f"{request.method}, {media or 'no content type'}, grant_type={grant}",
                exchange,
            )


@transcript_check("ims.token.credentials")
def credentials(transcript: Transcript) -> Verdicts:
    for call, exchange in _token_requests(transcript):
        given = given_in(exchange.request)
        if not given:
            continue  # the form is judged above
        settings = call.settings
        wrong = [
            name
            for name, value in (
                ("client_id", settings.client_id),
                ("client_secret", settings.client_secret),
            )
            if given.get(name) != value
        ]
        if _scopes(given.get("scope", "")) != _scopes(settings.scopes):
            wrong.append("scope")
        if not wrong:
            yield None
        else:
            yield Violation(
                f"the token request's {wrong[0]} is not the caller's",
                "client_id, client_secret and scope as given",
                f"{', '.join(wrong)} missing or different",
                exchange,
            )


def _scopes(text: str) -> set[str]:
    """Scopes as a set: IMS takes commas, RFC 6749 blanks, and the order means nothing."""
    return {scope for scope in text.replace(" ", ",").split(",") if scope}


@transcript_check("ims.token.reuse")
def reuse(transcript: Transcript) -> Verdicts:
    """Within one transcript nothing expires; a refused token may be replaced."""
    by_client: dict[int, list[tuple[Call, Exchange]]] = {}
    for call, exchange in _token_requests(transcript):
        by_client.setdefault(id(call.settings), []).append((call, exchange))
    for requests in by_client.values():
        for (before_call, before), (_, after) in itertools.pairwise(requests):
            refused = any(
                e.response.status == 401 and before.number < e.number < after.number
                for call in transcript.calls
                for e in call.exchanges
            )
            if refused or not before.response.ok:
                continue
            yield Violation(
                "a token is fetched although the last one is good",
                "one token request, until the token expires",
                f"another one in {before_call.operation} or after it",
                after,
            )
            break
        else:
            yield None
