"""Builds the contract from the one document that is compiled from `data/`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
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


@cache
def load_contract() -> Contract:
    """The contract shipped with the kit, built once a process."""
    text = (files("aepmock.contract") / "compiled.json").read_text("utf-8")
    return build_contract(json.loads(text))


def read_contract(folder: Traversable) -> Contract:
    """The contract of a folder like `data/`, held against its schemas.

    Raises ContractDataError naming the file and the key at fault.
    """
    from aepmock.contract.compiler import compile_contract

    return build_contract(compile_contract(folder))


def build_contract(document: Mapping[str, Any]) -> Contract:
    """The contract from a document of `compile_contract`, which has checked it."""
    operations, states = document["operations"], document["states"]
    clauses = (c for family in document["clauses"].values() for c in family["clauses"])
    return Contract(
        version=document["version"],
        base_path=operations["base_path"],
        operations=_by_id(map(_operation, operations["operations"])),
        clauses=_by_id(map(_clause, clauses)),
        readings=_by_id(map(_reading, document["readings"]["readings"])),
        errors={e.code: e for e in map(_error, document["errors"]["errors"])},
        refusals=_by_id(map(_refusal, document["refusals"]["refusals"])),
        states={s["name"]: State(**{**s, "source": _source(s)}) for s in states["states"]},
        settable_states=tuple(states["settable"]["values"]),
        publish_from=states["publish"]["from"],
        publish_to=states["publish"]["to"],
        connectors={c["key"]: _connector(c) for c in document["connectors"].values()},
        sources=document["sources"]["sources"],
        schemas=document["schemas"],
        not_imitated=_not_imitated(document["not-imitated"]),
        contradictions=tuple(map(_contradiction, document["contradictions"]["contradictions"])),
    )


def _by_id(entries: Iterable[Any]) -> dict[str, Any]:
    return {entry.id: entry for entry in entries}


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
    return Refusal(**{"reading": None, "clause": None, **data, "source": _source(data)})


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
    connectors = {c["id"]: c["name"] for c in data["connectors"]}
    sources = resources | {c["id"]: _source(c) for c in data["connectors"]}
    return NotImitated(resources, connectors, sources)
