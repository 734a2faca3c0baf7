"""What a call leaves behind is seen, wherever it is left."""

from __future__ import annotations

import logging
import os
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

from aepmock.suite.leaks import watching

SECRET = "canary5f1e92b1da674b00"


def log_quietly() -> None:
    logger = logging.getLogger("acme.quiet")
    logger.propagate = False
    logger.setLevel(logging.CRITICAL)
    logger.debug("sending %s", {"token": SECRET})


def log_an_extra() -> None:
    logging.getLogger("acme").info("sending", extra={"headers": {"token": SECRET}})


def log_an_exception() -> None:
    try:
        raise ValueError(SECRET)
    except ValueError:
        logging.getLogger("acme").exception("it failed")


def warn() -> None:
    warnings.warn(f"is {SECRET} right?", DeprecationWarning, stacklevel=1)


def print_it() -> None:
    print(SECRET)


def print_as_an_error() -> None:
    sys.stderr.buffer.write(SECRET.encode())


def write_past_python() -> None:
    os.write(1, SECRET.encode())


def write_a_file() -> None:
    Path("token.json").write_text(SECRET, "utf-8")


def rename_a_file() -> None:
    Path("..", "outside").write_text(SECRET, "utf-8")
    Path("..", "outside").rename("token.json")


@pytest.mark.parametrize(
    ("leak", "place", "where"),
    [
        (log_quietly, "debug log", "a log record of acme.quiet, DEBUG"),
        (log_an_extra, "log", "a log record of acme, INFO"),
        (log_an_exception, "log", "a log record of acme, ERROR"),
        (warn, "log", "a warning, DeprecationWarning"),
        (print_it, "output", "standard output"),
        (print_as_an_error, "output", "standard error"),
        (write_past_python, "output", "standard output"),
        (write_a_file, "file", "the file token.json"),
        (rename_a_file, "file", "the file token.json"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_leak_is_seen_where_it_is(
    leak: Callable[[], None],
    place: str,
    where: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    with watching() as traces:
        leak()
    assert [(t.place, t.where) for t in traces if SECRET in t.text] == [(place, where)]


def test_a_file_outside_the_working_directory_is_not_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    with watching() as traces:
        (tmp_path / "cache").write_text(SECRET, "utf-8")
    assert [t.where for t in traces if t.place == "file"] == ["no file"]


def test_what_was_heard_of_is_handled_as_ever(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    with watching():
        logging.getLogger("acme").warning("seen")
        logging.getLogger("acme").debug("not seen")
    assert caplog.messages == ["seen"]


def test_output_goes_its_way_again_afterwards(capfd: pytest.CaptureFixture[str]) -> None:
    with watching():
        os.write(1, b"caught")
    os.write(1, b"free")
    assert capfd.readouterr().out == "free"
