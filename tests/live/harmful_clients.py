"""Clients that a live run must keep from doing harm, made of the reference client."""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from aepmock.clients import reference
from aepmock.protocol import ClientSettings

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
