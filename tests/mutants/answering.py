"""Mutants of family 3: what the caller gets of a success, whatever form it has."""

from __future__ import annotations

import re
from typing import Any

import httpx

from aepmock.clients.reference import Answer, ReferenceClient
from aepmock.errors import ClientError
from tests.mutants.registry import breaks


@breaks("answers.good")
class knows_no_success_but_200(ReferenceClient):
    def read_created(self, answer: Answer) -> dict[str, Any]:
        if answer.status_code != 200:
            raise self.error(answer)
        return super().read_created(answer)


@breaks("answers.good")
class wants_a_connection_to_be_described(ReferenceClient):
    """Most connections that the suite makes have no description."""

    def read_one(self, answer: Answer) -> dict[str, Any]:
        item = super().read_one(answer)
        return {**item, "description": item["description"]}


@breaks("answers.success")
class takes_an_empty_list_for_a_failure(ReferenceClient):
    def read_items(self, answer: Answer) -> list[dict[str, Any]]:
        items = super().read_items(answer)
        if not items and self.read_next(answer) is None:
            raise ClientError("nothing found")
        return items


@breaks("answers.success")
class takes_a_count_of_zero_for_a_missing_one(ReferenceClient):
    def read_count(self, answer: Answer) -> int:
        count = super().read_count(answer)
        if not count:
            raise self.error(answer)
        return count


@breaks("answers.success")
class takes_a_failed_test_for_an_error(ReferenceClient):
    def read_tested(self, answer: Answer) -> bool:
        if not super().read_tested(answer):
            raise ClientError("the connection does not work")
        return True


_UNKNOWN = re.compile("aepmock|x-|ns\\.")
"""No field of the documentation, nor any the mock is known to give, is called so."""


@breaks("answers.unknown-fields")
class knows_every_field_there_is(ReferenceClient):
    """A model that forbids what it does not know."""

    def read_items(self, answer: Answer) -> list[dict[str, Any]]:
        items = super().read_items(answer)
        strange = {k for item in items for k in item if _UNKNOWN.match(k)}
        if strange:
            raise TypeError(f"Connection() got an unexpected keyword argument {min(strange)!r}")
        return items


@breaks("answers.unknown-fields")
class unpacks_an_answer_of_two_fields(ReferenceClient):
    def read_created(self, answer: Answer) -> dict[str, Any]:
        super().read_created(answer)
        fields = [k for k in answer.json() if k not in ("id", "etag")]
        if fields:
            raise ValueError(f"too many values to unpack (expected 2, got {2 + len(fields)})")
        return super().read_created(answer)


@breaks("answers.header-case")
class looks_headers_up_letter_by_letter(ReferenceClient):
    def document(self, answer: Answer) -> Any:
        fields = dict(answer.headers.raw)
        if answer.is_success and not fields[b"Content-Type"].lower().startswith(
            b"application/json"
        ):
            raise self.error(answer)
        return super().document(answer)


@breaks("answers.gzip")
class reads_octets_as_they_are(ReferenceClient):
    """Leaves Accept-Encoding to httpx, which offers gzip, and reads past its decoder."""

    def send(self, request: httpx.Request) -> Answer:
        answer = self.http.send(request, stream=True)
        body = b"".join(answer.iter_raw())
        headers = [(n, v) for n, v in answer.headers.items() if n != "content-encoding"]
        return httpx.Response(answer.status_code, headers=headers, content=body, request=request)


@breaks("answers.chunked")
class reads_as_many_octets_as_announced(ReferenceClient):
    def document(self, answer: Answer) -> Any:
        if answer.is_success:
            assert len(answer.content) >= int(
                answer.headers["Content-Length"]
            ) or answer.headers.get("Content-Encoding")
        return super().document(answer)


@breaks("answers.location-absent")
class takes_the_id_from_the_location(ReferenceClient):
    def read_created(self, answer: Answer) -> dict[str, Any]:
        made = super().read_created(answer)
        return {**made, "id": answer.headers["Location"].rpartition("/")[2]}


@breaks("answers.links-absent")
class indexes_the_links(ReferenceClient):
    def read_next(self, answer: Answer) -> str | None:
        href: str | None = self.mapping(answer)["_links"].get("next", {}).get("href")
        return href


@breaks("answers.etag-absent")
class indexes_the_etag(ReferenceClient):
    def read_created(self, answer: Answer) -> dict[str, Any]:
        return {**super().read_created(answer), "etag": self.mapping(answer)["etag"]}


@breaks("answers.content-type-parameters")
class compares_the_content_type_whole(ReferenceClient):
    def document(self, answer: Answer) -> Any:
        if (
            answer.is_success
            and answer.headers.get("Content-Type", "").lower() != "application/json"
        ):
            raise self.error(answer)
        return super().document(answer)


@breaks("answers.json-form")
class finds_the_id_by_a_search_in_the_text(ReferenceClient):
    def read_created(self, answer: Answer) -> dict[str, Any]:
        made = super().read_created(answer)
        match = re.search(r'"id": ?"([^"]+)"', answer.text)
        if match is None:
            raise self.error(answer)
        return {**made, "id": match[1]}


@breaks("answers.json-form")
class takes_what_begins_with_a_quoted_key_for_json(ReferenceClient):
    def document(self, answer: Answer) -> Any:
        if answer.is_success and answer.text.startswith(("{\n", "[\n")):
            raise self.error(answer)
        return super().document(answer)


@breaks("answers.good")
class reads_the_body_of_a_deletion(ReferenceClient):
    def delete_connection(self, connection_id: str) -> None:
        self.document(self.send(self.delete_request(connection_id)))


@breaks("answers.delete-without-body")
class knows_no_deletion_but_204(ReferenceClient):
    def delete_connection(self, connection_id: str) -> None:
        answer = self.send(self.delete_request(connection_id))
        if answer.status_code != 204:
            raise self.error(answer)


@breaks("connections.get.unwrapped")
class returns_the_envelope(ReferenceClient):
    def read_one(self, answer: Answer) -> dict[str, Any]:
        super().read_one(answer)
        return self.mapping(answer)


@breaks("connections.get.unwrapped")
class returns_a_list_of_one(ReferenceClient):
    def get_connection(self, connection_id: str) -> Any:
        return [super().get_connection(connection_id)]


@breaks("connections.get.unwrapped")
class strips_the_quotes_of_a_read_etag(ReferenceClient):
    def read_one(self, answer: Answer) -> dict[str, Any]:
        item = super().read_one(answer)
        return {**item, "etag": item["etag"].strip('"')}


@breaks("connections.test.result")
class takes_every_200_for_a_working_connection(ReferenceClient):
    def test_connection(self, connection_id: str) -> bool:
        answer = self.send(self.test_request(connection_id))
        self.read_tested(answer)
        return answer.is_success


@breaks("connections.test.result")
class returns_the_word_for_the_result(ReferenceClient):
    def read_tested(self, answer: Answer) -> Any:
        return str(super().read_tested(answer)).lower()
