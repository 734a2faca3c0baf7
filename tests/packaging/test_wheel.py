"""The artefact: what is in the wheel, and that it works in a clean environment and a foreign repo.

The environment is made once a session; it installs from the package index, as a user would.
"""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest

from aepmock import __version__

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = "aepmock.clients.reference:client"
pytestmark = pytest.mark.xdist_group("packaging")
KINDS = (".py", ".json", ".ini", ".cjs", ".html", ".css", ".js")


def run(*words: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(word) for word in words], cwd=cwd, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy without anything git does not know."""
    source = tmp_path_factory.mktemp("source")
    names = run("git", "ls-files", "-co", "--exclude-standard", cwd=ROOT).stdout.splitlines()
    for name in names:
        origin = ROOT / name
        if origin.is_file():
            target = source / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(origin.read_bytes())
    out = tmp_path_factory.mktemp("dist")
    built = run(sys.executable, "-m", "build", "--wheel", "-o", out, source, cwd=source)
    assert built.returncode == 0, built.stdout + built.stderr
    return next(out.glob("*.whl"))


@pytest.fixture(scope="session")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clean virtual environment with what the suite needs and xdist; its bin folder."""
    return installed_in(tmp_path_factory.mktemp("clean"), f"{wheel}[server]", "pytest-xdist")


@pytest.fixture(scope="session")
def plain(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clean virtual environment with the wheel and no extra; its bin folder."""
    return installed_in(tmp_path_factory.mktemp("plain"), str(wheel))


def installed_in(folder: Path, *packages: str) -> Path:
    home = folder / "venv"
    assert run(sys.executable, "-m", "venv", home, cwd=home.parent).returncode == 0
    bin_folder = home / "bin"
    installed = run(bin_folder / "python", "-m", "pip", "install", "-q", *packages, cwd=home)
    assert installed.returncode == 0, installed.stderr
    return bin_folder


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """Another project: strict, with a contract_tests folder of its own and odd file patterns."""
    (tmp_path / "pyproject.toml").write_text(
        "[tool.pytest.ini_options]\n"
        'addopts = ["--strict-markers", "--strict-config"]\n'
        'filterwarnings = ["error"]\n'
        f'[tool.aepmock]\nclient = "{REFERENCE}"\nexamples = 3\n'
    )
    own = tmp_path / "contract_tests"
    own.mkdir()
    (own / "__init__.py").write_text("")
    (own / "conftest.py").write_text("MINE = True\n")
    (own / "test_mine.py").write_text(
        "import httpx\n\n"
        "def test_mine(aepmock):\n"
        "    settings = aepmock.settings\n"
        "    answer = httpx.get(settings.base_url + '/connections', headers={\n"
        "        'Authorization': f'Bearer {settings.access_token}',\n"
        "        'x-api-key': settings.api_key,\n"
        "        'x-gw-ims-org-id': settings.ims_org_id,\n"
        "        'x-sandbox-name': settings.sandbox_name,\n"
        "    })\n"
        "    assert answer.json() == {'items': [], '_links': {}}\n"
    )
    return tmp_path


def test_the_wheel_holds_the_packages_and_nothing_else(wheel: Path) -> None:
    names = {n for n in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in n}
    wanted = set()
    for folder, package in (
        ("aepmock", "aepmock"),
        ("contract_tests", "aepmock/contract_tests"),
        ("fixtures", "aepmock/fixtures"),
    ):
        for path in (ROOT / folder).rglob("*"):
            known = path.suffix in KINDS or path.name == "py.typed"
            # The contract's data is shipped as it was compiled.
            source = (ROOT / "aepmock" / "contract" / "data") in path.parents
            if path.is_file() and known and not source and "__pycache__" not in path.parts:
                wanted.add(f"{package}/{path.relative_to(ROOT / folder).as_posix()}")
    assert names == wanted


def test_the_wheel_has_the_version_that_the_kit_tells(wheel: Path) -> None:
    (metadata,) = (n for n in zipfile.ZipFile(wheel).namelist() if n.endswith("/METADATA"))
    told = message_from_bytes(zipfile.ZipFile(wheel).read(metadata))
    assert told["Version"] == __version__


def test_judge_runs_from_the_wheel_in_an_empty_folder(environment: Path, tmp_path: Path) -> None:
    result = run(
        environment / "aepmock", "judge", REFERENCE, "--examples", "3", "--report", "out.json",
        cwd=tmp_path,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.rstrip().endswith("every must met")
    report = json.loads((tmp_path / "out.json").read_text())
    assert report["summary"]["met"] == len(report["clauses"])
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out.json"]


def test_a_fixture_installs_no_server(plain: Path, foreign: Path) -> None:
    lacking = "import importlib.util as u; print([bool(u.find_spec(n)) for n in %r])"
    names = ["uvicorn", "trustme", "cryptography"]
    found = run(plain / "python", "-c", lacking % names, cwd=foreign)
    assert found.stdout == "[False, False, False]\n"
    own = run(plain / "pytest", "-q", "contract_tests", cwd=foreign)
    assert own.returncode == 0, own.stdout + own.stderr
    judged = run(plain / "aepmock", "judge", REFERENCE, cwd=foreign)
    assert judged.returncode == 2
    assert judged.stderr.rstrip().endswith("python -m pip install 'aepmock[server]'")
    suite = run(plain / "pytest", "-q", "--pyargs", "aepmock.contract_tests", cwd=foreign)
    assert suite.returncode == 4
    assert "python -m pip install 'aepmock[server]'" in suite.stderr + suite.stdout
    looked_up = run(plain / "aepmock", "clauses", "connections.update.if-match", cwd=foreign)
    assert looked_up.returncode == 0, looked_up.stderr


def test_a_strict_foreign_project_runs_its_own_tests_and_the_suite(
    environment: Path, foreign: Path
) -> None:
    own = run(environment / "pytest", "-q", "-n", "2", cwd=foreign)
    assert own.returncode == 0, own.stdout + own.stderr
    suite = run(
        environment / "pytest", "-q", "-n", "2", "--pyargs", "aepmock.contract_tests", cwd=foreign
    )
    assert suite.returncode == 0, suite.stdout + suite.stderr
    both = run(
        environment / "pytest", "-q", "contract_tests", "--pyargs", "aepmock.contract_tests",
        cwd=foreign,
    )  # fmt: skip
    assert both.returncode == 0, both.stdout + both.stderr
    assert ".hypothesis" not in {p.name for p in foreign.iterdir()}


def test_a_foreign_project_that_does_not_use_it_is_left_alone(
    environment: Path, tmp_path: Path
) -> None:
    (tmp_path / "test_plain.py").write_text("def test_it():\n    pass\n")
    result = run(environment / "pytest", "-q", "-p", "no:cacheprovider", cwd=tmp_path)
    assert result.returncode == 0
    assert result.stdout.splitlines()[-1].startswith("1 passed")
    assert "aepmock" not in result.stdout


def test_assertions_of_the_judge_are_introspected_with_and_without_autoload(
    environment: Path, tmp_path: Path
) -> None:
    (tmp_path / "test_rewriting.py").write_text(
        "import sys\n\n"
        "def test_it():\n"
        "    import aepmock.judge.findings as module\n"
        "    assert '@pytest_ar' in vars(module)\n"
    )
    plain = run(environment / "pytest", "-q", cwd=tmp_path)
    assert plain.returncode == 0, plain.stdout
    named = run(
        "env", "PYTEST_DISABLE_PLUGIN_AUTOLOAD=1",
        environment / "pytest", "-q", "-p", "aepmock.pytest_plugin", cwd=tmp_path,
    )  # fmt: skip
    assert named.returncode == 0, named.stdout
