"""Lists and counts where other connections may be: by a description that only the example's
own have: each has a name of its own, so that a live run can tell them apart."""

from __future__ import annotations

from aepmock.suite import Bench, Trial

OPERATIONS = ("connections.list",)
EXERCISES = ("request.*", "connections.list.*", "connections.count.*", "lifecycle.lists", "ims.*")
LIVE = (
    "test_a_filtered_list_is_read_to_its_end",
    "test_a_filtered_list_in_order_is_read_to_its_end",
    "test_a_filtered_count_is_the_services",
    "test_the_whole_sandbox_is_listed",
    "test_a_long_page_is_looked_at",
)


def test_a_filtered_list_is_read_to_its_end(bench: Bench) -> None:
    def example(trial: Trial, text: str) -> None:
        shared = bench.name(text)
        trial.seed(3, description=shared)
        trial.call("list_connections", limit=2, property=(f"description=={shared}",))

    bench.run_each(["of one kind", "a&b=c+d;e/f", "naïve café"], example)


def test_a_filtered_list_in_order_is_read_to_its_end(bench: Bench) -> None:
    def example(trial: Trial, orderby: str) -> None:
        shared = bench.name("in order")
        trial.seed(3, description=shared)
        only = (f"description=={shared}",)
        trial.call("list_connections", limit=2, property=only, orderby=orderby)

    bench.run_each(["-createdAt", "name"], example)


def test_a_filtered_count_is_the_services(bench: Bench) -> None:
    def example(trial: Trial, text: str) -> None:
        shared = bench.name(text)
        trial.seed(2, description=shared)
        trial.call("count_connections", property=(f"description=={shared}",))
        trial.call("count_connections")

    bench.run_each(["counted", "counted & found"], example)


def test_the_whole_sandbox_is_listed(bench: Bench) -> None:
    def example(trial: Trial, count: int) -> None:
        trial.seed(count)
        trial.call("count_connections")
        trial.call_whole_list()

    bench.run_each([0, 2], example)


def test_a_long_page_is_looked_at(bench: Bench) -> None:
    """Asks nothing of the client: who looks on compares the answer with the mock's."""

    def example(trial: Trial, _: None) -> None:
        trial.look_at_a_long_page()

    bench.run_each([None], example)
