"""Makes text from a client or a server harmless: nothing invisible, and no markup of ours."""

from __future__ import annotations

import re

_MARKDOWN = re.compile(r"[\\`*_\[\]<>|~&#$]")


def visible(text: str) -> str:
    r"""One line in which every character that does not print stands as its Python escape.

    That covers control characters, ANSI escapes, line ends, lone surrogates, and characters
    that only look like nothing or like a space.

    >>> visible("a\x1b[31mb\n")
    'a\\x1b[31mb\\n'
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else _escape(c) for c in text)


def visible_lines(text: str) -> list[str]:
    """The lines of a text, each made visible; empty ones at its ends are left out."""
    return [visible(line) for line in text.strip("\n").split("\n")]


def visible_block(text: str) -> str:
    """A text of several lines, made visible."""
    return "\n".join(visible_lines(text))


def markdown(text: str) -> str:
    """One line that Markdown shows as it is, in a table cell too."""
    return _MARKDOWN.sub(r"\\\g<0>", visible(text))


def fenced(text: str, language: str = "") -> str:
    """A code block, fenced by more backticks than the text has in a row."""
    lines = visible_lines(text)
    longest = max((len(run) for line in lines for run in re.findall("`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    return "\n".join([fence + language, *lines, fence])


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
