"""One vocabulary: the glossary is well formed, and no name that was given up comes back."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
GLOSSARY = ROOT / "docs" / "glossary.md"

OLD_NAMES: Mapping[str, str] = {
    # words
    r"\bdoors?\b": "transport",
    r"\bDoors?\b|_doors?\b|\bdoor_": "transport",
    r"\bBench\b|_bench\b|\bthe bench\b": "harness",
    r"\bTrial\b": "Scenario",
    r"\b[Hh]urrying\b": "virtual_time",
    r"\b[Mm]anners\b": "throttle",
    r"\b[Tt]idying\b": "cleanup",
    r"\b[Ii]nnocents\b": "correct clients, false-positives",
    r"\b[Dd]uels?\b": "interleaving, connections.update.concurrent",
    r"[Pp]assport": "sandbox_check",
    r"\b[Tt]estimon(?:y|ies)\b": "transcript, exception_details",
    r"\bfaults? of the kit\b": "internal error",
    r"\b[Ss]ee it again\b": "reproduce",
    # exceptions
    r"\bAroundTheDoorsError\b": "UnsupportedTransportError",
    r"\bEscapedRequestError\b": "BlockedRequestError",
    # flags, settings, commands, clauses
    r"--(?:aepmock-)?door\b|\bAEPMOCK_DOOR\b": "--transport",
    r"--(?:aepmock-)?without\b|\bAEPMOCK_WITHOUT\b|^\s*without = \[": "--unsupported-fields",
    r"\baepmock sweep\b": "aepmock live sweep",
    r"\blive[-_](?:budget)\b|\bLIVE_BUDGET\b": "--live-max-requests",
    r"\blive[-_](?:pace)\b|\bLIVE_PACE\b": "--live-rate",
    r"\blive[-_](?:negative)\b|\bLIVE_NEGATIVE\b": "--live-send-invalid",
    r"\bdriver\.(?:\*|…|hello|stdout|ids|shape|reads|answers|alive|ends)": "program.*",
    # modules and functions
    r"\baepmock[./](?:protocol|mocking|watching|attaching|lookups|serving|proxying|passive"
    r"|runner|docsmaking)\b": "client_api, mocks, cli, tools",
    r"\bdocsmaking\b": "tools.docs",
    r"\bletting_out\b": "allow_network",
    r"\bfault_reading\b|\bfaulting\.py\b|\b_?[Ii]nterposer\b": "faults/",
    r"\b(?:suite/)?(?:together|loopback|searching|worlds)\.py\b": "see aepmock/suite",
    r"\b(?:live/)?(?:gate|outside|ownership|observing)\.py\b": "see aepmock/live",
    r"--passive\b": "aepmock observe",
    r"--mocks\b": "--max-mocks",
    r"--connections\b": "--max-resources",
    r"(?<!-)--journal\b": "--max-journal",
    r"\bSwitchboard\b|\bswitchboard\b": "MockRouter",
    r"\btest_floors\b": "test_layers",
}
"""What a name was called, as a pattern, and what it is called now."""

ALLOWED = {("tests/cli/test_cli.py", "--passive")}
"""Where an old name may stand: a test of what somebody is told who still uses it."""

EXEMPT = (
    "CHANGELOG.md",  # tells what things were called
    "tests/test_vocabulary.py",
    "fixtures/",  # recorded elsewhere
    "aepmock/contract/compiled.json",  # made from files that are read themselves
)


def tracked() -> Iterator[Path]:
    """The text files under version control that speak the vocabulary."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no checkout: nothing says which files are tracked")
    for name in filter(None, listed.split("\0")):
        path = ROOT / name
        if not name.startswith(EXEMPT) and path.suffix != ".png" and path.is_file():
            yield path


def found(old: Mapping[str, str], name: str, text: str) -> list[str]:
    """Where old names stand in a file, its path being line 0, and what to write instead."""
    # Most files have none: one search of the whole text is much faster than one a line.
    if not re.search("|".join(old), f"{name}\n{text}", re.MULTILINE):
        return []
    return [
        f"{name}:{number}: {match[0].strip()!r} is now {new}"
        for number, line in enumerate([name, *text.splitlines()])
        for pattern, new in old.items()
        if (match := re.search(pattern, line)) and (name, match[0]) not in ALLOWED
    ]


def in_tracked_files(old: Mapping[str, str]) -> list[str]:
    """Every old name in a tracked file, or in the path of one."""
    return [
        hit
        for path in tracked()
        for name in [path.relative_to(ROOT).as_posix()]
        for hit in found(old, name, path.read_text("utf-8"))
    ]


def entries() -> list[tuple[str, str]]:
    """The glossary's words and what each means."""
    rows = re.findall(r"^\| (.+?) \| (.+?) \|$", GLOSSARY.read_text("utf-8"), re.MULTILINE)
    return [row for row in rows if row[0] not in ("word", "---")]


def test_no_old_name_comes_back() -> None:
    assert in_tracked_files(OLD_NAMES) == []


@pytest.mark.parametrize(
    ("line", "is_old"),
    [
        ("opens the doors of a mock", True),
        ("open_doors(handler)", True),
        ("aepmock judge acme:client --door server", True),
        ("AEPMOCK_DOOR=server", True),
        ('without = ["description"]', True),
        ("raise EscapedRequestError(host)", True),
        ("exit status 3: a fault of the kit", True),
        ("driver.stdout", True),
        ("aepmock live sweep", False),
        ("outdoors, indoors", False),
        ("without a line that says so", False),
        ("a fault of the client", False),
        ("driver.call(operation, args)", False),
        ("make bench", False),
    ],
)
def test_an_old_name_is_recognised_and_its_like_is_not(line: str, is_old: bool) -> None:
    assert bool(found(OLD_NAMES, "file", line)) is is_old


def test_the_glossary_has_a_line_for_each_of_the_judging_words() -> None:
    words = {word for entry, _ in entries() for word in entry.split(", ")}
    expected = (
        "clause must should open judge verdict finding contract reading mutant canary recorder"
        " gateway guard tally strict doctor replay refusal drift shadow transport harness scenario"
        " transcript violation exchange"
    )
    assert set(expected.split()) - words == set()


def test_the_glossary_defines_each_word_once_in_a_sentence() -> None:
    words = [word for entry, _ in entries() for word in entry.split(", ")]
    assert len(words) == len(set(words))
    assert [word for word, meaning in entries() if not meaning.endswith(".")] == []


def test_the_glossary_uses_no_old_name_and_is_linked() -> None:
    assert found(OLD_NAMES, GLOSSARY.name, GLOSSARY.read_text("utf-8")) == []
    for page in ("README.md", "ARCHITECTURE.md"):
        assert "docs/glossary.md" in (ROOT / page).read_text("utf-8")
