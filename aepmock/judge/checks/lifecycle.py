"""Family 10: whether what the client says agrees with what the service was told.

The truth is read off the wire: what was created, patched and deleted with success.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from aepmock.judge.answers import items_of, next_href
from aepmock.judge.checks.registry import Verdicts, transcript_check
from aepmock.judge.findings import Violation
from aepmock.judge.transcript import Call, Transcript
from aepmock.messages import Exchange, path_segment


@dataclass
class _Known:
    """A connection as the wire showed it; `names` are all it ever had, the current one last."""

    org: str
    sandbox: str
    names: list[str | None]
    description: str | None
    deleted: bool = False


@dataclass
class _World:
    """What exists, by id, at one moment of a transcript."""

    known: dict[str, _Known] = field(default_factory=dict)
    sure: bool = True
    """False once an answer was put in by a test: then nobody knows what the service holds."""


def _replay(transcript: Transcript) -> Iterator[tuple[Call, _World]]:
    """Each call with the world as it was before it; nobody knows it for calls at a time."""
    if transcript.at_a_time:
        return
    world = _World()
    for call in transcript.calls:
        yield call, world
        for item in call.returned if call.operation == "seed" else ():
            world.known[item["id"]] = _Known(
                item["imsOrgId"], item["sandboxName"], [item.get("name")], item.get("description")
            )
        for exchange in call.exchanges:
            _apply(transcript, world, call, exchange)


def _apply(transcript: Transcript, world: _World, call: Call, exchange: Exchange) -> None:
    operation = transcript.operation(exchange)
    if exchange.response.injected:
        # An altered 2xx of a write hides what was written; other answers change nothing.
        world.sure = world.sure and operation not in (
            "connections.create",
            "connections.update",
            "connections.delete",
        )
        return
    if not exchange.response.ok:
        return
    if operation == "connections.create":
        body, answer = exchange.request.json, exchange.response.json
        world.known[answer["id"]] = _Known(
            exchange.request.headers.get("x-gw-ims-org-id") or "",
            exchange.request.headers.get("x-sandbox-name") or "",
            [body.get("name")],
            body.get("description"),
        )
    elif operation == "connections.update":
        _patch(world.known.get(_id_in(transcript, exchange)), exchange.request.json)
    elif operation == "connections.delete":
        found = world.known.get(_id_in(transcript, exchange))
        if found is not None:
            found.deleted = True


def _id_in(transcript: Transcript, exchange: Exchange) -> str:
    base = transcript.contract.base_path
    _, raw = transcript.contract.methods(exchange.request.path[len(base) :])
    return path_segment(raw or "")


def _patch(known: _Known | None, document: Any) -> None:
    for operation in document if isinstance(document, list) else [document]:
        if known is None or not isinstance(operation, dict):
            continue
        value = None if str(operation.get("op")).lower() == "remove" else operation.get("value")
        if operation.get("path") == "/name":
            known.names.append(value)
        elif operation.get("path") == "/description":
            known.description = value


def _here(call: Call, known: _Known) -> bool:
    return (known.org, known.sandbox) == (call.settings.ims_org_id, call.settings.sandbox_name)


def _reads(transcript: Transcript) -> Iterator[tuple[Call, _Known]]:
    """Reads of connections the wire knows, whose answer was not tampered with."""
    for call, world in _replay(transcript):
        if call.operation != "get_connection" or not world.sure:
            continue
        known = world.known.get(call.args["connection_id"])
        if known is not None and not any(e.response.injected for e in call.exchanges):
            yield call, known


def _last(transcript: Transcript, call: Call) -> Exchange | None:
    return next(reversed(transcript.primary(call)), None)


@transcript_check("lifecycle.reads-back")
def reads_back(transcript: Transcript) -> Verdicts:
    for call, known in _reads(transcript):
        if known.deleted or not _here(call, known) or len(known.names) > 1:
            continue
        yield from _compare(transcript, call, known)


@transcript_check("lifecycle.update-shows")
def update_shows(transcript: Transcript) -> Verdicts:
    for call, known in _reads(transcript):
        if known.deleted or not _here(call, known) or len(known.names) < 2:
            continue
        yield from _compare(transcript, call, known)


def _compare(transcript: Transcript, call: Call, known: _Known) -> Verdicts:
    if call.raised is not None or not isinstance(call.returned, Mapping):
        return  # whether an error was due is the matter of answers.success
    if "items" in call.returned and "name" not in call.returned:
        return  # connections.get.unwrapped
    if call.returned.get("name") == known.names[-1]:
        yield None
    elif transcript.live and _said_so(transcript, call):
        return  # a real service may be late to show a change
    else:
        yield Violation(
            "a connection is read with another name than it has",
            f"name {known.names[-1]!r}",
            f"name {call.returned.get('name')!r}",
            _last(transcript, call),
        )


def _said_so(transcript: Transcript, call: Call) -> bool:
    """Whether the name that came back is the one in the service's answer."""
    last = _last(transcript, call)
    items = items_of(last.response) if last is not None else []
    return any(item.get("name") == call.returned.get("name") for item in items)


@transcript_check("lifecycle.deleted-gone")
def deleted_gone(transcript: Transcript) -> Verdicts:
    for call, known in _reads(transcript):
        if not known.deleted or not _here(call, known):
            continue
        if call.raised is not None:
            yield None
        elif transcript.live and _read_as_found(transcript, call):
            continue  # a real service may be late to forget
        elif not call.exchanges or _read_as_found(transcript, call):
            yield Violation(
                "a deleted connection is still read",
                "an error",
                "a return value",
                _last(transcript, call),
            )


@transcript_check("lifecycle.isolation")
def isolation(transcript: Transcript) -> Verdicts:
    for call, known in _reads(transcript):
        if _here(call, known) or known.deleted:
            continue
        if call.raised is not None:
            yield None
        elif not call.exchanges or _read_as_found(transcript, call):
            yield Violation(
                "a connection of another sandbox or organization is read",
                "an error: it is not found",
                "a return value",
                _last(transcript, call),
            )


def _read_as_found(transcript: Transcript, call: Call) -> bool:
    """Whether the service did answer with the connection.

    A refusal that the client hands on as a value is the matter of the error clauses.
    """
    last = _last(transcript, call)
    return last is not None and last.response.ok


@transcript_check("lifecycle.lists")
def lists(transcript: Transcript) -> Verdicts:
    for call, world in _replay(transcript):
        if call.operation != "list_connections" or not world.sure or call.raised is not None:
            continue
        if call.args.get("property") or any(e.response.injected for e in call.exchanges):
            continue
        if not isinstance(call.returned, list):
            continue  # connections.list.all-pages
        if call.exchanges and not _last_is_whole(transcript, call):
            continue  # an error, or pages left out: connections.list.all-pages
        wanted = {i for i, k in world.known.items() if not k.deleted and _here(call, k)}
        got = {str(i.get("id")) for i in call.returned if isinstance(i, Mapping)}
        if transcript.live:
            # Only what the service itself showed can be missed, and others' things are no fault.
            if _agrees(transcript, call, got) and got <= _held(transcript, call):
                yield None
            continue
        if got == wanted:
            yield None
        elif (
            got <= wanted
            and len(transcript.primary(call)) > 0
            and not _agrees(transcript, call, got)
        ):
            continue  # the pages held more than the client returned: connections.list.all-pages
        else:
            yield Violation(
                "the list is not what the service holds",
                f"{len(wanted)} connections",
                f"{len(got)}, of which {len(got - wanted)} do not exist",
                _last(transcript, call),
            )


def _last_is_whole(transcript: Transcript, call: Call) -> bool:
    last = _last(transcript, call)
    return last is not None and last.response.ok and next_href(last.response) is None


def _agrees(transcript: Transcript, call: Call, got: set[Any]) -> bool:
    """Whether the client returned all that its pages held."""
    return _held(transcript, call) <= got


def _held(transcript: Transcript, call: Call) -> set[Any]:
    """The ids that stood on the pages of a call."""
    return {i.get("id") for e in transcript.primary(call) for i in items_of(e.response)}
