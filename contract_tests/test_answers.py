"""Successes in every form they may have."""

from __future__ import annotations

from aepmock.strategies import variations
from aepmock.strategies.answers import Change as Form
from aepmock.suite import CALLS, Bench, Trial

OPERATIONS = ("connections.create", "connections.list", "connections.delete")
EXERCISES = ("answers.*",)


def test_the_form_of_an_answer_makes_no_difference(bench: Bench) -> None:
    def example(trial: Trial, turn: tuple[Form, str]) -> None:
        form, call = turn
        trial.call_plainly(call)
        trial.call_plainly(call, change=form)

    bench.run_each([(form, call) for form in variations().values() for call in CALLS], example)


def test_what_an_answer_may_leave_out_may_be_absent(bench: Bench) -> None:
    def example(trial: Trial, readings: dict[str, str]) -> None:
        with trial.reading(**readings):
            for call in ("create_connection", "list_connections", "delete_connection"):
                trial.call_plainly(call)

    bench.run_each(ABSENCES, example)


ABSENCES = [
    {},
    {"connections.create-location": "absent"},
    {"connections.create-etag": "absent"},
    {"connections.last-page-links": "absent"},
    {"connections.delete-status": "202"},
]
