"""What a `property` filter means, however it is written. Source: SORT."""

from __future__ import annotations

import re
from collections.abc import Sequence

_FILTER = re.compile(r"([A-Za-z_][\w.\-\[\]]*)\s*(==?|[<>]=?)(?![=<>!~])(.*)", re.DOTALL)
_QUOTED_LIST = re.compile(r'(?:"[^"]*"|[^",]+)(?:,(?:"[^"]*"|[^",]+))*')
_QUOTED_ITEM = re.compile(r'"[^"]*"|[^",]+')
_MOST_COMMAS = 100
"""A parameter with more commas is not tried as several filters."""

Meaning = tuple[str, str, frozenset[str]]
"""Path, operator, the values of which one must fit; a text that is no filter is its own path."""


def filter_values(text: str) -> list[str]:
    """The values of a filter: those between the commas, each without its double quotes."""
    if _QUOTED_LIST.fullmatch(text):
        return [part[1:-1] if part[0] == '"' else part for part in _QUOTED_ITEM.findall(text)]
    if len(text) > 1 and text[0] == text[-1] == '"':
        return [text[1:-1]]
    return text.split(",")


def meaning(text: str) -> Meaning:
    """A filter as it is meant: name=="a" is name==a; one sample of SORT has a single `=`."""
    match = _FILTER.fullmatch(text)
    if match is None:
        return text, "", frozenset()
    operator = "==" if match[2] == "=" else match[2]
    return match[1], operator, frozenset(filter_values(match[3]))


def say_the_same(wanted: Sequence[str], sent: Sequence[str]) -> bool:
    """Whether parameters mean the wanted filters, all of which must fit.

    Repeated parameters (SORT) and filters in a comma list (OAS, style form, not exploded) both do.
    """
    needed = frozenset(map(meaning, wanted))
    if frozenset(map(meaning, sent)) == needed:
        return True
    if any(text.count(",") > _MOST_COMMAS for text in sent):
        return False
    return _spell(needed, frozenset(), [text.split(",") for text in sent])


def _spell(
    needed: frozenset[Meaning], found: frozenset[Meaning], sent: Sequence[Sequence[str]]
) -> bool:
    """Whether what stands between the commas can be joined to what is needed, and nothing else."""
    if not sent:
        return found == needed
    parts, rest = sent[0], sent[1:]
    for end in range(len(parts), 0, -1):
        one = meaning(",".join(parts[:end]))
        later = [parts[end:], *rest] if parts[end:] else rest
        if one in needed and _spell(needed, found | {one}, later):
            return True
    return False
