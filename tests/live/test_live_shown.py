"""What a live run shows people: nothing secret, no part of it, nothing that moves a cursor."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from aepmock.contract import load_contract
from aepmock.errors import UsageError
from aepmock.judge import ClauseResult, Finding, Report, Verdict
from aepmock.live.doctor import examine
from aepmock.live.shown import shown
from aepmock.messages import Headers, Request, Response
from aepmock.redaction import Redactor
from tests.live.live_runs import environment
from tests.live.sandboxes import Upstream, created
from tests.live.standin import standing_in

TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJpZCI6IjE3NjcyMjU2MDAifQ.c2lnbmF0dXJlLW9mLWEtdG9rZW4"
JSON = Headers({"Content-Type": "application/json"})
HOSTILE = "\x1b[2J\x9b31m\u202e\r\n\x00\u2028"


@pytest.fixture
def upstream() -> Upstream:
    return Upstream()


# texts


@pytest.mark.parametrize(
    "part",
    [TOKEN, TOKEN[:12], TOKEN[:40], TOKEN[-12:], TOKEN[-30:], TOKEN[9:60], f"Bearer {TOKEN[:70]}"],
)
def test_no_part_of_a_secret_is_shown(part: str) -> None:
    text = shown(f"refused: {part}\u2026 (401)", Redactor(values=[TOKEN]))
    assert part.removeprefix("Bearer ") not in text
    assert text.startswith("refused: ")
    assert text.endswith("\u2026 (401)")
    leaked = [TOKEN[i : i + 8] for i in range(len(TOKEN) - 7) if TOKEN[i : i + 8] in text]
    assert leaked == []


@pytest.mark.parametrize("text", ["", "Oauth token is not valid", "naïve 日本語 😀", "x" * 9000])
def test_a_text_without_secrets_is_shown_as_it_is(text: str) -> None:
    assert shown(text, Redactor(values=[TOKEN])) == text


def test_control_characters_are_shown_as_what_they_are() -> None:
    assert shown(HOSTILE, Redactor()) == r"\x1b[2J\x9b31m\u202e\r\n\x00\u2028"
    assert shown("a\tb\nc\x07", Redactor(), lines=True) == "a\tb\nc\\x07"


# what a service says


def refusing(upstream: Upstream, path: str, status: int, document: Any) -> None:
    body = json.dumps(document).encode()
    upstream.answers.append(
        lambda r: Response(status, JSON, body) if path in r.path and r.path else None
    )


def harmless(text: str, *secrets: str) -> bool:
    """Whether a text has no secret, no half of one, and one line."""
    halves = [secret[: len(secret) // 2] for secret in secrets]
    return text.isprintable() and not any(half in text for half in halves)


@pytest.mark.parametrize("key", ["error_description", "error"])
def test_what_the_token_endpoint_says_is_redacted(
    upstream: Upstream, tmp_path: Path, key: str
) -> None:
    secret = upstream.credentials.client_secret
    refusing(upstream, "/ims/", 400, {key: f"no {secret} nor {secret[:-4]} {HOSTILE}"})
    with pytest.raises(UsageError, match="refused") as caught:
        upstream.handler(tmp_path).tokens.current()
    assert harmless(str(caught.value), secret)
    assert r"\x1b[2J" in str(caught.value)


def test_what_sandbox_management_says_is_redacted_before_it_is_cut(
    upstream: Upstream, tmp_path: Path
) -> None:
    tokens: list[str] = []

    def told(request: Request) -> Response | None:
        if "sandbox-management" not in request.path:
            return None
        tokens.append((request.headers.get("authorization") or "")[7:])
        text = f"{HOSTILE} {'x' * 60} {tokens[-1]}"
        return Response(400, JSON, json.dumps({"message": text}).encode())

    upstream.answers.append(told)

    def begin() -> None:
        with upstream.running(tmp_path, []):
            raise AssertionError("not begun")

    with pytest.raises(UsageError, match="could not be learned") as caught:
        begin()
    assert harmless(str(caught.value).replace(tokens[0][:4], ""), tokens[0])
    said: list[str] = []
    assert examine(upstream.settings(), connector="hubspot", say=said.append, ports=upstream.ports)
    assert all(harmless(line, *tokens) for line in said)


@pytest.mark.parametrize("field", ["name", "type", "state"])
def test_what_a_sandbox_is_called_is_shown_as_text(
    upstream: Upstream, tmp_path: Path, field: str
) -> None:
    secret = upstream.credentials.client_secret
    document = {"name": "dev", "type": "development", "state": "active"}
    refusing(upstream, "sandbox-management", 200, {**document, field: f"{HOSTILE}{secret}"})

    def begin() -> None:
        with upstream.running(tmp_path, []):
            raise AssertionError("not begun")

    with pytest.raises(UsageError, match="nothing was written") as caught:
        begin()
    assert harmless(str(caught.value), secret)


def test_what_is_left_behind_is_shown_as_text(upstream: Upstream, tmp_path: Path) -> None:
    said: list[str] = []
    secret = upstream.credentials.client_secret
    with upstream.running(tmp_path, said) as run:
        created(run.handler, f"{HOSTILE}{secret}")
        upstream.answers.append(lambda r: Response(400) if r.method == "DELETE" else None)
    lines = [*said, *run.about()["left_behind"]]
    assert any(r"\x1b[2J" in line for line in said)
    assert all(harmless(line, secret) for line in lines)


def test_what_a_client_asks_for_is_shown_as_text(upstream: Upstream, tmp_path: Path) -> None:
    handler = upstream.handler(tmp_path)
    request = Request(f"GET{HOSTILE}", "https://platform.adobe.io", f"/{HOSTILE}", JSON)
    handler.handle(request)
    upstream.answers.append(lambda r: Response(503) if "/ims/" not in r.path else None)
    handler.ask("POST", f"/connections?{HOSTILE}", headers={"x": HOSTILE})
    about = handler.about()
    assert about["held_back"]
    assert about["disturbances"]
    assert all(harmless(text) for text in [*about["held_back"], *about["disturbances"]])


def test_what_a_finding_quotes_is_shown_as_text(upstream: Upstream, tmp_path: Path) -> None:
    contract = load_contract()
    half = TOKEN[: len(TOKEN) // 2]
    quoted: dict[str, Any] = dict.fromkeys(
        ("summary", "expected", "got", "exchange", "diff", "log"), HOSTILE + half
    )
    finding = Finding("request.sandbox", calls=(HOSTILE + half,), **quoted)
    result = ClauseResult(contract.clauses["request.sandbox"], Verdict.BROKEN, 1, (finding,))
    report = Report("", "", "", "live", "", 0, "", 0.0, (result,))
    with upstream.running(tmp_path, []) as run:
        run.handler.redactor.learn([TOKEN])
        said = json.dumps(run.completed(report).to_json(), ensure_ascii=False)
    assert harmless(said, TOKEN)
    assert r"\\x9b31m" in said


def test_a_recording_is_shown_as_text(tmp_path: Path) -> None:
    from tests.live.live_runs import command, judge_live

    with standing_in() as standin:
        judge_live(standin, tmp_path, "--select", "lifecycle.reads-back")
        (path,) = (p for p in (tmp_path / "recorded").glob("*.jsonl") if p.stem != "confirmed")
        text = path.read_text().replace('"state": "enabled"', '"state": "on", "a\\u001b[2J": 1')
        path.write_text(text)
        done = command(standin, tmp_path, "live", "replay", "recorded", "-v")
    assert "answers.unknown-fields" in done.stdout
    assert "\x1b" not in done.stdout


# pytest


@pytest.mark.parametrize("words", [["-rA"], ["-o", "log_cli=true"], ["-n", "2", "-rA"]])
def test_pytest_shows_no_live_secret_that_a_client_tells(tmp_path: Path, words: list[str]) -> None:
    with standing_in() as standin:
        given = ["--aepmock-client", "tests.live.harmful_clients:TellsEverything"]
        given += ["--aepmock-live", "--aepmock-examples", "1", "-p", "no:cacheprovider"]
        given += ["--aepmock-select", "connections.list.*", "--log-file", "log.txt"]
        given += ["--log-level", "DEBUG", "--log-file-level", "DEBUG"]
        given += ["--junitxml", "junit.xml", "-o", "junit_logging=all"]
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "--pyargs", "aepmock.contract_tests", *given, *words],
            cwd=tmp_path,
            env={**environment(standin), "PYTHONPATH": str(Path(__file__).parents[2])},
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        files = [p.read_text("utf-8", "replace") for p in tmp_path.rglob("*") if p.is_file()]
        texts = [done.stdout, done.stderr, *files]
        assert "told by the client" in done.stdout
        assert standin.tokens
        for token in standin.tokens:
            assert not [t for t in texts if token[:24] in t]
        assert not [t for t in (done.stdout, done.stderr) if "\x1b[2J" in t]
        assert standin.left_behind == []
