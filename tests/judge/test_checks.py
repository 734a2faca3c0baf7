"""The finer points of checks, on sessions written by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from aepmock.client_api import ClientSettings, NewConnection
from aepmock.contract import load_contract
from aepmock.errors import ClientError
from aepmock.judge import Call, Transcript, judge_transcript
from aepmock.messages import Exchange, Headers, Request, Response

ORIGIN = "https://platform.adobe.io"
BASE = "/data/foundation/flowservice"
SETTINGS = ClientSettings(
    base_url=ORIGIN + BASE,
    access_token="the-token",
    api_key="the-key",
    ims_org_id="ORG@AdobeOrg",
    sandbox_name="dev",
    ims_token_url="https://ims-na1.adobelogin.com/ims/token/v3",
    client_id="the-key",
    client_secret="the-secret",
    scopes="openid",
)
HEADERS = Headers(
    [
        ("Authorization", "Bearer the-token"),
        ("x-api-key", "the-key"),
        ("x-gw-ims-org-id", "ORG@AdobeOrg"),
        ("x-sandbox-name", "dev"),
        ("Content-Type", "application/json"),
    ]
)
HUBSPOT = load_contract().connectors["hubspot"]
AUTH = HUBSPOT.auth[0]
PARAMS = {name: f"the-{name}" for name in sorted(AUTH.names)}
NEW = NewConnection("a", None, HUBSPOT.spec_id, HUBSPOT.versions[-1], AUTH.name, PARAMS)
_numbers = count(1)


def exchange(method: str, target: str, status: int, answer: Any = None, **rest: Any) -> Exchange:
    """One exchange below the base path; `rest` are `sent` (a JSON body), `headers`, `origin`."""
    body = json.dumps(rest["sent"]).encode() if "sent" in rest else b""
    headers = rest.get("headers", HEADERS)
    request = Request(method, rest.get("origin", ORIGIN), BASE + target, headers, body)
    json_headers = Headers([("Content-Type", "application/json")])
    content = b"" if answer is None else json.dumps(answer).encode()
    return Exchange(request, Response(status, json_headers, content), next(_numbers))


def page(token: str | None, ids: str, following: str | None) -> Exchange:
    target = "/connections?limit=1" if token is None else f"/connections?continuationToken={token}"
    links = {"next": {"href": f"/connections?continuationToken={following}"}} if following else {}
    items = [{"id": one, "name": one} for one in ids]
    return exchange("GET", target, 200, {"items": items, "_links": links})


def call(operation: str, *exchanges: Exchange, **rest: Any) -> Call:
    """A call; `rest` are `returned`, `raised`, `timed_out`, and the arguments."""
    ends = {key: rest.pop(key) for key in ("returned", "raised", "timed_out") if key in rest}
    return Call(operation, SETTINGS, rest, exchanges, **ends)


def verdicts(*calls: Call) -> dict[str, str]:
    """Every clause that the transcript put to the test: "met", or the first summary."""
    transcript = Transcript(load_contract(), list(calls))
    found: dict[str, str] = {}
    for seen in judge_transcript(transcript, transcript.contract.clauses):
        if found.get(seen.clause, "met") == "met":
            found[seen.clause] = seen.violation.summary if seen.violation else "met"
    return found


def broken(*calls: Call) -> set[str]:
    return {clause for clause, verdict in verdicts(*calls).items() if verdict != "met"}


def listed(*pages: Exchange, ids: str = "", **rest: Any) -> Call:
    return call("list_connections", *pages, returned=[{"id": one} for one in ids], **rest)


def seeded(ids: str) -> Call:
    items = [{"id": i, "name": i, "imsOrgId": "ORG@AdobeOrg", "sandboxName": "dev"} for i in ids]
    return call("seed", returned=[{**item, "etag": '"0"'} for item in items])


def test_a_list_that_begins_anew_after_its_end_has_not_gone_on() -> None:
    first = [page(None, "a", "T"), page("T", "b", None)]
    again = [page(None, "a", "T"), page("T", "b", None)]
    assert not broken(seeded("ab"), listed(*first, *again, ids="ab", limit=1))


def test_a_page_after_the_last_one_is_one_too_many() -> None:
    pages = [page(None, "a", "T"), page("T", "b", None), page("T", "b", None)]
    got = broken(seeded("ab"), listed(*pages, ids="ab", limit=1))
    assert got == {"connections.list.stops"}


def test_what_only_an_earlier_round_showed_may_be_left_out() -> None:
    rounds = [page(None, "ab", None), page(None, "b", None)]
    assert not broken(seeded("b"), listed(*rounds, ids="b", limit=1))


def test_an_item_that_no_page_had_is_not_the_service_s() -> None:
    pages = [page(None, "a", "T"), page("T", "b", None)]
    got = broken(seeded("ab"), listed(*pages, ids="abx", limit=1))
    assert got == {"connections.list.all-pages", "lifecycle.lists"}


def test_a_list_without_an_end_is_blamed_on_the_client() -> None:
    pages = [page(None, "a", "T") for _ in range(30)]
    assert "connections.list.all-pages" in broken(listed(*pages, limit=1, timed_out=True))


def test_a_list_that_the_service_leads_in_a_circle_is_no_must() -> None:
    pages = [page(None, "a", "T"), *(page("T", "b", "T") for _ in range(30))]
    musts = {c for c in broken(listed(*pages, limit=1, timed_out=True)) if _is_must(c)}
    assert musts == set()


def _is_must(clause: str) -> bool:
    return load_contract().clauses[clause].grade == "must"


@pytest.mark.parametrize("origin", ["https://platform.adobe.io:443", "https://Platform.Adobe.IO"])
def test_an_origin_in_another_spelling_is_the_same_place(origin: str) -> None:
    read = exchange("GET", "/connections/x", 200, _envelope("x"), origin=origin)
    got = verdicts(call("get_connection", read, connection_id="x", returned=_item("x")))
    assert got["request.base-path"] == "met"


@pytest.mark.parametrize("origin", ["http://platform.adobe.io", "https://platform.adobe.io:8443"])
def test_another_port_or_scheme_is_another_place(origin: str) -> None:
    read = exchange("GET", "/connections/x", 200, _envelope("x"), origin=origin)
    got = verdicts(call("get_connection", read, connection_id="x", returned=_item("x")))
    assert got["request.base-path"] != "met"


def _item(connection_id: str, **more: Any) -> dict[str, Any]:
    return {"id": connection_id, "name": "a", "etag": '"1"', **more}


def _envelope(connection_id: str, **more: Any) -> dict[str, Any]:
    return {"items": [_item(connection_id, **more)]}


def created(*answers: Exchange, returned: Mapping[str, Any]) -> Call:
    return call("create_connection", *answers, connection=NEW, returned=returned)


def post(status: int, answer: Any) -> Exchange:
    body = {
        "name": "a",
        "connectionSpec": {"id": HUBSPOT.spec_id, "version": HUBSPOT.versions[-1]},
        "auth": {"specName": AUTH.name, "params": PARAMS},
    }
    return exchange("POST", "/connections", status, answer, sent=body)


def test_an_etag_that_was_read_back_is_not_made_up() -> None:
    read = exchange("GET", "/connections/x", 200, _envelope("x"))
    got = verdicts(created(post(201, {"id": "x"}), read, returned={"id": "x", "etag": '"1"'}))
    assert got["connections.create.returns-etag"] == "met"


def test_an_etag_that_nobody_named_is_made_up() -> None:
    got = verdicts(created(post(201, {"id": "x"}), returned={"id": "x", "etag": '"1"'}))
    assert got["connections.create.returns-etag"] != "met"


def test_of_two_connections_that_were_made_either_may_be_returned() -> None:
    posts = [post(201, {"id": one, "etag": f'"{one}"'}) for one in "xy"]
    got = broken(created(*posts, returned={"id": "x", "etag": '"x"'}))
    assert "connections.create.one-post" in got
    assert not got & {"connections.create.returns-id", "connections.create.returns-etag"}


@pytest.mark.parametrize(("status", "repeated"), [(401, "met"), (429, "met"), (503, "broken")])
def test_a_create_may_be_repeated_after_an_answer_that_says_nothing_was_done(
    status: int, repeated: str
) -> None:
    posts = [post(status, {}), post(201, {"id": "x", "etag": '"1"'})]
    got = verdicts(created(*posts, returned={"id": "x", "etag": '"1"'}))
    assert (got["connections.create.one-post"] == "met") == (repeated == "met")


def test_a_create_may_be_repeated_after_a_look_for_its_own() -> None:
    first = post(503, {})
    looked = exchange("GET", "/connections", 200, {"items": []})
    answers = [first, looked, post(201, {"id": "x", "etag": '"1"'})]
    got = verdicts(created(*answers, returned={"id": "x", "etag": '"1"'}))
    assert got["connections.create.one-post"] == "met"


def test_a_conflict_that_the_client_saw_coming_is_no_lost_update() -> None:
    read = exchange("GET", "/connections/x", 200, _envelope("x"))
    update = call(
        "update_connection",
        read,
        connection_id="x",
        etag='"0"',
        operations=[],
        raised=ClientError(status=412),
    )
    assert not broken(update)


def test_an_error_after_another_request_was_refused_is_no_wonder() -> None:
    pages = [page(None, "a", "T")]
    elsewhere = exchange("GET", "/connections/x", 404, {})
    raised = ClientError(status=404)
    got = verdicts(call("list_connections", *pages, elsewhere, limit=1, raised=raised))
    assert got.get("answers.success", "met") == "met"


def test_an_error_after_a_good_answer_is_one() -> None:
    read = exchange("GET", "/connections/x", 200, _envelope("x"))
    got = verdicts(call("get_connection", read, connection_id="x", raised=KeyError("description")))
    assert got["answers.success"] != "met"


def test_a_call_that_never_comes_back_after_a_good_answer_is_one() -> None:
    read = exchange("GET", "/connections/x", 200, _envelope("x"))
    got = verdicts(call("get_connection", read, connection_id="x", timed_out=True))
    assert got["answers.success"] == "get_connection does not come back after a 200"


def test_a_client_that_fails_on_the_plain_form_too_is_not_blamed_for_the_absence() -> None:
    whole = post(201, {"id": "x", "etag": '"1"'})
    with_location = replace(
        whole.response, headers=whole.response.headers.replaced("Location", "/connections/x")
    )
    calls = [
        call("create_connection", one, connection=NEW, raised=ClientError(status=201))
        for one in (replace(whole, response=with_location), whole)
    ]
    assert broken(*calls) == {"answers.success"}


def test_a_count_by_search_is_the_number_that_the_search_gave() -> None:
    found = exchange("POST", "/connections/search", 200, {"count": 2}, sent={"count": True})
    assert not broken(call("count_connections", found, returned=2))
    assert broken(call("count_connections", found, returned=1)) == {"connections.count.value"}


def test_a_count_that_reads_pages_or_asks_nobody_was_not_asked_for() -> None:
    items = {"items": [{"id": "a"}, {"id": "b"}]}
    listed = exchange("GET", "/connections", 200, items)
    searched = exchange("POST", "/connections/search", 200, items, sent={})
    for found in (listed, searched):
        got = broken(call("count_connections", found, returned=2))
        assert got == {"connections.count.asked-for"}
    assert broken(call("count_connections", returned=2)) == {"connections.count.asked-for"}


def test_a_list_from_memory_that_is_out_of_date_is_found() -> None:
    made = created(post(201, {"id": "x", "etag": '"1"'}), returned={"id": "x", "etag": '"1"'})
    assert broken(made, call("list_connections", returned=[])) == {"lifecycle.lists"}
    assert not broken(made, call("list_connections", returned=[{"id": "x"}]))


def test_a_resource_outside_the_contract_is_not_judged() -> None:
    looked = exchange("GET", "/connectionSpecs/x", 200, {})
    strange = exchange("GET", "/connection/x", 404, {})
    assert "request.operation" not in verdicts(call("create_connection", looked, connection=NEW))
    got = broken(call("get_connection", strange, connection_id="x", raised=ClientError()))
    assert "request.operation" in got


def created_with(name: str, *sandboxes: str, body: Any = None) -> Call:
    """A create with this sandbox name; its headers name these, without a body half of one."""
    fields = [(n, v) for n, v in HEADERS if n != "x-sandbox-name"]
    headers = Headers([*fields, *(("x-sandbox-name", sandbox) for sandbox in sandboxes)])
    status = 400 if body is None else 201
    sent = exchange("POST", "/connections", status, {"id": "i"}, headers=headers, sent=body)
    if body is None:
        sent = replace(sent, request=replace(sent.request, body=b'{"name": "a"'))
    made = call("create_connection", sent, connection=NEW, returned={"id": "i"})
    return replace(made, settings=replace(SETTINGS, sandbox_name=name))


BODY = {"name": "a"}


@pytest.mark.parametrize("name", ["dev\r\n", "\ndev", "\t dev\n "])
def test_a_break_at_the_ends_of_a_header_value_may_be_trimmed(name: str) -> None:
    verdict = verdicts(created_with(name, "dev", body=BODY))["request.header-injection"]
    assert verdict == "met"


@pytest.mark.parametrize(
    "made",
    [
        created_with("de\nv", "dev", body=BODY),
        created_with("dev\0", "dev", body=BODY),
        created_with("dev\nx-evil: 1", "dev", body=BODY),
        created_with("dev\r\n", "dev\r\n", body=BODY),
        created_with("dev\r\n", "dev", "dev", body=BODY),
        created_with("dev\r\n", body=BODY),
        created_with("dev\r\n", "dev"),  # the break ended the headers, and cut the body short
    ],
    ids=["joined", "cut at NUL", "injected", "whole", "twice", "absent", "cut body"],
)
def test_a_break_that_makes_another_request_of_it_is_an_injection(made: Call) -> None:
    assert "request.header-injection" in broken(made)
