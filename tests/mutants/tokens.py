"""Mutants of clients that fetch their own token."""

from __future__ import annotations

import httpx

from aepmock.clients.reference import MintingClient
from tests.mutants.registry import breaks


class _WithForm(MintingClient):
    """A client whose token request has other fields."""

    def token_request(self) -> httpx.Request:
        url = self.settings.ims_token_url
        return self.http.build_request("POST", url, data=self.fields())

    def fields(self) -> dict[str, str]:
        return {
            "grant_type": "client_credentials",
            "client_id": self.settings.client_id,
            "client_secret": self.settings.client_secret,
            "scope": self.settings.scopes,
        }


@breaks("ims.token.form")
class asks_for_a_token_in_json(_WithForm):
    def token_request(self) -> httpx.Request:
        url = self.settings.ims_token_url
        return self.http.build_request("POST", url, json=self.fields())


@breaks("ims.token.form")
class wants_an_authorization_code(_WithForm):
    def fields(self) -> dict[str, str]:
        return {**super().fields(), "grant_type": "authorization_code"}


@breaks("ims.token.credentials")
class has_a_scope_compiled_in(_WithForm):
    def fields(self) -> dict[str, str]:
        return {**super().fields(), "scope": "openid,AdobeID"}


@breaks("ims.token.credentials")
class asks_for_a_token_without_a_scope(_WithForm):
    def fields(self) -> dict[str, str]:
        return {n: v for n, v in super().fields().items() if n != "scope"}


@breaks("ims.token.credentials")
class calls_the_credentials_key_and_secret(_WithForm):
    def fields(self) -> dict[str, str]:
        fields = super().fields()
        fields["api_key"] = fields.pop("client_id")
        return fields


@breaks("ims.token.reuse")
class asks_for_a_token_before_each_call(MintingClient):
    def token(self) -> str:
        return self.read_token(self.send(self.token_request()))
