"""What a run of the suite is about: the client, the clauses, the readings."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

from aepmock import __version__
from aepmock.clients.driver import Factory
from aepmock.contract import Contract, load_contract
from aepmock.errors import UsageError, unknown
from aepmock.judge import Report, Tally, decide
from aepmock.judge.checks import needs
from aepmock.judge.known import read_known_failing
from aepmock.reports import check_path
from aepmock.settings import Setting


@dataclass(frozen=True)
class SuiteConfig:
    """What a run is about; `clauses` are the selected ids, `reproduce` the command's words."""

    factory: Factory
    client: str
    clauses: frozenset[str]
    known_failing: Mapping[str, str] = field(default_factory=dict)
    door: str = "auto"
    seed: int = 0
    examples: int = 25
    connector: str = "hubspot"
    descriptions: bool = True
    versions: bool = True


def make_config(settings: Mapping[str, Setting], *, folder: Path) -> SuiteConfig:
    """What the settings ask for; `folder` is where relative files and modules are looked for.

    Raises UsageError for everything that would only fail later.
    """
    contract = load_contract()
    client = settings["client"].value
    if not client:
        raise UsageError(
            "no client to judge: give --aepmock-client package.module:factory, "
            "or client in [tool.aepmock]"
        )
    if settings["connector"].value not in contract.connectors:
        raise unknown("connector", settings["connector"].value, contract.connectors)
    for path in settings["report"].value:
        check_path(Path(path))
    known = settings["known-failing"].value
    without = settings["without"].value
    return SuiteConfig(
        factory=load_factory(client, folder),
        client=client,
        clauses=frozenset(c.id for c in contract.select_clauses(settings["select"].value)),
        known_failing=read_known_failing(folder / known, contract.clauses) if known else {},
        door=settings["door"].value,
        seed=settings["seed"].value,
        examples=settings["examples"].value,
        connector=settings["connector"].value,
        descriptions="description" not in without,
        versions="version" not in without,
    )


def make_report(config: SuiteConfig, tally: Tally, *, started_at: str, duration_s: float) -> Report:
    """The verdict on every selected clause."""
    contract = load_contract()
    clauses = [clause for clause in contract.clauses.values() if clause.id in config.clauses]
    methods = {clause.id: method for clause in clauses if (method := needs(clause.id))}
    known = {k: v for k, v in config.known_failing.items() if k in config.clauses}
    return Report(
        kit=__version__,
        contract=contract.version,
        client=config.client,
        mode="mock",
        door=config.door,
        seed=config.seed,
        started_at=started_at,
        duration_s=duration_s,
        results=decide(clauses, tally, known, methods),
        waited_s=round(tally.waited_s, 2),
    )


def load_factory(target: str, folder: Path) -> Factory:
    """The factory named by "package.module:factory", looked for in `folder` too.

    Raises UsageError saying what is wrong.
    """
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
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
    own = getattr(module, "__name__", "")
    return [
        name
        for name, value in vars(module).items()
        if callable(value) and not name.startswith("_") and value.__module__ == own
    ]


def worlds(
    contract: Contract, choice: str, operations: Iterable[str]
) -> list[tuple[str, dict[str, str]]]:
    """The readings to run under, by a label: the default, and with "all" each other option.

    Only readings that one of the operations can notice; a test that names none is about
    something else than what the service answers. Raises UsageError for another choice.
    """
    operations = tuple(operations)
    found: list[tuple[str, dict[str, str]]] = [("default", {})]
    if choice == "default":
        return found
    if choice != "all":
        raise unknown("choice of readings", choice, ("default", "all"))
    for reading in contract.readings.values():
        if operations and reading.touches(operations):
            found += [
                (f"{reading.id}={option.id}", {reading.id: option.id})
                for option in reading.options[1:]
            ]
    return found
