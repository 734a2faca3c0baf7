"""Hosts, origins, bearer tokens and media types: what each of them is, told once for all of us."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import TYPE_CHECKING
from unicodedata import normalize
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import socket

ADOBE_HOST = re.compile(r"(?:[^/@]*\.)?(?:adobe\.io|adobelogin\.com)", re.IGNORECASE)
"""Hosts that a transport answers for, and that the guard keeps everyone else from."""
PLATFORM = "https://platform.adobe.io"
IMS = "https://ims-na1.adobelogin.com"
ELSEWHERE = "https://elsewhere.adobe.io"
"""An origin of nobody's; in-process transports answer for it as for all of Adobe's hosts."""

LOOPBACK, LOOPBACK_NAME = "127.0.0.1", "localhost"
LOOPBACK_HOSTS = (LOOPBACK, "::1", LOOPBACK_NAME)
"""How loopback is called by most; is_loopback() knows all of it."""
NO_PROXY = (LOOPBACK, LOOPBACK_NAME)
"""Hosts that a program reaches around any proxy: that does not lead to this machine."""

DEFAULT_PORTS = {"http": 80, "https": 443}
Origin = tuple[str, str | None, int | None]
_OTHER_NAMES = ((LOOPBACK, LOOPBACK_NAME), (LOOPBACK_NAME, LOOPBACK), ("[::1]", LOOPBACK_NAME))


def is_adobe(host: str | None) -> bool:
    """Whether a host, "platform.adobe.io", is one that the transports answer for."""
    if host is None:
        return False
    return ADOBE_HOST.fullmatch(host if host.isascii() else _on_the_wire(host)) is not None


def _on_the_wire(host: str) -> str:
    """A name as it is looked up: 。 is a dot (RFC 3490 3.1), and wide letters are letters."""
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError:
        return normalize("NFKC", host).replace("\u3002", ".")


def is_loopback(host: str) -> bool:
    """Whether a host, without its port, is this machine's own: any of 127.0.0.0/8, ::1, localhost.

    Where credentials may go unencrypted, and what no proxy is asked for.
    """
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    try:
        return ip_address(bare.partition("%")[0]).is_loopback
    except ValueError:
        return host.lower().rstrip(".") == LOOPBACK_NAME


def origin_of(url: str) -> Origin | None:
    """An origin in its normal form: a host in any case, the default port named or not.

    None for what is no absolute URL. Source: RFC9110 4.2.3.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if not parts.scheme or not parts.hostname:
        return None
    scheme = parts.scheme.lower()
    return scheme, parts.hostname, port or DEFAULT_PORTS.get(scheme)


def own_origin(listener: socket.socket, *, tls: bool = False) -> str:
    """The origin of a listening socket."""
    host, port = listener.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    return f"{'https' if tls else 'http'}://{shown}:{port}"


def other_origin(origin: str) -> str:
    """An origin that is another one, and still one at which the mock is asked.

    A server of this machine is reached by another name of it.
    """
    scheme, _, authority = origin.partition("://")
    for host, other in _OTHER_NAMES:
        if authority == host or authority.startswith(f"{host}:"):
            return f"{scheme}://{other}{authority[len(host) :]}"
    return ELSEWHERE


def ims_token_url(origin: str = IMS) -> str:
    """Where a token is asked for at an origin."""
    return f"{origin}/ims/token/v3"


def read_authorization(value: str | None) -> tuple[str, str]:
    """The scheme in lower case (RFC 9110 11.1) and the token of an Authorization; "" for none.

    >>> read_authorization("Bearer abc")
    ('bearer', 'abc')
    """
    scheme, _, token = (value or "").partition(" ")
    return scheme.lower(), token.strip()


def media_type(value: str | None) -> str:
    """A Content-Type without its parameters, in lower case; "" where there is none.

    >>> media_type("Application/JSON; charset=utf-8")
    'application/json'
    """
    return (value or "").partition(";")[0].strip().lower()
