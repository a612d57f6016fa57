"""Drawings in a real browser: zoomed, pulled and clicked, by mouse and by keyboard, and readable without script."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from chromium import WIDE, Tab, chromium, tab
from playwright.sync_api import Browser
from served import Served, serving, workspace

from govcloud.workflow.plan import PlanOrder, build_plan

pytestmark = pytest.mark.browser
VIEW = ".chart-view"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with workspace(tmp_path_factory.mktemp("plan") / "w") as session:
        build_plan(session, PlanOrder(limit_s=0.5))
        with serving(session) as running:
            yield running


@pytest.fixture
def mine(browser: Browser, served: Served) -> Iterator[Tab]:
    with tab(browser, served, login=None) as found:
        assert served.place.local_key is not None
        found.open(f"/local?key={served.place.local_key.text}")
        # What the first page still loads when the test goes on would count as failed.
        found.page.wait_for_load_state("networkidle")
        yield found


def width(mine: Tab) -> float:
    found: float = mine.page.evaluate("document.querySelector('.chart-view svg').getBoundingClientRect().width")
    return found


def natural(mine: Tab) -> float:
    found: float = mine.page.evaluate("document.querySelector('.chart-view svg').viewBox.baseVal.width")
    return found


def frame(mine: Tab) -> float:
    found: float = mine.page.evaluate("document.querySelector('.chart-view').clientWidth")
    return found


def scrolled(mine: Tab) -> tuple[float, float]:
    left, top = mine.page.evaluate("(v => [v.scrollLeft, v.scrollTop])(document.querySelector('.chart-view'))")
    return left, top


@pytest.mark.parametrize("path", ["/plan", "/plan/graph", "/plan/load", "/networks"])
def test_a_drawing_zooms_by_buttons_keys_and_wheel(mine: Tab, path: str) -> None:
    mine.open(path)
    assert width(mine) >= 0.99 * min(natural(mine) * 1.4, frame(mine)), "a small drawing fills its frame"
    mine.page.locator("[data-zoom=whole]").first.click()
    whole = width(mine)
    assert whole == pytest.approx(natural(mine), rel=0.01)
    mine.page.locator("[data-zoom=in]").first.click()
    assert width(mine) == pytest.approx(whole * 1.25, rel=0.01)
    assert mine.page.locator("output").first.inner_text() == "125 %"
    mine.page.locator(VIEW).first.focus()
    mine.page.keyboard.press("-")
    assert width(mine) == pytest.approx(whole, rel=0.01)
    mine.page.keyboard.press("f")
    assert width(mine) == pytest.approx(frame(mine), rel=0.01)
    mine.page.keyboard.press("0")
    mine.page.locator(VIEW).first.hover()
    mine.page.keyboard.down("Control")
    mine.page.mouse.wheel(0, -100)
    mine.page.keyboard.up("Control")
    mine.page.wait_for_function("document.querySelector('output').textContent == '125 %'")
    assert mine.faults() == []


def test_the_wheel_alone_scrolls_the_page_and_not_the_scale(mine: Tab) -> None:
    mine.open("/plan")
    before = mine.page.locator("output").inner_text()
    mine.page.locator(VIEW).hover()
    mine.page.mouse.wheel(0, 300)
    mine.page.wait_for_function("window.scrollY > 0 || document.querySelector('.chart-view').scrollTop > 0")
    assert mine.page.locator("output").inner_text() == before


def test_a_drawing_is_pulled_without_following_the_link_under_the_mouse(mine: Tab) -> None:
    mine.open("/plan")
    for _ in range(5):
        mine.page.locator("[data-zoom=in]").click()
    link = mine.page.locator(f"{VIEW} a[href^='/plan/systems/']").nth(3)
    link.scroll_into_view_if_needed()
    before, box = scrolled(mine), mine.page.locator(VIEW).bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + min(box["height"], 300) / 2
    mine.page.mouse.move(x, y)
    mine.page.mouse.down()
    mine.page.mouse.move(x - 150, y - 40, steps=5)
    mine.page.mouse.up()
    assert scrolled(mine)[0] == pytest.approx(before[0] + 150, abs=3)
    assert mine.page.url.endswith("/plan")


def test_a_mark_is_clicked_and_a_mark_is_entered_by_key(mine: Tab) -> None:
    mine.open("/plan")
    mine.page.locator(f"{VIEW} a[href='/plan/systems/SL-OA-01'] text").first.click()
    mine.page.wait_for_url("**/plan/systems/SL-OA-01")
    mine.open("/plan/graph")
    mine.page.locator(f"{VIEW} a[href='/plan/systems/SL-OA-01']").focus()
    mine.page.keyboard.press("Enter")
    mine.page.wait_for_url("**/plan/systems/SL-OA-01")


def test_without_script_the_drawing_is_there_and_no_dead_button(browser: Browser, served: Served) -> None:
    context = browser.new_context(viewport={"width": WIDE[0], "height": WIDE[1]}, java_script_enabled=False)
    page = context.new_page()
    assert served.place.local_key is not None
    page.goto(f"{served.address}/local?key={served.place.local_key.text}")
    page.goto(f"{served.address}/plan")
    assert page.locator(f"{VIEW} svg a").count() > 5
    assert not page.locator(".chart-tools").is_visible()
    context.close()
