"""What a mutant is, and the decorator by which one signs in."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from aepmock.client_api import ClientSettings

Factory = Callable[[ClientSettings], Any]
Made = TypeVar("Made", bound=Factory)


@dataclass(frozen=True)
class Mutant:
    """A client with one fault.

    `clause` is what it must be convicted of; `also` are other musts that the fault truly breaks;
    `transport` is how its requests reach the mock.
    """

    name: str
    clause: str
    also: frozenset[str]
    factory: Factory
    transport: str = "auto"

    @property
    def target(self) -> str:
        """The mutant as aepmock judge takes it: "tests.mutants.creating:strips_the_name"."""
        return target_of(self.factory)


@dataclass(frozen=True)
class CorrectClient:
    """A client that must not be accused of anything, with its transport."""

    target: str
    transport: str = "auto"


_MUTANTS: list[Mutant] = []
_CORRECT: list[CorrectClient] = []


def breaks(
    clause: str, *, also: Iterable[str] = (), transport: str = "auto"
) -> Callable[[Made], Made]:
    """Registers a client that breaks a clause; the name of the class is the name of its fault."""

    def register(factory: Made) -> Made:
        _MUTANTS.append(Mutant(_name(factory), clause, frozenset(also), factory, transport))
        return factory

    return register


def correct(*, transport: str = "auto") -> Callable[[Made], Made]:
    """Registers a client that is right, however odd it looks."""

    def register(factory: Made) -> Made:
        _CORRECT.append(CorrectClient(target_of(factory), transport))
        return factory

    return register


def target_of(factory: Factory) -> str:
    """A factory as package.module:name."""
    return f"{factory.__module__}:{_name(factory)}"


def found() -> tuple[tuple[Mutant, ...], tuple[CorrectClient, ...]]:
    """All that signed in, in the order in which they stand."""
    return tuple(_MUTANTS), tuple(_CORRECT)


def _name(factory: Factory) -> str:
    return str(getattr(factory, "__qualname__", factory))
