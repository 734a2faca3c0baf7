"""The kit's own exceptions: what was asked, what is allowed, what to do."""

from __future__ import annotations

from collections.abc import Iterable


class AepmockError(Exception):
    """Base of everything the kit raises about itself. Never raised as such."""


class UsageError(AepmockError):
    """The kit was asked for something it does not know, or in the wrong way. Exit status 2."""


class UnsupportedTransportError(UsageError):
    """The client under test uses an HTTP library for which no in-process transport is installed."""


class ContractDataError(AepmockError):
    """A file in `aepmock/contract/` is wrong. The message names the file and the key."""


class BlockedRequestError(AepmockError):
    """Something in the process tried to reach one of Adobe's hosts without a transport."""


class ClientError(AepmockError):
    """An error that an adapter reports for the client it adapts.

    `status` is the HTTP status (404) or None, `code` the service's code ("1439-404",
    "403010") or None, `message` a text for people.
    """

    def __init__(
        self, message: str = "", *, status: int | None = None, code: str | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


def unknown(what: str, asked: str, allowed: Iterable[str]) -> UsageError:
    """A UsageError for a name that is not one of `allowed`, with the nearest one suggested.

    >>> str(unknown("transport", "htpx", ["auto", "httpx"]))
    "unknown transport 'htpx'; did you mean 'httpx'? Allowed: auto, httpx"
    """
    from difflib import get_close_matches  # the plugin loads this module in every pytest run

    names = sorted(allowed)
    near = get_close_matches(asked, names, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else "."
    shown = ", ".join(names)
    if len(names) > _MOST_NAMES:
        nearest = get_close_matches(asked, names, n=_NEAREST, cutoff=0.0)
        shown = f"{len(names)} names, nearest {', '.join(nearest)}"
    return UsageError(f"unknown {what} {asked!r}{hint} Allowed: {shown}")


_MOST_NAMES, _NEAREST = 40, 5
"""With more names than a person reads, the nearest ones are told."""
