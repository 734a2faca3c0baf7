"""What a live run writes to disk: only what was redacted, and searched for secrets."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterable
from pathlib import Path

from aepmock.errors import AepmockError
from aepmock.redaction.redacted import Redacted

_SHORTEST = 6


class SecretFoundError(AepmockError):
    """A file was about to hold a secret: an internal error. The file was not kept."""


def append(path: Path, entry: Redacted) -> None:
    """Adds one line to a file, which is whole and on disk when this returns.

    Raises OSError otherwise. A line that was torn before, on a full disk, is ended first.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        size = os.lseek(handle, 0, os.SEEK_END)
        if size:
            os.lseek(handle, size - 1, os.SEEK_SET)
        torn = size and os.read(handle, 1) != b"\n"
        rest = b"\n" * bool(torn) + entry.line().encode()
        while rest:
            written = os.write(handle, rest)
            if not written:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            rest = rest[written:]
        os.fsync(handle)
    finally:
        os.close(handle)


def write(path: Path, entries: Iterable[Redacted], secrets: Iterable[str]) -> None:
    """Writes a file of redacted lines. Raises SecretFoundError, and keeps nothing, see `scan`."""
    draft = path.with_name(f".{path.name}.tmp")
    draft.unlink(missing_ok=True)
    try:
        draft.touch(mode=0o600)
        draft.write_text("".join(entry.line() for entry in entries), "utf-8")
        scan(draft, secrets)
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise


def scan(path: Path, secrets: Iterable[str]) -> None:
    """Deletes the file and raises SecretFoundError if a known secret stands in it in any form."""
    content = path.read_bytes()
    for secret in secrets:
        if len(secret) < _SHORTEST:
            continue
        forms = {secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
        if any(form.encode("utf-8", "surrogatepass") in content for form in forms):
            path.unlink()
            raise SecretFoundError(
                f"{path.name} would have held a secret and was deleted; please report this"
            )
