"""POST /connections/{id}/action: publishing drafts, and everything else that is refused.

Source: DRAFT for op=publish, OAS performAction for the parameters, ERR 1402 to 1409, 1434 to 1437.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aepmock.contract.actions import DONE, STATUS_VALUES, SUB_OPERATIONS
from aepmock.service.refusals import Refused


def check_action(op: str | None, sub_ops: Sequence[str], body: Mapping[str, Any]) -> None:
    """Refuses every action that is not a publication. Values compare without case."""
    if not op:
        raise Refused("action.op-missing", parameter="op")
    subs = [part.strip().lower() for text in sub_ops for part in text.split(",") if part.strip()]
    for sub in subs:
        if sub not in SUB_OPERATIONS:
            raise Refused("action.sub-op", subAction=sub)
    if "progress" in subs and len(subs) > 1:
        raise Refused("action.sub-op-progress", subOperation="progress")
    _check_status(body, subs)
    name = op.lower()
    if name in ("finalize", "finalize_update"):
        raise Refused("action.finalize", action=name)
    if name != "publish":
        raise Refused("action.op", operation=op)
    if "progress" in subs:
        raise Refused("action.sub-op-operation", subOperation="PROGRESS", operation=name)


def _check_status(body: Mapping[str, Any], subs: Sequence[str]) -> None:
    status = body.get("status", {}).get("value")
    if status is None:
        return
    value = status.lower()
    if value not in STATUS_VALUES:
        raise Refused("action.status", status=status)
    if value == "failed" and "progress" in subs:
        raise Refused("action.status-progress", status=value, subOp="progress")
    if value in DONE and body.get("percentCompleted", 100) != 100:
        raise Refused("action.percent")
