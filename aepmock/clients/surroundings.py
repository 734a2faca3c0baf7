"""The state of the caller's process, and what a client changed of it."""

from __future__ import annotations

import locale
import os
import signal
import socket
import ssl
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

_SIGNALS = tuple(
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGALRM", "SIGPIPE", "SIGUSR1", "SIGUSR2")
    if hasattr(signal, name)
)
_HOOKS = ((sys, "excepthook"), (sys, "unraisablehook"), (threading, "excepthook"))
_HTTPS = "_create_default_https_context"

Seen = Mapping[str, tuple[Any, Callable[[Any], object]]]
"""What is there, by a name for people: its value, and how to set it."""


def seen() -> Seen:
    """What a client may not change; nothing where that can't be told, in another thread."""
    if threading.current_thread() is not threading.main_thread():
        return {}
    found: dict[str, tuple[Any, Callable[[Any], object]]] = {
        "the locale": (locale.setlocale(locale.LC_ALL), _set_locale),
        "the default timeout of sockets": (socket.getdefaulttimeout(), socket.setdefaulttimeout),
        "how urllib verifies certificates": (
            getattr(ssl, _HTTPS),
            lambda value: setattr(ssl, _HTTPS, value),
        ),
    }
    try:
        found["the working directory"] = (Path.cwd(), os.chdir)
    except OSError:
        pass  # it was removed: nobody can go back
    for holder, name in _HOOKS:
        found[f"{holder.__name__}.{name}"] = (getattr(holder, name), _setter(holder, name))
    for number in _SIGNALS:
        found[f"the handler of {number.name}"] = (signal.getsignal(number), _handler(number))
    return found


def changed(before: Seen) -> tuple[str, ...] | None:
    """The names of what is not as it was; it is set back. None where nothing was seen."""
    if not before:
        return None
    now = seen()
    found = []
    for name, (value, put) in before.items():
        # Compared as objects too: some hooks are new ones each time, and equal.
        if name not in now or (now[name][0] is not value and now[name][0] != value):
            found.append(name)
            put(value)
    return tuple(found)


def _set_locale(value: str) -> None:
    locale.setlocale(locale.LC_ALL, value)


def _setter(holder: Any, name: str) -> Callable[[Any], object]:
    return lambda value: setattr(holder, name, value)


def _handler(number: signal.Signals) -> Callable[[Any], object]:
    # A handler that was not set from Python reads as None, and can't be set back.
    return lambda value: value is not None and signal.signal(number, value)
