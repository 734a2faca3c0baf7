"""What several commands take: a program after `--`, readings, faults, a seed."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from aepmock.faults.model import Fault

MET, BROKEN, MISUSE, INTERNAL_ERROR, INTERRUPTED = 0, 1, 2, 3, 130
"""Exit statuses."""
REPORT_IT = (
    "This is a bug in aepmock. Please report it on the project's issue tracker, with this output."
)


def add_seed(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="where made-up values come from"
    )


def add_reading(parser: argparse.ArgumentParser) -> None:
    about = "answer by another reading of the documentation (docs/readings.md)"
    parser.add_argument(
        "--reading", action="append", default=[], metavar="QUESTION=OPTION", help=about
    )


def add_fault(parser: argparse.ArgumentParser) -> None:
    about = "let something go wrong: 'connections.create: 503, 503' (docs/faults.md)"
    parser.add_argument("--fault", action="append", default=[], metavar="FAULT", help=about)


def faults(texts: Sequence[str]) -> tuple[Fault, ...]:
    """The faults of `--fault`. Raises UsageError for one that can't be read."""
    from aepmock.contract import load_contract
    from aepmock.faults.grammar import faults_of

    return faults_of(load_contract(), texts)


def console(*, stderr: bool = False) -> Console:
    """Where a command prints what is for people."""
    from rich.console import Console

    return Console(stderr=stderr, highlight=False, soft_wrap=False)
