"""Answers that a test puts in front of the service."""

from __future__ import annotations

from aepmock.faults import FaultInjector
from aepmock.messages import Headers, Request, Response
from tests.service.flow_caller import Caller


def interposed() -> tuple[Caller, FaultInjector]:
    caller = Caller()
    return caller, FaultInjector(caller.service.contract, caller.service.handle)


def test_an_answer_is_given_as_often_as_told_and_the_service_sees_nothing() -> None:
    caller, injector = interposed()
    injector.answer("connections.list", Response(503), times=2)
    ask = caller.request("GET", "/connections?limit=1")
    before = caller.service.clock.now_ms()
    assert [injector.handle(ask).status for _ in range(2)] == [503, 503]
    assert caller.service.clock.now_ms() == before
    assert injector.handle(ask).status == 200


def test_only_the_operation_named_is_answered_for() -> None:
    caller, injector = interposed()
    injector.answer("connections.create", Response(504))
    assert injector.handle(caller.request("GET", "/connections")).status == 200
    assert injector.handle(caller.request("GET", "/nothing")).status == 404
    assert injector.handle(caller.request("POST", "/connections/", {})).status == 504


def test_scripts_of_one_operation_come_in_order() -> None:
    caller, injector = interposed()
    for status in (500, 502):
        injector.answer("connections.list", Response(status))
    ask = caller.request("GET", "/connections")
    assert [injector.handle(ask).status for _ in range(3)] == [500, 502, 200]


def test_what_a_test_put_in_is_marked() -> None:
    caller, injector = interposed()
    injector.answer("connections.list", Response(500))
    injector.change("connections.list", lambda _, answer: answer)
    ask = caller.request("GET", "/connections")
    assert [injector.handle(ask).injected for _ in range(3)] == [True, True, False]


def test_a_change_sees_request_and_answer() -> None:
    caller, injector = interposed()
    seen: list[tuple[str, int]] = []

    def change(request: Request, answer: Response) -> Response:
        seen.append((request.method, answer.status))
        return Response(answer.status, Headers([("x", "y")]), answer.body)

    injector.change("connections.list", change)
    assert injector.handle(caller.request("GET", "/connections")).headers.get("x") == "y"
    assert seen == [("GET", 200)]


def test_cleared_scripts_are_forgotten() -> None:
    caller, injector = interposed()
    injector.answer("connections.list", Response(500), times=9)
    injector.clear()
    assert injector.handle(caller.request("GET", "/connections")).status == 200
