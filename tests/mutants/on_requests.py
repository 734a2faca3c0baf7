"""Mutants on requests: the faults that this library makes easy."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode, urljoin

import requests

from aepmock.client_api import ClientSettings, NewConnection
from tests.correct_clients.requests_session import Answer, FlowService, FlowServiceError, send
from tests.mutants.registry import breaks

Operations = Sequence[Mapping[str, Any]]


class _Adjusting(FlowService):
    """The correct client, with one place at which headers and body of a request can be changed."""

    def _once(self, method: str, url: str, body: object, etag: str | None, token: str) -> Answer:
        headers = {
            "Accept": "application/json",
            "Authorization": f"Bearer {token}",
            "x-api-key": self._settings.api_key,
            "x-gw-ims-org-id": self._settings.ims_org_id,
            "x-sandbox-name": self._settings.sandbox_name,
        }
        if etag is not None:
            headers["If-Match"] = etag
        for name, value in headers.items():
            if not (value and value.isascii() and value.isprintable() and value == value.strip()):
                raise ValueError(f"{name} is empty or holds characters that a header cannot carry")
        if body is not None:
            headers["Content-Type"] = "application/json"
        request = requests.Request(method, url, headers=headers)
        if body is not None:
            request.data = json.dumps(body, default=dict).encode()
        self.adjust(request, body)
        prepared = self._session.prepare_request(request)
        prepared.url = request.url
        return send(self._session, prepared, self._settings)

    def adjust(self, request: requests.Request, body: object) -> None:
        raise NotImplementedError


@breaks("request.content-type")
class passes_json_text_as_data(_Adjusting):
    """requests says nothing of the type of a text that it is given as data."""

    def adjust(self, request: requests.Request, body: object) -> None:
        request.headers.pop("Content-Type", None)


@breaks("connections.create.json-body", also=("request.content-type",))
class passes_a_dict_as_data(_Adjusting):
    """Which requests sends as a form."""

    def adjust(self, request: requests.Request, body: object) -> None:
        if request.method == "POST" and isinstance(body, dict):
            request.headers.pop("Content-Type", None)
            request.data = body


@breaks("request.ims-org")
class asks_without_the_org(_Adjusting):
    def adjust(self, request: requests.Request, body: object) -> None:
        if request.method == "GET":
            del request.headers["x-gw-ims-org-id"]


@breaks("request.sandbox")
class sends_the_sandbox_in_the_wrong_header(_Adjusting):
    def adjust(self, request: requests.Request, body: object) -> None:
        request.headers["x-sandbox-id"] = request.headers.pop("x-sandbox-name")


@breaks("request.authorization")
class signs_in_with_basic(_Adjusting):
    def adjust(self, request: requests.Request, body: object) -> None:
        pair = f"{self._settings.client_id}:{self._settings.client_secret}"
        request.headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"


@breaks("connections.update.etag-quotes")
class trims_the_etag(_Adjusting):
    def adjust(self, request: requests.Request, body: object) -> None:
        if "If-Match" in request.headers:
            request.headers["If-Match"] = request.headers["If-Match"].strip('"')


@breaks("connections.update.if-match")
class sends_if_none_match(_Adjusting):
    def adjust(self, request: requests.Request, body: object) -> None:
        if "If-Match" in request.headers:
            request.headers["If-None-Match"] = request.headers.pop("If-Match")


@breaks("connections.create.name", also=("lifecycle.reads-back",))
class writes_json_that_python_alone_reads_right(_Adjusting):
    """Text in ISO-8859-1 that is then read as UTF-8: the name arrives as mojibake."""

    def adjust(self, request: requests.Request, body: object) -> None:
        if request.method == "POST" and isinstance(body, dict):
            name = str(body["name"]).encode().decode("latin-1")
            request.data = json.dumps({**body, "name": name}, default=dict).encode()


@breaks("request.base-path")
class adds_an_api_version(FlowService):
    def _url(self, connection_id: str | None = None, tail: str = "", **query: Any) -> str:
        url = super()._url(connection_id, tail, **query)
        return url.replace("/flowservice/", "/v1/", 1)


@breaks("request.path-encoding", also=("request.operation", "request.query-parameters"))
class pastes_the_id(FlowService):
    def _url(self, connection_id: str | None = None, tail: str = "", **query: Any) -> str:
        url = super()._url(connection_id, tail, **query)
        if not connection_id:
            return url
        return url.replace(quote(connection_id, safe=""), connection_id, 1)


@breaks("request.query-encoding", also=("request.query-parameters",))
class glues_the_query_together(FlowService):
    def _url(self, connection_id: str | None = None, tail: str = "", **query: Any) -> str:
        filters = query.pop("property", [])
        url = super()._url(connection_id, tail, **query)
        glue = "&" if "?" in url else "?"
        return url + (glue + "&".join(f"property={f}" for f in filters) if filters else "")


@breaks(
    "connections.list.property",
    also=("connections.list.keeps-filter", "connections.count.property", "request.query-encoding"),
)
class forgets_doseq(FlowService):
    """['name==a', 'state==enabled'] arrives as Python writes a list."""

    def _url(self, connection_id: str | None = None, tail: str = "", **query: Any) -> str:
        filters = query.pop("property", [])
        url = super()._url(connection_id, tail, **query)
        glue = "&" if "?" in url else "?"
        return f"{url}{glue}{urlencode({'property': filters})}" if filters else url


@breaks("connections.list.next-link", also=("request.base-path",))
class joins_the_link_with_urljoin(FlowService):
    def _next(self, answer: Answer) -> str | None:
        url = super()._next(answer)
        return urljoin(self._base, url.removeprefix(self._base)) if url else None


@breaks("connections.create.one-post")
class mounts_a_retry_for_every_method(FlowService):
    """What Retry(allowed_methods=None, status_forcelist=[502, 503, 504]) does."""

    def _once(self, method: str, url: str, body: object, etag: str | None, token: str) -> Answer:
        answer = super()._once(method, url, body, etag, token)
        for _ in range(3):
            if answer.status not in (502, 503, 504):
                break
            answer = super()._once(method, url, body, etag, token)
        return answer


@breaks("connections.count.no-limit")
class has_a_limit_among_its_defaults(FlowService):
    def _url(self, connection_id: str | None = None, tail: str = "", **query: Any) -> str:
        if connection_id is None and query.get("limit") is None and "count" in query:
            query["limit"] = 20
        return super()._url(connection_id, tail, **query)


@breaks("errors.code")
class raises_for_status_and_forgets_the_answer(FlowService):
    def _call(self, method: str, url: str, body: object = None, etag: str | None = None) -> Answer:
        try:
            return super()._call(method, url, body, etag)
        except FlowServiceError as error:
            status = error.status_code
        raise FlowServiceError(f"{status} Client Error for url", status)


@breaks(
    "connections.update.no-blind-repeat",
    also=(
        "connections.update.etag-verbatim",
        "connections.update.no-lost-update",
        "connections.update.concurrent",
    ),
)
class solves_conflicts_by_itself(FlowService):
    def update_connection(
        self, connection_id: str, etag: str, operations: Operations
    ) -> dict[str, Any]:
        try:
            return super().update_connection(connection_id, etag, operations)
        except FlowServiceError as error:
            if error.status_code != 412:
                raise
        fresh = self.get_connection(connection_id)["etag"]
        return super().update_connection(connection_id, fresh, operations)


@breaks("connections.create.description-absent")
class serialises_a_dataclass_whole(FlowService):
    def _call(self, method: str, url: str, body: object = None, etag: str | None = None) -> Answer:
        if method == "POST" and isinstance(body, dict):
            body = {"description": None, **body}
        return super()._call(method, url, body, etag)


@breaks("connections.delete.sent")
class deletes_when_it_is_closed(FlowService):
    def __init__(self, settings: ClientSettings) -> None:
        super().__init__(settings)
        self._bin: list[str] = []

    def delete_connection(self, connection_id: str) -> None:
        self._bin.append(self._url(connection_id))


@breaks("connections.create.returns-etag")
class rewrites_a_new_etag(FlowService):
    def create_connection(self, connection: NewConnection) -> dict[str, Any]:
        made = super().create_connection(connection)
        return {**made, "etag": made["etag"].replace('"', "'") if made["etag"] else None}


@breaks("answers.links-absent")
class wants_links_on_every_page(FlowService):
    def _next(self, answer: Answer) -> str | None:
        answer.member("_links", dict)
        return super()._next(answer)
