"""Finds the file and line of a mistake in the author's code."""

from __future__ import annotations

import inspect
import sysconfig
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

_LIBRARIES = tuple(
    f"{Path(sysconfig.get_path(name)).resolve()}/"
    for name in ("stdlib", "platstdlib", "purelib", "platlib")
)
_KIT = f"{Path(__file__).resolve().parents[1]}/"


def place_of_error(error: BaseException) -> str:
    """The innermost line of a person's own file that led to an error: "acme/client.py:12".

    Of a file that can't be read as Python the line that is wrong; empty where there is none.
    """
    if isinstance(error, SyntaxError) and error.filename:
        return _shown(error.filename, error.lineno or 1)
    frames = [
        frame for frame in traceback.extract_tb(error.__traceback__) if _is_own(frame.filename)
    ]
    return _shown(frames[-1].filename, frames[-1].lineno or 1) if frames else ""


def place_of(function: Callable[..., Any]) -> str:
    """Where a function is defined: "acme/client.py:12"; its module where nobody can tell."""
    try:
        inner = inspect.unwrap(function)
        return _shown(inspect.getfile(inner), inspect.getsourcelines(inner)[1])
    except (TypeError, OSError):
        return str(getattr(function, "__module__", "a module without a file"))


def _is_own(filename: str) -> bool:
    if filename.startswith("<"):
        return False
    path = str(Path(filename).resolve())
    return not path.startswith(_KIT) and not path.startswith(_LIBRARIES)


def _shown(filename: str, line: int) -> str:
    path = Path(filename).resolve()
    here = Path.cwd()
    shown = path.relative_to(here) if path.is_relative_to(here) else path
    return f"{shown}:{line}"
