"""The plan by hand on pages: pins, and a workbook that comes back, shown before anything of it is kept."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from html import unescape
from io import BytesIO

import pytest
from desk import Desk, open_desk, text_of
from openpyxl import load_workbook
from served import AT

from govcloud.model.plan import MigrationPlan
from govcloud.workflow.plan import PlanOrder, build_plan, load_plan
from govcloud.workflow.plan_pins import list_pins


@dataclass(frozen=True, slots=True)
class Planned:
    desk: Desk
    plan: MigrationPlan

    @property
    def moved(self) -> tuple[str, date]:
        """A system of the first wave, and the day of the last one."""
        return self.plan.waves[0].moves[0].system_id, self.plan.waves[-1].window.opens_on

    def edited(self) -> bytes:
        """The exported workbook with another day for that system."""
        book = load_workbook(BytesIO(self.desk.get("builder", "/plan/files/xlsx").content))
        system_id, day = self.moved
        rows = [row for sheet in book.worksheets for row in sheet.iter_rows()]
        at = next(i for i, row in enumerate(rows) if "窗口日期" in [cell.value for cell in row])
        column = [cell.value for cell in rows[at]].index("窗口日期")
        next(row for row in rows[at:] if system_id in [cell.value for cell in row])[column].value = day.isoformat()
        out = BytesIO()
        book.save(out)
        return out.getvalue()


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Planned]:
    with open_desk(tmp_path_factory.mktemp("pins") / "w") as desk:
        # The desk's clock stands: of two plans of one instant neither is the newer one.
        earlier = replace(desk.session, now=lambda: AT - timedelta(hours=1))
        yield Planned(desk, build_plan(earlier, PlanOrder(limit_s=1, starts_on=date(2026, 12, 1))))


def test_a_system_is_pinned_left_out_and_set_free_again(office: Planned) -> None:
    desk, (system_id, day) = office.desk, office.moved
    assert 'name="systems"' not in desk.get("auditor", "/plan/pins").text
    unsaid = desk.post("builder", "/plan/pins", {"systems": system_id, "reason": "示例"})
    assert (unsaid.status_code, "二者取一" in unsaid.text) == (400, True)
    pinned = desk.post(
        "builder", "/plan/pins", {"systems": system_id, "opens_on": day.isoformat(), "reason": "示例理由"}
    )
    assert "已固定 1 个系统" in pinned.text
    shown = text_of(desk.get("auditor", "/plan/pins"))
    assert system_id in shown
    assert "示例理由" in shown
    desk.post("builder", "/plan/pins", {"systems": system_id, "leave_out": "true", "reason": "示例二"})
    (held,) = list_pins(desk.session)
    assert (held.opens_on, held.recorded_by) == (None, "示例builder")
    desk.post("builder", "/plan/pins/withdraw", {"systems": system_id, "reason": "示例三"})
    assert list_pins(desk.session) == ()
    assert "示例三" in text_of(desk.get("auditor", "/plan/pins?all=true"))


def test_a_workbook_that_came_back_is_shown_first_and_then_taken(office: Planned) -> None:
    desk, (system_id, day) = office.desk, office.moved
    looked = desk.post("builder", "/plan/edits", files={"file": ("计划.xlsx", office.edited())})
    assert system_id in text_of(looked)
    assert day.isoformat() in text_of(looked)
    assert list_pins(desk.session) == (), "it was only looked at"
    hidden = {name: unescape(value) for name, value in re.findall(r'name="(plan|edits)" value="([^"]*)"', looked.text)}
    taken = desk.post("builder", "/plan/edits/take", {**hidden, "reason": "示例理由"})
    assert (taken.status_code, taken.url.path) == (200, "/plan/changes")
    assert [(p.system_id, p.opens_on) for p in list_pins(desk.session)] == [(system_id, day)]
    newest = load_plan(desk.session)
    assert newest.plan_id != office.plan.plan_id
    (on,) = {w.window.opens_on for w in newest.waves for m in w.moves if m.system_id == system_id}
    assert on == day
    late = desk.post("builder", "/plan/edits/take", {**hidden, "reason": "示例理由"})
    assert (late.status_code, "已有更新的计划" in late.text) == (400, True)


def test_what_is_no_plan_is_refused_with_the_cell_and_without_our_folders(office: Planned) -> None:
    answer = office.desk.post("builder", "/plan/edits", files={"file": ("别的.xlsx", b"no workbook")})
    assert answer.status_code == 422
    assert "别的.xlsx" in answer.text
    assert "/tmp" not in answer.text
    garbled = office.desk.post("builder", "/plan/edits/take", {"plan": load_plan(office.desk.session).plan_id, "edits": "[{}]", "reason": "示例"})  # fmt: skip
    assert garbled.status_code == 400


def test_a_paper_is_chosen_and_downloaded(office: Planned) -> None:
    desk = office.desk
    page = text_of(desk.get("auditor", "/papers?takeover=H-older"))
    assert "第 1 批" in page
    assert "还没有执行" in page
    paper = desk.post("auditor", "/papers", {"kind": "deadlines", "form": "xlsx"})
    assert (paper.status_code, "deadlines.zh.xlsx" in paper.headers["content-disposition"]) == (200, True)
    assert load_workbook(BytesIO(paper.content)).worksheets
    assert "请选择批次" in desk.post("auditor", "/papers", {"kind": "cutover"}).text
    assert desk.post("auditor", "/papers", {"kind": "month", "month": "März"}).status_code == 422
