"""Family 9: clients that do not know of each other, and calls that leave nothing behind."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from aepmock.contract.forms import given_in
from aepmock.judge.checks.registry import Verdicts, transcript_check
from aepmock.judge.findings import Violation
from aepmock.judge.transcript import Call, Settings, Together, Transcript
from aepmock.messages import Exchange

_REPEATS = 4
"""So many steps of growth, one after the other, are no chance."""


def _owners(transcript: Transcript) -> dict[tuple[str, str], Settings]:
    """Whose a value of a header is: the settings of the client that was given or fetched it."""
    owners: dict[tuple[str, str], Settings] = {}
    by_client_id: dict[str, Settings] = {}
    for call in transcript.calls:
        settings = call.settings
        by_client_id[settings.client_id] = settings
        owners["the access token", settings.access_token] = settings
        owners["the API key", settings.api_key] = settings
        owners["the organization", settings.ims_org_id] = settings
        owners["the sandbox", settings.sandbox_name] = settings
    for call in transcript.calls:
        for exchange in call.exchanges:
            document = exchange.response.json_or_none
            asker = by_client_id.get(given_in(exchange.request).get("client_id", ""))
            if (
                transcript.operation(exchange) == "ims.token"
                and isinstance(document, dict)
                and asker
            ):
                owners["the access token", str(document.get("access_token"))] = asker
    return owners


def _values(exchange: Exchange) -> Iterator[tuple[str, str]]:
    headers = exchange.request.headers
    for value in headers.all("authorization"):
        yield "the access token", value.partition(" ")[2].strip()
    for what, name in (
        ("the API key", "x-api-key"),
        ("the organization", "x-gw-ims-org-id"),
        ("the sandbox", "x-sandbox-name"),
    ):
        for value in headers.all(name):
            yield what, value.strip()


def _mixing(clause: str, together: Together, how: str) -> None:
    @transcript_check(clause)
    def check(transcript: Transcript) -> Verdicts:
        if transcript.together != together:
            return
        owners = _owners(transcript)
        for call in transcript.calls:
            for exchange in call.exchanges:
                if not transcript.is_for_flow_service(exchange):
                    continue
                what = _foreign(owners, call, exchange)
                if what is None:
                    yield None
                    continue
                yield Violation(
                    f"a request of one client carries {what} of another, used {how}",
                    "each client's own token, key, organization and sandbox",
                    f"{what} of another client in {call.operation}",
                    exchange,
                )


def _foreign(owners: dict[tuple[str, str], Settings], call: Call, exchange: Exchange) -> str | None:
    own = call.settings.ims_org_id
    for what, value in _values(exchange):
        owner = owners.get((what, value))
        if owner is not None and owner.ims_org_id != own:
            return what
    return None


_mixing("independence.in-turn", "in turn", "in turn with it")
_mixing("independence.threads", "threads", "at the same time in a thread")
_mixing("independence.tasks", "tasks", "at the same time in a task")


@transcript_check("independence.headers")
def headers(transcript: Transcript) -> Verdicts:
    """The same call over and over sends the same headers; If-Match is for an update only."""
    if transcript.together != "again":
        return
    by_operation: dict[str, list[Exchange]] = {}
    for call in transcript.calls:
        for exchange in transcript.primary(call)[-1:]:
            by_operation.setdefault(call.operation, []).append(exchange)
            if exchange.request.method in ("GET", "POST") and "if-match" in _names(exchange):
                yield Violation(
                    f"{call.operation} carries the If-Match of an earlier update",
                    "the headers of a call in that call only",
                    "If-Match in a request that changes nothing",
                    exchange,
                )
                return
    for operation, exchanges in by_operation.items():
        grown = _grown(exchanges) if len(exchanges) > _REPEATS else None
        if grown is None:
            yield None
        else:
            yield Violation(
                f"the headers of {operation} grow from call to call",
                "the same headers for the same call",
                grown,
                exchanges[-1],
            )


def _names(exchange: Exchange) -> set[str]:
    return {name.lower() for name, _ in exchange.request.headers}


def _grown(exchanges: list[Exchange]) -> str | None:
    """What became more or longer with each of the last calls; the first few may be settling."""
    last = exchanges[-_REPEATS - 1 :]
    lines = [len(e.request.headers) for e in last]
    if _rises(lines):
        return f"{lines[0]} header lines, then {lines[-1]}"
    for name in sorted(set.intersection(*map(_names, last))):
        lengths = [sum(map(len, e.request.headers.all(name))) for e in last]
        if _rises(lengths):
            return f"{name}: {lengths[0]} characters, then {lengths[-1]}"
    return None


def _rises(numbers: list[int]) -> bool:
    return all(after > before for before, after in pairwise(numbers))
