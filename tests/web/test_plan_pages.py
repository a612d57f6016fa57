"""The plan in the dashboard: what a leader looks at, clicks through, and takes away as a paper."""

from __future__ import annotations

import html
import re
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from io import BytesIO

import httpx
import pytest
from served import AT, Served, csrf, serving, workspace

from govcloud.model.plan import MigrationPlan
from govcloud.workflow.plan import PlanOrder, build_plan, load_plan
from govcloud.workflow.session import Session
from govcloud.workflow.timeline import Wanted, read_timeline

PAGES = ("/plan", "/plan/graph", "/plan/load", "/plan/work", "/plan/left", "/plan/verification", "/plan/waves/1",
         "/plan/systems/SL-OA-01", "/plan/versions", "/plan/changes")  # fmt: skip
DRAWN = ("/plan", "/plan/graph", "/networks")


def later(session: Session, minutes: int) -> Session:
    """The clock of the tests stands still, and which plan is the newest must not be left to their digests."""
    return replace(session, now=lambda: AT + timedelta(minutes=minutes))


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """The sample workbooks, and two plans."""
    with workspace(tmp_path_factory.mktemp("plan") / "w") as session:
        first = build_plan(session, PlanOrder(limit_s=1))
        build_plan(later(session, 1), PlanOrder(limit_s=1, previous_id=first.plan_id, seed=2))
        yield session


@pytest.fixture(scope="module")
def served(planned: Session) -> Iterator[Served]:
    with serving(planned) as running:
        yield running


@pytest.fixture(scope="module")
def mine(served: Served) -> Iterator[httpx.Client]:
    with served.local() as client:
        yield client


def newest(served: Served) -> MigrationPlan:
    return load_plan(served.session)


def drawing(page: httpx.Response) -> str:
    found = re.search(r"<svg.*?</svg>", page.text, re.S)
    assert found
    return found[0]


def links(markup: str) -> list[str]:
    return [html.unescape(found) for found in re.findall(r'<a href="([^"]+)"', markup)]


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("path", PAGES)
def test_every_page_of_the_plan_opens_in_both_languages(mine: httpx.Client, path: str, lang: str) -> None:
    page = mine.get(path, headers={"Accept-Language": lang})
    assert page.status_code == 200
    assert f'<html lang="{"zh-CN" if lang == "zh" else "en"}">' in page.text
    assert "<h1>" in page.text


@pytest.mark.parametrize("path", PAGES)
def test_nothing_on_a_page_is_styled_or_scripted_where_it_stands(mine: httpx.Client, path: str) -> None:
    """The content security policy would leave such a drawing without its looks."""
    page = mine.get(path).text
    assert not re.search(r"<[^>]* (style|on\w+)=|<style|<script(?! src=)", page)


@pytest.mark.parametrize("path", DRAWN)
def test_every_mark_of_a_drawing_leads_to_a_page_that_is_there(mine: httpx.Client, path: str) -> None:
    found = links(drawing(mine.get(path)))
    assert found
    assert {mine.get(address).status_code for address in dict.fromkeys(found)} == {200}


def test_the_chart_leads_to_the_reason_of_every_group_and_to_every_wave(served: Served, mine: httpx.Client) -> None:
    plan, found = newest(served), links(drawing(mine.get("/plan")))
    assert {f"/plan/systems/{m.group_id}" for w in plan.waves for m in w.moves} <= set(found)
    assert {f"/plan/waves/{w.number}" for w in plan.waves} <= set(found)


def test_a_wave_tells_its_systems_in_order_and_leads_to_the_next(served: Served, mine: httpx.Client) -> None:
    page = mine.get("/plan/waves/1").text
    moves = sorted(newest(served).waves[0].moves, key=lambda m: (m.starts_at, m.crew, m.system_id))
    places = [page.index(f'<a href="/plan/systems/{m.system_id}">') for m in moves]
    assert places == sorted(places)
    assert "/plan/waves/2" in links(page)
    assert mine.get("/plan/waves/999").status_code == 404


@pytest.mark.parametrize(
    ("kind", "wave"), [("migration-plan", None), ("cutover", "1"), ("approval", "1"), ("rollback", "1")]
)
def test_a_paper_is_given_away_in_word_and_the_ledger_keeps_its_digest(
    served: Served, mine: httpx.Client, kind: str, wave: str | None
) -> None:
    form = {"csrf": csrf(mine.get("/plan")), "kind": kind, "plan": newest(served).plan_id} | (
        {"wave": wave} if wave else {}
    )
    answer = mine.post("/plan/papers", data=form)
    assert answer.status_code == 200
    assert kind in answer.headers["content-disposition"]
    assert "word/document.xml" in zipfile.ZipFile(BytesIO(answer.content)).namelist()
    record = read_timeline(served.session, Wanted(), limit=1).records[0]
    assert record["kind"] == "report"
    assert any(kind in name for name in record["body"]["files"])


def test_a_paper_of_a_plan_that_is_not_the_newest_any_more_is_refused(served: Served, mine: httpx.Client) -> None:
    old = newest(served).previous_id
    form = {"csrf": csrf(mine.get("/plan")), "kind": "cutover", "plan": str(old), "wave": "1"}
    assert mine.post("/plan/papers", data=form).status_code == 400
    assert mine.post("/plan/papers", data={**form, "kind": "audit"}).status_code == 400
    assert "/plan/papers" not in mine.get(f"/plan/waves/1?plan={old}").text


@pytest.mark.parametrize("form", ["xlsx", "html", "ics", "csv", "md", "json"])
def test_the_plan_is_given_away_as_a_file(mine: httpx.Client, form: str) -> None:
    answer = mine.get(f"/plan/files/{form}")
    assert answer.status_code == 200
    assert f".{form}" in answer.headers["content-disposition"]
    assert mine.get("/plan/files/exe").status_code == 400


def test_an_older_plan_says_so_and_its_links_stay_with_it(served: Served, mine: httpx.Client) -> None:
    old = newest(served).previous_id
    page = mine.get("/plan", params={"plan": str(old)})
    assert "这不是最新的计划" in page.text
    inside = [address for address in links(drawing(page)) if address.startswith("/plan/")]
    assert inside
    assert all(address.endswith(f"?plan={old}") for address in inside)


def test_versions_are_listed_and_two_of_them_compared(served: Served, mine: httpx.Client) -> None:
    plan = newest(served)
    page = mine.get("/plan/versions").text
    assert page.index(plan.plan_id) < page.index(str(plan.previous_id))
    compared = mine.get("/plan/changes", params={"before": str(plan.previous_id), "after": plan.plan_id})
    assert compared.status_code == 200
    assert plan.plan_id in compared.text


def test_a_plan_that_is_not_there_is_said_not_to_be(mine: httpx.Client) -> None:
    for path in ("/plan?plan=P-none", "/plan/graph?plan=%3Cscript%3E", "/plan/systems/SL-NONE"):
        answer = mine.get(path)
        assert answer.status_code == 400
        assert "<script>" not in answer.text


def test_a_new_plan_is_on_the_page_at_once(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The page keeps the newest plan between requests; it must not keep an old one."""
    with (
        workspace(tmp_path_factory.mktemp("fresh") / "w") as session,
        serving(session) as running,
        running.local() as mine,
    ):
        assert "govcloud plan build" in mine.get("/plan").text
        assert mine.get("/plan/graph").status_code == 400
        for seed in (1, 2):
            made = build_plan(later(session, seed), PlanOrder(limit_s=0.5, seed=seed, weeks=20 + seed))
            assert made.plan_id in mine.get("/plan").text


def test_the_map_of_networks_narrows_to_a_department(mine: httpx.Client) -> None:
    whole = drawing(mine.get("/networks"))
    part = drawing(mine.get("/networks", params={"department": "示例民政厅"}))
    assert "交通视频专网" in whole
    assert "民政业务专网" in part
    assert "交通视频专网" not in part
    assert "没有尚存的业务专网" in drawing(mine.get("/networks", params={"department": "<b>无"}))
