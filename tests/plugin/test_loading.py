"""What the plugin costs those who have it installed and do not use it."""

from __future__ import annotations

import pytest

HEAVY = ("httpx", "respx", "hypothesis", "requests", "jsonschema", "uvicorn", "rich", "responses")

LOOKS = f"""
import sys

def test_nothing_heavy_was_imported():
    assert "aepmock.pytest_plugin" in sys.modules
    assert [name for name in {HEAVY!r} if name in sys.modules] == []
"""


def run(pytester: pytest.Pytester, *arguments: str, **variables: str) -> pytest.RunResult:
    for name, value in {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", **variables}.items():
        pytester._monkeypatch.setenv(name, value)  # the way pytester itself sets variables
    return pytester.runpytest_subprocess("-q", *arguments)


def test_loading_the_plugin_imports_nothing_heavy(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(LOOKS)
    # Other plugins of this environment import what they like; only ours is loaded here.
    run(pytester, "-p", "aepmock.pytest_plugin").assert_outcomes(passed=1)


def test_the_entry_point_loads_the_plugin(pytester: pytest.Pytester) -> None:
    result = pytester.runpytest_subprocess("--markers")
    result.stdout.fnmatch_lines(["@pytest.mark.aepmock(strict=True*"])


def test_a_project_that_does_not_use_it_sees_nothing_of_it(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_it():\n    pass\n")
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    result.assert_outcomes(passed=1)
    assert "aepmock:" not in result.stdout.str()
    assert "= aepmock =" not in result.stdout.str()
    left = {p.name for p in pytester.path.iterdir() if not p.name.startswith("runpytest-")}
    ours = {"__pycache__", "stdout", "stderr"}  # pytest's and pytester's own
    assert left - ours == {f"{pytester._name}.py"}


def test_it_can_be_switched_off(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_it(aepmock):\n    pass\n")
    result = pytester.runpytest_subprocess("-p", "no:aepmock")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*fixture 'aepmock' not found*"])


@pytest.mark.parametrize("mode", ["prepend", "importlib"])
def test_fixtures_work_in_every_import_mode(pytester: pytest.Pytester, mode: str) -> None:
    pytester.makepyfile("def test_it(aepmock):\n    assert aepmock.connections == []\n")
    pytester.runpytest_subprocess("-q", f"--import-mode={mode}").assert_outcomes(passed=1)
