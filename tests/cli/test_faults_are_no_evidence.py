"""Strict mode holds nothing against a right client for what was put in its way."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest
import requests

import aepmock
from aepmock.client_api import ClientSettings
from aepmock.contract import load_contract
from aepmock.faults.grammar import read_fault
from aepmock.faults.model import KINDS, LOSABLE
from aepmock.judge.rendering import exchange_text

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "faults.md").read_text()
TAKING = {
    "bare": "bare 503",
    "latency": "latency 20ms",
    "slow body": "slow body 20ms",
    "html": "html 504",
    "redirect": "redirect 302",
}
FAULTS = [
    *(TAKING.get(kind, kind) for kind in KINDS),
    *(f"lost answer: {kind}" for kind in LOSABLE),
    "503",
    "429 retry-after 1s",
]


def headers(settings: ClientSettings) -> dict[str, str]:
    return {
        "Authorization": f"Bearer {settings.access_token}",
        "x-api-key": settings.api_key,
        "x-gw-ims-org-id": settings.ims_org_id,
        "x-sandbox-name": settings.sandbox_name,
    }


@pytest.mark.parametrize("transport", ["auto", "server"])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_right_request_is_not_accused_whatever_becomes_of_it(fault: str, transport: str) -> None:
    with aepmock.mock(
        transport=transport, faults=[f"connections.list: {fault}; times=2"]
    ) as service:
        settings = service.settings
        url = f"{settings.base_url}/connections"
        with httpx.Client(follow_redirects=True, timeout=0.3) as client:
            try:
                client.get(url, headers=headers(settings))
            except httpx.HTTPError:
                pass
        try:
            requests.get(url, headers=headers(settings), timeout=0.3)
        except requests.RequestException:
            pass
        assert [finding for entry in service.journal for finding in entry.findings] == []
        asked = [entry for entry in service.journal if entry.fault != "another origin"]
        if fault != "good":
            assert [entry.fault for entry in asked] == [
                entry.fault for entry in asked if entry.fault
            ]
            assert asked[0].fault in exchange_text(asked[0].exchange)
        assert service.faults == []


def test_the_answer_that_a_client_did_not_see_is_not_kept() -> None:
    with aepmock.mock(faults=["connections.list: lost answer: 504"]) as service:
        service.seed_connection(auth_params={"clientSecret": "hush"})
        httpx.get(f"{service.settings.base_url}/connections", headers=headers(service.settings))
        entry = service.journal[0]
        assert entry.response.effect is not None
        assert entry.response.effect.behind is None
        assert "hush" not in repr(entry)
        assert "hush" not in repr(service.exchanges)


def test_a_step_may_be_data() -> None:
    with aepmock.mock(
        strict=False,
        faults=[aepmock.Fault("connections.list", (aepmock.Step("bare", status=500),))],
    ) as service:
        service.fault("connections.list", aepmock.Step("latency", seconds=2))
        assert list(map(str, service.faults)) == [
            "connections.list: bare 500",
            "connections.list: latency 2s",
        ]


def test_the_page_about_faults_names_every_kind_and_no_other() -> None:
    contract = load_contract()
    missing = [kind for kind in KINDS if not re.search(rf"`{kind}\b", PAGE)]
    assert missing == []
    table = PAGE.partition("## The steps\n")[2].partition("\n## ")[0]
    told = re.findall(r"`([^`]+)`", "\n".join(re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)))
    assert len(told) > 20
    for words in told:
        said = words.replace("https://…", "https://elsewhere.example/").replace("WHAT", "reset")
        read_fault(contract, f"connections.create: {said}")
    for words in re.findall(r"`(connections\.\w+: [^`]+)`|'(connections\.\w+: [^']+)'", PAGE):
        read_fault(contract, "".join(words))
