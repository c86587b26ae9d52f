"""The pages by mouse, keyboard and ear, on paper, and without colours."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.browsing import PAGES, SIZES, Visit, draw_all, serious


def test_a_bar_tells_the_minutes_to_mouse_and_keyboard(
    visit: Visit, filled: Path
) -> None:
    page = visit.open(filled)
    strip = page.get_by_role("listbox", name=re.compile("^Redis, last 90 days"))
    last = strip.get_by_role("option").last
    told = "28 Oct 2025\nUp 11 h 30 min\nDown 30 min"
    last.hover()
    assert page.locator("#tip").inner_text() == told
    assert last.get_attribute("aria-label") == told.replace("\n", ", ")
    page.mouse.move(0, 0)
    assert page.locator("#tip").is_hidden()
    last.focus()
    assert page.locator("#tip").inner_text() == told
    page.keyboard.press("ArrowLeft")
    assert page.locator("#tip").inner_text() == "27 Oct 2025\nUp 24 h"
    page.keyboard.press("Home")
    assert page.locator("#tip").inner_text().startswith("31 Jul 2025")
    page.keyboard.press("Escape")
    assert page.locator("#tip").is_hidden()


def test_the_keyboard_reaches_all_and_is_caught_nowhere(
    visit: Visit, filled: Path
) -> None:
    page = visit.open(filled)
    draw_all(page)
    due = page.evaluate(
        """() => [...document.querySelectorAll(
            'a, summary, [tabindex="0"], input:checked'
        )].filter((e) => e.checkVisibility()).length"""
    )
    reached, bare = set(), []
    for _ in range(due + 1):
        page.keyboard.press("Tab")
        found = page.evaluate(
            """() => {
                const e = document.activeElement;
                const all = [...document.querySelectorAll('*')];
                const shown = e.matches('input') ? e.nextElementSibling : e;
                const style = getComputedStyle(shown);
                return [all.indexOf(e), e.tagName, style.outlineStyle !== 'none'];
            }"""
        )
        if found[1] in ("BODY", "HTML"):
            break
        reached.add(found[0])
        if not found[2]:
            bare.append(found[1])
    assert len(reached) == due
    assert bare == [], "no focus is seen there"


def test_a_range_is_chosen_by_keyboard_and_kept_in_the_address(
    visit: Visit, filled: Path
) -> None:
    page = visit.open(filled)
    page.get_by_role("radio", name="last 90 days").focus()
    page.keyboard.press("ArrowLeft")
    assert page.url.endswith("#range=30d")
    assert page.locator("#said").inner_text() == "Showing the last 30 days"
    assert page.locator("#checks .strip").first.locator("li").count() == 30
    assert page.get_by_role("radio", name="last 30 days").is_checked()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", PAGES)
def test_no_serious_fault_for_who_needs_help(
    visit: Visit, filled: Path, name: str, size: tuple[int, int], scheme: str
) -> None:
    page = visit.open(filled, name, size=size, scheme=scheme)
    if name == "index":
        draw_all(page)
    assert serious(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    brightness = sum(map(int, re.findall(r"\d+", ground)[:3])) / 3
    assert (brightness > 200) == (scheme == "light")


@pytest.mark.parametrize("name", PAGES)
def test_paper_has_all_of_it(visit: Visit, filled: Path, name: str) -> None:
    page = visit.open(filled, name, scheme="dark")
    page.emulate_media(media="print", color_scheme="light")
    if name == "index":
        draw_all(page)
        assert page.locator("#ranges").is_hidden()
        assert page.locator("#storage .chart svg").is_visible()
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == "rgb(255, 255, 255)"
    paper = page.pdf(format="A4")
    assert paper.startswith(b"%PDF")
    assert len(paper) > 10_000


def test_a_state_is_told_without_its_colour(visit: Visit, filled: Path) -> None:
    page = visit.open(filled)
    for badge in page.locator(".state").all():
        sign = badge.evaluate("e => getComputedStyle(e, '::before').content")
        assert badge.inner_text() in (
            "Up",
            "Down",
            "Degraded",
            "Unknown",
            "Maintenance",
        )
        assert sign.strip('"')[0] in "✓✕!?⚒"


def test_a_chart_has_its_figures_as_a_table(visit: Visit, filled: Path) -> None:
    page = visit.open(filled, range_="30d")
    figure = page.locator("#queries figure").first
    figure.locator("summary").click()
    assert figure.locator("tbody tr").count() == 30
    assert "42.5\u00a0ms" in figure.locator("tbody tr").first.inner_text()
