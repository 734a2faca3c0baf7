"""Nobody but the hosts of the settings gets anything in a live run, whoever leads there."""

from __future__ import annotations

import json
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from aepmock.errors import BlockedRequestError
from aepmock.live.leading import Leads
from aepmock.live.settings import LiveSettings
from aepmock.messages import Headers, Request, Response
from aepmock.net import ELSEWHERE
from aepmock.transports.guard import guarding
from tests.live.live_runs import LiveResult, command
from tests.live.standin import Manner, standing_in

BASE = "/data/foundation/flowservice"
CLIENTS = "tests.live.harmful_clients"
NAIVE = str(Path(__file__).with_name("naive_program.py"))


@pytest.fixture(autouse=True)
def _found_from_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clients of these tests, for a process that is begun in another folder."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))


@contextmanager
def third_host() -> Iterator[tuple[str, list[bytes]]]:
    """A host that is not the service's, and all that anybody sends it."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def listen() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    connection.settimeout(5)
                    heard.append(connection.recv(65_536))

        threading.Thread(target=listen, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", heard


def verdict(result: LiveResult, clause: str) -> str:
    return str(next(c["verdict"] for c in result.report["clauses"] if c["id"] == clause))


def judged(standin: Any, folder: Path, target: list[str], *clauses: str) -> LiveResult:
    words = ["judge", *target[:1], "--live", "--examples", "1", "--live-rate", "1000"]
    words += ["--report", "report.json", *[w for c in clauses for w in ("--select", c)]]
    done = command(standin, folder, *words, *target[1:])
    found = json.loads((folder / "report.json").read_text("utf-8"))
    return LiveResult(done.returncode, done.stdout, done.stderr, folder, found)


@pytest.mark.parametrize("by", ["redirect", "next link"])
@pytest.mark.parametrize("transport", ["auto", "server"])
def test_a_client_that_goes_where_the_service_leads_is_stopped_and_convicted(
    tmp_path: Path, by: str, transport: str
) -> None:
    clause = f"secrets.{by.replace(' ', '-')}"
    with third_host() as (host, heard), standing_in(Manner(lead_to=host, lead_by=by)) as standin:
        target = [f"{CLIENTS}:FollowsEveryRedirect", "--transport", transport]
        result = judged(standin, tmp_path, target, clause, "connections.list.*")
        assert heard == []
        assert (result.status, verdict(result, clause)) == (1, "broken"), result.out + result.err
        assert "127.0.0.1" in " ".join(result.report["live_run"]["held_back"])
        assert not [t for t in standin.tokens if t in json.dumps(result.report)]


@pytest.mark.parametrize("by", ["redirect", "next link"])
def test_a_client_that_follows_no_lead_is_not_accused(tmp_path: Path, by: str) -> None:
    clause = f"secrets.{by.replace(' ', '-')}"
    with third_host() as (host, heard), standing_in(Manner(lead_to=host, lead_by=by)) as standin:
        target = ["aepmock.clients.reference:client"]
        result = judged(standin, tmp_path, target, clause, "connections.list.*")
    assert heard == []
    assert (result.status, verdict(result, clause)) == (0, "met"), result.out + result.err


def test_a_program_that_goes_where_the_service_leads_is_stopped_and_convicted(
    tmp_path: Path,
) -> None:
    with third_host() as (host, heard), standing_in(Manner(lead_to=host)) as standin:
        target = ["--connector=hubspot", "--", sys.executable, NAIVE]
        result = judged(standin, tmp_path, target, "secrets.redirect", "connections.list.*")
    assert heard == []
    assert (result.status, verdict(result, "secrets.redirect")) == (1, "broken"), result.err


@pytest.mark.parametrize("transport", ["auto", "server"])
def test_a_client_that_calls_another_host_is_stopped_and_convicted(
    tmp_path: Path, transport: str
) -> None:
    with standing_in() as standin:
        target = [f"{CLIENTS}:CallsHome", "--transport", transport]
        result = judged(standin, tmp_path, target, "request.base-path", "connections.get.*")
        assert standin.left_behind == []
    assert verdict(result, "request.base-path") == "broken", result.out + result.err
    assert "telemetry.example" in json.dumps(result.report)


def test_a_program_that_calls_another_host_by_the_proxy_is_stopped_and_convicted(
    tmp_path: Path,
) -> None:
    with standing_in() as standin:
        calls = ["--", sys.executable, NAIVE, "https://telemetry.example/v1/events"]
        target = ["--connector=hubspot", *calls]
        result = judged(standin, tmp_path, target, "request.base-path", "connections.get.*")
    assert verdict(result, "request.base-path") == "broken", result.out + result.err
    assert "telemetry.example" in json.dumps(result.report)


def test_only_this_machine_is_reached_through_a_guard_that_is_everywhere() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, guarding((), everywhere=True) as guard:
        port = listener.getsockname()[1]
        for host in ("127.0.0.1", "localhost"):
            socket.create_connection((host, port), timeout=5).close()
        socket.getaddrinfo(None, port)
        assert guard.strangers == []
        for host in (
            "192.0.2.1",
            "elsewhere.example",
            "127.0.0.1.elsewhere.example",
            "2001:db8::1",
        ):
            with pytest.raises(BlockedRequestError, match="no host of this live run"):
                socket.create_connection((host, port), timeout=5)
            assert guard.strangers.pop() == host
        assert guard.attempts == []


# addresses

LEADS = Leads(
    LiveSettings(
        base_url=f"https://gate.example:8443/t/a{BASE}", ims_token_url="https://ims.example/x"
    ),
    BASE,
)
HERE = "http://127.0.0.1:5000"


def led(address: str, origin: str = HERE) -> str:
    request = Request("GET", origin, f"{BASE}/connections")
    response, _ = LEADS.kept_here(request, Response(302, Headers({"Location": address})))
    return str(response.headers.get("location"))


@pytest.mark.parametrize("address", ["/connections?x=1", "connections/1", "?x", "", "#a"])
def test_an_address_without_a_host_stays_as_it_is(address: str) -> None:
    assert led(address) == address


def test_the_services_own_address_leads_back_to_the_kit() -> None:
    assert led(f"https://gate.example:8443/t/a{BASE}/connections?x=1") == (
        f"{HERE}{BASE}/connections?x=1"
    )
    assert led("HTTPS://Gate.Example:8443/t/a/other") == f"{HERE}/t/a/other"
    assert led("https://ims.example/ims/token/v3") == f"{HERE}/ims/token/v3"


@pytest.mark.parametrize(
    "address",
    [
        "https://third.example/x",
        "//third.example/x",
        r"/\third.example/x",
        r"\\third.example/x",
        "https:third.example/x",
        "ht\ntps://third.example/x",
        " \x00https://third.example/x",
        r"https://third.example\@gate.example:8443/x",
        "https://gate.example:8443@third.example/x",
        "https://gate.example/x",
        "http://gate.example:8443/x",
        "https://gate.example:8443.third.example/x",
        "http://[bad/",
        "ftp://third.example/x",
    ],
)
def test_every_other_address_leads_to_the_kits_own_elsewhere(address: str) -> None:
    assert led(address).startswith("http://localhost:5000/")
    assert led(address, "https://platform.adobe.io").startswith(f"{ELSEWHERE}/")
