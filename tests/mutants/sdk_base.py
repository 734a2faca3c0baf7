"""A right client in the manner of a generated SDK, on requests, which its mutants spoil.

Configuration, models with from_dict and to_dict, one `call_api`, one exception type. It uses the
token it is given and tries nothing twice.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

import requests

from aepmock.client_api import ClientSettings, NewConnection

Pairs = list[tuple[str, str]]
_CONTROL = re.compile(r"[\x00-\x1f\x7f]|[^\x00-\x7f]|^\s|\s$")


class ApiException(Exception):
    """The service said no, or something that the SDK does not understand."""

    def __init__(self, status: int | None = None, reason: str = "", code: str | None = None):
        super().__init__(f"({status}) {reason} {code or ''}".strip())
        self.status = status
        self.reason = reason
        self.code = code


@dataclass
class ApiResponse:
    """What came back: the status, the headers and the octets."""

    status: int
    headers: Mapping[str, str]
    data: bytes = field(repr=False)


class Configuration:
    """Where the service is and who is calling."""

    def __init__(self, settings: ClientSettings) -> None:
        self.host = settings.base_url
        self.timeout = settings.timeout_s
        self.verify: Any = settings.ca_file or True
        self._api_key = {
            "Authorization": "Bearer " + settings.access_token,
            "x-api-key": settings.api_key,
            "x-gw-ims-org-id": settings.ims_org_id,
            "x-sandbox-name": settings.sandbox_name,
        }

    def auth_settings(self) -> dict[str, str]:
        """The headers that say who is calling. Raises ValueError for what no header can hold."""
        for name, value in self._api_key.items():
            if not value or _CONTROL.search(value):
                raise ValueError(f"{name}: not a header value")
        return dict(self._api_key)


@dataclass
class AuthDTO:
    """How the service signs in to the other system."""

    spec_name: str
    params: Mapping[str, Any] = field(repr=False)

    def to_dict(self) -> dict[str, Any]:
        return {"specName": self.spec_name, "params": self.params}


@dataclass
class CreateConnectionRequest:
    """The body of a create; what is None is left out."""

    name: str
    spec_id: str
    spec_version: str | None
    description: str | None
    auth: AuthDTO | None

    @classmethod
    def of(cls, new: NewConnection) -> CreateConnectionRequest:
        auth = None
        if new.auth_spec_name is not None:
            auth = AuthDTO(new.auth_spec_name, dict(new.auth_params))
        return cls(
            new.name, new.connection_spec_id, new.connection_spec_version, new.description, auth
        )

    def to_dict(self) -> dict[str, Any]:
        spec = {"id": self.spec_id, "version": self.spec_version}
        members = {
            "name": self.name,
            "description": self.description,
            "connectionSpec": {k: v for k, v in spec.items() if v is not None},
            "auth": self.auth.to_dict() if self.auth else None,
        }
        return {key: value for key, value in members.items() if value is not None}


class SdkClient:
    """ConnectionsApi, as a generator would write it."""

    resource = "/connections"

    def __init__(self, settings: ClientSettings) -> None:
        self.configuration = Configuration(settings)
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.verify = self.configuration.verify

    # calls

    def call_api(
        self,
        method: str,
        resource_path: str,
        *,
        path_params: Mapping[str, str] | None = None,
        query_params: Iterable[tuple[str, str]] = (),
        header_params: Mapping[str, str] | None = None,
        body: Any = None,
    ) -> ApiResponse:
        """One operation: parameters put in their places, sent, and refused answers raised."""
        for name, value in (path_params or {}).items():
            resource_path = resource_path.replace("{" + name + "}", self.path_value(value))
        headers = {"Accept": "application/json", **self.configuration.auth_settings()}
        headers.update(header_params or {})
        data = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            data = self.serialize(body)
        url = self.configuration.host + resource_path + self.query_string(query_params)
        return self.check(self.request(method, url, headers, data))

    def request(
        self, method: str, url: str, headers: Mapping[str, str], data: bytes | None
    ) -> ApiResponse:
        got = self.session.request(
            method,
            url,
            headers=dict(headers),
            data=data,
            timeout=self.configuration.timeout,
            allow_redirects=False,
        )
        return ApiResponse(got.status_code, got.headers, got.content)

    def path_value(self, value: str) -> str:
        if value in ("", ".", ".."):
            raise ValueError("not a connection id")
        return quote(value, safe="")

    def query_string(self, pairs: Iterable[tuple[str, str]]) -> str:
        text = "&".join(f"{name}={quote(value, safe='')}" for name, value in pairs)
        return "?" + text if text else ""

    def serialize(self, body: Any) -> bytes:
        return json.dumps(body, allow_nan=False).encode("ascii")

    # answers

    def check(self, answer: ApiResponse) -> ApiResponse:
        if not 200 <= answer.status <= 299:
            raise ApiException(answer.status, "refused", self.code_of(answer))
        return answer

    def code_of(self, answer: ApiResponse) -> str | None:
        try:
            problem = json.loads(answer.data)
        except ValueError:
            return None
        if not isinstance(problem, dict):
            return None
        if "error_code" in problem:
            return str(problem["error_code"])
        return str(problem.get("type", "")).rpartition("/")[2] or None

    def deserialize(self, answer: ApiResponse) -> Any:
        try:
            return json.loads(answer.data)
        except ValueError:
            raise ApiException(answer.status, "the answer is no JSON") from None

    def member(self, answer: ApiResponse, name: str, kind: type) -> Any:
        document = self.deserialize(answer)
        value = document.get(name) if isinstance(document, dict) else None
        if type(value) is not kind:
            raise ApiException(answer.status, f"the answer has no {name}")
        return value

    def items(self, answer: ApiResponse) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self.member(answer, "items", list)
        if not all(isinstance(item, dict) for item in items):
            raise ApiException(answer.status, "an item is no object")
        return items

    def written(self, answer: ApiResponse) -> dict[str, Any]:
        return {
            "id": self.member(answer, "id", str),
            "etag": self.deserialize(answer).get("etag"),
        }

    def next_page(self, answer: ApiResponse) -> str | None:
        links = self.deserialize(answer).get("_links") or {}
        href = (links.get("next") or {}).get("href")
        if not href:
            return None
        if not href.startswith("/") or urlsplit(href).netloc:
            raise ApiException(answer.status, "the next link leads elsewhere")
        return str(href)

    # operations

    def create_connection(self, connection: NewConnection) -> dict[str, Any]:
        return self.written(self.post(CreateConnectionRequest.of(connection).to_dict()))

    def post(self, body: dict[str, Any]) -> ApiResponse:
        return self.call_api("POST", self.resource, body=body)

    def get_connection(self, connection_id: str) -> dict[str, Any]:
        answer = self.read(connection_id)
        items = self.items(answer)
        if not items:
            raise ApiException(answer.status, "no item")
        return items[0]

    def read(self, connection_id: str) -> ApiResponse:
        return self.call_api("GET", self.resource + "/{id}", path_params={"id": connection_id})

    def list_params(self, limit: int | None, property: Sequence[str], orderby: str | None) -> Pairs:
        pairs = [("property", text) for text in property]
        if limit is not None:
            pairs.append(("limit", str(limit)))
        if orderby is not None:
            pairs.append(("orderby", orderby))
        return pairs

    def list_connections(
        self, *, limit: int | None = None, property: Sequence[str] = (), orderby: str | None = None
    ) -> list[dict[str, Any]]:
        answer = self.call_api(
            "GET", self.resource, query_params=self.list_params(limit, property, orderby)
        )
        found = list(self.items(answer))
        seen: set[str] = set()
        while (href := self.next_page(answer)) is not None:
            if href in seen:
                raise ApiException(answer.status, "the next links go in a circle")
            seen.add(href)
            answer = self.follow(href)
            found += self.items(answer)
        return found

    def follow(self, href: str) -> ApiResponse:
        return self.call_api("GET", href)

    def count_connections(self, *, property: Sequence[str] = ()) -> int:
        pairs = [("count", "true"), *(("property", text) for text in property)]
        count: int = self.member(
            self.call_api("GET", self.resource, query_params=pairs), "count", int
        )
        return count

    def update_connection(
        self, connection_id: str, etag: str, operations: Sequence[Mapping[str, Any]]
    ) -> dict[str, Any]:
        return self.written(self.patch(connection_id, etag, [dict(op) for op in operations]))

    def patch(self, connection_id: str, etag: str, body: Any) -> ApiResponse:
        return self.call_api(
            "PATCH",
            self.resource + "/{id}",
            path_params={"id": connection_id},
            header_params={"If-Match": etag},
            body=body,
        )

    def delete_connection(self, connection_id: str) -> None:
        self.call_api("DELETE", self.resource + "/{id}", path_params={"id": connection_id})

    def test_connection(self, connection_id: str) -> bool:
        answer = self.call_api(
            "GET", self.resource + "/{id}/test", path_params={"id": connection_id}
        )
        result: bool = self.member(answer, "result", bool)
        return result

    def explore_params(self, object_type: str, asked: Mapping[str, Any]) -> Pairs:
        """What an exploration asks for; `asked` has the wire's names, and None for what is not."""
        pairs = [("objectType", object_type)]
        if asked["object"] is not None:
            pairs.append(("object", asked["object"]))
        if asked["fileType"] is not None:
            pairs.append(("fileType", asked["fileType"]))
        if asked["preview"] is not None:
            pairs.append(("preview", str(asked["preview"]).lower()))
        if asked["sourceParams"] is not None:
            text = json.dumps(dict(asked["sourceParams"])).encode()
            pairs.append(("sourceParams", base64.b64encode(text).decode()))
        return pairs

    def explore_connection(
        self,
        connection_id: str,
        *,
        object_type: str,
        object: str | None = None,
        file_type: str | None = None,
        preview: bool | None = None,
        source_params: Mapping[str, Any] | None = None,
    ) -> Any:
        asked = {
            "object": object,
            "fileType": file_type,
            "preview": preview,
            "sourceParams": source_params,
        }
        return self.deserialize(
            self.call_api(
                "GET",
                self.resource + "/{id}/explore",
                path_params={"id": connection_id},
                query_params=self.explore_params(object_type, asked),
            )
        )

    def close(self) -> None:
        self.session.close()
