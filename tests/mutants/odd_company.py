"""Clients that ask for more than Flow Service's connections: what is asked besides is no fault."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx

from aepmock.client_api import ClientSettings
from aepmock.clients.reference import Answer, MintingClient, ReferenceClient
from tests.mutants.registry import correct


@correct()
class looks_at_other_services_besides(MintingClient):
    """Before each write it asks the catalog, IMS and Flow Service's other resources."""

    def send(self, request: httpx.Request) -> Answer:
        url = str(request.url)
        if request.method in ("POST", "PATCH") and url.startswith(self.settings.base_url):
            self._look_around()
        return super().send(request)

    def _look_around(self) -> None:
        base, ims = self.settings.base_url, self.settings.ims_token_url
        platform, login = (f"{p.scheme}://{p.netloc}" for p in (urlsplit(base), urlsplit(ims)))
        for url in (
            f"{platform}/data/foundation/catalog/dataSets?limit=1",
            f"{base}/flows?limit=1",
            f"{base}/connectionSpecs/{'0' * 8}",
            f"{login}/ims/profile/v1",
        ):
            self.http.get(url, headers=self.headers())
        self.http.post(f"{login}/ims/revoke", data={"token": "", "client_id": "x"})


class _OfAVersion(MintingClient):
    path = ""

    def __init__(self, settings: ClientSettings) -> None:
        url = urlsplit(settings.ims_token_url)._replace(path=self.path)
        super().__init__(replace(settings, ims_token_url=url.geturl()))


@correct()
class mints_at_the_second_version(_OfAVersion):
    path = "/ims/token/v2"


@correct()
class mints_without_a_version_and_blanks_between_scopes(_OfAVersion):
    path = "/ims/token"

    def token_request(self) -> httpx.Request:
        request = super().token_request()
        body = request.content.decode().replace("%2C", "+").encode()
        kind = {"Content-Type": request.headers["Content-Type"]}
        return self.http.build_request("POST", request.url, headers=kind, content=body)


@correct()
class mints_at_the_fourth_version_by_multipart(_OfAVersion):
    path = "/ims/token/v4"

    def token_request(self) -> httpx.Request:
        settings = self.settings
        fields: dict[str, Any] = {
            "grant_type": (None, "client_credentials"),
            "client_secret": (None, settings.client_secret),
            "scope": (None, settings.scopes),
        }
        url = f"{settings.ims_token_url}?{urlencode({'client_id': settings.client_id})}"
        return self.http.build_request("POST", url, files=fields)


@correct()
class answers_a_count_with_a_look_at_the_flows(ReferenceClient):
    def count_connections(self, **filters: Any) -> int:
        self.send(self.build("GET", f"{self.settings.base_url}/flows?count=true"))
        return super().count_connections(**filters)
