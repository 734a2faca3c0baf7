"""Lists: filters, orders, counts, pages and the tokens that lead from one to the next."""

from __future__ import annotations

from functools import cache
from typing import Any
from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aepmock.service import FlowService
from tests.service.flow_caller import Caller, code_of


@pytest.fixture
def five() -> Caller:
    """Someone with five connections, "a" to "e", made in this order."""
    caller = Caller()
    for name in "abcde":
        caller.create(name=name, description=None if name == "c" else f"about {name}")
    return caller


def pages(caller: Caller, query: str) -> list[list[str]]:
    """Names page by page, by following each link as it was given."""
    path: str | None = f"/connections{query}"
    found = []
    while path is not None:
        response = caller.send("GET", path)
        assert response.status == 200, response.body
        found.append([item["name"] for item in response.json["items"]])
        path = response.json.get("_links", {}).get("next", {}).get("href")
    return found


def test_the_newest_change_comes_first(five: Caller) -> None:
    assert five.names() == list("edcba")


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        (["name==a"], "a"),
        (["name=a"], "a"),
        (['name=="a"'], "a"),
        (["name==a,c"], "ac"),
        (['name=="a","c"'], "ac"),
        (["name == a"], ""),
        (["name==a", "name==b"], ""),
        (["name==a,b", "description==about b,about c"], "b"),
        (["name==a,b,state==enabled"], "ab"),
        (["name==a,b,state==disabled"], ""),
        (["state==enabled"], "abcde"),
        (["description==about a"], "a"),
        (["createdAt>0"], "abcde"),
        (["createdAt<0"], ""),
        (["createdAt>=0", "updatedAt<=9999999999999"], "abcde"),
        (["connectionSpec.id==cc6a4487-9e91-433e-a3a3-9cf6626c1806"], "abcde"),
        (["connectionSpec.version==1.0"], "abcde"),
        (["auth.specName==Basic Authentication"], "abcde"),
        (["auth.params.clientId==the client id"], "abcde"),
        (["auth.params.zzz==x"], ""),
        (["sandboxName==dev"], "abcde"),
        (['name==""'], ""),
    ],
)
def test_a_filter_chooses(five: Caller, filters: list[str], names: str) -> None:
    found = five.filtered(*filters)
    assert found.status == 200, found.body
    assert sorted(item["name"] for item in found.json["items"]) == sorted(names)


@pytest.mark.parametrize(
    "name",
    [
        "a,b",
        'say "hi"',
        'half "quoted',
        "x,state==disabled",
        "a=b",
        "==",
        "1<2>1",
        "a&b=c+d;e%20",
        "日本語",
        " blank ",
        "\n",
    ],
)
def test_a_name_in_quotes_is_found_whatever_it_holds(name: str) -> None:
    caller = Caller()
    caller.create(name="another")
    caller.create(name=name)
    found = caller.filtered(f'name=="{name}"')
    assert [item["name"] for item in found.json["items"]] == [name]


def test_a_long_filter_without_an_operator_is_read_once() -> None:
    assert code_of(Caller().filtered("a." * 200_000)) == "1453-400"
    assert Caller().filtered('name=="' + ',"' * 100_000).json["items"] == []


@pytest.mark.parametrize(
    ("order", "names"),
    [
        ("name", "abcde"),
        ("-name", "edcba"),
        ("%2Bname", "abcde"),
        ("+name", "abcde"),
        ("-createdAt", "edcba"),
        ("state,-name", "edcba"),
        ("-description", "edbac"),
        ("description", "abdec"),
        ("connectionSpec.version,name", "abcde"),
        ("", "edcba"),
    ],
)
def test_an_order_is_kept(five: Caller, order: str, names: str) -> None:
    assert five.names(f"?orderby={order}") == list(names)


def test_an_order_holds_over_pages(five: Caller) -> None:
    assert pages(five, "?orderby=name&limit=2") == [["a", "b"], ["c", "d"], ["e"]]


@pytest.mark.parametrize("limit", [1, 2, 5, 6])
def test_links_lead_through_every_item_once(five: Caller, limit: int) -> None:
    found = pages(five, f"?limit={limit}")
    assert [name for page in found for name in page] == list("edcba")
    assert all(len(page) == limit for page in found[:-1])


@pytest.mark.parametrize("href", ["token-only", "whole-query"])
@pytest.mark.parametrize("alphabet", ["letters", "reserved"])
def test_a_filter_holds_over_pages_under_every_reading(href: str, alphabet: str) -> None:
    readings = {"connections.next-href": href, "connections.token-alphabet": alphabet}
    caller = Caller(FlowService(readings=readings))
    for name in ("a", "b", "ü&=,", "d"):
        caller.create(name=name)
    query = "?limit=1&orderby=-name&property=name==a,%C3%BC%26%3D%2C,d&property=state==enabled"
    assert pages(caller, query) == [["d"], ["a"]]
    query = query.replace("%C3%BC%26%3D%2C", "%22%C3%BC%26%3D%2C%22")
    assert pages(caller, query) == [["ü&=,"], ["d"], ["a"]]


def test_a_link_followed_with_its_query_once_more_goes_on_too(five: Caller) -> None:
    """AEPP does so."""
    first = five.send("GET", "/connections?limit=2&count=False").json
    href = first["_links"]["next"]["href"]
    again = five.send("GET", f"{href}&limit=2&count=False")
    assert [item["name"] for item in again.json["items"]] == ["c", "b"]


def test_a_token_stands_alone_and_has_no_equals_sign(five: Caller) -> None:
    """AEPP takes what follows the first equals sign for the token."""
    href = five.send("GET", "/connections?limit=2").json["_links"]["next"]["href"]
    assert href.startswith("/connections?continuationToken=")
    assert href.count("=") == 1


@cache
def a_token(alphabet: str) -> tuple[Caller, str]:
    caller = Caller(FlowService(readings={"connections.token-alphabet": alphabet}))
    caller.create()
    caller.create()
    href = caller.send("GET", "/connections?limit=1").json["_links"]["next"]["href"]
    return caller, unquote(href.partition("=")[2])


@given(st.data())
def test_a_token_that_was_tampered_with_is_refused(data: st.DataObject) -> None:
    alphabet = data.draw(st.sampled_from(["letters", "reserved"]))
    caller, token = a_token(alphabet)
    place = data.draw(st.integers(0, len(token)))
    put_in = data.draw(st.text(max_size=2))
    cut = data.draw(st.integers(0, 2))
    changed = token[:place] + put_in + token[place + cut :]
    encoded = quote(changed, safe="", errors="replace")
    response = caller.send("GET", f"/connections?continuationToken={encoded}")
    assert response.status == (200 if changed == token else 400)
    if changed != token:
        assert code_of(response) == "1452-400"


@pytest.mark.parametrize("token", ["", "T", "~+/=&", "TAAAA", "t", "T" + "a" * 100_000])
def test_a_token_that_never_was_one_is_refused(token: str) -> None:
    response = Caller().send("GET", f"/connections?continuationToken={quote(token, safe='')}")
    assert code_of(response) == "1452-400"


def test_a_token_shows_nothing_of_another_sandbox(five: Caller) -> None:
    href = five.send("GET", "/connections?limit=2").json["_links"]["next"]["href"]
    five.sandbox = "prod"
    assert five.send("GET", href).json["items"] == []


def test_a_count_is_all_of_the_answer(five: Caller) -> None:
    assert five.send("GET", "/connections?count=true").json == {"count": 5}
    assert five.send("GET", "/connections?count=True&property=name==a,b").json == {"count": 2}


def test_a_limit_beside_a_false_count_is_fine(five: Caller) -> None:
    assert len(five.names("?limit=2&count=false")) == 2
    assert len(five.names("?limit=2&count=False")) == 2


@pytest.mark.parametrize("limit", ["0", "-1", "1.5", "", "x", "1" * 5_000, "٣", "+1", "%201"])
def test_a_limit_that_is_none_is_refused(limit: str) -> None:
    assert code_of(Caller().send("GET", f"/connections?limit={limit}")) == "1452-400"


def test_every_unknown_parameter_is_named_once() -> None:
    response = Caller().send("GET", "/connections?b=1&limit=1&a=2&b=3&Limit=4")
    assert response.json["report"]["params"] == "b, a, Limit"


def search(caller: Caller, body: Any, query: str = "") -> Any:
    response = caller.send("POST", f"/connections/search{query}", body)
    assert response.status == 200, response.body
    return response.json


def test_a_search_reads_its_query_as_a_list_does(five: Caller) -> None:
    body = {"queryString": "property=name==a,b&property=state==enabled", "orderby": "-name"}
    assert [item["name"] for item in search(five, body)["items"]] == ["b", "a"]
    assert search(five, {**body, "queryString": "?property=name%3D%3Dc"})["items"][0]["name"] == "c"
    assert search(five, {"count": True}) == {"count": 5}
    assert len(search(five, {})["items"]) == 5


def test_a_search_goes_on_by_its_token(five: Caller) -> None:
    body = {"limit": 2, "orderby": "name"}
    first = search(five, body)
    href = first["_links"]["next"]["href"]
    assert href.startswith("/connections/search?continuationToken=")
    second = search(five, body, "?" + href.partition("?")[2])
    assert [item["name"] for item in second["items"]] == ["c", "d"]


def test_the_cap_of_a_list_is_none_of_a_search() -> None:
    caller = Caller(FlowService(readings={"connections.limit-above-100": "capped"}))
    for _ in range(101):
        caller.create()
    assert len(search(caller, {"limit": 101})["items"]) == 101
    assert len(caller.names("?limit=101")) == 100


@pytest.mark.parametrize(
    "body", [{"limit": 0}, {"limit": 1001}, {"limit": "1"}, {"count": 1}, {"queryString": 1}, []]
)
def test_a_search_that_is_none_is_refused(body: Any) -> None:
    assert Caller().send("POST", "/connections/search", body).status == 400
