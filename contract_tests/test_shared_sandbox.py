"""Lists and counts where other connections may be: by a description that only the example's
own have: each has a name of its own, so that a live run can tell them apart."""

from __future__ import annotations

from aepmock.suite import ClientHarness, Scenario

OPERATIONS = ("connections.list",)
EXERCISES = ("request.*", "connections.list.*", "connections.count.*", "lifecycle.lists", "ims.*")
LIVE = (
    "test_a_filtered_list_is_read_to_its_end",
    "test_a_filtered_list_in_order_is_read_to_its_end",
    "test_a_filtered_count_is_the_services",
    "test_the_whole_sandbox_is_listed",
    "test_a_long_page_is_looked_at",
)


def test_a_filtered_list_is_read_to_its_end(harness: ClientHarness) -> None:
    def example(scenario: Scenario, text: str) -> None:
        shared = harness.name(text)
        scenario.seed(3, description=shared)
        scenario.call("list_connections", limit=2, property=(f"description=={shared}",))

    harness.run_each(["of one kind", "a&b=c+d;e/f", "naïve café"], example)


def test_a_filtered_list_in_order_is_read_to_its_end(harness: ClientHarness) -> None:
    def example(scenario: Scenario, orderby: str) -> None:
        shared = harness.name("in order")
        scenario.seed(3, description=shared)
        only = (f"description=={shared}",)
        scenario.call("list_connections", limit=2, property=only, orderby=orderby)

    harness.run_each(["-createdAt", "name"], example)


def test_a_filtered_count_is_the_services(harness: ClientHarness) -> None:
    def example(scenario: Scenario, text: str) -> None:
        shared = harness.name(text)
        scenario.seed(2, description=shared)
        scenario.call("count_connections", property=(f"description=={shared}",))
        scenario.call("count_connections")

    harness.run_each(["counted", "counted & found"], example)


def test_the_whole_sandbox_is_listed(harness: ClientHarness) -> None:
    def example(scenario: Scenario, count: int) -> None:
        scenario.seed(count)
        scenario.call("count_connections")
        scenario.call_whole_list()

    harness.run_each([0, 2], example)


def test_a_long_page_is_looked_at(harness: ClientHarness) -> None:
    """Asks nothing of the client: who looks on compares the answer with the mock's."""

    def example(scenario: Scenario, _: None) -> None:
        scenario.look_at_a_long_page()

    harness.run_each([None], example)
