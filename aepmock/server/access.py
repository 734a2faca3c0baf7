"""Access: refuses other sites' pages, rebound names, and control requests without the token.

A browser on the same machine can be made to ask a loopback server by any page it shows. Such a
request names another Host (DNS rebinding), or another Origin or Sec-Fetch-Site.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from dataclasses import dataclass
from hmac import compare_digest
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

from aepmock.messages import Request
from aepmock.net import is_loopback, media_type, read_authorization
from aepmock.server.problems import Rejected

COOKIE = "aepmock_control"
READING = ("GET", "HEAD")
LONGEST_COOKIE = 4_096
_OWN_SITE = ("same-origin", "none")


@dataclass(frozen=True)
class Guard:
    """`hosts` are names beside loopback's own; `token` is what everyone must show, if anything."""

    hosts: Collection[str] = ()
    token: str | None = None

    def check_site(self, request: Request) -> None:
        """Raises Rejected for what another site's page may have sent, whatever it asks for.

        An image is enough to make a mock. A client that is no browser sends no Sec-Fetch-Site.
        """
        hosts = request.headers.all("host")
        if len(hosts) > 1 or not all(map(self._own_host, hosts)):
            raise Rejected(
                403,
                "The Host header names another host; this may be DNS rebinding. "
                "`aepmock serve --allow-host NAME` lets a name of this server's in",
            )
        if any(s not in _OWN_SITE for s in request.headers.all("sec-fetch-site")):
            raise Rejected(403, "The request comes from a page of another site")

    def check(self, request: Request) -> None:
        """Raises Rejected for a request that must not reach the control API."""
        if not request.headers.get("host"):
            raise Rejected(403, "The control API needs a Host header")
        self.check_site(request)
        if any(o != request.origin for o in request.headers.all("origin")):
            raise Rejected(403, "The Origin of the request is another site's")
        kind = media_type(request.headers.get("content-type"))
        if request.method not in READING and kind != "application/json":
            raise Rejected(403, "A request that changes something needs application/json")
        if self.token is not None and not self._shown(request, self.token):
            raise Rejected(
                401,
                "Show the control token: Authorization: Bearer TOKEN, or open the page "
                "with ?token=TOKEN",
                [("WWW-Authenticate", "Bearer")],
            )

    def login(self, request: Request) -> bool:
        """Whether a request for the page shows the token in its query."""
        given = request.parameter("token")
        return self.token is not None and given is not None and _same(given, self.token)

    def cookie(self, request: Request) -> str:
        """What the page's browser shows from now on."""
        secure = "; Secure" if request.origin.startswith("https:") else ""
        return f"{COOKIE}={self.token}; Path=/; HttpOnly; SameSite=Strict{secure}"

    def _own_host(self, host: str) -> bool:
        try:
            parts = urlsplit(f"//{host}")
            name = parts.hostname or ""
            _ = parts.port
        except ValueError:
            return False
        if "@" in host or "/" in host or "?" in host or "#" in host:
            return False
        if is_loopback(name) or name in self.hosts:
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        # With a token the server may stand on any address, and an address can't be rebound.
        return self.token is not None

    def _shown(self, request: Request, token: str) -> bool:
        scheme, given = read_authorization(request.headers.get("authorization"))
        if scheme == "bearer" and _same(given, token):
            return True
        sent = "; ".join(request.headers.all("cookie"))
        if len(sent) > LONGEST_COOKIE:
            return False
        try:
            cookies = SimpleCookie(sent)
        except CookieError:
            return False
        return COOKIE in cookies and _same(cookies[COOKIE].value, token)


def _same(given: str, token: str) -> bool:
    return compare_digest(given.encode("utf-8", "replace"), token.encode())
