"""A quick yes or no on whether a document fits one of the contract's body schemas.

Nearly every body does, and jsonschema takes longer to say so than the service takes for all the
rest; it is asked only for the reason, once the answer is no.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Check = Callable[[Any], bool]

_UNDERSTOOD = frozenset({"type", "properties", "required", "items", "minimum", "maximum"})
_SAYING_NOTHING = frozenset({"$schema", "$id", "$comment", "title", "description"})


def compile_check(schema: Mapping[str, Any]) -> Check | None:
    """A check of the schema, or None where it uses a keyword that this module does not know."""
    if set(schema) - _UNDERSTOOD - _SAYING_NOTHING:
        return None
    parts: list[Check] = []
    if "type" in schema:
        of_type = _TYPES.get(schema["type"]) if isinstance(schema["type"], str) else None
        if of_type is None:
            return None
        parts.append(of_type)
    if "minimum" in schema or "maximum" in schema:
        parts.append(_within(schema.get("minimum"), schema.get("maximum")))
    if "required" in schema:
        parts.append(_having(tuple(schema["required"])))
    if "items" in schema:
        of_items = compile_check(schema["items"])
        if of_items is None:
            return None
        parts.append(_of_each(of_items))
    if "properties" in schema:
        fields = {name: compile_check(below) for name, below in schema["properties"].items()}
        known = {name: check for name, check in fields.items() if check is not None}
        if len(known) != len(fields):
            return None
        parts.append(_of_fields(tuple(known.items())))
    if len(parts) == 1:
        return parts[0]
    return lambda value: all(part(value) for part in parts)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_TYPES: Mapping[str, Check] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "number": _is_number,
    # JSON Schema counts 1.0 among the integers.
    "integer": lambda value: _is_number(value) and value == value // 1,
}


def _within(minimum: float | None, maximum: float | None) -> Check:
    def check(value: Any) -> bool:
        if not _is_number(value):
            return True
        return (minimum is None or value >= minimum) and (maximum is None or value <= maximum)

    return check


def _having(names: tuple[str, ...]) -> Check:
    return lambda value: not isinstance(value, dict) or all(name in value for name in names)


def _of_each(check: Check) -> Check:
    return lambda value: not isinstance(value, list) or all(map(check, value))


def _of_fields(fields: tuple[tuple[str, Check], ...]) -> Check:
    def check(value: Any) -> bool:
        if isinstance(value, dict):
            for name, of_field in fields:
                if name in value and not of_field(value[name]):
                    return False
        return True

    return check
