"""Mutants of family 5: etags, conflicts and patches; and deletions that are none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import httpx

from aepmock.client_api import ClientSettings
from aepmock.clients.reference import Answer, ReferenceClient
from aepmock.errors import ClientError
from tests.mutants.registry import breaks

Operations = Sequence[Mapping[str, Any]]


class _WithPatch(ReferenceClient):
    """A client whose PATCH is changed on its way, in one place."""

    def update_request(
        self, connection_id: str, etag: str, operations: Operations
    ) -> httpx.Request:
        request = super().update_request(connection_id, etag, operations)
        self.change(request, etag)
        return request

    def change(self, request: httpx.Request, etag: str) -> None:
        raise NotImplementedError


@breaks("connections.update.sent")
class leaves_a_known_update_out(ReferenceClient):
    """Compares with what it sent last, which someone else may have changed since."""

    def __init__(self, settings: ClientSettings) -> None:
        super().__init__(settings)
        self._sent: dict[str, tuple[list[Any], dict[str, Any]]] = {}

    def update_connection(
        self, connection_id: str, etag: str, operations: Operations
    ) -> dict[str, Any]:
        wanted = [dict(operation) for operation in operations]
        before, made = self._sent.get(connection_id, ([], {}))
        if wanted == before:
            return made
        made = super().update_connection(connection_id, etag, operations)
        self._sent[connection_id] = (wanted, made)
        return made


@breaks("connections.update.sent")
class keeps_updates_until_it_is_closed(ReferenceClient):
    def __init__(self, settings: ClientSettings) -> None:
        super().__init__(settings)
        self._kept: list[httpx.Request] = []

    def update_connection(
        self, connection_id: str, etag: str, operations: Operations
    ) -> dict[str, Any]:
        self._kept.append(self.update_request(connection_id, etag, operations))
        return {"id": connection_id, "etag": etag}


@breaks("connections.update.if-match")
class leaves_if_match_out(_WithPatch):
    def change(self, request: httpx.Request, etag: str) -> None:
        del request.headers["If-Match"]


@breaks("connections.update.if-match", also=("request.query-parameters",))
class sends_the_etag_in_the_query(_WithPatch):
    def change(self, request: httpx.Request, etag: str) -> None:
        del request.headers["If-Match"]
        request.url = request.url.copy_add_param("etag", etag)


@breaks("connections.update.if-match")
class calls_the_header_etag(_WithPatch):
    def change(self, request: httpx.Request, etag: str) -> None:
        request.headers["ETag"] = request.headers.pop("If-Match")


@breaks("connections.update.etag-quotes")
class strips_the_quotes_of_the_etag(_WithPatch):
    def change(self, request: httpx.Request, etag: str) -> None:
        request.headers["If-Match"] = etag.strip('"')


@breaks("connections.update.etag-quotes")
class quotes_a_quoted_etag(_WithPatch):
    def change(self, request: httpx.Request, etag: str) -> None:
        request.headers["If-Match"] = f'"{etag}"'


@breaks("connections.update.etag-verbatim", also=("connections.update.etag-quotes",))
class makes_the_etag_a_weak_one(_WithPatch):
    def change(self, request: httpx.Request, etag: str) -> None:
        request.headers["If-Match"] = f"W/{etag}"


@breaks("connections.update.etag-verbatim")
class writes_the_etag_in_capitals(_WithPatch):
    def change(self, request: httpx.Request, etag: str) -> None:
        request.headers["If-Match"] = etag.upper()


@breaks(
    "connections.update.etag-verbatim",
    also=("connections.update.no-lost-update", "connections.update.concurrent"),
)
class matches_anything(_WithPatch):
    def change(self, request: httpx.Request, etag: str) -> None:
        request.headers["If-Match"] = "*"


@breaks(
    "connections.update.etag-verbatim",
    also=("connections.update.no-lost-update", "connections.update.concurrent"),
)
class reads_the_etag_just_before(ReferenceClient):
    def update_connection(
        self, connection_id: str, etag: str, operations: Operations
    ) -> dict[str, Any]:
        fresh = self.get_connection(connection_id)["etag"]
        return super().update_connection(connection_id, fresh, operations)


@breaks(
    "connections.update.conflict-reported", also=("errors.service", "connections.update.concurrent")
)
class returns_nothing_after_a_conflict(ReferenceClient):
    def update_connection(self, connection_id: str, etag: str, operations: Operations) -> Any:
        answer = self.send(self.update_request(connection_id, etag, operations))
        return None if answer.status_code == 412 else self.read_updated(answer)


@breaks(
    "connections.update.conflict-reported",
    # Its own words replace the service's code too.
    also=("errors.code",),
)
class says_that_the_update_failed(ReferenceClient):
    def update_connection(
        self, connection_id: str, etag: str, operations: Operations
    ) -> dict[str, Any]:
        answer = self.send(self.update_request(connection_id, etag, operations))
        if answer.status_code == 412:
            raise RuntimeError("the update failed, please try again")
        return self.read_updated(answer)


@breaks("connections.update.no-blind-repeat")
class repeats_an_update_after_a_conflict(ReferenceClient):
    def update_connection(
        self, connection_id: str, etag: str, operations: Operations
    ) -> dict[str, Any]:
        request = self.update_request(connection_id, etag, operations)
        answer = self.send(request)
        if answer.status_code == 412:
            answer = self.send(request)
        return self.read_updated(answer)


@breaks(
    "connections.update.no-lost-update",
    also=(
        "connections.update.no-blind-repeat",
        "connections.update.etag-verbatim",
        "connections.update.concurrent",
    ),
)
class patches_again_with_a_fresh_etag(ReferenceClient):
    def update_connection(
        self, connection_id: str, etag: str, operations: Operations
    ) -> dict[str, Any]:
        answer = self.send(self.update_request(connection_id, etag, operations))
        if answer.status_code == 412:
            fresh = self.get_connection(connection_id)["etag"]
            answer = self.send(self.update_request(connection_id, fresh, operations))
        return self.read_updated(answer)


@breaks(
    "connections.update.no-lost-update",
    also=("connections.update.etag-verbatim",),
)
class remembers_the_newest_etag(ReferenceClient):
    """Means well: the caller's etag is replaced by the one the last update gave."""

    def __init__(self, settings: ClientSettings) -> None:
        super().__init__(settings)
        self._newest: dict[str, str] = {}

    def update_connection(
        self, connection_id: str, etag: str, operations: Operations
    ) -> dict[str, Any]:
        etag = self._newest.get(connection_id, etag)
        made = super().update_connection(connection_id, etag, operations)
        if made["etag"]:
            self._newest[connection_id] = made["etag"]
        return made


@breaks("connections.update.concurrent", also=("connections.update.etag-verbatim",))
class learns_etags_from_other_clients(ReferenceClient):
    """Means well: what another object of this process changed is known here at once."""

    newest: ClassVar[dict[str, tuple[int, str]]] = {}

    def update_connection(
        self, connection_id: str, etag: str, operations: Operations
    ) -> dict[str, Any]:
        who, newest = self.newest.get(connection_id, (id(self), etag))
        made = super().update_connection(
            connection_id, etag if who == id(self) else newest, operations
        )
        if made["etag"]:
            self.newest[connection_id] = (id(self), made["etag"])
        return made


@breaks("connections.update.concurrent", also=("connections.update.etag-verbatim",))
class looks_and_then_matches_what_it_finds(ReferenceClient):
    """Between the look and the PATCH there is room for someone else, and for a second look."""

    def update_connection(
        self, connection_id: str, etag: str, operations: Operations
    ) -> dict[str, Any]:
        if self.get_connection(connection_id)["etag"] != etag:
            raise ClientError("the connection has changed", status=412, code="1404-412")
        fresh = self.get_connection(connection_id)["etag"]
        return super().update_connection(connection_id, fresh, operations)


@breaks("connections.update.operations")
class merges_instead_of_patching(ReferenceClient):
    def update_request(
        self, connection_id: str, etag: str, operations: Operations
    ) -> httpx.Request:
        merged = {o["path"].lstrip("/"): o.get("value") for o in operations}
        extra = {"If-Match": etag}
        return self.build("PATCH", self.url(connection_id), payload=merged, extra=extra)


@breaks("connections.update.operations")
class sends_the_first_operation_only(ReferenceClient):
    def update_request(
        self, connection_id: str, etag: str, operations: Operations
    ) -> httpx.Request:
        return super().update_request(connection_id, etag, operations[:1])


@breaks("connections.update.operations")
class writes_paths_with_dots(ReferenceClient):
    def update_request(
        self, connection_id: str, etag: str, operations: Operations
    ) -> httpx.Request:
        dotted = [{**o, "path": o["path"][1:].replace("/", ".")} for o in operations]
        return super().update_request(connection_id, etag, dotted)


@breaks("connections.update.operations")
class strips_values_of_a_patch(ReferenceClient):
    def update_request(
        self, connection_id: str, etag: str, operations: Operations
    ) -> httpx.Request:
        stripped = [
            {**o, "value": o["value"].strip() if isinstance(o["value"], str) else o["value"]}
            for o in operations
        ]
        return super().update_request(connection_id, etag, stripped)


@breaks("connections.update.returns-etag")
class returns_the_etag_it_was_given(ReferenceClient):
    def update_connection(
        self, connection_id: str, etag: str, operations: Operations
    ) -> dict[str, Any]:
        made = super().update_connection(connection_id, etag, operations)
        return {**made, "etag": etag}


@breaks("connections.update.returns-etag")
class strips_the_quotes_of_the_next_etag(ReferenceClient):
    def read_updated(self, answer: Answer) -> dict[str, Any]:
        made = super().read_updated(answer)
        return {**made, "etag": made["etag"].strip('"') if made["etag"] else None}


@breaks("connections.update.returns-etag")
class returns_true_for_an_update(ReferenceClient):
    def update_connection(self, connection_id: str, etag: str, operations: Operations) -> Any:
        super().update_connection(connection_id, etag, operations)
        return True


@breaks(
    "connections.delete.sent",
    also=(
        "request.query-parameters",
        "request.unasked-writes",
    ),
)
class disables_instead_of_deleting(ReferenceClient):
    def delete_connection(self, connection_id: str) -> None:
        url = self.url(connection_id, "action") + self.query([("op", "disable")])
        self.send(self.build("POST", url))


@breaks("connections.delete.sent")
class takes_an_unknown_id_for_deleted(ReferenceClient):
    """Knows only the connections that it made itself."""

    def __init__(self, settings: ClientSettings) -> None:
        super().__init__(settings)
        self._own: set[str] = set()

    def read_created(self, answer: Answer) -> dict[str, Any]:
        made = super().read_created(answer)
        self._own.add(made["id"])
        return made

    def delete_connection(self, connection_id: str) -> None:
        if not connection_id:
            raise ClientError("no id")
        if connection_id in self._own:
            super().delete_connection(connection_id)
