"""Mutants of family 6: refusals that are swallowed, and answers that are believed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import httpx

from aepmock.clients.reference import Answer, MintingClient, ReferenceClient
from aepmock.errors import ClientError
from tests.mutants.registry import breaks

# A client that looks at bodies instead of statuses lets through every refusal whose body it does
# not know, so most mutants below raise by status except in the one case that they are about.


class _Lenient(ReferenceClient):
    """A client that returns some refusals as if they had worked."""

    def lets_through(self, answer: Answer) -> bool:
        raise NotImplementedError

    def passed(self, answer: Answer) -> Any:
        """What it returns instead of an error."""
        try:
            return answer.json()
        except ValueError:
            return {}

    def read_created(self, answer: Answer) -> Any:
        return self._read(answer, super().read_created)

    def read_one(self, answer: Answer) -> Any:
        return self._read(answer, super().read_one)

    def read_count(self, answer: Answer) -> Any:
        return self._read(answer, super().read_count)

    def read_updated(self, answer: Answer) -> Any:
        return self._read(answer, super().read_updated)

    def read_tested(self, answer: Answer) -> Any:
        return self._read(answer, super().read_tested)

    def _read(self, answer: Answer, reader: Any) -> Any:
        refused = not answer.is_success and answer.status_code != 412
        return self.passed(answer) if refused and self.lets_through(answer) else reader(answer)


def _keys(answer: Answer) -> frozenset[str]:
    try:
        document = answer.json()
    except ValueError:
        return frozenset()
    return frozenset(document) if isinstance(document, dict) else frozenset()


@breaks("errors.service")
class knows_the_gateway_s_errors_only(_Lenient):
    def lets_through(self, answer: Answer) -> bool:
        return {"type", "title"} <= _keys(answer)


@breaks("errors.service", also=("errors.gateway",))
class ends_a_list_at_a_page_that_fails(ReferenceClient):
    def list_connections(
        self, *, limit: int | None = None, property: Sequence[str] = (), orderby: str | None = None
    ) -> Iterator[dict[str, Any]]:
        answer = self.send(self.list_request(limit, property, orderby))
        yield from self.read_items(answer)
        seen: set[str] = set()
        while (href := self.read_next(answer)) and href not in seen:
            seen.add(href)
            answer = self.send(self.next_request(href))
            if not answer.is_success:
                return
            yield from self.read_items(answer)


@breaks("errors.service", also=("errors.gateway", "errors.short-body", "errors.other-json"))
class deletes_whatever_the_answer(ReferenceClient):
    def delete_connection(self, connection_id: str) -> None:
        answer = self.send(self.delete_request(connection_id))
        if not _keys(answer):
            self.checked(answer)


@breaks("errors.gateway")
class knows_the_service_s_errors_only(_Lenient):
    def lets_through(self, answer: Answer) -> bool:
        return "error_code" in _keys(answer)


@breaks("errors.short-body")
class knows_the_full_shapes_only(_Lenient):
    def lets_through(self, answer: Answer) -> bool:
        keys = _keys(answer)
        return bool(keys & {"errorMessage", "message"}) and not keys & {"type", "error_code"}


@breaks("errors.empty-body")
class takes_an_empty_body_for_none(_Lenient):
    def lets_through(self, answer: Answer) -> bool:
        return not answer.content

    def passed(self, answer: Answer) -> Any:
        return None


@breaks("errors.html-body")
class takes_what_is_no_json_for_text(_Lenient):
    def lets_through(self, answer: Answer) -> bool:
        return "json" not in answer.headers.get("Content-Type", "json")

    def passed(self, answer: Answer) -> Any:
        return answer.text


@breaks("errors.truncated-body")
class takes_a_broken_body_for_an_empty_one(_Lenient):
    def lets_through(self, answer: Answer) -> bool:
        if "json" not in answer.headers.get("Content-Type", ""):
            return False
        try:
            answer.json()
        except ValueError:
            return True
        return False


_KNOWN_KEYS = frozenset({"error_code", "type", "message", "errorMessage"})


@breaks("errors.other-json")
class decides_by_the_keys_of_the_body(_Lenient):
    def lets_through(self, answer: Answer) -> bool:
        try:
            document = answer.json()
        except ValueError:
            return False
        return not isinstance(document, dict) or not _KNOWN_KEYS & {*document}


@breaks(
    "errors.html-body",
    also=(
        "errors.truncated-body",
        "errors.empty-body",
        "errors.unreadable-success",
        "errors.truncated-success",
    ),
)
class returns_nothing_for_what_it_can_not_read(ReferenceClient):
    """except ValueError: return {}."""

    def read_created(self, answer: Answer) -> dict[str, Any]:
        try:
            answer.json()
        except ValueError:
            return {}
        return super().read_created(answer)


@breaks("errors.status")
class lets_a_decoding_error_through(ReferenceClient):
    """Reads the body before it looks at the status."""

    def checked(self, answer: Answer) -> Answer:
        if not answer.is_success:
            answer.json()
        return super().checked(answer)

    def code(self, answer: Answer) -> str | None:
        answer.json()
        return super().code(answer)


@breaks("errors.status")
class raises_its_own_words(ReferenceClient):
    """Keeps the code where there is one, and nothing else."""

    def error(self, answer: Answer) -> ClientError:
        return ClientError(f"refused: {self.code(answer)}", code=self.code(answer))


@breaks("errors.code")
class keeps_the_status_only(ReferenceClient):
    def error(self, answer: Answer) -> ClientError:
        return ClientError(f"HTTP {answer.status_code}", status=answer.status_code)


@breaks("errors.code")
class knows_codes_of_the_gateway_only(ReferenceClient):
    def code(self, answer: Answer) -> str | None:
        try:
            code: object = answer.json().get("error_code")
        except (ValueError, AttributeError):
            return None
        return None if code is None else str(code)


@breaks("errors.unreadable-success")
class returns_the_text_of_what_is_no_json(ReferenceClient):
    def explore_connection(self, connection_id: str, **rest: Any) -> Any:
        try:
            return super().explore_connection(connection_id, **rest)
        except ClientError as error:
            if error.status == 200 and error.code is None and not self._broke_off:
                return "OK"
            raise

    def send(self, request: httpx.Request) -> Answer:
        answer = super().send(request)
        self._broke_off = answer.content.startswith((b"{", b"["))
        return answer


@breaks("errors.unreadable-success")
class takes_every_2xx_for_created(ReferenceClient):
    """Reads an HTML page of a proxy as an answer without fields."""

    def read_created(self, answer: Answer) -> Any:
        if answer.is_success and "html" in answer.headers.get("Content-Type", ""):
            return {"id": "", "etag": None}
        return super().read_created(answer)


@breaks("errors.truncated-success")
class mends_json_that_breaks_off(ReferenceClient):
    def document(self, answer: Answer) -> Any:
        try:
            return super().document(answer)
        except ClientError:
            if not answer.is_success:
                raise
            for end in ("", '"}', '"}]}', "ue}"):
                try:
                    return json.loads(answer.text + end)
                except ValueError:
                    continue
            raise


@breaks("errors.truncated-success")
class lists_what_it_could_read(ReferenceClient):
    def read_items(self, answer: Answer) -> list[dict[str, Any]]:
        try:
            answer.json()
        except ValueError:
            if answer.is_success and answer.text.startswith("{"):
                return []
        return super().read_items(answer)

    def read_next(self, answer: Answer) -> str | None:
        return super().read_next(answer) if answer.text.endswith(("}", "\n")) else None


@breaks("errors.wrong-success")
class lists_whatever_there_is(ReferenceClient):
    """document.get("items", []) where there is a dict, else the document."""

    def list_connections(self, **wanted: Any) -> Any:
        try:
            yield from super().list_connections(**wanted)
        except ClientError as error:
            if error.status != 200 or not isinstance(self._last, list):
                raise

    def send(self, request: httpx.Request) -> Answer:
        answer = super().send(request)
        try:
            self._last = answer.json()
        except ValueError:
            self._last = None
        return answer


@breaks("errors.wrong-success")
class counts_with_a_bare_number(ReferenceClient):
    def read_count(self, answer: Answer) -> int:
        document = self.document(answer)
        return document if isinstance(document, int) else super().read_count(answer)


@breaks("errors.wrong-success", also=("errors.missing-fields",))
class tests_by_the_truth_of_the_body(ReferenceClient):
    def read_tested(self, answer: Answer) -> bool:
        document = self.document(answer)
        return bool(document.get("result") if isinstance(document, dict) else document)


@breaks("errors.missing-fields")
class counts_a_missing_count_as_0(ReferenceClient):
    def read_count(self, answer: Answer) -> int:
        return int(self.mapping(answer).get("count", 0))


@breaks("errors.missing-fields")
class returns_none_for_a_missing_id(ReferenceClient):
    def read_created(self, answer: Answer) -> dict[str, Any]:
        document = self.mapping(answer)
        return {"id": document.get("id"), "etag": document.get("etag")}


@breaks("errors.missing-fields")
class returns_an_empty_connection(ReferenceClient):
    def read_one(self, answer: Answer) -> dict[str, Any]:
        return next(iter(self.mapping(answer).get("items", [])), {})


@breaks("errors.gateway")
class returns_none_without_a_permission(MintingClient):
    def get_connection(self, connection_id: str) -> Any:
        answer = self.send(self.get_request(connection_id))
        if answer.status_code == 403 and "error_code" in _keys(answer):
            return None
        return self.read_one(answer)
