"""Clients that write and read values in unusual ways, all of which mean the same."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import httpx

from aepmock.client_api import NewConnection
from aepmock.clients.reference import Answer, ReferenceClient
from aepmock.errors import ClientError
from tests.mutants.registry import correct


@correct()
class says_what_goes_without_saying(ReferenceClient):
    """Documented defaults, and the id of the connector's provider, as a published client does."""

    def query(self, pairs: Sequence[tuple[str, str]]) -> str:
        names = dict(pairs)
        if "objectType" in names:
            more = [("preview", "false"), ("columnDelimiter", ",")]
        else:
            more = [("limit", "20"), ("count", "False")] if "count" not in names else []
        return super().query([*pairs, *(pair for pair in more if pair[0] not in names)])

    def list_request(
        self, limit: int | None, property: Sequence[str], orderby: str | None
    ) -> httpx.Request:
        pairs = [("property", text) for text in property]
        pairs += [] if limit is None else [("limit", str(limit))]
        pairs += [] if orderby is None else [("orderby", orderby)]
        return self.build("GET", self.url() + self.query(pairs))

    def body(self, connection: NewConnection) -> dict[str, Any]:
        provider = "521eee4d-8cbe-4906-bb48-fb6bd4450033"
        return {**super().body(connection), "providerId": provider}


@correct()
class writes_base64_without_padding(ReferenceClient):
    """And leaves an empty document out."""

    def explore_connection(
        self, connection_id: str, *, source_params: Mapping[str, Any] | None = None, **rest: Any
    ) -> Any:
        return super().explore_connection(
            connection_id, source_params=source_params or None, **rest
        )

    def query(self, pairs: Sequence[tuple[str, str]]) -> str:
        return super().query([(n, v.rstrip("=") if n == "sourceParams" else v) for n, v in pairs])


@correct()
class writes_raw_json_into_base64(ReferenceClient):
    """UTF-8 as it is, with as few blanks as can be, and the type of the file in capitals."""

    _document: Mapping[str, Any] | None = None

    def explore_connection(
        self, connection_id: str, *, source_params: Mapping[str, Any] | None = None, **rest: Any
    ) -> Any:
        self._document = source_params
        return super().explore_connection(connection_id, source_params=source_params, **rest)

    def query(self, pairs: Sequence[tuple[str, str]]) -> str:
        given = dict(pairs)
        if "fileType" in given:
            given["fileType"] = given["fileType"].upper()
        if "sourceParams" in given:
            text = json.dumps(self._document, ensure_ascii=False, separators=(",", ":"))
            given["sourceParams"] = base64.b64encode(text.encode()).decode()
        return super().query(list(given.items()) if "objectType" in given else pairs)


class _Exact(ReferenceClient):
    def document(self, answer: Answer) -> Any:
        try:
            return self.read(self.checked(answer).content)
        except ValueError:
            raise self.error(answer) from None

    def read(self, content: bytes) -> Any:
        raise NotImplementedError


@correct()
class keeps_numbers_as_decimals(_Exact):
    def read(self, content: bytes) -> Any:
        return json.loads(content, parse_float=Decimal)


@correct()
class refuses_a_byte_order_mark(_Exact):
    def read(self, content: bytes) -> Any:
        return json.loads(content.decode())


@correct()
class ignores_a_byte_order_mark(_Exact):
    def read(self, content: bytes) -> Any:
        return json.loads(content.decode("utf-8-sig"))


@correct()
class quotes_the_service_without_what_it_sent(ReferenceClient):
    def error(self, answer: Answer) -> ClientError:
        made = super().error(answer)
        sent = [self.settings.access_token, self.settings.client_secret]
        sent += _texts(json.loads(answer.request.content or b"null"))
        text = answer.text
        for secret in sorted(sent, key=len, reverse=True):
            text = text.replace(secret, "***") if len(secret) >= 8 else text
        return ClientError(f"{made}: {text}", status=made.status, code=made.code)


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict | list):
        parts = value.values() if isinstance(value, dict) else value
        return [text for part in parts for text in _texts(part)]
    return [value] if isinstance(value, str) else []
