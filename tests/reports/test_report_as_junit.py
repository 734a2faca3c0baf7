"""The JUnit report says what fails a run, and stays well-formed whatever the texts hold."""

from __future__ import annotations

from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from aepmock.judge import Report
from aepmock.reports import render_junit
from tests.reports.sample_reports import (
    hostile,
    nothing_exercised,
    report,
    result,
    with_every_verdict,
)


def suite_of(made: Report) -> Element:
    document = render_junit(made).encode("utf-8")
    suite = ElementTree.fromstring(document).find("testsuite")
    assert suite is not None
    return suite


def case_of(suite: Element, name: str) -> Element:
    (case,) = [c for c in suite.iter("testcase") if c.get("name") == name]
    return case


def outcome(case: Element) -> tuple[str | None, dict[str, str]]:
    return (case[0].tag, case[0].attrib) if len(case) else (None, {})


def test_the_suite_counts_what_the_report_holds() -> None:
    assert suite_of(with_every_verdict()).attrib == {
        "name": "aepmock",
        "tests": "9",
        "failures": "2",
        "errors": "0",
        "skipped": "4",
        "time": "12.346",
        "timestamp": "2026-11-23T20:30:00Z",
    }


def test_the_suite_tells_how_it_was_run() -> None:
    properties = suite_of(with_every_verdict()).iter("property")
    assert {p.get("name"): p.get("value") for p in properties} == {
        "client": "acme.client:factory",
        "contract": "2026.11",
        "transport": "httpx",
        "seed": "42",
        "mode": "mock",
        "not_imitated": "0",
    }


def test_every_clause_is_one_test_case_named_by_its_id() -> None:
    made = with_every_verdict()
    cases = [(c.get("classname"), c.get("name")) for c in suite_of(made).iter("testcase")]
    assert len(cases) == len(made.results)
    assert cases[0] == ("connections.create", "connections.create.name")


def test_a_met_clause_is_an_empty_case() -> None:
    assert outcome(case_of(suite_of(with_every_verdict()), "connections.create.name")) == (None, {})


def test_a_broken_must_is_a_failure_with_its_evidence() -> None:
    case = case_of(suite_of(with_every_verdict()), "connections.update.if-match")
    expected = {"type": "broken", "message": "An update was sent without If-Match."}
    assert outcome(case) == ("failure", expected)
    text = case[0].text or ""
    assert "actual: no If-Match header" in text
    assert "exchange:\nPATCH /connections/1\n" in text
    assert "reproduce: aepmock judge acme.client:factory" in text


def test_a_broken_should_is_told_but_is_no_failure() -> None:
    case = case_of(suite_of(with_every_verdict()), "connections.create.unique-keys")
    assert outcome(case)[0] == "system-out"
    assert (case[0].text or "").startswith("broken (should)\n\nA key stands twice.\n")


def test_an_unexpected_pass_is_a_failure_that_says_what_to_do() -> None:
    case = case_of(suite_of(with_every_verdict()), "errors.code")
    message = "This passes now: take it off the known-failing list."
    assert outcome(case) == ("failure", {"type": "unexpected-pass", "message": message})
    assert case[0].text == "known failing: ACME-99"


def test_a_known_failing_clause_is_skipped_and_keeps_its_evidence() -> None:
    case = case_of(suite_of(with_every_verdict()), "errors.gateway")
    assert outcome(case) == ("skipped", {"message": "known failing: ACME-123: in 3.0"})
    assert "An update was sent without If-Match." in (case[1].text or "")


def test_what_was_not_tried_is_skipped_with_the_reason() -> None:
    suite = suite_of(with_every_verdict())
    lacking = {"message": "unsupported: the client has no explore_connection"}
    untried = {"message": "not exercised: nothing the client did put it to the test"}
    assert outcome(case_of(suite, "connections.explore.object")) == ("skipped", lacking)
    assert outcome(case_of(suite, "connections.list.limit")) == ("skipped", untried)


def test_a_run_that_exercised_nothing_has_an_error() -> None:
    suite = suite_of(nothing_exercised())
    assert (suite.get("tests"), suite.get("errors"), suite.get("skipped")) == ("3", "1", "2")
    assert outcome(case_of(suite, "aepmock.run"))[0] == "error"


def test_a_clause_id_of_one_part_is_its_own_class() -> None:
    (case,) = suite_of(report(result("driver", "met"))).iter("testcase")
    assert (case.get("classname"), case.get("name")) == ("driver", "driver")


def test_hostile_texts_are_shown_by_their_escapes_and_break_nothing() -> None:
    suite = suite_of(hostile())
    text = case_of(suite, "errors.code")[0].text or ""
    assert r"[bold]x[/] [/nope] \x00 \x1b[31mred\x1b[0m ]]> </failure> \r" in text
    assert r"\u202e \ud800 \x9b2J |`*_&amp;" in text
    assert [c for c in "".join(suite.itertext()) if not c.isprintable() and c != "\n"] == []
