"""The private folder of a process that has a token: it goes with the process, or with a sweep.

The folder holds a lock for as long as its process lives. One whose lock nobody holds was left by
a process that was killed, with the token in it.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PREFIX = "aepmock-live-"
ALIVE = "alive.lock"
_FORM = re.compile(re.escape(PREFIX) + r"[a-z0-9_]{8}")
_NAMES = frozenset({ALIVE, "state.json", "state.tmp", "state.lock", "token.lock", "unused.jsonl"})
_BEGINNING_S = 1.0
"""Between making the lock and taking it a process needs less."""
_OLD_S = 3600.0
"""What has no lock, and was not touched for so long, was left too."""


@contextmanager
def private_folder() -> Iterator[Path]:
    """A folder that only its owner can enter, and that is gone afterwards."""
    from filelock import FileLock

    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    try:
        with FileLock(folder / ALIVE, mode=0o600):
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def dead_folders() -> Iterator[Path]:
    """Private folders in the temporary directory whose process was killed."""
    for path in sorted(Path(tempfile.gettempdir()).glob(f"{PREFIX}*")):
        try:
            if _is_private_folder(path) and _is_dead(path):
                yield path
        except OSError:
            continue  # it has gone meanwhile, or is not ours to look at


def remove(folder: Path) -> None:
    """Removes what `dead_folders` gave."""
    shutil.rmtree(folder, ignore_errors=True)


def _is_private_folder(path: Path) -> bool:
    """Whether a folder has the form, the owner, the mode and the contents of one of these."""
    found = path.lstat()
    if not _FORM.fullmatch(path.name) or not stat.S_ISDIR(found.st_mode):
        return False
    if hasattr(os, "getuid") and (
        found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) != 0o700
    ):
        return False
    return all(
        child.name in _NAMES and stat.S_ISREG(child.lstat().st_mode) for child in path.iterdir()
    )


def _is_dead(path: Path) -> bool:
    from filelock import FileLock, Timeout

    alive = path / ALIVE
    try:
        made = alive.stat().st_mtime
    except FileNotFoundError:
        return time.time() - path.stat().st_mtime > _OLD_S
    if time.time() - made < _BEGINNING_S:
        return False
    lock = FileLock(alive, mode=0o600)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return False
    lock.release()
    return True
