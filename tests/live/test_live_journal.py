"""The journal and the state of a run on a disk that is full, and names that tell creates apart."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aepmock.errors import UsageError
from aepmock.live.outbound.handler import LiveHandler
from aepmock.live.redacted_files import append
from aepmock.live.session.journal import FOLDER, Journal, read_journal
from aepmock.live.session.shared_state import LiveStopped, SharedState
from aepmock.redaction import Redactor
from aepmock.redaction.redacted import redact
from tests.live.sandboxes import Upstream, client_request, create_document, created


@pytest.fixture
def upstream() -> Upstream:
    return Upstream()


def write_of(most: int, then: Callable[[], int]) -> Callable[[int, bytes], int]:
    """os.write on a disk with room for `most` octets more."""
    left, real = [most], os.write

    def write(handle: int, data: bytes) -> int:
        if not left[0]:
            return then()
        done = real(handle, bytes(data)[: left[0]])
        left[0] -= done
        return done

    return write


def full() -> int:
    raise OSError(errno.ENOSPC, "No space left on device")


def entry(name: str) -> Any:
    return redact({"event": "creating", "name": name}, Redactor())


def test_a_short_write_is_gone_on_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, real = tmp_path / "journal", os.write
    monkeypatch.setattr(os, "write", lambda handle, data: real(handle, bytes(data)[:3]))
    append(path, entry("one"))
    assert json.loads(path.read_text()) == {"event": "creating", "name": "one"}


@pytest.mark.parametrize("then", [full, lambda: 0])
def test_a_line_that_is_not_whole_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, then: Callable[[], int]
) -> None:
    path = tmp_path / "journal"
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", write_of(10, then))
        with pytest.raises(OSError, match="No space"):
            append(path, entry("torn"))
    append(path, entry("whole"))
    torn, whole = path.read_text().splitlines()
    assert len(torn) == 10
    assert json.loads(whole)["name"] == "whole"


@pytest.mark.parametrize("room", [0, 1, 40])
def test_nothing_is_created_without_its_line_on_disk(
    upstream: Upstream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    with upstream.running(tmp_path, []) as run:
        created(run.handler)
        with monkeypatch.context() as patched:
            patched.setattr(os, "write", write_of(room, full))
            with pytest.raises(LiveStopped, match=r"journal .* can't be written"):
                created(run.handler, "without a line")
        with pytest.raises(LiveStopped, match="can't be written"):
            run.handler.throttle.wait()
        assert len(upstream.names()) == 1
    assert upstream.names() == []
    assert run.about()["left_behind"] == []


def test_what_was_created_before_the_disk_was_full_is_deleted_on_a_full_disk(
    upstream: Upstream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    with monkeypatch.context() as patched:
        with upstream.running(tmp_path, said) as run:
            created(run.handler)
            patched.setattr(os, "write", write_of(0, full))
            patched.setattr(SharedState, "_write", lambda *_: full())
        assert upstream.names() == []
    assert any("can't be written to" in line for line in said)
    # The journal still lists it; whoever sweeps finds out that it is gone.
    assert read_journal(next((tmp_path / FOLDER).glob("*.jsonl"))).living


def test_an_answer_that_can_not_be_journalled_is_not_forgotten(
    upstream: Upstream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with upstream.running(tmp_path, []) as run:
        with monkeypatch.context() as patched:

            def fail(*_: object) -> None:
                full()

            patched.setattr(Journal, "created", fail)
            with pytest.raises(LiveStopped):
                created(run.handler)
        assert len(run.handler.owned) == 1
    assert upstream.names() == []


def test_a_journal_that_can_not_begin_is_misuse_and_creates_nothing(
    upstream: Upstream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "write", write_of(5, full))

    def begin() -> None:
        with upstream.running(tmp_path, []):
            raise AssertionError("not begun")

    with pytest.raises(UsageError, match=r"journal .* can't be written"):
        begin()
    assert {r.method for r in upstream.requests if "/ims/" not in r.path} == {"GET"}


def test_a_journal_that_is_gone_keeps_nothing_from_being_deleted(
    upstream: Upstream, tmp_path: Path
) -> None:
    said: list[str] = []
    with upstream.running(tmp_path, said) as run:
        joined = LiveHandler(run.plan, upstream.ports)
        created(joined)
        next((tmp_path / FOLDER).glob("*.jsonl")).unlink()
    assert upstream.names() == []
    assert any("is no journal" in line for line in said)


# names


def test_no_two_creates_of_a_run_have_one_name(upstream: Upstream, tmp_path: Path) -> None:
    with upstream.running(tmp_path, []) as run:
        handlers = [run.handler, LiveHandler(run.plan, upstream.ports)]
        names = [h.fresh_name("connection 0") for h in handlers * 3]
    assert len(set(names)) == 6
    assert all(name.startswith(f"aepmock-{run.plan.run}-") for name in names)


def test_a_lost_create_is_told_from_one_of_the_same_name_that_was_answered(
    upstream: Upstream, tmp_path: Path
) -> None:
    handler = upstream.handler(tmp_path)
    document = create_document(handler)
    request = client_request(handler, "POST", "/connections", document=document)
    upstream.lost.add("POST")
    assert [handler.handle(request).status for _ in range(2)] == [504, 201]
    assert read_journal(handler.plan.journal_path).unsure == [document["name"]]
