"""Where the control token may come from: nobody who lists the processes need see it."""

from __future__ import annotations

from pathlib import Path

import pytest

from aepmock.cli.main import main
from aepmock.cli.serve import control_token
from aepmock.errors import UsageError
from tests.server.running import running


def test_the_token_of_a_file_is_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("from-a-file\n", "utf-8")
    with running("--control-token-file", str(file)) as server:
        assert server.ask("GET", "/__aepmock__/state").status == 401
        shown = {"Authorization": "Bearer from-a-file"}
        assert server.ask("GET", "/__aepmock__/state", headers=shown).status == 200


def test_the_token_of_the_environment_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AEPMOCK_CONTROL_TOKEN", "from-outside")
    with running() as server:
        assert server.ask("GET", "/__aepmock__/state").status == 401
        shown = {"Authorization": "Bearer from-outside"}
        assert server.ask("GET", "/__aepmock__/state", headers=shown).status == 200


def test_what_is_said_to_the_command_goes_before_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AEPMOCK_CONTROL_TOKEN", "from-outside")
    file = tmp_path / "token"
    file.write_text(" from-a-file ", "utf-8")
    assert control_token("given", None) == "given"
    assert control_token(None, file) == "from-a-file"
    assert control_token(None, None) == "from-outside"
    monkeypatch.setenv("AEPMOCK_CONTROL_TOKEN", "")
    assert control_token(None, None) is None
    with pytest.raises(UsageError, match="not both"):
        control_token("given", file)


def test_a_file_without_a_token_is_misuse(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = tmp_path / "empty"
    empty.write_bytes(b"\n")
    octets = tmp_path / "octets"
    octets.write_bytes(b"\xff")
    for file in (empty, octets, tmp_path / "none", tmp_path):
        assert main(["serve", "--port", "0", "--control-token-file", str(file)]) == 2
        assert f"--control-token-file {file}" in capsys.readouterr().err
