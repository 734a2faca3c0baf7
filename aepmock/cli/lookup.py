"""What one looks up: clauses, connectors, settings, the contract as OpenAPI. Printed to stdout."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from aepmock.cli.arguments import console
from aepmock.errors import unknown
from aepmock.settings import project_folder, resolve

if TYPE_CHECKING:
    from rich.console import Console

    from aepmock.contract import Clause, Connector


def add_clauses(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of `aepmock clauses`."""
    parser.add_argument("pattern", nargs="?", metavar="PATTERN", help="such as connections.get.*")
    parser.set_defaults(command=clauses)


def add_connectors(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of `aepmock connectors`."""
    parser.add_argument("pattern", nargs="?", metavar="KEY", help="such as hubspot")
    parser.set_defaults(command=connectors)


def add_openapi(parser: argparse.ArgumentParser) -> None:
    """`aepmock openapi` has no arguments."""
    parser.set_defaults(command=openapi)


def add_config(parser: argparse.ArgumentParser) -> None:
    """`aepmock config` has no arguments."""
    parser.set_defaults(command=config)


def clauses(arguments: argparse.Namespace) -> int:
    """Lists clauses, or explains those that a pattern chooses."""
    from aepmock.contract import load_contract

    contract = load_contract()
    out = console()
    if arguments.pattern is None:
        _table(
            out,
            ("clause", "grade", "rule"),
            [(c.id, c.grade, c.text) for c in contract.clauses.values()],
        )
        return 0
    rules = [r for r in contract.refusals.values() if fnmatchcase(r.id, arguments.pattern)]
    found = [c for c in contract.clauses.values() if fnmatchcase(c.id, arguments.pattern)]
    if not rules and not found:
        raise unknown("clause", arguments.pattern, [*contract.clauses, *contract.refusals])
    for clause in found:
        _explain_clause(out, clause)
    for rule in rules:
        error = contract.errors[rule.code]
        _pairs(
            out,
            f"{rule.id} (a rule of the service)",
            [
                ("when", rule.when),
                ("answer", f"{error.status}, {error.code}"),
                ("clause", rule.clause or "none: such a request breaks no clause"),
                ("reading", rule.reading or ""),
                ("source", str(rule.source)),
            ],
        )
    return 0


def _explain_clause(out: Console, clause: Clause) -> None:
    _pairs(
        out,
        f"{clause.id} ({clause.grade})",
        [
            ("rule", clause.text),
            ("broken by", clause.breaks),
            ("right", clause.right),
            ("wrong", clause.wrong),
            ("source", str(clause.source)),
        ],
    )


def connectors(arguments: argparse.Namespace) -> int:
    """Lists connectors, or explains one."""
    from aepmock.contract import load_contract

    contract = load_contract()
    out = console()
    if arguments.pattern is None:
        rows = [(c.key, c.name, c.spec_id) for c in contract.connectors.values()]
        _table(out, ("key", "connector", "connection spec id"), rows)
        return 0
    if arguments.pattern not in contract.connectors:
        raise unknown("connector", arguments.pattern, contract.connectors)
    _explain_connector(out, contract.connectors[arguments.pattern])
    return 0


def _explain_connector(out: Console, connector: Connector) -> None:
    pairs = [
        ("category", connector.category),
        ("spec id", connector.spec_id),
        ("versions", ", ".join(connector.versions)),
    ]
    for spec in connector.auth:
        pairs.append(("auth spec", spec.name))
        for param in spec.params:
            words = [param.type, "required" if param.required else "optional"]
            words += ["secret"] if param.secret else []
            pairs.append(("  " + param.name, f"{', '.join(words)}: {param.about}"))
    pairs += [("tables", ", ".join(str(t["path"]) for t in connector.tables))]
    pairs += [("note", oddity) for oddity in connector.oddities]
    pairs += [("source", str(connector.source))]
    _pairs(out, f"{connector.name} ({connector.key})", pairs)


def openapi(arguments: argparse.Namespace) -> int:
    """Prints the contract as an OpenAPI document."""
    from aepmock.contract import load_contract
    from aepmock.contract.openapi import render_openapi

    sys.stdout.write(render_openapi(load_contract()))
    return 0


def config(arguments: argparse.Namespace) -> int:
    """Shows every setting of this folder."""
    folder = Path.cwd()
    settings = resolve({}, project=project_folder(folder))
    rows = []
    for name, setting in settings.items():
        value = setting.value
        shown = " ".join(value) if isinstance(value, tuple) else "" if value is None else str(value)
        rows.append((name, shown, setting.origin))
    _table(console(), ("setting", "value", "from"), rows)
    return 0


def _table(out: Console, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, show_edge=False)
    for number, name in enumerate(head):
        table.add_column(name, overflow="fold", no_wrap=number == 0)
    for row in rows:
        table.add_row(*map(Text, row))
    out.print(table)


def _pairs(out: Console, title: str, pairs: Sequence[tuple[str, str]]) -> None:
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, show_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in pairs:
        if value:
            table.add_row(Text(name), Text(value))
    out.print(Text(title))
    out.print(Padding(table, (0, 0, 1, 2)))
