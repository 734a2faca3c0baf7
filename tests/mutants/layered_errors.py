"""Layered clients that say the wrong thing of an error, or too much of a secret."""

from __future__ import annotations

import logging
import os
import shlex
from base64 import b64encode
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import httpx

from aepmock.client_api import ClientSettings, NewConnection
from tests.mutants.layers_base import FlowError, LayeredClient, Send, told
from tests.mutants.registry import breaks

log = logging.getLogger("acme.flow.wire")
REFUSALS = (
    "errors.gateway",
    "errors.short-body",
    "errors.empty-body",
    "errors.html-body",
    "errors.truncated-body",
    "errors.other-json",
)
"""What a client breaks too that takes a status for no error, whatever the body."""


@breaks("errors.code")
class reads_codes_that_are_text_only(LayeredClient):
    """OAS-D shows 401013 as a number."""

    def refusal(self, request: httpx.Request, answer: httpx.Response) -> Exception:
        trouble = told(answer)
        try:
            if isinstance(answer.json().get("error_code"), int):
                trouble = FlowError("flow service refused", answer.status_code)
        except (ValueError, AttributeError):
            pass
        return trouble


@breaks("errors.status")
class takes_the_status_from_the_body(LayeredClient):
    def refusal(self, request: httpx.Request, answer: httpx.Response) -> Exception:
        trouble = told(answer)
        try:
            status = answer.json().get("status")
        except (ValueError, AttributeError):
            status = None
        return FlowError("flow service refused", status, trouble.error_code)


@breaks("errors.status", also=("errors.code",))
class says_500_for_all_that_is_5xx(LayeredClient):
    def refusal(self, request: httpx.Request, answer: httpx.Response) -> Exception:
        trouble = told(answer)
        if answer.status_code < 500:
            return trouble
        return FlowError("server error", 500, None)


@breaks(
    "errors.service",
    also=("errors.short-body", "errors.empty-body", "errors.html-body", "errors.other-json"),
)
class takes_a_missing_sandbox_for_an_empty_one(LayeredClient):
    """A 404 of a list is an empty list."""

    def list_connections(
        self, *, limit: int | None = None, property: Sequence[str] = (), orderby: str | None = None
    ) -> Iterator[dict[str, Any]]:
        try:
            yield from super().list_connections(limit=limit, property=property, orderby=orderby)
        except FlowError as trouble:
            if trouble.status_code != 404:
                raise


@breaks("errors.empty-body")
class takes_what_is_gone_for_deleted(LayeredClient):
    """A 410 or 409 of a deletion is a success."""

    def delete_connection(self, connection_id: str) -> None:
        try:
            super().delete_connection(connection_id)
        except FlowError as trouble:
            if trouble.status_code not in (409, 410):
                raise


@breaks("errors.service", also=REFUSALS)
class takes_a_refused_test_for_a_failed_one(LayeredClient):
    """A 400 of the test is an answer: false."""

    def test_connection(self, connection_id: str) -> bool:
        try:
            return super().test_connection(connection_id)
        except FlowError as trouble:
            if trouble.status_code != 400:
                raise
            return False


@breaks("errors.service", also=REFUSALS)
class counts_nothing_where_it_may_not_look(LayeredClient):
    def count_connections(self, *, property: Sequence[str] = ()) -> int:
        try:
            return super().count_connections(property=property)
        except FlowError as trouble:
            if trouble.status_code != 403:
                raise
            return 0


@breaks("errors.missing-fields")
class says_false_where_the_result_is_missing(LayeredClient):
    def test_connection(self, connection_id: str) -> bool:
        result = self.document(self.call("GET", self.path(connection_id, "test"))).get("result")
        if result is not None and not isinstance(result, bool):
            raise FlowError("strange result", 200)
        return bool(result)


@breaks("errors.missing-fields")
class takes_the_id_it_asked_for(LayeredClient):
    """An update whose answer has no id gives the caller's own."""

    def update_connection(self, connection_id: str, etag: str, operations: Any) -> dict[str, Any]:
        body = [dict(operation) for operation in operations]
        answer = self.call("PATCH", self.path(connection_id), body=body, If_Match=etag)
        document = self.document(answer)
        return {"id": document.get("id", connection_id), "etag": document.get("etag", etag)}


@breaks("secrets.log")
class logs_its_form_when_ims_refuses(LayeredClient):
    """Percent-encoded, as it was sent."""

    def fetch_token(self) -> str:
        try:
            return super().fetch_token()
        except FlowError:
            log.info("token request failed: %s", urlencode({"s": self.settings.client_secret}))
            raise


@breaks("secrets.debug-log")
class logs_a_curl_command(LayeredClient):
    def logging_layer(self, request: httpx.Request, send: Send) -> httpx.Response:
        answer = send(request)
        words = ["curl", "-X", request.method, str(request.url)]
        words += [w for k, v in request.headers.items() for w in ("-H", f"{k}: {v}")]
        log.debug(shlex.join(words))
        return answer


@breaks("secrets.log")
class logs_the_body_of_what_is_refused(LayeredClient):
    def refusal(self, request: httpx.Request, answer: httpx.Response) -> Exception:
        log.info("refused: %s", request.content.decode())
        return told(answer)


@breaks("secrets.log")
class logs_the_params_it_was_given_in_order(LayeredClient):
    """`%r` of the whole NewConnection's params, at INFO, once it has an id."""

    def create_connection(self, connection: NewConnection) -> dict[str, Any]:
        made = super().create_connection(connection)
        log.info("created %s with %r", made["id"], list(connection.auth_params.values()))
        return made


@breaks("secrets.debug-log")
class logs_what_it_reads(LayeredClient):
    """A read gives the connector's secrets back."""

    def get_connection(self, connection_id: str) -> dict[str, Any]:
        item = super().get_connection(connection_id)
        log.debug("read %s", item)
        return item


@breaks("secrets.debug-log")
class logs_its_secrets_in_base64(LayeredClient):
    """As a header of Basic authentication would have them."""

    def fetch_token(self) -> str:
        pair = f"{self.settings.client_id}:{self.settings.client_secret}"
        log.debug("Basic %s", b64encode(pair.encode()).decode())
        return super().fetch_token()


@breaks("secrets.header")
class sends_the_client_secret_to_the_service(LayeredClient):
    """Basic credentials in a header of their own."""

    def headers(self) -> dict[str, str]:
        pair = f"{self.settings.client_id}:{self.settings.client_secret}"
        return {**super().headers(), "x-client-auth": b64encode(pair.encode()).decode()}


@breaks("secrets.error")
class tells_what_was_sent_with_a_conflict(LayeredClient):
    """Only a 409 has the request's headers in its text."""

    def refusal(self, request: httpx.Request, answer: httpx.Response) -> Exception:
        trouble = told(answer)
        if answer.status_code != 409:
            return trouble
        text = f"conflict: {dict(request.headers)}"
        return FlowError(text, answer.status_code, trouble.error_code)


@breaks("secrets.error")
class tells_the_params_of_a_refused_create(LayeredClient):
    def create_connection(self, connection: NewConnection) -> dict[str, Any]:
        try:
            return super().create_connection(connection)
        except FlowError as trouble:
            trouble.args = (f"{trouble} for {dict(connection.auth_params)}",)
            raise


@breaks("secrets.error-context")
class hangs_the_request_on_its_error(LayeredClient):
    def refusal(self, request: httpx.Request, answer: httpx.Response) -> Exception:
        trouble: Any = told(answer)
        trouble.request = {"headers": dict(request.headers), "url": str(request.url)}
        return trouble  # type: ignore[no-any-return]


@breaks("secrets.repr")
class shows_its_session(LayeredClient):
    """The repr of a client that has a header with the token, once it has signed in."""

    def __repr__(self) -> str:
        return f"LayeredClient(sandbox={self.settings.sandbox_name!r}, token={self._token!r})"


@breaks("secrets.output")
class prints_progress_with_the_url_and_params(LayeredClient):
    def create_connection(self, connection: NewConnection) -> dict[str, Any]:
        print(f"creating {connection.name} {connection.auth_params.get('refreshToken', '')}")
        return super().create_connection(connection)


@breaks("secrets.file")
class keeps_its_token_in_a_hidden_file(LayeredClient):
    def __init__(self, settings: ClientSettings) -> None:
        super().__init__(settings)
        self._kept = Path(f".acme-{uuid4()}")

    def fetch_token(self) -> str:
        token = super().fetch_token()
        self._kept.write_text(token, "utf-8")
        return token

    def close(self) -> None:
        super().close()
        self._kept.unlink(missing_ok=True)


@breaks("secrets.redirect")
class follows_a_moved_post(LayeredClient):
    """A 307 with its body, without Authorization but with the connector's secrets."""

    def logging_layer(self, request: httpx.Request, send: Send) -> httpx.Response:
        answer = send(request)
        if answer.status_code in (307, 308) and request.method == "POST":
            location = request.url.join(answer.headers["Location"])
            again = httpx.Request("POST", location, content=request.content)
            return self.http.send(again)
        return answer


@breaks("secrets.next-link")
class follows_links_of_the_same_name(LayeredClient):
    """Compares the first letters of the URL: platform.adobe.io.evil.example passes."""

    def following(self, page: httpx.Response) -> str | None:
        links = self.document(page).get("_links") or {}
        href: str | None = (links.get("next") or {}).get("href")
        if href and href.startswith(self.settings.base_url.rsplit("/data", 1)[0]):
            return href
        return super().following(page)

    def call(self, method: str, path: str, **kwargs: Any) -> httpx.Response:
        if not path.startswith("http"):
            return super().call(method, path, **kwargs)
        answer = self.send(self.http.build_request(method, path, headers=self.headers()))
        if answer.is_success:
            return answer
        raise told(answer)


@breaks("retries.gives-up")
class waits_as_many_seconds_as_milliseconds(LayeredClient):
    def __init__(self, settings: ClientSettings) -> None:
        super().__init__(settings)
        self.http.timeout = httpx.Timeout(settings.timeout_s * 1000)


@breaks("retries.gives-up")
class waits_for_ever_for_the_body(LayeredClient):
    """A timeout for the connection only."""

    def __init__(self, settings: ClientSettings) -> None:
        super().__init__(settings)
        self.http.timeout = httpx.Timeout(None, connect=settings.timeout_s)


@breaks(
    "request.authorization",
    also=(
        "independence.threads",
        "independence.tasks",
        "independence.in-turn",
    ),
)
class signs_in_once_for_all(LayeredClient):
    """The token is kept on the class."""

    shared: str | None = None

    def token(self) -> str:
        if type(self).shared is None:
            type(self).shared = self.fetch_token()
        return str(type(self).shared)


@breaks(
    "independence.in-turn",
    also=(
        "request.sandbox",
        "independence.threads",
        "independence.tasks",
        "lifecycle.lists",
        "lifecycle.isolation",
    ),
)
class keeps_settings_in_the_environment(LayeredClient):
    """The sandbox stands in os.environ, where the object made last wins."""

    def __init__(self, settings: ClientSettings) -> None:
        super().__init__(settings)
        os.environ["ACME_SANDBOX"] = settings.sandbox_name.replace("\0", "")

    def headers(self) -> dict[str, str]:
        headers = super().headers()
        return {**headers, "x-sandbox-name": os.environ["ACME_SANDBOX"]}


@breaks(
    "request.api-key",
    also=(
        "request.ims-org",
        "request.sandbox",
        "independence.threads",
        "independence.tasks",
        "independence.in-turn",
    ),
)
class shares_a_cache_of_headers(LayeredClient):
    """A cache by base URL, which is the same for all."""

    cache: dict[str, dict[str, str]] = {}  # noqa: RUF012

    def headers(self) -> dict[str, str]:
        headers = super().headers()
        return dict(self.cache.setdefault(self.settings.base_url, headers))
