"""The documentation: generated pages are fresh, recipes run, the README shows what is printed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from aepmock.contract import load_contract
from aepmock.docsmaking import main, stale

ROOT = Path(__file__).resolve().parents[2]

CLIENT = '''
import httpx
import pytest


class Conflict(Exception): ...
class StillInUse(Exception): ...
class Unauthorized(Exception): ...


class Client:
    """The client of the recipes."""

    def __init__(self, settings):
        self.settings = settings

    def send(self, method, path, **kwargs):
        settings = self.settings
        headers = {
            "Authorization": f"Bearer {settings.access_token}",
            "x-api-key": settings.api_key,
            "x-gw-ims-org-id": settings.ims_org_id,
            "x-sandbox-name": settings.sandbox_name,
            **kwargs.pop("headers", {}),
        }
        answer = httpx.request(method, settings.base_url + path, headers=headers, **kwargs)
        if answer.status_code == 401:
            raise Unauthorized
        return answer

    def rename(self, connection_id, etag, name):
        change = [{"op": "replace", "path": "/name", "value": name}]
        answer = self.send(
            "PATCH", f"/connections/{connection_id}", json=change, headers={"If-Match": etag}
        )
        if answer.status_code == 412:
            raise Conflict

    def connections(self):
        for _ in range(3):
            answer = self.send("GET", "/connections")
            if answer.status_code != 503:
                return answer.json()["items"]

    def delete(self, connection_id):
        if self.send("DELETE", f"/connections/{connection_id}").status_code == 400:
            raise StillInUse

    def patch_without_etag(self, connection_id):
        self.send("PATCH", "/connections/an%20id", json=[])
'''


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
    recipes = [b for b in blocks("docs/test-authors.md") if "def test_" in b and "..." not in b]
    recipes += [b for b in blocks("README.md") if "def test_" in b]
    assert len(recipes) >= 6
    for number, recipe in enumerate(recipes):
        pytester.makepyfile(**{f"test_recipe_{number}": CLIENT + "\n\n" + recipe})
    pytester.runpytest_subprocess("-q").assert_outcomes(passed=len(recipes))


def test_links_between_the_pages_lead_somewhere() -> None:
    for page in [ROOT / "README.md", ROOT / "ARCHITECTURE.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
            if not target.startswith("http"):
                assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_readme_shows_the_number_of_clauses_there_are() -> None:
    # The table is that of a client in Python; a program is asked some more.
    asked = [clause for clause in load_contract().clauses if not clause.startswith("driver.")]
    assert f"{len(asked)} clauses" in (ROOT / "README.md").read_text()
