"""What a run of the suite is about: the client, the clauses, the readings."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Protocol

from aepmock import __version__
from aepmock.clients.driver import Factory, Person, interruptible, staying
from aepmock.clients.places import place_of_error
from aepmock.contract import Contract, load_contract
from aepmock.errors import UsageError, unknown
from aepmock.judge import Report, Tally, decide
from aepmock.judge.checks import needs, why_idle
from aepmock.judge.known_failures import read_known_failing
from aepmock.reports import check_path
from aepmock.settings import Setting, readings_of
from aepmock.suite.first_calls import FirstCalls
from aepmock.suite.programs import ProgramRun, check_command
from aepmock.suite.shrinking import Spending

if TYPE_CHECKING:
    from aepmock.suite.harness import ClientHarness


class RealService(Protocol):
    """What a run judges against instead of the mock: whoever begins such a run hands it in."""

    @property
    def takes_invalid(self) -> bool:
        """Whether tests may send it requests that it is to refuse."""

    def harness(self, config: SuiteConfig, name: str) -> ClientHarness:
        """The harness for one test."""

    def reported(self, report: Report, tally: Tally) -> Report:
        """The report, with what is to be said of this service."""


@dataclass(frozen=True)
class SuiteConfig:
    """What a run is about; `clauses` are the selected ids, `select` the patterns that did it.

    `readings` are those asked for besides "all": they hold in every test, the others vary.
    `program` is what is judged where that is no object of Python; `real_service` is
    None for a run on the mock; `spending` is shared by all tests.
    """

    factory: Factory
    client: str
    clauses: frozenset[str]
    known_failing: Mapping[str, str] = field(default_factory=dict)
    transport: str = "auto"
    seed: int = 0
    examples: int = 25
    connector: str = "hubspot"
    descriptions: bool = True
    versions: bool = True
    select: tuple[str, ...] = ()
    readings: Mapping[str, str] = field(default_factory=dict)
    program: ProgramRun | None = None
    real_service: RealService | None = None
    first: FirstCalls = field(default_factory=FirstCalls, compare=False)
    spending: Spending = field(default_factory=Spending, compare=False)

    @property
    def judged(self) -> frozenset[str]:
        """The clauses to look at: some are always of interest."""
        clauses = self.clauses | ALWAYS
        return clauses | program_clauses() if self.program else clauses

    @property
    def idle(self) -> str:
        """Why nothing put a clause to the test, where there is a reason for all."""
        if self.spending.given_up:
            return f"the client was not asked any more: {self.spending.given_up}"
        given_up = self.program.given_up if self.program else ""
        return f"the program was not asked: {given_up}" if given_up else ""

    @property
    def name(self) -> str:
        """What the client is called in a report."""
        return self.program.name if self.program else self.client


ALWAYS = frozenset({"answers.good", "answers.exit"})
"""Clauses without which the others mean nothing: shown where they are broken."""


def program_clauses() -> frozenset[str]:
    """The clauses that are asked of programs only."""
    return frozenset(c for c in load_contract().clauses if c.startswith("program."))


def make_config(
    settings: Mapping[str, Setting], *, folder: Path, listener: socket.socket | None = None
) -> SuiteConfig:
    """What the settings ask for; `folder` is where relative files and modules are looked for.

    `listener` is where a program is waited for that a person starts. Raises UsageError for
    everything that would only fail later.
    """
    contract = load_contract()
    client, command = settings["client"].value, settings["command"].value
    transport = settings["transport"].value
    program = None
    if command or listener is not None:
        program = _program(command, listener, transport, folder)
        transport = "server"
    elif not client:
        raise UsageError(
            "no client to judge: give --aepmock-client package.module:factory, "
            "or client in [tool.aepmock]"
        )
    if settings["connector"].value not in contract.connectors:
        raise unknown("connector", settings["connector"].value, contract.connectors)
    for path in settings["report"].value:
        check_path(Path(path))
    readings = readings_of(settings["reading"].value)
    contract.resolve_readings(readings)
    known = settings["known-failing"].value
    without = settings["unsupported-fields"].value
    return SuiteConfig(
        factory=program.program.client if program else load_factory(client, folder),
        client=program.name if program else client,
        clauses=_selected(settings["select"].value, is_program=program is not None),
        known_failing=read_known_failing(folder / known, contract.clauses) if known else {},
        transport=transport,
        seed=settings["seed"].value,
        examples=settings["examples"].value,
        connector=settings["connector"].value,
        descriptions="description" not in without,
        versions="version" not in without,
        select=tuple(settings["select"].value),
        readings=readings,
        program=program,
    )


def _program(
    command: Sequence[str], listener: socket.socket | None, transport: str, folder: Path
) -> ProgramRun:
    if transport not in ("auto", "server"):
        raise UsageError(
            f"--transport {transport} is for clients written in Python; a program is judged "
            "through the server transport: leave --transport out"
        )
    if listener is None:
        check_command(command, folder)
    return ProgramRun(command, listener)


def _selected(patterns: Sequence[str], *, is_program: bool) -> frozenset[str]:
    found = frozenset(c.id for c in load_contract().select_clauses(patterns))
    if is_program:
        return found
    if found <= program_clauses():
        raise UsageError(
            f"{', '.join(patterns)} is asked of programs only, as in "
            "aepmock judge -- node client.mjs"
        )
    return found - program_clauses()


def make_report(
    config: SuiteConfig, tally: Tally, *, started_at: str, duration_s: float, cut_short: str = ""
) -> Report:
    """The verdict on every selected clause; `cut_short` says why not all was done."""
    contract = load_contract()
    shown = config.clauses | (config.judged & tally.findings.keys())
    clauses = [clause for clause in contract.clauses.values() if clause.id in shown]
    methods = {clause.id: method for clause in clauses if (method := needs(clause.id))}
    known = {k: v for k, v in config.known_failing.items() if k in shown}
    results = decide(
        clauses, tally, known, methods, idle=config.idle or _before(cut_short), why_idle=why_idle
    )
    report = Report(
        kit=__version__,
        contract=contract.version,
        client=config.name,
        mode="mock",
        transport=config.transport,
        seed=config.seed,
        started_at=started_at,
        duration_s=duration_s,
        results=results,
        waited_s=round(tally.waited_s, 2),
        not_imitated=tally.not_imitated,
        cut_short=cut_short,
        refused=_refused(tally),
        reading=DEFAULT if config.real_service else label(config.readings),
    )
    return config.real_service.reported(report, tally) if config.real_service else report


def _before(cut_short: str) -> str:
    return f"the run ended before: {cut_short}" if cut_short else ""


def _refused(tally: Tally) -> str:
    """The status with which the service refused everything, as text; empty where it did not."""
    statuses = [status for status, number in tally.statuses.items() if number]
    return statuses[0] if len(statuses) == 1 and statuses[0][0] in "45" else ""


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
    module = _imported(target, module_name)
    factory = module
    for part in name.split("."):
        if not hasattr(factory, part):
            raise unknown(f"name in {module_name}", name, _callables(module))
        factory = getattr(factory, part)
    if not callable(factory):
        raise UsageError(f"{target} is a {type(factory).__name__}; it must be a function or class")
    return factory


def _imported(target: str, name: str) -> ModuleType:
    """The module, or a UsageError with the line that is in its way; also where that ends us."""
    person = Person()
    try:
        with interruptible() as person, staying():
            return import_module(name)
    except BaseException as error:
        if person.interrupted:
            raise
        what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        if isinstance(error, SystemExit):
            what = f"it ends the program ({what})"
        elif isinstance(error, ImportError):
            what = str(error)
        place = place_of_error(error)
        said = " ".join((f"{place}: {what}" if place else what).split())
        raise UsageError(f"the client {target!r} can't be imported: {said}") from error


def _callables(module: object) -> list[str]:
    own = getattr(module, "__name__", "")
    return [
        name
        for name, value in vars(module).items()
        if callable(value) and not name.startswith("_") and value.__module__ == own
    ]


DEFAULT = "default"


def reading_variants(
    contract: Contract,
    choice: str,
    operations: Iterable[str],
    chosen: Mapping[str, str] | None = None,
) -> list[tuple[str, dict[str, str]]]:
    """The readings to run under, by a label: the chosen, and with "all" each other option.

    `chosen` answers questions that are not varied then. Only readings that one of the operations
    can notice; a test that names none is about something else than what the service answers.
    Raises UsageError for another choice.
    """
    operations, fixed = tuple(operations), dict(chosen or {})
    found = [fixed]
    if choice not in (DEFAULT, "all"):
        raise unknown("choice of readings", choice, (DEFAULT, "all"))
    for reading in contract.readings.values() if choice == "all" and operations else ():
        if reading.id not in fixed and reading.touches(operations):
            found += [{**fixed, reading.id: option.id} for option in reading.options[1:]]
    return [(label(readings), readings) for readings in found]


def label(readings: Mapping[str, str]) -> str:
    """What is not the default of some readings: "connections.delete-status=202", or "default"."""
    return load_contract().label_of(readings)
