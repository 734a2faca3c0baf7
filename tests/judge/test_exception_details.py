"""What counts as an error that says its status and code, and what does not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any, NamedTuple

import httpx
import pytest
import requests

from aepmock.errors import ClientError
from aepmock.judge.exception_details import knows_code, knows_status

BODY = b'{"type":"https://ns.adobe.com/aep/errors/FLOW-1404-412","status":412}'


class Plain(Exception):
    """An error with whatever attributes it is given."""

    def __init__(self, text: str = "the call failed", **attributes: Any) -> None:
        super().__init__(text)
        self.__dict__.update(attributes)


class Slotted:
    __slots__ = ("code", "number")

    def __init__(self, number: int, code: str) -> None:
        self.number = number
        self.code = code


class Pair(NamedTuple):
    number: int
    code: str


@dataclass(frozen=True, slots=True)
class Record:
    http: int = 412
    details: dict[str, Any] = field(default_factory=lambda: {"flow": "FLOW-1404-412"})


class WithProperties(Exception):
    @property
    def status_code(self) -> int:
        return int(str(412))

    @property
    def error_code(self) -> str:
        return "1404-412"


class WithBrokenProperties(Exception):
    @property
    def status_code(self) -> int:
        raise AttributeError("no answer was read")

    @property
    def code(self) -> str:
        raise RuntimeError("not now")


class SlottedError(Exception):
    __slots__ = ("violation",)

    def __init__(self) -> None:
        super().__init__("the call failed")
        self.problem = Slotted(412, "1404-412")


def of_httpx() -> Exception:
    request = httpx.Request("PATCH", "https://platform.adobe.io/x")
    answer = httpx.Response(412, content=BODY, request=request)
    return httpx.HTTPStatusError("refused", request=request, response=answer)


def of_requests() -> Exception:
    answer = requests.Response()
    answer.status_code = 412
    answer._content = BODY
    return requests.HTTPError("refused", response=answer)


def caused() -> Exception:
    error = RuntimeError("the call failed")
    error.__cause__ = ClientError(status=412, code="1404-412")
    return error


def in_context() -> Exception:
    try:
        try:
            raise ClientError(status=412, code="1404-412")
        except ClientError:
            raise RuntimeError("the call failed") from None
    except RuntimeError as error:
        return error


def with_note() -> Exception:
    error = RuntimeError("the call failed")
    error.add_note("the service said FLOW-1404-412")
    return error


SAY_BOTH: list[Callable[[], BaseException]] = [
    lambda: ClientError(status=412, code="1404-412"),
    lambda: Plain("FLOW-1404-412"),
    lambda: Plain("conflict (HTTP 412, 1404-412)"),
    lambda: Plain(status="412", code="FLOW-1404-412"),
    lambda: Plain(status=HTTPStatus.PRECONDITION_FAILED, error={"code": "1404-412"}),
    lambda: Plain(violations=[Slotted(412, "1404-412")]),
    lambda: Plain(violations=(Pair(412, "1404-412"),)),
    lambda: Plain(violation=Record()),
    lambda: Plain(violation=SimpleNamespace(inner=SimpleNamespace(n=412, c="1404-412"))),
    lambda: Plain(response=SimpleNamespace(status_code=412, content=BODY)),
    lambda: Plain(body=BODY),
    lambda: LookupError(412, "1404-412"),
    lambda: LookupError({"status": 412, "code": "1404-412"}),
    lambda: ExceptionGroup("failed", [ClientError(status=412, code="1404-412")]),
    lambda: LookupError(ClientError(status=412, code="1404-412")),
    WithProperties,
    SlottedError,
    of_httpx,
    of_requests,
    caused,
    in_context,
    with_note,
]


@pytest.mark.parametrize("make", SAY_BOTH)
def test_what_a_catcher_can_reach_counts(make: Callable[[], BaseException]) -> None:
    error = make()
    assert knows_status(error, 412)
    assert knows_code(error, "1404-412")


SAY_NEITHER: list[Callable[[], BaseException]] = [
    lambda: Plain("the call failed"),
    lambda: Plain("4120 connections"),
    lambda: Plain(retry=True, attempts=1),
    lambda: Plain(kind=ClientError, make=of_httpx),
    WithBrokenProperties,
]


@pytest.mark.parametrize("make", SAY_NEITHER)
def test_an_error_that_says_neither_is_known_for_it(make: Callable[[], BaseException]) -> None:
    error = make()
    assert not knows_status(error, 412)
    assert not knows_code(error, "1404-412")


def test_a_truth_value_is_no_status() -> None:
    assert not knows_status(Plain(status=True), 1)


def test_a_status_of_another_answer_is_not_the_status() -> None:
    assert not knows_status(ClientError(status=404, code="1439-404"), 412)


@pytest.mark.parametrize("value", [403010, "403010"])
def test_a_code_of_digits_may_be_a_number(value: object) -> None:
    assert knows_code(Plain(error_code=value), "403010")


def test_errors_that_name_each_other_do_not_go_on_for_ever() -> None:
    one, other = Plain("one"), Plain("other")
    one.__cause__, other.__cause__ = other, one
    assert not knows_status(one, 412)


def test_a_record_that_holds_itself_does_not_go_on_for_ever() -> None:
    record = SimpleNamespace(text="nothing")
    record.own = record
    assert not knows_status(Plain(record=record), 412)
