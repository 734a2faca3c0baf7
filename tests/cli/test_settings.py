"""Where a setting may be set, and what beats what."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aepmock.errors import UsageError
from aepmock.settings import OPTIONS, Option, project_folder, resolve


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text("[tool.aepmock]\nseed = 4\n")
    return tmp_path


def ini(values: dict[str, str]) -> Callable[[Option], Any]:
    def look_up(option: Option) -> Any:
        return values.get(option.ini)

    return look_up


def test_each_place_beats_the_next(project: Path) -> None:
    places = [
        ({"seed": 1}, {"AEPMOCK_SEED": "2"}, {"aepmock_seed": "3"}, 1, "flag"),
        ({}, {"AEPMOCK_SEED": "2"}, {"aepmock_seed": "3"}, 2, "environment"),
        ({}, {}, {"aepmock_seed": "3"}, 3, "ini"),
        ({}, {}, {}, 4, "pyproject"),
    ]
    for flags, environment, values, wanted, origin in places:
        found = resolve(
            flags,
            environment=environment,
            ini=ini(values),
            project=project,
        )["seed"]
        assert (found.value, found.origin) == (wanted, origin)


def test_without_any_place_the_default_holds() -> None:
    found = resolve({}, environment={})
    assert {name: setting.value for name, setting in found.items()} == {
        name: option.default for name, option in OPTIONS.items()
    }


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"AEPMOCK_SEED": "x"}, "AEPMOCK_SEED: 'x' is not a whole number"),
        ({"AEPMOCK_SEED": "-1"}, "AEPMOCK_SEED: -1 is too small"),
        ({"AEPMOCK_STRICT": "maybe"}, "AEPMOCK_STRICT: 'maybe' is not true or false"),
        ({"AEPMOCK_TRANSPORT": "htpx"}, "did you mean 'httpx'"),
        ({"AEPMOCK_UNSUPPORTED_FIELDS": "descripton"}, "did you mean 'description'"),
    ],
)
def test_a_wrong_value_is_refused_with_its_place(environment: dict[str, str], message: str) -> None:
    with pytest.raises(UsageError) as refused:
        resolve({}, environment=environment)
    assert message in str(refused.value)


def test_of_a_client_and_a_program_the_one_from_the_stronger_place_is_judged() -> None:
    environment = {"AEPMOCK_CLIENT": "a:b"}
    found = resolve({"command": ["node", "c.mjs"]}, environment=environment)
    assert (found["command"].value, found["client"].value) == (("node", "c.mjs"), None)
    found = resolve({"client": "a:b"}, environment={"AEPMOCK_COMMAND": "node c.mjs"})
    assert (found["command"].value, found["client"].value) == ((), "a:b")
    with pytest.raises(UsageError, match="are both to be judged"):
        resolve({}, environment={**environment, "AEPMOCK_COMMAND": "node c.mjs"})


def test_a_pyproject_that_is_no_toml_is_refused(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool\n")
    with pytest.raises(UsageError, match="is no TOML"):
        resolve({}, environment={}, project=tmp_path)


def test_the_project_is_the_nearest_folder_with_a_pyproject(project: Path) -> None:
    below = project / "a" / "b"
    below.mkdir(parents=True)
    assert project_folder(below) == project
