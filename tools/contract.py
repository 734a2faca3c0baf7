"""Compiles the contract: `python -m tools.contract`; with --check it only says if that is stale."""

from __future__ import annotations

import sys
from pathlib import Path

import aepmock.contract
from aepmock.contract.compiler import compile_contract, render_contract
from aepmock.errors import ContractDataError

FOLDER = Path(aepmock.contract.__file__).parent
COMPILED = FOLDER / "compiled.json"


def main(arguments: list[str]) -> int:
    """0 when `compiled.json` is as `data/` has it; 1 for stale or wrong data."""
    if arguments not in ([], ["--check"]):
        print("usage: python -m tools.contract [--check]", file=sys.stderr)
        return 2
    try:
        text = render_contract(compile_contract(FOLDER / "data"))
    except ContractDataError as error:
        print(f"aepmock/contract/data: {error}", file=sys.stderr)
        return 1
    if arguments:
        fresh = COMPILED.is_file() and COMPILED.read_text("utf-8") == text
        print("" if fresh else "compiled.json is stale: make contract", end="" if fresh else "\n")
        return 0 if fresh else 1
    COMPILED.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
