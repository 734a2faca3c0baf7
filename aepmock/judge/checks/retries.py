"""Family 7: what is sent again, how often and how soon, and whether a call comes to an end."""

from __future__ import annotations

from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from itertools import pairwise

from aepmock.judge.answers import code_of
from aepmock.judge.checks.behaving import reported
from aepmock.judge.checks.registry import SessionVerdicts, Verdicts, transcript_check
from aepmock.judge.findings import Violation
from aepmock.judge.transcript import TIMEOUT_FACTOR, Call, Transcript
from aepmock.messages import Exchange

ENDLESS = 200
"""From so many requests of one kind in one call, all refused, a call counts as endless."""
LATE = 3
"""Waiting so many times the timeout for one answer can't be a matter of clocks."""
_EARLY = 0.9
"""How much of a Retry-After has to be over: clocks are not that exact."""
_SEARCHES = ("connections.list", "connections.search")


def unanswered(exchange: Exchange) -> bool:
    """Whether the client got nothing that is an answer; a server may have done what it asked."""
    return exchange.response.status == 0


def _looked_between(transcript: Transcript, call: Call, before: Exchange, after: Exchange) -> bool:
    return any(
        before.number < e.number < after.number and transcript.operation(e) in _SEARCHES
        for e in call.exchanges
    )


@transcript_check("retries.lost-answer")
def lost_answer(transcript: Transcript) -> Verdicts:
    """A repeat after a status is the matter of connections.create.one-post."""
    for call in transcript.of("create_connection"):
        posts = transcript.primary(call)
        if not any(map(unanswered, posts)):
            continue
        blind = next(
            (
                after
                for before, after in pairwise(posts)
                if unanswered(before) and not _looked_between(transcript, call, before, after)
            ),
            None,
        )
        if blind is None:
            yield None
        else:
            yield Violation(
                "a create is sent again although the first one may have worked",
                "one POST, and an error; or a look at what is there before the next one",
                f"{len(posts)} POSTs in one call",
                blind,
            )


@transcript_check("retries.no-answer")
def no_answer(transcript: Transcript) -> SessionVerdicts:
    for call in transcript.calls:
        primary = transcript.primary(call)
        # A list is only as whole as its last page; of another call an answer to one try will do.
        wanted = primary[-1:] if call.operation == "list_connections" else primary
        if not primary or not all(map(unanswered, wanted)) or call.timed_out:
            continue
        if call.raised is not None:
            yield reported(call)
        elif call.operation != "create_connection" or not _looked_after(transcript, call):
            yield Violation(
                f"{call.operation} returned although nobody answered",
                "an error",
                f"a {type(call.returned).__name__} returned",
                primary[-1],
            )


def _looked_after(transcript: Transcript, call: Call) -> bool:
    return any(transcript.operation(e) in _SEARCHES and e.response.ok for e in call.exchanges)


@transcript_check("retries.bounded")
def bounded(transcript: Transcript) -> Verdicts:
    for call in transcript.calls:
        refused = [e for e in transcript.primary(call) if not e.response.ok and e.response.injected]
        if len(refused) >= ENDLESS:
            yield Violation(
                f"{call.operation} goes on for ever while it is refused",
                "an error after some tries",
                f"{len(refused)} requests in one call, and no end",
                refused[0],
            )
        elif refused and not call.timed_out:
            yield None


@transcript_check("retries.retry-after")
def retry_after(transcript: Transcript) -> Verdicts:
    for call in transcript.calls:
        if not any(_wanted_s(e) for e in transcript.primary(call)):
            continue
        for before, after, wanted_s in _asked_to_wait(transcript, call):
            waited_s = transcript.at_s[after.number] - transcript.at_s[before.number]
            if waited_s < _EARLY * wanted_s:
                yield Violation(
                    f"a request is repeated sooner than Retry-After: {wanted_s} says",
                    f"{wanted_s} s between the two, or no repeat",
                    f"{waited_s:.1f} s",
                    after,
                )
                break
        else:
            yield None


def _wanted_s(exchange: Exchange) -> int:
    """The seconds of a Retry-After, for a date those after the answer's Date; 0 for none.

    Dates have whole seconds: of what lies between two, up to one may be over.
    """
    headers = exchange.response.headers
    asked = (headers.get("retry-after") or "").strip()
    if asked.isascii() and asked.isdecimal():
        return int(asked)
    try:
        until, now = (parsedate_to_datetime(text) for text in (asked, headers.get("date") or ""))
        return max(0, int((until - now).total_seconds()) - 1)
    except (TypeError, ValueError):
        return 0


def _asked_to_wait(transcript: Transcript, call: Call) -> Iterator[tuple[Exchange, Exchange, int]]:
    """Repeats of a request whose answer had a Retry-After, in seconds."""
    for before, after in pairwise(transcript.primary(call)):
        wanted_s = _wanted_s(before)
        same = (before.request.method, before.request.target) == (
            after.request.method,
            after.request.target,
        )
        timed = {before.number, after.number} <= transcript.at_s.keys()
        if same and timed and wanted_s:
            yield before, after, wanted_s


@transcript_check("retries.fresh-token")
def fresh_token(transcript: Transcript) -> Verdicts:
    for call in transcript.calls:
        primary = transcript.primary(call)
        expired = [e for e in primary if code_of(e.response) == "401013"]
        if not expired or len(expired) != len(primary):
            continue
        fetched = [
            e
            for e in call.exchanges
            if e.number > expired[0].number and transcript.operation(e) == "ims.token"
        ]
        if len(expired) <= 2 and len(fetched) <= 1:
            yield None
        else:
            yield Violation(
                "a refused token leads to more than one repeat",
                "one fresh token and one repeat at most, then an error",
                f"{len(expired)} requests and {len(fetched)} fresh tokens in one call",
                expired[-1],
            )


@transcript_check("retries.timeout")
def timeout(transcript: Transcript) -> Verdicts:
    """The exact moment; a call that is never given up is the matter of retries.gives-up."""
    for call in transcript.calls:
        silent = [e for e in call.exchanges if is_silent(e)]
        timeout_s = call.settings.timeout_s
        if not silent or _outlasts(call):
            continue
        wait_s = call.took_s / len(silent)
        if wait_s > LATE * timeout_s:
            yield Violation(
                f"{call.operation} waits too long on a server that does not answer",
                f"an error after {timeout_s:g} s, the timeout that was given",
                f"an end after {wait_s:.1f} s",
                silent[0],
            )
        else:
            yield None


@transcript_check("retries.gives-up")
def gives_up(transcript: Transcript) -> Verdicts:
    for call in transcript.calls:
        silent = [e for e in call.exchanges if is_silent(e)]
        if call.timed_out and not call.exchanges:
            yield Violation(
                f"{call.operation} never comes back, and sends nothing",
                "an end within a few times the timeout that was given",
                f"no end after {call.took_s:.1f} s",
            )
        if not silent:
            continue
        if _outlasts(call):
            yield Violation(
                f"{call.operation} waits for ever on a server that does not answer",
                f"an end within {TIMEOUT_FACTOR} times the given timeout of "
                f"{call.settings.timeout_s:g} s",
                f"no end after {max(call.took_s, TIMEOUT_FACTOR * call.settings.timeout_s):.1f} s",
                silent[0],
            )
        else:
            yield None


def _outlasts(call: Call) -> bool:
    """Whether a call went on for as long as convicts; the kit may have broken it off."""
    return call.timed_out or call.took_s > TIMEOUT_FACTOR * call.settings.timeout_s


def is_silent(exchange: Exchange) -> bool:
    effect = exchange.response.effect
    return effect is not None and effect.ending == "silence"
