"""The ways in which a client's requests reach a handler, and the guard on all others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module
from importlib.util import find_spec

from aepmock.errors import UsageError, unknown
from aepmock.messages import Handler

IN_PROCESS = ("httpx", "httpx2", "requests")
"""Doors that patch a library of this process."""
NAMES = ("auto", *IN_PROCESS, "server")
_LIBRARIES = {"httpx": "respx", "httpx2": "httpx2", "requests": "responses"}


def in_process_doors(door: str) -> tuple[str, ...]:
    """The in-process doors that a choice of door opens; none for "server".

    Raises UsageError for an unknown name and for a door whose library is not installed.
    """
    if door not in NAMES:
        raise unknown("door", door, NAMES)
    if door == "server":
        return ()
    if door == "auto":
        return tuple(name for name in IN_PROCESS if find_spec(_LIBRARIES[name]))
    if find_spec(_LIBRARIES[door]) is None:
        raise UsageError(
            f"the door {door!r} needs the package {_LIBRARIES[door]}: "
            f"python -m pip install 'aepmock[{door}]'"
        )
    return (door,)


@contextmanager
def open_doors(door: str, handler: Handler) -> Iterator[tuple[str, ...]]:
    """Opens the in-process doors of a choice; gives the names of those that are open."""
    names = in_process_doors(door)
    with ExitStack() as stack:
        for name in names:
            module = import_module(f"aepmock.doors.{name}_door")
            stack.enter_context(module.opened(handler))
        yield names
