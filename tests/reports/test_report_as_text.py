"""The terminal report: its order, its words, its width, and what it does with hostile texts."""

from __future__ import annotations

from io import BytesIO, StringIO, TextIOWrapper

import pytest
from rich.cells import cell_len
from rich.console import Console

from aepmock.judge import ClauseResult, Report
from aepmock.reports.text import render_report
from tests.reports.sample_reports import (
    COMMAND,
    finding,
    hostile,
    nothing_exercised,
    report,
    result,
    with_every_verdict,
)


def text_of(made: Report, *, verbose: bool = False, width: int = 80) -> str:
    console = Console(file=StringIO(), width=width, force_terminal=False)
    with console.capture() as captured:
        render_report(made, console=console, verbose=verbose)
    return captured.get()


def last_lines(*results: ClauseResult) -> str:
    """The summary, which may be wrapped, as one line."""
    return " ".join(text_of(report(*results)).split("\n\n")[-1].split())


EXPECTED = """\
acme.client:factory
mock, transport httpx, seed 42 · contract 2026.11 · aepmock 0.1.0 · 12.3 s
Methods missing: explore_connection (2 clauses unsupported).
Not exercised: connections.list 1 of 2.

area                  met   broken     other
─────────────────────────────────────────────────────────────────────────
connections.create      1   1 should
connections.explore     0   0          2 unsupported
connections.list        1   0          1 not exercised
connections.update      0   1 must
errors                  0   0          1 unexpected pass, 1 known failing

BROKEN

connections.update.if-match (must)
  An update was sent without If-Match.
  rule      connections.update.if-match is kept.
  expected  If-Match: "2300d6b1-0000-0200-0000-673e9c1d0000", the etag of the
            last answer
  actual    no If-Match header
  calls
    created = client.create_connection(…)
    client.update_connection(…)
  exchange
    PATCH /connections/1
    x-api-key: ‹api key›

    {
      "a": 1
    }

    HTTP 400
  diff
    --- sent
    +++ right
    +If-Match: "2300"
  stderr
    the client's last words
  source    documented: OAS patchConnection
  reproduce
    aepmock judge acme.client:factory --select 'connections.update.if-match' \
--seed 42 --examples 1 --transport httpx

connections.create.unique-keys (should)
  A key stands twice.
"""

EXPECTED_END = """
UNEXPECTED PASSES

These pass now: take them off the known-failing list.
- errors.code (must): ACME-99

KNOWN FAILING

- errors.gateway (must): ACME-123: in 3.0

Unsupported: connections.explore.* (2) (the client has no explore_connection).

Not exercised: connections.list.limit (nothing the client did put it to the
test).

9 clauses: 2 met, 2 broken, 1 unexpected pass, 1 known failing, 2 unsupported, 1
not exercised · 1 must broken, take 1 off the known-failing list
"""


def test_a_report_of_every_verdict_reads_as_promised() -> None:
    lines = [line.rstrip() for line in text_of(with_every_verdict()).splitlines()]
    text = "\n".join(lines) + "\n"
    assert text.startswith(EXPECTED)
    assert text.endswith(EXPECTED_END)


@pytest.mark.parametrize("verbose", [False, True])
@pytest.mark.parametrize(
    "made",
    [
        pytest.param(with_every_verdict(), id="every-verdict"),
        pytest.param(hostile(), id="hostile-texts"),
        pytest.param(nothing_exercised(), id="nothing-exercised"),
    ],
)
def test_at_80_columns_only_commands_are_longer(made: Report, verbose: bool) -> None:
    command = "    aepmock judge" if made.client.startswith("acme") else "    [bold]x[/]"
    lines = text_of(made, verbose=verbose).splitlines()
    after = dict(zip(lines[1:], lines, strict=False))
    longer = [line for line in lines if cell_len(line) > 80]
    assert all(line.startswith(command) for line in longer)
    assert all(after[line] == "  reproduce" for line in longer)


def test_what_clients_were_kept_waiting_is_said_in_a_line() -> None:
    kept = text_of(report(result("connections.create.name", "met"), waited_s=3.21))
    assert kept.splitlines()[2] == "waited 3.2 s for timeouts"
    assert "waited" not in text_of(report(result("connections.create.name", "met")))


def test_wide_characters_count_twice_against_the_width() -> None:
    made = report(
        result("errors.code", "broken", "must", finding("errors.code", exchange="接続" * 30))
    )
    lines = [line for line in text_of(made).splitlines() if COMMAND not in line]
    assert max(map(cell_len, lines)) <= 80
    assert "".join(lines).count("接") == 30


def test_a_command_is_not_broken_so_that_it_can_be_copied() -> None:
    lines = [line.strip() for line in text_of(with_every_verdict()).splitlines()]
    assert lines.count(COMMAND) == 2


@pytest.mark.parametrize("terminal", [False, True])
def test_hostile_texts_reach_no_terminal_as_controls_or_markup(terminal: bool) -> None:
    console = Console(file=StringIO(), width=80, force_terminal=terminal, no_color=True)
    with console.capture() as captured:
        render_report(hostile(), console=console)
    text = captured.get().replace("\x1b[1m", "").replace("\x1b[0m", "")
    assert [c for c in text if not c.isprintable() and c != "\n"] == []
    assert r"[bold]x[/] [/nope] \x00 \x1b[31mred\x1b[0m ]]> </failure> \r\n \u202e \ud800" in text


def test_with_no_color_there_is_no_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    console = Console(file=StringIO(), width=80, force_terminal=True)
    with console.capture() as captured:
        render_report(with_every_verdict(), console=console)
    assert "\x1b[31m" not in captured.get()
    assert "\x1b[1;31m" not in captured.get()


def test_piped_there_are_no_escapes_at_all() -> None:
    assert "\x1b" not in text_of(with_every_verdict())


def test_without_colour_the_words_are_the_same() -> None:
    console = Console(file=StringIO(), width=80, force_terminal=True, color_system=None)
    with console.capture() as captured:
        render_report(with_every_verdict(), console=console)
    assert captured.get() == text_of(with_every_verdict())


def test_a_terminal_of_few_characters_gets_escapes_for_the_others() -> None:
    written = BytesIO()
    file = TextIOWrapper(written, encoding="ascii", write_through=True)
    render_report(with_every_verdict(), console=Console(file=file, width=80))
    text = written.getvalue().decode("ascii")
    assert "contract 2026.11 - aepmock 0.1.0" in text
    assert r"client.update_connection(\u2026)" in text


def test_verbose_lists_every_clause_with_its_verdict_and_examples() -> None:
    lines = [line.split() for line in text_of(with_every_verdict(), verbose=True).splitlines()]
    assert ["connections.create.name", "must", "met", "120"] in lines
    assert ["connections.list.limit", "must", "not", "exercised", "0"] in lines
    assert ["errors.code", "must", "unexpected", "pass", "120"] in lines


def test_the_reading_is_named_where_it_is_not_the_default() -> None:
    found = finding("errors.code", reading="etag=absent")
    text = text_of(report(result("errors.code", "broken", "must", found)))
    assert "  reading   etag=absent\n" in text


def test_a_finding_of_little_evidence_leaves_out_what_it_lacks() -> None:
    bare = dict.fromkeys(("expected", "got", "exchange", "diff", "log", "reproduce"), "")
    found = finding("errors.code", calls=(), **bare)
    text = text_of(report(result("errors.code", "broken", "must", found)))
    for label in ("expected", "actual", "calls", "exchange", "diff", "reproduce"):
        assert f"\n  {label}" not in text


def test_only_part_of_an_area_untried_is_named_clause_by_clause() -> None:
    text = text_of(
        report(
            result("ims.token.form", "not-exercised"),
            result("ims.token.reuse", "not-exercised"),
            result("ims.token.credentials", "met"),
        )
    )
    assert "\nNot exercised: ims.token.form, ims.token.reuse (no reason given).\n" in text


MET = result("errors.code", "met")
UNTRIED = result("errors.status", "not-exercised")


@pytest.mark.parametrize(
    ("results", "summary"),
    [
        pytest.param([MET], "1 clause: 1 met · every must met", id="all-met"),
        pytest.param(
            [MET, result("errors.gateway", "not-exercised", "should")],
            "2 clauses: 1 met, 1 not exercised · every must met",
            id="a-should-untried",
        ),
        pytest.param(
            [MET, UNTRIED],
            "2 clauses: 1 met, 1 not exercised · every must met that was exercised",
            id="a-must-untried",
        ),
        pytest.param(
            [result("errors.code", "broken"), result("errors.gateway", "broken")],
            "2 clauses: 2 broken · 2 musts broken",
            id="musts-broken",
        ),
        pytest.param(
            [MET, result("errors.gateway", "broken", "should")],
            "2 clauses: 1 met, 1 broken · every must met",
            id="a-should-broken",
        ),
        pytest.param(
            [MET, result("errors.gateway", "known-failing")],
            "2 clauses: 1 met, 1 known failing · no must broken beyond the known failing",
            id="known-failing",
        ),
        pytest.param(
            [MET, result("errors.gateway", "unexpected-pass")],
            "2 clauses: 1 met, 1 unexpected pass · every must met,"
            " take 1 off the known-failing list",
            id="unexpected-pass",
        ),
        pytest.param(
            [result("errors.code", "unexpected-pass"), result("errors.html", "unexpected-pass")],
            "2 clauses: 2 unexpected passes · every must met, take 2 off the known-failing list",
            id="unexpected-passes",
        ),
        pytest.param(
            [UNTRIED, result("errors.code", "met", "should")],
            "2 clauses: 1 met, 1 not exercised · no must was exercised",
            id="only-a-should-tried",
        ),
        pytest.param(
            [result("errors.code", "met", "should")],
            "1 clause: 1 met · no must among them",
            id="no-must",
        ),
        pytest.param(
            [UNTRIED],
            "1 clause: 1 not exercised · nothing was exercised,"
            " so this says nothing about the client",
            id="nothing-exercised",
        ),
        pytest.param(
            [],
            "0 clauses: none selected · nothing was exercised,"
            " so this says nothing about the client",
            id="no-clause",
        ),
    ],
)
def test_the_last_line_sums_up(results: list[ClauseResult], summary: str) -> None:
    assert last_lines(*results) == summary


def test_a_broken_clause_without_a_finding_says_what_it_asks() -> None:
    text = text_of(report(result("errors.code", "broken")))
    assert "errors.code (must)\n  errors.code is kept.\n" in text


def test_in_brief_only_what_decides_is_listed_and_what_makes_it_hollow() -> None:
    console = Console(file=StringIO(), width=80, force_terminal=False)
    with console.capture() as captured:
        render_report(with_every_verdict(), console=console, brief=True)
    assert captured.get().splitlines() == [
        "Methods missing: explore_connection (2 clauses unsupported).",
        "Not exercised: connections.list 1 of 2.",
        "- connections.update.if-match (must) broken: An update was sent without",
        "  If-Match.",
        "- connections.create.unique-keys (should) broken: A key stands twice.",
        "- errors.code (must) unexpected pass: take it off the known-failing list",
        "9 clauses: 2 met, 2 broken, 1 unexpected pass, 1 known failing, 2 unsupported, 1",
        "not exercised · 1 must broken, take 1 off the known-failing list",
    ]
