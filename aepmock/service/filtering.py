"""`property` and `orderby`: what they may say, and which connections they choose.

Source: SORT for the grammar, ERR 1440 to 1454 for what is refused.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aepmock.contract.filters import filter_values
from aepmock.service.refusing import Refused

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

    def accepts(self, item: Mapping[str, Any]) -> bool:
        value = look_up(item, self.path)
        if value is None:
            return False
        if self.operator in _EQUAL:
            return any(_same(value, wanted) for wanted in self.values)
        return isinstance(value, int) and _RANGE[self.operator](value, self.values[0])


def parse_filters(texts: Iterable[str]) -> tuple[Filter, ...]:
    """Filters of the `property` parameters, each "name==a,b". Raises Refused.

    A parameter may hold several filters after commas (OAS style form, not exploded); a comma
    begins a new filter only where a known field and an operator follow it.
    """
    return tuple(_parse(text) for whole in texts for text in _split(whole))


def parse_order(text: str | None) -> tuple[tuple[str, bool], ...]:
    """Fields of an `orderby` with whether each descends: (("name", True),). Raises Refused.

    A leading blank is a `+` that was not percent-encoded.
    """
    if not text:
        return ()
    return tuple(_parse_order_field(part) for part in text.split(","))


def ordered(
    items: Sequence[Mapping[str, Any]], order: Sequence[tuple[str, bool]]
) -> list[Mapping[str, Any]]:
    """Items in the order asked for; those without the field come last."""
    result = list(items)
    for path, descends in reversed(order):
        present = [i for i in result if look_up(i, path) is not None]
        absent = [i for i in result if look_up(i, path) is None]
        present.sort(key=lambda i: _sort_key(look_up(i, path)), reverse=descends)
        result = present + absent
    return result


def look_up(item: Mapping[str, Any], path: str) -> Any:
    """The value at a dotted path, or None."""
    value: Any = item
    for key in path.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(key)
    return value


def _known(path: str) -> bool:
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


def _same(value: Any, wanted: Any) -> bool:
    if isinstance(value, bool):
        return str(wanted).lower() == str(value).lower()
    if isinstance(value, int) and isinstance(wanted, int):
        return value == wanted
    return str(value) == str(wanted)


def _parse_order_field(text: str) -> tuple[str, bool]:
    signed = text[:1] in ("+", "-", " ") and text[:1] != ""
    name = text[1:] if signed else text
    if _known(name):
        return name, text[:1] == "-"
    bare = _WRONG_ORDER.fullmatch(name)
    if bare is not None and _known(bare[1]):
        raise Refused("list.orderby-sign")
    raise Refused("list.orderby-field", field=text)


def _sort_key(value: Any) -> tuple[str, Any]:
    if isinstance(value, (int, float)):
        return "number", value
    return "text", str(value)
