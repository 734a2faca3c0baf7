"""Mutants of the exploration of a connection: its parameters and its answer."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from aepmock.clients.reference import ReferenceClient
from tests.mutants.registry import breaks


class _WithQuery(ReferenceClient):
    """A client whose exploration's parameters are changed on their way, in one place."""

    def explore_request(
        self,
        connection_id: str,
        object_type: str,
        object: str | None,
        file_type: str | None,
        preview: bool | None,
        source_params: Mapping[str, Any] | None,
    ) -> httpx.Request:
        self._given = source_params
        return super().explore_request(
            connection_id, object_type, object, file_type, preview, source_params
        )

    def query(self, pairs: Sequence[tuple[str, str]]) -> str:
        given = dict(pairs)
        return super().query(list(self.change(given).items()) if "objectType" in given else pairs)

    def change(self, given: dict[str, str]) -> dict[str, str]:
        raise NotImplementedError


@breaks("connections.explore.object-type")
class asks_for_the_root_always(_WithQuery):
    def change(self, given: dict[str, str]) -> dict[str, str]:
        return {**given, "objectType": "root"}


@breaks("connections.explore.object-type", also=("request.query-parameters",))
class writes_object_type_in_snake_case(_WithQuery):
    def change(self, given: dict[str, str]) -> dict[str, str]:
        return {"object_type" if n == "objectType" else n: v for n, v in given.items()}


@breaks("connections.explore.object")
class writes_the_object_in_base64(_WithQuery):
    def change(self, given: dict[str, str]) -> dict[str, str]:
        if "object" in given:
            given["object"] = base64.b64encode(given["object"].encode()).decode()
        return given


@breaks("connections.explore.object")
class puts_the_object_in_lower_case(_WithQuery):
    def change(self, given: dict[str, str]) -> dict[str, str]:
        return {n: v.lower() if n == "object" else v for n, v in given.items()}


@breaks("connections.explore.object")
class encodes_the_object_twice(_WithQuery):
    def change(self, given: dict[str, str]) -> dict[str, str]:
        return {
            n: str(httpx.QueryParams({"": v}))[1:] if n == "object" else v for n, v in given.items()
        }


@breaks("connections.explore.preview")
class drops_the_preview(_WithQuery):
    def change(self, given: dict[str, str]) -> dict[str, str]:
        return {n: v for n, v in given.items() if n != "preview"}


@breaks("connections.explore.preview")
class writes_a_preview_as_1(_WithQuery):
    def change(self, given: dict[str, str]) -> dict[str, str]:
        return {n: "1" if (n, v) == ("preview", "true") else v for n, v in given.items()}


@breaks("connections.explore.source-params")
class sends_source_params_as_json(_WithQuery):
    def change(self, given: dict[str, str]) -> dict[str, str]:
        if "sourceParams" in given:
            given["sourceParams"] = json.dumps(dict(self._given or {}))
        return given


@breaks("connections.explore.source-params")
class sends_source_params_as_python_writes_them(_WithQuery):
    def change(self, given: dict[str, str]) -> dict[str, str]:
        if "sourceParams" in given:
            text = str(dict(self._given or {}))
            given["sourceParams"] = base64.b64encode(text.encode()).decode()
        return given


@breaks("connections.explore.answer")
class returns_the_columns_only(ReferenceClient):
    def document(self, answer: httpx.Response) -> Any:
        document = super().document(answer)
        if "/explore" in str(answer.request.url) and isinstance(document, dict):
            return next(iter(document.values()))
        return document


@breaks("connections.explore.answer")
class returns_the_names_of_what_it_found(ReferenceClient):
    def explore_connection(self, connection_id: str, **rest: Any) -> Any:
        document = super().explore_connection(connection_id, **rest)
        if isinstance(document, list):
            return [entry.get("name") for entry in document if isinstance(entry, dict)]
        return document


@breaks("connections.explore.file-type")
class drops_the_file_type(_WithQuery):
    def change(self, given: dict[str, str]) -> dict[str, str]:
        return {n: v for n, v in given.items() if n != "fileType"}


@breaks("connections.explore.preview")
class writes_a_preview_as_python_does(_WithQuery):
    def change(self, given: dict[str, str]) -> dict[str, str]:
        return {n: v.capitalize() if n == "preview" else v for n, v in given.items()}


@breaks("connections.explore.source-params")
class writes_source_params_for_file_names(_WithQuery):
    """In the alphabet of base64 that URLs need no escapes for, which nobody documents."""

    def change(self, given: dict[str, str]) -> dict[str, str]:
        if "sourceParams" in given:
            given["sourceParams"] = given["sourceParams"].translate(str.maketrans("+/", "-_"))
        return given


@breaks("connections.explore.source-params")
class leaves_base64_as_it_is(ReferenceClient):
    """A + in a query is read as a blank."""

    def query(self, pairs: Sequence[tuple[str, str]]) -> str:
        plain = [pair for pair in pairs if pair[0] != "sourceParams"]
        text = super().query(plain)
        return text + "".join(f"&{n}={v}" for n, v in pairs if n == "sourceParams")


@breaks("connections.explore.source-params")
class makes_texts_of_source_params(ReferenceClient):
    def explore_connection(
        self, connection_id: str, *, source_params: Mapping[str, Any] | None = None, **rest: Any
    ) -> Any:
        if source_params is not None:
            source_params = {n: str(v) for n, v in source_params.items()}
        return super().explore_connection(connection_id, source_params=source_params, **rest)
