"""What may be written to disk: text that was redacted, and that was searched for secrets."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from aepmock.errors import AepmockError
from aepmock.judge.redaction import Redactor
from aepmock.messages import Exchange

_SHORTEST = 6
_MADE_HERE = object()


class SecretFoundError(AepmockError):
    """A file was about to hold a secret: an internal error. The file was not kept."""


class Redacted:
    """A document without secrets. Only `redact` and `redact_exchange` make one."""

    __slots__ = ("document",)

    def __init__(self, document: Any, *, by: object) -> None:
        if by is not _MADE_HERE:
            raise TypeError("only redact() makes a Redacted")
        self.document = document

    def line(self) -> str:
        """The document as one line of JSON."""
        return json.dumps(self.document, ensure_ascii=True) + "\n"


def redact(document: Mapping[str, Any], redactor: Redactor) -> Redacted:
    """A document of plain data with every known secret taken out of its texts."""
    return Redacted(_clean(dict(document), redactor), by=_MADE_HERE)


def redact_exchange(exchange: Exchange, redactor: Redactor) -> Redacted:
    """An exchange as plain data: {"number", "request": {…}, "response": {…}}."""
    request = redactor.request(exchange.request)
    response = redactor.response(exchange.response)
    document = {
        "number": exchange.number,
        "request": {
            "method": request.method,
            "origin": request.origin,
            "target": request.target,
            "headers": [list(pair) for pair in request.headers],
            "body": request.body.decode("utf-8", "replace"),
        },
        "response": {
            "status": response.status,
            "headers": [list(pair) for pair in response.headers],
            "body": response.body.decode("utf-8", "replace"),
            "injected": response.injected,
        },
    }
    return redact(document, redactor)


def _clean(value: Any, redactor: Redactor) -> Any:
    if isinstance(value, str):
        return redactor.text(value)
    if isinstance(value, dict):
        return {redactor.text(str(k)): _clean(v, redactor) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(v, redactor) for v in value]
    return value


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
