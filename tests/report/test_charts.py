"""The drawings hold every system by name, in both languages, stand alone, and no two labels lie on each other."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from itertools import combinations
from xml.etree import ElementTree

import pytest
from defusedxml.ElementTree import fromstring

from govcloud.model.inventory import Dependency, Inventory, System
from govcloud.model.plan import MigrationPlan
from govcloud.model.text import Lang
from govcloud.planning.cpsat import Search
from govcloud.planning.load import parse_rules
from govcloud.planning.plan import build_plan
from govcloud.planning.problem import build_problem
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
def plan(inventory: Inventory) -> MigrationPlan:
    rules = parse_rules({
        "capacity": {"systems_per_window": 2},
        "freezes": [{"name": "年终", "title": {"zh": "年终决算", "en": "Year-end"}, "starts_on": "2026-12-04", "ends_on": "2026-12-06"}],
    })  # fmt: skip
    problem = build_problem(inventory, rules, starts_on=date(2026, 11, 22), published_years={2026, 2027})
    return build_plan(problem, created_at=datetime(2026, 11, 22, tzinfo=UTC), search=Search(limit_s=1))


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
