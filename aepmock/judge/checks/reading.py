"""Family 3: whether a read gives the connection of the answer, as it is."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Number
from typing import Any

from aepmock.judge.answers import item_of, same
from aepmock.judge.checks.registry import Verdicts, transcript_check
from aepmock.judge.checks.responses import successes
from aepmock.judge.findings import Violation
from aepmock.judge.transcript import Transcript

_ITEM_KEYS = (
    "id",
    "name",
    "description",
    "state",
    "etag",
    "version",
    "connectionSpec",
    "sandboxName",
    "imsOrgId",
)
"""What a connection has (OAS ConnectionItemDTO), save auth: some hide secrets, and may."""
_TIMES = ("createdAt", "updatedAt")


@transcript_check("connections.get.unwrapped")
def unwrapped(transcript: Transcript) -> Verdicts:
    for call, last in successes(transcript, "get_connection"):
        item = item_of(last.response)
        if item is None or call.raised is not None or call.args["connection_id"] == "":
            continue
        got = call.returned
        wrong = altered(got, item) if isinstance(got, Mapping) else []
        absent = [k for k in ("id", "name", "etag") if k in item and (not _has(got, k))]
        if isinstance(got, Mapping) and not wrong and not absent:
            yield None
            continue
        if not isinstance(got, Mapping):
            shown = f"a {type(got).__name__}"
        elif "items" in got:
            shown = "the envelope, with items"
        else:
            shown = f"{', '.join(absent + wrong)} missing or different"
        yield Violation(
            "get_connection does not return the connection of the answer",
            "the connection itself",
            shown,
            last,
        )


def altered(got: Mapping[str, Any], item: Mapping[str, Any]) -> list[str]:
    """The fields that a client gives back with another value than the answer has.

    A time that it made something else of, such as a datetime, is its own matter; a number is not.
    """
    times = [k for k in _TIMES if isinstance(got.get(k), Number)]
    shown = [k for k in (*_ITEM_KEYS, *times) if k in item and k in got]
    return [k for k in shown if got[k] != item[k] and not same(got[k], item[k])]


def _has(got: Any, key: str) -> bool:
    return isinstance(got, Mapping) and key in got
