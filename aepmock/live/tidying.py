"""Deletes what a run created, and finds what it may have created without learning of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit

from aepmock.judge.answers import items_of, next_href
from aepmock.live.handler import LiveHandler
from aepmock.live.ownership import Ledger, name_prefix
from aepmock.live.state import LiveStopped
from aepmock.messages import Response

SKEW_MS = 15 * 60 * 1000
"""How far the service's clock may be behind ours."""
ROUNDS_S = (0.0, 2.0, 4.0, 8.0, 16.0)
"""Waits before each attempt: a connection that is still initializing can't be deleted yet."""
PAGE = 100
MOST_PAGES = 100


@dataclass
class Tidied:
    """What was deleted, by id, and what was left behind, by id, with the reason."""

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
    if connection_id not in handler.owned:
        return ""
    return "no answer came" if response.injected else f"the service answered {response.status}"


def delete_all(handler: LiveHandler) -> Tidied:
    """Deletes everything that this process knows to be the run's."""
    tidied = Tidied()
    for connection_id, name in list(handler.owned.items()):
        reason = delete(handler, connection_id)
        if reason:
            tidied.left[connection_id] = f"{name}: {reason}"
        else:
            tidied.deleted[connection_id] = name
    return tidied


def tidy(handler: LiveHandler, ledger: Ledger) -> Tidied:
    """Deletes what a journal lists, and what bears the run's name without being listed.

    Whatever else is in the sandbox is not touched. Never raises LiveStopped: what could not be
    deleted is left, and said.
    """
    tidied = Tidied()
    try:
        for connection_id, name in ledger.living.items():
            handler.adopt(connection_id, name)
        for connection_id, name in find_named(handler, ledger).items():
            handler.adopt(connection_id, name)
    except (LiveStopped, ListingFailed) as error:
        if ledger.unsure:
            tidied.unsure = (
                f"{len(ledger.unsure)} create(s) without an answer could not be looked up: {error}"
            )
    try:
        for wait_s in ROUNDS_S:
            if wait_s:
                handler.ports.sleep(wait_s)
            done = delete_all(handler)
            tidied.deleted |= done.deleted
            tidied.left = done.left
            if not done.left:
                break
    except LiveStopped as error:
        tidied.left = {i: f"{name}: {error}" for i, name in handler.owned.items()}
    return tidied


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
    for _ in range(MOST_PAGES):
        if not page.ok:
            raise ListingFailed(f"the list of connections was answered with {page.status}")
        for item in items_of(page):
            name, connection_id = item.get("name"), item.get("id")
            if isinstance(name, str) and name.startswith(prefix) and isinstance(connection_id, str):
                found[connection_id] = name
        href = next_href(page)
        if href is None:
            return found
        page = handler.ask("GET", _below(href))
    raise ListingFailed(f"the list of connections has more than {MOST_PAGES} pages")


def _below(href: str) -> str:
    parts = urlsplit(href)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def count_connections(handler: LiveHandler) -> int | None:
    """How many connections the sandbox has, everybody's; None where it does not say."""
    response: Response = handler.ask("GET", "/connections?count=true")
    document = response.json_or_none
    count = document.get("count") if isinstance(document, dict) else None
    return count if response.ok and isinstance(count, int) else None
