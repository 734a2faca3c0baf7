"""`aepmock observe` from outside: programs that find the mock in their environment."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

SECRET = "hush-client-secret"
OWN_TOKEN = "my-own-token-of-no-one"

PYTHON = f"""
import json, os, sys, urllib.request
env = os.environ
headers = {{
    "Authorization": "Bearer " + env["AEPMOCK_ACCESS_TOKEN"],
    "x-api-key": env["AEPMOCK_API_KEY"],
    "x-gw-ims-org-id": env["AEPMOCK_IMS_ORG_ID"],
    "x-sandbox-name": env["AEPMOCK_SANDBOX_NAME"],
    "Content-Type": "application/json",
}}
def ask(method, path, body=None, **more):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(
        env["AEPMOCK_BASE_URL"] + path, data, {{**headers, **more}}, method=method
    )
    with urllib.request.urlopen(request, timeout=float(env["AEPMOCK_TIMEOUT_S"])) as answer:
        text = answer.read()
        return json.loads(text) if text else None
def create():
    params = dict(clientId="c", clientSecret={SECRET!r}, accessToken="a", refreshToken="r")
    return ask("POST", "/connections", {{
        "name": "HubSpot",
        "auth": {{"specName": "Basic Authentication", "params": params}},
        "connectionSpec": {{"id": "cc6a4487-9e91-433e-a3a3-9cf6626c1806", "version": "1.0"}},
    }})
"""

CURL = """
set -eu
curl -sS --fail "$AEPMOCK_BASE_URL/connections?limit=5" \\
  -H "Authorization: Bearer $AEPMOCK_ACCESS_TOKEN" -H "x-api-key: $AEPMOCK_API_KEY" \\
  -H "x-gw-ims-org-id: $AEPMOCK_IMS_ORG_ID" -H "x-sandbox-name: $AEPMOCK_SANDBOX_NAME"
"""


def observe(
    *words: str, options: tuple[str, ...] = (), **more: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "aepmock", "observe", *options, "--", *words],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "COLUMNS": "80", **more},
    )


def python(code: str) -> tuple[str, ...]:
    return sys.executable, "-c", PYTHON + code


def verdicts(path: Path) -> dict[str, str]:
    return {clause["id"]: clause["verdict"] for clause in json.loads(path.read_text())["clauses"]}


RIGHT = (
    "made = create()\n"
    "change = [{'op': 'replace', 'path': '/name', 'value': 'b'}]\n"
    "ask('PATCH', '/connections/' + made['id'], change, **{'If-Match': made['etag']})\n"
    "ask('GET', '/connections?limit=5')\n"
    "print('done')"
)


def test_a_right_program_meets_what_it_put_to_the_test(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    done = observe(*python(RIGHT), options=("--report", str(report)))
    assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr
    assert "every must met that was exercised" in done.stderr
    found = verdicts(report)
    for clause in ("request.sandbox", "connections.create.auth-params"):
        assert found[clause] == "met"
    assert found["connections.update.if-match"] == "met"
    assert found["connections.count.no-limit"] == "not-exercised"
    assert set(found.values()) == {"met", "not-exercised"}
    assert max(map(len, done.stderr.splitlines())) <= 80


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_a_shell_script_keeps_its_output_to_itself() -> None:
    done = observe("sh", "-c", CURL)
    assert json.loads(done.stdout) == {"items": [], "_links": {}}
    assert done.returncode == 0, done.stderr
    assert done.stderr.lstrip("\n").startswith("sh\nmock, transport server, seed 0")


def test_a_program_without_sandbox_header_is_convicted_of_that_clause_alone(
    tmp_path: Path,
) -> None:
    report = tmp_path / "report.json"
    code = (
        "del headers['x-sandbox-name']\n"
        "try: ask('GET', '/connections')\n"
        "except Exception: print('refused')"
    )
    done = observe(*python(code), options=("--seed", "3", "--report", str(report)))
    assert (done.returncode, done.stdout) == (1, "refused\n")
    assert "request.sandbox (must)\n  x-sandbox-name is missing" in done.stderr
    assert "+x-sandbox-name: dev" in done.stderr
    again = "aepmock observe --select request.sandbox --seed 3 -- "
    assert f"{again}{Path(sys.executable).name} …" in done.stderr
    assert [c for c, v in verdicts(report).items() if v == "broken"] == ["request.sandbox"]


def test_values_of_the_programs_own_are_no_fault() -> None:
    code = (
        f"headers['Authorization'] = 'bearer {OWN_TOKEN}'\n"
        "headers['x-api-key'] = headers['x-gw-ims-org-id'] = 'test'\n"
        "headers['x-sandbox-name'] = 'prod'\n"
        "ask('GET', '/connections')"
    )
    done = observe(*python(code))
    assert done.returncode == 0, done.stderr


def test_a_program_that_knows_the_server_by_another_name_is_at_the_base_url() -> None:
    code = (
        "env = {**env, 'AEPMOCK_BASE_URL': "
        "env['AEPMOCK_BASE_URL'].replace('127.0.0.1', 'localhost')}\n"
        "ask('GET', '/connections')"
    )
    done = observe(*python(code))
    assert done.returncode == 0, done.stderr


def test_no_secret_is_shown_or_written(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    code = (
        f"headers['Authorization'] = 'Bearer {OWN_TOKEN}'\n"
        f"headers['x-note'] = '{OWN_TOKEN}'\n"
        "del headers['x-sandbox-name']\n"
        "try: create()\n"
        "except Exception: pass\n"
        f"headers['Authorization'] = 'Basic {OWN_TOKEN}'\n"
        "try: create()\n"
        "except Exception: pass\n"
    )
    done = observe(*python(code), options=("--report", str(report)))
    assert done.returncode == 1
    assert "[secret]" in done.stderr
    for text in (done.stderr, report.read_text()):
        assert OWN_TOKEN not in text
        assert SECRET not in text


def test_what_was_sent_before_the_program_failed_is_judged_and_its_failure_not_hidden() -> None:
    done = observe(*python("ask('GET', '/connections'); sys.exit(7)"))
    assert done.returncode == 1
    assert "every must met that was exercised" in done.stderr
    assert done.stderr.endswith("ended with exit status 7\n")


def test_a_program_that_a_signal_ends_is_told_of() -> None:
    code = "ask('GET', '/connections'); import signal; os.kill(os.getpid(), signal.SIGKILL)"
    done = observe(*python(code))
    assert done.returncode == 1
    assert done.stderr.endswith("was ended by SIGKILL\n")


def test_a_program_that_sends_nothing_is_not_judged() -> None:
    done = observe("true")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(
        "aepmock: true sent nothing to the mock, whose address was in AEPMOCK_BASE_URL."
    )
    failed = observe("sh", "-c", "exit 9")
    assert failed.returncode == 2
    assert "sh ended with exit status 9 and sent nothing to the mock" in failed.stderr


def test_a_program_that_only_fetches_a_token_is_not_judged() -> None:
    code = "urllib.request.urlopen(env['AEPMOCK_IMS_TOKEN_URL'], b'grant_type=client_credentials&'"
    code += " + b'client_id=a&client_secret=b&scope=openid')"
    done = observe(*python(code))
    assert done.returncode == 2
    assert "nothing was exercised" in done.stderr


@pytest.mark.parametrize(
    ("options", "words", "said"),
    [
        ((), (), "observe runs a program: aepmock observe [options] -- COMMAND ARG…"),
        (("acme:client",), ("true",), "observe runs a program: aepmock observe [options] -- "),
        ((), ("no-such-program",), "can't run 'no-such-program': No such file or directory"),
        (("--jobs", "2"), ("true",), "aepmock observe has no option --jobs"),
        (("--transport", "httpx"), ("true",), "aepmock observe has no option --transport"),
        (("--readings", "all"), ("true",), "aepmock observe has no option --readings"),
        (("--reading", "x=y"), ("echo", "ran"), "unknown reading 'x'"),
        (("--report", "x.pdf"), ("echo", "ran"), "ends in '.pdf'"),
        (("--known-failing", "none.txt"), ("echo", "ran"), "can't be read"),
        (
            ("--select", "connections.get.*"),
            ("echo", "ran"),
            "none of them shows connections.get.*",
        ),
        (("--select", "nonsense"), ("echo", "ran"), "nonsense"),
    ],
)
def test_misuse_is_told_before_anything_runs(
    options: tuple[str, ...], words: tuple[str, ...], said: str
) -> None:
    done = observe(*words, options=options)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("aepmock: ")
    assert said in done.stderr


def test_only_selected_clauses_are_judged(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    options = ("--select", "request.api-key", "--report", str(report))
    code = "del headers['x-sandbox-name']\ntry: ask('GET', '/connections')\nexcept Exception: pass"
    done = observe(*python(code), options=options)
    assert done.returncode == 0, done.stderr
    assert verdicts(report) == {"request.api-key": "met"}


def test_a_reading_is_what_the_program_is_answered_by_and_what_the_command_names() -> None:
    code = (
        "print(ask('GET', '/connections'))\n"
        "del headers['x-sandbox-name']\n"
        "ask('GET', '/connections')"
    )
    reading = "connections.last-page-links=absent"
    done = observe(*python(code), options=("--reading", reading))
    assert (done.returncode, done.stdout) == (1, "{'items': []}\n"), done.stderr
    assert (
        f"aepmock observe --select request.sandbox --seed 0 --reading {reading} -- " in done.stderr
    )
    assert f"seed 0, reading {reading}" in " ".join(done.stderr.split())


def test_a_known_failure_is_let_pass_and_must_go_from_the_list_when_it_is_met(
    tmp_path: Path,
) -> None:
    known = tmp_path / "known.txt"
    known.write_text("request.sandbox   comes with 2.0\nims.token.form  not seen by this\n")
    code = "del headers['x-sandbox-name']\ntry: ask('GET', '/connections')\nexcept Exception: pass"
    options = ("--known-failing", str(known))
    assert observe(*python(code), options=options).returncode == 0
    passes = observe(*python("ask('GET', '/connections')"), options=options)
    assert passes.returncode == 1
    assert "UNEXPECTED PASSES" in passes.stderr


def test_the_environment_names_every_setting_and_keeps_what_was_there() -> None:
    done = observe(
        *python("print(json.dumps(dict(env)))"),
        HTTP_PROXY="http://proxy.example:1",
        NO_PROXY="internal.example",
        AEPMOCK_CA_FILE="left-from-elsewhere",
        MINE="kept",
    )
    found = json.loads(done.stdout)
    for name in ("BASE_URL", "ACCESS_TOKEN", "API_KEY", "IMS_ORG_ID", "SANDBOX_NAME",
                 "IMS_TOKEN_URL", "CLIENT_ID", "CLIENT_SECRET", "SCOPES", "TIMEOUT_S"):  # fmt: skip
        assert found[f"AEPMOCK_{name}"]
    assert "AEPMOCK_CA_FILE" not in found
    assert found["NO_PROXY"] == "internal.example,127.0.0.1,localhost"
    assert found["MINE"] == "kept"


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_is_passed_on_and_what_was_sent_until_then_is_judged(
    sent: signal.Signals,
) -> None:
    code = (
        "import signal\n"
        f"signal.signal({int(sent)}, lambda *_: sys.exit(0))\n"
        "ask('GET', '/connections')\n"
        "print('ready', flush=True)\n"
        "signal.pause()"
    )
    with subprocess.Popen(
        [sys.executable, "-m", "aepmock", "observe", "--", *python(code)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        assert child.stdout.readline() == "ready\n"
        child.send_signal(sent)
        assert child.wait(20) == 0
        assert "every must met that was exercised" in child.stderr.read()


def test_a_child_that_is_left_behind_is_not_waited_for(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    code = (
        "import subprocess\n"
        "ask('GET', '/connections')\n"
        "waiting = 'import signal; signal.pause()'\n"
        "left = subprocess.Popen([sys.executable, '-c', waiting], stdout=subprocess.DEVNULL,"
        " stderr=subprocess.DEVNULL)\n"
        f"open({str(pid)!r}, 'w').write(str(left.pid))"
    )
    try:
        done = observe(*python(code))
        assert done.returncode == 0, done.stderr
    finally:
        os.kill(int(pid.read_text()), signal.SIGKILL)
