"""Mutants of family 1: where requests go, and what stands in their headers and URLs."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urljoin

import httpx

from aepmock.client_api import ClientSettings, NewConnection
from aepmock.clients.reference import ReferenceClient
from tests.mutants.registry import breaks


@breaks("request.base-path")
class joins_the_base_url_like_a_browser(ReferenceClient):
    def url(self, *segments: str) -> str:
        if not all(segments):
            raise ValueError("a connection id is empty")
        path = "/".join(["connections", *(quote(s, safe="") for s in segments)])
        return urljoin(self.settings.base_url, path)


@breaks("request.base-path")
class has_a_regional_host_compiled_in(ReferenceClient):
    def __init__(self, settings: ClientSettings) -> None:
        host = "https://platform-nld2.adobe.io/data/foundation/flowservice"
        super().__init__(replace(settings, base_url=host))


@breaks("request.query-parameters")
class says_that_it_wants_no_count_with_no(ReferenceClient):
    def send(self, request: httpx.Request) -> httpx.Response:
        listing = request.method == "GET" and request.url.path.endswith("/connections")
        if listing and "count" not in request.url.params:
            request.url = request.url.copy_add_param("count", "no")
        return super().send(request)


@breaks("request.sandbox")
class asks_for_all_sandboxes_by_id(ReferenceClient):
    def headers(self) -> dict[str, str]:
        return {**super().headers(), "x-sandbox-id": "*"}


@breaks("request.body")
class searches_with_a_limit_in_quotes(ReferenceClient):
    """Before a create it looks whether the name is taken already, and lets nothing disturb it."""

    def create_connection(self, connection: NewConnection) -> dict[str, Any]:
        self.send(self.build("POST", self.url("search"), payload={"limit": "1"}))
        return super().create_connection(connection)


@breaks("request.operation")
class updates_with_put(ReferenceClient):
    def update_request(
        self, connection_id: str, etag: str, operations: Sequence[Mapping[str, Any]]
    ) -> httpx.Request:
        request = super().update_request(connection_id, etag, operations)
        request.method = "PUT"
        return request


@breaks("request.operation")
class tests_a_connection_with_post(ReferenceClient):
    def test_request(self, connection_id: str) -> httpx.Request:
        return self.build("POST", self.url(connection_id, "test"))


@breaks("request.authorization")
class forgets_the_word_bearer(ReferenceClient):
    def headers(self) -> dict[str, str]:
        return {**super().headers(), "Authorization": self.token()}


@breaks("request.authorization")
class sends_the_authorization_twice(ReferenceClient):
    def send(self, request: httpx.Request) -> httpx.Response:
        value = request.headers["Authorization"]
        request.headers = httpx.Headers([*request.headers.multi_items(), ("authorization", value)])
        return super().send(request)


@breaks("request.api-key")
class writes_the_key_s_name_with_underscores(ReferenceClient):
    def headers(self) -> dict[str, str]:
        headers = super().headers()
        headers["x_api_key"] = headers.pop("x-api-key")
        return headers


@breaks("request.api-key")
class forgets_the_key_on_a_deletion(ReferenceClient):
    def delete_request(self, connection_id: str) -> httpx.Request:
        request = super().delete_request(connection_id)
        del request.headers["x-api-key"]
        return request


@breaks("request.ims-org")
class leaves_adobe_org_off(ReferenceClient):
    def headers(self) -> dict[str, str]:
        org = self.settings.ims_org_id.removesuffix("@AdobeOrg")
        return {**super().headers(), "x-gw-ims-org-id": org}


@breaks("request.ims-org")
class names_the_org_header_x_ims_org_id(ReferenceClient):
    def headers(self) -> dict[str, str]:
        headers = super().headers()
        headers["x-ims-org-id"] = headers.pop("x-gw-ims-org-id")
        return headers


@breaks("request.sandbox")
class leaves_prod_to_the_default(ReferenceClient):
    def headers(self) -> dict[str, str]:
        headers = super().headers()
        if self.settings.sandbox_name == "prod":
            del headers["x-sandbox-name"]
        return headers


@breaks(
    "request.sandbox",
    # All connections are in one sandbox then, and those of the caller's own are not listed.
    also=("lifecycle.isolation", "lifecycle.lists"),
)
class has_prod_compiled_in(ReferenceClient):
    def headers(self) -> dict[str, str]:
        # The caller's value is still checked, as the caller would have it.
        return {**super().headers(), "x-sandbox-name": "prod"}


@breaks("request.content-type")
class sends_json_as_text(ReferenceClient):
    def build(self, method: str, url: str, **rest: Any) -> httpx.Request:
        request = super().build(method, url, **rest)
        if request.content:
            request.headers["Content-Type"] = "text/plain; charset=utf-8"
        return request


@breaks("request.content-type")
class calls_a_patch_json_patch(ReferenceClient):
    def update_request(
        self, connection_id: str, etag: str, operations: Sequence[Mapping[str, Any]]
    ) -> httpx.Request:
        request = super().update_request(connection_id, etag, operations)
        request.headers["Content-Type"] = "application/json-patch+json"
        return request


@breaks("request.header-injection")
class mends_a_sandbox_name(ReferenceClient):
    def __init__(self, settings: ClientSettings) -> None:
        name = re.sub(r"[\r\n\0].*", "", settings.sandbox_name.strip(), flags=re.DOTALL)
        super().__init__(replace(settings, sandbox_name=name))


@breaks("request.header-injection")
class joins_a_broken_sandbox_name(ReferenceClient):
    """Takes line breaks out wherever they stand: "de\\nv" is another sandbox."""

    def __init__(self, settings: ClientSettings) -> None:
        name = re.sub(r"[\r\n]", "", settings.sandbox_name)
        super().__init__(replace(settings, sandbox_name=name))


@breaks("request.header-ascii")
class writes_headers_in_utf_8(ReferenceClient):
    """What the header check of the reference client keeps out, line breaks, it keeps out too."""

    def headers(self) -> dict[str, str]:
        name = self.settings.sandbox_name
        if name.isascii() or not name.isprintable():
            return super().headers()
        with_ascii = type(self)(replace(self.settings, sandbox_name="dev"))
        return with_ascii.headers()

    def send(self, request: httpx.Request) -> httpx.Response:
        fields = [(n, v) for n, v in request.headers.raw if n.lower() != b"x-sandbox-name"]
        name = self.settings.sandbox_name.encode()
        request.headers = httpx.Headers([*fields, (b"x-sandbox-name", name)])
        return super().send(request)


@breaks(
    "request.path-encoding",
    # "a/b" is a path that nothing is documented at, "a?b=c" a query; "../x" leaves the base path.
    also=("request.operation", "request.query-parameters", "request.base-path"),
)
class pastes_the_id_into_the_path(ReferenceClient):
    def url(self, *segments: str) -> str:
        if not all(segments):
            raise ValueError("a connection id is empty")
        return "/".join([f"{self.settings.base_url}/connections", *segments])


@breaks("request.path-encoding", also=("request.operation", "request.base-path"))
class keeps_the_slashes_of_an_id(ReferenceClient):
    """What quote does without being told otherwise."""

    def url(self, *segments: str) -> str:
        if not all(segments):
            raise ValueError("a connection id is empty")
        return "/".join([f"{self.settings.base_url}/connections", *map(quote, segments)])


@breaks("request.path-encoding")
class encodes_the_id_twice(ReferenceClient):
    def explore_request(self, connection_id: str, *rest: Any) -> httpx.Request:
        return super().explore_request(quote(connection_id, safe="") or "", *rest)


@breaks(
    "request.query-encoding",
    # name==a&b=c is a parameter of its own; the object of an exploration is pasted in as well.
    also=(
        "connections.explore.source-params",
        "request.query-parameters",
        "connections.explore.object",
    ),
)
class pastes_a_filter_into_the_query(ReferenceClient):
    def query(self, pairs: Sequence[tuple[str, str]]) -> str:
        return "?" + "&".join(f"{n}={v}" for n, v in pairs) if pairs else ""


@breaks(
    "request.query-encoding",
    also=(
        "connections.explore.source-params",
        "connections.explore.object",
    ),
)
class leaves_the_plus_sign_as_it_is(ReferenceClient):
    def query(self, pairs: Sequence[tuple[str, str]]) -> str:
        return super().query(pairs).replace("%2B", "+")


@breaks("request.query-parameters")
class pages_by_number_too(ReferenceClient):
    def list_request(
        self, limit: int | None, property: Sequence[str], orderby: str | None
    ) -> httpx.Request:
        request = super().list_request(limit, property, orderby)
        request.url = request.url.copy_add_param("page", "0")
        return request


@breaks("request.query-parameters")
class busts_the_cache(ReferenceClient):
    def get_request(self, connection_id: str) -> httpx.Request:
        request = super().get_request(connection_id)
        request.url = request.url.copy_add_param("_", str(time.time_ns()))
        return request


class _Unguarded(ReferenceClient):
    def url(self, *segments: str) -> str:
        path = (quote(s, safe="") for s in segments)
        return "/".join([f"{self.settings.base_url}/connections", *path])


@breaks(
    "request.empty-id",
    # PATCH and DELETE of …/connections/ are documented nowhere.
    also=("request.operation",),
)
class reads_the_list_for_an_empty_id(_Unguarded):
    """…/connections/ is the list, and its first item some connection."""


@breaks("request.empty-id")
class skips_calls_with_an_empty_id(ReferenceClient):
    def delete_connection(self, connection_id: str) -> None:
        if connection_id:
            super().delete_connection(connection_id)
