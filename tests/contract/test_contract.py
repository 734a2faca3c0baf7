"""The contract's data: every entry has a source, and a wrong file is refused by name."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from jsonschema import Draft202012Validator

import aepmock.contract
from aepmock.contract import Source, error_response, load_contract
from aepmock.contract.compiler import compile_contract, render_contract
from aepmock.contract.loading import read_contract
from aepmock.errors import ContractDataError, UsageError
from aepmock.messages import Headers, Request

FOLDER = Path(aepmock.contract.__file__).parent
CONTRACT = load_contract()


def all_sources() -> list[Source]:
    contract = CONTRACT
    entries: list[Any] = [
        *contract.operations.values(),
        *contract.clauses.values(),
        *contract.refusals.values(),
        *contract.errors.values(),
        *contract.states.values(),
        *contract.connectors.values(),
        *contract.contradictions,
        *(option for reading in contract.readings.values() for option in reading.options),
    ]
    return [entry.source for entry in entries]


def test_every_entry_says_where_it_was_read() -> None:
    for source in all_sources():
        assert source.kind in ("documented", "derived", "open")
        assert source.where
        assert {where.partition(" ")[0] for where in source.where} <= set(CONTRACT.sources)


def test_a_must_is_documented_or_derived() -> None:
    for clause in CONTRACT.clauses.values():
        assert clause.grade != "must" or clause.source.kind != "open"


def test_what_is_loaded_is_what_is_written() -> None:
    text = (FOLDER / "compiled.json").read_text("utf-8")
    assert text == render_contract(compile_contract(FOLDER / "data")), "run make contract"


def test_loading_checks_nothing_again() -> None:
    code = "import sys, aepmock; aepmock.load_contract(); print('jsonschema' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "False\n"


def test_the_contract_is_built_once() -> None:
    assert load_contract() is CONTRACT


def test_every_contradiction_is_accounted_for_once() -> None:
    assert [entry.number for entry in CONTRACT.contradictions] == list(range(1, 41))
    for entry in CONTRACT.contradictions:
        assert entry.readings or entry.note


def test_every_schema_is_a_schema() -> None:
    for schema in CONTRACT.schemas.values():
        Draft202012Validator.check_schema(schema)
    for file in (FOLDER / "meta").glob("*.json"):
        Draft202012Validator.check_schema(json.loads(file.read_text("utf-8")))


def test_every_refusal_has_the_words_of_its_code() -> None:
    for rule in CONTRACT.refusals.values():
        assert rule.code in CONTRACT.errors
        if rule.reading is not None:
            codes = {option.id for option in CONTRACT.readings[rule.reading].options}
            named = codes & set(CONTRACT.errors)
            # A reading whose options are codes has the rule's own one first.
            assert not named or rule.code == CONTRACT.readings[rule.reading].default


@pytest.mark.parametrize("code", CONTRACT.errors)
def test_every_entry_of_the_catalogue_can_be_sent(code: str) -> None:
    entry = CONTRACT.errors[code]
    response = error_response(entry, request_id="r")
    assert response.status == entry.status
    text = json.dumps(response.json)
    assert "{" not in entry.message.format(**entry.params)
    if entry.shape == "service":
        assert not list(CONTRACT.validator("error-envelope").iter_errors(response.json))
        assert code.endswith(f"-{entry.status}")
        assert response.json["type"] == f"https://ns.adobe.com/aep/errors/FLOW-{code}"
        assert response.json["report"]["request-id"] == "r"
        short = error_response(entry, request_id="r", short=True).json
        assert short == {k: response.json[k] for k in ("errorMessage", "errorDetails")}
    elif entry.shape == "gateway":
        number = error_response(entry, request_id="r", numeric_code=True).json
        assert (number["error_code"], response.json["error_code"]) == (int(code), code)
        assert set(response.json) == {"error_code", "message"}
    else:
        assert "FLOW-" not in text


def test_the_two_bodies_that_are_printed_in_full_are_made_letter_by_letter() -> None:
    """LABELS."""
    flow = "84224def-1e2a-4d95-9ea2-132d697ed2aa"
    text = (
        f"The requested flows resource {flow} is not found. "
        "Verify the resource ID before trying again."
    )
    assert error_response(
        CONTRACT.errors["1439-404"], {"type": "flows", "id": flow}, request_id="{REQUEST_ID}"
    ).json == {
        "type": "https://ns.adobe.com/aep/errors/FLOW-1439-404",
        "title": "Resource not found",
        "status": 404,
        "report": {
            "detailed-message": text,
            "id": flow,
            "request-id": "{REQUEST_ID}",
            "type": "flows",
        },
        "errorMessage": text,
        "errorDetails": text,
    }
    text = (
        "You do not have sufficient permissions to perform the operation. "
        "Please contact your administrator to resolve permissions and try again."
    )
    assert error_response(CONTRACT.errors["2120-403"], request_id="{REQUEST_ID}").json == {
        "type": "https://ns.adobe.com/aep/errors/FLOW-2120-403",
        "title": "Forbidden",
        "status": 403,
        "report": {"detailed-message": text, "request-id": "{REQUEST_ID}"},
        "errorMessage": text,
        "errorDetails": text,
    }


def test_braces_in_a_parameter_stay_what_they_are() -> None:
    response = error_response(
        CONTRACT.errors["1449-400"], {"field": "{0} {field} {"}, request_id="r"
    )
    assert response.json["errorMessage"] == "Invalid field {0} {field} { in filter params."


@pytest.mark.parametrize(
    ("method", "path", "operation"),
    [
        ("GET", "/connections", "connections.list"),
        ("GET", "/connections/?limit=1", "connections.list"),
        ("POST", "/connections/search", "connections.search"),
        ("GET", "/connections/search/test", "connections.test"),
        ("PATCH", "/connections/x/", "connections.update"),
        ("POST", "/connections/x/action", "connections.action"),
        ("HEAD", "/connections", None),
        ("GET", "//connections", None),
        ("GET", "/connections/x/y", None),
    ],
)
def test_a_request_is_the_operation_that_its_method_and_path_say(
    method: str, path: str, operation: str | None
) -> None:
    found = CONTRACT.operation_of(Request(method, "", CONTRACT.base_path + path, Headers()))
    assert (found.id if found else None) == operation


def test_unknown_names_are_misuse() -> None:
    with pytest.raises(UsageError, match="unknown clause") as caught:
        CONTRACT.select_clauses(["connections.updat.*"])
    assert "connections.update" in str(caught.value)
    assert len(str(caught.value)) < 400
    assert len(CONTRACT.select_clauses(["connections.create.*"])) > 5
    assert CONTRACT.select_clauses([]) == tuple(CONTRACT.clauses.values())


# A change to one file, and what the refusal says: the file, and the key in it.
Change = Callable[[Any], None]


def first(data: Any) -> Any:
    return next(value for key, value in data.items() if isinstance(value, list))[0]


WRONG: list[tuple[str, Change, str]] = [
    ("errors.toml", lambda d: first(d).pop("source"), r"errors\.toml: \$\.errors\[0\].*'source'"),
    ("errors.toml", lambda d: first(d).update(shape="x"), r"errors\.toml: \$\.errors\[0\]\.shape"),
    ("errors.toml", lambda d: first(d).update(extra=1), r"errors\.toml: \$\.errors\[0\].*'extra'"),
    (
        "errors.toml",
        lambda d: first(d).update(source=["NOWHERE 1"]),
        r"errors\.toml: 400003: there is no source 'NOWHERE'",
    ),
    (
        "refusals.toml",
        lambda d: first(d).update(code="9999-999"),
        r"refusals\.toml: gateway\.token-missing: there is no error '9999-999'",
    ),
    (
        "refusals.toml",
        lambda d: first(d).update(clause="no.clause"),
        r"refusals\.toml: gateway\.token-missing: there is no clause 'no\.clause'",
    ),
    (
        "refusals.toml",
        lambda d: first(d).update(reading="no.reading"),
        r"refusals\.toml: gateway\.token-missing: there is no reading 'no\.reading'",
    ),
    (
        "refusals.toml",
        lambda d: d["refusals"].append(first(d)),
        r"refusals\.toml: the id 'gateway\.token-missing' stands twice",
    ),
    (
        "readings.toml",
        lambda d: first(d).update(default="401013"),
        r"readings\.toml: gateway\.token-missing: the default '401013' is not first",
    ),
    (
        "readings.toml",
        lambda d: first(d).update(operations=["connections.fly"]),
        r"readings\.toml: gateway\.token-missing: there is no operation 'connections\.fly'",
    ),
    (
        "readings.toml",
        lambda d: first(d)["options"].clear(),
        r"readings\.toml: \$\.readings\[0\]\.options",
    ),
    (
        "readings.toml",
        lambda d: first(d)["options"][0].update(source=["X"]),
        r"readings\.toml: gateway\.token-missing: 403010: there is no source 'X'",
    ),
    (
        "contradictions.toml",
        lambda d: first(d).update(readings=["no.reading"]),
        r"contradictions\.toml: contradictions\.1: there is no reading 'no\.reading'",
    ),
    (
        "contradictions.toml",
        lambda d: first(d).pop("note"),
        r"contradictions\.toml: \$\.contradictions\[0\]",
    ),
    (
        "operations.toml",
        lambda d: d["operations"][1].update(schema="zzz"),
        r"operations\.toml: connections\.create: there is no schema 'zzz'",
    ),
    (
        "states.toml",
        lambda d: first(d).update(update="9999-999"),
        r"states\.toml: enabled: there is no error '9999-999'",
    ),
    (
        "connectors/hubspot.toml",
        lambda d: d["auth"][0]["params"][0].pop("secret"),
        r"connectors/hubspot\.toml: \$\.auth\[0\]\.params\[0\].*'secret'",
    ),
    (
        "sources.toml",
        lambda d: d["sources"].update(SPARE={"title": "A page", "at": "somewhere"}),
        r"sources\.toml: no entry names the source 'SPARE'",
    ),
    (
        "states.toml",
        lambda d: d["publish"].update(source=["NOWHERE"]),
        r"states\.toml: there is no source 'NOWHERE'",
    ),
    (
        "connectors/hubspot.toml",
        lambda d: d["explore"].update(source=["NOWHERE"]),
        r"connectors: hubspot: there is no source 'NOWHERE'",
    ),
    ("sources.toml", lambda d: d["sources"]["OAS"].pop("at"), r"sources\.toml: \$\.sources\.OAS"),
    (
        "clauses/errors.toml",
        lambda d: first(d).update(grade="maybe"),
        r"clauses/errors\.toml: \$\.clauses\[0\]\.grade",
    ),
]


@pytest.mark.parametrize(("file", "change", "message"), WRONG, ids=range(len(WRONG)))
def test_a_wrong_file_is_refused_with_its_name_and_key(
    tmp_path: Path, file: str, change: Change, message: str
) -> None:
    shutil.copytree(FOLDER / "data", tmp_path / "contract")
    place = tmp_path / "contract" / file
    data = tomllib.loads(place.read_text("utf-8"))
    change(data)
    place.write_text(tomli_w.dumps(data), "utf-8")
    with pytest.raises(ContractDataError, match=message):
        read_contract(tmp_path / "contract")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("errors = [", r"^errors\.toml: Invalid value"),
        ("errors = []\nerrors = []", r"^errors\.toml: Cannot overwrite a value"),
    ],
)
def test_a_file_that_is_no_toml_is_refused_with_its_name(
    tmp_path: Path, text: str, message: str
) -> None:
    shutil.copytree(FOLDER / "data", tmp_path / "contract")
    (tmp_path / "contract" / "errors.toml").write_text(text, "utf-8")
    with pytest.raises(ContractDataError, match=message):
        read_contract(tmp_path / "contract")
