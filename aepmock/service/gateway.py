"""What stands before Flow Service: token, key, organization, content type, sandbox."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Literal

from aepmock.clock import Clock
from aepmock.messages import Request
from aepmock.net import read_authorization
from aepmock.service.ids import IdSource
from aepmock.service.refusals import Refused

TOKEN_LIFE_S = 86_399
"""DEVC: expires_in of a token, about 24 hours."""

MOST_ISSUED = 10_000
"""Tokens of the token endpoint that are remembered; the oldest are forgotten first."""
MOST_ENDED = 10_000
"""Tokens that a test ended before their time and that are remembered."""
MOST_SEEN = 1_000
"""Organizations whose sandboxes are at hand; those of the others are worked out again."""

TokenKind = Literal["service", "user"]


@dataclass(frozen=True)
class Credentials:
    """One integration: what its client needs to be let in."""

    access_token: str = field(repr=False)
    api_key: str
    ims_org_id: str
    client_id: str
    client_secret: str = field(repr=False)
    scopes: str


@dataclass
class Token:
    """A token that was minted: for whom, of which kind, and until when (epoch ms)."""

    integration: Credentials
    kind: TokenKind
    expires_at_ms: int


@dataclass(frozen=True)
class Caller:
    """Who asks, once the gateway let the request in. `sandbox` is "*" for all of them."""

    ims_org_id: str
    sandbox: str
    kind: TokenKind
    client_id: str


@dataclass(frozen=True)
class Sandbox:
    """A sandbox of an organization. Source: OAS-SB."""

    name: str
    id: str
    type: Literal["production", "development"]
    is_default: bool = False


class Gateway:
    """Knows integrations, tokens and sandboxes, and checks a request in the order of refusal."""

    def __init__(
        self,
        clock: Clock,
        ids: IdSource,
        readings: Mapping[str, str],
        *,
        accept_any: bool = False,
    ) -> None:
        self._clock = clock
        self._ids = ids
        self.readings = readings
        self._accept_any = accept_any
        self._integrations: dict[str, Credentials] = {}
        self._tokens: dict[str, Token] = {}
        self._issued: deque[str] = deque()
        self._added: dict[str, dict[str, Sandbox]] = {}
        self._ended: dict[str, None] = {}
        self._sandboxes: dict[str, dict[str, Sandbox]] = {}
        self.number = 0
        """Of several services with one seed: each but the first has credentials of its own."""

    def create_integration(
        self, kind: TokenKind = "service", *, ims_org_id: str | None = None
    ) -> Credentials:
        """A new integration with a valid token, in a new organization unless one is named."""
        ids = self._ids
        client_id = self._own(32)
        made = Credentials(
            access_token=self._new_token(),
            api_key=client_id,
            ims_org_id=ims_org_id or f"{ids.hex(24).upper()}@AdobeOrg",
            client_id=client_id,
            client_secret=f"p8e-{self._own(32)}",
            scopes="openid,session,AdobeID,read_organizations,additional_info.projectedProductContext",
        )
        self._integrations[client_id] = made
        self.issue(made, kind, token=made.access_token)
        return made

    def _new_token(self) -> str:
        return f"eyJhbGciOiJSUzI1NiJ9.{self._own(48)}.{self._own(32)}"

    def _own(self, digits: int) -> str:
        """Hexadecimal digits of a credential; whatever the number, as many names are used up."""
        drawn = self._ids.hex(digits)
        if not self.number:
            return drawn
        return sha256(f"{self.number} {drawn}".encode()).hexdigest()[:digits]

    def has_key(self, key: str) -> bool:
        """Whether this API key, which is a client id, was minted here."""
        return key in self._integrations

    def issue(
        self, integration: Credentials, kind: TokenKind = "service", *, token: str | None = None
    ) -> str:
        """A new token for an integration; it expires after 24 hours by the clock.

        A token that is given is remembered for good, of those made here the newest only: a
        client that fetches one for each call must not fill the memory.
        """
        if token is None:
            token = self._new_token()
            self._issued.append(token)
            if len(self._issued) > MOST_ISSUED:
                self._tokens.pop(self._issued.popleft(), None)
        self._ended.pop(token, None)
        expires = self._clock.now_ms() + TOKEN_LIFE_S * 1000
        self._tokens[token] = Token(integration, kind, expires)
        return token

    def has_token(self, token: str) -> bool:
        """Whether this token was minted here, valid still or not."""
        return token in self._tokens

    def expire(self, token: str) -> None:
        """Ends a token's life now, minted here or not."""
        if token:
            self._ended[token] = None
        while len(self._ended) > MOST_ENDED:
            del self._ended[next(iter(self._ended))]

    def expire_all(self) -> None:
        """Ends the life of every token that was minted so far."""
        for token in self._tokens:
            self.expire(token)

    def restore_tokens(self) -> None:
        """Takes back what ended the life of tokens before their time."""
        self._ended.clear()

    def integration(self, client_id: str) -> Credentials | None:
        """The integration of that client id, or None."""
        if client_id not in self._integrations and self._accept_any and client_id:
            return Credentials("", client_id, "", client_id, "", "")
        return self._integrations.get(client_id)

    def authenticate(
        self,
        request: Request,
        *,
        is_list: bool,
        content_check: Callable[[Request, Mapping[str, str]], None],
    ) -> Caller:
        """Who asks. Raises Refused in order: token, key, organization, content type, sandbox."""
        headers = request.headers
        token = self._token(headers.get("authorization"))
        self._check_key(headers.get("x-api-key"), token)
        org = self._organization(headers.get("x-gw-ims-org-id"), token)
        content_check(request, self.readings)
        kind: TokenKind = token.kind if token else "service"
        sandbox = self._sandbox(
            org, headers.get("x-sandbox-name"), headers.get("x-sandbox-id"), kind, is_list=is_list
        )
        client_id = token.integration.client_id if token else headers.get("x-api-key") or ""
        return Caller(org, sandbox, kind, client_id)

    def admit_to_organization(self, request: Request) -> str:
        """The organization of a caller that needs no sandbox. Raises Refused like `admit`."""
        token = self._token(request.headers.get("authorization"))
        self._check_key(request.headers.get("x-api-key"), token)
        return self._organization(request.headers.get("x-gw-ims-org-id"), token)

    def sandboxes(self, ims_org_id: str) -> Mapping[str, Sandbox]:
        """The organization's sandboxes by name: prod, the default one, and dev."""
        known = self._sandboxes.get(ims_org_id)
        if known is None:
            if len(self._sandboxes) >= MOST_SEEN:
                self._sandboxes.clear()
            prod = self._sandbox_of(ims_org_id, "prod", is_default=True)
            known = {"prod": prod, "dev": self._sandbox_of(ims_org_id, "dev")}
            known |= self._added.get(ims_org_id, {})
            self._sandboxes[ims_org_id] = known
        return known

    def add_sandbox(self, ims_org_id: str, name: str) -> None:
        """A further development sandbox."""
        if name not in self.sandboxes(ims_org_id):
            made = self._sandbox_of(ims_org_id, name)
            self._added.setdefault(ims_org_id, {})[name] = made
            self._sandboxes[ims_org_id][name] = made

    def _sandbox_of(self, ims_org_id: str, name: str, *, is_default: bool = False) -> Sandbox:
        """Its id follows from its names: whoever reads in an organization leaves no trace."""
        kind: Literal["production", "development"] = "production" if is_default else "development"
        return Sandbox(name, self._ids.uuid_of(ims_org_id, name), kind, is_default)

    def _token(self, authorization: str | None) -> Token | None:
        if not authorization:
            option = self.readings["gateway.token-missing"]
            raise Refused("gateway.token-missing", code=option)
        scheme, value = read_authorization(authorization)
        token = self._tokens.get(value)
        if value in self._ended:
            raise Refused("gateway.token-invalid")
        if scheme == "bearer" and token is not None:
            if self._accept_any or token.expires_at_ms > self._clock.now_ms():
                return token
        elif scheme == "bearer" and value and self._accept_any:
            return None
        raise Refused("gateway.token-invalid")

    def _check_key(self, key: str | None, token: Token | None) -> None:
        if not key:
            raise Refused("gateway.api-key-missing")
        if not self._accept_any and token and key != token.integration.api_key:
            raise Refused("gateway.api-key-wrong")

    def _organization(self, org: str | None, token: Token | None) -> str:
        if not org:
            raise Refused(
                "gateway.org-missing",
                code=self.readings["gateway.org-missing"],
                header="x-gw-ims-org-id",
            )
        if not self._accept_any and token and token.integration.ims_org_id != org:
            raise Refused("gateway.org-wrong", code=self.readings["gateway.org-wrong"])
        return org

    def _sandbox(
        self, org: str, name: str | None, sandbox_id: str | None, kind: TokenKind, *, is_list: bool
    ) -> str:
        sandboxes = self.sandboxes(org)
        if sandbox_id and kind == "user":
            raise Refused("sandbox.id-with-user-token")
        if not name:
            if self.readings["sandbox.missing"] == "refused":
                raise Refused("sandbox.missing")
            name = next(s.name for s in sandboxes.values() if s.is_default)
        if name == "*":
            return self._all_sandboxes(sandbox_id, kind, is_list=is_list)
        if name not in sandboxes:
            code = self.readings["sandbox.unknown"]
            extra = (
                {
                    "message": f"Sandbox with name '{name}' not present. "
                    "Please check if resource exists."
                }
                if code == "2101-404"
                else {}
            )
            raise Refused("sandbox.unknown", code=code, sandboxName=name, **extra)
        if sandbox_id == "*":
            raise Refused("sandbox.all-without-id")
        if sandbox_id and sandbox_id != sandboxes[name].id:
            raise Refused("sandbox.id-unknown", sandboxId=sandbox_id, sandboxName=name)
        return name

    def _all_sandboxes(self, sandbox_id: str | None, kind: TokenKind, *, is_list: bool) -> str:
        if kind == "user":
            raise Refused("sandbox.all-with-user-token")
        if sandbox_id != "*":
            raise Refused("sandbox.all-without-id")
        if not is_list:
            raise Refused("sandbox.all-not-allowed")
        return "*"
