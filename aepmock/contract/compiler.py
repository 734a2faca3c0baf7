"""Turns the files that people write, `data/`, into the one document that the kit loads.

Here, and not at each load, the data is held against the schemas in `meta/`, and every source,
clause, reading, error and operation that an entry names is looked up.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from aepmock.contract.references import check_references
from aepmock.errors import ContractDataError

CONTRACT_VERSION = "2026.11"
SINGLE_FILES = (
    "sources",
    "operations",
    "readings",
    "errors",
    "refusals",
    "states",
    "contradictions",
    "not-imitated",
)
FOLDERS = {"clauses": "clauses", "connectors": "connector"}
"""Folders of files, and the schema in `meta/` that each file has to fit."""


def compile_contract(folder: Traversable) -> dict[str, Any]:
    """The document for `build_contract`, from a folder like `data/`.

    Raises ContractDataError naming the file and the key at fault.
    """
    document: dict[str, Any] = {"version": CONTRACT_VERSION}
    for name in SINGLE_FILES:
        document[name] = _read(folder / f"{name}.toml", f"{name}.toml", name)
    for name, meta in FOLDERS.items():
        document[name] = {
            place.name.removesuffix(".toml"): _read(place, f"{name}/{place.name}", meta)
            for place in _sorted(folder / name, ".toml")
        }
    document["schemas"] = {
        place.name.removesuffix(".json"): _read_json(place, f"schemas/{place.name}")
        for place in _sorted(folder / "schemas", ".json")
    }
    check_references(document)
    return document


def render_contract(document: Mapping[str, Any]) -> str:
    """The text of `compiled.json`."""
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def _sorted(folder: Traversable, ending: str) -> Iterator[Traversable]:
    found = (place for place in folder.iterdir() if place.name.endswith(ending))
    return iter(sorted(found, key=lambda place: place.name))


def _read(place: Traversable, name: str, meta: str) -> Any:
    try:
        data = _with_kinds(tomllib.loads(place.read_text("utf-8")))
    except ValueError as error:
        raise ContractDataError(f"{name}: {error}") from None
    _validate(name, data, meta)
    return data


def _read_json(place: Traversable, name: str) -> Any:
    try:
        return json.loads(place.read_text("utf-8"))
    except ValueError as error:
        raise ContractDataError(f"{name}: {error}") from None


def _with_kinds(data: Any) -> Any:
    """Data in which `source = ["OAS"]` is written out: documented, and where."""
    if isinstance(data, dict):
        return {
            key: {"kind": "documented", "where": value}
            if key == "source" and isinstance(value, list)
            else _with_kinds(value)
            for key, value in data.items()
        }
    return [_with_kinds(value) for value in data] if isinstance(data, list) else data


def _validate(name: str, data: Any, meta: str) -> None:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match
    from referencing import Registry, Resource

    common = _meta("common")
    registry: Registry[Any] = Registry().with_resource(
        common["$id"], Resource.from_contents(common)
    )
    error = best_match(Draft202012Validator(_meta(meta), registry=registry).iter_errors(data))
    if error is not None:
        raise ContractDataError(f"{name}: {error.json_path}: {error.message}")


def _meta(name: str) -> Any:
    return json.loads((files("aepmock.contract") / "meta" / f"{name}.json").read_text("utf-8"))
