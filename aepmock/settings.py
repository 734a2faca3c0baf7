"""The kit's settings: which there are, where they may be set, and what holds in the end.

A flag beats the environment, the environment beats the ini file, that beats `[tool.aepmock]` of
pyproject.toml, that beats the default. Imported by the plugin at load, so standard library only.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aepmock.errors import UsageError, unknown


@dataclass(frozen=True)
class Option:
    """A setting: `--aepmock-NAME`, `AEPMOCK_NAME`, `aepmock_NAME`, NAME in `[tool.aepmock]`.

    `kind` is "text", "number", "flag" or "list" (several values; in the environment and the
    ini file separated by blanks).
    """

    name: str
    kind: str
    default: Any
    about: str
    choices: tuple[str, ...] = ()

    @property
    def flag(self) -> str:
        return f"--aepmock-{self.name}"

    @property
    def ini(self) -> str:
        return f"aepmock_{self.name.replace('-', '_')}"

    @property
    def variable(self) -> str:
        return f"AEPMOCK_{self.name.replace('-', '_').upper()}"


OPTIONS: Mapping[str, Option] = {
    option.name: option
    for option in (
        Option("client", "text", None, "the client to judge, package.module:factory"),
        Option("command", "list", (), "the program to judge over stdin and stdout, word by word"),
        Option("select", "list", (), "judge only clauses like this, connections.create.*"),
        Option("report", "list", (), "write a report: FILE.json, .xml (JUnit), .html or .md"),
        Option("known-failing", "text", None, "file of clause ids that may fail, with reasons"),
        Option("examples", "number", 25, "how many examples a test tries"),
        Option("seed", "number", 0, "where all made-up values come from"),
        Option(
            "readings",
            "text",
            "default",
            "judge under the default reading of the documentation, or under all",
            ("default", "all"),
        ),
        Option(
            "reading",
            "list",
            (),
            "judge under this reading of the documentation instead: QUESTION=OPTION",
        ),
        Option(
            "transport",
            "text",
            "auto",
            "how requests reach the mock; auto finds out which transport the client needs",
            ("auto", "httpx", "httpx2", "requests", "server"),
        ),
        Option("connector", "text", "hubspot", "the connector whose connections are made"),
        Option(
            "unsupported-fields",
            "list",
            (),
            "what the client has no notion of: description, version",
        ),
        Option("strict", "flag", True, "a request that breaks a must fails the test that sent it"),
    )
}
WITHOUT = ("description", "version")
FALSE, TRUE = ("0", "false", "no", "off"), ("1", "true", "yes", "on")


@dataclass(frozen=True)
class Setting:
    """A value and where it came from: "flag", "environment", "ini", "pyproject", "default"."""

    value: Any
    origin: str


def resolve(
    flags: Mapping[str, Any],
    *,
    environment: Mapping[str, str] | None = None,
    ini: Callable[[Option], Any] | None = None,
    project: Path | None = None,
    prefix: str = "--aepmock-",
) -> dict[str, Setting]:
    """What holds for every option.

    `flags` maps names to values, None where one was not given; `ini` looks a value up in
    pytest's ini file; `project` is the folder whose pyproject.toml counts; `prefix` is how the
    flags begin, for messages. Raises UsageError
    for a value of the wrong kind and for an unknown key of `[tool.aepmock]`.
    """
    variables = os.environ if environment is None else environment
    table = read_table(project) if project is not None else {}
    found = {}
    for name, option in OPTIONS.items():
        flag = flags.get(name)
        if flag is not None and flag != []:
            found[name] = Setting(_checked(option, flag, f"{prefix}{name}"), "flag")
        elif option.variable in variables:
            value = _checked(option, variables[option.variable], option.variable)
            found[name] = Setting(value, "environment")
        elif ini is not None and ini(option) not in (None, "", []):
            found[name] = Setting(_checked(option, ini(option), option.ini), "ini")
        elif name in table:
            place = f"[tool.aepmock] {name}"
            found[name] = Setting(_checked(option, table[name], place), "pyproject")
        else:
            found[name] = Setting(option.default, "default")
    return _one_client(found)


ORIGINS = ("default", "pyproject", "ini", "environment", "flag")
"""Where a value may come from, the strongest last."""


def _one_client(found: dict[str, Setting]) -> dict[str, Setting]:
    """A client and a program to judge: the one from the stronger place is meant."""
    client, command = found["client"], found["command"]
    if not client.value or not command.value:
        return found
    if client.origin == command.origin:
        raise UsageError(
            f"a client, {client.value}, and a program, {' '.join(command.value)}, "
            "are both to be judged: give one of them"
        )
    weaker = min(("client", "command"), key=lambda name: ORIGINS.index(found[name].origin))
    return {**found, weaker: Setting(OPTIONS[weaker].default, "default")}


def read_table(project: Path) -> Mapping[str, Any]:
    """`[tool.aepmock]` of the pyproject.toml in a folder; empty where there is none."""
    table = _table(project)
    for key in table:
        if key not in OPTIONS and key != "live":
            path = project / "pyproject.toml"
            raise UsageError(f"{path}: [tool.aepmock]: {unknown('key', key, OPTIONS)}")
    return {str(key): value for key, value in table.items() if key != "live"}


def read_live_table(project: Path | None) -> Mapping[str, Any]:
    """`[tool.aepmock.live]` of the same file, which aepmock.live.settings understands."""
    table = _table(project).get("live", {}) if project is not None else {}
    if not isinstance(table, dict):
        raise UsageError("[tool.aepmock] live is a table: [tool.aepmock.live]")
    # Files are named as seen from pyproject.toml, wherever the command is run.
    return {
        key: str(project / Path(value).expanduser())
        if project is not None and key in ("file", "ca_file", "ca-file") and isinstance(value, str)
        else value
        for key, value in table.items()
    }


def _table(project: Path) -> Mapping[str, Any]:
    path = project / "pyproject.toml"
    if not path.is_file():
        return {}
    import tomllib

    try:
        table = tomllib.loads(path.read_text("utf-8")).get("tool", {}).get("aepmock", {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is no TOML: {error}") from None
    return dict(table)


def readings_of(pairs: Sequence[str], place: str = "--reading") -> dict[str, str]:
    """The readings that "QUESTION=OPTION" texts choose; the contract knows which there are.

    `place` is where they were given. Raises UsageError for another text, and for a question with
    two answers.
    """
    found: dict[str, str] = {}
    for pair in pairs:
        question, equals, option = pair.partition("=")
        if not equals:
            raise UsageError(f"{place} takes QUESTION=OPTION, not {pair!r}")
        if found.setdefault(question, option) != option:
            raise UsageError(f"{place} answers {question} twice: {found[question]}, {option}")
    return found


def project_folder(start: Path) -> Path | None:
    """The nearest folder, from `start` up, that has a pyproject.toml."""
    return next((p for p in (start, *start.parents) if (p / "pyproject.toml").is_file()), None)


def _checked(option: Option, value: Any, place: str) -> Any:
    result = _converted(option, value, place)
    if option.choices and result not in option.choices:
        raise UsageError(f"{place}: {unknown(option.name, str(result), option.choices)}")
    if option.name == "unsupported-fields":
        for word in result:
            if word not in WITHOUT:
                raise UsageError(f"{place}: {unknown('field', word, WITHOUT)}")
    if option.name == "reading":
        readings_of(result, place)
    if option.name in ("examples", "seed") and result < int(option.name == "examples"):
        raise UsageError(f"{place}: {result} is too small")
    return result


def _converted(option: Option, value: Any, place: str) -> Any:
    match option.kind:
        case "number" if isinstance(value, int) and not isinstance(value, bool):
            return value
        case "number" if isinstance(value, str) and value.strip().lstrip("-").isdigit():
            return int(value)
        case "flag" if isinstance(value, bool):
            return value
        case "flag" if isinstance(value, str) and value.lower() in FALSE + TRUE:
            return value.lower() in TRUE
        case "list" if isinstance(value, str):
            return tuple(value.split())
        case "list" if isinstance(value, list | tuple) and all(isinstance(v, str) for v in value):
            return tuple(value)
        case "text" if isinstance(value, str):
            return value
    wanted = {"number": "a whole number", "flag": "true or false", "list": "texts", "text": "text"}
    raise UsageError(f"{place}: {value!r} is not {wanted[option.kind]}")
