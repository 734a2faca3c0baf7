"""Mutants of family 2: what a create sends and what it returns."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

import httpx

from aepmock.client_api import NewConnection
from aepmock.clients.reference import Answer, MintingClient, ReferenceClient
from tests.mutants.registry import breaks


class WithBody(ReferenceClient):
    """A client whose body of a create is changed on its way, in one place."""

    def body(self, connection: NewConnection) -> dict[str, Any]:
        body = super().body(connection)
        self.change(body, connection)
        return body

    def change(self, body: dict[str, Any], connection: NewConnection) -> None:
        raise NotImplementedError


@breaks(
    "connections.create.json-body",
    # What the charset lacks is written as &#8364;, and some pairs of letters are valid UTF-8
    # for another one; updates are written in the same way.
    also=(
        "connections.create.auth-params",
        "connections.create.name",
        "connections.create.description",
        "connections.update.operations",
    ),
)
class writes_json_in_iso_8859_1(ReferenceClient):
    def encode(self, payload: Any) -> bytes:
        return json.dumps(payload, ensure_ascii=False).encode("latin-1", "xmlcharrefreplace")


@breaks("connections.create.json-body", also=("connections.update.operations",))
class writes_a_byte_order_mark(ReferenceClient):
    def encode(self, payload: Any) -> bytes:
        return super().encode(payload).decode().encode("utf-8-sig")


@breaks("connections.create.json-body", also=("request.content-type",))
class sends_a_create_as_a_form(ReferenceClient):
    def create_request(self, connection: NewConnection) -> httpx.Request:
        request = super().create_request(connection)
        headers = {n: v for n, v in request.headers.items() if n != "content-length"}
        headers["content-type"] = "application/x-www-form-urlencoded"
        form = urlencode(self.body(connection)).encode()
        return self.http.build_request("POST", str(request.url), headers=headers, content=form)


@breaks("connections.create.json-body")
class sends_a_list_of_one(WithBody):
    def create_request(self, connection: NewConnection) -> httpx.Request:
        return self.build("POST", self.url(), payload=[ReferenceClient.body(self, connection)])


@breaks("connections.create.unique-keys")
class writes_json_by_hand(ReferenceClient):
    def encode(self, payload: Any) -> bytes:
        text = super().encode(payload)
        if not isinstance(payload, dict):
            return text
        name = json.dumps(payload["name"], ensure_ascii=False).encode()
        return b'{"name":' + name + b"," + text.removeprefix(b"{")


@breaks("connections.create.name")
class strips_the_name(WithBody):
    def change(self, body: dict[str, Any], connection: NewConnection) -> None:
        body["name"] = connection.name.strip()


@breaks("connections.create.name")
class composes_the_characters_of_the_name(WithBody):
    def change(self, body: dict[str, Any], connection: NewConnection) -> None:
        body["name"] = unicodedata.normalize("NFC", connection.name)


@breaks("connections.create.name")
class cuts_a_long_name(WithBody):
    def change(self, body: dict[str, Any], connection: NewConnection) -> None:
        body["name"] = connection.name[:255]


@breaks("connections.create.name")
class sends_a_name_without_what_ascii_lacks(WithBody):
    def change(self, body: dict[str, Any], connection: NewConnection) -> None:
        body["name"] = connection.name.encode("ascii", "ignore").decode()


@breaks("connections.create.description")
class drops_the_description(WithBody):
    def change(self, body: dict[str, Any], connection: NewConnection) -> None:
        body.pop("description", None)


@breaks("connections.create.description")
class makes_the_description_one_line(WithBody):
    def change(self, body: dict[str, Any], connection: NewConnection) -> None:
        if connection.description is not None:
            body["description"] = " ".join(connection.description.split())


@breaks("connections.create.description-absent")
class sends_null_for_no_description(WithBody):
    def change(self, body: dict[str, Any], connection: NewConnection) -> None:
        body["description"] = connection.description


@breaks("connections.create.description-absent")
class describes_with_the_name(WithBody):
    def change(self, body: dict[str, Any], connection: NewConnection) -> None:
        body.setdefault("description", connection.name)


@breaks("connections.create.spec-id")
class sends_the_connector_s_name_for_its_id(WithBody):
    def change(self, body: dict[str, Any], connection: NewConnection) -> None:
        body["connectionSpec"]["id"] = "hubspot"


@breaks("connections.create.spec-id")
class takes_another_connector_s_spec(WithBody):
    def change(self, body: dict[str, Any], connection: NewConnection) -> None:
        body["connectionSpec"]["id"] = "ecadc60c-7455-4d87-84dc-2a0e293d997b"  # Amazon S3


@breaks("connections.create.spec-id")
class writes_the_spec_id_under_the_name_spec_id(WithBody):
    def change(self, body: dict[str, Any], connection: NewConnection) -> None:
        body["connectionSpecId"] = body.pop("connectionSpec")["id"]


@breaks("connections.create.spec-version")
class sends_the_version_as_a_number(WithBody):
    def change(self, body: dict[str, Any], connection: NewConnection) -> None:
        spec = body["connectionSpec"]
        if "version" in spec:
            spec["version"] = float(spec["version"])


@breaks("connections.create.spec-version")
class leaves_the_version_out(WithBody):
    def change(self, body: dict[str, Any], connection: NewConnection) -> None:
        body["connectionSpec"].pop("version", None)


@breaks("connections.create.auth-spec-name")
class names_the_auth_spec_oauth2(WithBody):
    def change(self, body: dict[str, Any], connection: NewConnection) -> None:
        if "auth" in body:
            body["auth"]["specName"] = "OAuth2"


@breaks("connections.create.auth-spec-name")
class writes_spec_name_in_snake_case(WithBody):
    def change(self, body: dict[str, Any], connection: NewConnection) -> None:
        if "auth" in body:
            body["auth"]["spec_name"] = body["auth"].pop("specName")


@breaks("connections.create.auth-params")
class writes_params_in_snake_case(WithBody):
    def change(self, body: dict[str, Any], connection: NewConnection) -> None:
        if "auth" in body:
            params = body["auth"]["params"]
            body["auth"]["params"] = {_snake(k): v for k, v in params.items()}


def _snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name)


@breaks("connections.create.auth-params")
class strips_the_padding_of_secrets(WithBody):
    def change(self, body: dict[str, Any], connection: NewConnection) -> None:
        if "auth" in body:
            params: dict[str, Any] = body["auth"]["params"]
            for name, value in params.items():
                params[name] = value.rstrip("=") if isinstance(value, str) else value


@breaks("connections.create.auth-params")
class strips_secrets_where_they_stand(ReferenceClient):
    """In the caller's own mapping."""

    def create_connection(self, connection: NewConnection) -> dict[str, Any]:
        params = connection.auth_params
        if isinstance(params, dict):
            params.update({k: v[:8] for k, v in params.items() if isinstance(v, str)})
        return super().create_connection(connection)


@breaks("connections.create.auth-params")
class percent_encodes_secrets(WithBody):
    def change(self, body: dict[str, Any], connection: NewConnection) -> None:
        if "auth" in body:
            params: dict[str, Any] = body["auth"]["params"]
            body["auth"]["params"] = {k: quote(str(v), safe="") for k, v in params.items()}


@breaks("connections.create.auth-params")
class adds_a_param_of_its_own(WithBody):
    def change(self, body: dict[str, Any], connection: NewConnection) -> None:
        if "auth" in body:
            body["auth"]["params"]["grantType"] = "refresh_token"


@breaks("connections.create.tokens-apart", also=("connections.create.auth-params", "secrets.body"))
class sends_the_ims_token_to_the_connector(WithBody):
    def change(self, body: dict[str, Any], connection: NewConnection) -> None:
        if "accessToken" in connection.auth_params:
            body["auth"]["params"]["accessToken"] = self.token()


@breaks("connections.create.tokens-apart", also=("request.authorization",))
class signs_in_with_the_connector_s_token(ReferenceClient):
    def create_request(self, connection: NewConnection) -> httpx.Request:
        request = super().create_request(connection)
        token = connection.auth_params.get("accessToken", self.token())
        request.headers["Authorization"] = f"Bearer {token}"
        return request


@breaks("connections.create.one-post")
class repeats_a_create_after_a_503(ReferenceClient):
    def create_connection(self, connection: NewConnection) -> dict[str, Any]:
        answer = self.send(self.create_request(connection))
        for _ in range(2):
            if answer.status_code not in (502, 503, 504):
                break
            answer = self.send(self.create_request(connection))
        return self.read_created(answer)


@breaks("connections.create.one-post")
class repeats_a_create_that_it_could_not_read(ReferenceClient):
    def create_connection(self, connection: NewConnection) -> dict[str, Any]:
        answer = self.send(self.create_request(connection))
        if not answer.is_success:
            return self.read_created(answer)
        try:
            return self.read_created(answer)
        except Exception:
            return self.read_created(self.send(self.create_request(connection)))


@breaks("connections.create.one-post")
class warms_up_with_a_create(MintingClient):
    """Sends every create twice, the first time to have the token refreshed if need be."""

    def create_connection(self, connection: NewConnection) -> dict[str, Any]:
        self.send(self.create_request(connection))
        return super().create_connection(connection)


@breaks("connections.create.returns-id")
class returns_a_path_for_an_id(ReferenceClient):
    def read_created(self, answer: Answer) -> dict[str, Any]:
        made = super().read_created(answer)
        return {**made, "id": f"/connections/{made['id']}"}


@breaks("connections.create.returns-id")
class returns_the_id_without_hyphens(ReferenceClient):
    def read_created(self, answer: Answer) -> dict[str, Any]:
        made = super().read_created(answer)
        return {**made, "id": made["id"].replace("-", "")}


@breaks("connections.create.returns-id", also=("connections.create.returns-etag",))
class returns_the_answer_s_status_only(ReferenceClient):
    def read_created(self, answer: Answer) -> dict[str, Any]:
        super().read_created(answer)
        return {"status": answer.status_code}


@breaks("connections.create.returns-etag")
class strips_the_quotes_of_a_new_etag(ReferenceClient):
    def read_created(self, answer: Answer) -> dict[str, Any]:
        made = super().read_created(answer)
        return {**made, "etag": made["etag"].strip('"') if made["etag"] else None}


@breaks("connections.create.returns-etag")
class takes_the_etag_from_the_header(ReferenceClient):
    def read_created(self, answer: Answer) -> dict[str, Any]:
        return {**super().read_created(answer), "etag": answer.headers.get("etag")}


@breaks("connections.create.returns-etag")
class makes_an_etag_up(ReferenceClient):
    def read_created(self, answer: Answer) -> dict[str, Any]:
        made: Mapping[str, Any] = super().read_created(answer)
        return {"id": made["id"], "etag": made["etag"] or '"1"'}
