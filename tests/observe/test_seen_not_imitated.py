"""Requests to what aepmock does not imitate: counted by every transport, in every report."""

from __future__ import annotations

import json

import httpx

import aepmock
from aepmock.cli.proxy import Proxied
from aepmock.messages import Headers, Request
from aepmock.reports.html import render_html
from aepmock.reports.json import render_json
from aepmock.reports.markdown import render_markdown

PLATFORM = "https://platform.adobe.io"
RIGHT = Headers(
    [("Authorization", "Bearer t"), ("x-api-key", "k"), ("x-gw-ims-org-id", "o"),
     ("x-sandbox-name", "dev")]
)  # fmt: skip


def watched(*targets: str) -> Proxied:
    watch = Proxied(seed=0, readings={})
    for target in targets:
        watch.handle(Request("GET", PLATFORM, target, RIGHT))
    return watch


def test_the_proxy_counts_and_accuses_nobody() -> None:
    watch = watched("/data/foundation/catalog/dataSets", "/data/foundation/flowservice/flows")
    assert watch.summary() == (
        "2 requests to Adobe's hosts · 2 to things aepmock does not imitate · nothing was judged"
    )
    report = watch.report(["./program"], transport="proxy")
    assert (report.not_imitated, report.exit_status) == (2, 2)


def test_every_report_tells_how_many_nobody_judged() -> None:
    watch = watched("/ims/profile/v1", "/data/foundation/flowservice/connections")
    report = watch.report(["./program"], transport="proxy")
    assert report.exit_status == 0
    sentence = "1 request to things aepmock does not imitate was not judged."
    assert sentence in render_markdown(report)
    assert sentence in render_html(report)
    assert json.loads(render_json(report))["not_imitated"] == 1


def test_a_strict_mock_lets_its_test_pass() -> None:
    with aepmock.mock() as mock:
        made = mock.settings
        headers = {"Authorization": f"Bearer {made.access_token}"}
        for url in (
            f"{PLATFORM}/data/foundation/schemaregistry/global/classes",
            "https://reactor.adobe.io/companies",
            f"{made.base_url}/runs",
            "https://ims-na1.adobelogin.com/ims/userinfo/v2",
        ):
            assert httpx.get(url, headers=headers).status_code == 501
        assert {entry.clause for entry in mock.journal} == {"not-imitated"}
        assert "does not imitate" in mock.journal[0].explanation
