"""Whether a client asked for what it was asked for, on sessions written by hand."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import pytest

from aepmock.contract import load_contract
from aepmock.judge import Call, Transcript, judge_transcript
from aepmock.judge.answers import same
from aepmock.judge.checks.secrets import _forms
from aepmock.judge.transcript import Trace
from aepmock.messages import Response
from tests.judge.test_checks import (
    HEADERS,
    NEW,
    broken,
    call,
    exchange,
    listed,
    page,
    seeded,
)

SECRET = "canary0123456789abcdef0123456789"


@pytest.mark.parametrize(
    ("got", "wanted"),
    [
        (1, 1.0),
        (Decimal("0.1"), 0.1),
        (Decimal(2**53 + 1), 2**53 + 1),
        ((1, "a"), [1, "a"]),
        ({"a": [{}]}, {"a": [{}]}),
        (True, True),
    ],
)
def test_a_value_may_be_of_any_type_that_holds_it(got: Any, wanted: Any) -> None:
    assert same(got, wanted)


@pytest.mark.parametrize(
    ("got", "wanted"),
    [
        (1, True),
        (True, 1),
        (float(2**53), 2**53 + 1),
        ("1", 1),
        (None, 0),
        ([1], [1, 1]),
        ({"a": 1, "b": 2}, {"a": 1}),
        ({"a": False}, {"a": 0}),
        ("ab", ["a", "b"]),
    ],
)
def test_a_value_of_another_type_is_another_value(got: Any, wanted: Any) -> None:
    assert not same(got, wanted)


def test_an_item_that_stands_on_two_pages_may_be_given_twice() -> None:
    pages = [page(None, "ab", "T"), page("T", "bc", None)]
    assert not broken(seeded("abc"), listed(*pages, ids="abbc", limit=1))
    assert not broken(seeded("abc"), listed(*pages, ids="abc", limit=1))
    assert broken(seeded("abc"), listed(*pages, ids="abbbc", limit=1)) == {
        "connections.list.each-once"
    }


def test_a_page_that_is_read_again_gives_its_items_once() -> None:
    pages = [page(None, "a", "T"), page("T", "b", None), page("T", "b", None)]
    assert "connections.list.each-once" in broken(listed(*pages, ids="abb", limit=1))


def test_what_a_page_that_links_to_itself_holds_may_be_given_again() -> None:
    pages = [page(None, "a", "T"), *(page("T", "b", "T") for _ in range(3))]
    assert not broken(listed(*pages, ids="abbb", limit=1))


def asked(target: str, **args: Any) -> bool:
    """Whether a list with this target asks for more than it should."""
    answer = exchange("GET", f"/connections{target}", 200, {"items": [], "_links": {}})
    listing = call("list_connections", answer, returned=[], **args)
    return "request.unasked-parameters" not in broken(listing)


def test_what_goes_without_saying_may_be_said() -> None:
    assert asked("?limit=20&count=False")
    assert asked("?property=")
    assert asked("?orderby=+name", orderby="+name")
    assert asked("?continuationToken=T&orderby=-name", orderby="-name")


def test_what_nobody_asked_for_is_not_asked_for() -> None:
    assert not asked("?property=state==enabled")
    assert not asked("?orderby=-updatedAt")
    assert not asked("?continuationToken=T&orderby=name", orderby="-name")


def explored(query: str, **args: Any) -> set[str]:
    answer = exchange("GET", f"/connections/a/explore?{query}", 200, [])
    return broken(call("explore_connection", answer, connection_id="a", returned=[], **args))


def test_an_exploration_may_name_documented_defaults() -> None:
    query = "objectType=TABLE&object=a&preview=false&columnDelimiter=,"
    assert not explored(query, object_type="table", object="a")
    assert explored(f"{query}&fileType=json", object_type="table", object="a") == {
        "request.unasked-parameters"
    }
    assert explored("objectType=root&preview=true", object_type="root", preview=False) == {
        "request.unasked-parameters"
    }
    assert explored("objectType=root&objectType=file", object_type="root") == {
        "request.unasked-parameters"
    }


@pytest.mark.parametrize("document", [{"id": "x"}, {"id": "xx"}, {"id": "xxx"}, {"a": [True]}])
def test_source_params_may_lack_their_padding(document: Mapping[str, Any]) -> None:
    text = base64.b64encode(json.dumps(document).encode()).decode()
    for form in (text, text.rstrip("=")):
        query = f"objectType=root&sourceParams={quote(form)}"
        assert not explored(query, object_type="root", source_params=document)


def test_an_empty_document_may_be_left_out() -> None:
    for query in ("objectType=root", "objectType=root&sourceParams=e30"):
        assert not explored(query, object_type="root", source_params={})


def test_a_one_is_no_true_in_source_params() -> None:
    text = base64.b64encode(b'{"all":1}').decode()
    got = explored(
        f"objectType=root&sourceParams={text}", object_type="root", source_params={"all": True}
    )
    assert got == {"connections.explore.source-params"}


def created(**more: Any) -> set[str]:
    """What a create breaks whose body has more than was given."""
    params = {**NEW.auth_params, "accessToken": SECRET}
    sent = {
        "name": NEW.name,
        "connectionSpec": {"id": NEW.connection_spec_id, "version": NEW.connection_spec_version},
        "auth": {
            "specName": NEW.auth_spec_name,
            "params": {**NEW.auth_params, "accessToken": SECRET},
        },
    }
    given = replace(NEW, auth_params=params)
    answer = {"id": "a", "etag": '"0"'}
    post = exchange("POST", "/connections", 201, answer, sent={**sent, **more})
    return broken(call("create_connection", post, connection=given, returned=answer))


def test_what_a_published_client_sends_beside_is_let_pass() -> None:
    assert not created()
    assert not created(providerId="521eee4d-8cbe-4906-bb48-fb6bd4450033", tags=[])
    assert created(tags=["acme"]) == {"connections.create.nothing-else"}


def test_a_secret_is_found_in_base64_wherever_it_stands() -> None:
    for before in ("", "a", "ab", "user:"):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            text = encode(f"{before}{SECRET}?>".encode()).decode()
            assert any(form in text for form in _forms(SECRET))
    assert created(memo=f"with {SECRET}") == {"connections.create.nothing-else", "secrets.body"}


def test_a_write_that_nobody_asked_for_is_found() -> None:
    read = exchange(
        "GET", "/connections/a", 200, {"items": [{"id": "a", "name": "a", "etag": "1"}]}
    )
    gone = exchange("DELETE", "/connections/a", 204)
    item = {"id": "a", "name": "a", "etag": "1"}
    looked = call("get_connection", read, gone, connection_id="a", returned=item)
    assert broken(looked) == {"request.unasked-writes"}
    around = call("delete_connection", read, gone, connection_id="a")
    assert not broken(around)


def test_what_the_service_repeats_is_a_should_and_no_must() -> None:
    words = {"type": "https://ns.adobe.com/aep/errors/FLOW-1413-400", "detail": f"not {SECRET}"}
    patch = [{"op": "replace", "path": "/auth/params/accessToken", "value": SECRET}]
    given = {"connection_id": "a", "etag": '"1"', "operations": patch}
    headers = HEADERS.replaced("If-Match", '"1"')
    refused = exchange("PATCH", "/connections/a", 400, words, sent=patch, headers=headers)
    error = RuntimeError(f"400 1413-400 not {SECRET}")
    made = call("update_connection", refused, **given, raised=error)
    unsent = exchange("GET", "/connections/a", 400, words)
    looked = call("get_connection", unsent, connection_id="a", raised=error)

    def found(made: Call) -> set[str]:
        watched = replace(made, traces=(Trace("log", "a log", ""),))
        canaries = {SECRET: "the connector's accessToken"}
        transcript = Transcript(load_contract(), [watched], canaries=canaries)
        return {
            s.clause
            for s in judge_transcript(transcript, transcript.contract.clauses)
            if s.violation
        }

    assert found(made) == {"secrets.echo"}
    assert found(looked) == set()


def test_an_answer_behind_a_byte_order_mark_may_be_read_or_refused() -> None:
    read = exchange("GET", "/connections/a", 200, {"items": [{"id": "a", "name": "a"}]})
    marked = replace(read, response=Response(200, HEADERS, b"\xef\xbb\xbf" + read.response.body))
    fine = call("get_connection", marked, connection_id="a", returned={"id": "a", "name": "a"})
    assert not broken(fine)
    assert not broken(call("get_connection", marked, connection_id="a", raised=ValueError("200")))
    assert broken(call("get_connection", marked, connection_id="a", returned={})) == {
        "connections.get.unwrapped"
    }


def test_a_time_in_a_list_may_be_made_a_datetime_and_no_other_number() -> None:
    item = {"id": "a", "name": "a", "createdAt": 1597973312000}
    answer = exchange("GET", "/connections", 200, {"items": [item], "_links": {}})

    def listing(created_at: Any) -> Call:
        return call("list_connections", answer, returned=[{**item, "createdAt": created_at}])

    assert not broken(seeded("a"), listing("2020-08-21T01:28:32Z"))
    assert not broken(seeded("a"), listing(1597973312000.0))
    assert broken(seeded("a"), listing(1597973312000 & 0x7FFFFFFF)) == {"connections.list.items"}


@pytest.mark.parametrize("value", [{}, [], {"token": "a"}])
def test_a_param_that_is_an_object_is_a_fault_of_the_client_s(value: Any) -> None:
    auth = {"specName": NEW.auth_spec_name, "params": {**NEW.auth_params, "accessToken": value}}
    assert "connections.create.auth-params" in created(auth=auth)
    assert "connections.create.spec-id" in created(connectionSpec={"id": value})


def test_what_comes_back_may_be_of_any_type() -> None:
    answer = {"id": "a"}
    sent = {"name": NEW.name, "connectionSpec": {"id": NEW.connection_spec_id}}
    post = exchange("POST", "/connections", 201, answer, sent=sent)
    back = {"id": "a", "etag": ["1"]}
    made = call("create_connection", post, connection=NEW, returned=back)
    assert "connections.create.returns-etag" in broken(made)
    listing = call("list_connections", page(None, "a", None), returned=[{"id": ["a"]}], limit=1)
    assert "connections.list.all-pages" in broken(seeded("a"), listing)
