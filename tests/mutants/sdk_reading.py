"""Generated SDKs whose models make something else of the answers."""

from __future__ import annotations

import enum
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from aepmock.client_api import ClientSettings
from tests.mutants.registry import breaks, correct
from tests.mutants.sdk_base import ApiException, ApiResponse, Pairs, SdkClient


@breaks("connections.create.returns-etag", also=("connections.update.returns-etag",))
class returns_etags_in_lower_case(SdkClient):
    def written(self, answer: ApiResponse) -> dict[str, Any]:
        made = super().written(answer)
        return {**made, "etag": made["etag"] and made["etag"].lower()}


@breaks("connections.create.returns-etag", also=("connections.update.returns-etag",))
class returns_weak_etags_as_strong_ones(SdkClient):
    def written(self, answer: ApiResponse) -> dict[str, Any]:
        made = super().written(answer)
        return {**made, "etag": made["etag"] and made["etag"].removeprefix("W/")}


@breaks("connections.update.returns-etag")
class reads_the_new_etag_after_the_update(SdkClient):
    """Between the two a colleague may have changed it."""

    def update_connection(
        self, connection_id: str, etag: str, operations: Sequence[Mapping[str, Any]]
    ) -> dict[str, Any]:
        done = super().update_connection(connection_id, etag, operations)
        return {"id": done["id"], "etag": self.get_connection(connection_id).get("etag")}


@correct()
class makes_dates_of_times(SdkClient):
    def get_connection(self, connection_id: str) -> dict[str, Any]:
        item = dict(super().get_connection(connection_id))
        for key in ("createdAt", "updatedAt"):
            if isinstance(item.get(key), int):
                item[key] = datetime.fromtimestamp(item[key] / 1000, UTC).isoformat()
        return item


@correct()
class has_an_empty_description_where_there_is_none(SdkClient):
    def get_connection(self, connection_id: str) -> dict[str, Any]:
        return {"description": "", **super().get_connection(connection_id)}


class State(enum.StrEnum):
    ENABLED = "enabled"
    DISABLED = "disabled"


@breaks("answers.success")
class knows_two_states_only(SdkClient):
    """`initializing`, which OAS names, is a ValueError."""

    def items(self, answer: ApiResponse) -> list[dict[str, Any]]:
        items = super().items(answer)
        for item in items:
            if isinstance(item.get("state"), str):
                State(item["state"])
        return items


@breaks("answers.good")
class needs_a_description_to_read(SdkClient):
    """`item["description"]`, which OAS-D does not require."""

    def get_connection(self, connection_id: str) -> dict[str, Any]:
        item = super().get_connection(connection_id)
        if "description" not in item:
            raise ApiException(200, "description: field required")
        return item


@breaks("answers.success")
class cannot_read_an_empty_list(SdkClient):
    def items(self, answer: ApiResponse) -> list[dict[str, Any]]:
        items = super().items(answer)
        if not items and not self.next_page(answer):
            raise ApiException(404, "no connections")
        return items


@breaks("answers.success")
class cannot_count_to_nought(SdkClient):
    def count_connections(self, *, property: Sequence[str] = ()) -> int:
        count = super().count_connections(property=property)
        if not count:
            raise ApiException(404, "nothing to count")
        return count


@breaks("answers.media-type-case")
class compares_media_types_with_case(SdkClient):
    def deserialize(self, answer: ApiResponse) -> Any:
        kind = answer.headers.get("Content-Type", "application/json")
        if not kind.startswith("application/json"):
            raise ApiException(answer.status, "unsupported content type")
        return super().deserialize(answer)


@breaks("errors.unreadable-success")
class reads_json_with_something_behind_it(SdkClient):
    """raw_decode: what follows the first value is ignored."""

    def deserialize(self, answer: ApiResponse) -> Any:
        try:
            return json.JSONDecoder().raw_decode(answer.data.decode("utf-8").lstrip())[0]
        except ValueError:
            raise ApiException(answer.status, "the answer is no JSON") from None


@breaks("connections.list.all-pages")
class drops_items_of_the_same_name(SdkClient):
    def list_connections(
        self, *, limit: int | None = None, property: Sequence[str] = (), orderby: str | None = None
    ) -> list[dict[str, Any]]:
        found = super().list_connections(limit=limit, property=property, orderby=orderby)
        return list({item.get("name"): item for item in found}.values())


@breaks("connections.list.all-pages")
class lists_what_is_enabled_only(SdkClient):
    def list_connections(
        self, *, limit: int | None = None, property: Sequence[str] = (), orderby: str | None = None
    ) -> list[dict[str, Any]]:
        found = super().list_connections(limit=limit, property=property, orderby=orderby)
        return [item for item in found if item.get("state") in (None, "enabled")]


@breaks("connections.list.all-pages")
class reads_ten_pages_and_says_nothing(SdkClient):
    def __init__(self, settings: ClientSettings) -> None:
        super().__init__(settings)
        self._pages = 0

    def list_connections(
        self, *, limit: int | None = None, property: Sequence[str] = (), orderby: str | None = None
    ) -> list[dict[str, Any]]:
        self._pages = 1
        return super().list_connections(limit=limit, property=property, orderby=orderby)

    def next_page(self, answer: ApiResponse) -> str | None:
        self._pages += 1
        return None if self._pages > 10 else super().next_page(answer)


@breaks("connections.list.all-pages")
class takes_a_short_page_for_the_last(SdkClient):
    """Where fewer items came than were asked for, there are no more."""

    def __init__(self, settings: ClientSettings) -> None:
        super().__init__(settings)
        self._size: int | None = None

    def list_params(self, limit: int | None, property: Sequence[str], orderby: str | None) -> Pairs:
        self._size = limit
        return super().list_params(limit, property, orderby)

    def next_page(self, answer: ApiResponse) -> str | None:
        if self._size and 0 < len(self.items(answer)) < self._size:
            return None
        return super().next_page(answer)


@breaks("connections.list.in-order")
class sorts_by_itself(SdkClient):
    """The items are all there, in another order than the one that was asked for."""

    def list_connections(
        self, *, limit: int | None = None, property: Sequence[str] = (), orderby: str | None = None
    ) -> list[dict[str, Any]]:
        found = super().list_connections(limit=limit, property=property, orderby=orderby)
        return sorted(found, key=lambda item: str(item.get("id")))


@breaks("connections.count.asked-for")
class counts_by_listing(SdkClient):
    """The right number, by way of every page; `count=true` is never asked for."""

    def count_connections(self, *, property: Sequence[str] = ()) -> int:
        return len(self.list_connections(property=property))


@breaks("connections.list.property")
class sends_a_filter_once_a_field(SdkClient):
    """A range has two filters on one field; the first is lost."""

    def list_params(self, limit: int | None, property: Sequence[str], orderby: str | None) -> Pairs:
        fields = {text.split("=")[0].rstrip("<>!"): text for text in property}
        return super().list_params(limit, list(fields.values()), orderby)


@breaks(
    "connections.list.property",
    also=("request.unasked-parameters", "request.query-encoding", "lifecycle.lists"),
)
class adds_up_filters_in_a_default(SdkClient):
    """The mutable default argument: the filters of earlier calls come along."""

    def list_params(
        self,
        limit: int | None,
        property: Sequence[str],
        orderby: str | None,
        kept: list[str] = [],  # noqa: B006
    ) -> Pairs:
        kept.extend(text for text in property if text not in kept)
        return super().list_params(limit, kept, orderby)


@breaks("connections.list.orderby")
class sorts_by_the_first_field_only(SdkClient):
    def list_params(self, limit: int | None, property: Sequence[str], orderby: str | None) -> Pairs:
        return super().list_params(limit, property, orderby and orderby.split(",")[0])


@breaks(
    "request.query-encoding",
    also=(
        "connections.explore.source-params",
        "connections.explore.object",
    ),
)
class encodes_blanks_and_little_else(SdkClient):
    """Leaves what looks like a filter readable."""

    def query_string(self, pairs: Iterable[tuple[str, str]]) -> str:
        from urllib.parse import quote

        text = "&".join(f"{name}={quote(value, safe='=<>,+:')}" for name, value in pairs)
        return "?" + text if text else ""


@breaks("request.path-encoding")
class encodes_the_id_twice(SdkClient):
    def path_value(self, value: str) -> str:
        from urllib.parse import quote

        return quote(super().path_value(value), safe="")


@breaks("connections.explore.object")
class takes_the_slash_from_the_object(SdkClient):
    def explore_params(self, object_type: str, asked: Mapping[str, Any]) -> Pairs:
        given = asked["object"]
        return super().explore_params(object_type, {**asked, "object": given and given.strip("/")})


@breaks("connections.explore.answer")
class remembers_what_it_explored_by_type(SdkClient):
    """The key of its cache lacks the object."""

    def __init__(self, settings: ClientSettings) -> None:
        super().__init__(settings)
        self._explored: dict[tuple[str, str], Any] = {}

    def explore_connection(self, connection_id: str, *, object_type: str, **asked: Any) -> Any:
        key = (connection_id, object_type)
        if key not in self._explored:
            self._explored[key] = super().explore_connection(
                connection_id, object_type=object_type, **asked
            )
        return self._explored[key]
