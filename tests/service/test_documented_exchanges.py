"""The mock answers documented requests as Adobe's pages print it."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from aepmock.contract import error_response, load_contract
from aepmock.messages import Headers, Request
from aepmock.service import FlowService
from fixtures import documented

EXCHANGES = {n: d for n, d in documented().items() if "request" in d}
REFUSALS = {n: d for n, d in documented().items() if "code" in d}
PATTERNS = {
    "id": re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"),
    "etag": re.compile(r'"[0-9a-f]{8}-0000-0200-0000-[0-9a-f]{8}0000"'),
}


@pytest.mark.parametrize("name", EXCHANGES)
def test_a_documented_request_gets_the_documented_answer(name: str) -> None:
    exchange = EXCHANGES[name]
    service = FlowService()
    credentials = service.mint_credentials()
    seeded = service.seed_connection(credentials.ims_org_id, "dev")
    response = service.handle(_request(exchange["request"], credentials, seeded))
    wanted = exchange["response"]
    assert response.status == wanted["status"]
    if exchange.get("exact"):
        assert response.json == wanted["json"]
    else:
        assert _form(response.json) == _form(wanted["json"])


@pytest.mark.parametrize("name", REFUSALS)
def test_a_documented_refusal_is_made_to_the_letter(name: str) -> None:
    entry = REFUSALS[name]
    made = error_response(
        load_contract().errors[entry["code"]], entry["params"], request_id="{REQUEST_ID}"
    )
    assert made.status == entry["response"]["status"]
    assert made.json == entry["response"]["json"]


def _request(printed: dict[str, Any], credentials: Any, seeded: Any) -> Request:
    headers = {
        "Authorization": f"Bearer {credentials.access_token}",
        "x-api-key": credentials.api_key,
        "x-gw-ims-org-id": credentials.ims_org_id,
        "x-sandbox-name": "dev",
        "Content-Type": "application/json",
    }
    if printed.get("if_match"):
        headers["If-Match"] = seeded["etag"]
    path = printed["path"].replace("{id}", seeded["id"])
    return Request(
        printed["method"],
        "https://platform.adobe.io",
        "/data/foundation/flowservice" + path,
        Headers(headers),
        json.dumps(printed["json"]).encode() if "json" in printed else b"",
    )


def _form(document: Any) -> Any:
    """The keys with the form of their values: ids and etags are told from other texts."""
    return {
        key: next(
            (kind for kind, p in PATTERNS.items() if isinstance(value, str) and p.fullmatch(value)),
            type(value).__name__,
        )
        for key, value in document.items()
    }
