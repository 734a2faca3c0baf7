"""The example programs, judged as a user judges his own; and each with one fault."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.languages.programs import EXAMPLES, ROOT


def judged(command: Sequence[str], folder: Path, *options: str) -> tuple[int, dict[str, str]]:
    """The exit status of aepmock judge, and the verdict of each clause."""
    report = folder / "report.json"
    words = [sys.executable, "-m", "aepmock", "judge", "--examples", "1", "--report", str(report)]
    done = subprocess.run(
        [*words, *options, "--", *command],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert report.exists(), done.stdout + done.stderr
    clauses = json.loads(report.read_text("utf-8"))["clauses"]
    return done.returncode, {clause["id"]: clause["verdict"] for clause in clauses}


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_meets_every_must(name: str, tmp_path: Path) -> None:
    status, verdicts = judged(EXAMPLES[name].command(), tmp_path)
    # None fetches a token of its own; but for Node they do not offer to take gzip; a Node before
    # 22.19 can't be told of a CA once it runs; and what goes on inside a program is not seen.
    untried: tuple[str, ...] = ("ims.", "answers.gzip", "tls.wrong-host")
    untried += ("independence.threads", "independence.tasks")
    untried += ("secrets.output", "secrets.repr", "secrets.file", "secrets.debug-log")
    untried += ("answers.exit", "answers.process", "answers.threads")
    odd = {clause: verdict for clause, verdict in verdicts.items() if verdict != "met"}
    assert {c: v for c, v in odd.items() if not c.startswith(untried)} == {}
    assert set(odd.values()) == {"not-exercised"}
    assert status == 0


def test_the_index_and_the_guide_name_every_example() -> None:
    index = (ROOT / "examples" / "README.md").read_text("utf-8")
    guide = (ROOT / "docs" / "languages.md").read_text("utf-8")
    for example in EXAMPLES.values():
        assert f"({example.path.removeprefix('examples/')})" in index
        assert f"(../{example.path})" in guide


@dataclass(frozen=True)
class Changed:
    """An example with one fault: `old`, which stands in it once, is `new` instead."""

    example: str
    old: str
    new: str
    clause: str

    def written(self, folder: Path) -> list[str]:
        """The command for the changed copy."""
        source = EXAMPLES[self.example].source
        assert source.count(self.old) == 1, f"{self.old!r} is to stand once in the example"
        copy = folder / Path(EXAMPLES[self.example].path).name
        copy.write_text(source.replace(self.old, self.new), "utf-8")
        return EXAMPLES[self.example].command(copy)


FAULTS = {
    "node forgets a header": Changed(
        "node",
        '      "x-sandbox-name": settings.sandbox_name,\n',
        "",
        "request.sandbox",
    ),
    "node takes links for those of a web page": Changed(
        "node",
        "new URL(isPath ? this.base + href : href, from)",
        "new URL(href, from)",
        "connections.list.next-link",
    ),
    "java strips the quotes of an etag": Changed(
        "java",
        'sent.put("If-Match", etag);',
        'sent.put("If-Match", etag.replace("\\"", ""));',
        "connections.update.etag-quotes",
    ),
    "java sends null for an absent description": Changed(
        "java",
        'putGiven(body, "description", connection.get("description"));',
        'body.put("description", connection.get("description"));',
        "connections.create.description-absent",
    ),
    "shell reads one page only": Changed(
        "shell",
        "if $next == null then reply(.items)",
        "if true then reply(.items)",
        "connections.list.all-pages",
    ),
    "shell pastes the id into the path": Changed(
        "shell",
        'map("/" + (. | @uri))',
        'map("/" + .)',
        "request.path-encoding",
    ),
    "python repeats a create": Changed(
        "python",
        '        answer = self.ask("POST", self.url(), body)\n',
        """        try:
            answer = self.ask("POST", self.url(), body)
        except FlowServiceError as error:
            if error.status != 503:
                raise
            answer = self.ask("POST", self.url(), body)
""",
        "connections.create.one-post",
    ),
    "python throws the code away": Changed(
        "python",
        'FlowServiceError("the request was refused", status, code_of(octets))',
        'FlowServiceError("the request was refused", status)',
        "errors.code",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_an_example_with_a_fault_is_convicted_of_it(fault: str, tmp_path: Path) -> None:
    changed = FAULTS[fault]
    command = changed.written(tmp_path)
    status, verdicts = judged(command, tmp_path, "--select", changed.clause)
    assert (status, verdicts[changed.clause]) == (1, "broken")
