"""Keeps the process from reaching Adobe's hosts around the open doors, and says the way out.

An audit hook sees every look-up and connection, whatever library makes it. It can't be taken
away again, so there is one for the process, and it does nothing while no guard is on. A socket
that is told to connect to a name looks it up before the hook is asked; so connecting itself is
watched too, while a guard is on. So is pycares, by which aiodns and with it aiohttp look names up
in C, where no hook is asked.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from ipaddress import ip_address
from threading import Lock, local
from typing import Any

from aepmock.doors.framing import is_adobe
from aepmock.errors import EscapedRequestError


@dataclass
class Guard:
    """A guard that is on. `attempts` lists those of Adobe's hosts that someone tried to reach.

    With `everywhere` all hosts but this machine are kept from everyone; `strangers` lists those
    that are not Adobe's.
    """

    doors: tuple[str, ...]
    attempts: list[str] = field(default_factory=list)
    everywhere: bool = False
    strangers: list[str] = field(default_factory=list)

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
_here = local()
_CONNECTING = ("connect", "connect_ex", "sendto")
_LOOKING_UP = ("getaddrinfo", "gethostbyname", "query", "search")
_Method = Callable[..., Any]
_replaced: list[tuple[type, str, _Method, _Method | None]] = []


@contextmanager
def guarding(doors: tuple[str, ...], *, everywhere: bool = False) -> Iterator[Guard]:
    """Raises EscapedRequestError in whoever looks up or connects to one of Adobe's hosts.

    With `everywhere`, for a live run, in whoever does so with any host but this machine.
    """
    global _installed
    guard = Guard(doors, everywhere=everywhere)
    with _lock:
        if not _installed:
            sys.addaudithook(_watch)
            _installed = True
        if not _on:
            _watch_methods()
        _on.append(guard)
    try:
        yield guard
    finally:
        with _lock:
            # By identity: two guards of the same doors are equal.
            _on[:] = [other for other in _on if other is not guard]
            if not _on:
                _leave_methods()


@contextmanager
def letting_out() -> Iterator[None]:
    """In here this thread may reach any host: the live door, which has its own rules."""
    before = getattr(_here, "open", False)
    _here.open = True
    try:
        yield
    finally:
        _here.open = before


def _watch_methods() -> None:
    """Puts a check in front of the methods that take an address or a name."""
    for name in _CONNECTING:
        _put(socket.socket, name, lambda args: args[-1][0] if _is_address(args) else None)
    if find_spec("pycares") is not None:
        channel = import_module("pycares").Channel
        for name in _LOOKING_UP:
            if hasattr(channel, name):
                _put(channel, name, lambda args: args[0] if args else None)


def _is_address(args: tuple[Any, ...]) -> bool:
    return bool(args) and isinstance(args[-1], tuple) and bool(args[-1])


def _put(cls: type, name: str, host_of: Callable[[tuple[Any, ...]], object]) -> None:
    before: _Method | None = cls.__dict__.get(name)

    def checked(self: Any, *args: Any, **kwargs: Any) -> Any:
        _check(host_of(args))
        if before is not None:
            return before(self, *args, **kwargs)
        return getattr(super(cls, self), name)(*args, **kwargs)

    _replaced.append((cls, name, checked, before))
    setattr(cls, name, checked)


def _leave_methods() -> None:
    """Takes the checks away again, unless another tool has put its own over them."""
    while _replaced:
        cls, name, checked, before = _replaced.pop()
        if cls.__dict__.get(name) is not checked:
            continue
        if before is None:
            delattr(cls, name)
        else:
            setattr(cls, name, before)


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
    if getattr(_here, "open", False):
        return
    # Another thread may end the last guard meanwhile.
    guard = next(reversed(_on), None)
    if guard is not None and isinstance(host, str) and is_adobe(host.rstrip(".")):
        guard.attempts.append(host)
        raise EscapedRequestError(guard.explain(host))
    if guard is not None and guard.everywhere and isinstance(host, str) and not _is_here(host):
        guard.strangers.append(host)
        raise EscapedRequestError(
            f"something in this process tried to reach {host}, which is no host of this live "
            "run's settings; aepmock stopped it"
        )


def _is_here(host: str) -> bool:
    """Whether a host is this machine, by an address or a name; "" listens everywhere on it."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return host.lower().rstrip(".") in ("", "localhost", socket.gethostname().lower())
    return address.is_loopback or address.is_unspecified
