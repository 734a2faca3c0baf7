"""`aepmock serve`: the mock as an HTTP or HTTPS server that runs until it is stopped."""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import threading
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aepmock.cli.arguments import MET, add_fault, add_reading, add_seed, faults
from aepmock.clock import WallClock
from aepmock.errors import UsageError
from aepmock.net import (
    LOOPBACK,
    LOOPBACK_HOSTS,
    LOOPBACK_NAME,
    ims_token_url,
    is_loopback,
    own_origin,
)
from aepmock.server.access import Guard
from aepmock.server.control import credentials
from aepmock.server.instances import MockInstances, Options
from aepmock.server.router import CONTROL, Router
from aepmock.settings import readings_of
from aepmock.transports.server import listen, serving_on
from aepmock.transports.server_protocol import Limits

EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104
TOKEN_VARIABLE = "AEPMOCK_CONTROL_TOKEN"
READY_SCHEMA = "aepmock-ready/1"
LIMITS = Limits(grace_s=1.0, body_octets=1024 * 1024)
_HIGHEST = {"max-journal": 100_000, "max-mocks": 100_000, "max-resources": 10_000_000}
"""What each limit may be set to."""


@dataclass(frozen=True)
class Serve:
    """What `aepmock serve` was told. `options` are those of the mocks."""

    host: str = LOOPBACK
    port: int = 8080
    tls: bool = False
    ready_json: bool = False
    control_token: str | None = field(default=None, repr=False)
    allowed_hosts: tuple[str, ...] = ()
    options: Options = field(default_factory=Options)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of `aepmock serve`."""
    parser.add_argument("--host", default="127.0.0.1", help="address (default: 127.0.0.1)")
    parser.add_argument("--port", type=int, default=8080, help="port, 0 for a free one")
    parser.add_argument("--tls", action="store_true", help="https, with a throw-away CA")
    parser.add_argument(
        "--ready-json", action="store_true", help="print one line of JSON when it is ready"
    )
    parser.add_argument(
        "--control-token",
        metavar="TOKEN",
        help="what the control API and the page ask for; also AEPMOCK_CONTROL_TOKEN, which no "
        "other process sees in the list of processes",
    )
    parser.add_argument(
        "--control-token-file", type=Path, metavar="FILE", help="a file that holds this token"
    )
    parser.add_argument(
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME",
        help="a further name that the control API and the page may be asked by",
    )
    parser.add_argument(
        "--max-journal",
        type=int,
        default=1_000,
        metavar="N",
        help="how many exchanges each mock keeps (default: 1000)",
    )
    parser.add_argument(
        "--max-mocks",
        type=int,
        default=64,
        metavar="N",
        help="how many mocks may be made below /t/ (default: 64)",
    )
    parser.add_argument(
        "--max-resources",
        type=int,
        default=100_000,
        metavar="N",
        help="how many connections each mock may hold (default: 100000)",
    )
    add_seed(parser)
    parser.add_argument(
        "--credentials",
        choices=("any", "minted"),
        default="any",
        help="let any credentials in, or only those that are printed at the start",
    )
    add_reading(parser)
    add_fault(parser)
    parser.set_defaults(command=run)


def run(arguments: argparse.Namespace) -> int:
    """Serves the mock until it is interrupted."""
    options = Options(
        seed=arguments.seed,
        accept_any=arguments.credentials == "any",
        readings=readings_of(arguments.reading),
        max_journal=arguments.max_journal,
        max_mocks=arguments.max_mocks,
        max_resources=arguments.max_resources,
        faults=faults(arguments.fault),
    )
    serve_until_stopped(
        Serve(
            host=arguments.host,
            port=arguments.port,
            tls=arguments.tls,
            ready_json=arguments.ready_json,
            control_token=control_token(arguments.control_token, arguments.control_token_file),
            allowed_hosts=tuple(arguments.allow_host),
            options=options,
        )
    )
    return MET


def control_token(given: str | None, file: Path | None) -> str | None:
    """The control token: the one given, else that of the file, else of AEPMOCK_CONTROL_TOKEN.

    Raises UsageError where two are given, and for a file that can't be read or is empty.
    """
    if file is None:
        return given if given is not None else os.environ.get(TOKEN_VARIABLE) or None
    if given is not None:
        raise UsageError("give --control-token or --control-token-file, not both")
    try:
        found = file.read_text("utf-8").strip()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is no text"
        raise UsageError(f"can't read --control-token-file {file}: {why}") from None
    if not found:
        raise UsageError(f"--control-token-file {file} is empty")
    return found


def serve_until_stopped(serve: Serve) -> None:
    """Serves until SIGINT or SIGTERM. Raises UsageError for an address that can't be had."""
    _check(serve)
    instances = MockInstances(serve.options, WallClock)
    hosts = {serve.host, *serve.allowed_hosts} - set(EVERYWHERE)
    router = Router(instances, Guard(frozenset(h.lower() for h in hosts), serve.control_token))
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    with ExitStack() as stack:
        listener = listen(LOOPBACK if serve.host == LOOPBACK_NAME else serve.host, serve.port)
        stack.callback(listener.close)
        context, ca_file = None, None
        if serve.tls:
            from aepmock.transports.tls import throw_away_tls

            names = (*LOOPBACK_HOSTS, *sorted(hosts - set(LOOPBACK_HOSTS)))
            context, ca_file = stack.enter_context(throw_away_tls(names))
        origin = _origin(serve.host, own_origin(listener, tls=serve.tls))
        stack.enter_context(serving_on(listener, router.handle, tls=context, limits=LIMITS))
        ready = _ready(instances, origin, ca_file)
        print(json.dumps(ready) if serve.ready_json else _told(serve, ready), flush=True)
        stopped.wait()


def _check(serve: Serve) -> None:
    token = serve.control_token
    if token is not None and not re.fullmatch(r"[A-Za-z0-9._~+/=-]{1,512}", token):
        raise UsageError("--control-token takes letters, digits and - . _ ~ + / =")
    if not is_loopback(serve.host) and token is None:
        raise UsageError(
            f"serve listens on loopback only ({', '.join(LOOPBACK_HOSTS)}), not on {serve.host}, "
            "unless --control-token TOKEN guards its control API from strangers"
        )
    if not 0 <= serve.port <= 65_535:
        raise UsageError(f"--port takes 0 to 65535, not {serve.port}")
    for name, highest in _HIGHEST.items():
        value = getattr(serve.options, name.replace("-", "_"))
        if not 0 < value <= highest:
            raise UsageError(f"--{name} takes a number from 1 to {highest}, not {value}")


def _origin(host: str, origin: str) -> str:
    """Where a client of this machine finds the server: nobody can ask for 0.0.0.0."""
    if host == "0.0.0.0":  # noqa: S104
        return origin.replace(host, LOOPBACK)
    return origin.replace("[::]", "[::1]") if host == "::" else origin


def _ready(instances: MockInstances, origin: str, ca_file: Path | None) -> dict[str, Any]:
    main = instances.main
    return {
        "schema": READY_SCHEMA,
        "base_url": origin + main.contract.base_path,
        "ims_token_url": ims_token_url(origin),
        "control_url": origin + CONTROL,
        "page_url": f"{origin}{CONTROL}/",
        "ca_file": str(ca_file) if ca_file else None,
        "credentials": credentials(main.credentials),
        "accepts": "any" if instances.options.accept_any else "minted",
        "pid": os.getpid(),
    }


def _told(serve: Serve, ready: dict[str, Any]) -> str:
    """The same for a person; the base URL stands in the first line."""
    made = ready["credentials"]
    lines = [
        f"base URL   {ready['base_url']}",
        f"token URL  {ready['ims_token_url']}",
        f"page       {ready['page_url']}",
    ]
    if ready["ca_file"]:
        lines.append(f"CA file    {ready['ca_file']}   (goes when the server stops)")
    if serve.options.accept_any:
        lines.append("any non-empty token, key and organization is let in; sandboxes: prod, dev")
    else:
        lines += [
            f"organization   {made['ims_org_id']}",
            f"client id      {made['client_id']}   (also the x-api-key)",
            f"client secret  {made['client_secret']}",
            f"scopes         {made['scopes']}",
            f"access token   {made['access_token']}",
            "sandboxes      prod, dev",
        ]
    lines += [f"to go wrong  {fault}" for fault in serve.options.faults]
    return "\n".join([*lines, "Ctrl-C stops it."])
