"""Filters, orders and exploration compared by what they mean, not by how they are written."""

from __future__ import annotations

import pytest

from aepmock.contract.filters import say_the_same
from tests.judge.test_checks import broken, call, exchange, listed, verdicts


@pytest.mark.parametrize(
    ("wanted", "sent"),
    [
        (["name==a"], ['name=="a"']),
        (['name=="a"'], ["name==a"]),
        (["name==a", 'name=="a"'], ["name==a"]),
        (["state==enabled,disabled"], ['state=="disabled","enabled"']),
        (["name==a", "state==enabled,disabled"], ["state==enabled,disabled,name==a"]),
        (["name==a", "state==enabled", "id==b"], ["id==b", 'name=="a",state==enabled']),
        (['name=="a,b"', "id==c"], ['id=="c",name=="a,b"']),
        (["createdAt>=5"], ['createdAt>="5"']),
        (["name==quotes \" and '"], ['name=="quotes " and \'"']),
        (["what is no filter"], ["what is no filter"]),
    ],
)
def test_filters_that_mean_the_same_are_the_same(wanted: list[str], sent: list[str]) -> None:
    assert say_the_same(wanted, sent)


@pytest.mark.parametrize(
    ("wanted", "sent"),
    [
        (["name==a"], []),
        (["name==a"], ["name==A"]),
        (["name==a"], ["name== a"]),
        (["name==a"], ["description==a"]),
        (["createdAt>5"], ["createdAt>=5"]),
        (["name==a", "id==b"], ["name==a"]),
        (["name==a"], ["name==a", "id==b"]),
        (["name==a"], ["name==a,id==b"]),
        (["state==enabled,disabled"], ['state=="enabled,disabled"']),
        (["state==enabled,disabled"], ["state==enabled", "disabled"]),
        (['name=="a,b"'], ["name==a,b"]),
        (["name===a"], ["name==a"]),
        (["name==" + "x," * 200], ["name==a", "x" + ",x" * 200]),
    ],
)
def test_filters_that_mean_something_else_are_others(wanted: list[str], sent: list[str]) -> None:
    assert not say_the_same(wanted, sent)


def test_a_long_list_of_values_is_compared_at_once() -> None:
    values = [f"name==v{number}" for number in range(5_000)]
    assert say_the_same(values, values[::-1])
    assert not say_the_same(values, [",".join(values)])


@pytest.mark.parametrize("sent", ["%2Bname", "+name", "name"])
def test_a_plus_before_a_field_says_what_is_so_anyway(sent: str) -> None:
    page = exchange("GET", f"/connections?orderby={sent}", 200, {"items": []})
    assert verdicts(listed(page, orderby="name"))["connections.list.orderby"] == "met"


def test_a_minus_before_a_field_says_something_else() -> None:
    page = exchange("GET", "/connections?orderby=-name", 200, {"items": []})
    assert "connections.list.orderby" in broken(listed(page, orderby="name"))


@pytest.mark.parametrize(
    ("given", "sent", "clauses"),
    [
        ({}, "", set()),
        ({}, "&sourceParams=e30%3D", set()),
        ({}, "&sourceParams=e30=", set()),
        ({}, "&sourceParams=%7B%7D", {"connections.explore.source-params"}),
        ({"a": "b"}, "", {"connections.explore.source-params"}),
    ],
)
def test_source_params_that_hold_nothing_may_be_left_out(
    given: dict[str, str], sent: str, clauses: set[str]
) -> None:
    asked = exchange("GET", f"/connections/i/explore?objectType=root{sent}", 200, [])
    made = call(
        "explore_connection",
        asked,
        connection_id="i",
        object_type="root",
        source_params=given,
        returned=[],
    )
    assert broken(made) == clauses
