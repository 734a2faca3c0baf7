"""Keeps the process from reaching Adobe's hosts around the open doors, and says the way out.

An audit hook sees every look-up and connection, whatever library makes it. It can't be taken
away again, so there is one for the process, and it does nothing while no guard is on. A socket
that is told to connect to a name looks it up before the hook is asked; so connecting itself is
watched too, while a guard is on.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from aepmock.doors.framing import is_adobe
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
_lock = Lock()
_CONNECTING = ("connect", "connect_ex", "sendto")
_Method = Callable[..., Any]
_replaced: list[tuple[type[socket.socket], str, _Method, _Method | None]] = []


@contextmanager
def guarding(doors: tuple[str, ...]) -> Iterator[Guard]:
    """Raises EscapedRequestError in whoever looks up or connects to one of Adobe's hosts."""
    global _installed
    guard = Guard(doors)
    with _lock:
        if not _installed:
            sys.addaudithook(_watch)
            _installed = True
        if not _on:
            _watch_sockets()
        _on.append(guard)
    try:
        yield guard
    finally:
        with _lock:
            # By identity: two guards of the same doors are equal.
            _on[:] = [other for other in _on if other is not guard]
            if not _on:
                _leave_sockets()


def _watch_sockets() -> None:
    """Puts a check in front of the methods that take an address."""
    cls = socket.socket
    for name in _CONNECTING:
        before = cls.__dict__.get(name)
        checked = _checked(cls, name, before)
        _replaced.append((cls, name, checked, before))
        setattr(cls, name, checked)


def _leave_sockets() -> None:
    """Takes the checks away again, unless another tool has put its own over them."""
    while _replaced:
        cls, name, checked, before = _replaced.pop()
        if cls.__dict__.get(name) is not checked:
            continue
        if before is None:
            delattr(cls, name)
        else:
            setattr(cls, name, before)


def _checked(cls: type[socket.socket], name: str, before: _Method | None) -> _Method:
    def method(self: socket.socket, *args: Any) -> Any:
        address = args[-1] if args else None
        if isinstance(address, tuple) and address:
            _check(address[0])
        if before is not None:
            return before(self, *args)
        return getattr(super(cls, self), name)(*args)

    return method


def _watch(event: str, args: tuple[object, ...]) -> None:
    if not _on or not event.startswith("socket."):
        return
    if event in ("socket.getaddrinfo", "socket.gethostbyname"):
        host = args[0]
    elif event in ("socket.connect", "socket.sendto") and isinstance(args[1], tuple):
        host = args[1][0] if args[1] else None
    else:
        return
    _check(host)


def _check(host: object) -> None:
    if isinstance(host, bytes | bytearray):
        host = host.decode("latin-1")
    # Another thread may end the last guard meanwhile.
    guard = next(reversed(_on), None)
    if guard is not None and isinstance(host, str) and is_adobe(host.rstrip(".")):
        guard.attempts.append(host)
        raise EscapedRequestError(guard.explain(host))
