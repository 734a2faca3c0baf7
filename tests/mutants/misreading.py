"""Mutants that take a value for something else: one that they send, or one that they read."""

from __future__ import annotations

import json
from string import Template
from typing import Any

import httpx

from aepmock.client_api import NewConnection
from aepmock.clients.reference import Answer, ReferenceClient
from tests.mutants.creating import WithBody
from tests.mutants.registry import breaks


class _WithParams(WithBody):
    """A client whose auth params are changed on their way, the texts among them."""

    def change(self, body: dict[str, Any], connection: NewConnection) -> None:
        if "auth" in body:
            params: dict[str, Any] = body["auth"]["params"]
            body["auth"]["params"] = {
                name: self.param(value) if isinstance(value, str) else value
                for name, value in params.items()
            }

    def param(self, value: str) -> Any:
        raise NotImplementedError


@breaks("connections.create.auth-params")
class strips_its_params(_WithParams):
    def param(self, value: str) -> Any:
        return value.strip()


@breaks("connections.create.auth-params")
class leaves_empty_params_out(WithBody):
    def change(self, body: dict[str, Any], connection: NewConnection) -> None:
        if "auth" in body:
            params: dict[str, Any] = body["auth"]["params"]
            body["auth"]["params"] = {k: v for k, v in params.items() if v != ""}


@breaks("connections.create.auth-params")
class cuts_a_very_long_param(_WithParams):
    def param(self, value: str) -> Any:
        return value[:4096]


@breaks("connections.create.auth-params")
class takes_params_for_json(_WithParams):
    def param(self, value: str) -> Any:
        try:
            return json.loads(value)
        except ValueError:
            return value


@breaks("connections.create.auth-params")
class takes_digits_for_a_number(_WithParams):
    def param(self, value: str) -> Any:
        return int(value) if value.isdecimal() else value


@breaks("connections.create.auth-params")
class takes_a_word_for_a_boolean(_WithParams):
    def param(self, value: str) -> Any:
        return {"true": True, "false": False}.get(value, value)


@breaks("connections.create.auth-params")
class takes_nothing_for_null(_WithParams):
    def param(self, value: str) -> Any:
        return value if value not in ("", "null", "None") else None


@breaks("connections.create.auth-params")
class fills_templates_in(_WithParams):
    def param(self, value: str) -> Any:
        known = _Anything()
        return Template(value).safe_substitute(known)


class _Anything(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return ""


@breaks("connections.create.auth-params")
class fills_double_braces_in(_WithParams):
    def param(self, value: str) -> Any:
        return value.replace("{{", "").replace("}}", "")


@breaks("connections.create.auth-params")
class formats_as_python_of_old(_WithParams):
    def param(self, value: str) -> Any:
        try:
            return value % _Anything()
        except (TypeError, ValueError):
            return value


class _Reading(ReferenceClient):
    """A client that reads the octets of a success in its own way."""

    def document(self, answer: Answer) -> Any:
        self.checked(answer)
        try:
            return self.read(answer)
        except ValueError:
            raise self.error(answer) from None

    def read(self, answer: Answer) -> Any:
        raise NotImplementedError


@breaks(
    "connections.get.unwrapped",
    also=("connections.list.items", "connections.explore.answer"),
)
class reads_octets_as_iso_8859_1(_Reading):
    def read(self, answer: Answer) -> Any:
        return json.loads(answer.content.decode("latin-1"))


@breaks(
    "connections.get.unwrapped",
    also=("connections.list.items",),
)
class keeps_the_encoding_of_its_first_answer(_Reading):
    """Which it guesses, and the first one had nothing outside ASCII."""

    encoding: str | None = None

    def read(self, answer: Answer) -> Any:
        if self.encoding is None:
            self.encoding = "ascii" if answer.content.isascii() else "utf-8"
        return json.loads(answer.content.decode(self.encoding, "replace"))


@breaks(
    "connections.get.unwrapped",
    also=(
        "connections.create.returns-id",
        "connections.create.returns-etag",
        "connections.list.all-pages",
        "connections.count.value",
        "connections.update.returns-etag",
        "connections.explore.answer",
    ),
)
class takes_what_does_not_begin_with_a_brace_for_nothing(_Reading):
    def read(self, answer: Answer) -> Any:
        text = answer.text
        if text[:1] == "\ufeff":
            return {"items": [{}], "id": "", "etag": "", "result": True, "count": 0}
        return json.loads(text)


@breaks("connections.list.items", also=("connections.get.unwrapped",))
class keeps_times_in_32_bits(ReferenceClient):
    def read_items(self, answer: httpx.Response) -> list[dict[str, Any]]:
        items = super().read_items(answer)
        return [
            {k: v & 0x7FFFFFFF if k in ("createdAt", "updatedAt") else v for k, v in item.items()}
            for item in items
        ]


@breaks("connections.explore.answer")
class takes_every_number_for_a_float(_Reading):
    def read(self, answer: Answer) -> Any:
        return json.loads(answer.content, parse_int=lambda text: _whole(float(text)))


def _whole(number: float) -> float | int:
    return int(number) if number.is_integer() else number


@breaks("connections.explore.answer")
class takes_booleans_for_numbers(ReferenceClient):
    def explore_connection(self, connection_id: str, **rest: Any) -> Any:
        return _numbered(super().explore_connection(connection_id, **rest))


def _numbered(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _numbered(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_numbered(part) for part in value]
    return int(value) if isinstance(value, bool) else value


@breaks("connections.count.value")
class counts_in_32_bits(ReferenceClient):
    def read_count(self, answer: httpx.Response) -> int:
        return super().read_count(answer) & 0x7FFFFFFF
