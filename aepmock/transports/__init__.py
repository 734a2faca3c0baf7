"""Transports: the ways for a client's requests to reach a handler. The guard blocks all others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module
from importlib.util import find_spec

from aepmock.errors import UsageError, unknown
from aepmock.messages import Handler

IN_PROCESS = ("httpx", "httpx2", "requests")
"""Transports that patch a library of this process."""
NAMES = ("auto", *IN_PROCESS, "server")
_LIBRARIES = {"httpx": "respx", "httpx2": "httpx2", "requests": "responses"}
_EXTRAS = {"server": ("uvicorn", "h11", "trustme"), "proxy": ("uvicorn", "trustme", "cryptography")}


def require(extra: str, what: str) -> None:
    """Raises UsageError, with the command that installs it, where a package of `extra` is missing.

    `what` is what needs it.
    """
    missing = [name for name in _EXTRAS[extra] if find_spec(name) is None]
    if missing:
        raise UsageError(
            f"{what} needs the package{'s' if len(missing) > 1 else ''} {', '.join(missing)}: "
            f"python -m pip install 'aepmock[{extra}]'"
        )


def in_process_transports(transport: str) -> tuple[str, ...]:
    """The in-process transports that a choice of transport installs; none for "server".

    Raises UsageError for an unknown name and for a transport whose library is not installed.
    """
    if transport not in NAMES:
        raise unknown("transport", transport, NAMES)
    if transport == "server":
        require("server", "the transport 'server'")
        return ()
    if transport == "auto":
        return tuple(name for name in IN_PROCESS if find_spec(_LIBRARIES[name]))
    if find_spec(_LIBRARIES[transport]) is None:
        raise UsageError(
            f"the transport {transport!r} needs the package {_LIBRARIES[transport]}: "
            f"python -m pip install 'aepmock[{transport}]'"
        )
    return (transport,)


@contextmanager
def install(transport: str, handler: Handler) -> Iterator[tuple[str, ...]]:
    """Installs the in-process transports of a choice and yields their names."""
    names = in_process_transports(transport)
    with ExitStack() as stack:
        for name in names:
            module = import_module(f"aepmock.transports.{name}")
            stack.enter_context(module.opened(handler))
        yield names
