"""A run in a real browser: it changes by itself, and nothing moves under the hand of who fills in a form."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from chromium import NARROW, chromium, tab
from playwright.sync_api import Browser, expect
from run_served import OTHER, SYSTEM, Office, serve_runs

from govcloud.model.text import Lang
from govcloud.workflow import run_orders

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with serve_runs(tmp_path / "w") as running:
        yield running


def test_progress_shows_itself_and_a_form_being_filled_in_stays(office: Office, browser: Browser) -> None:
    run_id = office.desk.start(plan_id="P-1", wave=1)
    with tab(browser, office.served, login="wang") as found:
        page = found.page
        found.open(f"/runs/{run_id}")
        row = page.locator("#run-systems tr", has_text=SYSTEM)
        expect(page.get_by_text("自动更新中")).to_be_visible()
        row.get_by_role("link", name=SYSTEM).focus()
        page.locator("#run-orders summary", has_text="取消并撤销").click()
        page.locator("#run-orders details[open] input[name=reason]").fill("写到一半")
        with office.desk.open("zhang") as session:
            run_orders.hold(session, run_id, [SYSTEM], reason="示例")
        expect(row).to_contain_text("已暂停", timeout=15_000)
        expect(page.locator("#run-orders details[open] input[name=reason]")).to_have_value("写到一半")
        page.get_by_role("button", name="表单内容有变，显示最新").click()
        expect(page.locator("#run-orders summary", has_text="继续")).to_be_visible()
        expect(page.locator("[data-stale]")).to_be_hidden()
        assert found.faults() == []


def test_a_gate_that_opens_later_is_answered_on_the_open_page(office: Office, browser: Browser) -> None:
    run_id = office.desk.start(SYSTEM)
    with tab(browser, office.served, "en", login="li") as found:
        page = found.page
        found.open("/approvals")
        page.get_by_role("button", name="Approve", exact=True).click()
        expect(page.get_by_role("status")).to_contain_text("Approved")
        found.open(f"/runs/{run_id}")
        expect(page.locator("#run-answers form")).to_have_count(0)
        office.desk.work(run_id)
        page.get_by_role("button", name="Approve", exact=True).click(timeout=15_000)
        expect(page.get_by_role("status").first).to_contain_text("Approved")
        office.desk.work(run_id)
        expect(page.locator("#run-systems")).to_contain_text("on trial", timeout=15_000)
        assert found.faults() == []


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_pages_of_a_run_have_no_barriers(office: Office, browser: Browser, lang: Lang) -> None:
    office.desk.results = lambda _s, step, phase, n: "failed" if (step, phase) == ("verify_service", "apply") else "ok"
    run_id = office.desk.start(OTHER)
    for _ in range(2):
        with office.by("li") as li:
            page = li.get("/approvals")
            step = "prepare" if "/prepare/1" in page else "freeze"
            li.post(
                f"/runs/{run_id}/answer", word="approve", step=step, gates=f"{run_id}/{OTHER}/{step}/1", systems=[OTHER]
            )
        office.desk.work(run_id)
    second = office.desk.start(SYSTEM)
    system = f"/runs/{run_id}/systems/{OTHER}"
    with (
        tab(browser, office.served, lang, login="wang") as wide,
        tab(browser, office.served, lang, login="li", size=NARROW) as narrow,
    ):
        for path in (f"/runs/{run_id}", system, f"{system}/log?step=verify_service", "/runs/new", "/runs"):
            wide.open(path)
            assert wide.barriers() == [] and wide.faults() == [], path
        for path in ("/approvals", f"/runs/{second}", system):
            narrow.open(path)
            assert narrow.barriers() == [] and narrow.faults() == [], path
