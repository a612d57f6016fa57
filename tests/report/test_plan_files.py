"""Calendar, Mermaid and page of a plan: files that leave the office and are read by other programs."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import plan_samples as samples
import pytest
from icalendar import Calendar, Event

from govcloud.model.plan import MigrationPlan
from govcloud.model.plan_problem import Earlier
from govcloud.model.text import LANGS, Lang, Text
from govcloud.report.plan_html import render_plan_html
from govcloud.report.plan_ics import render_plan_ics
from govcloud.report.plan_mermaid import render_plan_mermaid

NOW = datetime(2026, 11, 25, 8, 30, tzinfo=UTC)


def events(plan: MigrationPlan, now: datetime = NOW, lang: Lang = "zh") -> list[Event]:
    data = render_plan_ics(plan, site="shili", now=now, lang=lang)
    assert all(len(line) <= 75 for line in data.split(b"\r\n")) and b"\n" not in data.replace(b"\r\n", b"")
    calendar = Calendar.from_ical(data)
    assert not calendar.errors and calendar["method"] == "PUBLISH"
    return list(calendar.walk("VEVENT"))


def test_windows_and_closings_are_events_with_the_systems_in_them() -> None:
    found = events(samples.office())
    assert [str(e["summary"]) for e in found] == [
        "第 1 批割接：4 个系统", "第 2 批割接：4 个系统", "第 3 批割接：4 个系统", "专网撤销完成：示例专网",
    ]  # fmt: skip
    assert found[0].decoded("dtstart") == datetime(2026, 12, 5, 14, tzinfo=UTC)
    assert found[0].decoded("dtend") - found[0].decoded("dtstart") == timedelta(hours=4)
    assert "22:00–02:00 二组 SL-02 示例系统SL-02" in str(found[0]["description"])
    assert found[3].decoded("dtstart") == date(2026, 12, 23) and found[3]["dtstart"].params["VALUE"] == "DATE"


def test_a_later_plan_changes_the_events_and_takes_back_windows_that_it_left() -> None:
    plan = samples.office()
    window = plan.problem.windows[6]
    moved = Earlier(group_id="SL-12", opens_on=window.opens_on, starts_at=window.starts_at, crew="一组")
    later = replace(plan, plan_id="P-2", problem=replace(plan.problem, earlier=(moved,)))
    before, after = events(plan), events(later, NOW + timedelta(days=3), "en")
    assert {str(e["uid"]) for e in before} < {str(e["uid"]) for e in after}
    (gone,) = [e for e in after if e["status"] == "CANCELLED"]
    assert gone.decoded("dtstart") == window.starts_at


def test_a_provisional_window_is_tentative() -> None:
    plan = samples.office()
    first = replace(plan.waves[0], window=replace(plan.waves[0].window, provisional=True))
    event = events(replace(plan, waves=(first, *plan.waves[1:])))[0]
    assert event["status"] == "TENTATIVE" and str(event["summary"]).startswith("（暂定）")


def test_hostile_names_make_no_lines_of_their_own() -> None:
    assert len(events(samples.office(samples.HOSTILE))) == 4 and events(samples.empty()) == []


BAR = re.compile(r"    [^:;#\"<>\[\]{}()|`%]+ :((crit|active|milestone), )?\d{4}-\d\d-\d\d, (\d{4}-\d\d-\d\d|0d)")
LINE = re.compile(
    r"    subgraph w\d+\[\"[^\"<>;#`\[\]{}|]+\"\]|    end| {4,8}[gw]\d+\[\"[^\"<>;#`\[\]{}|]+\"\]"
    r"|    [gw]\d+ (-->|-\. \"[^\"]+\" \.->|-- \"\d+\" -->) [gw]\d+"
)


def diagrams(markdown: str) -> tuple[list[str], list[str]]:
    fenced = re.findall(r"^```mermaid\n(.*?)\n```$", markdown, re.DOTALL | re.MULTILINE)
    assert len(fenced) == 2 and markdown.count("```") == 4
    gantt, graph = (part.split("\n") for part in fenced)
    assert gantt[0] == "gantt" and graph[0] == "flowchart LR"
    return gantt[1:], graph[1:]


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("plan", [samples.office(), samples.office(samples.HOSTILE), samples.infeasible(), samples.empty(), samples.big(1000)],
                         ids=["office", "hostile", "infeasible", "empty", "big"])  # fmt: skip
def test_every_line_of_mermaid_is_one_of_its_forms(plan: MigrationPlan, lang: Lang) -> None:
    text = render_plan_mermaid(plan, lang)
    gantt, graph = diagrams(text)
    for line in gantt:
        assert BAR.fullmatch(line) or re.fullmatch(r"    (title|section|dateFormat|axisFormat) [^:;#\"<>]+", line), line
    for line in graph:
        assert LINE.fullmatch(line), line
    assert sum(line.startswith("    subgraph") for line in graph) == graph.count("    end")
    known = {m for line in graph for m in re.findall(r"^ +([gw]\d+)\[", line)}
    assert {n for line in graph for n in re.findall(r"^    ([gw]\d+) -|> ([gw]\d+)$", line) for n in n if n} <= known
    assert len(text) < 50_000, "what Mermaid takes by default"


def test_a_keyword_for_a_name_is_no_keyword() -> None:
    plan = samples.office(("section gantt 示例",))
    tasks = tuple(replace(t, system_id="end") if t.system_id == "SL-20" else t for t in plan.problem.tasks)
    groups = tuple(
        replace(g, group_id="click", system_ids=("end",)) if g.group_id == "SL-20" else g for g in plan.problem.groups
    )
    work = tuple(replace(a, subject_id="click") if a.subject_id == "SL-20" else a for a in plan.activities)
    gantt, _ = diagrams(
        render_plan_mermaid(
            replace(plan, activities=work, problem=replace(plan.problem, tasks=tasks, groups=groups)), "zh"
        )
    )
    assert any(line.startswith("    ·click ") for line in gantt)


def page(plan: MigrationPlan, lang: Lang = "zh") -> str:
    whys = {
        g.group_id: Text(f"因 {g.group_id} 的资源才开通", f"resources of {g.group_id}") for g in plan.problem.groups
    }
    return render_plan_html(
        plan, lang=lang, office="示例市数据局", made_at=NOW, made_by="张示例", whys=whys, risks=samples.assess(plan)
    )


@pytest.mark.parametrize("lang", LANGS)
def test_the_page_says_for_every_group_when_and_why(lang: Lang) -> None:
    plan = samples.office()
    html = page(plan, lang)
    for group in plan.problem.groups:
        assert Text(f"因 {group.group_id} 的资源才开通", f"resources of {group.group_id}").to(lang) in html
    for anchor in ("gantt", "waves", "nights", "calendar", "ties", "load", "networks", "risks", "left"):
        assert f'<section id="{anchor}"' in html
    assert html.count("<svg") == 1 + len(plan.waves) + 1 + 3
    assert "<script" not in html and not re.search(r"(src|href)=\"https?:", html)


def test_hostile_names_are_text_in_the_page() -> None:
    html = page(samples.office(samples.HOSTILE))
    assert "<script" not in html and "<img" not in html and "&lt;script&gt;" in html


def test_a_plan_that_does_not_work_says_what_stands_in_the_way() -> None:
    html = page(samples.infeasible())
    assert "--set capacity.crews=3" in html and "没有足够长的窗口" in html
    assert "还没有" not in page(samples.empty())


def test_a_big_plan_makes_a_page_that_opens() -> None:
    html = page(samples.big(1600, crews=20, per_window=80, weeks=60))
    assert len(html.encode()) < 3_000_000
    assert "SL-01599" in html, "every system can be looked up"
