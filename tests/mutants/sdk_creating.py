"""Generated SDKs that write something else than they were given."""

from __future__ import annotations

import functools
import html
import json
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from aepmock.client_api import ClientSettings, NewConnection
from tests.mutants.registry import breaks
from tests.mutants.sdk_base import ApiException, ApiResponse, CreateConnectionRequest, SdkClient


class Rewriting(SdkClient):
    """Hooks that see the body of a create before it is sent."""

    def post(self, body: dict[str, Any]) -> ApiResponse:
        return super().post(self.rewritten(body))

    def rewritten(self, body: dict[str, Any]) -> dict[str, Any]:
        return body


@breaks("connections.create.name")
class escapes_the_name_for_html(Rewriting):
    def rewritten(self, body: dict[str, Any]) -> dict[str, Any]:
        return {**body, "name": html.escape(body["name"], quote=False)}


@breaks("connections.create.name")
class collapses_blanks_in_the_name(Rewriting):
    def rewritten(self, body: dict[str, Any]) -> dict[str, Any]:
        return {**body, "name": " ".join(body["name"].split(" ")).replace("  ", " ")}


@breaks("connections.create.name")
class drops_what_is_beyond_the_first_plane(Rewriting):
    def rewritten(self, body: dict[str, Any]) -> dict[str, Any]:
        return {**body, "name": "".join(c for c in body["name"] if ord(c) < 0x10000)}


@breaks("connections.create.name")
class makes_compatible_characters_plain(Rewriting):
    """NFKC: the ligature becomes two letters, the wide digit a plain one."""

    def rewritten(self, body: dict[str, Any]) -> dict[str, Any]:
        return {**body, "name": unicodedata.normalize("NFKC", body["name"])}


@breaks("connections.create.name")
class makes_line_ends_alike(Rewriting):
    def rewritten(self, body: dict[str, Any]) -> dict[str, Any]:
        return {**body, "name": body["name"].replace("\r\n", "\n").replace("\r", "\n")}


@breaks("connections.create.description")
class cuts_the_description_at_255(Rewriting):
    def rewritten(self, body: dict[str, Any]) -> dict[str, Any]:
        if "description" in body:
            body["description"] = body["description"][:255]
        return body


@breaks("connections.create.description-absent")
class fills_the_description_with_the_name(Rewriting):
    def rewritten(self, body: dict[str, Any]) -> dict[str, Any]:
        return {"description": body["name"], **body}


@breaks("connections.create.spec-id")
class writes_ids_in_capitals(Rewriting):
    def rewritten(self, body: dict[str, Any]) -> dict[str, Any]:
        spec = body["connectionSpec"]
        return {**body, "connectionSpec": {**spec, "id": spec["id"].upper()}}


@breaks("connections.create.description-absent")
class keeps_the_description_from_create_to_create(SdkClient):
    """One mutable request object for all creates, filled with what is given."""

    def __init__(self, settings: ClientSettings) -> None:
        super().__init__(settings)
        self.last: dict[str, Any] = {}

    def create_connection(self, connection: NewConnection) -> dict[str, Any]:
        self.last.update(CreateConnectionRequest.of(connection).to_dict())
        return self.written(self.post(dict(self.last)))


@breaks("connections.create.one-post")
class takes_what_has_the_same_name(SdkClient):
    """Get or create: where the name is taken, nothing is created and no one is told."""

    def create_connection(self, connection: NewConnection) -> dict[str, Any]:
        for item in self.list_connections():
            if item.get("name") == connection.name:
                return {"id": item["id"], "etag": item.get("etag")}
        return super().create_connection(connection)


@breaks("connections.create.one-post")
class remembers_creates_by_name(SdkClient):
    """A cache decorator that went one method too far."""

    def __init__(self, settings: ClientSettings) -> None:
        super().__init__(settings)
        self._made = functools.lru_cache(maxsize=128)(self._create)
        self._asked: dict[str, NewConnection] = {}

    def create_connection(self, connection: NewConnection) -> dict[str, Any]:
        self._asked[connection.name] = connection
        return dict(self._made(connection.name))

    def _create(self, name: str) -> dict[str, Any]:
        return super().create_connection(self._asked[name])


@breaks("connections.create.one-post")
class posts_again_when_it_cannot_read_the_answer(SdkClient):
    """Retries on its own exception type, whatever that came from."""

    def create_connection(self, connection: NewConnection) -> dict[str, Any]:
        try:
            return super().create_connection(connection)
        except ApiException as trouble:
            if trouble.status != 201:
                raise
            return super().create_connection(connection)


@breaks("connections.create.one-post")
class posts_again_after_a_502(SdkClient):
    def post(self, body: dict[str, Any]) -> ApiResponse:
        try:
            return super().post(body)
        except ApiException as trouble:
            if trouble.status != 502:
                raise
            return super().post(body)


@breaks("connections.create.one-post", also=("request.unasked-writes",))
class deletes_what_it_created_without_an_etag(SdkClient):
    """Cleans up after a create that it takes for a failure, which it then makes again."""

    def create_connection(self, connection: NewConnection) -> dict[str, Any]:
        made = super().create_connection(connection)
        if made["etag"] is None:
            self.delete_connection(made["id"])
            made = super().create_connection(connection)
        return made


@breaks(
    "connections.create.json-body",
    also=(
        "connections.create.name",
        "connections.update.operations",
    ),
)
class sends_what_latin_1_can_hold_in_latin_1(SdkClient):
    def serialize(self, body: Any) -> bytes:
        text = json.dumps(body, ensure_ascii=False)
        try:
            return text.encode("latin-1")
        except UnicodeEncodeError:
            return text.encode()


@breaks("connections.update.operations")
class leaves_empty_values_out_of_operations(SdkClient):
    def update_connection(
        self, connection_id: str, etag: str, operations: Sequence[Mapping[str, Any]]
    ) -> dict[str, Any]:
        slim = [{k: v for k, v in op.items() if v or k != "value"} for op in operations]
        return super().update_connection(connection_id, etag, slim)


@breaks("connections.update.operations")
class keeps_one_operation_a_path(SdkClient):
    def update_connection(
        self, connection_id: str, etag: str, operations: Sequence[Mapping[str, Any]]
    ) -> dict[str, Any]:
        last = {op["path"]: op for op in operations}
        return super().update_connection(connection_id, etag, list(last.values()))


@breaks("connections.update.operations")
class tests_before_it_replaces(SdkClient):
    """Adds a test operation of its own in front."""

    def update_connection(
        self, connection_id: str, etag: str, operations: Sequence[Mapping[str, Any]]
    ) -> dict[str, Any]:
        test = {"op": "test", "path": "/id", "value": connection_id}
        return super().update_connection(connection_id, etag, [test, *operations])


@breaks("connections.update.operations", also=("connections.update.etag-verbatim",))
class sends_one_patch_an_operation(SdkClient):
    def update_connection(
        self, connection_id: str, etag: str, operations: Sequence[Mapping[str, Any]]
    ) -> dict[str, Any]:
        done: dict[str, Any] = {"id": connection_id, "etag": etag}
        for operation in operations:
            done = super().update_connection(connection_id, done["etag"], [operation])
        return done


@breaks("connections.update.etag-verbatim", also=("connections.update.etag-quotes",))
class quotes_the_etag_once_more(SdkClient):
    """Etags with a backslash in them, as printed in a log, are taken for JSON."""

    def patch(self, connection_id: str, etag: str, body: Any) -> ApiResponse:
        return super().patch(connection_id, json.dumps(etag.strip('"')), body)


@breaks("connections.update.etag-verbatim")
class takes_weak_etags_for_strong_ones(SdkClient):
    def patch(self, connection_id: str, etag: str, body: Any) -> ApiResponse:
        return super().patch(connection_id, etag.removeprefix("W/"), body)


@breaks("connections.update.etag-verbatim")
class sends_the_etag_in_lower_case(SdkClient):
    def patch(self, connection_id: str, etag: str, body: Any) -> ApiResponse:
        return super().patch(connection_id, etag if etag[:2] == "W/" else etag.lower(), body)


@breaks("request.content-type")
class patches_as_json_patch(SdkClient):
    def request(
        self, method: str, url: str, headers: Mapping[str, str], data: bytes | None
    ) -> ApiResponse:
        if method == "PATCH":
            headers = {**headers, "Content-Type": "application/json-patch+json"}
        return super().request(method, url, headers, data)
