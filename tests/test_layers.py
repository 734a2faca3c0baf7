"""Who may import whom, and who may reach the world outside: ARCHITECTURE.md, held to the code."""

from __future__ import annotations

import ast
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
KIT = ROOT / "aepmock"
SUITE = ROOT / "contract_tests"

LAYERS: dict[str, int] = {
    **dict.fromkeys(
        (f"aepmock.{word}" for word in ("errors", "messages", "client_api", "clock", "net")), 0
    ),
    "aepmock.contract": 1,
    "aepmock.redaction": 1,
    **dict.fromkeys(
        (
            f"aepmock.{folder}"
            for folder in (
                "service", "faults", "judge", "transports", "strategies", "clients", "reports",
            )
        ),
        2,
    ),
    **dict.fromkeys(
        (
            f"aepmock.{arrangement}"
            for arrangement in (
                "__main__", "cli", "live", "mocks", "plugin", "pytest_plugin", "server",
                "settings", "suite",
            )
        ),
        3,
    ),
    "aepmock": 3,
}  # fmt: skip
"""Every module of the kit, by itself or by its package."""

ACROSS_A_LAYER = {
    # What is a secret of a connector, and what is public, is the contract's to say.
    ("aepmock.redaction", "aepmock.contract"),
    # Faults are put into answers of the service, so they speak its words.
    ("aepmock.faults", "aepmock.service"),
}
"""Which package may import a sibling of its own layer below layer 3."""

LIBRARIES: dict[str, set[str]] = {
    "aepmock.contract": {"jsonschema", "referencing"},
    "aepmock.service": {"jsonpatch", "jsonpointer"},
    "aepmock.strategies": {"hypothesis"},
    # Watched, where someone else uses it; never needed.
    "aepmock.transports.guard": {"pycares"},
    "aepmock.transports.httpx": {"httpx", "respx"},
    "aepmock.transports.httpx2": {"httpx2"},
    "aepmock.transports.delivery": {"anyio"},
    "aepmock.transports.requests": {"requests", "responses"},
    "aepmock.transports.urllib3_pool": {"urllib3"},
    # h11 is what uvicorn itself reads requests with.
    "aepmock.transports.server": {"uvicorn"},
    "aepmock.transports.server_protocol": {"uvicorn", "h11"},
    "aepmock.transports.proxy": {"trustme", "uvicorn"},
    "aepmock.transports.tls": {"trustme"},
    "aepmock.clients.reference": {"httpx"},
    "aepmock.clients.reference_messages": {"httpx"},
    "aepmock.reports": {"rich"},
}
"""Third parties below layer 3; whoever is not named has none."""
ARRANGEMENT_LIBRARIES = {
    "pytest",
    "hypothesis",
    "rich",
    "httpx",
    "certifi",
    "cryptography",
    "filelock",
    "trustme",
    "uvicorn",
}

SUITE_MAY = {"aepmock", "aepmock.suite", "aepmock.strategies", "pytest", "hypothesis"}
SUITE_EXCEPTIONS = {
    # The options of a run are the plugin's; conftest hands them to the tests.
    ("contract_tests.conftest", "aepmock.pytest_plugin"),
}

OUTSIDE_MODULES = {
    "asyncio.subprocess", "datetime", "io", "os", "random", "secrets", "shutil", "socket",
    "subprocess", "tempfile", "time", "uuid",
}  # fmt: skip
OUTSIDE_CALLS = {"open", "input", "print"}
OUTSIDE_METHODS = {"open", "read_text", "write_text", "read_bytes", "write_bytes"}
ALLOWED_OUTSIDE: dict[tuple[str, str], str] = {
    ("aepmock.clock", "time"): "is the real time, where a mock is to have that",
    ("aepmock.contract.compiler", "read_text"): "reads what people write, to compile it",
    ("aepmock.contract.loading", "read_text"): "reads the package's own data, once",
    ("aepmock.service.ids", "random"): "Random with a seed, the source of all names",
    ("aepmock.transports.delivery", "time"): "really waits where a caller's timeout may be running",
    ("aepmock.transports.guard", "socket"): "watches who connects",
    ("aepmock.transports.server", "socket"): "is a server",
    ("aepmock.transports.server_protocol", "socket"): "names the option by which a socket is reset",
    ("aepmock.transports.urllib3_pool", "io"): "gives octets from memory to http.client",
    ("aepmock.transports.proxy", "socket"): "is a server that leads to another",
    ("aepmock.transports.tls", "tempfile"): "keeps the CA that clients are to trust in a file",
    ("aepmock.clients.program.pipes", "os"): "reads from and writes to a program that it started",
    ("aepmock.clients.program.pipes", "socket"): "names the type of a connection",
    ("aepmock.clients.program.pipes", "subprocess"): "starts a program",
    ("aepmock.clients.driver", "os"): "takes os._exit away from a module that is imported",
    ("aepmock.clients.driver", "time"): "says how long a call really took",
    ("aepmock.clients.surroundings", "os"): "goes back to the folder that a client left",
    ("aepmock.clients.surroundings", "socket"): "looks at the default timeout of sockets",
    (
        "aepmock.judge.known_failures",
        "read_text",
    ): "reads the file of known failures that it is given",
    ("aepmock.reports", "open"): "writes the report to the file that it is given",
    ("aepmock.reports", "os"): "puts a finished report in the place of an older one at once",
}
"""What reaches outside below layer 3, and why it may."""

TYPING_ACROSS_LAYERS = {("aepmock.reports", "aepmock.judge")}
"""Imports for annotations only that would break a layer at run time: a report's type."""


@dataclass(frozen=True)
class Import:
    """An import anywhere in a module; `name` is a module or a name in one."""

    module: str
    target: str
    name: str
    line: int
    typing_only: bool

    def __str__(self) -> str:
        return f"{self.module}:{self.line} imports {self.name}"


@cache
def modules(folder: Path, package: str) -> tuple[tuple[str, ast.Module], ...]:
    found = []
    for path in sorted(folder.rglob("*.py")):
        parts = [package, *path.relative_to(folder).with_suffix("").parts]
        name = ".".join(parts).removesuffix(".__init__")
        found.append((name, ast.parse(path.read_text("utf-8"), str(path))))
    return tuple(found)


class _Reader(ast.NodeVisitor):
    def __init__(self, module: str) -> None:
        self.module = module
        self.found: list[Import] = []
        self._typing = False

    def visit_If(self, node: ast.If) -> None:
        before = self._typing
        self._typing = before or ast.unparse(node.test).endswith("TYPE_CHECKING")
        for child in node.body:
            self.visit(child)
        self._typing = before
        for child in node.orelse:
            self.visit(child)

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self._add(alias.name, alias.name, node.lineno)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        base = "." * node.level + (node.module or "")
        for alias in node.names:
            self._add(base, f"{base}.{alias.name}", node.lineno)

    def visit_Call(self, node: ast.Call) -> None:
        # importlib.import_module and __import__ with a text that is written out.
        called = ast.unparse(node.func).rpartition(".")[2]
        if called in ("import_module", "__import__") and node.args:
            text = node.args[0]
            if isinstance(text, ast.Constant) and isinstance(text.value, str):
                self._add(text.value, text.value, node.lineno)
        self.generic_visit(node)

    def _add(self, target: str, name: str, line: int) -> None:
        self.found.append(Import(self.module, target, name, line, self._typing))


@cache
def imports(folder: Path, package: str) -> tuple[Import, ...]:
    found: list[Import] = []
    for name, tree in modules(folder, package):
        reader = _Reader(name)
        reader.visit(tree)
        found += reader.found
    return tuple(found)


def home(name: str) -> str | None:
    """The entry of LAYERS that a module, or a name in one, belongs to."""
    while name:
        if name in LAYERS:
            return name
        name = name.rpartition(".")[0]
    return None


def layer_of(module: str) -> tuple[int, str] | None:
    """A module's layer and its home in it; the bare package stands for nothing below it."""
    found = home(module)
    if found is None or (found == "aepmock" and module != "aepmock"):
        return None
    return LAYERS[found], found


def breaks(one: Import) -> bool:
    """Whether an import of the kit reaches above or beside its layer."""
    if one.target.startswith("."):
        return True
    mine = layer_of(one.module)
    assert mine is not None, f"{one.module} is in no layer"
    top = one.target.partition(".")[0]
    if top == "aepmock":
        # `from aepmock import contract` names a module; `from aepmock import mock` the package.
        other = layer_of(one.name) or layer_of(one.target) or (3, one.target)
        if other[1] == mine[1] or (mine[1], other[1]) in ACROSS_A_LAYER:
            return False
        return other[0] > mine[0] or other[0] == mine[0] in (1, 2)
    if top in sys.stdlib_module_names:
        return False
    if mine[0] == 3:
        return top not in ARRANGEMENT_LIBRARIES
    allowed = LIBRARIES.get(one.module, set()) | LIBRARIES.get(mine[1], set())
    return top not in allowed


def test_every_module_is_in_a_layer() -> None:
    lost = [name for name, _ in modules(KIT, "aepmock") if layer_of(name) is None]
    assert lost == []


def test_no_layer_is_listed_that_is_not_there() -> None:
    there = {name for name, _ in modules(KIT, "aepmock")}
    assert set(LAYERS) - there == set()
    assert set(LIBRARIES) - there == set()


def test_no_import_breaks_a_layer() -> None:
    broken = [str(i) for i in imports(KIT, "aepmock") if not i.typing_only and breaks(i)]
    assert broken == []


def test_imports_for_annotations_that_cross_layers_are_known() -> None:
    crossing = {
        (home(i.module), home(i.target))
        for i in imports(KIT, "aepmock")
        if i.typing_only and i.module != "aepmock" and breaks(i)
    }
    assert crossing == TYPING_ACROSS_LAYERS


def part_of(module: str) -> str:
    """The folder or the module right below aepmock/ that a module belongs to."""
    return ".".join(module.split(".")[:2])


def circles(edges: dict[str, set[str]]) -> list[list[str]]:
    """The groups of parts that import each other, however far round."""
    reached: dict[str, set[str]] = {}
    for start in edges:
        seen: set[str] = set()
        ahead = [*edges[start]]
        while ahead:
            part = ahead.pop()
            if part not in seen:
                seen.add(part)
                ahead += edges.get(part, set())
        reached[start] = seen
    groups = {
        tuple(sorted(o for o in there if p in reached.get(o, set())))
        for p, there in reached.items()
        if p in there
    }
    return [list(group) for group in sorted(groups)]


def part_imports(*, typing: bool = False) -> dict[str, set[str]]:
    """Which parts of aepmock/ import which others, also inside functions."""
    names = {name for name, _ in modules(KIT, "aepmock")}
    edges: dict[str, set[str]] = {}
    for one in imports(KIT, "aepmock"):
        target = one.name if one.name in names else one.target
        # The package itself hands out public names, and imports nothing until asked for one.
        if target not in names or "aepmock" in (target, one.module):
            continue
        if (typing or not one.typing_only) and part_of(one.module) != part_of(target):
            edges.setdefault(part_of(one.module), set()).add(part_of(target))
    return edges


def test_no_parts_of_the_kit_import_each_other() -> None:
    assert circles(part_imports()) == []


def test_the_suite_knows_nothing_of_live_runs() -> None:
    assert "aepmock.live" not in part_imports(typing=True)["aepmock.suite"]


def test_a_circle_is_noticed() -> None:
    chain = {"a": {"b"}, "b": {"c"}, "c": {"d"}}
    assert circles(chain) == []
    assert circles({**chain, "d": {"b"}}) == [["b", "c", "d"]]
    assert circles({**chain, "b": {"a", "c"}}) == [["a", "b"]]


def test_few_modules_stand_beside_the_folders() -> None:
    assert len(list(KIT.glob("*.py"))) <= 9


def test_no_module_is_long() -> None:
    lines = {p: len(p.read_text("utf-8").splitlines()) for p in KIT.rglob("*.py")}
    assert [str(p.relative_to(KIT)) for p, number in lines.items() if number > 400] == []


def test_every_folder_is_shipped() -> None:
    told = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]
    folders = {p.parent.relative_to(ROOT).as_posix() for p in KIT.rglob("__init__.py")}
    assert {f.replace("/", ".") for f in folders} - set(told["packages"]) == set()


def test_the_suite_imports_public_names_only() -> None:
    broken = []
    for one in imports(SUITE, "contract_tests"):
        top = one.target.partition(".")[0]
        if top in sys.stdlib_module_names or {top, one.target, home(one.target)} & SUITE_MAY - {
            "aepmock"
        }:
            continue
        if one.target == "aepmock" or (one.module, one.target) in SUITE_EXCEPTIONS:
            continue
        broken.append(str(one))
    assert broken == []


def reaching_outside() -> Iterator[tuple[str, str, int]]:
    """Modules below layer 3 that use what only a port may give: module, what, line."""
    for one in imports(KIT, "aepmock"):
        layer = layer_of(one.module)
        if layer and layer[0] < 3 and not one.typing_only:
            for outside in OUTSIDE_MODULES:
                if one.target == outside or one.target.startswith(f"{outside}."):
                    yield one.module, outside, one.line
    for name, tree in modules(KIT, "aepmock"):
        layer = layer_of(name)
        if layer is None or layer[0] == 3:
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                owner, _, called = ast.unparse(node.func).rpartition(".")
                if called in (OUTSIDE_METHODS if owner else OUTSIDE_CALLS):
                    yield name, called, node.lineno


def test_nothing_below_the_third_layer_reaches_outside_without_a_reason() -> None:
    found = {(module, what): line for module, what, line in reaching_outside()}
    unexplained = [
        f"{m}:{n} uses {w}" for (m, w), n in found.items() if (m, w) not in ALLOWED_OUTSIDE
    ]
    assert unexplained == []
    assert set(ALLOWED_OUTSIDE) - set(found) == set(), "no longer needed"


def test_the_engine_takes_nothing_from_random_but_a_seeded_generator() -> None:
    taken = {i.name for i in imports(KIT, "aepmock") if i.target == "random"}
    assert taken == {"random.Random"}
    tree = dict(modules(KIT, "aepmock"))["aepmock.service.ids"]
    made = [
        n for n in ast.walk(tree) if isinstance(n, ast.Call) and ast.unparse(n.func) == "Random"
    ]
    assert made
    assert all(call.args for call in made)


@pytest.mark.parametrize(
    ("module", "source", "broken"),
    [
        ("aepmock.messages", "from aepmock.contract import load_contract", True),
        ("aepmock.messages", "import json", False),
        ("aepmock.client_api", "from aepmock.errors import UsageError", False),
        ("aepmock.contract.model", "def f():\n    from aepmock.service import x", True),
        ("aepmock.contract.model", "import httpx", True),
        ("aepmock.redaction.redactor", "from aepmock.judge import x", True),
        ("aepmock.contract.model", "from aepmock.redaction import x", True),
        ("aepmock.faults.apply", "from aepmock.service import x", False),
        ("aepmock.service.engine", "from aepmock.faults.model import Fault", True),
        ("aepmock.faults.apply", "from aepmock.judge import x", True),
        ("aepmock.contract.model", "from aepmock.messages import Request", False),
        ("aepmock.judge.checks.urls", "import aepmock.service.engine", True),
        ("aepmock.judge.checks.urls", "from aepmock import service", True),
        ("aepmock.judge.checks.urls", "from aepmock import mock", True),
        ("aepmock.judge.checks.urls", "from aepmock.judge.findings import x", False),
        ("aepmock.judge.checks.urls", "from ..findings import x", True),
        ("aepmock.transports.httpx", "import requests", True),
        ("aepmock.transports.httpx", "import respx", False),
        ("aepmock.transports.guard", "import respx", True),
        ("aepmock.service.engine", "__import__('aepmock.judge')", True),
        ("aepmock.cli.main", "from aepmock.service import FlowService", False),
        ("aepmock.cli.main", "import numpy", True),
        ("aepmock.suite.harness", "from aepmock.pytest_plugin import x", False),
    ],
)
def test_a_layer_that_is_broken_is_noticed(module: str, source: str, broken: bool) -> None:
    reader = _Reader(module)
    reader.visit(ast.parse(source))
    assert [breaks(one) for one in reader.found] == [broken]


def test_a_typing_import_is_told_from_the_others() -> None:
    reader = _Reader("aepmock.judge.known_failures")
    reader.visit(
        ast.parse(
            "from typing import TYPE_CHECKING\n"
            "if TYPE_CHECKING:\n    import aepmock.service\nelse:\n    import aepmock.transports"
        )
    )
    assert [(one.name, one.typing_only) for one in reader.found] == [
        ("typing.TYPE_CHECKING", False),
        ("aepmock.service", True),
        ("aepmock.transports", False),
    ]
