"""`property` and `orderby`: what they may say, and which connections they choose.

Source: SORT for the grammar, ERR 1440 to 1454 for what is refused.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, TypeVar

from aepmock.contract.filters import filter_values
from aepmock.service.refusals import BeyondLimitError, Refused

Item = TypeVar("Item")

TEXT_FIELDS = frozenset(
    [
        "id",
        "name",
        "description",
        "state",
        "version",
        "etag",
        "createdBy",
        "updatedBy",
        "createdClient",
        "updatedClient",
        "sandboxId",
        "sandboxName",
        "imsOrgId",
        "connectionSpec.id",
        "connectionSpec.version",
        "auth.specName",
    ]
)
NUMBER_FIELDS = frozenset({"createdAt", "updatedAt"})
OBJECT_FIELDS = frozenset({"connectionSpec", "auth", "auth.params"})
PARAMS_PREFIX = "auth.params."

MOST_FILTERS = 32
MOST_VALUES = 2_000
MOST_ORDER_FIELDS = 32
LONGEST_PATH = 256
"""Characters in the path of a filter or of an order: no field of a connection has so many."""

# No two neighbours may match the same character: a long text without an operator is read once.
_FILTER = re.compile(r"([A-Za-z_][\w.\-\[\]]*)\s*([=<>!~]+)(.*)", re.DOTALL)
_WRONG_ORDER = re.compile(
    r"[+\- ]*([A-Za-z_][\w.]*)(?:[+\-]|[ :](?:asc|desc|ascending|descending))?", re.IGNORECASE
)
"""A field with more signs than one, with a sign behind it, or in another language's words."""
_EQUAL = frozenset({"==", "="})
"""One sample of SORT has a single `=`."""
_RANGE: Mapping[str, Callable[[Any, Any], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


@dataclass(frozen=True)
class Filter:
    """One condition: a dotted path, an operator, and the values of which one must fit."""

    path: str
    operator: str
    values: tuple[Any, ...]

    def accepts(self, value: Any) -> bool:
        """Whether the value at the path fits; None, where there is none, fits nothing."""
        if value is None:
            return False
        if self.operator in _EQUAL:
            if isinstance(value, bool):
                return str(value).lower() in self._lowered
            return str(value) in self._texts
        return isinstance(value, int) and _RANGE[self.operator](value, self.values[0])

    @cached_property
    def _texts(self) -> frozenset[str]:
        return frozenset(map(str, self.values))

    @cached_property
    def _lowered(self) -> frozenset[str]:
        return frozenset(text.lower() for text in self._texts)


def parse_filters(texts: Iterable[str]) -> tuple[Filter, ...]:
    """Filters of the `property` parameters, each "name==a,b". Raises Refused.

    A parameter may hold several filters after commas (OAS style form, not exploded); a comma
    begins a new filter only where a known field and an operator follow it.
    """
    found: list[Filter] = []
    values = 0
    for whole in texts:
        for text in _split(whole):
            if len(found) == MOST_FILTERS:
                raise BeyondLimitError(400, f"a list takes at most {MOST_FILTERS} filters")
            found.append(_parse(text))
            values += len(found[-1].values)
            if values > MOST_VALUES:
                raise BeyondLimitError(
                    400, f"the filters of a list take at most {MOST_VALUES} values"
                )
    return tuple(dict.fromkeys(found))


def parse_order(text: str | None) -> tuple[tuple[str, bool], ...]:
    """Fields of an `orderby` with whether each descends: (("name", True),). Raises Refused.

    A leading blank is a `+` that was not percent-encoded.
    """
    if not text:
        return ()
    if text.count(",") >= MOST_ORDER_FIELDS:
        raise BeyondLimitError(400, f"orderby takes at most {MOST_ORDER_FIELDS} fields")
    found: dict[str, bool] = {}
    for path, descends in map(_parse_order_field, text.split(",")):
        # No two connections have an id in common: what follows it decides nothing.
        if "id" not in found:
            found.setdefault(path, descends)
    return tuple(found.items())


def ordered(
    items: Sequence[Item],
    order: Sequence[tuple[str, bool]],
    reader: Callable[[str], Callable[[Item], Any]],
) -> list[Item]:
    """Items in the order asked for; those without the field come last.

    `reader(path)` is what reads the value at a path from an item.
    """
    result = list(items)
    for path, descends in reversed(order):
        read = reader(path)
        values = list(map(read, result))
        absent = [item for item, value in zip(result, values, strict=True) if value is None]
        if absent:
            result = [item for item, value in zip(result, values, strict=True) if value is not None]
        # Only what stands in auth params may be of several types.
        plain = not path.startswith(PARAMS_PREFIX)
        result.sort(key=read if plain else partial(_sort_key, read), reverse=descends)
        result += absent
    return result


def _known(path: str) -> bool:
    if len(path) > LONGEST_PATH:
        return False
    return path in TEXT_FIELDS or path in NUMBER_FIELDS or path.startswith(PARAMS_PREFIX)


def _split(whole: str) -> Iterable[str]:
    begun: list[str] = []
    for part in _parts(whole):
        match = _FILTER.fullmatch(part) if begun else None
        if match and (_known(match[1]) or match[1] in OBJECT_FIELDS):
            yield ",".join(begun)
            begun = []
        begun.append(part)
    yield ",".join(begun)


def _parts(whole: str) -> list[str]:
    """What stands between the commas outside of quotes; a lone quote is a character like others."""
    if whole.count('"') % 2:
        return whole.split(",")
    parts: list[str] = []
    open_part: list[str] = []
    quoted = False
    for piece in whole.split(","):
        open_part.append(piece)
        quoted ^= piece.count('"') % 2 == 1
        if not quoted:
            parts.append(",".join(open_part))
            open_part = []
    return parts


def _parse(text: str) -> Filter:
    match = _FILTER.fullmatch(text)
    if match is None:
        raise Refused("filter.form", value=text)
    path, sign, rest = match[1], match[2], match[3]
    if sign == "~":
        raise Refused("filter.not-implemented", operator=sign)
    if sign not in _EQUAL and sign not in _RANGE:
        raise Refused("filter.operator", operator=sign)
    if path in OBJECT_FIELDS:
        raise Refused("filter.value-type")
    if not _known(path):
        raise Refused("filter.field", field=path)
    if not rest:
        raise Refused("filter.form", value=text)
    values: tuple[Any, ...] = tuple(filter_values(rest))
    if sign in _RANGE:
        if len(values) > 1:
            raise Refused("filter.many-values", operator=sign)
        if path not in NUMBER_FIELDS:
            raise Refused("filter.operator-for-field", operator=sign, field=path)
    if path in NUMBER_FIELDS:
        # The catalogue's own sample of 1452-400: createdAt takes no list.
        if len(values) > 1:
            raise Refused("filter.value", value=rest, field=path)
        values = (_number(values[0], rest, path),)
    return Filter(path, sign, values)


def _number(value: str, whole: str, path: str) -> int:
    if not re.fullmatch(r"-?[0-9]{1,18}", value):
        raise Refused("filter.value", value=whole, field=path)
    return int(value)


def _parse_order_field(text: str) -> tuple[str, bool]:
    signed = text[:1] in ("+", "-", " ") and text[:1] != ""
    name = text[1:] if signed else text
    if _known(name):
        return name, text[:1] == "-"
    bare = _WRONG_ORDER.fullmatch(name)
    if bare is not None and _known(bare[1]):
        raise Refused("list.orderby-sign")
    raise Refused("list.orderby-field", field=text)


def _sort_key(read: Callable[[Item], Any], item: Item) -> tuple[str, Any]:
    value = read(item)
    if isinstance(value, (int, float)):
        return "number", value
    return "text", str(value)
