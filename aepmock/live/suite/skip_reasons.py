"""Why a live run did not put a clause to the test."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

from aepmock.judge import ClauseResult, Verdict

FAULTS = "needs faults: only on the mock"
FORMS = "needs an answer of another form: only on the mock"
ERRORS = "needs an error that did not occur: only on the mock"
ALONE = "asks nothing of the service: judged on the mock"
FIRST = "no method is called beside the tests: only on the mock"
REASONS: tuple[tuple[str, str], ...] = (
    ("answers.success", ""),
    ("answers.delete-without-body", ""),
    ("answers.good", FIRST),
    ("answers.exit", ""),
    ("answers.process", ""),
    ("answers.threads", ""),
    ("answers.*", FORMS),
    ("errors.*-success", FAULTS),
    ("errors.missing-fields", FAULTS),
    ("errors.*", ERRORS),
    ("connections.create.one-post", FAULTS),
    ("connections.list.empty-page", FAULTS),
    ("connections.list.moving-items", FAULTS),
    ("connections.list.repeated-token", FAULTS),
    ("request.empty-id", ALONE),
    ("request.header-*", ALONE),
    ("request.path-encoding", ALONE),
    ("lifecycle.isolation", "needs a second sandbox: only on the mock"),
    ("program.*", ALONE),
    ("retries.*", FAULTS),
    ("secrets.redirect", FAULTS),
    ("secrets.next-link", FAULTS),
    ("secrets.error", ERRORS),
    ("secrets.error-context", ERRORS),
    ("tls.*", "needs servers that are not to be trusted: only on the mock"),
    ("connections.update.concurrent", "needs a second client: only on the mock"),
    ("independence.*", "needs a second client: only on the mock"),
)
"""Clauses by pattern, the first that fits counts; "" for those that a live run can show."""


def with_reasons(
    results: Iterable[ClauseResult], about: Mapping[str, Any] | None
) -> tuple[ClauseResult, ...]:
    """The results, those that were not exercised with the reason that a live run has for it."""
    return tuple(
        replace(r, reason=_reason(r.clause.id, r.reason, about or {}))
        if r.verdict is Verdict.NOT_EXERCISED
        else r
        for r in results
    )


def _reason(clause: str, usual: str, about: Mapping[str, Any]) -> str:
    found = next((text for pattern, text in REASONS if fnmatchcase(clause, pattern)), "")
    if found:
        return found
    if about.get("notes"):
        return "; ".join(about["notes"])
    if about.get("budget_spent"):
        return "the budget was spent before"
    if about.get("disturbed"):
        return f"every example was disturbed ({about['disturbed']} disturbances)"
    return usual
