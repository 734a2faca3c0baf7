"""What a live run leaves as fixtures, and what is asked of them later, offline."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from aepmock.cli.main import main
from aepmock.errors import UsageError
from aepmock.judge import LiveRow
from aepmock.live.drift.recording import (
    CONFIRMED,
    Confirmation,
    keep_confirmed,
    keep_recording,
    not_confirmed_for,
    read_confirmed,
    read_recording,
    replay,
    replay_all,
)
from aepmock.live.drift.sanitize import Seen
from aepmock.live.redacted_files import SecretFoundError
from aepmock.redaction.redacted import Redacted
from tests.live.drift_scene import DAY, PARAMS, Scene


def record(
    folder: Path, readings: dict[str, str] | None = None, name: str = f"{DAY}-r1"
) -> tuple[Scene, Path]:
    scene = Scene(readings)
    scene.everything()
    made = scene.made
    secrets = (*PARAMS.values(), made.access_token, made.client_secret)
    path = keep_recording(folder, name, scene.drift.exchanges, secrets)
    assert path is not None
    return scene, path


def test_a_recording_teaches_offline_what_the_run_taught(tmp_path: Path) -> None:
    scene, path = record(tmp_path, {"connections.secrets-on-read": "masked"})
    assert replay(path).rows == scene.findings().rows


def test_a_recording_holds_no_secret_and_nothing_of_other_people(tmp_path: Path) -> None:
    scene, path = record(tmp_path)
    text = path.read_text("utf-8")
    made = scene.made
    for value in (made.access_token, made.client_secret, made.ims_org_id, made.api_key):
        assert value not in text
    for value in (*PARAMS.values(), "colleague", "acme-dev"):
        assert value not in text
    assert "{ACCESS_TOKEN}" in text
    assert "{clientSecret}" in text
    assert "{FOREIGN}" in text


def test_a_secret_that_slipped_through_keeps_the_file_from_being_written(tmp_path: Path) -> None:
    scene = Scene()
    scene.create("aepmock-r1-this-name-is-the-secret")
    for secret in ("this-name-is-the-secret", "aepmock-r1"):
        with pytest.raises(SecretFoundError):
            keep_recording(tmp_path, f"{DAY}-r1", scene.drift.exchanges, [secret])
    assert list(tmp_path.iterdir()) == []


def test_nothing_but_a_redacted_exchange_can_be_kept(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="Redacted"):
        Seen(Redacted({"operation": "connections.get"}, by=None))


def test_a_run_that_saw_nothing_leaves_no_file(tmp_path: Path) -> None:
    assert keep_recording(tmp_path / "new", f"{DAY}-r1", [], []) is None
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    "text",
    ["", "no json\n", '{"schema": "another/1"}\n', '{"schema": "aepmock-recording/1"}\n[]\n'],
    ids=["empty", "no-json", "another-schema", "no-exchange"],
)
def test_a_file_that_is_no_recording_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(text, "utf-8")
    with pytest.raises(UsageError, match=r"x\.jsonl is no recording of a live run"):
        read_recording(path)


def test_a_later_recording_counts_more_than_an_older_one(tmp_path: Path) -> None:
    record(tmp_path, {"connections.delete-status": "202"}, "2026-01-01-r1")
    record(tmp_path, {}, "2026-02-01-r2")
    rows = {row.subject: row for row in replay_all(tmp_path).rows}
    assert rows["connections.delete-status"].reading == "204"


def test_what_was_confirmed_is_remembered_until_it_drifts(tmp_path: Path) -> None:
    reading = LiveRow("connections.delete-status", "confirmed", "202", "204", "202", "2026-01-05")
    operation = LiveRow("connections.get", "confirmed", date="2026-01-05")
    keep_confirmed(tmp_path, [reading, operation], [])
    later = LiveRow("connections.get", "drifted", "", "200", "403", "2026-02-05")
    keep_confirmed(tmp_path, [later, LiveRow("connections.delete-status", "unseen")], [])
    assert read_confirmed(tmp_path) == {
        "connections.delete-status": Confirmation("202", "2026-01-05")
    }


def test_what_was_not_confirmed_for_too_long_is_listed(tmp_path: Path) -> None:
    rows = [
        LiveRow("connections.delete-status", "confirmed", "202", "204", "202", "2026-01-05"),
        LiveRow("errors.envelope", "confirmed", "full", "full", "full", "2026-03-01"),
    ]
    keep_confirmed(tmp_path, rows, [])
    stale = {s.subject: s.age_days for s in not_confirmed_for(tmp_path, 30, today=date(2026, 3, 5))}
    assert stale["connections.delete-status"] == 59
    assert stale["connections.unknown-id"] is None
    assert "errors.envelope" not in stale


def test_a_file_of_confirmations_that_is_broken_is_named(tmp_path: Path) -> None:
    (tmp_path / CONFIRMED).write_text("{}", "utf-8")
    with pytest.raises(UsageError, match=r"confirmed\.jsonl can't be read"):
        read_confirmed(tmp_path)


def test_the_command_replays_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record(tmp_path, {"connections.delete-status": "202"})
    assert main(["live", "replay", str(tmp_path), "--fail-on-drift", "--max-age-days", "30"]) == 0
    out = capsys.readouterr().out
    assert "connections.delete-status   202    204" in out
    assert "Not confirmed within 30 days: " in out
    assert "connections.unknown-id                   never" in out


def test_the_command_fails_on_drift_where_it_is_to(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, path = record(tmp_path)
    lines = path.read_text("utf-8").splitlines()
    text = "\n".join(line.replace("1404-412", "1999-412") for line in lines)
    path.write_text(text, "utf-8")
    assert main(["live", "replay", str(tmp_path)]) == 0
    assert main(["live", "replay", str(tmp_path), "--fail-on-drift"]) == 1
    assert "412, 1999-412, full envelope" in capsys.readouterr().out


def test_a_folder_without_a_recording_says_how_to_make_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["live", "replay", str(tmp_path)]) == 2
    assert "--live-record" in capsys.readouterr().err


def test_a_recording_is_one_exchange_a_line(tmp_path: Path) -> None:
    scene, path = record(tmp_path)
    head, *lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert head["schema"] == "aepmock-recording/1"
    assert lines == [seen.document for seen in scene.drift.exchanges]
