"""A live run against a service that differs from the mock: told as what it is, harming nobody."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.live.live_runs import LiveResult, judge_live, secrets_found
from tests.live.standin import Manner, StandIn, standing_in

BRIEF = ("--select", "lifecycle.reads-back")
"""One connection that is created, read, listed, changed, read and deleted."""
SEEDED = ("--select", "connections.test.*", "--select", "connections.get.*")
"""Connections that the kit itself creates and deletes."""


def unharmed(result: LiveResult, standin: StandIn) -> None:
    """The run met every must, left nothing behind, touched nothing of others, and kept quiet."""
    assert result.status == 0, result.out + result.err
    assert standin.created
    assert len(standin.created) == len(set(standin.created))
    assert standin.left_behind == []
    assert not standin.foreign_touched
    assert result.report["live_run"]["left_behind"] == []
    assert secrets_found(result, standin) == []


@pytest.mark.parametrize(
    ("manner", "readings"),
    [
        (Manner(delete_status=202), {"connections.delete-status": "202"}),
        (Manner(short_errors=True), {"errors.envelope": "short"}),
        (Manner(secrets_on_read="masked"), {"connections.secrets-on-read": "masked"}),
        (Manner(initializing_reads=1), {"connections.initial-state": "initializing"}),
        (
            Manner(location=False, links_at_end=False, etag_header=True),
            {
                "connections.last-page-links": "absent",
                "connections.create-location": "absent",
                "connections.etag-header": "present",
            },
        ),
    ],
    ids=lambda value: next(iter(value), "") if isinstance(value, dict) else "",
)
def test_a_difference_that_is_a_reading_is_named(
    tmp_path: Path, manner: Manner, readings: dict[str, str]
) -> None:
    with standing_in(manner) as standin:
        result = judge_live(standin, tmp_path, *BRIEF, "--fail-on-drift")
        unharmed(result, standin)
    assert result.not_default == readings
    assert result.drifted == []
    for question, option in readings.items():
        assert question in result.out
        assert result.row(question)["status"] == "confirmed"
        assert result.row(question)["got"] == option


def test_a_service_without_a_difference_confirms_the_mocks_defaults(tmp_path: Path) -> None:
    with standing_in() as standin:
        result = judge_live(standin, tmp_path, *BRIEF)
        unharmed(result, standin)
    assert result.report["live_run"]["tokens"] == 1
    assert result.not_default == {}
    assert result.drifted == []


def test_a_capped_page_and_the_order_are_named_though_no_client_asks_for_more(
    tmp_path: Path,
) -> None:
    with standing_in(Manner(most_items=100, oldest_first=True), colleagues=105) as standin:
        result = judge_live(standin, tmp_path, "--select", "connections.list.all-pages")
        unharmed(result, standin)
    assert result.not_default == {
        "connections.limit-above-100": "capped",
        "connections.default-order": "oldest-first",
    }


def test_undocumented_fields_and_slowness_are_told_and_harm_nobody(tmp_path: Path) -> None:
    with standing_in(Manner(extra_fields=True, latency_s=0.1)) as standin:
        result = judge_live(standin, tmp_path, *BRIEF)
        unharmed(result, standin)
    row = result.row("answers.unknown-fields")
    assert row["status"] == "confirmed"
    assert "connections.get: items[].quota" in row["got"]
    assert result.report["live_run"]["slowest_s"] >= 0.1
    assert "The slowest answer took" in result.out
    assert result.drifted == []


def test_an_etag_of_another_form_has_drifted_and_convicts_nobody(tmp_path: Path) -> None:
    with standing_in(Manner(weak_etags=True)) as standin:
        result = judge_live(standin, tmp_path, "--select", "connections.update.*")
        unharmed(result, standin)
    said = ("etag form: in double quotes", "etag form: weak")
    assert result.drifted == [("connections.update.etag-quotes", *said)]


def test_tokens_that_expire_again_and_again_end_no_run_and_every_create_has_its_own_name(
    tmp_path: Path,
) -> None:
    bearer = "aepmock.clients.reference:bearer_client"
    with standing_in(Manner(token_requests=8, every_token=True)) as standin:
        result = judge_live(standin, tmp_path, "--select", "connections.*", client=bearer)
        unharmed(result, standin)
        assert len(standin.created) > 10
    run = result.report["live_run"]
    assert run["tokens"] == standin.minted > 5
    assert run["tokens_of_clients"] == 0


def test_a_token_that_expires_is_renewed_and_its_refusal_is_named(tmp_path: Path) -> None:
    with standing_in(Manner(token_requests=4, numeric_codes=True)) as standin:
        result = judge_live(standin, tmp_path, *SEEDED)
        unharmed(result, standin)
        run = result.report["live_run"]
        assert standin.minted == run["tokens"] + run["tokens_of_clients"]
    assert run["tokens"] == 2
    assert result.not_default == {"gateway.error-code-type": "number"}
    refusal = result.row("request.authorization")
    assert (refusal["status"], refusal["got"]) == (
        "confirmed",
        "401, 401013, error_code is a number",
    )


def test_a_429_and_a_503_are_waited_for_and_are_no_drift(tmp_path: Path) -> None:
    with standing_in(Manner(throttled_request=3, flaky_request=6)) as standin:
        result = judge_live(standin, tmp_path, *SEEDED)
        unharmed(result, standin)
    run = result.report["live_run"]
    assert (run["throttled"], run["disturbed"]) == (1, 1)
    assert run["disturbances"][0].endswith(": 503")
    assert "throttled the run (429)" in result.out
    assert result.row("errors.gateway")["got"].endswith(": 429 with Retry-After")
    assert result.row("errors.empty-body")["got"].endswith(": 503")
    assert result.drifted == []


def test_everything_at_once_is_told_apart_and_the_whole_suite_lives_with_it(
    tmp_path: Path,
) -> None:
    manner = Manner(
        delete_status=202,
        short_errors=True,
        secrets_on_read="masked",
        extra_fields=True,
        token_requests=20,
        throttled_request=30,
        flaky_request=40,
        initializing_reads=1,
        most_items=100,
        location=False,
        numeric_codes=True,
        links_at_end=False,
        etag_header=True,
    )
    with standing_in(manner) as standin:
        result = judge_live(standin, tmp_path, "--live-send-invalid", "--fail-on-drift")
        unharmed(result, standin)
        assert result.report["live_run"]["tokens"] == 2
    assert result.not_default == {
        "connections.delete-status": "202",
        "connections.secrets-on-read": "masked",
        "connections.initial-state": "initializing",
        "connections.create-location": "absent",
        "connections.last-page-links": "absent",
        "connections.etag-header": "present",
        "errors.envelope": "short",
        "gateway.error-code-type": "number",
    }
    assert result.drifted == []
