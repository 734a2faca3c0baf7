"""`aepmock judge --live` as a user runs it, against `aepmock serve --tls` on loopback."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.live.sandboxes import PARAMS
from tests.server.running import Running, running

ROOT = Path(__file__).parents[2]
CLIENT = "aepmock.clients.reference:bearer_client"
LIST = "/data/foundation/flowservice/connections"


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with running("--tls", "--credentials", "minted") as server:
        yield server


@dataclass
class User:
    """Someone in a folder of their own, with live settings in the environment."""

    server: Running
    folder: Path
    environment: Mapping[str, str]

    def start(self, *words: str, **changed: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", *words],
            cwd=self.folder,
            env={**self.environment, **changed},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def runs(self, *words: str, **changed: str) -> tuple[int, str, str]:
        with self.start(*words, **changed) as process:
            out, err = process.communicate(timeout=60)
            return process.returncode, out, err

    def judges(self, client: str = CLIENT, *words: str, **changed: str) -> tuple[int, str, str]:
        return self.runs("aepmock", "judge", client, "--live", *words, **changed)

    def report(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "report.json").read_text())
        return found

    def seeds(self, count: int) -> list[str]:
        """Puts other people's connections into the sandbox."""
        for number in range(count):
            self.server.control("POST", "/seed", {"name": f"of a colleague {number}"})
        return self.connections()

    def connections(self) -> list[str]:
        """Everything in the sandbox, whole."""
        found = self.server.control("GET", "/state").json["connections"]
        return sorted(json.dumps(item, sort_keys=True) for item in found)

    def asked(self) -> list[str]:
        """What the service was asked, the oldest first."""
        return [f"{e['method']} {e['target']}" for e in self.exchanges()]

    def exchanges(self) -> list[dict[str, Any]]:
        """The service's journal."""
        found: list[dict[str, Any]] = []
        since = 0
        while True:
            page = self.server.control("GET", f"/journal?since={since}&limit=500").json
            found += page["entries"]
            since = page["next"]
            if not page["entries"]:
                return found


@pytest.fixture
def user(server: Running, tmp_path: Path) -> User:
    server.control("POST", "/reset", {})
    made, ready = server.ready["credentials"], server.ready
    origin = str(ready["base_url"]).partition("/data/")[0]
    settings = {
        "BASE_URL": ready["base_url"],
        "IMS_TOKEN_URL": f"{origin}/ims/token/v3",
        "CA_FILE": ready["ca_file"],
        "CLIENT_ID": made["client_id"],
        "CLIENT_SECRET": made["client_secret"],
        "SCOPES": made["scopes"],
        "ORG_ID": made["ims_org_id"],
        "SANDBOX": "dev",
        "RATE": "1000",
        "HUBSPOT_CLIENT_ID": PARAMS["clientId"],
        "HUBSPOT_CLIENT_SECRET": PARAMS["clientSecret"],
        "HUBSPOT_ACCESS_TOKEN": PARAMS["accessToken"],
        "HUBSPOT_REFRESH_TOKEN": PARAMS["refreshToken"],
    }
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("AEPMOCK", "PYTEST"))}
    live = {f"AEPMOCK_LIVE_{name}": str(value) for name, value in settings.items()}
    paths = {"PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path / "tmp")}
    (tmp_path / "tmp").mkdir()
    folder = tmp_path / "project"
    folder.mkdir()
    return User(server, folder, {**kept, **live, **paths})


def test_a_right_client_is_judged_and_nothing_is_left(user: User, tmp_path: Path) -> None:
    before = user.seeds(3)
    status, out, err = user.judges(CLIENT, "--report", "report.json", "--live-send-invalid")
    assert (status, "every must met that was exercised" in out) == (0, True), out + err
    assert user.connections() == before
    asked = user.asked()
    assert len([a for a in asked if a.endswith("/ims/token/v3")]) == 1
    report = user.report()
    assert report["mode"] == "live"
    assert report["live_run"]["requests"] == len(asked)
    assert report["live_run"]["left_behind"] == report["live_run"]["held_back"] == []
    assert report["live_run"]["created"] == report["live_run"]["deleted"] > 10
    met = {c["id"] for c in report["clauses"] if c["verdict"] == "met"}
    assert {"connections.create.name", "connections.list.all-pages", "lifecycle.lists"} <= met
    reasons = {c["id"]: c["reason"] for c in report["clauses"] if c["verdict"] == "not-exercised"}
    assert reasons["errors.truncated-success"] == "needs faults: only on the mock"
    secrets = [*PARAMS.values(), user.environment["AEPMOCK_LIVE_CLIENT_SECRET"], "eyJ"]
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any(path.suffix == ".jsonl" for path in files)
    for path in files:
        text = path.read_text("utf-8", "replace")
        assert not [secret for secret in secrets if secret in text], path
    assert not list((tmp_path / "tmp").glob("aepmock-live-*"))


def test_production_is_refused_with_nothing_sent_beyond_the_look_up(user: User) -> None:
    status, out, err = user.judges(AEPMOCK_LIVE_SANDBOX="prod")
    assert (status, out) == (2, "")
    assert err.count("\n") == 1
    assert "'production'" in err
    assert user.asked() == [
        "POST /ims/token/v3",
        "GET /data/foundation/sandbox-management/sandboxes/prod",
    ]


def test_the_environment_alone_does_not_make_a_run_live(user: User) -> None:
    words = ("--select", "connections.get.unwrapped", "--examples", "1", "--report", "report.json")
    status, _, err = user.runs("aepmock", "judge", CLIENT, *words, AEPMOCK_LIVE="1")
    assert status == 0, err
    assert user.report()["mode"] == "mock"
    assert user.asked() == []


def test_a_live_flag_without_live_is_refused(user: User) -> None:
    status, _, err = user.runs("aepmock", "judge", CLIENT, "--live-allow-sandbox", "prod")
    assert (status, "add --live" in err) == (2, True)


def test_a_client_that_deletes_what_it_lists_does_no_harm(user: User) -> None:
    before = user.seeds(3)
    words = ("--select", "connections.list.*", "--select", "lifecycle.lists")
    user.judges("tests.live.harmful_clients:DeletesAllItSees", *words, "--report", "report.json")
    assert user.connections() == before
    held = user.report()["live_run"]["held_back"]
    assert held == ["DELETE about a connection not of this run"]


def test_a_client_of_another_sandbox_is_convicted_and_not_let_out(user: User) -> None:
    words = ("--select", "request.sandbox", "--examples", "1", "--report", "report.json")
    status, _, err = user.judges("tests.live.harmful_clients:AsksForProduction", *words)
    assert status == 1, err
    (clause,) = user.report()["clauses"]
    assert (clause["id"], clause["verdict"]) == ("request.sandbox", "broken")
    assert [e["request"] for e in user.exchanges() if "x-sandbox-name: prod" in e["request"]] == []
    assert [e for e in user.exchanges() if "x-sandbox-name: dev" in e["request"]]


def test_a_budget_that_is_spent_ends_the_run_well(user: User) -> None:
    status, out, err = user.judges(CLIENT, "--live-max-requests", "40", "--report", "report.json")
    assert status == 0, err
    assert len(user.asked()) <= 40
    assert user.connections() == []
    assert user.report()["live_run"]["budget_spent"]
    assert "--live-max-requests" in out


def wait_for_a_create(user: User, process: subprocess.Popen[str]) -> None:
    """Returns once the run has created something; it is slow enough to be in the middle then."""
    while process.poll() is None:
        if len([a for a in user.asked() if a == f"POST {LIST}"]) > 2:
            return
    raise AssertionError(process.communicate())


def test_what_a_killed_run_left_is_swept(user: User, tmp_path: Path) -> None:
    before = user.seeds(2)
    with user.start("aepmock", "judge", CLIENT, "--live", AEPMOCK_LIVE_RATE="20") as process:
        wait_for_a_create(user, process)
        process.kill()
        process.wait()
    status, out, err = user.runs("aepmock", "live", "sweep")
    assert status == 0, out + err
    assert user.connections() == before
    assert "left behind" not in out
    # Whoever was still at work for the run gives up without having sent anything more.
    asked = len(user.asked())
    assert user.runs("aepmock", "live", "sweep")[1].startswith("nothing to sweep")
    assert len(user.asked()) == asked
    assert user.connections() == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_an_interrupted_run_created_is_deleted(user: User, number: signal.Signals) -> None:
    before = user.seeds(2)
    with user.start("aepmock", "judge", CLIENT, "--live", AEPMOCK_LIVE_RATE="20") as process:
        wait_for_a_create(user, process)
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, "interrupted" in err) == (130, True), out + err
    assert "Traceback" not in err
    assert user.connections() == before


def test_the_suite_runs_live_in_pytest_with_several_workers(user: User) -> None:
    before = user.seeds(2)
    words = ["-n", "2", "-q", "--aepmock-client", CLIENT, "--aepmock-live"]
    words += ["--aepmock-select", "lifecycle.*", "--aepmock-examples", "1"]
    words += ["--aepmock-report", "report.json", "-p", "no:cacheprovider"]
    status, out, err = user.runs("pytest", "--pyargs", "aepmock.contract_tests", *words)
    assert status == 0, out + err
    assert user.connections() == before
    asked = user.asked()
    assert len([a for a in asked if a.endswith("/ims/token/v3")]) == 1
    assert user.report()["live_run"]["requests"] == len(asked)


def test_a_client_behind_the_server_transport_is_judged_live(user: User) -> None:
    words = ("--select", "connections.list.*", "--report", "report.json")
    status, out, err = user.judges("tests.correct_clients.urllib_plain:client", *words)
    assert status == 0, out + err
    assert user.report()["transport"] == "server"
    assert user.report()["live_run"]["left_behind"] == []


def test_a_program_is_judged_live(user: User) -> None:
    words = ("--select", "connections.get.*", "--examples", "1", "--report", "report.json")
    program = ("--", sys.executable, str(ROOT / "examples" / "python" / "client.py"))
    status, out, err = user.runs("aepmock", "judge", "--live", *words, *program)
    assert status == 0, out + err
    assert user.connections() == []
    assert user.report()["live_run"]["created"] > 0
