"""The registry of checks, by clause."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from aepmock.contract import Contract
from aepmock.judge.findings import Unproven, Violation
from aepmock.judge.transcript import Expected, Transcript
from aepmock.messages import Exchange

Verdicts = Iterator[Violation | None]
SessionVerdicts = Iterator[Violation | Unproven | None]
SessionCheck = Callable[[Transcript], SessionVerdicts]
WireCheck = Callable[[Exchange, Expected, Contract], Verdicts]

TRANSCRIPT_CHECKS: dict[str, list[SessionCheck]] = {}
"""Checks that need to know what the client was asked for and what it said."""
WIRE_CHECKS: dict[str, list[WireCheck]] = {}
"""Checks that need a single exchange; they also judge requests of a test author's client."""


def transcript_check(*clauses: str) -> Callable[[SessionCheck], SessionCheck]:
    """Registers a check of a whole example for its clause."""

    def register(check: SessionCheck) -> SessionCheck:
        for clause in clauses:
            TRANSCRIPT_CHECKS.setdefault(clause, []).append(check)
        return check

    return register


def wire_check(clause: str) -> Callable[[WireCheck], WireCheck]:
    """Registers a check of one exchange for its clause."""

    def register(check: WireCheck) -> WireCheck:
        WIRE_CHECKS.setdefault(clause, []).append(check)
        return check

    return register


_NEEDS: Mapping[str, str] = {
    "connections.create.": "create_connection",
    "answers.location-absent": "create_connection",
    "answers.etag-absent": "create_connection",
    "retries.lost-answer": "create_connection",
    "retries.timeout": "create_connection",
    "retries.gives-up": "create_connection",
    "connections.get.": "get_connection",
    "connections.list.": "list_connections",
    "connections.count.": "count_connections",
    "connections.update.": "update_connection",
    "connections.delete.": "delete_connection",
    "connections.test.": "test_connection",
    "connections.explore.": "explore_connection",
    "answers.links-absent": "list_connections",
    "answers.delete-without-body": "delete_connection",
    "request.path-encoding": "get_connection",
    "request.query-encoding": "list_connections",
    "request.empty-id": "get_connection",
    "secrets.next-link": "list_connections",
    "lifecycle.reads-back": "get_connection",
    "lifecycle.isolation": "get_connection",
    "lifecycle.lists": "list_connections",
    "lifecycle.update-shows": "update_connection",
    "lifecycle.deleted-gone": "delete_connection",
}


def needs(clause: str) -> str | None:
    """The client's method without which a clause can't be put to the test, or None."""
    return next((method for prefix, method in _NEEDS.items() if clause.startswith(prefix)), None)


_ELSEWHERE = "its requests did not go to the base_url that it was given"
_INSIDE = "nobody can look there from outside a program"
_FIRST = "no method was called before the run"
_ONE_AT_A_TIME = f"{_ELSEWHERE}, or it is a program, which is asked one thing at a time"
_IDLE: Mapping[str, str] = {
    "answers.good": _FIRST,
    "answers.exit": f"{_INSIDE}: program.alive says whether that ends",
    "answers.process": _INSIDE,
    "answers.threads": f"the client can't be closed, or {_INSIDE}",
    "tls.unknown-ca": _ELSEWHERE,
    "tls.wrong-host": f"the client did not trust settings.ca_file, or {_ELSEWHERE}",
    "retries.lost-answer": _ELSEWHERE,
    "retries.no-answer": _ELSEWHERE,
    "retries.timeout": f"{_ELSEWHERE}, or no call was given up",
    "retries.gives-up": _ELSEWHERE,
    "independence.threads": _ONE_AT_A_TIME,
    "independence.tasks": _ONE_AT_A_TIME,
    "secrets.debug-log": f"{_INSIDE}; what that writes on standard error is for secrets.log",
    "secrets.output": _INSIDE,
    "secrets.repr": _INSIDE,
    "secrets.file": _INSIDE,
}


def why_idle(clause: str) -> str:
    """What it is like if a clause was not put to the test; empty where that says nothing new."""
    return _IDLE.get(clause, "")
