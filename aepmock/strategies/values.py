"""Values that clients take for something else: auth params, sourceParams, explored documents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_CORE = "aepmockSecret5ee1c0de0ffe"
"""Nothing else has this in it, so that a report without it is still to be understood."""

AWKWARD_PARAMS = (
    f"  {_CORE} ",
    f"-----BEGIN KEY-----\n{_CORE}\n-----END KEY-----\n",
    "",
    _CORE * 200,
    f'{{"token": "{_CORE}"}}',
    f'["{_CORE}"]',
    f'"{_CORE}"',
    "98765432109876543210",
    "0042",
    "1e5",
    "-1.0",
    "1987-02-03",
    "1987-02-03T04:05:06Z",
    "true",
    "false",
    "null",
    "None",
    f"{{{{{_CORE}}}}}",
    f"${{{_CORE}}}",
    f"${_CORE}",
    f"$HOME-${{HOME}}-{_CORE}",
    f"{_CORE}$$%%",
    f"%({_CORE})s",
    f"{{{_CORE}}}",
    f"<%= {_CORE} %>",
    f"%41{_CORE}%2F%25+&amp;",
    f"C:\\{_CORE}\\new",
)
"""Credentials that are texts, whatever they look like."""

SOURCE_PARAMS: tuple[Mapping[str, Any], ...] = (
    {"query": "???????>>>>>>>"},
    {"id": "x"},
    {"id": "xx"},
    {"id": "xxx"},
    {"limit": 5, "ratio": 0.5, "all": True, "none": None, "zero": 0, "digits": "5"},
    {"ids": [1, "1", True], "nested": {"deeper": {"empty": [], "none": None}}},
    {"größe": "日本 ÿ"},
)
"""Documents whose base64 has a +, a / and every padding, however their JSON is written."""


def explored(*, largest: int = 2**53 + 1) -> list[Any]:
    """What an exploration may find: rows of every JSON type, lists of tables, nothing at all.

    `largest` is a whole number among them; a double can't hold 2**53 + 1.
    """
    columns = [{"name": "größe", "type": "double", "xdm": {"type": "number"}}]
    row = {
        "größe": 0.1,
        "id": largest,
        "small": 1e-07,
        "yes": True,
        "no": False,
        "one": 1,
        "none": None,
        "empty": "",
        "text": "日本語 😀 \u2028",
        "nested": {"list": [[], {}, [None]]},
    }
    table = {"type": "table", "name": "naïve", "path": "a/b c", "canPreview": False}
    return [
        {"format": "flat", "schema": {"columns": columns}, "data": [row, {}]},
        [table, {**table, "canFetchSchema": True}],
        [],
    ]
