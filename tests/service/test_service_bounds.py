"""What a single request may ask for, and what a list of many connections costs."""

from __future__ import annotations

import base64
import json
import threading
import zlib
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

from aepmock.messages import Response
from aepmock.service import FlowService
from aepmock.service import connection_lists as lists
from aepmock.service import store as stored
from aepmock.service.filters import parse_order
from aepmock.service.paging import MOST_ON_A_PAGE
from tests.service.flow_caller import Caller, code_of


def beyond(response: Response) -> str:
    """What the mock says of its own limit; nothing of it passes for Flow Service's answer."""
    assert response.status in (400, 413)
    assert response.headers.get("content-type") == "application/problem+json"
    assert response.json["title"] == "A limit of the mock"
    assert "x-aepmock-clause" not in response.headers
    return str(response.json["detail"])


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("orderby=" + ",".join(["name"] * 12_000), "orderby takes at most 32 fields"),
        ("&".join(["property=name==a"] * 10_000), "at most 32 filters"),
        ("property=" + ",".join(["name==a"] * 10_000), "at most 32 filters"),
        ("property=name==" + ",".join(["a"] * 30_000), "at most 2000 values"),
    ],
    ids=["orders", "filters", "filters in one", "values"],
)
def test_a_list_that_asks_for_too_much_meets_a_limit_of_the_mock(query: str, told: str) -> None:
    assert told in beyond(Caller().send("GET", f"/connections?{query}"))


def test_a_search_has_the_same_limits() -> None:
    caller = Caller()
    many = {"queryString": "&".join(["property=name==a"] * 1_000)}
    assert "at most 32 filters" in beyond(caller.send("POST", "/connections/search", many))
    long = {"queryString": "property=name==" + "a" * 100_000}
    assert "queryString" in beyond(caller.send("POST", "/connections/search", long))


def test_as_much_as_the_limits_allow_is_answered() -> None:
    caller = Caller()
    caller.create(name="a")
    caller.create(name="b")
    filters = "&".join(["property=name==" + ",".join(["x"] * 60 + ["a"])] * 32)
    assert caller.names(f"?{filters}") == ["a"]
    assert caller.names("?orderby=" + ",".join(["+state", "-name"] * 16)) == ["b", "a"]


@pytest.mark.parametrize("path", ["auth.params." + "a." * 500_000, "auth.params" + "." * 1_000_000])
def test_a_filter_with_a_path_without_end_names_no_field(path: str) -> None:
    caller = Caller()
    assert beyond(caller.send("POST", "/connections/search", {"queryString": f"property={path}=a"}))
    cut = {"queryString": f"property={path[:50_000]}=a"}
    assert code_of(caller.send("POST", "/connections/search", cut)) == "1449-400"


def test_a_field_that_is_named_again_decides_nothing() -> None:
    assert parse_order("name,-name,id,state") == (("name", False), ("id", False))


def forged(content: Any, *, reserved: bool) -> str:
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    data = zlib.crc32(data).to_bytes(4, "big") + data
    if reserved:
        return "~+/=&" + base64.b64encode(data).decode()
    return "T" + base64.b32encode(data).decode().rstrip("=").lower()


RIGHT: dict[str, Any] = {"property": [], "limit": None, "orderby": None}


@pytest.mark.parametrize("reserved", [False, True])
@pytest.mark.parametrize(
    "content",
    [
        ["1", RIGHT],
        [-1, RIGHT],
        [True, RIGHT],
        [1.5, RIGHT],
        [10**30, RIGHT],
        [0, []],
        [0, None],
        [0, {}],
        [0, {**RIGHT, "more": 1}],
        [0, {**RIGHT, "property": None}],
        [0, {**RIGHT, "property": [1]}],
        [0, {**RIGHT, "property": "name==a"}],
        [0, {**RIGHT, "limit": "5"}],
        [0, {**RIGHT, "limit": -5}],
        [0, {**RIGHT, "limit": True}],
        [0, {**RIGHT, "orderby": ["name"]}],
        [0],
        {"0": 1, "1": 2},
        5,
        b"[" * 5_000,
        b"\xff",
    ],
    ids=repr,
)
def test_a_forged_token_is_refused_as_documented(content: Any, reserved: bool) -> None:
    token = quote(forged(content, reserved=reserved), safe="")
    caller = Caller(FlowService(readings={"connections.next-href": "token-only"}))
    answer = caller.send("GET", f"/connections?continuationToken={token}")
    assert answer.status == 400
    assert code_of(answer) == "1452-400"


def test_a_page_has_an_end_and_a_link_to_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aepmock.service.paging.MOST_ON_A_PAGE", 3)
    caller = Caller()
    for name in "abcde":
        caller.create(name=name)
    first = caller.send("GET", "/connections?limit=100000").json
    assert [item["name"] for item in first["items"]] == ["e", "d", "c"]
    rest = caller.send("GET", first["_links"]["next"]["href"]).json
    assert [item["name"] for item in rest["items"]] == ["b", "a"]
    assert MOST_ON_A_PAGE == 10_000


@pytest.fixture
def many(monkeypatch: pytest.MonkeyPatch) -> Caller:
    """Someone with 500 connections, which the service counts as many."""
    monkeypatch.setattr(lists, "MANY", 100)
    caller = Caller()
    for number in range(500):
        caller.service.seed_connection(
            caller.credentials.ims_org_id, "dev", name=f"n{number % 7}", description=str(number)
        )
    return caller


def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of connections that are made documents from now on."""
    made: list[str] = []
    item = stored.Connection.item

    def counting(self: stored.Connection, *args: Any) -> dict[str, Any]:
        made.append(self.id)
        return item(self, *args)

    monkeypatch.setattr(stored.Connection, "item", counting)
    return made


@pytest.mark.parametrize(
    "query",
    ["", "?orderby=-name", "?property=name==n1&orderby=createdAt", "?property=state==enabled"],
)
def test_documents_are_made_of_one_page_only(
    many: Caller, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    made = counted(monkeypatch)
    shown = many.names(query)
    assert 0 < len(shown) == len(made) <= 100


def test_others_use_the_service_while_a_long_list_is_made(
    many: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = threading.Event(), threading.Event()
    reader = stored.reader

    def slow(*args: Any) -> Callable[[stored.Connection], Any]:
        begun.set()
        assert go_on.wait(10)
        return reader(*args)

    monkeypatch.setattr(stored, "reader", slow)
    answers: list[Response] = []
    lister = threading.Thread(
        target=lambda: answers.append(many.send("GET", "/connections?orderby=name"))
    )
    lister.start()
    try:
        assert begun.wait(10)
        other: list[str] = []
        asker = threading.Thread(target=lambda: other.append(many.create(name="beside")))
        asker.start()
        asker.join(5)
        assert other
    finally:
        go_on.set()
        lister.join(10)
    assert answers[0].status == 200


@pytest.mark.parametrize("treatment", ["returned", "masked", "absent"])
def test_a_field_is_read_as_a_document_has_it(treatment: str) -> None:
    service = FlowService(readings={"connections.secrets-on-read": treatment})
    org = service.mint_credentials().ims_org_id
    params = {"clientId": "i", "clientSecret": {"a": "s"}, "more": {"deep": [1], "n": None}}
    service.seed_connection(org, "dev", auth_params=params)
    service.seed_connection(org, "dev", description="d")
    secrets = service.contract.secret_names
    paths = [*stored._STORED, "auth.params.clientId", "auth.params.clientSecret",
             "auth.params.clientSecret.a", "auth.params.more.deep", "auth.params.more.n",
             "auth.params.none", "auth.params.more.deep.0"]  # fmt: skip
    for connection in service.store:
        document = connection.item(secrets, treatment)
        for path in paths:
            value: Any = document
            for key in path.split("."):
                value = value.get(key) if isinstance(value, dict) else None
            assert stored.reader(path, secrets, treatment)(connection) == value, path


def test_what_is_held_is_counted() -> None:
    caller = Caller()
    made = caller.create()
    caller.create()
    assert len(caller.service.store) == 2
    caller.send("DELETE", f"/connections/{made}")
    assert len(caller.service.store) == len(caller.service.fork().store) == 1
    caller.service.reset()
    assert len(caller.service.store) == 0
