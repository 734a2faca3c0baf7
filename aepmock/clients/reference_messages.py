"""What the reference client's two forms have in common: requests made, answers read.

Small methods do one thing each, so that a mutant can override one.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

import httpx

from aepmock.client_api import ClientSettings, NewConnection
from aepmock.errors import ClientError

Answer = httpx.Response
_CODE = re.compile(r"FLOW-([0-9]{4}-[0-9]{3})")
_VISIBLE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")


class Messages:
    """Makes the requests, reads the answers, and sends nothing itself."""

    http: httpx.Client | httpx.AsyncClient

    def __init__(self, settings: ClientSettings) -> None:
        self.settings = settings

    # requests

    def headers(self) -> dict[str, str]:
        """The four headers of every request."""
        values = {
            "Authorization": f"Bearer {self.token()}",
            "x-api-key": self.settings.api_key,
            "x-gw-ims-org-id": self.settings.ims_org_id,
            "x-sandbox-name": self.settings.sandbox_name,
        }
        for name, value in values.items():
            if not _VISIBLE.fullmatch(value):
                raise ValueError(f"the value for {name} can't be sent in a header")
        return values

    def token(self) -> str:
        return self.settings.access_token

    def url(self, *segments: str) -> str:
        """The URL of a path below /connections, each segment percent-encoded."""
        if not all(segments):
            raise ValueError("a connection id is empty")
        return "/".join(
            [f"{self.settings.base_url}/connections", *(quote(s, safe="") for s in segments)]
        )

    def query(self, pairs: Sequence[tuple[str, str]]) -> str:
        """A query string, every value percent-encoded, or nothing."""
        return "?" + "&".join(f"{n}={quote(v, safe='')}" for n, v in pairs) if pairs else ""

    def build(
        self,
        method: str,
        url: str,
        *,
        payload: Any = None,
        extra: Mapping[str, str] | None = None,
    ) -> httpx.Request:
        """A request with all its headers, and `payload` as JSON where there is one."""
        headers = {**self.headers(), "Accept": "application/json", **(extra or {})}
        content = None
        if payload is not None:
            headers["Content-Type"] = "application/json"
            content = self.encode(payload)
        return self.http.build_request(method, url, headers=headers, content=content)

    def encode(self, payload: Any) -> bytes:
        return json.dumps(payload, ensure_ascii=False, allow_nan=False).encode()

    def body(self, connection: NewConnection) -> dict[str, Any]:
        """The body of a create; what the caller did not give is left out."""
        spec = {"id": connection.connection_spec_id}
        if connection.connection_spec_version is not None:
            spec["version"] = connection.connection_spec_version
        body: dict[str, Any] = {"name": connection.name, "connectionSpec": spec}
        if connection.description is not None:
            body["description"] = connection.description
        if connection.auth_spec_name is not None:
            body["auth"] = {
                "specName": connection.auth_spec_name,
                "params": dict(connection.auth_params),
            }
        return body

    def create_request(self, connection: NewConnection) -> httpx.Request:
        return self.build("POST", self.url(), payload=self.body(connection))

    def get_request(self, connection_id: str) -> httpx.Request:
        return self.build("GET", self.url(connection_id))

    def list_request(
        self, limit: int | None, property: Sequence[str], orderby: str | None
    ) -> httpx.Request:
        pairs = [("property", text) for text in property]
        if limit is not None:
            pairs.append(("limit", str(limit)))
        if orderby is not None:
            pairs.append(("orderby", orderby))
        return self.build("GET", self.url() + self.query(pairs))

    def next_request(self, href: str) -> httpx.Request:
        """The next page: a link is relative to the base path, and leads nowhere else."""
        url = self.settings.base_url + href if href.startswith("/") else urljoin(self.url(), href)
        if urlsplit(url)[:2] != urlsplit(self.settings.base_url)[:2]:
            raise ClientError("the next link leads to another origin")
        return self.build("GET", url)

    def count_request(self, property: Sequence[str]) -> httpx.Request:
        pairs = [("count", "true"), *(("property", text) for text in property)]
        return self.build("GET", self.url() + self.query(pairs))

    def update_request(
        self, connection_id: str, etag: str, operations: Sequence[Mapping[str, Any]]
    ) -> httpx.Request:
        return self.build(
            "PATCH",
            self.url(connection_id),
            payload=[dict(operation) for operation in operations],
            extra={"If-Match": etag},
        )

    def delete_request(self, connection_id: str) -> httpx.Request:
        return self.build("DELETE", self.url(connection_id))

    def test_request(self, connection_id: str) -> httpx.Request:
        return self.build("GET", self.url(connection_id, "test"))

    def explore_request(
        self,
        connection_id: str,
        object_type: str,
        object: str | None,
        file_type: str | None,
        preview: bool | None,
        source_params: Mapping[str, Any] | None,
    ) -> httpx.Request:
        pairs = [("objectType", object_type)]
        if object is not None:
            pairs.append(("object", object))
        if file_type is not None:
            pairs.append(("fileType", file_type))
        if preview is not None:
            pairs.append(("preview", "true" if preview else "false"))
        if source_params is not None:
            encoded = base64.b64encode(json.dumps(dict(source_params)).encode()).decode()
            pairs.append(("sourceParams", encoded))
        return self.build("GET", self.url(connection_id, "explore") + self.query(pairs))

    def token_request(self) -> httpx.Request:
        settings = self.settings
        return self.http.build_request(
            "POST",
            settings.ims_token_url,
            data={
                "grant_type": "client_credentials",
                "client_id": settings.client_id,
                "client_secret": settings.client_secret,
                "scope": settings.scopes,
            },
        )

    # answers

    def read_token(self, answer: Answer) -> str:
        token = self.mapping(answer).get("access_token")
        if not isinstance(token, str):
            raise self.error(answer)
        return token

    def checked(self, answer: Answer) -> Answer:
        """The answer, if it is a success. Raises ClientError with status and code if not."""
        if answer.is_success:
            return answer
        raise self.error(answer)

    def error(self, answer: Answer) -> ClientError:
        """The error for an answer that is none that was hoped for."""
        code = self.code(answer)
        message = f"HTTP {answer.status_code}" + (f", {code}" if code else "")
        return ClientError(message, status=answer.status_code, code=code)

    def code(self, answer: Answer) -> str | None:
        """The service's code in a refusal, in either of its shapes."""
        try:
            document = answer.json()
        except ValueError:
            return None
        if not isinstance(document, dict):
            return None
        match = _CODE.search(str(document.get("type")))
        if match:
            return match[1]
        return str(document["error_code"]) if "error_code" in document else None

    def document(self, answer: Answer) -> Any:
        """The JSON of a success. Raises ClientError where it is none."""
        try:
            return self.checked(answer).json()
        except ValueError:
            raise self.error(answer) from None

    def mapping(self, answer: Answer) -> dict[str, Any]:
        document = self.document(answer)
        if not isinstance(document, dict):
            raise self.error(answer)
        return document

    def read_created(self, answer: Answer) -> dict[str, Any]:
        document = self.mapping(answer)
        if not isinstance(document.get("id"), str):
            raise self.error(answer)
        return {"id": document["id"], "etag": document.get("etag")}

    def read_one(self, answer: Answer) -> dict[str, Any]:
        items = self.read_items(answer)
        if not items:
            raise self.error(answer)
        return items[0]

    def read_items(self, answer: Answer) -> list[dict[str, Any]]:
        items = self.mapping(answer).get("items")
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            raise self.error(answer)
        return items

    def read_next(self, answer: Answer) -> str | None:
        links = self.mapping(answer).get("_links") or {}
        following = links.get("next") or {}
        return following.get("href") or None

    def read_count(self, answer: Answer) -> int:
        count = self.mapping(answer).get("count")
        if not isinstance(count, int) or isinstance(count, bool):
            raise self.error(answer)
        return count

    def read_updated(self, answer: Answer) -> dict[str, Any]:
        document = self.mapping(answer)
        if "id" not in document and "etag" not in document:
            raise self.error(answer)
        return {"id": document.get("id"), "etag": document.get("etag")}

    def read_tested(self, answer: Answer) -> bool:
        result = self.mapping(answer).get("result")
        if not isinstance(result, bool):
            raise self.error(answer)
        return result
