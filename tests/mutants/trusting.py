"""Mutants that trust servers which they have no reason to trust."""

from __future__ import annotations

import ssl
from typing import Any

import httpx

from aepmock.client_api import ClientSettings
from aepmock.clients.reference import AsyncReferenceClient, MintingClient, ReferenceClient
from tests.correct_clients.requests_session import FlowService
from tests.mutants.registry import breaks


@breaks("tls.unknown-ca", also=("tls.wrong-host",))
class verifies_nothing(ReferenceClient):
    def __init__(self, settings: ClientSettings) -> None:
        super().__init__(settings)
        self.http = httpx.Client(verify=False, timeout=settings.timeout_s)


@breaks("tls.unknown-ca")
class verifies_only_where_it_is_given_a_ca(AsyncReferenceClient):
    def __init__(self, settings: ClientSettings) -> None:
        super().__init__(settings)
        if settings.ca_file is None:
            self.http = httpx.AsyncClient(
                verify=False,
                timeout=settings.timeout_s,
            )


@breaks("tls.unknown-ca", also=("tls.wrong-host",))
def turns_verification_off(settings: ClientSettings) -> Any:
    made = FlowService(settings)
    made._session.verify = False
    return made


@breaks("tls.wrong-host")
class checks_the_chain_but_not_the_name(ReferenceClient):
    def __init__(self, settings: ClientSettings) -> None:
        super().__init__(settings)
        context = ssl.create_default_context(cafile=settings.ca_file)
        context.check_hostname = False
        self.http = httpx.Client(verify=context, timeout=settings.timeout_s)


@breaks("tls.unknown-ca", also=("tls.wrong-host",))
class signs_in_with_anyone(MintingClient):
    """Only the token's server is not looked at, which is sent the client's secret."""

    def token(self) -> str:
        with httpx.Client(verify=False) as http:
            if self._minted is None:
                self._minted = self.read_token(http.send(self.token_request()))
        return self._minted
