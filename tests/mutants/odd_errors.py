"""Clients that report errors in unusual but legitimate ways: status and code can be reached."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx

from aepmock.clients.reference import Answer, ReferenceClient
from aepmock.errors import ClientError
from tests.mutants.registry import correct


class Problem:
    """What a refusal said, without a dict to look into."""

    __slots__ = ("error_code", "http")

    def __init__(self, http: int, error_code: str | None) -> None:
        self.http = http
        self.error_code = error_code


class Failures(Exception):
    """Problems of one call, in a list."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("the call failed")
        self.problems = problems


@correct()
class raises_a_list_of_problems(ReferenceClient):
    def error(self, answer: Answer) -> Any:
        return Failures([Problem(answer.status_code, self.code(answer))])


@correct()
class raises_groups(ReferenceClient):
    def error(self, answer: Answer) -> Any:
        return ExceptionGroup("the call failed", [super().error(answer)])


@correct()
class raises_what_httpx_raises(ReferenceClient):
    """Who catches it has the response, and so the body."""

    def error(self, answer: Answer) -> Any:
        return httpx.HTTPStatusError("refused", request=answer.request, response=answer)


class Lazy(Exception):
    """Reads status and code out of the answer once someone asks."""

    def __init__(self, answer: Answer, code: str | None) -> None:
        super().__init__("the call failed")
        self._read: Callable[[], tuple[int, str | None]] = lambda: (answer.status_code, code)

    @property
    def status(self) -> int:
        return self._read()[0]

    @property
    def code(self) -> str | None:
        return self._read()[1]


@correct()
class raises_an_error_with_properties(ReferenceClient):
    def error(self, answer: Answer) -> Any:
        return Lazy(answer, self.code(answer))


@correct()
class raises_from_a_cause(ReferenceClient):
    def send(self, request: httpx.Request) -> Answer:
        return super().send(request)

    def checked(self, answer: Answer) -> Answer:
        try:
            return super().checked(answer)
        except ClientError as error:
            raise RuntimeError("the call failed") from error


@correct()
class raises_the_service_s_words(ReferenceClient):
    """FLOW-1404-412 in a text is a status and a code."""

    def error(self, answer: Answer) -> Any:
        code = self.code(answer)
        flow = code and len(code) == 8
        return LookupError(f"FLOW-{code}" if flow else f"{answer.status_code} {code or ''}")
