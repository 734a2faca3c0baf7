"""The page in a real browser, with a real client at work. Needs Debian's package chromium.

Without a browser it is skipped, because `make test` asks for nothing but Python; in CI, which
installs one, that is a failure.
AEPMOCK_PICTURE=FILE.png writes what the page looks like.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.browsing import Page, browser, page
from tests.server.running import Running, running

CONNECTIONS = "/data/foundation/flowservice/connections"
HOSTILE = '<img src=x onerror="window.hacked=1"></li><script>window.hacked=1</script>'

pytestmark = pytest.mark.skipif(
    browser() is None and not os.environ.get("CI"), reason="chromium is not installed"
)


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with running() as made:
        yield made


@pytest.fixture(scope="module")
def tab(server: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    program = browser()
    assert program, "no chromium: apt-get install chromium"
    with page(program, tmp_path_factory.mktemp("profile")) as made:
        made.size(1280, 800)
        made.goto(server.ready["page_url"])
        made.until("document.getElementById('live').textContent === 'live'")
        yield made


@pytest.fixture(autouse=True)
def _fresh(server: Running, tab: Page) -> None:
    tab.size(1280, 800)
    tab.js("document.querySelector('[data-filter=all]').click()")
    server.control("POST", "/reset")
    tab.until("document.querySelectorAll('#list li').length === 0")


def break_one(server: Running) -> None:
    made = server.create(name="Orders").json
    headers = {**server.credentials("my-own-token"), "Content-Type": "application/json"}
    change = [{"op": "replace", "path": "/name", "value": "x"}]
    server.ask("PATCH", f"{CONNECTIONS}/{made['id']}", body=change, headers=headers)


def test_a_broken_request_appears_within_a_second_with_clause_and_diff(
    server: Running, tab: Page
) -> None:
    break_one(server)
    tab.until("document.querySelectorAll('#list li').length === 2", 1.0)
    assert "connections.update.if-match" in tab.js("document.querySelector('#list li').innerText")
    tab.js("document.querySelector('#list li').click()")
    shown = tab.js("document.getElementById('detail').innerText")
    assert "connections.update.if-match (must)" in shown
    assert "source" in shown
    assert "+If-Match" in tab.js("document.getElementById('diff').innerText")
    tab.until("document.getElementById('held').innerText.includes('Orders')")
    everything = tab.js("document.documentElement.outerHTML")
    assert "my-own-token" not in everything
    assert "hush" not in everything
    assert tab.errors == []
    if picture := os.environ.get("AEPMOCK_PICTURE"):
        tab.picture(Path(picture))
        for name, width, dark in (("dark", 1280, True), ("narrow", 360, False)):
            tab.size(width, 800, dark=dark)
            tab.picture(Path(picture).with_name(f"page-{name}.png"))
        tab.js("choose(null)")
        tab.picture(Path(picture).with_name("page-narrow-list.png"))


def test_filters_choose_what_is_shown(server: Running, tab: Page) -> None:
    break_one(server)
    server.ask("GET", f"{CONNECTIONS}/nix", headers=server.credentials("my-own-token"))
    tab.until("document.querySelectorAll('#list li').length === 3")
    shown = "document.querySelectorAll('#list li:not([hidden])').length"
    for name, number in (("broken", 1), ("refused", 2), ("all", 3)):
        tab.js(f"document.querySelector('[data-filter={name}]').click()")
        assert tab.js(shown) == number
    for text, number in (("patch", 1), ("if-match", 1), ("nothing like it", 0), ("", 3)):
        tab.js(
            f"document.getElementById('text').value = '{text}';"
            "document.getElementById('text').dispatchEvent(new Event('input'))"
        )
        assert tab.js(shown) == number


def test_an_empty_page_says_where_to_send_and_a_filter_that_it_hides_all(
    server: Running, tab: Page
) -> None:
    visible = "getComputedStyle(document.getElementById('{}')).display !== 'none'"
    assert tab.js(visible.format("none"))
    assert tab.js("document.getElementById('base').innerText") == server.ready["base_url"]
    server.create()
    tab.until("document.querySelectorAll('#list li').length === 1")
    tab.js("document.querySelector('[data-filter=broken]').click()")
    assert tab.js(visible.format("unmatched"))
    assert not tab.js(visible.format("none"))
    tab.js("document.querySelector('[data-filter=all]').click()")
    assert not tab.js(visible.format("unmatched"))


def test_what_a_refused_request_broke_is_told_once(server: Running, tab: Page) -> None:
    break_one(server)
    server.ask("GET", f"{CONNECTIONS}/nix", headers=server.credentials("my-own-token"))
    tab.until("document.querySelectorAll('#list li').length === 3")
    told = "document.getElementById('detail').innerText.includes('Why the service refused it')"
    tab.js("document.querySelectorAll('#list li')[1].click()")
    assert "Every update carries If-Match" in tab.js("document.querySelector('.finding').innerText")
    assert not tab.js(told)
    tab.js("document.querySelectorAll('#list li')[0].click()")
    assert tab.js(told)


def test_the_keyboard_is_enough(server: Running, tab: Page) -> None:
    for _ in range(3):
        server.create()
    tab.until("document.querySelectorAll('#list li').length === 3")
    tab.js("document.activeElement.blur()")
    for _ in range(9):
        tab.press("Tab")
        if tab.js("document.activeElement.id") == "list":
            break
    assert tab.js("document.activeElement.id") == "list"
    assert tab.js("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    chosen = "document.querySelector('#list [aria-selected=true] .number')?.innerText"
    first = tab.js("document.querySelector('#list li .number').innerText")
    tab.press("ArrowDown")
    assert tab.js(chosen) == first
    tab.press("ArrowDown")
    assert tab.js(chosen) == f"#{int(first[1:]) - 1}"
    tab.press("End")
    tab.press("ArrowUp")
    assert tab.js(chosen) == f"#{int(first[1:]) - 1}"
    tab.press("Enter")
    assert tab.js("document.activeElement.id") == "detail"
    tab.press("Escape")
    assert tab.js(chosen) is None
    assert tab.js("document.activeElement.id") == "list"


def test_hostile_names_stay_text(server: Running, tab: Page) -> None:
    server.create(name=HOSTILE)
    server.ask("GET", f"{CONNECTIONS}/%3Cscript%3E<b>", headers=server.credentials("my-own-token"))
    tab.until("document.getElementById('held').innerText.includes('onerror')")
    for _ in range(2):
        tab.js("document.getElementById('list').focus()")
        tab.press("ArrowDown")
    assert "onerror" in tab.js("document.getElementById('detail').innerText")
    assert tab.js("window.hacked") is None
    assert tab.js("document.querySelectorAll('main script, main img, main b').length") == 0
    assert tab.errors == []


def test_a_window_of_360_pixels_needs_no_sideways_scrolling(server: Running, tab: Page) -> None:
    break_one(server)
    tab.size(360, 640)
    tab.until("document.querySelectorAll('#list li').length === 2")
    fits = "document.documentElement.scrollWidth <= 360"
    assert tab.js(fits)
    tab.js("document.querySelector('#list li').click()")
    assert tab.js("document.getElementById('detail').offsetWidth") > 300
    assert tab.js(fits)
    tab.press("Escape")
    assert tab.js("getComputedStyle(document.getElementById('detail')).display") == "none"


def test_what_went_wrong_and_what_is_to_come_are_shown(server: Running, tab: Page) -> None:
    fault = {"operation": "connections.create", "fault": "lost answer: reset, 503"}
    server.control("POST", "/faults", fault)
    with pytest.raises(ConnectionResetError):
        server.create()
    tab.until("document.querySelectorAll('#list li').length === 1")
    tab.until("document.getElementById('summary').textContent.includes('to go wrong')")
    assert "connections.create: 503" in tab.js("document.getElementById('summary').textContent")
    tab.js("document.querySelector('#list li').click()")
    shown = tab.js("document.getElementById('detail').textContent")
    assert "no answer injected" in shown
    assert "lost answer: reset" in shown
