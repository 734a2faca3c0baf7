"""Checks that a name used in one file of the contract's data is defined in another."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple

from aepmock.errors import ContractDataError

FOLDERS = ("clauses", "connectors")
STATE_RULES = ("allowed", "service-token")
"""What a state says of a request beside the code of a refusal."""


class Use(NamedTuple):
    """Where a name is used: `kind` is what it must be, `known` where it must be defined."""

    place: str
    kind: str
    name: str
    known: Collection[str]


def check_references(document: Mapping[str, Any]) -> None:
    """Raises ContractDataError for a name that is not defined, defined twice, or never used."""
    _check_ids(document)
    for use in _uses(document):
        if use.name not in use.known:
            raise ContractDataError(f"{use.place}: there is no {use.kind} {use.name!r}")
    for reading in document["readings"]["readings"]:
        first = reading["options"][0]["id"]
        if reading["default"] != first:
            raise ContractDataError(
                f"readings.toml: {reading['id']}: the default {reading['default']!r} is not first"
            )
    held = {c["connectionSpec"]["id"]: c["name"] for c in document["connectors"].values()}
    for entry in document["not-imitated"]["connectors"]:
        if entry["id"] in held:
            raise ContractDataError(
                f"not-imitated.toml: {entry['id']}: the contract holds {held[entry['id']]}"
            )
    used = {use.name for use in _sources(document)}
    for name in document["sources"]["sources"]:
        if name not in used:
            raise ContractDataError(f"sources.toml: no entry names the source {name!r}")


def _entries(document: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Every entry that has an id of its own: its file, its id, itself."""
    for name, key in (
        ("operations", "id"),
        ("readings", "id"),
        ("errors", "code"),
        ("refusals", "id"),
        ("states", "name"),
    ):
        for entry in document[name][name]:
            yield f"{name}.toml", entry[key], entry
    for family in document["clauses"].values():
        for entry in family["clauses"]:
            yield "clauses", entry["id"], entry
    for entry in document["connectors"].values():
        yield "connectors", entry["key"], entry
    for entry in document["not-imitated"]["connectors"]:
        yield "not-imitated.toml", entry["id"], entry


def _check_ids(document: Mapping[str, Any]) -> None:
    seen: set[tuple[str, str]] = set()
    for file, name, _ in _entries(document):
        if (file, name) in seen:
            raise ContractDataError(f"{file}: the id {name!r} stands twice")
        seen.add((file, name))


def _uses(document: Mapping[str, Any]) -> Iterator[Use]:
    names: dict[str, set[str]] = {}
    for file, name, _ in _entries(document):
        names.setdefault(file.removesuffix(".toml"), set()).add(name)
    for refusal in document["refusals"]["refusals"]:
        place = f"refusals.toml: {refusal['id']}"
        yield Use(place, "error", refusal["code"], names["errors"])
        if "clause" in refusal:
            yield Use(place, "clause", refusal["clause"], names["clauses"])
        if "reading" in refusal:
            yield Use(place, "reading", refusal["reading"], names["readings"])
    for reading in document["readings"]["readings"]:
        for name in reading["operations"]:
            if name != "*":
                place = f"readings.toml: {reading['id']}"
                yield Use(place, "operation", name, names["operations"])
    for entry in document["contradictions"]["contradictions"]:
        for name in entry["readings"]:
            place = f"contradictions.toml: contradictions.{entry['number']}"
            yield Use(place, "reading", name, names["readings"])
    for operation in document["operations"]["operations"]:
        if "schema" in operation:
            place = f"operations.toml: {operation['id']}"
            yield Use(place, "schema", operation["schema"], document["schemas"])
    for state in document["states"]["states"]:
        for rule in (state["update"], state["delete"]):
            known = {*STATE_RULES, *names["errors"]}
            yield Use(f"states.toml: {state['name']}", "error", rule, known)
    yield from _sources(document)


def _sources(document: Mapping[str, Any]) -> Iterator[Use]:
    """Every place that says where something was read, wherever in an entry it stands."""
    known = document["sources"]["sources"]
    for name, part in document.items():
        if name not in ("version", "sources", "schemas"):
            file = name if name in FOLDERS else f"{name}.toml"
            for place, source in _sources_in(part, file):
                for where in source["where"]:
                    yield Use(place, "source", where.partition(" ")[0], known)


def _sources_in(data: Any, place: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if isinstance(data, dict):
        name = next((str(data[key]) for key in ("id", "code", "key", "name") if key in data), "")
        here = f"{place}: {name}" if name else place
        for key, value in data.items():
            if key == "source" and isinstance(value, dict) and "where" in value:
                yield here, value
            else:
                yield from _sources_in(value, here)
    elif isinstance(data, list):
        for value in data:
            yield from _sources_in(value, place)
