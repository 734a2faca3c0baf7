"""What people are shown of what a service, a journal or a client says.

No secret of the run stands in it, no part of one, and no character that moves a terminal's cursor
or turns the direction of writing.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from aepmock.judge import Finding, LiveRow, Report
from aepmock.redaction import MARK, Redactor

MOST = 4000
"""What a service says in a single text is cut after so many characters, once it is redacted."""
_LONG = 16
_END, _WITHIN = 12, 20
"""Of a secret of `_LONG` characters or more so many at its ends, or within it, give it away."""
_QUOTES = frozenset({"summary", "expected", "got", "exchange", "diff", "log"})
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def shown(text: object, redactor: Redactor, *, lines: bool = False) -> str:
    """A text that may be shown; with `lines` it may have several, and tabs."""
    kept = "\n\t" if lines else ""
    clean = _without_parts(redactor.text(str(text)), redactor.values)
    return "".join(
        c if c in kept or unicodedata.category(c) not in _HIDDEN else _escaped(c) for c in clean
    )


def said(text: object, redactor: Redactor) -> str:
    """The same of what a service wrote into an answer, as the part of a sentence."""
    clean = shown(text, redactor)
    return clean if len(clean) <= MOST else clean[:MOST] + "…"


def saying(say: Callable[[str], None], redactor: Redactor) -> Callable[[str], None]:
    """Says lines only as they may be shown."""
    return lambda line: say(shown(line, redactor))


def shown_row(row: LiveRow, redactor: Redactor) -> LiveRow:
    """A row of a report: what a service called its fields and codes stands in it."""
    texts = {name: value for name, value in vars(row).items() if isinstance(value, str)}
    return replace(row, **{name: shown(value, redactor) for name, value in texts.items()})


def shown_report(report: Report, redactor: Redactor) -> Report:
    """A report: its findings quote what a service and a client sent, headers and bodies whole."""
    results = tuple(
        replace(
            result,
            reason=shown(result.reason, redactor, lines=True),
            findings=tuple(_shown_finding(finding, redactor) for finding in result.findings),
        )
        for result in report.results
    )
    return replace(report, results=results)


def _shown_finding(finding: Finding, redactor: Redactor) -> Finding:
    texts: dict[str, Any] = {
        n: shown(v, redactor, lines=True) for n, v in vars(finding).items() if n in _QUOTES
    }
    return replace(finding, calls=tuple(shown(c, redactor) for c in finding.calls), **texts)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def _without_parts(text: str, secrets: Iterable[str]) -> str:
    """A text without what others left of a secret, such as the first half of a token."""
    long = [secret for secret in secrets if len(secret) >= _LONG]
    if not long or len(text) < _END:
        return text
    pieces: list[str] = []
    end = 0
    for start, stop in _parts(text, long):
        if stop <= end:
            continue
        if start > end or not pieces:
            pieces += [text[end:start], MARK]
        end = stop
    return "".join(pieces) + text[end:]


def _parts(text: str, secrets: list[str]) -> Iterator[tuple[int, int]]:
    """Where parts of secrets stand in a text, from left to right."""
    heads = {secret[:_END]: secret for secret in secrets}
    tails = {secret[-_END:] for secret in secrets}
    within = {s[i : i + _WITHIN] for s in secrets for i in range(len(s) - _WITHIN + 1)}
    for start in range(len(text) - _END + 1):
        piece = text[start : start + _END]
        if piece in heads:
            secret, length = heads[piece], _END
            while text[start + length : start + length + 1] == secret[length : length + 1] != "":
                length += 1
            yield start, start + length
        elif piece in tails:
            yield start, start + _END
        elif text[start : start + _WITHIN] in within:
            yield start, start + _WITHIN
