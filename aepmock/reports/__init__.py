"""A run's report in the forms people and programs read: terminal, JSON, JUnit, HTML, Markdown."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from aepmock.errors import UsageError
from aepmock.reports.html import render_html
from aepmock.reports.json import render_json
from aepmock.reports.junit import render_junit
from aepmock.reports.markdown import render_markdown

if TYPE_CHECKING:
    from aepmock.judge import Report

__all__ = [
    "check_path",
    "render_html",
    "render_json",
    "render_junit",
    "render_markdown",
    "write_report",
]

_RENDERERS: Mapping[str, Callable[[Report], str]] = {
    ".json": render_json,
    ".xml": render_junit,
    ".html": render_html,
    ".md": render_markdown,
}


def write_report(report: Report, path: Path) -> None:
    """Writes a report in the form that the file's ending asks for, whole or not at all.

    `path` ends in .json, .xml (JUnit), .html or .md, in any case; a file that is there is replaced.
    Raises UsageError as `check_path` does, and where the disk refuses.
    """
    check_path(path)
    content = _RENDERERS[path.suffix.lower()](report).encode("utf-8")
    # Opened by name, and not made by tempfile, so that the report has the modes people expect.
    draft = _draft(path)
    draft.unlink(missing_ok=True)
    try:
        with draft.open("xb") as file:
            file.write(content)
        draft.replace(path)
    except OSError as error:
        why = error.strerror or str(error)
        raise UsageError(f"the report {str(path)!r} can't be written: {why}") from error
    finally:
        draft.unlink(missing_ok=True)


def _draft(path: Path) -> Path:
    return path.parent / f".aepmock-{os.getpid()}.tmp"


def check_path(path: Path) -> None:
    """Asks before a long run whether a report could be written there.

    Raises UsageError for an ending that is none of these, for a folder that is not there or
    can't be written in, and for a path that is itself a folder.
    """
    folder, allowed = path.parent, " ".join(_RENDERERS)
    if path.suffix.lower() not in _RENDERERS:
        ending = f"ends in {path.suffix!r}" if path.suffix else "has no ending"
        raise UsageError(f"the report {str(path)!r} {ending}. Allowed: {allowed}")
    if path.is_dir():
        raise UsageError(f"the report {str(path)!r} is a folder: name a file in it")
    if not folder.is_dir():
        raise UsageError(
            f"the report {str(path)!r} has no place: there is no folder {str(folder)!r}."
            " Create it first, or name another"
        )
    if path.exists() and not path.is_file():
        raise UsageError(f"the report {str(path)!r} is no file: name another")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UsageError(
            f"the report {str(path)!r} has no place: the folder {str(folder)!r} can't be"
            " written in. Change its permissions, or name another"
        )
    draft = _draft(path)
    try:
        with draft.open("wb"):
            pass
    except OSError as error:
        why = error.strerror or str(error)
        raise UsageError(f"the report {str(path)!r} can't be written: {why}") from error
    finally:
        draft.unlink(missing_ok=True)
