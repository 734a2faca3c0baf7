"""The file of known failures: clause ids, each with the reason why it may still fail.

    # connections.update.if-match comes with 2.0, see issue 17
    connections.update.if-match   fixed in 2.0

A line is a clause id, blanks, and a reason; what follows # at the start of a line is a comment.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from aepmock.errors import UsageError, unknown


def read_known_failing(path: Path, clauses: Collection[str]) -> dict[str, str]:
    """Clause ids with their reasons. Raises UsageError naming the line at fault."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the known-failing file {path} can't be read: {error}") from None
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        clause, _, reason = stripped.partition(" ")
        place = f"{path}, line {number}"
        if clause not in clauses:
            raise UsageError(f"{place}: {unknown('clause', clause, clauses)}")
        if not reason.strip():
            raise UsageError(f"{place}: {clause} has no reason; write why after the id")
        if clause in found:
            raise UsageError(f"{place}: {clause} stands there twice")
        found[clause] = reason.strip()
    return found
