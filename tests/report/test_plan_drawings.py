"""The drawings of a plan: a label that lies on another, or a bar on the wrong day, is read wrong by forty departments."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from itertools import combinations
from xml.etree.ElementTree import Element

import plan_samples as samples
import pytest
from defusedxml.ElementTree import fromstring
from offices import freeze, problem, task

from govcloud.model.plan import MigrationPlan
from govcloud.model.plan_problem import Crew, MoveTask, WeakLink
from govcloud.model.text import LANGS, Lang, Text
from govcloud.report.charts import text_px
from govcloud.report.figure import build_inline_svg
from govcloud.report.plan_curves import render_load_curves
from govcloud.report.plan_gantt import render_plan_gantt
from govcloud.report.plan_graph import render_plan_graph
from govcloud.report.plan_svg import fit

SVG = "{http://www.w3.org/2000/svg}"
OFFICE = samples.office()
DRAWINGS: dict[str, Callable[[MigrationPlan, Lang], str]] = {
    "gantt": lambda p, lang: render_plan_gantt(p, lang, today=date(2026, 12, 10), whys={"SL-04": Text("此前没有空窗口", "no room")}),
    "graph": render_plan_graph,
    "crews": lambda p, lang: render_load_curves(p, lang, "crews"),
    "links": lambda p, lang: render_load_curves(p, lang, "links"),
    "quotas": lambda p, lang: render_load_curves(p, lang, "quotas"),
}  # fmt: skip


def many_waves() -> MigrationPlan:
    """One group a window for two years: more waves than rows, and a freeze every other month."""
    freezes = [freeze(f"封网{m}", date(2027, m, 10), date(2027, m, 20)) for m in (2, 4, 6, 8, 10, 12)]
    tasks = [task(f"S{n:03d}", minutes=200) for n in range(70)]
    links = tuple(
        WeakLink(dependency_id=f"D{n}", source_id=f"S{n:03d}", target_id=f"S{n // 2:03d}") for n in range(1, 70)
    )
    return samples.make_plan(
        problem(tasks, weeks=104, crews=[Crew(name="一组")], freezes=tuple(freezes), weak_links=links)
    )


PLANS = {
    "office": OFFICE, "hostile": samples.office(samples.HOSTILE), "empty": samples.empty(), "infeasible": samples.infeasible(),
    "big": samples.big(1000), "years": many_waves(),
}  # fmt: skip


def texts(svg: str) -> list[str]:
    """What is read without hovering."""
    return ["".join(part for part in e.itertext() if part not in hints(e)) for e in fromstring(svg).iter(f"{SVG}text")]


def hints(element: Element) -> set[str]:
    return {"".join(t.itertext()) for t in element.iter(f"{SVG}title")}


def boxes(svg: str) -> list[tuple[float, float, float, float, str]]:
    """(left, top, right, bottom, words) of each label, by the width that the drawing itself reserves."""
    found = []
    for e in fromstring(svg).iter(f"{SVG}text"):
        words = "".join(p for p in e.itertext() if p not in hints(e))
        size, x, y = int(e.get("font-size", "12")), float(e.get("x", "0")), float(e.get("y", "0"))
        width = text_px(words, size)
        left = x - {"start": 0, "middle": width / 2, "end": width}[e.get("text-anchor", "start")]
        found.append((left, y - size * 0.8, left + width, y + size * 0.2, words))
    return found


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("what", DRAWINGS)
@pytest.mark.parametrize("name", PLANS)
def test_no_label_lies_on_another_or_beyond_the_edge(name: str, what: str, lang: Lang) -> None:
    svg = DRAWINGS[what](PLANS[name], lang)
    labels = boxes(svg)
    assert labels, "at least a sentence"
    for a, b in combinations(labels, 2):
        assert a[2] <= b[0] + 1 or b[2] <= a[0] + 1 or a[3] <= b[1] + 1 or b[3] <= a[1] + 1, (a, b)
    view = [float(n) for n in (fromstring(svg).get("viewBox") or "").split()]
    for left, top, right, bottom, words in labels:
        assert view[0] <= left and view[1] <= top and bottom <= view[1] + view[3], words
        assert right <= view[0] + view[2] + 1, words
    assert "http" not in svg.replace("http://www.w3.org/2000/svg", ""), "nothing is loaded from elsewhere"
    inline = build_inline_svg(svg, "x", "图")
    assert "<script" not in inline and "onerror=" not in re.sub(r">[^<]*<", "><", inline)


def test_the_gantt_chart_has_a_row_a_group_with_every_kind_of_work_on_its_days() -> None:
    svg = DRAWINGS["gantt"](OFFICE, "zh")
    found, said = texts(svg), hints(fromstring(svg))
    assert {f"SL-{n:02d} 示例系统SL-{n:02d}" for n in (1, 4, 5, 12, 20)} <= set(found)
    assert {"今天", "年终决算", "资源开通", "割接", "试运行", "1", "2", "3"} <= set(found)
    assert "SL-04 示例系统SL-04 试运行：2026-12-06 至 2026-12-12" in said
    assert "此前没有空窗口" in said, "the reason, on hover"
    assert "年终决算：2026-12-28 至 2027-01-06" in said
    assert any("专网撤销：2026-12-17 至 2026-12-23" in s for s in said)


def test_bars_stand_where_the_axis_says() -> None:
    svg = DRAWINGS["gantt"](OFFICE, "en")
    ticks = {t: (left + right) / 2 for left, _, right, _, t in boxes(svg) if re.fullmatch(r"\d\d-\d\d", t)}
    a_day = (ticks["12-14"] - ticks["12-07"]) / 7
    bar = next(
        e
        for e in fromstring(svg).iter(f"{SVG}rect")
        if "SL-04 示例系统SL-04 trial run: 2026-12-06 to 2026-12-12" in hints(e)
    )
    assert abs(float(bar.get("x", "0")) - (ticks["12-07"] - a_day)) < 1
    assert abs(float(bar.get("width", "0")) - 7 * a_day) < 1


def test_work_that_goes_on_at_the_same_time_is_drawn_side_by_side() -> None:
    trial = next(a for a in OFFICE.activities if a.job_id == "SL-04/trial")
    filing = replace(
        trial, job_id="SL-04/refile", kind="refile", starts_on=date(2026, 12, 8), ends_on=date(2026, 12, 10)
    )
    svg = render_plan_gantt(replace(OFFICE, activities=(*OFFICE.activities, filing)), "en")
    bars = [
        e
        for e in fromstring(svg).iter(f"{SVG}rect")
        if any(f"SL-04 {w}" in h for h in hints(e) for w in ("示例系统SL-04 trial", "示例系统SL-04 MLPS"))
    ]
    (top, height), (top2, height2) = sorted((float(e.get("y", "0")), float(e.get("height", "0"))) for e in bars)
    assert top + height <= top2 and height == height2


def test_many_groups_become_waves_and_many_waves_become_months() -> None:
    assert "Wave 1 · 2026-12-05 (40 groups)" in texts(DRAWINGS["gantt"](PLANS["big"], "en"))
    assert "2027-03（4 组）" in texts(DRAWINGS["gantt"](PLANS["years"], "zh"))


def test_the_graph_marks_hubs_cut_ties_and_what_comes_too_late() -> None:
    svg = render_plan_graph(OFFICE, "zh")
    assert {"第 1 批 12-05", "SL-01 示例系统SL-01", "公共服务", "断开的强依赖（临时打通）"} <= set(texts(svg))
    said = hints(fromstring(svg))
    assert "SL-06 依赖 SL-11（1 条）" in said and "SL-12 依赖 SL-01（1 条）" in said
    cut = next(e for e in fromstring(svg).iter(f"{SVG}path") if "SL-06 依赖 SL-11（1 条）" in hints(e))
    assert cut.get("stroke-dasharray"), "told apart without colour"


def test_boxes_of_the_graph_do_not_overlap() -> None:
    drawn = [e for e in fromstring(render_plan_graph(OFFICE, "zh")).iter(f"{SVG}rect") if hints(e)]
    frames = [tuple(float(e.get(k, "0")) for k in ("x", "y", "width", "height")) for e in drawn]
    assert len(frames) == 11
    for (x, y, w, h), (x2, y2, w2, h2) in combinations(frames, 2):
        assert x + w <= x2 or x2 + w2 <= x or y + h <= y2 or y2 + h2 <= y


def test_more_groups_than_can_be_read_are_drawn_by_waves() -> None:
    said = hints(fromstring(render_plan_graph(PLANS["big"], "en")))
    assert any(re.fullmatch(r"wave \d+ needs wave \d+: \d+ ties, 0 of them cut", s) for s in said)
    assert "Wave 1, 2026-12-05: 40 systems" in said


def test_the_curves_name_peak_and_limit_and_only_the_tightest_of_many() -> None:
    found = texts(render_load_curves(OFFICE, "zh", "links"))
    assert "链路 main" in found and "最高 1,100 / 1,000 Mbit/s（110%）" in found
    many = samples.big(300, crews=14, per_window=60)
    assert "The tightest 10 are drawn; 4 more are in the table" in texts(render_load_curves(many, "en", "crews"))
    assert texts(render_load_curves(samples.empty(), "zh", "quotas")) == ["没有占用可画"]


def test_a_name_too_long_is_cut_and_whole_on_hover() -> None:
    long = "示例" * 60
    tasks: list[MoveTask] = [replace(task("S1"), name=long)]
    svg = render_plan_gantt(samples.make_plan(problem(tasks)), "zh")
    assert f"S1 {long}" in hints(fromstring(svg)) and any(t.endswith("…") for t in texts(svg))
    assert fit("abc", 1000) == "abc" and text_px(fit(long, 100)) <= 100


def test_drawings_of_a_thousand_groups_can_still_be_opened() -> None:
    for what, draw in DRAWINGS.items():
        assert len(draw(PLANS["big"], "zh")) < 500_000, what
