"""The command line: what it prints, and with which status it ends."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import NoReturn

import pytest

from aepmock.cli.main import COMMANDS, main

REFERENCE = "aepmock.clients.reference:client"


def run(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "aepmock", *words],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "", "COLUMNS": "80", "PYTHONIOENCODING": "utf-8"},
    )


def test_judge_prints_a_table_of_80_columns_and_ends_well(tmp_path: Path) -> None:
    result = run("judge", REFERENCE, "--select", "connections.get.*", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    assert max(map(len, result.stdout.splitlines())) <= 80
    assert result.stdout.rstrip().endswith("1 clause: 1 met · every must met")


def test_judge_of_a_broken_client_ends_with_1_and_shows_the_way_to_see_it_again(
    tmp_path: Path,
) -> None:
    (tmp_path / "broken.py").write_text(
        "from aepmock.clients.reference import ReferenceClient\n"
        "class Broken(ReferenceClient):\n"
        "    def read_tested(self, answer):\n"
        "        return answer.is_success\n"
        "client = Broken\n"
    )
    words = ("--select", "connections.test.result", "--report", "out.json", "--report", "out.xml")
    result = run("judge", "broken:client", *words, cwd=tmp_path)
    assert result.returncode == 1, result.stderr
    command = "aepmock judge broken:client --select connections.test.result --seed 0 --examples 25"
    assert command in result.stdout
    report = json.loads((tmp_path / "out.json").read_text())
    finding = report["clauses"][0]["findings"][0]
    assert (finding["expected"], finding["got"]) == ("False", "True")
    assert finding["reproduce"] == command
    assert "connections.test.result" in (tmp_path / "out.xml").read_text()
    again = run(*command.split()[1:], cwd=tmp_path)
    assert again.returncode == 1


NEEDS_LINKS = """
from aepmock.clients.reference import MintingClient
class Strict(MintingClient):
    def read_next(self, answer):
        return self.mapping(answer)["_links"].get("next")
client = Strict
"""
NO_LINKS = "connections.last-page-links=absent"


def test_judge_under_a_reading_finds_what_holds_under_it_alone(tmp_path: Path) -> None:
    (tmp_path / "strict.py").write_text(NEEDS_LINKS)
    words = ("judge", "strict:client", "--select", "connections.list.items", "--examples", "5")
    plain = run(*words, "--brief", cwd=tmp_path)
    assert (plain.returncode, plain.stdout) == (0, "1 clause: 1 met · every must met\n")
    table = f'[tool.aepmock]\nreading = ["{NO_LINKS}"]\n'
    (tmp_path / "pyproject.toml").write_text(table)
    found = run(*words, "--brief", "--report", "out.json", cwd=tmp_path)
    assert found.returncode == 1, found.stderr
    assert found.stdout.splitlines() == [
        "Not exercised: connections.list all 1.",
        "- answers.good (must) broken: list_connections raises KeyError on a good answer",
        "2 clauses: 1 broken, 1 not exercised · 1 must broken",
    ]
    report = json.loads((tmp_path / "out.json").read_text())
    finding = next(c for c in report["clauses"] if c["id"] == "answers.good")["findings"][0]
    assert finding["reading"] == report["reading"] == NO_LINKS
    (tmp_path / "pyproject.toml").unlink()
    assert f"--reading {NO_LINKS}" in finding["reproduce"]
    assert run(*finding["reproduce"].split()[1:], cwd=tmp_path).returncode == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("judge",), "no client to judge: aepmock judge package.module:factory"),
        (("judge", "nix"), "not of the form package.module:factory"),
        (("judge", "nix:x"), "can't be imported: No module named 'nix'"),
        (("judge", REFERENCE, "--select", "nix"), "unknown clause 'nix'"),
        (("judge", REFERENCE, "--report", "a/b.json"), "a"),
        (("judge", REFERENCE, "--report", "b.doc"), ".json"),
        (("judge", REFERENCE, "--known-failing", "no.txt"), "can't be read"),
        (("judge", REFERENCE, "--examples", "0"), "aepmock: --examples: 0 is too small"),
        (("judge", REFERENCE, "--jobs", "0"), "--jobs takes a number from 1 on"),
        (("judge", REFERENCE, "--connector", "hubspt"), "did you mean 'hubspot'"),
        (("judge", REFERENCE, "--selct=x"), "judge has no option --selct; did you mean --select?"),
        (("judge", "--passive", "--", "true"), "aepmock observe -- COMMAND ARG…"),
        (
            ("live", "sweep", "--dryrun"),
            "has no option --dryrun; did you mean --dry-run",
        ),
        (("config", "client"), "aepmock config takes no 'client'"),
        (("judge", REFERENCE, "--reading", "x"), "--reading takes QUESTION=OPTION, not 'x'"),
        (("judge", REFERENCE, "--reading", "x=y"), "unknown reading 'x'"),
        (
            ("judge", REFERENCE, "--reading", "connections.delete-status=205"),
            "unknown option of the reading connections.delete-status '205'",
        ),
        (
            ("judge", REFERENCE, "--live", "--reading", "connections.delete-status=202"),
            "--reading is for the mock",
        ),
        (("clauses", "nix"), "unknown clause 'nix'"),
        (("connectors", "hubspt"), "did you mean 'hubspot'"),
        (("serve", "--host", "0.0.0.0"), "loopback only"),
        (("serve", "--max-mocks", "0"), "--max-mocks takes a number from 1 to 100000, not 0"),
        (("serve", "--max-resources", "-1"), "--max-resources takes a number from 1 to 10000000"),
        (("serve", "--max-journal", "0"), "--max-journal takes a number from 1 to 100000"),
        (("serve", "--reading", "x"), "QUESTION=OPTION"),
        (("serve", "--fault", "503"), "written OPERATION: WHAT"),
        (("serve", "--fault", "connections.list: 503, rset"), "did you mean 'reset'"),
        (("proxy", "--fault", "connections.lst: 503", "--", "true"), "did you mean"),
        (("serve", "--reading", "x=y", "--port", "0"), "unknown reading 'x'"),
    ],
)
def test_misuse_is_one_line_and_status_2(
    words: tuple[str, ...],
    message: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(words) == 2
    printed = capsys.readouterr()
    assert printed.err.startswith("aepmock: ")
    assert message in printed.err
    assert printed.err.count("\n") == 1


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_has_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: aepmock {name}")


def test_the_list_of_commands_comes_without_their_modules(tmp_path: Path) -> None:
    code = (
        "import sys; from aepmock.cli.main import main\n"
        "try: main(['--help'])\n"
        "finally: print(sorted({m.partition('.')[0] for m in sys.modules}"
        " & {'hypothesis', 'httpx', 'jsonschema', 'pytest', 'rich', 'uvicorn'}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "observe" in done.stdout
    assert done.stdout.endswith("\n[]\n")


def test_an_internal_error_asks_to_be_reported(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> NoReturn:
        raise KeyError("id")

    monkeypatch.setattr("aepmock.contract.load_contract", broken)
    assert main(["clauses"]) == 3
    said = capsys.readouterr().err.splitlines()
    assert said[0].startswith("aepmock: internal error: KeyError: 'id' (test_cli.py:")
    assert "Please report it on the project's issue tracker" in said[1]


def test_a_factory_that_fails_is_told_as_such(tmp_path: Path) -> None:
    (tmp_path / "failing.py").write_text("def client(settings):\n    raise OSError('no licence')\n")
    result = run("judge", "failing:client", "--examples", "1", cwd=tmp_path)
    assert result.returncode == 2
    assert result.stderr == "aepmock: failing:client raised OSError: no licence (failing.py:2)\n"


def test_a_client_that_goes_around_the_transports_is_told_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "around.py").write_text(
        "import urllib.request\n"
        "class Client:\n"
        "    def __init__(self, settings):\n"
        "        self.url = settings.base_url + '/connections'\n"
        "    def create_connection(self, connection):\n"
        "        urllib.request.urlopen(self.url)\n"
        "client = Client\n"
    )
    result = run("judge", "around:client", "--examples", "1", "--transport", "httpx", cwd=tmp_path)
    assert result.returncode == 2
    assert "--transport server" in result.stderr


def test_clauses_lists_and_explains(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["clauses"]) == 0
    assert "connections.update.if-match" in capsys.readouterr().out
    assert main(["clauses", "connections.update.if-match"]) == 0
    explained = capsys.readouterr().out
    for word in ("rule", "broken by", "right", "wrong", "source", "1403-400"):
        assert word in explained
    assert main(["clauses", "delete.in-use"]) == 0
    assert "1418-400" in capsys.readouterr().out


def test_connectors_lists_and_explains(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["connectors"]) == 0
    assert "cc6a4487-9e91-433e-a3a3-9cf6626c1806" in capsys.readouterr().out
    assert main(["connectors", "hubspot"]) == 0
    assert "refreshToken" in capsys.readouterr().out


def test_config_says_where_each_value_comes_from(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.aepmock]\nclient = "a:b"\nexamples = 7\n')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AEPMOCK_SEED", "3")
    assert main(["config"]) == 0
    lines = {line.split()[0]: line.split() for line in capsys.readouterr().out.splitlines()}
    assert lines["client"][1:] == ["a:b", "pyproject"]
    assert lines["seed"][1:] == ["3", "environment"]
    assert lines["transport"][1:] == ["auto", "default"]


@pytest.mark.parametrize("credentials", ["any", "minted"])
def test_serve_answers_until_it_is_stopped(credentials: str, tmp_path: Path) -> None:
    words = [sys.executable, "-m", "aepmock", "serve", "--port", "0", "--credentials", credentials]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=tmp_path) as process:
        assert process.stdout is not None
        base_url = process.stdout.readline().split()[-1]
        headers = {
            "Authorization": "Bearer t",
            "x-api-key": "k",
            "x-gw-ims-org-id": "o@AdobeOrg",
            "x-sandbox-name": "dev",
        }
        request = urllib.request.Request(base_url + "/connections", headers=headers)
        if credentials == "any":
            with urllib.request.urlopen(request) as answer:
                assert json.load(answer) == {"items": [], "_links": {}}
        else:
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(request)
            assert refused.value.code == 401
            refused.value.close()
        process.send_signal(signal.SIGINT if credentials == "any" else signal.SIGTERM)
        assert process.wait(10) == 0
