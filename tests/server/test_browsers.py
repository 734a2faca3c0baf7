"""What reaches a server and is no client's request of Flow Service: shown, and not judged."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from tests.server.running import Running, running

CONNECTIONS = "/data/foundation/flowservice/connections"
PREFLIGHT = {"Origin": "https://a.example", "Access-Control-Request-Method": "POST"}


@pytest.fixture(scope="module")
def shared() -> Iterator[Running]:
    with running() as made:
        yield made


@pytest.fixture
def server(shared: Running) -> Running:
    assert shared.control("POST", "/reset").status == 200
    return shared


def journal(server: Running) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = server.control("GET", "/journal").json["entries"]
    return found


@pytest.mark.parametrize(
    ("path", "page"),
    [("/", "/__aepmock__/"), ("/?x=1", "/__aepmock__/"), ("/t/a/", "/t/a/__aepmock__/")],
)
def test_a_browser_is_led_to_the_page(server: Running, path: str, page: str) -> None:
    answer = server.ask("GET", path)
    assert (answer.status, answer.headers["Location"]) == (307, page)
    assert server.ask("GET", page).body.startswith(b"<!doctype html>")
    assert journal(server) == []


def test_the_redirect_makes_no_mock(server: Running) -> None:
    before = server.control("GET", "/mocks").json
    server.ask("GET", "/t/never-made/")
    assert server.control("GET", "/mocks").json == before


def test_a_browser_finds_no_icon_and_nobody_is_told(server: Running) -> None:
    assert server.ask("GET", "/favicon.ico").status == 204
    assert journal(server) == []


@pytest.mark.parametrize("path", [CONNECTIONS, "/ims/token/v3", "/elsewhere"])
def test_a_preflight_is_shown_as_not_imitated(server: Running, path: str) -> None:
    assert server.ask("OPTIONS", path, headers=PREFLIGHT).status == 501
    assert [(e["verdict"], e["findings"]) for e in journal(server)] == [("not-imitated", [])]
    assert server.control("GET", "/verdict").json["broken"] == 0


def test_another_service_is_shown_as_not_imitated(server: Running) -> None:
    for path in ("/data/foundation/catalog/dataSets", "/data/foundation/flowservice/flows"):
        answer = server.ask("GET", path)
        assert (answer.status, answer.headers["Content-Type"]) == (501, "application/problem+json")
    assert {e["verdict"] for e in journal(server)} == {"not-imitated"}
    assert ["does not imitate" in e["explanation"] for e in journal(server)] == [True, True]


def test_another_connector_is_shown_as_not_imitated(server: Running) -> None:
    s3 = {"id": "ecadc60c-7455-4d87-84dc-2a0e293d997b", "version": "1.0"}
    assert server.create(connectionSpec=s3).status == 501
    assert [e["verdict"] for e in journal(server)] == ["not-imitated"]
    assert server.create(connectionSpec=s3, name=5).status == 501
    assert journal(server)[-1]["verdict"] == "broken"


def test_the_preface_of_http_2_is_judged_by_nobody(server: Running) -> None:
    host, _, port = server.netloc.partition(":")
    with socket.create_connection((host, int(port)), timeout=5) as made:
        made.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        assert made.recv(100).startswith(b"HTTP/1.1 ")
    assert [e["verdict"] for e in journal(server)] == ["not-imitated"]
    assert server.create().status == 201
