"""Lists and counts: pages, links, filters, order."""

from __future__ import annotations

from hypothesis import strategies as st

from aepmock.strategies import AWKWARD, answers, filters, orders
from aepmock.suite import Bench, Trial

OPERATIONS = ("connections.list", "connections.search")
EXERCISES = ("request.*", "connections.list.*", "connections.count.*", "answers.*", "ims.*")


def test_every_page_is_read(bench: Bench) -> None:
    def example(trial: Trial, size: int, limit: int) -> None:
        trial.seed(size)
        trial.call("list_connections", limit=limit)

    bench.run(example, size=st.integers(0, 9), limit=st.integers(1, 4))


def test_more_pages_than_fingers_are_read(bench: Bench) -> None:
    def example(trial: Trial, size: int) -> None:
        trial.seed(size)
        trial.call("list_connections", limit=1)

    bench.run_each([12], example)


def test_a_list_without_a_limit_is_whole(bench: Bench) -> None:
    def example(trial: Trial, size: int) -> None:
        trial.seed(size)
        trial.call("list_connections")

    bench.run_each([0, 1, 21, 105], example)


def test_filter_and_order_reach_every_page(bench: Bench) -> None:
    def example(
        trial: Trial, property: tuple[str, ...], orderby: str | None, limit: int | None
    ) -> None:
        trial.seed(5, description="naïve café")
        trial.call("list_connections", property=property, orderby=orderby, limit=limit)

    bench.run(
        example,
        property=filters(),
        orderby=st.none() | orders(),
        limit=st.none() | st.integers(1, 3),
    )


def test_every_order_reaches_the_wire(bench: Bench) -> None:
    def example(trial: Trial, orderby: str) -> None:
        trial.seed(3)
        trial.call("list_connections", orderby=orderby, limit=2)

    bench.run_each(["name", "-name", "-createdAt", "-description,name"], example)


def test_a_filter_that_clients_get_wrong_reaches_the_wire(bench: Bench) -> None:
    def example(trial: Trial, turn: tuple[str, str]) -> None:
        call, text = turn
        trial.seed(2, name=text)
        trial.call(call, property=(f"name=={text}",))

    filters = [text for text in AWKWARD if text.isprintable() and text.strip() == text]
    calls = ("list_connections", "count_connections")
    bench.run_each([(call, text) for text in filters for call in calls], example)


def test_a_token_with_reserved_characters_is_sent_as_it_came(bench: Bench) -> None:
    def example(trial: Trial, readings: dict[str, str]) -> None:
        trial.seed(5)
        with trial.reading(**readings):
            trial.call("list_connections", property=("state==enabled",), limit=2)

    letters, reserved = ({"connections.token-alphabet": a} for a in ("letters", "reserved"))
    bench.run_each([letters, reserved, {**reserved, **WHOLE_QUERY}], example)


WHOLE_QUERY = {"connections.next-href": "whole-query"}


def test_a_filter_that_many_fit_is_kept_over_the_pages(bench: Bench) -> None:
    def example(trial: Trial, limit: int) -> None:
        trial.seed(4, description="wanted")
        trial.seed(2, description="unwanted")
        wanted = ("description==wanted", "state==enabled")
        trial.call("list_connections", property=wanted, limit=limit)

    bench.run(example, limit=st.integers(1, 3))


def test_a_count_is_the_service_s(bench: Bench) -> None:
    def example(trial: Trial, size: int, property: tuple[str, ...]) -> None:
        trial.seed(size)
        trial.call("count_connections", property=property)

    bench.run(example, size=st.integers(0, 25), property=st.just(()) | filters())


def test_a_count_of_everything_is_whole(bench: Bench) -> None:
    def example(trial: Trial, size: int) -> None:
        trial.seed(size)
        trial.call("count_connections")

    bench.run_each([0, 1, 21, 105], example)


def test_a_large_count_is_the_service_s(bench: Bench) -> None:
    def example(trial: Trial, count: int) -> None:
        with trial.answering("connections.list", answers.found({"count": count})):
            trial.call("count_connections")

    bench.run_each([2**31 + 5], example)


def test_a_filtered_count_counts_what_fits(bench: Bench) -> None:
    def example(trial: Trial, property: tuple[str, ...]) -> None:
        trial.seed(3, description="wanted")
        trial.seed(2)
        trial.call("count_connections", property=property)

    bench.run_each([("description==wanted",), ("state==enabled", "name==connection 1")], example)


def test_an_empty_page_in_the_middle_is_not_the_end(bench: Bench) -> None:
    def example(trial: Trial, limit: int) -> None:
        trial.seed(5)
        with trial.changing("connections.list", answers.empty_second_page()):
            trial.call("list_connections", limit=limit)

    bench.run(example, limit=st.integers(1, 2))


def test_a_page_with_less_than_its_limit_is_not_the_end(bench: Bench) -> None:
    def example(trial: Trial, limit: int) -> None:
        trial.seed(7)
        with trial.changing("connections.list", answers.shorter_pages()):
            trial.call("list_connections", limit=limit)

    bench.run_each([2, 3], example)


def test_items_that_move_between_pages_do_no_harm(bench: Bench) -> None:
    def example(trial: Trial, limit: int) -> None:
        trial.seed(5)
        with trial.changing("connections.list", answers.repeated_first_item()):
            trial.call("list_connections", limit=limit)

    bench.run(example, limit=st.integers(1, 2))


def test_a_page_that_links_to_itself_is_left(bench: Bench) -> None:
    def example(trial: Trial, limit: int) -> None:
        trial.seed(5)
        with trial.changing("connections.list", answers.self_linking_page()):
            trial.call("list_connections", limit=limit)

    bench.run_each([2], example)
