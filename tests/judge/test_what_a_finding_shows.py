"""A finding shows the exchange that it speaks of, says what a test put in, and comes in order."""

from __future__ import annotations

from dataclasses import replace

from aepmock.contract import load_contract
from aepmock.errors import ClientError
from aepmock.judge import Call, Finding, Tally, Transcript, judge_transcript
from aepmock.judge.findings import Violation
from aepmock.judge.judging import describe_call
from aepmock.judge.rendering import exchange_text
from aepmock.messages import Exchange
from aepmock.suite.config import SuiteConfig
from aepmock.suite.failures import reproduce
from aepmock.suite.scenario import told
from tests.judge.test_checks import call, exchange, listed, page


def put_in(seen: Exchange) -> Exchange:
    return replace(seen, response=replace(seen.response, injected=True))


def violation(clause: str, *calls: Call) -> Violation:
    transcript = Transcript(load_contract(), list(calls))
    found = (seen.violation for seen in judge_transcript(transcript, {clause}))
    return next(seen for seen in found if seen is not None)


def test_an_answer_that_the_test_put_in_says_so() -> None:
    refused = put_in(exchange("GET", "/connections/i", 403, {"message": "no"}))
    assert "HTTP 403 (put in, or altered, by the test)" in exchange_text(refused)
    made = call("get_connection", refused, connection_id="i", raised=ClientError("no"))
    assert "· 403 (put in) ·" in describe_call(made)


def test_an_answer_of_the_service_itself_does_not() -> None:
    given = exchange("GET", "/connections/i", 403)
    assert "HTTP 403\n" in exchange_text(given)
    assert "· 403 ·" in describe_call(call("get_connection", given, connection_id="i", returned={}))


def test_of_a_circle_the_page_that_links_to_itself_is_shown() -> None:
    circle = [page("T", "b", "T") for _ in range(450)]
    last = page("T", "b", None)
    found = violation(
        "connections.list.repeated-token",
        listed(page(None, "a", "T"), *circle, last, ids="ab", limit=1),
    )
    assert found.exchange is circle[0]
    assert found.got == "451 requests for one page"


def test_of_items_that_move_the_page_where_one_comes_again_is_shown() -> None:
    pages = [page(None, "a", "T"), page("T", "ab", "U"), page("U", "c", None)]
    failed = call("list_connections", *pages, limit=1, raised=ClientError("twice"))
    assert violation("connections.list.moving-items", failed).exchange is pages[1]


def test_of_a_list_with_gaps_the_page_that_held_the_rest_is_shown() -> None:
    pages = [page(None, "a", "T"), page("T", "b", "U"), page("U", "c", None)]
    found = violation("connections.list.all-pages", listed(*pages, ids="ac", limit=1))
    assert found.exchange is pages[1]


def test_the_calls_shown_are_those_up_to_the_one_that_the_finding_speaks_of() -> None:
    calls = [
        call("get_connection", exchange("GET", f"/connections/i{n}", 404), connection_id=f"i{n}")
        for n in range(20)
    ]
    transcript = Transcript(load_contract(), calls)
    lines = told(transcript, Violation("s", "e", "g", calls[15].exchanges[0]))
    assert lines[0] == "(8 calls before)"
    assert ["'i8'" in lines[1], "'i15'" in lines[-1], len(lines)] == [True, True, 9]


def finding(summary: str, order: int, got: str = "") -> Finding:
    return Finding("request.sandbox", summary, "e", got, order=order)


def test_what_is_shown_first_does_not_depend_on_what_came_in_first() -> None:
    tally = Tally()
    for one in (
        finding("b", 7),
        finding("a", 5, "later"),
        finding("c", 3),
        finding("a", 1, "mine"),
    ):
        tally.add(one)
    tally = Tally.from_json(tally.to_json())
    kept = tally.findings["request.sandbox"]
    assert [(one.summary, one.order) for one in kept] == [("a", 1), ("c", 3), ("b", 7)]
    assert kept[0].got == "mine"


def test_the_command_runs_the_test_that_found_it() -> None:
    config = SuiteConfig(lambda _: None, "acme:client", frozenset())
    for exercises, wanted in (
        (("request.*",), "--select request.sandbox --seed"),
        (("errors.*", "answers.*"), "--select request.sandbox --select 'errors.*' --seed"),
    ):
        command = reproduce(config, "request.sandbox", exercises=exercises)
        assert wanted in command
