"""Reads the contract's files once, checks them against `meta/`, and names any mistake's place."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from aepmock.contract.model import (
    AuthParam,
    AuthSpec,
    Clause,
    Connector,
    Contract,
    Contradiction,
    ErrorEntry,
    NotImitated,
    Operation,
    Reading,
    ReadingOption,
    Refusal,
    Source,
    State,
)
from aepmock.errors import ContractDataError

CONTRACT_VERSION = "2026.11"


@cache
def load_contract() -> Contract:
    """The contract shipped with the kit, validated, built once a process."""
    return read_contract(files("aepmock.contract"))


def read_contract(folder: Traversable) -> Contract:
    """The contract in `folder`. Raises ContractDataError naming the file and the key at fault."""
    reader = _Reader(folder)
    sources = reader.read("sources.json", "sources")["sources"]
    operations = reader.read("operations.json", "operations")
    states = reader.read("states.json", "states")
    clauses = list(reader.read_folder("clauses", "clauses"))
    contract = Contract(
        version=CONTRACT_VERSION,
        base_path=operations["base_path"],
        operations=_by_id("operations.json", map(_operation, operations["operations"])),
        clauses=_by_id("clauses", (_clause(c) for _, data in clauses for c in data["clauses"])),
        readings=_by_id(
            "readings.json", map(_reading, reader.read("readings.json", "readings")["readings"])
        ),
        errors={e.code: e for e in map(_error, reader.read("errors.json", "errors")["errors"])},
        refusals=_by_id(
            "refusals.json", map(_refusal, reader.read("refusals.json", "refusals")["refusals"])
        ),
        states={s["name"]: State(**{**s, "source": _source(s)}) for s in states["states"]},
        settable_states=tuple(states["settable"]["values"]),
        publish_from=states["publish"]["from"],
        publish_to=states["publish"]["to"],
        connectors={
            data["key"]: _connector(data)
            for _, data in reader.read_folder("connectors", "connector")
        },
        sources=sources,
        schemas={name.removesuffix(".json"): d for name, d in reader.read_folder("schemas", None)},
        not_imitated=_not_imitated(reader.read("not-imitated.json", "not-imitated")),
        contradictions=tuple(
            map(
                _contradiction,
                reader.read("contradictions.json", "contradictions")["contradictions"],
            )
        ),
    )
    _check_references(contract)
    return contract


class _Reader:
    def __init__(self, folder: Traversable) -> None:
        self._folder = folder

    def read(self, path: str, meta: str | None) -> Any:
        place = self._folder
        for part in path.split("/"):
            place = place / part
        try:
            data = json.loads(place.read_text("utf-8"), object_pairs_hook=_unique_keys)
        except ValueError as error:
            raise ContractDataError(f"{path}: {error}") from None
        if meta is not None:
            self._validate(path, data, meta)
        return data

    def read_folder(self, folder: str, meta: str | None) -> Iterator[tuple[str, Any]]:
        for place in sorted((self._folder / folder).iterdir(), key=lambda p: p.name):
            if place.name.endswith(".json"):
                yield place.name, self.read(f"{folder}/{place.name}", meta)

    def _validate(self, path: str, data: Any, meta: str) -> None:
        from jsonschema import Draft202012Validator
        from jsonschema.exceptions import best_match
        from referencing import Registry, Resource

        common = self.read("meta/common.json", None)
        registry: Registry[Any] = Registry().with_resource(
            common["$id"], Resource.from_contents(common)
        )
        validator = Draft202012Validator(self.read(f"meta/{meta}.json", None), registry=registry)
        error = best_match(validator.iter_errors(data))
        if error is not None:
            raise ContractDataError(f"{path}: {error.json_path}: {error.message}")


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    seen = dict(pairs)
    if len(seen) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice!r} stands twice in one object")
    return seen


def _by_id(file: str, entries: Iterable[Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for entry in entries:
        if entry.id in found:
            raise ContractDataError(f"{file}: the id {entry.id!r} stands twice")
        found[entry.id] = entry
    return found


def _source(data: Mapping[str, Any]) -> Source:
    source = data["source"]
    return Source(source["kind"], tuple(source["where"]), source.get("note", ""))


def _operation(data: Mapping[str, Any]) -> Operation:
    return Operation(
        id=data["id"],
        method=data["method"],
        path=data["path"],
        query=tuple(data["query"]),
        any_case=data.get("query_case") == "any",
        body=data["body"],
        schema=data.get("schema"),
        success=tuple(data["success"]),
        host=data.get("host", "platform"),
        source=_source(data),
        also=tuple(data.get("also", ())),
    )


def _clause(data: Mapping[str, Any]) -> Clause:
    return Clause(
        id=data["id"],
        grade=data["grade"],
        family=data["family"],
        text=data["text"],
        breaks=data["breaks"],
        right=data["example"]["right"],
        wrong=data["example"]["wrong"],
        source=_source(data),
    )


def _reading(data: Mapping[str, Any]) -> Reading:
    return Reading(
        id=data["id"],
        question=data["question"],
        operations=tuple(data["operations"]),
        default=data["default"],
        options=tuple(ReadingOption(o["id"], o["text"], _source(o)) for o in data["options"]),
        note=data.get("note", ""),
    )


def _contradiction(data: Mapping[str, Any]) -> Contradiction:
    return Contradiction(
        number=data["number"],
        about=data["about"],
        readings=tuple(data["readings"]),
        note=data.get("note", ""),
        source=_source(data),
    )


def _error(data: Mapping[str, Any]) -> ErrorEntry:
    return ErrorEntry(**{**data, "source": _source(data)})


def _refusal(data: Mapping[str, Any]) -> Refusal:
    return Refusal(**{"reading": None, **data, "source": _source(data)})


def _connector(data: Mapping[str, Any]) -> Connector:
    return Connector(
        key=data["key"],
        name=data["name"],
        category=data["category"],
        spec_id=data["connectionSpec"]["id"],
        versions=tuple(data["connectionSpec"]["versions"]),
        auth=tuple(
            AuthSpec(spec["specName"], tuple(AuthParam(**p) for p in spec["params"]))
            for spec in data["auth"]
        ),
        object_types=tuple(data["explore"]["objectTypes"]),
        tables=tuple(data["explore"]["tables"]),
        configs=tuple(data["configs"]),
        oddities=tuple(data.get("oddities", ())),
        source=_source(data),
    )


def _not_imitated(data: Mapping[str, Any]) -> NotImitated:
    resources = {r["name"]: _source(r) for r in data["resources"]}
    connectors: dict[str, str] = {}
    sources = dict(resources)
    for connector in data["connectors"]:
        spec_id = connector["id"]
        if spec_id in connectors:
            raise ContractDataError(f"not-imitated.json: the id {spec_id!r} stands twice")
        connectors[spec_id] = connector["name"]
        sources[spec_id] = _source(connector)
    return NotImitated(resources, connectors, sources)


def _check_references(contract: Contract) -> None:
    """What a schema cannot say: that names used in one file are defined in another."""
    for file, key, name, known, kind in _references(contract):
        if name not in known:
            raise ContractDataError(f"{file}: {key}: there is no {kind} {name!r}")
    for connector in contract.connectors.values():
        if connector.spec_id in contract.not_imitated.connectors:
            raise ContractDataError(
                f"not-imitated.json: {connector.spec_id}: the contract holds {connector.name}"
            )
    for reading in contract.readings.values():
        if reading.default != reading.options[0].id:
            raise ContractDataError(
                f"readings.json: {reading.id}: the default {reading.default!r} is not first"
            )


def _references(contract: Contract) -> Iterator[tuple[str, str, str, Collection[str], str]]:
    """Every use of a name: file, key, name, where it must be defined, and what it is."""
    for refusal in contract.refusals.values():
        yield "refusals.json", refusal.id, refusal.code, contract.errors, "error"
        if refusal.clause is not None:
            yield "refusals.json", refusal.id, refusal.clause, contract.clauses, "clause"
        if refusal.reading is not None:
            yield "refusals.json", refusal.id, refusal.reading, contract.readings, "reading"
    yield from _references_about_readings(contract)
    for operation in contract.operations.values():
        if operation.schema is not None:
            schema = operation.schema
            yield "operations.json", operation.id, schema, contract.schemas, "schema"
    for state in contract.states.values():
        for rule in (state.update, state.delete):
            if rule not in ("allowed", "service-token"):
                yield "states.json", state.name, rule, contract.errors, "error"
    for file, key, source in _all_sources(contract):
        for where in source.where:
            yield file, key, where.partition(" ")[0], contract.sources, "source"


def _references_about_readings(
    contract: Contract,
) -> Iterator[tuple[str, str, str, Collection[str], str]]:
    for reading in contract.readings.values():
        for name in reading.operations:
            if name != "*":
                yield "readings.json", reading.id, name, contract.operations, "operation"
    for contradiction in contract.contradictions:
        for name in contradiction.readings:
            place = f"contradictions.{contradiction.number}"
            yield "contradictions.json", place, name, contract.readings, "reading"


def _all_sources(contract: Contract) -> Iterator[tuple[str, str, Source]]:
    for operation in contract.operations.values():
        yield "operations.json", operation.id, operation.source
    for clause in contract.clauses.values():
        yield "clauses", clause.id, clause.source
    for refusal in contract.refusals.values():
        yield "refusals.json", refusal.id, refusal.source
    for code, error in contract.errors.items():
        yield "errors.json", code, error.source
    for state in contract.states.values():
        yield "states.json", state.name, state.source
    for connector in contract.connectors.values():
        yield "connectors", connector.key, connector.source
    for contradiction in contract.contradictions:
        place = f"contradictions.{contradiction.number}"
        yield "contradictions.json", place, contradiction.source
    for name, source in contract.not_imitated.sources.items():
        yield "not-imitated.json", name, source
    for reading in contract.readings.values():
        for option in reading.options:
            yield "readings.json", f"{reading.id}.{option.id}", option.source
