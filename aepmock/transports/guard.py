"""Keeps the process from reaching Adobe's hosts without a transport, and says what to do instead.

An audit hook sees every look-up and connection, whatever library makes it. It can't be taken
away again, so there is one for the process, and it does nothing while no guard is on. A socket
that is told to connect to a name looks it up before the hook is asked; so connecting itself is
watched too, while a guard is on. So is pycares, by which aiodns and with it aiohttp look names up
in C, where no hook is asked. A proxy is asked by name for what it leads to, and TLS names whom it
expects, whichever way leads there: what is sent and who is expected is watched as well.
docs/test-authors.md lists what is not seen.
"""

from __future__ import annotations

import re
import socket
import ssl
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from ipaddress import ip_address
from threading import Lock, get_ident, local
from typing import Any

from aepmock.errors import BlockedRequestError
from aepmock.net import is_adobe, is_loopback


@dataclass
class Guard:
    """A guard that is on. `attempts` lists those of Adobe's hosts that someone tried to reach.

    With `everywhere` all hosts but this machine are kept from everyone; `strangers` lists those
    that are not Adobe's.
    """

    transports: tuple[str, ...]
    attempts: list[str] = field(default_factory=list)
    everywhere: bool = False
    strangers: list[str] = field(default_factory=list)
    thread: int = field(default_factory=get_ident)

    def explain(self, host: str) -> str:
        """What happened and what to do about it."""
        opened = ", ".join(self.transports) or "none"
        return (
            f"something in this process tried to reach {host} itself; aepmock stopped it. "
            f"Open in-process transports: {opened}. For another HTTP library use the server: the "
            "fixture aepmock_server, or --transport server, and give the client its base_url."
        )


_on: list[Guard] = []
_installed = False
_lock = Lock()
_here = local()
_CONNECTING = ("connect", "connect_ex", "sendto", "sendmsg")
_SENDING = ((socket.socket, "send"), (socket.socket, "sendall"), (ssl.SSLSocket, "send"))
_WRITING = ((ssl.SSLSocket, "write"), (ssl.SSLObject, "write"))
_EXPECTING = {"wrap_socket": 4, "wrap_bio": 3}
"""Methods of an SSLContext, and the place of server_hostname among their arguments."""
_NAME = rb"([^\x00-\x20:/]{1,255})"
_TO_A_PROXY = re.compile(
    rb"CONNECT " + _NAME + rb"|[A-Z]{3,7} http://" + _NAME
    # SOCKS 5 (RFC 1928) and 4a.
    + rb"|\x05[\x01-\x03]\x00\x03." + _NAME
    + rb"|\x04[\x01\x02]..\x00\x00\x00.[^\x00]*\x00" + _NAME,
    re.DOTALL,
)  # fmt: skip
_LONGEST_ASKED = 600
_BY_NAME = (
    "socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr",
)  # fmt: skip
_BY_ADDRESS = ("socket.connect", "socket.sendto", "socket.sendmsg")
_LOOKING_UP = ("getaddrinfo", "gethostbyname", "query", "search")
_Method = Callable[..., Any]
_HostOf = Callable[[tuple[Any, ...], Mapping[str, Any]], object]
_replaced: list[tuple[type, str, _Method, _Method | None]] = []


@contextmanager
def guarding(transports: tuple[str, ...], *, everywhere: bool = False) -> Iterator[Guard]:
    """Raises BlockedRequestError in whoever looks up or connects to one of Adobe's hosts.

    With `everywhere`, for a live run, in whoever does so with any host but this machine.
    """
    global _installed
    guard = Guard(transports, everywhere=everywhere)
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
            # By identity: two guards of the same transports are equal.
            _on[:] = [other for other in _on if other is not guard]
            if not _on:
                _leave_methods()


@contextmanager
def allow_network() -> Iterator[None]:
    """In here this thread may reach any host: the live transport, which has its own rules."""
    before = getattr(_here, "open", False)
    _here.open = True
    try:
        yield
    finally:
        _here.open = before


def _watch_methods() -> None:
    """Puts a check in front of the methods that take an address or a name."""
    for name in _CONNECTING:
        _put(socket.socket, name, lambda args, _: _host_of(args[-1]) if args else None)
    for cls, name in (*_SENDING, *_WRITING):
        _put(cls, name, lambda args, _: _asked_of_a_proxy(args[0]) if args else None)
    for name, place in _EXPECTING.items():
        _put(ssl.SSLContext, name, _expected_at(place))
    if find_spec("pycares") is not None:
        channel = import_module("pycares").Channel
        for name in _LOOKING_UP:
            if hasattr(channel, name):
                _put(channel, name, lambda args, _: args[0] if args else None)


def _host_of(address: object) -> object:
    return address[0] if isinstance(address, tuple) and address else None


def _expected_at(place: int) -> _HostOf:
    def expected(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> object:
        return kwargs.get("server_hostname", args[place] if len(args) > place else None)

    return expected


def _asked_of_a_proxy(sent: Any) -> bytes | None:
    """The host that a proxy is asked to lead to, where that is what was sent."""
    try:
        found = _TO_A_PROXY.match(memoryview(sent)[:_LONGEST_ASKED])
    except (TypeError, ValueError, BufferError):
        return None
    if found is None or found.lastindex is None:
        return None
    name: bytes = found[found.lastindex]
    return name.rpartition(b"@")[2]


def _put(cls: type, name: str, host_of: _HostOf) -> None:
    before: _Method | None = cls.__dict__.get(name)

    def checked(self: Any, *args: Any, **kwargs: Any) -> Any:
        host = host_of(args, kwargs)
        if host is not None:
            _check(host)
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
    if event in _BY_NAME:
        host = args[0]
    elif event in _BY_ADDRESS:
        host = _host_of(args[1])
    else:
        return
    _check(host)


def _check(host: object) -> None:
    if isinstance(host, bytes | bytearray):
        host = host.decode("latin-1")
    if getattr(_here, "open", False):
        return
    # Another thread may end the last guard meanwhile, and its tests have guards of their own.
    guards, thread = _on[::-1], get_ident()
    guard = next((g for g in guards if g.thread == thread), next(iter(guards), None))
    if guard is not None and isinstance(host, str) and is_adobe(host.rstrip(".\u3002\uff0e\uff61")):
        guard.attempts.append(host)
        raise BlockedRequestError(guard.explain(host))
    if guard is not None and guard.everywhere and isinstance(host, str) and not _is_here(host):
        guard.strangers.append(host)
        raise BlockedRequestError(
            f"something in this process tried to reach {host}, which is no host of this live "
            "run's settings; aepmock stopped it"
        )


def _is_here(host: str) -> bool:
    """Whether a host is this machine, by an address or a name; "" listens everywhere on it."""
    if is_loopback(host) or host.lower().rstrip(".") in ("", socket.gethostname().lower()):
        return True
    try:
        return ip_address(host.partition("%")[0]).is_unspecified
    except ValueError:
        return False
