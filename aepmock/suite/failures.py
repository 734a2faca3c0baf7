"""What a test of the suite says of broken clauses, and the command that shows them again."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from fnmatch import fnmatchcase

from aepmock.judge import Finding
from aepmock.suite.config import DEFAULT, SuiteConfig, program_clauses


class ContractBroken(AssertionError):
    """A test of the suite found musts broken: their ids, and the evidence as text."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__("\n".join(f"{f.clause}: {f.summary}" for f in findings))
        self.clauses = tuple(f.clause for f in findings)
        self.evidence = "\n\n".join(map(_evidence, findings))


def matches(clause: str, patterns: Sequence[str]) -> bool:
    """Whether a clause is one of those that patterns name."""
    return any(fnmatchcase(clause, pattern) for pattern in patterns)


def _evidence(finding: Finding) -> str:
    parts = [
        f"{finding.clause}: {finding.summary}",
        f"expected: {finding.expected}",
        f"actual: {finding.got}",
        *finding.calls,
        finding.diff or finding.exchange,
        f"source: {finding.source}",
        f"reproduce: {finding.reproduce}",
    ]
    return "\n".join(part for part in parts if part)


def reproduce(
    config: SuiteConfig,
    clause: str,
    *,
    reading: str = DEFAULT,
    examples: int | None = None,
    exercises: Sequence[str] = ("*",),
) -> str:
    """The command that shows again how a clause is broken.

    `reading` is the label of the readings that it was found under, `examples` how many were tried
    where those are not the run's. `exercises` are the clauses that the test is for which found it:
    by those it is run again.
    """
    words = ["aepmock judge"]
    words += [config.client] if config.program is None else []
    # What a program did wrong may be an answer to anything that the run asked of it.
    patterns = config.select if clause in program_clauses() else (clause,)
    if clause not in program_clauses() and not matches(clause, exercises):
        patterns = (clause, exercises[0])
    words += [f"--select {shlex.quote(pattern)}" for pattern in patterns]
    words += [f"--seed {config.seed}", f"--examples {examples or config.examples}"]
    if config.connector != "hubspot":
        words.append(f"--connector {config.connector}")
    if config.program is None and config.transport != "auto":
        words.append(f"--transport {config.transport}")
    words += [f"--reading {one}" for one in reading.split(",") if one != DEFAULT]
    words += [config.program.words] if config.program else []
    return " ".join(words)
