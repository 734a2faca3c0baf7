"""Writing a report to a file: which endings, which places, and never half of it."""

from __future__ import annotations

import errno
import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from aepmock.errors import UsageError
from aepmock.reports import check_path, write_report
from tests.reports.sample_reports import hostile, nothing_exercised, with_every_verdict


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("report.json", '{\n  "schema": "aepmock-report/1",'),
        ("report.xml", "<?xml version="),
        ("report.html", "<!doctype html>\n"),
        ("report.md", "# Verdicts on acme.client:factory\n"),
        ("REPORT.JSON", "{\n"),
    ],
)
def test_the_ending_decides_the_form(name: str, start: str, tmp_path: Path) -> None:
    write_report(with_every_verdict(), tmp_path / name)
    assert (tmp_path / name).read_text("utf-8").startswith(start)


@pytest.mark.parametrize("name", ["report.json", "report.xml", "report.html", "report.md"])
def test_hostile_texts_can_be_written_in_every_form(name: str, tmp_path: Path) -> None:
    write_report(hostile(), tmp_path / name)
    text = (tmp_path / name).read_text("utf-8")
    assert [c for c in text if not c.isprintable() and c != "\n"] == []


@pytest.mark.parametrize("ask", [check_path, lambda path: write_report(hostile(), path)])
def test_an_ending_that_is_none_of_ours_is_refused_with_those_that_are(
    ask: Callable[[Path], None], tmp_path: Path
) -> None:
    path = tmp_path / "report.pdf"
    with pytest.raises(UsageError) as caught:
        ask(path)
    said = f"the report {str(path)!r} ends in '.pdf'. Allowed: .json .xml .html .md"
    assert str(caught.value) == said
    assert list(tmp_path.iterdir()) == []


def test_a_path_without_an_ending_is_refused() -> None:
    with pytest.raises(UsageError) as caught:
        check_path(Path("report"))
    assert str(caught.value) == "the report 'report' has no ending. Allowed: .json .xml .html .md"


def test_a_missing_folder_is_refused_and_not_created(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    path = folder / "report.json"
    with pytest.raises(UsageError) as caught:
        write_report(with_every_verdict(), path)
    assert str(caught.value) == (
        f"the report {str(path)!r} has no place: there is no folder {str(folder)!r}."
        " Create it first, or name another"
    )
    assert not folder.exists()


def test_a_folder_that_cannot_be_written_in_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write anywhere
    path = tmp_path / "report.json"
    with pytest.raises(UsageError) as caught:
        check_path(path)
    assert str(caught.value) == (
        f"the report {str(path)!r} has no place: the folder {str(tmp_path)!r} can't be"
        " written in. Change its permissions, or name another"
    )


def test_a_path_that_is_a_folder_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.mkdir()
    with pytest.raises(UsageError) as caught:
        check_path(path)
    assert str(caught.value) == f"the report {str(path)!r} is a folder: name a file in it"


def test_checking_a_path_leaves_nothing_behind(tmp_path: Path) -> None:
    check_path(tmp_path / "report.json")
    assert list(tmp_path.iterdir()) == []


def test_a_report_in_the_current_folder_needs_no_folder_in_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_report(with_every_verdict(), Path("report.md"))
    assert (tmp_path / "report.md").exists()


def test_an_older_report_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text("x" * 1_000_000)
    write_report(nothing_exercised(), path)
    assert json.loads(path.read_text("utf-8"))["summary"]["not-exercised"] == 2
    assert list(tmp_path.iterdir()) == [path]


def test_a_write_that_fails_leaves_the_older_report_and_no_draft(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> NoReturn:
        raise OSError(errno.ENOSPC, "no space left")

    path = tmp_path / "report.json"
    path.write_text("older")
    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(UsageError, match="can't be written: no space left"):
        write_report(with_every_verdict(), path)
    assert path.read_text() == "older"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(os.name != "posix", reason="modes are a matter of POSIX")
def test_a_report_can_be_read_by_whom_the_umask_allows(tmp_path: Path) -> None:
    plain, path = tmp_path / "plain", tmp_path / "report.json"
    plain.touch()
    write_report(with_every_verdict(), path)
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)
