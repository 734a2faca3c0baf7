"""Explore and configs: the connector's tables, in the forms that the pages print."""

from __future__ import annotations

import base64

import pytest

from tests.service.flow_caller import Caller, code_of


def explored(query: str) -> object:
    caller = Caller()
    response = caller.send("GET", f"/connections/{caller.create()}/explore?{query}")
    assert response.status == 200, response.body
    return response.json


def refused(query: str) -> str:
    caller = Caller()
    response = caller.send("GET", f"/connections/{caller.create()}/explore?{query}")
    assert code_of(response) == "1100-400"
    text = response.json["report"]["message"]
    assert isinstance(text, str)
    return text


@pytest.mark.parametrize("query", ["objectType=root", "objectType=ROOT", "OBJECTTYPE=Root"])
def test_the_root_lists_the_tables(query: str) -> None:
    listed = explored(query)
    assert isinstance(listed, list)
    assert listed[-1] == {
        "type": "table",
        "name": "Hubspot.Contacts",
        "path": "Hubspot.Contacts",
        "canPreview": True,
        "canFetchSchema": True,
    }


def test_a_table_shows_its_columns_and_rows_only_in_a_preview() -> None:
    plain = explored("objectType=table&object=Hubspot.Contacts")
    preview = explored("objectType=TABLE&object=Hubspot.Contacts&preview=True")
    assert isinstance(plain, dict)
    assert isinstance(preview, dict)
    assert sorted(plain) == ["format", "schema"]
    names = [column["name"] for column in plain["schema"]["columns"]]
    assert names[:2] == ["Properties_Firstname_Value", "Properties_Lastname_Value"]
    assert {name: preview[name] for name in plain} == plain
    assert {tuple(sorted(row)) for row in preview["data"]} == {tuple(sorted(names))}


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("objectType=view", "The provided param 'objectType' is invalid."),
        ("objectType=table", "The object cannot be empty for objectType=table."),
        ("objectType=table&object=", "The object cannot be empty for objectType=table."),
        ("objectType=table&object=hubspot.contacts", "No columns were found for table hubspot."),
        ("objectType=rest&object=json", "Explore of objectType=rest is not supported."),
        ("objectType=file&object=x", "Explore of objectType=file is not supported."),
        ("objectType=root&sourceParams=%7B%7D", "is not base64 of a JSON document."),
        ("objectType=root&sourceParams=ü", "is not base64 of a JSON document."),
    ],
)
def test_what_the_connector_has_not_is_said_in_its_words(query: str, text: str) -> None:
    assert text in refused(query)


def test_source_params_in_base64_are_taken() -> None:
    encoded = base64.b64encode(b'{"campaignId": "c66a200cda"}').decode()
    assert isinstance(explored(f"objectType=root&sourceParams={encoded}"), list)


def test_configs_have_the_documented_form() -> None:
    caller = Caller()
    answer = caller.send("GET", f"/connections/{caller.create()}/configs").json
    assert answer["items"][0] == {"columnName": "name", "columnType": "string"}


@pytest.mark.parametrize("text", ["e30%3D", "e30=", "e30"])
def test_an_empty_document_may_have_its_padding_or_not(text: str) -> None:
    query = "objectType=table&object=Hubspot.Contacts"
    assert explored(f"{query}&sourceParams={text}") == explored(query)
