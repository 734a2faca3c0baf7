"""Family 10: whether what the client says agrees with what the service was told.

The truth is read off the wire: what was created, patched and deleted with success.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from aepmock.judge.answers import items_of, next_href
from aepmock.judge.checks.registry import Verdicts, session_check
from aepmock.judge.evidence import Call, Session
from aepmock.judge.findings import Problem
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
    """What exists, by id, at one moment of a session."""

    known: dict[str, _Known] = field(default_factory=dict)
    sure: bool = True
    """False once an answer was put in by a test: then nobody knows what the service holds."""


def _replay(session: Session) -> Iterator[tuple[Call, _World]]:
    """Each call with the world as it was before it; nobody knows it for calls at a time."""
    if session.at_a_time:
        return
    world = _World()
    for call in session.calls:
        yield call, world
        for item in call.returned if call.operation == "seed" else ():
            world.known[item["id"]] = _Known(
                item["imsOrgId"], item["sandboxName"], [item.get("name")], item.get("description")
            )
        for exchange in call.exchanges:
            _apply(session, world, call, exchange)


def _apply(session: Session, world: _World, call: Call, exchange: Exchange) -> None:
    operation = session.operation(exchange)
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
        _patch(world.known.get(_id_in(session, exchange)), exchange.request.json)
    elif operation == "connections.delete":
        found = world.known.get(_id_in(session, exchange))
        if found is not None:
            found.deleted = True


def _id_in(session: Session, exchange: Exchange) -> str:
    base = session.contract.base_path
    _, raw = session.contract.methods(exchange.request.path[len(base) :])
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


def _reads(session: Session) -> Iterator[tuple[Call, _Known]]:
    """Reads of connections the wire knows, whose answer was not tampered with."""
    for call, world in _replay(session):
        if call.operation != "get_connection" or not world.sure:
            continue
        known = world.known.get(call.args["connection_id"])
        if known is not None and not any(e.response.injected for e in call.exchanges):
            yield call, known


def _last(session: Session, call: Call) -> Exchange | None:
    return next(reversed(session.primary(call)), None)


@session_check("lifecycle.reads-back")
def reads_back(session: Session) -> Verdicts:
    for call, known in _reads(session):
        if known.deleted or not _here(call, known) or len(known.names) > 1:
            continue
        yield from _compare(session, call, known)


@session_check("lifecycle.update-shows")
def update_shows(session: Session) -> Verdicts:
    for call, known in _reads(session):
        if known.deleted or not _here(call, known) or len(known.names) < 2:
            continue
        yield from _compare(session, call, known)


def _compare(session: Session, call: Call, known: _Known) -> Verdicts:
    if call.raised is not None or not isinstance(call.returned, Mapping):
        return  # whether an error was due is the matter of answers.success
    if "items" in call.returned and "name" not in call.returned:
        return  # connections.get.unwrapped
    if call.returned.get("name") == known.names[-1]:
        yield None
    elif session.live and _said_so(session, call):
        return  # a real service may be late to show a change
    else:
        yield Problem(
            "a connection is read with another name than it has",
            f"name {known.names[-1]!r}",
            f"name {call.returned.get('name')!r}",
            _last(session, call),
        )


def _said_so(session: Session, call: Call) -> bool:
    """Whether the name that came back is the one in the service's answer."""
    last = _last(session, call)
    items = items_of(last.response) if last is not None else []
    return any(item.get("name") == call.returned.get("name") for item in items)


@session_check("lifecycle.deleted-gone")
def deleted_gone(session: Session) -> Verdicts:
    for call, known in _reads(session):
        if not known.deleted or not _here(call, known):
            continue
        if call.raised is not None:
            yield None
        elif session.live and _read_as_found(session, call):
            continue  # a real service may be late to forget
        elif not call.exchanges or _read_as_found(session, call):
            yield Problem(
                "a deleted connection is still read",
                "an error",
                "a return value",
                _last(session, call),
            )


@session_check("lifecycle.isolation")
def isolation(session: Session) -> Verdicts:
    for call, known in _reads(session):
        if _here(call, known) or known.deleted:
            continue
        if call.raised is not None:
            yield None
        elif not call.exchanges or _read_as_found(session, call):
            yield Problem(
                "a connection of another sandbox or organization is read",
                "an error: it is not found",
                "a return value",
                _last(session, call),
            )


def _read_as_found(session: Session, call: Call) -> bool:
    """Whether the service did answer with the connection.

    A refusal that the client hands on as a value is the matter of the error clauses.
    """
    last = _last(session, call)
    return last is not None and last.response.ok


@session_check("lifecycle.lists")
def lists(session: Session) -> Verdicts:
    for call, world in _replay(session):
        if call.operation != "list_connections" or not world.sure or call.raised is not None:
            continue
        if call.args.get("property") or any(e.response.injected for e in call.exchanges):
            continue
        if not isinstance(call.returned, list):
            continue  # connections.list.all-pages
        if call.exchanges and not _last_is_whole(session, call):
            continue  # an error, or pages left out: connections.list.all-pages
        wanted = {i for i, k in world.known.items() if not k.deleted and _here(call, k)}
        got = {str(i.get("id")) for i in call.returned if isinstance(i, Mapping)}
        if session.live:
            # Only what the service itself showed can be missed, and others' things are no fault.
            if _agrees(session, call, got) and got <= _held(session, call):
                yield None
            continue
        if got == wanted:
            yield None
        elif got <= wanted and len(session.primary(call)) > 0 and not _agrees(session, call, got):
            continue  # the pages held more than the client returned: connections.list.all-pages
        else:
            yield Problem(
                "the list is not what the service holds",
                f"{len(wanted)} connections",
                f"{len(got)}, of which {len(got - wanted)} do not exist",
                _last(session, call),
            )


def _last_is_whole(session: Session, call: Call) -> bool:
    last = _last(session, call)
    return last is not None and last.response.ok and next_href(last.response) is None


def _agrees(session: Session, call: Call, got: set[Any]) -> bool:
    """Whether the client returned all that its pages held."""
    return _held(session, call) <= got


def _held(session: Session, call: Call) -> set[Any]:
    """The ids that stood on the pages of a call."""
    return {i.get("id") for e in session.primary(call) for i in items_of(e.response)}
