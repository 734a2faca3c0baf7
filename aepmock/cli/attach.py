"""`aepmock judge --attach`: waits for a program that a person starts, in a debugger say."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.text import Text

from aepmock.errors import UsageError
from aepmock.net import LOOPBACK
from aepmock.settings import OPTIONS, Setting
from aepmock.transports.server import listen

if TYPE_CHECKING:
    from rich.console import Console


@contextmanager
def attaching(address: str | None) -> Iterator[socket.socket | None]:
    """A socket that listens at "127.0.0.1:PORT"; None for None.

    Raises UsageError for an address that can't be had, or is not this machine's own.
    """
    if address is None:
        yield None
        return
    host, _, port = address.rpartition(":")
    if host != LOOPBACK or not port.isdigit() or int(port) > 65_535:
        raise UsageError(
            f"--attach takes an address of this machine, 127.0.0.1:PORT, not {address!r}"
        )
    with listen(host, int(port)) as listener:
        yield listener


def announce(listener: socket.socket, err: Console) -> None:
    """Says where a program is waited for, in one line."""
    host, port = listener.getsockname()
    text = f"waiting at {host}:{port} for your program to connect; Ctrl-C ends it"
    err.print(Text(f"aepmock: {text}"), soft_wrap=True)


def alone(settings: Mapping[str, Setting]) -> dict[str, Setting]:
    """The settings without any other client: the one that comes is meant."""
    nobody = {name: Setting(OPTIONS[name].default, "default") for name in ("client", "command")}
    return {**settings, **nobody}
