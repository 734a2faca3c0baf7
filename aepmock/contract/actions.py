"""What an action on a connection may say. Source: OAS performAction and StateActionDTO, ERR."""

from __future__ import annotations

SUB_OPERATIONS = frozenset({"apply", "rollback", "progress"})
STATUS_VALUES = frozenset(
    {
        "in_progress", "completed", "success", "partial_success",
        "failed", "partial_failure", "queued", "scheduled",
    }
)  # fmt: skip
DONE = frozenset({"completed", "failed"})
"""Statuses that are 100 percent."""
