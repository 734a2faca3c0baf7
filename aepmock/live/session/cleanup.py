"""Deletes what a run created, and finds what it may have created without learning of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit

from aepmock.judge.answers import item_of, items_of, next_href
from aepmock.live.outbound.handler import LiveHandler
from aepmock.live.session.journal import Ledger, is_connection_id, name_prefix
from aepmock.live.session.shared_state import LiveStopped
from aepmock.live.shown import said
from aepmock.messages import Response

SKEW_MS = 15 * 60 * 1000
"""How far the service's clock may be behind ours."""
ROUNDS_S = (0.0, 2.0, 4.0, 8.0, 16.0)
"""Waits before each attempt: a connection that is still initializing can't be deleted yet."""
PAGE = 100
MOST_PAGES = 100
_GONE = (404, 410)
_IN_A_QUERY = "!$&'()*+,;=:@/?%"
"""What stands in a query as it is (RFC 3986 3.4), the sign of what is encoded already too."""


@dataclass
class Cleanup:
    """What was deleted, by id, and what was left behind, by id, with the reason.

    `unsure` says why what may have been created could not be looked for.
    """

    deleted: dict[str, str] = field(default_factory=dict)
    left: dict[str, str] = field(default_factory=dict)
    unsure: str = ""

    @property
    def clean(self) -> bool:
        return not self.left and not self.unsure


def delete(handler: LiveHandler, connection_id: str) -> str:
    """Deletes a connection of the run; "" once it is gone, else why it is not.

    Raises LookupError for an id that the run did not create.
    """
    if connection_id not in handler.owned:
        raise LookupError(f"{connection_id} was not created by this run")
    response = handler.ask("DELETE", f"/connections/{quote(connection_id, safe='')}")
    return "" if connection_id not in handler.owned else _what_came(response)


def delete_all(handler: LiveHandler) -> Cleanup:
    """Deletes everything that this process knows to be the run's."""
    cleanup = Cleanup()
    for connection_id, name in list(handler.owned.items()):
        reason = delete(handler, connection_id)
        if reason:
            cleanup.left[connection_id] = f"{said(name, handler.redactor)}: {reason}"
        else:
            cleanup.deleted[connection_id] = name
    return cleanup


def clean_up(handler: LiveHandler, ledger: Ledger) -> Cleanup:
    """Deletes what a journal lists, and what bears the run's name without being listed.

    What is known comes first, so that nothing which the service answers to a list keeps it from
    being deleted. Whatever else is in the sandbox is not touched. Never raises LiveStopped: what
    could not be deleted is left, and said.
    """
    cleanup = Cleanup()
    kept: dict[str, str] = {}
    try:
        for connection_id in ledger.living:
            why = _recognised(handler, ledger, connection_id)
            if why:
                kept[connection_id] = why
        cleanup.deleted |= delete_all(handler).deleted
        _find(handler, ledger, cleanup, kept)
        for wait_s in ROUNDS_S:
            if wait_s:
                handler.ports.sleep(wait_s)
            done = delete_all(handler)
            cleanup.deleted |= done.deleted
            cleanup.left = done.left
            if not done.left:
                break
    except LiveStopped as error:
        known = {i: name for i, name in ledger.living.items() if i not in cleanup.deleted}
        cleanup.left = {
            i: f"{said(name, handler.redactor)}: {error}"
            for i, name in (known | handler.owned).items()
        }
        if ledger.unsure and not cleanup.unsure:
            cleanup.unsure = _not_looked_up(ledger, str(error))
    cleanup.left |= {i: why for i, why in kept.items() if i not in cleanup.deleted}
    return cleanup


def _recognised(handler: LiveHandler, ledger: Ledger, connection_id: str) -> str:
    """Takes over a connection that a journal lists, if it is the run's; "" or why it is not.

    A journal may be wrong, or someone else's: what the service says is the name counts.
    """
    if connection_id in handler.owned:
        return ""
    response = handler.ask("GET", f"/connections/{quote(connection_id, safe='')}")
    if response.status in _GONE:
        handler.forget(connection_id)
        return ""
    item = item_of(response) if response.ok else None
    if item is None or item.get("id") != connection_id:
        return f"not deleted, it could not be read: {_what_came(response)}"
    name = item.get("name")
    if not isinstance(name, str) or not name.startswith(name_prefix(ledger.run)):
        shown = said(name, handler.redactor)
        return f"not deleted, it is not of run {ledger.run}: its name is {shown}"
    handler.adopt(connection_id, name)
    return ""


def _find(handler: LiveHandler, ledger: Ledger, cleanup: Cleanup, kept: dict[str, str]) -> None:
    """Takes over what bears the run's name without being listed in its journal."""
    try:
        found = find_named(handler, ledger)
    except ListingFailed as error:
        if ledger.unsure:
            cleanup.unsure = _not_looked_up(ledger, str(error))
        return
    for connection_id, name in found.items():
        if is_connection_id(connection_id):
            handler.adopt(connection_id, name)
        else:
            shown = said(name, handler.redactor)
            kept[said(connection_id, handler.redactor)] = f"{shown}: that id can't be asked for"


def _not_looked_up(ledger: Ledger, why: str) -> str:
    return f"{len(ledger.unsure)} create(s) without an answer could not be looked up: {why}"


class ListingFailed(Exception):
    """The sandbox's connections could not be listed."""


def find_named(handler: LiveHandler, ledger: Ledger) -> dict[str, str]:
    """Connections of the sandbox whose name begins with the run's, id to name.

    The list is asked for from the beginning of the run on; where a create is without its answer
    the whole list is, whatever the service makes of a filter. Raises ListingFailed.
    """
    since = int(ledger.about["started_ms"]) - SKEW_MS
    whole = f"/connections?limit={PAGE}"
    filtered = f"{whole}&property={quote(f'createdAt>={since}', safe='')}"
    page = handler.ask("GET", whole if ledger.unsure else filtered)
    if page.status == 400:
        page = handler.ask("GET", whole)
    found: dict[str, str] = {}
    prefix = name_prefix(ledger.run)
    followed: set[str] = set()
    for _ in range(MOST_PAGES):
        if not page.ok or not isinstance(page.json_or_none, dict):
            raise ListingFailed(f"the list of connections: {_what_came(page)}")
        for item in items_of(page):
            name, connection_id = item.get("name"), item.get("id")
            if isinstance(name, str) and name.startswith(prefix):
                found[str(connection_id)] = name
        href = next_href(page)
        if href is None:
            return found
        if href in followed:
            raise ListingFailed("a page of the list of connections leads to itself")
        followed.add(href)
        page = handler.ask("GET", below(handler, href))
    raise ListingFailed(f"the list of connections has more than {MOST_PAGES} pages")


def below(handler: LiveHandler, href: str) -> str:
    """Where a next link leads below the base path. Raises ListingFailed for a link that is none.

    Its host is never asked: what is asked for stays with the run's own service.
    """
    try:
        parts = urlsplit(href)
        query = quote(parts.query, safe=_IN_A_QUERY)
    except ValueError:
        parts, query = urlsplit(""), ""
    path = parts.path
    for prefix in (urlsplit(handler.settings.base_url).path, handler.contract.base_path):
        path = path.removeprefix(prefix)
    if path not in ("/connections", "/connections/", "connections", "") or not query:
        shown = said(href[:200], handler.redactor)
        raise ListingFailed(f"the next page of the list of connections is at {shown}")
    return f"/connections?{query}"


def _what_came(response: Response) -> str:
    return "no answer came" if response.injected else f"the service answered {response.status}"


def count_connections(handler: LiveHandler) -> int | None:
    """How many connections the sandbox has, everybody's; None where it does not say."""
    response: Response = handler.ask("GET", "/connections?count=true")
    document = response.json_or_none
    count = document.get("count") if isinstance(document, dict) else None
    counted = isinstance(count, int) and not isinstance(count, bool)
    return count if response.ok and counted else None
