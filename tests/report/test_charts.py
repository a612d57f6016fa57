"""The drawings hold every system by name, in both languages, stand alone, and no two labels lie on each other."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from itertools import combinations
from xml.etree import ElementTree

import plan_samples
import pytest
from defusedxml.ElementTree import fromstring
from offices import freeze, problem, task

from govcloud.model.inventory import Dependency, Inventory, System
from govcloud.model.plan import MigrationPlan
from govcloud.model.text import Lang, Text
from govcloud.report import charts

NAMES = {
    "SL-OA-01": "协同办公系统",
    "SL-SJ-05": "数据交换前置系统",
    "SL-TJ-06": "统计报送系统",
    "SL-XF-02": "信访件<管理>&系统",
}


@pytest.fixture(scope="module")
def inventory() -> Inventory:
    systems = tuple(System(system_id=i, name=n, classified=False, data_gib=9.0) for i, n in NAMES.items())
    links = [("SL-SJ-05", "SL-TJ-06", "strong"), ("SL-TJ-06", "SL-SJ-05", "strong"), ("SL-XF-02", "SL-OA-01", "weak"),
             ("SL-OA-01", "SL-OA-01", "weak"), ("SL-OA-01", "V-12", None)]  # fmt: skip
    dependencies = tuple(
        Dependency(dependency_id=f"D{n}", source_id=a, target_id=b, strength=s)  # type: ignore[arg-type]
        for n, (a, b, s) in enumerate(links)
    )
    return Inventory(systems=systems, dependencies=dependencies)


@pytest.fixture(scope="module")
def plan() -> MigrationPlan:
    tasks = [replace(task(i, minutes=120), name=n) for i, n in NAMES.items()]
    freezes = (replace(freeze("年终", date(2026, 12, 4), date(2026, 12, 6)), title=Text("年终决算", "Year-end")),)
    of = problem(tasks, together=[("SL-SJ-05", "SL-TJ-06")], freezes=freezes, starts_on=date(2026, 11, 9))
    return plan_samples.make_plan(of, per_window=2)


def texts(svg: str) -> list[str]:
    return ["".join(e.itertext()) for e in fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]


@pytest.mark.parametrize(("lang", "freeze", "wave"), [("zh", "年终决算", "第 1 批"), ("en", "Year-end", "Wave 1")])
def test_the_gantt_chart_names_every_system_wave_and_freeze(
    plan: MigrationPlan, lang: Lang, freeze: str, wave: str
) -> None:
    svg = charts.render_gantt(plan, lang)
    found = texts(svg)
    assert {f"{i} {n}" for i, n in NAMES.items()} <= set(found)
    assert freeze in found and any(t.startswith(wave) for t in found)
    assert {"22:00", "02:00", "11-28"} <= set(found), "the clock and the calendar are local"
    assert "http" not in svg.replace("http://www.w3.org/", ""), "nothing is loaded from elsewhere"


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_boxes_of_the_dependency_graph_do_not_overlap_and_hold_their_labels(
    inventory: Inventory, lang: Lang
) -> None:
    svg = charts.render_dependency_graph(inventory, lang)
    assert {f"{i} {n}" for i, n in NAMES.items()} | {"V-12"} <= set(texts(svg))
    boxes = [box for e in fromstring(svg).iter("{http://www.w3.org/2000/svg}path") if (box := rectangle(e))]
    assert len(boxes) == 5
    for (x, y, w, h), (x2, y2, w2, h2) in combinations(boxes, 2):
        assert x + w <= x2 or x2 + w2 <= x or y + h <= y2 or y2 + h2 <= y
    assert min(w for _, _, w, _ in boxes) >= max(charts.text_px(f"{i} {n}") for i, n in NAMES.items())


def rectangle(path: ElementTree.Element) -> tuple[float, float, float, float] | None:
    """(x, y, width, height) of a drawn box; None for other shapes."""
    if path.get("aria-roledescription") != "rect mark":
        return None
    numbers = [float(n) for n in re.findall(r"-?\d+(?:\.\d+)?", path.get("d", ""))]
    xs, ys = numbers[0::2], numbers[1::2]
    return min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)


def test_the_same_inventory_is_drawn_the_same_twice(inventory: Inventory) -> None:
    assert charts.render_dependency_graph(inventory, "zh") == charts.render_dependency_graph(inventory, "zh")


def test_nothing_to_draw_is_said_in_a_drawing(plan: MigrationPlan) -> None:
    assert "清单中没有依赖关系" in texts(charts.render_dependency_graph(Inventory(), "zh"))


def test_a_plan_without_waves_says_so() -> None:
    assert "计划中没有批次" in texts(charts.render_gantt(plan_samples.empty(), "zh"))


def test_of_a_big_plan_only_the_first_nights_are_drawn_and_it_says_so() -> None:
    svg = charts.render_gantt(plan_samples.big(160, crews=20, per_window=80), "en")
    assert "The first 1 of 2 waves are drawn" in texts(svg)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_names_that_want_to_be_markup_stay_names_and_one_night_can_be_drawn_alone(lang: Lang) -> None:
    plan = plan_samples.office(plan_samples.HOSTILE)
    svg = charts.render_night(plan, plan.waves[0], lang)
    assert "<script" not in svg and "SL-01" in svg
    assert "SL-12" not in svg, "another wave"


def test_a_control_character_in_a_name_does_not_end_the_process() -> None:
    """vl-convert aborts Python on it: the whole report would be lost to one cell of a workbook."""
    names = ("示例\x07系统", "示例\x00", "\ud800")
    plan = plan_samples.office(names)
    assert "SL-01 示例\N{REPLACEMENT CHARACTER}系统" in texts(charts.render_gantt(plan, "zh"))
    systems = tuple(System(system_id=f"S{n}", name=name) for n, name in enumerate(names))
    link = Dependency(dependency_id="D", source_id="S0", target_id="S1", strength="weak")
    assert texts(charts.render_dependency_graph(Inventory(systems=systems, dependencies=(link,)), "zh"))
