"""The main road as people walk it in a browser: from the sign-in to the record in the ledger, by mouse in both languages and by
keyboard alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from chromium import chromium, tab
from full_office import PEOPLE, Office, make_office
from playwright.sync_api import Browser, Page, expect
from served import PASSWORD, Served, serving

from govcloud.model.text import Lang
from govcloud.web.limits import Limiter

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with make_office(tmp_path / "w") as made:
        yield made


@pytest.fixture
def served(office: Office) -> Iterator[Served]:
    with serving(office.session, attempts=Limiter(burst=1000, per_minute=1000)) as running:
        yield running


def menu(page: Page, path: str) -> None:
    page.click(f'nav.menu a[href="{path}"]')
    expect(page.locator(f'nav.menu a[href="{path}"]')).to_have_attribute("aria-current", "page")


def follow(page: Page, path: str) -> None:
    """The first link of the content that leads there."""
    page.locator(f'main a[href="{path}"]').first.click()
    page.wait_for_url(f"**{path}")


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_main_road(browser: Browser, served: Served, office: Office, lang: Lang) -> None:
    system, run, handover = office.system_id, f"/runs/{office.run_id}", f"/takeovers/{office.handover_id}"
    with tab(browser, served, lang) as owner:
        page = owner.page
        assert page.get_attribute("html", "lang") == {"zh": "zh-CN", "en": "en"}[lang]
        expect(page.locator("header .who")).to_contain_text(PEOPLE["owner"][0])
        menu(page, "/systems")
        follow(page, f"/systems/{system}")
        expect(page.locator("h1")).to_contain_text("协同办公系统")
        menu(page, "/findings")
        page.locator('main td a[href^="/findings/"]').first.click()
        expect(page.locator("h1")).to_have_count(1)
        menu(page, "/plan")
        expect(page.locator("main")).to_contain_text(system)
        menu(page, "/runs")
        follow(page, run)
        page.locator('main form[action$="/answer"]').first.wait_for()
        page.locator('main button[name="word"][value="approve"]').first.click()
        expect(page.locator(".notice")).to_contain_text(system)
        page.goto(served.address + handover)
        page.locator('main form[action$="/sign"] button[value="owner"]').click()
        expect(page.locator(".notice")).to_be_visible()
        assert owner.faults() == []
    with tab(browser, served, lang, login="builder") as builder:
        page = builder.page
        menu(page, "/takeovers")
        follow(page, handover)
        page.locator('main form[action$="/sign"] button[value="builder"]').click()
        expect(page.locator(".notice")).to_be_visible()
        menu(page, "/ledger")
        expect(page.locator("main")).to_contain_text(PEOPLE["owner"][0])
        expect(page.locator("main")).to_contain_text(PEOPLE["builder"][0])
        assert builder.faults() == []


def test_the_language_changes_on_the_page_where_one_is(browser: Browser, served: Served) -> None:
    with tab(browser, served, "zh") as owner:
        owner.open("/systems?find=SL")
        owner.page.click('header button[lang="en"]')
        owner.page.wait_for_url("**/systems?find=SL")
        assert owner.page.get_attribute("html", "lang") == "en"
        assert owner.faults() == []


def test_the_keyboard_is_enough(browser: Browser, served: Served, office: Office) -> None:
    """Sign in, go past the menu to the content, open a run, approve it, sign out; the focus is always seen."""
    with tab(browser, served, "zh", login=None) as somebody:
        page = somebody.page
        somebody.open("/sign-in")
        page.keyboard.type("owner")
        page.keyboard.press("Tab")
        page.keyboard.type(PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url(served.address + "/")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "content"
        page.reload()
        _press(page, 'nav.menu a[href="/runs"]')
        page.wait_for_url("**/runs")
        _press(page, f'main a[href="/runs/{office.run_id}"]')
        page.wait_for_url(f"**/runs/{office.run_id}")
        _press(page, 'main button[name="word"][value="approve"]')
        expect(page.locator(".notice")).to_contain_text(office.system_id)
        _press(page, 'header form[action="/sign-out"] button')
        page.wait_for_url("**/sign-in")
        assert somebody.faults() == []


def _press(page: Page, selector: str) -> None:
    """Tab until the focus is on it, then Enter."""
    page.locator(selector).first.wait_for()
    for _ in range(200):
        page.keyboard.press("Tab")
        seen, there = page.evaluate(
            """s => { const a = document.activeElement, o = getComputedStyle(a);
                      return [a === document.body || o.outlineStyle !== "none", a.matches(s)]; }""", selector,
        )  # fmt: skip
        assert seen, "the focus is not to be seen"
        if there:
            page.keyboard.press("Enter")
            return
    raise AssertionError(f"not reached by Tab: {selector}")


def test_a_page_of_another_site_can_neither_frame_nor_post(browser: Browser, served: Served, tmp_path: Path) -> None:
    """F38, as a browser enforces it, with the cookie of somebody who is signed in."""
    other = tmp_path / "other.html"
    other.write_text(
        f'<iframe src="{served.address}/runs"></iframe><form method="post" action="{served.address}/sign-out"><button>x</button></form>'
    )
    with tab(browser, served, "zh") as owner:
        page = owner.page
        page.goto(other.as_uri())
        assert "runs" not in "".join(frame.url for frame in page.frames[1:] if "chrome-error" not in frame.url)
        page.click("button")
        page.wait_for_load_state()
        owner.open("/systems")
        assert page.locator("header .who").inner_text()
