"""Mutants of family 8: secrets that turn up where they do not belong."""

from __future__ import annotations

import base64
import json
import logging
import os
import sys
import warnings
from pathlib import Path
from typing import Any
from urllib.parse import urljoin
from uuid import uuid4

import httpx

from aepmock.client_api import ClientSettings, NewConnection
from aepmock.clients.reference import Answer, AsyncReferenceClient, MintingClient, ReferenceClient
from aepmock.errors import ClientError
from tests.mutants.registry import breaks


@breaks("secrets.url", also=("request.query-parameters", "secrets.log"))
class sends_the_token_in_the_query_too(ReferenceClient):
    def build(self, method: str, url: str, **rest: Any) -> httpx.Request:
        separator = "&" if "?" in url else "?"
        return super().build(method, f"{url}{separator}access_token={self.token()}", **rest)


@breaks("secrets.header")
class tells_its_token_in_the_user_agent(ReferenceClient):
    def headers(self) -> dict[str, str]:
        return {**super().headers(), "User-Agent": f"acme/2.1 ({self.token()})"}


@breaks("secrets.header")
class sends_the_client_secret_along(ReferenceClient):
    def headers(self) -> dict[str, str]:
        return {**super().headers(), "x-client-secret": self.settings.client_secret}


@breaks("secrets.redirect")
class lets_httpx_follow_redirects(ReferenceClient):
    """httpx takes Authorization off, but after a 307 the body of a create goes along."""

    def __init__(self, settings: ClientSettings) -> None:
        super().__init__(settings)
        self.http.follow_redirects = True


@breaks("secrets.redirect")
class follows_redirects_with_all_its_headers(ReferenceClient):
    def send(self, request: httpx.Request) -> Answer:
        answer = super().send(request)
        location = answer.headers.get("Location")
        if not answer.is_redirect or location is None:
            return answer
        return super().send(self.build("GET", urljoin(str(request.url), location)))


@breaks("secrets.next-link")
class follows_any_next_link(ReferenceClient):
    def next_request(self, href: str) -> httpx.Request:
        return self.build("GET", self.settings.base_url + href if href[0] == "/" else href)


@breaks("secrets.error")
class puts_its_headers_into_the_error(ReferenceClient):
    def error(self, answer: Answer) -> ClientError:
        error = super().error(answer)
        sent = dict(answer.request.headers)
        return ClientError(f"{error.message}, sent {sent}", status=error.status, code=error.code)


@breaks("secrets.error")
class notes_the_body_on_the_error(ReferenceClient):
    def error(self, answer: Answer) -> ClientError:
        error = super().error(answer)
        error.add_note(f"the body was {answer.request.read()!r}")
        return error


@breaks("secrets.error")
class tells_the_form_when_it_gets_no_token(MintingClient):
    def read_token(self, answer: Answer) -> str:
        try:
            return super().read_token(answer)
        except ClientError as error:
            raise error from ValueError(answer.request.read().decode())


@breaks("secrets.error")
class explains_that_nobody_answered(ReferenceClient):
    def send(self, request: httpx.Request) -> Answer:
        try:
            return super().send(request)
        except httpx.TransportError as error:
            raise ConnectionError(f"no answer to {request!r} {dict(request.headers)}") from error


@breaks("secrets.error-context")
class keeps_the_sent_headers_on_the_error(ReferenceClient):
    def error(self, answer: Answer) -> ClientError:
        error = super().error(answer)
        error.sent = [dict(answer.request.headers)]  # type: ignore[attr-defined]
        return error


@breaks("secrets.error-context")
class fails_while_it_handles_a_failure(ReferenceClient):
    def checked(self, answer: Answer) -> Answer:
        if answer.is_success:
            return answer
        try:
            raise RuntimeError(f"refused: {dict(answer.request.headers)}")
        except RuntimeError:
            raise super().error(answer)  # noqa: B904 the fault


@breaks("secrets.repr")
class shows_its_token(ReferenceClient):
    def __repr__(self) -> str:
        return f"Client(sandbox={self.settings.sandbox_name!r}, token={self.token()!r})"


@breaks("secrets.repr")
class shows_its_client_secret(AsyncReferenceClient):
    def __str__(self) -> str:
        return f"{self.settings.client_id}:{self.settings.client_secret}"


@breaks("secrets.debug-log")
class logs_its_headers(ReferenceClient):
    """By a logger that nobody else hears, at the lowest level."""

    def send(self, request: httpx.Request) -> Answer:
        logger = logging.getLogger("acme.http")
        logger.propagate = False
        logger.debug("sending %s", dict(request.headers))
        return super().send(request)


@breaks("secrets.log")
class logs_its_headers_for_everyone(ReferenceClient):
    """At INFO, which a program that is run usually shows."""

    def send(self, request: httpx.Request) -> Answer:
        logging.getLogger("acme.http").info("sending %s", dict(request.headers))
        return super().send(request)


@breaks("secrets.log")
class logs_a_create_with_its_body(ReferenceClient):
    def send(self, request: httpx.Request) -> Answer:
        if request.method == "POST":
            logging.getLogger("acme").info("creating", extra={"body": request.read().decode()})
        return super().send(request)


@breaks("secrets.log")
class warns_of_a_refusal_with_the_token(ReferenceClient):
    def error(self, answer: Answer) -> ClientError:
        warnings.warn(f"is the token {self.token()} right?", stacklevel=2)
        return super().error(answer)


class _Chatty(ReferenceClient):
    """Says something the first time it sends."""

    def __init__(self, settings: ClientSettings) -> None:
        super().__init__(settings)
        self._said = False

    def send(self, request: httpx.Request) -> Answer:
        if not self._said:
            self._said = True
            self.say(request)
        return super().send(request)

    def say(self, request: httpx.Request) -> None:
        raise NotImplementedError


@breaks("secrets.output")
class prints_what_it_sends(_Chatty):
    def say(self, request: httpx.Request) -> None:
        print(request.method, request.url, dict(request.headers))


@breaks("secrets.output")
class prints_the_token_it_fetched(MintingClient):
    """Once only, when the client is made or first used."""

    def read_token(self, answer: Answer) -> str:
        token = super().read_token(answer)
        print(f"signed in: {token}", file=sys.stderr)
        return token


@breaks("secrets.output")
class writes_past_python(_Chatty):
    """As a library in C would."""

    def say(self, request: httpx.Request) -> None:
        os.write(2, f"> {request.headers.raw}\n".encode())


@breaks("secrets.file")
class keeps_its_token_beside_the_program(ReferenceClient):
    def __init__(self, settings: ClientSettings) -> None:
        super().__init__(settings)
        self._kept: Path | None = None

    def send(self, request: httpx.Request) -> Answer:
        if self._kept is None:
            self._kept = Path(f"{uuid4()}.token.json")
            self._kept.write_text(json.dumps({"token": self.token()}), "utf-8")
        return super().send(request)

    def close(self) -> None:
        super().close()
        if self._kept is not None:
            self._kept.unlink()


class _Telling(ReferenceClient):
    """A client that puts a secret into the body of a create beside auth.params."""

    def body(self, connection: NewConnection) -> dict[str, Any]:
        body = super().body(connection)
        if connection.auth_params:
            self.tell(body, dict(connection.auth_params))
        return body

    def tell(self, body: dict[str, Any], params: dict[str, Any]) -> None:
        raise NotImplementedError


@breaks("secrets.body")
class writes_its_params_twice(_Telling):
    def tell(self, body: dict[str, Any], params: dict[str, Any]) -> None:
        body["params"] = params


@breaks("secrets.body")
class keeps_a_copy_of_its_params_in_base64(_Telling):
    def tell(self, body: dict[str, Any], params: dict[str, Any]) -> None:
        body["backup"] = base64.b64encode(json.dumps(params).encode()).decode()


@breaks("secrets.body")
class sends_its_own_credentials_along(_Telling):
    def tell(self, body: dict[str, Any], params: dict[str, Any]) -> None:
        body["auth"]["client"] = {"secret": self.settings.client_secret}


@breaks("secrets.header")
class sends_a_secret_in_base64(ReferenceClient):
    def create_request(self, connection: NewConnection) -> httpx.Request:
        request = super().create_request(connection)
        secret = str(connection.auth_params.get("clientSecret"))
        request.headers["x-connector"] = base64.b64encode(f"hubspot:{secret}".encode()).decode()
        return request


@breaks("secrets.echo")
class raises_what_the_service_said(ReferenceClient):
    def error(self, answer: Answer) -> ClientError:
        made = super().error(answer)
        return ClientError(f"{made}: {answer.text}", status=made.status, code=made.code)


@breaks("secrets.echo")
class logs_what_the_service_said(ReferenceClient):
    def error(self, answer: Answer) -> ClientError:
        logging.getLogger("acme").debug("refused: %s", answer.text)
        return super().error(answer)
