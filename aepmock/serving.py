"""`aepmock serve`: the mock as a plain HTTP server that runs until it is stopped."""

from __future__ import annotations

import signal
import time
from collections.abc import Mapping
from contextlib import suppress

import uvicorn

from aepmock.doors.server_door import config, listen, origin_of
from aepmock.errors import UsageError
from aepmock.service import Clock, FlowService

LOOPBACK = ("127.0.0.1", "::1", "localhost")


class WallClock(Clock):
    """The real time, moved on by what a test advances it."""

    def __init__(self) -> None:
        super().__init__(0)

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000 + super().now_ms()

    def advance(self, seconds: float) -> None:
        # The engine's own tick of a millisecond is not needed where time goes by itself.
        if seconds >= 1:
            super().advance(seconds)


def serve_until_stopped(
    *, host: str, port: int, seed: int, accept_any: bool, readings: Mapping[str, str]
) -> None:
    """Serves until SIGINT or SIGTERM. Raises UsageError for an address that can't be had."""
    if host not in LOOPBACK:
        raise UsageError(
            f"serve listens on loopback only ({', '.join(LOOPBACK)}), not on {host}: "
            "the mock has no protection against strangers"
        )
    service = FlowService(seed=seed, clock=WallClock(), readings=readings, accept_any=accept_any)
    listener = listen("127.0.0.1" if host == "localhost" else host, port)
    origin = origin_of(listener)
    print(f"base URL   {origin}{service.contract.base_path}")
    print(f"token URL  {origin}/ims/token/v3")
    if accept_any:
        print("any non-empty token, key and organization is let in; sandboxes: prod, dev")
    else:
        made = service.mint_credentials()
        print(f"organization   {made.ims_org_id}")
        print(f"client id      {made.client_id}   (also the x-api-key)")
        print(f"client secret  {made.client_secret}")
        print(f"scopes         {made.scopes}")
        print(f"access token   {made.access_token}")
        print("sandboxes      prod, dev")
    print("Ctrl-C stops it.", flush=True)
    # uvicorn stops gracefully and then raises the signal again; either way it was asked for.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with listener, suppress(KeyboardInterrupt):
        uvicorn.Server(config(service.handle)).run(sockets=[listener])
