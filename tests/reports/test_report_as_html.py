"""The HTML report: a page of its own that says the same, and lets no text become markup."""

from __future__ import annotations

import os
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from aepmock.reports import render_html, write_report
from tests.reports.sample_reports import (
    COMMAND,
    finding,
    hostile,
    nothing_exercised,
    report,
    result,
    with_every_verdict,
)
from tests.server.browsing import browser, page

ATTACK = (
    '</style></pre></details><script>window.hacked=1</script><img src=x onerror="hacked=1">\'"&lt;'
)
OURS = {
    "html", "head", "meta", "title", "style", "body", "h1", "h2", "h3", "p", "table", "thead",
    "tbody", "tr", "th", "td", "details", "summary", "b", "span", "div", "dl", "dt", "dd", "pre",
    "ul", "li",
}  # fmt: skip


class Read(HTMLParser):
    """The elements of a page, their attributes, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str | None]] = []
        self.text = ""
        self.headings: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]

    def handle_data(self, data: str) -> None:
        if self.tags[-1:] == ["h2"] and data.strip():
            self.headings.append(data)
        self.text += data


def attacked() -> str:
    texts = ("summary", "expected", "got", "exchange", "diff", "source", "reproduce", "reading")
    bad = finding("errors.code", calls=(ATTACK,), **dict.fromkeys(texts, ATTACK))
    known = result("errors.gateway", "known-failing", "must", bad, reason=ATTACK)
    return render_html(
        report(result("errors.code", "broken", "must", bad), known, client=ATTACK, transport=ATTACK)
    )


def test_a_page_says_what_the_other_forms_say_in_their_order() -> None:
    read = Read(render_html(with_every_verdict()))
    assert "Verdicts on acme.client:factory" in read.text
    assert "mock, transport httpx, seed 42 · contract 2026.11 · aepmock 0.1.0" in read.text
    assert "Started 2026-11-23T20:30:00Z, took 12.3 s." in read.text
    titles = ["Broken", "Unexpected passes", "Known failing", "Unsupported", "Not exercised"]
    assert read.headings == [*titles, "Every clause"]
    assert COMMAND in read.text
    assert read.text.index("connections.update.if-match") < read.text.index("A key stands twice.")
    for said in ("documented: OAS patchConnection", "no If-Match header", '+If-Match: "2300"'):
        assert said in read.text


def test_the_first_finding_is_open_and_the_others_are_a_key_press_away() -> None:
    text = render_html(with_every_verdict())
    assert re.findall(r"<details[^>]*>", text) == [
        '<details open="open" id="connections.update.if-match">',
        '<details id="connections.create.unique-keys">',
        "<details>",
    ]


def test_the_conclusion_shows_how_it_went() -> None:
    assert 'class="conclusion bad"' in render_html(with_every_verdict())
    assert 'class="conclusion warn"' in render_html(nothing_exercised())
    good = render_html(report(result("errors.code", "met")))
    assert 'class="conclusion"' in good
    assert Read(good).headings == ["Every clause"]


def test_a_page_needs_nothing_from_elsewhere() -> None:
    for text in (render_html(with_every_verdict()), attacked()):
        names = {name for _, name, _ in Read(text).attributes}
        assert names <= {"lang", "charset", "name", "content", "http-equiv", "class", "scope",
                         "open", "id"}  # fmt: skip
        assert "url(" not in text
        assert "@import" not in text


@pytest.mark.parametrize("text", [attacked(), render_html(hostile())])
def test_hostile_texts_stay_text(text: str) -> None:
    assert set(Read(text).tags) <= OURS
    assert [c for c in text if not c.isprintable() and c != "\n"] == []


def test_what_was_attacked_is_shown_as_it_was() -> None:
    assert Read(attacked()).text.count(ATTACK) > 8


@pytest.mark.skipif(
    browser() is None and not os.environ.get("CI"), reason="chromium is not installed"
)
def test_a_browser_shows_it_in_a_narrow_window_and_runs_nothing(tmp_path: Path) -> None:
    program = browser()
    assert program, "no chromium: apt-get install chromium"
    (tmp_path / "attacked.html").write_text(attacked(), "utf-8")
    write_report(with_every_verdict(), tmp_path / "report.html")
    write_report(hostile(), tmp_path / "hostile.html")
    with page(program, tmp_path / "profile") as tab:
        for name in ("attacked", "hostile", "report"):
            tab.size(360, 700)
            tab.goto((tmp_path / f"{name}.html").as_uri())
            tab.until(f"location.href.endsWith('{name}.html') && document.readyState=='complete'")
            tab.js("document.querySelectorAll('details').forEach(one => one.open = true)")
            assert tab.js("document.documentElement.scrollWidth") <= 360
            assert tab.js("window.hacked") is None
            assert tab.js("document.querySelectorAll('script, img').length") == 0
            if folder := os.environ.get("AEPMOCK_PICTURES"):
                for kind, width, dark in (("narrow", 360, False), ("light", 1000, False),
                                          ("dark", 1000, True)):  # fmt: skip
                    tab.size(width, 900, dark=dark)
                    tab.picture(Path(folder) / f"{name}-{kind}.png")
        tab.js("document.querySelectorAll('details')[1].open = false")
        tab.js("document.querySelectorAll('summary')[1].focus()")
        tab.press("Enter")
        tab.until("document.querySelectorAll('details')[1].open")
