"""PATCH: reads the instructions and applies them, all or none.

Source: UPDATE and OAS-D for the form, ERR 1414, 1434, 1455, 1456 for what is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

import jsonpatch
import jsonpointer

from aepmock.contract import Contract
from aepmock.service.refusing import Refused

OPERATIONS = frozenset({"add", "replace", "remove"})
PATCHABLE = frozenset({"name", "description", "auth", "state"})


def instructions(document: Any) -> list[dict[str, Any]]:
    """The instructions of a body: an array of them, or a single one; ops in lower case.

    Raises Refused for a document of another form and for an op that is not supported.
    """
    found = document if isinstance(document, list) else [document]
    if not found:
        raise Refused("update.body-empty")
    result = []
    for instruction in found:
        if not isinstance(instruction, dict):
            raise Refused("update.body-not-json", detail="A patch instruction is a JSON object")
        for key in ("op", "path"):
            if not isinstance(instruction.get(key), str):
                raise Refused("update.instructions", message=f'Missing field "{key}".')
        op = instruction["op"].lower()
        if op not in OPERATIONS:
            raise Refused("update.operation", operation=instruction["op"])
        if op != "remove" and "value" not in instruction:
            raise Refused("update.instructions", message='Missing field "value".')
        result.append({**instruction, "op": op})
    return result


def patched(
    current: Mapping[str, Any], wanted: Sequence[Mapping[str, Any]], contract: Contract
) -> dict[str, Any]:
    """`current` (name, description, auth, state) with the instructions applied. Raises Refused."""
    for instruction in wanted:
        top = instruction["path"].split("/")[1:2]
        if top == ["connectionSpec"]:
            raise Refused("update.spec")
        if top == ["state"]:
            _check_state(instruction.get("value"), contract)
    try:
        result = jsonpatch.apply_patch(deepcopy(dict(current)), list(wanted))
    except (
        jsonpatch.JsonPatchException,
        jsonpointer.JsonPointerException,
        TypeError,
        KeyError,
        AttributeError,
    ) as error:
        raise Refused("update.instructions", message=f"{error}.") from None
    _check_result(result, contract)
    return dict(result)


def _check_state(value: Any, contract: Contract) -> None:
    if value not in contract.settable_states:
        allowed = ", ".join(contract.settable_states)
        raise Refused("update.state-value", state=str(value), allowed=allowed)


def _check_result(result: Any, contract: Contract) -> None:
    if not isinstance(result, dict):
        raise Refused("update.instructions", message="The connection can't be replaced.")
    strange = sorted(set(result) - PATCHABLE)
    if strange:
        raise Refused("update.instructions", message=f'Missing field "{strange[0]}".')
    error = next(contract.validator("create-connection").iter_errors(result), None)
    if error is not None or result.get("state") is None:
        place = error.json_path if error is not None else "$.state"
        raise Refused("update.instructions", message=f'Invalid value of field "{place[2:]}".')
