"""A right client of layers around a transport, on httpx, which its mutants spoil.

Each layer takes a request and what comes behind it. One signs requests with a token that it
fetches, one tries reads again, one logs. Pages are an iterator.
"""

from __future__ import annotations

import base64
import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote, urlencode

import httpx

from aepmock.client_api import ClientSettings, NewConnection
from aepmock.clients.reference import trust

Send = Callable[[httpx.Request], httpx.Response]
log = logging.getLogger("acme.flow")
BUSY = (429, 503)
LONGEST_PAUSE_S = 10.0


class FlowError(Exception):
    """Something that was not hoped for, with status and code where there are any."""

    def __init__(self, text: str, status: int | None = None, code: str | None = None) -> None:
        super().__init__(f"{text} [{status} {code}]")
        self.status_code = status
        self.error_code = code


def told(answer: httpx.Response) -> FlowError:
    """The error for an answer."""
    code = None
    try:
        body = answer.json()
        code = body.get("error_code") or body["type"].rsplit("/", 1)[1]
    except (ValueError, AttributeError, KeyError, IndexError, TypeError):
        pass
    return FlowError("flow service refused", answer.status_code, code and str(code))


class LayeredClient:
    """A stack of layers, the outermost first."""

    tries = 3

    def __init__(self, settings: ClientSettings) -> None:
        self.settings = settings
        self.http = httpx.Client(
            timeout=settings.timeout_s,
            verify=trust(settings.ca_file),
            follow_redirects=False,
            trust_env=False,
        )
        self._token: str | None = None
        self.layers = [self.logging_layer, self.retry_layer, self.auth_layer]

    # layers

    def send(self, request: httpx.Request) -> httpx.Response:
        return self.through(0, request)

    def through(self, depth: int, request: httpx.Request) -> httpx.Response:
        if depth == len(self.layers):
            return self.http.send(request)
        return self.layers[depth](request, lambda inner: self.through(depth + 1, inner))

    def logging_layer(self, request: httpx.Request, send: Send) -> httpx.Response:
        answer = send(request)
        log.debug("%s: %s", request.method, answer.status_code)
        return answer

    def retry_layer(self, request: httpx.Request, send: Send) -> httpx.Response:
        for _ in range(self.tries - 1):
            answer = send(request)
            if not self.again(request, answer):
                return answer
            pause = self.pause(answer)
            if pause > LONGEST_PAUSE_S:
                return answer
            time.sleep(pause)
        return send(request)

    def again(self, request: httpx.Request, answer: httpx.Response) -> bool:
        return request.method == "GET" and answer.status_code in BUSY

    def pause(self, answer: httpx.Response) -> float:
        """How long to wait: as Retry-After says, in seconds or as a date, else a little."""
        asked = answer.headers.get("Retry-After")
        if asked is None:
            return 0.05
        try:
            return float(int(asked))
        except ValueError:
            pass
        try:
            return parsedate_to_datetime(asked).timestamp() - time.time() + 1
        except (ValueError, TypeError):
            return 1.0

    def auth_layer(self, request: httpx.Request, send: Send) -> httpx.Response:
        answer = send(self.signed(request))
        if answer.status_code == 401 and told(answer).error_code == "401013":
            self._token = None
            answer = send(self.signed(request))
        return answer

    def signed(self, request: httpx.Request) -> httpx.Request:
        request.headers["Authorization"] = f"Bearer {self.token()}"
        return request

    def token(self) -> str:
        if self._token is None:
            self._token = self.fetch_token()
        return self._token

    def token_request(self) -> httpx.Request:
        form = {
            "grant_type": "client_credentials",
            "client_id": self.settings.client_id,
            "client_secret": self.settings.client_secret,
            "scope": self.settings.scopes,
        }
        return self.http.build_request(
            "POST",
            self.settings.ims_token_url,
            content=urlencode(form),
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        )

    def fetch_token(self) -> str:
        answer = self.http.send(self.token_request())
        token = self.document(answer).get("access_token")
        if not isinstance(token, str):
            raise FlowError("no token", answer.status_code)
        return token

    # requests

    def headers(self) -> dict[str, str]:
        headers = {
            "x-api-key": self.settings.api_key,
            "x-gw-ims-org-id": self.settings.ims_org_id,
            "x-sandbox-name": self.settings.sandbox_name,
            "User-Agent": "acme-flow/1.0",
        }
        if not all(value.isascii() and value.isprintable() for value in headers.values()):
            raise FlowError("a setting can't be sent")
        return headers

    def path(self, *segments: str) -> str:
        if "" in segments:
            raise FlowError("no id")
        return "".join("/" + quote(segment, safe="") for segment in ("connections", *segments))

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Sequence[tuple[str, str]] = (),
        body: Any = None,
        **extra: str,
    ) -> httpx.Response:
        headers = {**self.headers(), **{k.replace("_", "-"): v for k, v in extra.items()}}
        content = None
        if body is not None:
            headers["Content-Type"] = "application/json;charset=UTF-8"
            content = json.dumps(body, ensure_ascii=False).encode()
        url = self.settings.base_url + path + self.query(query)
        request = self.http.build_request(method, url, headers=headers, content=content)
        answer = self.send(request)
        if answer.is_success:
            return answer
        raise self.refusal(request, answer)

    def refusal(self, request: httpx.Request, answer: httpx.Response) -> Exception:
        return told(answer)

    def query(self, pairs: Sequence[tuple[str, str]]) -> str:
        return "?" + urlencode(pairs, quote_via=quote, safe="") if pairs else ""

    # answers

    def document(self, answer: httpx.Response) -> dict[str, Any]:
        document = self.parsed(answer)
        if not answer.is_success or not isinstance(document, dict):
            raise told(answer)
        return document

    def parsed(self, answer: httpx.Response) -> Any:
        try:
            return json.loads(answer.content)
        except ValueError:
            raise told(answer) from None

    def pick(self, answer: httpx.Response, name: str, kind: type) -> Any:
        value = self.document(answer).get(name)
        if type(value) is not kind:
            raise FlowError(f"no {name}", answer.status_code)
        return value

    def items(self, answer: httpx.Response) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self.pick(answer, "items", list)
        if any(type(item) is not dict for item in items):
            raise FlowError("strange items", answer.status_code)
        return items

    def stamp(self, answer: httpx.Response) -> dict[str, Any]:
        return {"id": self.pick(answer, "id", str), "etag": self.document(answer).get("etag")}

    # operations

    def payload(self, new: NewConnection) -> dict[str, Any]:
        payload: dict[str, Any] = {"name": new.name, "connectionSpec": self.spec(new)}
        if new.description is not None:
            payload["description"] = new.description
        if new.auth_spec_name is not None:
            payload["auth"] = {"specName": new.auth_spec_name, "params": self.params(new)}
        return payload

    def spec(self, new: NewConnection) -> dict[str, Any]:
        if new.connection_spec_version is None:
            return {"id": new.connection_spec_id}
        return {"id": new.connection_spec_id, "version": new.connection_spec_version}

    def params(self, new: NewConnection) -> dict[str, Any]:
        return dict(new.auth_params)

    def create_connection(self, connection: NewConnection) -> dict[str, Any]:
        return self.stamp(self.call("POST", self.path(), body=self.payload(connection)))

    def get_connection(self, connection_id: str) -> dict[str, Any]:
        answer = self.call("GET", self.path(connection_id))
        items = self.items(answer)
        if not items:
            raise FlowError("nothing there", answer.status_code)
        return items[0]

    def filters(
        self, limit: int | None, property: Sequence[str], orderby: str | None
    ) -> list[tuple[str, str]]:
        query = [("limit", str(limit))] if limit is not None else []
        query += [("orderby", orderby)] if orderby is not None else []
        return query + [("property", one) for one in property]

    def list_connections(
        self, *, limit: int | None = None, property: Sequence[str] = (), orderby: str | None = None
    ) -> Iterator[dict[str, Any]]:
        for page in self.pages(self.filters(limit, property, orderby)):
            yield from self.items(page)

    def pages(self, query: Sequence[tuple[str, str]]) -> Iterator[httpx.Response]:
        been: set[str] = set()
        page = self.call("GET", self.path(), query=query)
        yield page
        while href := self.following(page):
            if href in been:
                raise FlowError("the same page again", page.status_code)
            been.add(href)
            page = self.call("GET", href)
            yield page

    def following(self, page: httpx.Response) -> str | None:
        links = self.document(page).get("_links") or {}
        href: str | None = (links.get("next") or {}).get("href")
        if href and (href[:1] != "/" or href[:2] == "//"):
            raise FlowError("a link to somewhere else", page.status_code)
        return href

    def count_connections(self, *, property: Sequence[str] = ()) -> int:
        query = [("count", "true"), *(("property", one) for one in property)]
        count: int = self.pick(self.call("GET", self.path(), query=query), "count", int)
        return count

    def update_connection(
        self, connection_id: str, etag: str, operations: Sequence[Mapping[str, Any]]
    ) -> dict[str, Any]:
        body = [dict(operation) for operation in operations]
        return self.stamp(self.call("PATCH", self.path(connection_id), body=body, If_Match=etag))

    def delete_connection(self, connection_id: str) -> None:
        self.call("DELETE", self.path(connection_id))

    def test_connection(self, connection_id: str) -> bool:
        result: bool = self.pick(self.call("GET", self.path(connection_id, "test")), "result", bool)
        return result

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
        query = [("objectType", object_type)]
        if object is not None:
            query.append(("object", object))
        if file_type is not None:
            query.append(("fileType", file_type))
        if preview is not None:
            query.append(("preview", "true" if preview else "false"))
        if source_params is not None:
            raw = json.dumps(dict(source_params), ensure_ascii=False).encode()
            query.append(("sourceParams", base64.b64encode(raw).decode("ascii")))
        return self.parsed(self.call("GET", self.path(connection_id, "explore"), query=query))

    def close(self) -> None:
        self.http.close()
