"""Refusals of every code and shape, and successes that can't be believed."""

from __future__ import annotations

from aepmock import Response
from aepmock.strategies import answers, bad_successes, injected_answers, refusal, refusals
from aepmock.suite import CALLS, ClientHarness, Scenario, service_operation

OPERATIONS = ("*",)
EXERCISES = ("errors.*", "connections.create.one-post", "connections.update.conflict-reported")


def refuse(scenario: Scenario, call: str, answer: Response) -> None:
    with scenario.answering(service_operation(call), answer):
        scenario.call_plainly(call)


def test_every_documented_code_is_reported(harness: ClientHarness) -> None:
    entries = refusals(harness.contract)
    turns = [(CALLS[n % len(CALLS)], refusal(entry)) for n, entry in enumerate(entries)]
    kinds = {(entry.shape, entry.status): entry for entry in entries}
    turns += [(call, refusal(entry)) for call in CALLS for entry in kinds.values()]
    turns += [
        (call, refusal(entry, numeric_code=True))
        for call, entry in zip(CALLS, [e for e in entries if e.shape == "gateway"], strict=False)
    ]
    harness.run_each(turns, lambda scenario, turn: refuse(scenario, *turn))


def test_a_refusal_of_a_later_page_is_reported(harness: ClientHarness) -> None:
    def example(scenario: Scenario, answer: Response) -> None:
        scenario.seed(5)
        with scenario.changing("connections.list", answers.refused_later_page(answer)):
            scenario.call("list_connections", limit=2)

    codes = ("1104-504", "403010", "1439-404")
    harness.run_each([refusal(harness.contract.errors[code]) for code in codes], example)


def test_a_create_is_not_repeated_blindly(harness: ClientHarness) -> None:
    codes = ("1102-500", "1103-503", "1104-504", "1100-400")
    failures = [refusal(harness.contract.errors[code]) for code in codes]
    failures.append(Response(502))
    harness.run_each(
        failures, lambda scenario, answer: refuse(scenario, "create_connection", answer)
    )


def test_refusals_of_other_shapes_are_reported(harness: ClientHarness) -> None:
    turns = [
        (call, answer)
        for shapes in injected_answers(harness.contract).values()
        for answer in shapes
        for call in CALLS
    ]
    harness.run_each(turns, lambda scenario, turn: refuse(scenario, *turn))


def test_successes_that_can_not_be_believed_are_reported(harness: ClientHarness) -> None:
    turns = [
        (call, answer)
        for call in CALLS
        for shapes in bad_successes(call).values()
        for answer in shapes
    ]
    harness.run_each(turns, lambda scenario, turn: refuse(scenario, *turn))
