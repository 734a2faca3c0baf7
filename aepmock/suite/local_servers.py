"""Servers of a test's own on loopback: for broken connections, TLS, and ports without a server.

In-process transports let requests to loopback pass, so they are for clients on any library.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from aepmock.client_api import ClientSettings
from aepmock.messages import Exchange, Handler
from aepmock.net import ELSEWHERE, LOOPBACK, ims_token_url, other_origin

if TYPE_CHECKING:
    from aepmock.transports.server import Server

CERTIFIED = frozenset({LOOPBACK})
"""What the certificate of the TLS server names; "localhost" is the same server, not named."""


class LocalServers:
    """Servers that are started when they are first wanted, and end with `stack`.

    `origin` is that of the server transport, where the client comes through that.
    """

    def __init__(self, handler: Handler, base_path: str, stack: ExitStack) -> None:
        self._handler = handler
        self._base_path = base_path
        self._stack = stack
        self._wire: str | None = None
        self._tls: tuple[str, str] | None = None
        self.origin: str | None = None

    def serve(self, **more: Any) -> Server:
        """Starts a server; `more` is what `serving` takes."""
        from aepmock.transports.server import serving

        return self._stack.enter_context(serving(self._handler, **more))

    def at(
        self, origin: str, settings_: ClientSettings, *, ca_file: str | None = None
    ) -> ClientSettings:
        """The same settings with both addresses at another origin."""
        return replace(
            settings_,
            base_url=origin + self._base_path,
            ims_token_url=ims_token_url(origin),
            ca_file=ca_file,
        )

    def wire(self, settings_: ClientSettings) -> ClientSettings:
        """The same settings for a real server, whatever the transport of the run is."""
        if self._wire is None:
            self._wire = self.origin or self.serve().origin
        return self.at(self._wire, settings_)

    def saw(self, exchanges: Iterable[Exchange]) -> bool:
        """Whether `wire` got all of these; those of a client with a host compiled in it did not."""
        return all(e.request.origin == self._wire for e in exchanges)

    def over_tls(self, settings_: ClientSettings, *, named: bool) -> ClientSettings:
        """The same settings for a server that speaks TLS, with the CA to trust.

        Its certificate does not name the host where `named` is false.
        """
        if self._tls is None:
            from aepmock.transports.tls import throw_away_tls

            context, ca_file = self._stack.enter_context(throw_away_tls(tuple(CERTIFIED)))
            self._tls = (self.serve(tls=context).origin, str(ca_file))
        origin, ca_path = self._tls
        return self.at(origin if named else other_origin(origin), settings_, ca_file=ca_path)

    @contextmanager
    def nobody(self) -> Iterator[str]:
        """An origin where nobody listens."""
        with socket.socket() as held:
            held.bind((LOOPBACK, 0))
            yield f"http://{LOOPBACK}:{held.getsockname()[1]}"

    @property
    def elsewhere(self) -> str:
        """An origin that is not the client's, whose requests are answered all the same."""
        # The same server by another name is another origin.
        return other_origin(self.origin) if self.origin else ELSEWHERE

    @property
    def look_alike(self) -> str:
        """The same, whose URL begins like the client's own where a name can be had for it."""
        return self.elsewhere if self.origin else "https://platform.adobe.io.elsewhere.adobe.io"
