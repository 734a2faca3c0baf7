"""Makes the reference pages of docs/ from the contract: clauses, readings, errors, connectors."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from aepmock.contract import Clause, Contract, Source, load_contract

FAMILIES: Mapping[int, str] = {
    1: "Request line and headers",
    2: "What a create and an exploration send",
    3: "What the caller gets of an answer",
    4: "Pages, filters, counts",
    5: "Etags and updates",
    6: "Errors",
    7: "Retries and time",
    8: "Secrets",
    9: "Independence",
    10: "Lifecycle",
    11: "The protocol of a program",
}
_NOTICE = "<!-- Made by `make docs` from aepmock/contract; edit that, not this. -->"


def clauses_page(contract: Contract) -> str:
    """docs/clauses.md."""
    lines = [
        "# The clauses",
        "",
        _NOTICE,
        "",
        (
            f"{len(contract.clauses)} things the contract asks of a client, by family. A *must* "
            "that is broken fails a run; a *should* is reported. `aepmock clauses ID` shows one "
            "in the terminal."
        ),
        "",
    ]
    for family, title in FAMILIES.items():
        found = [c for c in contract.clauses.values() if c.family == family]
        if found:
            lines += [f"## {title}", ""]
            for clause in found:
                lines += _clause(clause, contract)
    return _page([*lines, *_sources(contract)])


def _clause(clause: Clause, contract: Contract) -> Iterable[str]:
    return (
        f"### {clause.id}",
        "",
        f"*{clause.grade}* · {_text(clause.text)}",
        "",
        f"- broken by: {_text(clause.breaks)}",
        f"- right: {_code(clause.right)}",
        f"- wrong: {_code(clause.wrong)}",
        f"- source: {_source(clause.source)}",
        "",
    )


def readings_page(contract: Contract) -> str:
    """docs/readings.md."""
    lines = [
        "# The readings",
        "",
        _NOTICE,
        "",
        (
            "What Adobe's documentation leaves open, or says in several ways. The mock answers by "
            "the first option unless told otherwise; a client has to live with every one. "
            "`aepmock judge --readings all` judges it under each, `--reading QUESTION=OPTION` of "
            "judge, observe, serve and proxy, and `aepmock.mock(readings={…})` choose one. "
            "[A live run](live.md) tells which of them a real service follows."
        ),
        "",
    ]
    for reading in contract.readings.values():
        lines += [f"## {reading.id}", "", _text(reading.question), ""]
        lines += ["| option | what happens | source |", "| --- | --- | --- |"]
        for number, option in enumerate(reading.options):
            name = f"`{option.id}`" + (" (default)" if number == 0 else "")
            lines.append(f"| {name} | {_cell(option.text)} | {_cell(_source(option.source))} |")
        lines += ["", *([_text(reading.note), ""] if reading.note else [])]
    return _page(lines)


def errors_page(contract: Contract) -> str:
    """docs/errors.md."""
    lines = [
        "# The refusals",
        "",
        _NOTICE,
        "",
        "## Why the mock refuses",
        "",
        (
            "The answer is Adobe's, untouched; `x-aepmock-clause` names the clause that the "
            "request broke, or the rule itself where it broke none."
        ),
        "",
        "| rule | when | code | clause | source |",
        "| --- | --- | --- | --- | --- |",
    ]
    for rule in contract.refusals.values():
        clause = f"`{rule.clause}`" if rule.clause else "–"
        cells = (f"`{rule.id}`", rule.when, f"`{rule.code}`", clause, _source(rule.source))
        lines.append("| " + " | ".join(map(_cell, cells)) + " |")
    lines += [
        "",
        "## The catalogue",
        "",
        (
            "Every code a client may meet. Names in braces are parameters; the envelope's "
            "`report` repeats them."
        ),
        "",
        "| code | status | shape | message | source |",
        "| --- | --- | --- | --- | --- |",
    ]
    for error in contract.errors.values():
        cells = (
            f"`{error.code}`",
            str(error.status),
            error.shape,
            error.message,
            _source(error.source),
        )
        lines.append("| " + " | ".join(map(_cell, cells)) + " |")
    return _page(lines)


def connectors_page(contract: Contract) -> str:
    """docs/connectors.md."""
    lines = ["# The connectors", "", _NOTICE, ""]
    for connector in contract.connectors.values():
        versions = ", ".join(connector.versions)
        lines += [
            f"## {connector.name} (`{connector.key}`)",
            "",
            f"{connector.category} · connection spec `{connector.spec_id}`, version {versions}",
            "",
        ]
        for spec in connector.auth:
            lines += [f"Auth spec `{spec.name}`:", ""]
            lines += ["| param | type | required | secret | what it is |"]
            lines += ["| --- | --- | --- | --- | --- |"]
            for param in spec.params:
                required = {True: "yes", False: "no", None: "not said"}[param.required]
                secret = "yes" if param.secret else "no"
                cells = (f"`{param.name}`", param.type, required, secret, param.about)
                lines.append("| " + " | ".join(map(_cell, cells)) + " |")
            lines.append("")
        lines += [f"- {_text(oddity)}" for oddity in connector.oddities]
        lines += [f"- source: {_source(connector.source)}", ""]
    return _page(lines)


PAGES: Mapping[str, Callable[[Contract], str]] = {
    "clauses.md": clauses_page,
    "readings.md": readings_page,
    "errors.md": errors_page,
    "connectors.md": connectors_page,
}


def stale(folder: Path) -> list[str]:
    """Names of pages that are not what the contract says now."""
    contract = load_contract()
    return [
        name
        for name, page in PAGES.items()
        if not (folder / name).is_file() or (folder / name).read_text("utf-8") != page(contract)
    ]


def main(argv: Sequence[str] | None = None) -> int:
    """Writes the pages; with --check only says which are stale, exit status 1 if any."""
    parser = argparse.ArgumentParser(prog="python -m tools.docs", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 if stale")
    arguments = parser.parse_args(argv)
    found = stale(arguments.folder)
    if arguments.check:
        for name in found:
            print(f"{arguments.folder / name} is stale: run make docs", file=sys.stderr)
        return int(bool(found))
    contract = load_contract()
    for name in found:
        (arguments.folder / name).write_text(PAGES[name](contract), "utf-8")
        print(f"wrote {arguments.folder / name}")
    return 0


def _sources(contract: Contract) -> list[str]:
    lines = ["## Sources", ""]
    for key, source in contract.sources.items():
        lines.append(f"- **{key}**: {_text(source['title'])}, {_text(source['at'])}")
    return lines


def _source(source: Source) -> str:
    return _text(str(source))


def _text(text: str) -> str:
    """Plain text for Markdown: what would mean something is escaped."""
    for character in "\\`*_<>[]":
        text = text.replace(character, "\\" + character)
    return text


def _code(text: str) -> str:
    fence = "``" if "`" in text else "`"
    return f"{fence}{text}{fence}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _page(lines: Iterable[str]) -> str:
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    raise SystemExit(main())
