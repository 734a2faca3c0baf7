"""Lists and counts: pages, links, filters, order."""

from __future__ import annotations

from hypothesis import strategies as st

from aepmock.strategies import AWKWARD, answers, filters, orders
from aepmock.suite import ClientHarness, Scenario

OPERATIONS = ("connections.list", "connections.search")
EXERCISES = ("request.*", "connections.list.*", "connections.count.*", "answers.*", "ims.*")


def test_every_page_is_read(harness: ClientHarness) -> None:
    def example(scenario: Scenario, size: int, limit: int) -> None:
        scenario.seed(size)
        scenario.call("list_connections", limit=limit)

    harness.run(example, size=st.integers(0, 9), limit=st.integers(1, 4))


def test_more_pages_than_fingers_are_read(harness: ClientHarness) -> None:
    def example(scenario: Scenario, size: int) -> None:
        scenario.seed(size)
        scenario.call("list_connections", limit=1)

    harness.run_each([12], example)


def test_a_list_without_a_limit_is_whole(harness: ClientHarness) -> None:
    def example(scenario: Scenario, size: int) -> None:
        scenario.seed(size)
        scenario.call("list_connections")

    harness.run_each([0, 1, 21, 105], example)


def test_filter_and_order_reach_every_page(harness: ClientHarness) -> None:
    def example(
        scenario: Scenario, property: tuple[str, ...], orderby: str | None, limit: int | None
    ) -> None:
        scenario.seed(5, description="naïve café")
        scenario.call("list_connections", property=property, orderby=orderby, limit=limit)

    harness.run(
        example,
        property=filters(harness.connector),
        orderby=st.none() | orders(),
        limit=st.none() | st.integers(1, 3),
    )


def test_every_order_reaches_the_wire(harness: ClientHarness) -> None:
    def example(scenario: Scenario, orderby: str) -> None:
        scenario.seed(3)
        scenario.call("list_connections", orderby=orderby, limit=2)

    harness.run_each(["name", "-name", "-createdAt", "-description,name"], example)


def test_a_filter_that_clients_get_wrong_reaches_the_wire(harness: ClientHarness) -> None:
    def example(scenario: Scenario, turn: tuple[str, str]) -> None:
        call, text = turn
        scenario.seed(2, name=text)
        scenario.call(call, property=(f"name=={text}",))

    filters = [text for text in AWKWARD if text.isprintable() and text.strip() == text]
    calls = ("list_connections", "count_connections")
    harness.run_each([(call, text) for text in filters for call in calls], example)


def test_a_token_with_reserved_characters_is_sent_as_it_came(harness: ClientHarness) -> None:
    def example(scenario: Scenario, readings: dict[str, str]) -> None:
        scenario.seed(5)
        with scenario.reading(**readings):
            scenario.call("list_connections", property=("state==enabled",), limit=2)

    letters, reserved = ({"connections.token-alphabet": a} for a in ("letters", "reserved"))
    harness.run_each([letters, reserved, {**reserved, **WHOLE_QUERY}], example)


WHOLE_QUERY = {"connections.next-href": "whole-query"}


def test_a_filter_that_many_fit_is_kept_over_the_pages(harness: ClientHarness) -> None:
    def example(scenario: Scenario, limit: int) -> None:
        scenario.seed(4, description="wanted")
        scenario.seed(2, description="unwanted")
        wanted = ("description==wanted", "state==enabled")
        scenario.call("list_connections", property=wanted, limit=limit)

    harness.run(example, limit=st.integers(1, 3))


def test_a_count_is_the_service_s(harness: ClientHarness) -> None:
    def example(scenario: Scenario, size: int, property: tuple[str, ...]) -> None:
        scenario.seed(size)
        scenario.call("count_connections", property=property)

    harness.run(example, size=st.integers(0, 25), property=st.just(()) | filters(harness.connector))


def test_a_count_of_everything_is_whole(harness: ClientHarness) -> None:
    def example(scenario: Scenario, size: int) -> None:
        scenario.seed(size)
        scenario.call("count_connections")

    harness.run_each([0, 1, 21, 105], example)


def test_a_large_count_is_the_service_s(harness: ClientHarness) -> None:
    def example(scenario: Scenario, count: int) -> None:
        with scenario.answering("connections.list", answers.found({"count": count})):
            scenario.call("count_connections")

    harness.run_each([2**31 + 5], example)


def test_a_filtered_count_counts_what_fits(harness: ClientHarness) -> None:
    def example(scenario: Scenario, property: tuple[str, ...]) -> None:
        scenario.seed(3, description="wanted")
        scenario.seed(2)
        scenario.call("count_connections", property=property)

    harness.run_each([("description==wanted",), ("state==enabled", "name==connection 1")], example)


def test_an_empty_page_in_the_middle_is_not_the_end(harness: ClientHarness) -> None:
    def example(scenario: Scenario, limit: int) -> None:
        scenario.seed(5)
        with scenario.changing("connections.list", answers.empty_second_page()):
            scenario.call("list_connections", limit=limit)

    harness.run(example, limit=st.integers(1, 2))


def test_a_page_with_less_than_its_limit_is_not_the_end(harness: ClientHarness) -> None:
    def example(scenario: Scenario, limit: int) -> None:
        scenario.seed(7)
        with scenario.changing("connections.list", answers.shorter_pages()):
            scenario.call("list_connections", limit=limit)

    harness.run_each([2, 3], example)


def test_items_that_move_between_pages_do_no_harm(harness: ClientHarness) -> None:
    def example(scenario: Scenario, limit: int) -> None:
        scenario.seed(5)
        with scenario.changing("connections.list", answers.repeated_first_item()):
            scenario.call("list_connections", limit=limit)

    harness.run(example, limit=st.integers(1, 2))


def test_a_page_that_links_to_itself_is_left(harness: ClientHarness) -> None:
    def example(scenario: Scenario, limit: int) -> None:
        scenario.seed(5)
        with scenario.changing("connections.list", answers.self_linking_page()):
            scenario.call("list_connections", limit=limit)

    harness.run_each([2], example)
