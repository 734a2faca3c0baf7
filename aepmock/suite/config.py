"""What a run of the suite is about: the client, the clauses, the readings."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module

from aepmock.clients.driver import Factory
from aepmock.contract import Contract
from aepmock.errors import UsageError, unknown


@dataclass(frozen=True)
class SuiteConfig:
    """What a run is about; `clauses` are the selected ids, `reproduce` the command's words."""

    factory: Factory
    client: str
    clauses: frozenset[str]
    door: str = "auto"
    seed: int = 0
    examples: int = 25
    connector: str = "hubspot"
    descriptions: bool = True
    versions: bool = True


def load_factory(target: str) -> Factory:
    """The factory named by "package.module:factory". Raises UsageError saying what is wrong."""
    module_name, colon, name = target.partition(":")
    if not colon or not module_name or not name:
        raise UsageError(
            f"the client {target!r} is not of the form package.module:factory, "
            "such as aepmock.clients.reference:client"
        )
    try:
        module = import_module(module_name)
    except ImportError as error:
        raise UsageError(f"the client {target!r} can't be imported: {error}") from error
    factory = module
    for part in name.split("."):
        if not hasattr(factory, part):
            raise unknown(f"name in {module_name}", name, _callables(module))
        factory = getattr(factory, part)
    if not callable(factory):
        raise UsageError(f"{target} is a {type(factory).__name__}; it must be a function or class")
    return factory


def _callables(module: object) -> list[str]:
    return [n for n, v in vars(module).items() if callable(v) and not n.startswith("_")]


def worlds(
    contract: Contract, choice: str, operations: Iterable[str]
) -> list[tuple[str, dict[str, str]]]:
    """The readings to run under, by a label: the default, and with "all" each other option.

    Only readings that one of the operations can notice. Raises UsageError for another choice.
    """
    operations = tuple(operations)
    found: list[tuple[str, dict[str, str]]] = [("default", {})]
    if choice == "default":
        return found
    if choice != "all":
        raise unknown("choice of readings", choice, ("default", "all"))
    for reading in contract.readings.values():
        if reading.touches(operations):
            found += [
                (f"{reading.id}={option.id}", {reading.id: option.id})
                for option in reading.options[1:]
            ]
    return found
