"""Keeps the process from reaching Adobe's hosts around the open doors, and says the way out.

An audit hook sees every look-up and connection, whatever library makes it. It can't be taken
away again, so there is one for the process, and it does nothing while no guard is on.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from aepmock.doors.framing import ADOBE_HOST
from aepmock.errors import EscapedRequestError


@dataclass
class Guard:
    """A guard that is on. `attempts` lists the hosts someone tried to reach."""

    doors: tuple[str, ...]
    attempts: list[str] = field(default_factory=list)

    def explain(self, host: str) -> str:
        """What happened and what to do about it."""
        opened = ", ".join(self.doors) or "none"
        return (
            f"something in this process tried to reach {host} itself; aepmock stopped it. "
            f"Open in-process doors: {opened}. For another HTTP library use the server: the "
            "fixture aepmock_server, or --door server, and give the client its base_url."
        )


_on: list[Guard] = []
_installed = False


@contextmanager
def guarding(doors: tuple[str, ...]) -> Iterator[Guard]:
    """Raises EscapedRequestError in whoever looks up or connects to one of Adobe's hosts."""
    global _installed
    if not _installed:
        sys.addaudithook(_watch)
        _installed = True
    guard = Guard(doors)
    _on.append(guard)
    try:
        yield guard
    finally:
        _on.remove(guard)


def _watch(event: str, args: tuple[object, ...]) -> None:
    if not _on or not event.startswith("socket."):
        return
    if event in ("socket.getaddrinfo", "socket.gethostbyname"):
        host = args[0]
    elif event in ("socket.connect", "socket.sendto") and isinstance(args[1], tuple):
        host = args[1][0] if args[1] else None
    else:
        return
    if isinstance(host, bytes):
        host = host.decode("latin-1")
    if isinstance(host, str) and ADOBE_HOST.fullmatch(host.rstrip(".")):
        guard = _on[-1]
        guard.attempts.append(host)
        raise EscapedRequestError(guard.explain(host))
