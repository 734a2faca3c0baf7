"""What a connection's explore and configs answer: the connector's tables and columns."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from aepmock.contract import Connector
from aepmock.messages import read_json
from aepmock.service.refusals import provider

OBJECT_TYPES = frozenset({"root", "table", "folder", "file", "rest"})
WITH_OBJECT = OBJECT_TYPES - {"root"}


def explore(connector: Connector, given: Mapping[str, str]) -> Any:
    """The answer of explore; `given` maps lower-case parameter names to values. Raises Refused.

    Source: EXPLORE-MA and EXPLORE-TAB for root and table, FILTER for preview.
    """
    object_type = given.get("objecttype", "").lower()
    if object_type not in OBJECT_TYPES:
        raise provider(
            "explore.object-type" if object_type else "explore.object-type-missing",
            "The provided param 'objectType' is invalid. "
            "Please provide a valid objectType and try again.",
        )
    for name in ("sourceparams", "filters"):
        if name in given:
            _check_base64(given[name])
    wanted = given.get("object", "")
    if object_type in WITH_OBJECT and not wanted:
        raise provider(
            "explore.object-missing",
            f"The object cannot be empty for objectType={object_type}. "
            "Please provide valid object and try again.",
        )
    if object_type not in connector.object_types:
        raise provider(
            "explore.not-supported", f"Explore of objectType={object_type} is not supported."
        )
    if object_type == "root":
        return [_listed(table) for table in connector.tables]
    return _table(connector, wanted, preview=given.get("preview", "").lower() == "true")


def _listed(table: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "table",
        "name": table["name"],
        "path": table["path"],
        "canPreview": True,
        "canFetchSchema": True,
    }


def _table(connector: Connector, wanted: str, *, preview: bool) -> dict[str, Any]:
    table = next((t for t in connector.tables if t["path"] == wanted), None)
    if table is None:
        raise provider(
            "explore.no-table",
            f"No columns were found for table {wanted}. "
            "Please provide a valid table name and try again.",
        )
    document: dict[str, Any] = {"format": "flat", "schema": {"columns": list(table["columns"])}}
    if preview:
        document["data"] = [_row(table["columns"], number) for number in (1, 2)]
    return document


def _row(columns: list[Mapping[str, Any]], number: int) -> dict[str, Any]:
    """A made-up row: what the connector would read is not the contract's business."""
    return {
        column["name"]: f"2026-01-0{number}T00:00:00Z"
        if column["xdm"].get("format") == "date-time"
        else f"{column['name']} {number}"
        for column in columns
    }


def _check_base64(text: str) -> None:
    """The sources print an empty document as e30= and as e30: the padding may be left out."""
    try:
        read_json(base64.b64decode(text + "=" * (-len(text) % 4), validate=True))
    except ValueError:
        raise provider(
            "explore.source-params", "The filter string is not base64 of a JSON document."
        ) from None
