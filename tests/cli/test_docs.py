"""The documentation: generated pages are fresh, recipes run, the README shows what is printed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from aepmock.contract import load_contract
from tools.docs import main, stale

ROOT = Path(__file__).resolve().parents[2]

README_IMPORTS = """
import pytest
from client import Client, Failed as Conflict
"""


def blocks(page: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)


def test_the_generated_pages_are_fresh() -> None:
    assert stale(ROOT / "docs") == []


def test_a_stale_page_fails_the_check_and_is_made_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path), "--check"]) == 1
    assert "clauses.md is stale: run make docs" in capsys.readouterr().err
    assert main([str(tmp_path)]) == 0
    assert main([str(tmp_path), "--check"]) == 0


def test_every_clause_reading_and_error_stands_in_the_docs() -> None:
    contract = load_contract()
    for page, names in (
        ("clauses.md", contract.clauses),
        ("readings.md", contract.readings),
        ("errors.md", contract.errors),
    ):
        text = (ROOT / "docs" / page).read_text()
        assert [name for name in names if name not in text] == []


def test_the_recipes_run(pytester: pytest.Pytester) -> None:
    """As a reader would copy them: the client as client.py, each recipe as a file of its own."""
    found = blocks("docs/test-authors.md")
    (client,) = (block for block in found if block.startswith("# client.py"))
    recipes = [block for block in found if "def test_" in block and "..." not in block]
    assert len(recipes) >= 12
    readme = [block for block in blocks("README.md") if "def test_" in block]
    pytester.makepyfile(client=client)
    for number, recipe in enumerate(recipes):
        pytester.makepyfile(**{f"test_recipe_{number:02}": recipe})
    for number, recipe in enumerate(readme):
        pytester.makepyfile(**{f"test_readme_{number}": README_IMPORTS + recipe})
    result = pytester.runpytest_subprocess("-q")
    outcomes = result.parseoutcomes()
    assert set(outcomes) == {"passed"}
    # Several are parametrized, none is left out.
    assert outcomes["passed"] > len(recipes) + len(readme)


def test_links_between_the_pages_lead_somewhere() -> None:
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
            if not target.startswith("http"):
                assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_files_that_the_architecture_names_exist() -> None:
    named = re.findall(r"`((?:\w+/)*\w+(?:\.py|\.toml|/))`", (ROOT / "ARCHITECTURE.md").read_text())
    assert len(named) > 40
    folders = (ROOT, ROOT / "aepmock", ROOT / "aepmock/contract/data")
    missing = [name for name in named if not any((folder / name).exists() for folder in folders)]
    assert missing == []


def test_what_the_pages_have_made_can_be_made() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    pages = "".join(path.read_text() for path in ROOT.glob("*.md"))
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", pages, re.MULTILINE))
    assert {"judge", "test", "lint"} <= named <= targets


def test_the_readme_shows_the_number_of_clauses_there_are() -> None:
    # The table is that of a client in Python; a program is asked some more.
    asked = [clause for clause in load_contract().clauses if not clause.startswith("program.")]
    assert f"{len(asked)} clauses" in (ROOT / "README.md").read_text()
