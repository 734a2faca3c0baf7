"""The control API, instances, TLS and the guard, over the wire."""

from __future__ import annotations

import http.client
import json
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from aepmock.server.control import ROUTES
from tests.server.running import JSON, Running, running

CONNECTIONS = "/data/foundation/flowservice/connections"


@pytest.fixture(scope="module")
def shared() -> Iterator[Running]:
    with running("--max-journal", "20", "--max-mocks", "4") as made:
        yield made


@pytest.fixture
def server(shared: Running) -> Running:
    assert shared.control("POST", "/reset").status == 200
    for mock in shared.control("GET", "/mocks").json["mocks"][1:]:
        shared.control("DELETE", f"/mocks/{mock['name']}")
    return shared


def test_what_is_said_when_ready_is_enough_for_a_client(server: Running) -> None:
    assert server.ready["schema"] == "aepmock-ready/1"
    assert server.ready["control_url"].endswith("/__aepmock__")
    assert server.create().status == 201


def test_the_journal_explains_a_broken_request_and_hides_secrets(server: Running) -> None:
    assert server.create().status == 201
    server.ask("GET", CONNECTIONS, headers={**server.credentials("my-own-token"), "x-api-key": ""})
    found = server.control("GET", "/journal").json
    first, second = found["entries"][-2:]
    assert (first["verdict"], first["clause"]) == ("ok", None)
    assert second["verdict"] == "broken"
    assert second["clause"] == "request.api-key"
    assert second["findings"][0]["source"]
    assert "+x-api-key" in second["diff"]
    text = json.dumps(found)
    for secret in ("hush", "my-own-token", server.ready["credentials"]["access_token"]):
        assert secret not in text


def test_the_journal_is_bounded_and_goes_on_where_told(server: Running) -> None:
    for _ in range(25):
        server.create()
    found = server.control("GET", "/journal?limit=1000").json["entries"]
    assert len(found) == 20
    page = server.control("GET", f"/journal?since={found[4]['number']}&limit=3").json
    assert [e["number"] for e in page["entries"]] == [e["number"] for e in found[5:8]]
    assert page["next"] == found[7]["number"]


def test_seeds_are_held_and_masked_and_a_reset_forgets_them(server: Running) -> None:
    body = {"connections": [{"name": "a", "auth_params": {"password": "hush"}}, {"in_use": True}]}
    made = server.control("POST", "/seed", body)
    assert made.status == 201
    held = server.control("GET", "/state")
    assert (held.json["count"], held.json["connections"][1]["name"]) == (2, "a")
    assert b"hush" not in held.body + made.body
    server.control("POST", "/reset")
    assert server.control("GET", "/state").json["count"] == 0


def test_a_wrong_seed_puts_nothing_in(server: Running) -> None:
    body = {"connections": [{"name": "a"}, {"state": "nix"}]}
    refused = server.control("POST", "/seed", body)
    assert refused.status == 400
    assert "unknown state 'nix'" in refused.json["detail"]
    assert server.control("GET", "/state").json["count"] == 0


def test_faults_happen_as_often_as_told(server: Running) -> None:
    fault = {"operation": "connections.create", "code": "1103-503", "times": 2}
    assert server.control("POST", "/faults", fault).status == 201
    assert [server.create().status for _ in range(3)] == [503, 503, 201]
    assert server.control("GET", "/journal").json["entries"][-3]["verdict"] == "injected"
    server.control("POST", "/faults", {"operation": "connections.create", "status": 599})
    assert server.control("GET", "/faults").json["faults"][0]["fault"] == "bare 599"
    assert server.control("DELETE", "/faults").json == {"faults": []}
    assert server.create().status == 201


def test_a_fault_is_told_in_words_and_shown_in_the_journal(server: Running) -> None:
    fault = {
        "operation": "connections.create",
        "fault": "lost answer: reset, 429 retry-after 1s",
        "when": {"call": 2},
    }
    before = server.control("GET", "/state").json["count"]
    told = server.control("POST", "/faults", fault).json["faults"]
    assert told == [{**fault, "times": 1}]
    assert server.create().status == 201
    with pytest.raises(ConnectionResetError):
        server.create()
    throttled = server.create()
    assert (throttled.status, throttled.headers["Retry-After"]) == (429, "1")
    assert server.control("GET", "/state").json["count"] == before + 2
    entries = server.control("GET", "/journal").json["entries"][-2:]
    assert [(e["status"], e["verdict"]) for e in entries] == [(0, "injected"), (429, "injected")]
    assert entries[0]["fault"] == "lost answer: reset"
    assert entries[0]["response"].startswith("no answer (a fault: lost answer: reset)")
    assert server.control("GET", "/faults").json == {"faults": []}


def test_a_token_that_a_caller_brought_expires_on_demand(server: Running) -> None:
    assert server.create().status == 201
    assert server.control("POST", "/expire-tokens").status == 200
    assert server.create().status == 401


def test_the_clock_and_the_readings_can_be_moved(server: Running) -> None:
    before = server.control("GET", "/clock").json["now_ms"]
    after = server.control("POST", "/clock", {"advance_s": 3600.5}).json["now_ms"]
    assert after - before >= 3_600_500
    chosen = {"readings": {"connections.create-etag": "absent"}}
    assert "etag" in server.create().json
    assert server.control("POST", "/readings", chosen).status == 200
    assert "etag" not in server.create().json
    assert server.control("POST", "/readings", {"readings": {"nix": "x"}}).status == 400
    assert "etag" not in server.create().json
    assert server.control("DELETE", "/readings").status == 200
    assert "etag" in server.create().json


def test_the_verdict_counts_clauses(server: Running) -> None:
    server.create()
    server.ask("GET", CONNECTIONS)
    found = server.control("GET", "/verdict").json
    clauses = {clause["id"]: clause for clause in found["clauses"]}
    assert (clauses["request.api-key"]["met"], found["requests"]) == (1, 2)
    assert clauses["request.api-key"]["broken"] == 1
    assert found["broken"] > 0


def test_mocks_are_chosen_by_prefix_and_by_token(server: Running) -> None:
    assert server.create(mock="/t/job-1", name="one").status == 201
    own = server.control("POST", "/mocks", {"name": "job-2", "access_token": "token-of-job-2"})
    assert own.json["credentials"]["access_token"] == "token-of-job-2"
    assert server.create(token="token-of-job-2", name="two").status == 201
    minted = server.control("POST", "/mocks", {"name": "job-3"}).json["credentials"]
    assert minted["access_token"] != server.ready["credentials"]["access_token"]
    counts = {m["name"]: m["connections"] for m in server.control("GET", "/mocks").json["mocks"]}
    assert counts == {"": 0, "job-1": 1, "job-2": 1, "job-3": 0}
    held = server.control("GET", "/state", mock="/t/job-1").json
    assert [c["name"] for c in held["connections"]] == ["one"]
    assert server.control("DELETE", "/mocks/job-1").status == 200
    assert server.control("GET", "/state", mock="/t/job-1").json["count"] == 0


def test_the_number_of_mocks_is_bounded(server: Running) -> None:
    answers = [server.create(mock=f"/t/n{n}").status for n in range(6)]
    assert answers == [201] * 4 + [429] * 2
    assert server.create(mock="/t/..").status == 400


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example:80"},
        {"Host": "localhost@evil.example"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Content-Type": "text/plain"},
        {"Content-Type": ""},
    ],
)
def test_other_sites_and_other_names_are_refused(server: Running, headers: dict[str, str]) -> None:
    server.create()
    refused = server.ask("POST", "/__aepmock__/reset", body=b"{}", headers={**JSON, **headers})
    assert refused.status == 403
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert refused.json["detail"]
    if "Content-Type" not in headers:
        assert server.ask("GET", "/__aepmock__/", headers=headers).status == 403
    assert server.control("GET", "/state").json["count"] == 1


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/nix", None, 404),
        ("GET", "/reset", None, 405),
        ("POST", "/seed", b"{", 400),
        ("POST", "/seed", b"[]", 400),
        ("POST", "/seed", {"connections": [1]}, 400),
        ("POST", "/seed", {"connections": [{"nix": 1}]}, 400),
        ("POST", "/clock", {"advance_s": -1}, 400),
        ("POST", "/clock", {"advance_s": True}, 400),
        ("POST", "/clock", b'{"advance_s": 1e300}', 400),
        ("POST", "/faults", {"operation": "nix", "status": 500}, 400),
        ("POST", "/faults", {"operation": "connections.create", "status": 101}, 400),
        ("POST", "/faults", {"operation": "connections.create"}, 400),
        ("POST", "/faults", {"operation": "connections.create", "fault": "resett"}, 400),
        ("POST", "/faults", {"operation": "*", "fault": "503", "when": {"nth": 2}}, 400),
        ("POST", "/faults", {"operation": "*", "fault": "503", "times": 0}, 400),
        ("GET", "/journal?since=x", None, 400),
        ("GET", "/journal?limit=1001", None, 400),
        ("DELETE", "/mocks/nix", None, 404),
        ("POST", "/mocks", {"name": "../x"}, 400),
        ("POST", "/credentials", {"access_token": "a b c d e f"}, 400),
    ],
)
def test_misuse_is_a_problem(
    server: Running, method: str, path: str, body: Any, status: int
) -> None:
    answer = server.control(method, path, body)
    assert (answer.status, answer.json["status"]) == (status, status)
    assert "\n" not in answer.json["detail"]


def test_the_openapi_document_has_every_operation(server: Running) -> None:
    document = server.control("GET", "/openapi.json").json
    assert document["openapi"] == "3.1.0"
    there = {
        (m.upper(), p) for p, item in document["paths"].items() for m in item if m != "parameters"
    }
    own = {("GET", p) for p in ("/events", "/openapi.json", "/mocks")}
    assert there == set(ROUTES) | own | {("POST", "/mocks"), ("DELETE", "/mocks/{name}")}
    server.create()
    schema = {**document["components"]["schemas"]["Entry"]}
    for entry in server.control("GET", "/journal").json["entries"]:
        Draft202012Validator(schema).validate(entry)


def test_events_go_on_after_the_last_one_seen(server: Running) -> None:
    for _ in range(3):
        server.create()
    numbers = [e["number"] for e in server.control("GET", "/journal").json["entries"]]
    made = http.client.HTTPConnection(server.netloc, timeout=5)
    made.request("GET", "/__aepmock__/events", headers={"Last-Event-ID": str(numbers[1])})
    stream = made.getresponse()
    assert stream.headers["Content-Type"].startswith("text/event-stream")
    assert _next_event(stream)[0] == str(numbers[2])
    server.create()
    assert _next_event(stream) == (str(numbers[2] + 1), "exchange")
    made.close()


def _next_event(stream: http.client.HTTPResponse) -> tuple[str, str]:
    found: dict[str, str] = {}
    while line := stream.readline().decode():
        name, _, value = line.rstrip("\n").partition(": ")
        found[name] = value
        if not name and "event" in found:
            return found.get("id", ""), found["event"]
    raise AssertionError("the stream ended")


def test_tls_is_trusted_by_its_file_which_goes_with_the_server() -> None:
    with running("--tls") as server:
        path = Path(server.ready["ca_file"])
        assert server.ready["base_url"].startswith("https://127.0.0.1:")
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        assert b"PRIVATE" not in path.read_bytes()
        assert server.create().status == 201
    assert not path.parent.exists()


def test_with_a_control_token_nobody_else_gets_in() -> None:
    with running("--host", "0.0.0.0", "--control-token", "a-token") as server:
        for path in ("/", "/state", "/openapi.json", "/page.js", "/events"):
            assert server.control("GET", path).status == 401
        shown = {"Authorization": "Bearer a-token"}
        assert server.ask("GET", "/__aepmock__/state", headers=shown).status == 200
        login = server.ask("GET", "/__aepmock__/?token=a-token")
        assert (login.status, login.headers["Location"]) == (303, "/__aepmock__/")
        cookie = {"Cookie": login.headers["Set-Cookie"].partition(";")[0]}
        assert server.ask("GET", "/__aepmock__/", headers=cookie).status == 200
        assert server.ask("GET", "/__aepmock__/?token=another").status == 401
        assert server.create().status == 201
