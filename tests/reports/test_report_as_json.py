"""The JSON report keeps its schema, whatever the texts in it hold."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from aepmock.contract import load_contract
from aepmock.judge import Report
from aepmock.reports import render_json
from tests.reports.sample_reports import (
    COMMAND,
    HOSTILE,
    finding,
    hostile,
    nothing_exercised,
    report,
    result,
    with_every_verdict,
)


@pytest.fixture(scope="module")
def schema() -> Any:
    return load_contract().schemas["report-1"]


def problems(document: Any, schema: Any) -> list[str]:
    return [error.message for error in Draft202012Validator(schema).iter_errors(document)]


def test_the_schema_itself_is_valid(schema: Any) -> None:
    Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize(
    "made",
    [
        pytest.param(with_every_verdict(), id="every-verdict"),
        pytest.param(hostile(), id="hostile-texts"),
        pytest.param(nothing_exercised(), id="nothing-exercised"),
        pytest.param(report(), id="no-clause"),
    ],
)
def test_any_report_keeps_the_schema(made: Report, schema: Any) -> None:
    assert problems(json.loads(render_json(made)), schema) == []


@pytest.mark.parametrize("place", [(), ("client",), ("summary",), ("clauses", 6)])
def test_a_key_that_the_schema_does_not_know_is_refused(
    place: tuple[str | int, ...], schema: Any
) -> None:
    document = inner = json.loads(render_json(with_every_verdict()))
    for step in place:
        inner = inner[step]
    inner["surprise"] = 1
    assert len(problems(document, schema)) == 1


def test_a_report_of_every_verdict_has_exactly_the_promised_keys() -> None:
    document = json.loads(render_json(with_every_verdict()))
    clauses = document.pop("clauses")
    assert document == {
        "schema": "aepmock-report/1",
        "kit": "0.1.0",
        "contract": "2026.11",
        "client": {"name": "acme.client:factory"},
        "mode": "mock",
        "transport": "httpx",
        "seed": 42,
        "reading": "default",
        "started_at": "2026-11-23T20:30:00Z",
        "duration_s": 12.346,
        "waited_s": 0.0,
        "not_imitated": 0,
        "cut_short": "",
        "hollow": [
            "Methods missing: explore_connection (2 clauses unsupported).",
            "Not exercised: connections.list 1 of 2.",
        ],
        "summary": {
            "met": 2,
            "broken": 2,
            "not-exercised": 1,
            "unsupported": 2,
            "known-failing": 1,
            "unexpected-pass": 1,
        },
    }
    assert clauses[6] == {
        "id": "connections.update.if-match",
        "grade": "must",
        "verdict": "broken",
        "examples": 120,
        "reason": "",
        "findings": [
            {
                "summary": "An update was sent without If-Match.",
                "expected": 'If-Match: "2300d6b1-0000-0200-0000-673e9c1d0000",'
                " the etag of the last answer",
                "got": "no If-Match header",
                "reading": "default",
                "calls": ["created = client.create_connection(…)", "client.update_connection(…)"],
                "exchange": 'PATCH /connections/1\nx-api-key: ‹api key›\n\n{\n  "a": 1\n}\n\n'
                "HTTP 400",
                "diff": '--- sent\n+++ right\n+If-Match: "2300"',
                "log": "the client's last words",
                "source": "documented: OAS patchConnection",
                "reproduce": COMMAND,
            }
        ],
    }


def test_hostile_texts_come_back_character_for_character() -> None:
    document = json.loads(render_json(hostile()).encode("utf-8"))
    assert document["client"]["name"] == HOSTILE * 9
    assert document["clauses"][0]["findings"][0]["exchange"] == HOSTILE * 9


def test_hostile_texts_hold_nothing_that_a_terminal_would_obey() -> None:
    text = render_json(hostile())
    assert [c for c in text if not c.isprintable() and c != "\n"] == []


def test_what_prints_stands_as_itself() -> None:
    assert '"name": "Käse 接続"' in render_json(report(client="Käse 接続"))


def test_the_same_report_gives_the_same_text() -> None:
    assert render_json(with_every_verdict()) == render_json(with_every_verdict())


def test_a_finding_without_a_source_of_its_own_has_its_clauses_source() -> None:
    made = report(result("errors.code", "broken", "must", finding("errors.code", source="")))
    document = json.loads(render_json(made))
    source = document["clauses"][0]["findings"][0]["source"]
    assert source == "documented: OAS patchConnection"
