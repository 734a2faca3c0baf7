"""What faults do to the requests and to the service behind them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from aepmock.faults import FaultInjector
from aepmock.faults.grammar import read_fault
from aepmock.messages import Headers, Request, Response
from aepmock.service import FlowService
from tests.service.flow_caller import Caller


class Scene(Caller):
    """A service behind an injector, and what is asked of it."""

    def __init__(self, *faults: str) -> None:
        super().__init__()
        self.injector = FaultInjector(self.service.contract, self.service.handle, self.service)
        for fault in faults:
            self.injector.fault(read_fault(self.service.contract, fault))

    def ask(self, method: str = "GET", path: str = "/connections", body: Any = None) -> Response:
        return self.injector.handle(self.request(method, path, body))

    def seed(self) -> Mapping[str, Any]:
        return self.service.seed_connection(self.credentials.ims_org_id, self.sandbox)

    def statuses(self, count: int) -> list[int]:
        return [self.ask().status for _ in range(count)]


def test_the_steps_happen_one_after_the_other_and_then_it_is_over() -> None:
    scene = Scene("connections.list: 503, then good, bare 502; times=2")
    assert scene.statuses(7) == [503, 200, 502, 503, 200, 502, 200]
    assert scene.injector.faults == []


def test_what_is_good_in_a_sequence_is_no_stimulus() -> None:
    scene = Scene("connections.list: good, 503")
    assert [scene.ask().injected for _ in range(3)] == [False, True, False]


def test_a_fault_begins_with_the_call_it_is_for() -> None:
    assert Scene("connections.list: 503; call=3; times=2").statuses(5) == [200, 200, 503, 503, 200]


def test_what_is_still_to_come_is_told_as_it_would_have_to_be_told() -> None:
    scene = Scene("connections.list: 503, 502; times=2; call=2")
    told = []
    for _ in range(6):
        told += [str(fault) for fault in scene.injector.faults] or ["nothing"]
        scene.ask()
    assert told == [
        "connections.list: 503, 502; times=2; call=2",
        "connections.list: 503, 502; times=2",
        "connections.list: 502, 503, 502",
        "connections.list: 503, 502",
        "connections.list: 502",
        "nothing",
    ]


def test_only_requests_that_meet_the_conditions_are_faulted() -> None:
    scene = Scene(
        "connections.*: 500; id=an*",
        "connections.*: 502; header=x-sandbox-name=pro*",
        "connections.create: 503; name=b; body=description",
    )
    assert scene.ask().status == 200
    assert scene.ask("GET", "/connections/another").status == 500
    assert scene.ask("GET", "/connections/another").status == 404
    assert scene.ask("POST", "/connections", {"name": "b"}).status == 400
    assert scene.ask("POST", "/connections", {"name": "c", "description": ""}).status == 400
    assert scene.ask("POST", "/connections", {"name": "b", "description": ""}).status == 503
    assert len(scene.injector.faults) == 1


def test_a_connection_is_named_by_its_id_or_by_its_name() -> None:
    scene = Scene("connections.*: 500; name=sh*", "connections.delete: 502; id=*")
    shared = scene.service.seed_connection(
        scene.credentials.ims_org_id, scene.sandbox, name="shared"
    )
    other = scene.seed()
    assert scene.ask("GET", f"/connections/{other['id']}").status == 200
    assert scene.ask("GET", f"/connections/{shared['id']}").status == 500
    assert scene.ask("GET", f"/connections/{shared['id']}").status == 200
    assert scene.ask("DELETE", f"/connections/{other['id']}").status == 502


def test_a_fault_that_waits_lets_the_next_one_happen() -> None:
    assert Scene("connections.list: 500; call=2", "connections.list: 502").statuses(3) == [
        502, 500, 200,
    ]  # fmt: skip


def test_wildcards_name_several_operations_and_paths_of_none_are_let_be() -> None:
    scene = Scene("*: 503; times=2")
    assert scene.ask("GET", "/nothing").status == 404
    assert scene.ask("POST", "/connections", {}).status == 503
    assert scene.ask("GET", "/connections/x").status == 503


@pytest.mark.parametrize(
    ("fault", "held"),
    [
        ("reset", 0),
        ("timeout", 0),
        ("503", 0),
        ("empty body", 0),
        ("redirect 307", 0),
        ("lost answer: reset", 1),
        ("lost answer: 504", 1),
        ("lost answer: html 502", 1),
        ("truncated body", 1),
        ("slow body 1s", 1),
        ("latency 5s", 1),
    ],
)
def test_the_service_is_asked_once_or_not_at_all(fault: str, held: int) -> None:
    asked: list[Request] = []
    service = FlowService()

    def handle(request: Request) -> Response:
        asked.append(request)
        return service.handle(request)

    injector = FaultInjector(service.contract, handle, service)
    injector.fault(read_fault(service.contract, f"*: {fault}"))
    answer = injector.handle(Caller(service).request("GET", "/connections"))
    assert len(asked) == held
    assert answer.injected
    assert answer.effect is not None
    assert answer.effect.fault == fault
    assert (answer.effect.behind is not None) == bool(held)


def test_a_fault_takes_nothing_from_the_services_own_names_and_time() -> None:
    def made(*faults: str) -> tuple[bytes, int]:
        scene = Scene(*faults)
        for _ in faults:
            scene.ask()
        seeded = scene.seed()
        return str(seeded).encode(), scene.service.clock.now_ms()

    assert made() == made("connections.list: 503", "connections.list: reset")


def test_a_status_is_said_in_the_vendors_words_where_there_are_any() -> None:
    scene = Scene("connections.list: 503, 429 retry-after 3s, 502, 1416-400")
    first, second, third, fourth = (scene.ask() for _ in range(4))
    assert first.json["type"].endswith("FLOW-1103-503")
    assert (second.json["error_code"], second.headers.get("retry-after")) == ("429050", "3")
    assert (third.status, third.body) == (502, b"")
    assert (fourth.status, fourth.json["type"].endswith("1416-400")) == (400, True)


def test_the_words_are_those_of_the_reading() -> None:
    scene = Scene("connections.list: 503, 401")
    scene.service.set_readings({"errors.envelope": "short", "gateway.error-code-type": "number"})
    assert "type" not in scene.ask().json
    assert scene.ask().json["error_code"] == 401013


def test_an_expired_token_stays_so_until_there_is_another() -> None:
    scene = Scene("connections.list: expired token; call=2")
    assert scene.statuses(3) == [200, 401, 401]


def test_every_token_expires_when_the_test_says_so() -> None:
    scene = Scene()
    assert scene.statuses(1) == [200]
    scene.service.expire_tokens()
    assert scene.statuses(1) == [401]


def test_where_any_token_is_let_in_one_can_expire_too() -> None:
    service = FlowService(accept_any=True)
    injector = FaultInjector(service.contract, service.handle, service)
    injector.fault(read_fault(service.contract, "connections.list: expired token"))
    headers = {"x-api-key": "k", "x-gw-ims-org-id": "o", "x-sandbox-name": "dev"}

    def ask(token: str) -> int:
        sent = {"Authorization": f"Bearer {token}", **headers}
        path = service.contract.base_path + "/connections"
        return injector.handle(
            Request("GET", "https://platform.adobe.io", path, Headers(sent))
        ).status

    assert [ask("first"), ask("first"), ask("second")] == [401, 401, 200]


def test_another_origin_is_no_service_and_is_told_apart() -> None:
    scene = Scene("connections.list: redirect")
    answer = scene.ask()
    place = answer.headers.get("location") or ""
    assert place == f"https://elsewhere.adobe.io{scene.service.contract.base_path}/connections"
    asked = scene.request("GET", "/connections")
    there = Request("GET", "https://elsewhere.adobe.io", asked.target, asked.headers)
    followed = scene.injector.handle(there)
    assert (followed.status, followed.injected) == (404, True)
    assert followed.effect is not None
    assert followed.effect.elsewhere
    assert scene.ask().status == 200
    scene.injector.clear()
    assert scene.injector.handle(there).status == 200


@pytest.mark.parametrize(
    ("origin", "other"),
    [
        ("http://127.0.0.1:80", "http://localhost:80"),
        ("https://localhost:1", "https://127.0.0.1:1"),
        ("http://[::1]:9", "http://localhost:9"),
    ],
)
def test_on_loopback_the_other_origin_is_the_same_server(origin: str, other: str) -> None:
    scene = Scene("connections.list: redirect 302")
    asked = scene.request("GET", "/connections?limit=1")
    answer = scene.injector.handle(Request("GET", origin, asked.target, asked.headers))
    assert (answer.status, answer.headers.get("location")) == (302, other + asked.target)


def test_a_body_without_octets_cannot_be_cut() -> None:
    scene = Scene("connections.*: truncated body, aborted chunk; times=2")
    seeded = scene.seed()
    answer = scene.ask("DELETE", f"/connections/{seeded['id']}")
    assert answer.effect is not None
    assert (answer.status, answer.effect.ending) == (0, "closed")


def test_time_that_a_client_waits_passes_for_the_mock_too() -> None:
    scene = Scene("connections.list: latency 2s")
    effect = scene.ask().effect
    assert effect is not None
    before = scene.service.clock.now_ms()
    effect.elapsed(2.0, 0.5)
    assert scene.service.clock.now_ms() == before + 2000
    assert scene.injector.waited_s == 0.5
