"""The run's one token: minted when it is first wanted, shared, renewed when it has expired."""

from __future__ import annotations

import re
from urllib.parse import urlencode, urlsplit

from aepmock.judge.answers import code_of
from aepmock.live.outbound.throttle import FIRST_BACKOFF_S, Throttle, is_disturbance
from aepmock.live.outbound.transport import LostError
from aepmock.live.session.plan import Plan, Ports
from aepmock.live.session.shared_state import LiveStopped, SharedState
from aepmock.live.shown import said
from aepmock.messages import Headers, Request, Response
from aepmock.redaction import Redactor

EXPIRED = "401013"
_TOKEN = re.compile(r"[!-~]+")
"""What a header can hold of RFC 6749's access-token, A.12."""
TRIES = 3


def is_expired(response: Response) -> bool:
    """Whether the gateway refused the token itself, before anyone looked at the request."""
    return response.status == 401 and code_of(response) == EXPIRED


class Tokens:
    """Hands out the token of the run."""

    def __init__(
        self,
        plan: Plan,
        state: SharedState,
        throttle: Throttle,
        ports: Ports,
        redactor: Redactor,
    ) -> None:
        self._settings = plan.settings
        self._state = state
        self._throttle = throttle
        self._ports = ports
        self._redactor = redactor
        self._worked = ""

    def current(self) -> str:
        """The token, minted by the first who asks. Raises LiveStopped where IMS refuses."""
        state = self._state.look()
        if state.token:
            return state.token
        if self._settings.access_token:
            with self._state.changing() as fresh:
                fresh.token = self._settings.access_token
            return self._settings.access_token
        return self._minted("")

    def known(self) -> frozenset[str]:
        """Every token that the run has had."""
        state = self._state.look()
        return frozenset(token for token in (state.token, *state.old_tokens) if token)

    def renewed(self, expired: str) -> str | None:
        """A fresh token in place of one that expired; None where it can't be had again.

        As often as that happens, but for a token that never worked, and only where the run may
        mint: of several who ask, the first one mints.
        """
        state = self._state.look()
        if state.token != expired:
            return state.token
        if self._settings.client_secret == "" or not state.token_worked:
            return None
        return self._minted(expired)

    def worked(self, token: str) -> None:
        """Remembers that the service took the token."""
        if token == self._worked:
            return
        with self._state.changing() as state:
            if state.token == token:
                self._worked = token
                state.token_worked = True

    def _minted(self, instead_of: str) -> str:
        with self._state.minting():
            state = self._state.look()
            if state.token != instead_of:
                return state.token
            token = self._ask()
            with self._state.changing() as fresh:
                if instead_of:
                    fresh.old_tokens.append(instead_of)
                fresh.token = token
                fresh.token_worked = False
                fresh.tokens_minted += 1
                fresh.unauthorised = 0
            return token

    def _ask(self) -> str:
        settings = self._settings
        parts = urlsplit(settings.ims_token_url)
        form = {
            "grant_type": "client_credentials",
            "client_id": settings.client_id,
            "client_secret": settings.client_secret,
            "scope": settings.scopes,
        }
        request = Request(
            "POST",
            f"{parts.scheme}://{parts.netloc}",
            parts.path,
            Headers({"Content-Type": "application/x-www-form-urlencoded"}),
            urlencode(form).encode(),
        )
        response = self._answer(request)
        if response is None:
            raise LiveStopped(f"the token endpoint {parts.netloc} gave no answer")
        document = response.json_or_none
        token = document.get("access_token") if isinstance(document, dict) else None
        if response.ok and isinstance(token, str) and _TOKEN.fullmatch(token):
            return token
        told = document if isinstance(document, dict) else {}
        reason = told.get("error_description") or told.get("error") or "no reason given"
        raise LiveStopped(
            f"the token endpoint {parts.netloc} refused "
            f"({response.status}: {said(reason, self._redactor)}): check "
            "AEPMOCK_LIVE_CLIENT_ID, AEPMOCK_LIVE_CLIENT_SECRET and AEPMOCK_LIVE_SCOPES"
        )

    def _answer(self, request: Request) -> Response | None:
        """What the token endpoint says, asked a few times where it is not itself; None for nothing.

        A refusal is final.
        """
        response: Response | None = None
        for attempt in range(TRIES):
            if attempt:
                self._ports.sleep(FIRST_BACKOFF_S * 2 ** (attempt - 1))
            self._throttle.take_turn()
            try:
                response = self._ports.send(request)
            except LostError:
                continue
            if not is_disturbance(response) and response.status != 429:
                break
        return response
