"""Lists and counts where other connections may be: by a name that only the example's own have."""

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
        items = trial.seed(3, name=text)
        trial.call("list_connections", limit=2, property=(f"name=={items[0]['name']}",))

    bench.run_each(["of one name", "a&b=c+d;e/f", "naïve café"], example)


def test_a_filtered_list_in_order_is_read_to_its_end(bench: Bench) -> None:
    def example(trial: Trial, orderby: str) -> None:
        items = trial.seed(3, name="in order")
        only = (f"name=={items[0]['name']}",)
        trial.call("list_connections", limit=2, property=only, orderby=orderby)

    bench.run_each(["-createdAt", "name"], example)


def test_a_filtered_count_is_the_services(bench: Bench) -> None:
    def example(trial: Trial, text: str) -> None:
        items = trial.seed(2, name=text)
        trial.call("count_connections", property=(f"name=={items[0]['name']}",))
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
