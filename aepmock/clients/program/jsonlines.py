"""The protocol's lines: requests as the kit writes them, answers as a program may write them."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, is_dataclass
from typing import Any

from aepmock.client_api import OPERATIONS, ClientSettings, ClientUnderTest
from aepmock.errors import unknown

PROTOCOL = 1
MAX_NAME = 80
MAX_INTEGER = 2**53 - 1
"""I-JSON, RFC 7493: beyond this, programs may round."""

PARAMETERS: Mapping[str, Mapping[str, Any]] = {
    operation: {
        name: None if parameter.default is parameter.empty else parameter.default
        for name, parameter in inspect.signature(
            getattr(ClientUnderTest, operation)
        ).parameters.items()
        if name != "self"
    }
    for operation in OPERATIONS
}
"""What each operation takes, with the defaults, in the order of the positions."""


class UnwrittenError(ValueError):
    """A value that no line may hold: the kit stays within I-JSON."""


@dataclass(frozen=True)
class Answer:
    """An answer: `error` is the program's {"status", "code", "message"}, else None.

    `flaw` says what is wrong with its form, in a few words; `empty` that it holds nothing, `has_id`
    whether it has an id, be it null.
    """

    id: Any
    result: Any = None
    error: Mapping[str, Any] | None = None
    flaw: str = ""
    empty: bool = False
    has_id: bool = True


@dataclass(frozen=True)
class Hello:
    """What a program says of itself: its name, and the operations that it has."""

    name: str
    operations: tuple[str, ...]


def request_line(
    number: int,
    operation: str,
    args: Mapping[str, Any] | None = None,
    settings: ClientSettings | None = None,
) -> bytes:
    """A request, in ASCII: what is beyond it is escaped, so that no locale can garble it."""
    message: dict[str, Any] = {"id": number, "op": operation}
    if settings is not None:
        message["settings"] = asdict(settings)
    if args is not None:
        message["args"] = _plain(args)
    return json.dumps(message, allow_nan=False, separators=(",", ":")).encode("ascii")


def all_args(operation: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Every argument of an operation: those not given have their default."""
    return {**PARAMETERS[operation], **given}


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        if any("\ud800" <= character <= "\udfff" for character in value):
            raise UnwrittenError("half a surrogate pair can't be sent to a program")
        return value
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > MAX_INTEGER:
        raise UnwrittenError(f"{value} is beyond the integers that every program can read")
    if is_dataclass(value) and not isinstance(value, type):
        return _plain(asdict(value))
    if isinstance(value, Mapping):
        return {_plain(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value


def parse(octets: bytes) -> dict[str, Any] | None:
    """The JSON object of a line, or None where it is none."""
    try:
        found = json.loads(octets.decode("utf-8"), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def read_answer(message: Mapping[str, Any]) -> Answer:
    """An answer out of a line's object, with what is wrong with its form."""
    number, has_id = message.get("id"), "id" in message
    result, error = message.get("result"), message.get("error")
    if error is not None:
        error, flaw = _read_error(error)
        flaw = flaw if result is None else "both a result and an error"
        return Answer(number, error=error, flaw=flaw, has_id=has_id)
    if "result" in message:
        return Answer(number, result, has_id=has_id)
    return Answer(number, flaw="neither result nor error", empty=True, has_id=has_id)


def _read_error(error: Any) -> tuple[Mapping[str, Any], str]:
    """An error with what can be made of it, and what is wrong with it."""
    if not isinstance(error, dict):
        return {"message": error if isinstance(error, str) else ""}, (
            f"an error that is {_kind(error)}, not an object"
        )
    status, code, message = (error.get(name) for name in ("status", "code", "message"))
    flaw = ""
    if status is not None and (not isinstance(status, int) or isinstance(status, bool)):
        flaw = f"a status that is {_kind(status)}, neither an integer nor null"
    elif code is not None and not isinstance(code, str):
        flaw = f"a code that is {_kind(code)}, neither a string nor null"
    elif message is not None and not isinstance(message, str):
        flaw = f"a message that is {_kind(message)}, not a string"
    return error, flaw


def read_hello(answer: Answer) -> Hello | str:
    """A program's hello, or what is wrong with it."""
    if answer.error is not None:
        return f"an error: {answer.error.get('message') or 'without a message'}"
    result = answer.result
    if answer.flaw or not isinstance(result, dict):
        return answer.flaw or f"a result that is {_kind(result)}, not an object"
    name, operations = result.get("name"), result.get("operations")
    if not isinstance(name, str) or not name.strip():
        return "no name" if name is None else f"a name that is {_kind(name)}"
    if not isinstance(operations, list) or not all(isinstance(o, str) for o in operations):
        return "no array of operations"
    for operation in operations:
        if operation not in OPERATIONS:
            return str(unknown("operation", operation, OPERATIONS))
    if "create_connection" not in operations:
        return "no create_connection among the operations, the one that is required"
    return Hello(" ".join(name.split())[:MAX_NAME], tuple(dict.fromkeys(operations)))


def _kind(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "a string" if value.strip() else "an empty string"
        case list():
            return "an array"
    return "an object"


def not_read(answer: Answer) -> bool:
    """Whether the program says that it could not read the request."""
    return answer.id is None and answer.error is not None and answer.has_id
