"""PATCH: reads the instructions and applies them, all or none.

Source: UPDATE and OAS-D for the form, ERR 1414, 1434, 1455, 1456 for what is refused, RFC6902
and RFC6901 for what an instruction does.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

import jsonpatch
import jsonpointer

from aepmock.contract import Contract
from aepmock.service.bodies import too_deep
from aepmock.service.refusals import BeyondLimitError, Refused

OPERATIONS = frozenset({"add", "replace", "remove"})
MOST_INSTRUCTIONS = 1_000
LONGEST_PATH = 10_000
PATCHABLE = frozenset({"name", "description", "auth", "state"})


def instructions(document: Any) -> list[dict[str, Any]]:
    """The instructions of a body: an array of them, or a single one; ops in lower case.

    Raises Refused for a document of another form and for an op that is not supported.
    """
    found = document if isinstance(document, list) else [document]
    if len(found) > MOST_INSTRUCTIONS:
        raise BeyondLimitError(413, f"an update takes at most {MOST_INSTRUCTIONS} operations")
    result = []
    for instruction in found:
        if not isinstance(instruction, dict):
            raise Refused("update.body-not-json", detail="A patch instruction is a JSON object")
        for key in ("op", "path"):
            if not isinstance(instruction.get(key), str):
                raise _invalid(f'Missing field "{key}".')
        if len(instruction["path"]) > LONGEST_PATH:
            raise _invalid(f"The path has more than {LONGEST_PATH} characters.")
        op = instruction["op"].lower()
        if op not in OPERATIONS:
            raise Refused("update.operation", operation=instruction["op"])
        if op != "remove" and "value" not in instruction:
            raise _invalid('Missing field "value".')
        # Copied: a later instruction may change what an earlier one put in, and the request
        # has to stay what was sent.
        value = {"value": deepcopy(instruction["value"])} if op != "remove" else {}
        result.append({"op": op, "path": instruction["path"], **value})
    return result


def patched(
    current: Mapping[str, Any], wanted: Sequence[Mapping[str, Any]], contract: Contract
) -> dict[str, Any]:
    """`current` (name, description, auth, state) with the instructions applied. Raises Refused."""
    result: Any = deepcopy(dict(current))
    for instruction in wanted:
        top = instruction["path"].split("/")[1:2]
        if top == ["connectionSpec"]:
            raise Refused("update.spec")
        if instruction["path"] == "/state" and instruction["op"] != "remove":
            _check_state(instruction["value"], contract)
        result = _applied(result, instruction)
    _check_result(result, current, contract)
    return dict(result)


def _applied(document: Any, instruction: Mapping[str, Any]) -> Any:
    """The document after one instruction, changed in place. Raises Refused.

    What the libraries say is not passed on: some of their versions print the whole document,
    credentials and all.
    """
    try:
        return jsonpatch.JsonPatch([instruction]).apply(document, in_place=True)
    except (
        jsonpatch.JsonPatchException,
        jsonpointer.JsonPointerException,
        # From paths that lead into texts, numbers and null.
        TypeError,
        KeyError,
        AttributeError,
        IndexError,
        ValueError,
    ):
        path = instruction["path"]
        if path and not path.startswith("/"):
            raise _invalid(f'The path "{path}" does not begin with /.') from None
        raise _invalid(f'Missing field "{path.rpartition("/")[2]}".') from None


def _check_state(value: Any, contract: Contract) -> None:
    if value not in contract.settable_states:
        raise Refused(
            "update.state-value",
            state=value if isinstance(value, str) else json.dumps(value),
            allowed=", ".join(contract.settable_states),
        )


def _check_result(result: Any, before: Mapping[str, Any], contract: Contract) -> None:
    if not isinstance(result, dict):
        raise _invalid("The connection can't be replaced.")
    if "connectionSpec" in result:
        raise Refused("update.spec")
    strange = sorted(set(result) - PATCHABLE)
    if strange:
        raise _invalid(f'Missing field "{strange[0]}".')
    if too_deep(result):
        raise _invalid("The result is nested too deeply.")
    if not contract.fits("create-connection", result):
        error = next(contract.validator("create-connection").iter_errors(result))
        raise _invalid(f'Invalid value of field "{error.json_path[2:]}".')
    for name in ("state", "auth"):
        if name in before and name not in result:
            raise _invalid(f'The field "{name}" can\'t be removed.')
    if "auth" in result and "specName" not in result["auth"]:
        raise _invalid('Missing field "specName".')
    # A draft keeps its state; no patch can make one.
    if result["state"] != before["state"]:
        _check_state(result["state"], contract)


def _invalid(message: str) -> Refused:
    return Refused("update.instructions", message=message)
