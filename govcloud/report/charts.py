"""Drawings as SVG text: Vega-Lite written by Altair, drawn by vl-convert without a browser and without the internet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from itertools import chain
from typing import Any
from zoneinfo import ZoneInfo

import altair as alt
import networkx as nx
import vl_convert

from govcloud.model.inventory import Dependency, Inventory
from govcloud.model.plan import MigrationPlan, Wave
from govcloud.model.plan_problem import ChangeWindow
from govcloud.model.text import Lang, Text
from govcloud.report.literal import clean_text
from govcloud.report.plan_index import is_general
from govcloud.report.plan_words import day_text

# The first font that the reader's machine has; the same text must be readable on Windows, macOS, Kylin and UOS.
FONTS = (
    "Source Han Sans SC, Noto Sans CJK SC, Noto Sans SC, Microsoft YaHei, PingFang SC, "
    "WenQuanYi Micro Hei, Helvetica, Arial, sans-serif"
)
_INK, _GREY, _GRID = "#1f2d3d", "#6b7785", "#e3e8ee"
_CREWS = ("#2f5d8c", "#b5722a", "#4d7f5a", "#7a5a94", "#9c4a4a", "#4b8a8f", "#8a7f3c", "#6b6b6b")
_FREEZE, _FROZEN = "#e7d9d3", "#a8593c"
_PLOT_PX = 640
_ROW_PX = 24
_SWEEPS = 6
_MOST_NIGHT_ROWS, _MOST_NAME = 150, 30


def build_svg(chart: Any) -> str:
    configured = (
        chart.configure(font=FONTS, background="white", padding=8)
        .configure_view(stroke=None)
        .configure_axis(
            labelColor=_INK, titleColor=_GREY, gridColor=_GRID, domainColor=_GRID, tickColor=_GRID, labelFontSize=12,
            titleFontSize=12, titleFontWeight="normal", labelLimit=0,
        )
        .configure_title(color=_INK, fontSize=13, anchor="start", offset=6, subtitleColor=_GREY, subtitleFontSize=12)
        .configure_legend(labelColor=_INK, titleColor=_GREY, labelFontSize=12, titleFontSize=12, labelLimit=0)
    )  # fmt: skip
    version = "_".join(alt.SCHEMA_VERSION.split(".")[:2])
    return str(vl_convert.vegalite_to_svg(_harmless(configured.to_dict()), vl_version=version))


def _harmless(spec: Any) -> Any:
    """Every text without control characters: one of them in a name makes vl-convert abort the whole process (its #220)."""
    if isinstance(spec, dict):
        return {key: _harmless(value) for key, value in spec.items()}
    if isinstance(spec, list):
        return [_harmless(value) for value in spec]
    return clean_text(spec) if isinstance(spec, str) else spec


def build_data(rows: Sequence[Mapping[str, object]]) -> Any:
    return alt.Data(values=[dict(row) for row in rows])  # type: ignore[no-untyped-call]


def text_px(text: str, size: int = 12) -> int:
    """Width to reserve: a wide character takes one em, another a bit more than half of it."""
    return int(sum(size if ord(c) > 0x2E80 else size * 0.56 for c in text)) + 1


def render_gantt(plan: MigrationPlan, lang: Lang) -> str:
    """The calendar of windows and freezes above, then each wave by the minute: cutover solid, rollback reserve pale.

    Of a plan with more systems than can be read only the first waves are drawn, and it says so.
    """
    if not plan.waves:
        return build_svg(_sentence(Text("计划中没有批次", "The plan has no waves").to(lang)))
    shown = _first_waves(plan)
    labels, gutter = _labels(plan, shown)
    gutter = max([gutter, *(text_px(f.title.to(lang)) + 12 for f in plan.problem.freezes)])
    zone = ZoneInfo(plan.problem.timezone)
    longest = max(_minutes(w.window.starts_at, w.window.ends_at) for w in shown)
    parts = [_calendar(plan, lang, zone, gutter)]
    parts += [_wave(plan, w, lang, zone, gutter, longest, labels, key=w is shown[-1]) for w in shown]
    if len(shown) < len(plan.waves):
        text = Text("只画前 {k} 批，共 {n} 批", "The first {k} of {n} waves are drawn")
        parts.append(_sentence(text.format(k=len(shown), n=len(plan.waves)).to(lang)))
    return build_svg(alt.vconcat(*parts, spacing=14).resolve_scale(color="shared"))


def render_night(plan: MigrationPlan, wave: Wave, lang: Lang) -> str:
    """One wave by the minute, as in `render_gantt`; of more systems than can be read the first ones."""
    labels, gutter = _labels(plan, [wave])
    longest = _minutes(wave.window.starts_at, wave.window.ends_at)
    return build_svg(_wave(plan, wave, lang, ZoneInfo(plan.problem.timezone), gutter, longest, labels, key=True))


def _first_waves(plan: MigrationPlan) -> list[Wave]:
    shown: list[Wave] = []
    for wave in plan.waves:
        if shown and sum(len(w.moves) for w in shown) + len(wave.moves) > _MOST_NIGHT_ROWS:
            break
        shown.append(wave)
    return shown


def _labels(plan: MigrationPlan, waves: Sequence[Wave]) -> tuple[dict[str, str], int]:
    """System id -> its row's label, and the pixels that the longest takes."""
    moving = {m.system_id for w in waves for m in w.moves}
    labels = {t.system_id: _label(t.system_id, t.name) for t in plan.problem.tasks if t.system_id in moving}
    return labels, max(map(text_px, labels.values())) + 12


def _label(system_id: str, name: str) -> str:
    """One line that leaves room for the bars; the id stays whole, or two systems would share a row."""
    one = " ".join(name.split())
    return f"{system_id} {one if len(one) <= _MOST_NAME else one[: _MOST_NAME - 1] + '…'}"


def _minutes(start: datetime, end: datetime) -> int:
    return int((end - start).total_seconds()) // 60


def _calendar(plan: MigrationPlan, lang: Lang, zone: ZoneInfo, gutter: int) -> Any:
    problem = plan.problem
    row = Text("变更窗口", "Change windows").to(lang)
    first = datetime.combine(problem.starts_on, time())
    last = first + timedelta(weeks=problem.weeks)
    used = {w.window: w.number for w in plan.waves}
    windows = [
        {
            "at": _local(w.starts_at, zone),
            "row": row,
            "kind": _kind(plan, w, used),
            "number": str(used.get(w, "")),
        }
        for w in problem.windows
    ]
    freezes = [
        {"from": max(_local(f.starts_at, zone), _stamp(first)), "to": min(_local(f.ends_at, zone), _stamp(last)),
         "row": f.title.to(lang)}
        for f in problem.freezes
    ]  # fmt: skip
    rows = [row, *dict.fromkeys(str(f["row"]) for f in freezes)]
    x = alt.X("at:T").scale(domain=[_stamp(first), _stamp(last)]).title(None).axis(
        orient="top", format="%m-%d", values=[str(w["at"]) for w in windows], labelOverlap=True
    )  # fmt: skip
    y = alt.Y("row:N").sort(rows).title(None).axis(labelPadding=8, ticks=False, minExtent=gutter)
    base = alt.Chart(build_data(windows), width=_PLOT_PX, height=_ROW_PX * len(rows))
    colour = alt.Color("kind:N").scale(domain=["wave", "open", "frozen"], range=[_CREWS[0], "#ffffff", _FREEZE])
    dots = base.mark_point(size=260, filled=True, opacity=1, stroke=_GREY, strokeWidth=0.8).encode(
        x=x, y=y, color=colour.legend(None)
    )
    numbers = base.mark_text(color="white", fontWeight="bold", fontSize=11).encode(x=x, y=y, text="number:N")
    bands = (
        alt.Chart(build_data(freezes)).mark_bar(color=_FROZEN, opacity=0.55, height=10).encode(
            x=alt.X("from:T"), x2="to:T", y=y
        )
    )  # fmt: skip
    layers = [bands, dots, numbers] if freezes else [dots, numbers]
    title = Text("期间：{a} 起 {w} 周", "Period: {w} weeks from {a}").format(a=problem.starts_on, w=problem.weeks)
    key = Text(
        "点为变更窗口：蓝色数字为批次，白色未用，浅褐色封网",
        "Dots are windows: blue with the wave's number, white not used, pale brown frozen",
    )
    return alt.layer(*layers).properties(title=alt.TitleParams(title.to(lang), subtitle=key.to(lang)))


def _kind(plan: MigrationPlan, window: ChangeWindow, used: Mapping[ChangeWindow, int]) -> str:
    """`frozen` where a freeze closes the window for everybody."""
    if window in used:
        return "wave"
    closed = any(
        is_general(f) and window.starts_at < f.ends_at and f.starts_at < window.ends_at for f in plan.problem.freezes
    )
    return "frozen" if closed else "open"


def _wave(
    plan: MigrationPlan, wave: Wave, lang: Lang, zone: ZoneInfo, gutter: int, longest: int, labels: Mapping[str, str],
    *, key: bool,
) -> Any:  # fmt: skip
    opening = wave.window.starts_at
    crews = list(dict.fromkeys([*(c.name for c in plan.problem.crews), *(m.crew for m in wave.moves)]))
    moves = sorted(wave.moves, key=lambda m: (m.crew, m.starts_at))[:_MOST_NIGHT_ROWS]
    rows = [
        {"label": labels[m.system_id], "crew": m.crew, "from": _minutes(opening, m.starts_at),
         "cut": _minutes(opening, m.cutover_ends_at), "to": _minutes(opening, m.ends_at)}
        for m in moves
    ]  # fmt: skip
    local = opening.astimezone(zone)
    clock = f"timeFormat(datetime(2000, 0, 1, {local.hour}, {local.minute} + datum.value), '%H:%M')"
    x = alt.X("from:Q").scale(domain=[0, longest]).title(None).axis(
        values=list(range(0, longest + 1, 30 if longest <= 480 else 120)), labelExpr=clock
    )  # fmt: skip
    y = alt.Y("label:N").sort([str(r["label"]) for r in rows]).title(None).axis(
        labelPadding=8, ticks=False, minExtent=gutter
    )  # fmt: skip
    legend = alt.Legend(orient="bottom", title=Text("班组（浅色为回退预留）", "Crew (pale: rollback reserve)").to(lang),
                        direction="horizontal", symbolType="square")  # fmt: skip
    colour = alt.Color("crew:N").scale(domain=crews, range=[_CREWS[i % len(_CREWS)] for i in range(len(crews))])
    colour = colour.legend(legend if key else None)
    base = alt.Chart(build_data(rows), width=_PLOT_PX, height=_ROW_PX * len(rows))
    cutover = base.mark_bar(height=13).encode(x=x, x2="cut:Q", y=y, color=colour)
    reserve = base.mark_bar(height=13, opacity=0.3).encode(
        x=alt.X("cut:Q").title(None), x2="to:Q", y=y, color=colour.legend(None)
    )  # fmt: skip
    title = Text("第 {n} 批　{d}　{k} 个系统", "Wave {n} · {d} · systems: {k}").format(
        n=wave.number, d=day_text(opening, zone), k=len(wave.moves)
    )
    return alt.layer(cutover, reserve).properties(title=title.to(lang)).resolve_scale(color="independent")


def _local(at: datetime, zone: ZoneInfo) -> str:
    return _stamp(at.astimezone(zone))


def _stamp(at: datetime) -> str:
    """Without an offset: the renderer takes it as local and shows the same clock."""
    return at.strftime("%Y-%m-%dT%H:%M:%S")


def _sentence(text: str) -> Any:
    data = build_data([{"t": text}])
    return alt.Chart(data, width=_PLOT_PX, height=40).mark_text(color=_GREY, fontSize=13).encode(text="t:N")


def render_dependency_graph(inventory: Inventory, lang: Lang) -> str:
    """Boxes in columns: whatever needs others stands on the left of what it needs. Systems without dependencies are left out."""
    links = sorted(
        (d for d in inventory.dependencies if d.source_id != d.target_id and d.binds), key=lambda d: d.dependency_id
    )
    if not links:
        return build_svg(_sentence(Text("清单中没有依赖关系", "There are no dependencies in the inventory").to(lang)))
    names = {s.server_id: s.name for s in inventory.servers}
    names |= {s.system_id: f"{s.system_id} {s.name}" for s in inventory.systems}
    systems = {s.system_id for s in inventory.systems}
    place = _columns(links)
    labels = {node: names.get(node, node) for node in place}
    width = max(map(text_px, labels.values())) + 20
    boxes = [
        {"x": c * (width + 90), "x2": c * (width + 90) + width, "y": r * 44.0, "y2": r * 44.0 + 26,
         "mx": c * (width + 90) + width / 2, "my": r * 44.0 + 13, "label": labels[n], "system": n in systems}
        for n, (c, r) in place.items()
    ]  # fmt: skip
    at = dict(zip(place, boxes, strict=True))
    lines = [_line(at[d.source_id], at[d.target_id], d) for d in links]
    return build_svg(_graph(boxes, lines, lang))


def _columns(links: Sequence[Dependency]) -> dict[str, tuple[int, float]]:
    """Node -> (column, row). Columns are the generations of the condensed graph; rows follow the neighbours' mean, there and back."""
    graph: nx.DiGraph[str] = nx.DiGraph((d.source_id, d.target_id) for d in links)
    condensed = nx.condensation(graph)
    # Members of a cycle stand together, so that the lines between them cross no other box.
    columns = [
        sorted(sorted(condensed.nodes[c]["members"]) for c in generation)
        for generation in nx.topological_generations(condensed)
    ]
    around: nx.Graph[str] = graph.to_undirected()
    place = _rows(columns)
    for sweep in range(_SWEEPS):
        for c in range(len(columns)) if sweep % 2 == 0 else reversed(range(len(columns))):
            outside = [{n for member in cycle for n in around[member]} - set(cycle) for cycle in columns[c]]
            means = [sum(place[n][1] for n in near) / len(near) if near else 0.0 for near in outside]
            columns[c] = [cycle for _, cycle in sorted(zip(means, columns[c], strict=True))]
            place = _rows(columns)
    tallest = max(sum(map(len, cycles)) for cycles in columns)
    return {n: (c, r + (tallest - sum(map(len, columns[c]))) / 2) for n, (c, r) in place.items()}


def _rows(columns: Sequence[Sequence[Sequence[str]]]) -> dict[str, tuple[int, float]]:
    return {
        node: (c, float(row))
        for c, cycles in enumerate(columns)
        for row, node in enumerate(chain.from_iterable(cycles))
    }


def _line(source: Mapping[str, Any], target: Mapping[str, Any], link: Dependency) -> dict[str, Any]:
    """From the edge of one box to the edge of the other; within a column from below to above or the other way."""
    if source["x"] == target["x"]:
        down = source["y"] < target["y"]
        # The two directions of a cycle lie side by side.
        x = source["mx"] + (12 if down else -12)
        ends = (x, source["y2" if down else "y"], x, target["y" if down else "y2"], 180 if down else 0)
    else:
        ends = (source["x2"], source["my"], target["x"] - 6, target["my"], 90)
    x, y, x2, y2, angle = ends
    strength = link.strength or "unknown"
    return {"x": x, "y": y, "x2": x2, "y2": y2, "angle": angle, "strength": strength}


def _graph(boxes: Sequence[Mapping[str, Any]], lines: Sequence[Mapping[str, Any]], lang: Lang) -> Any:
    width = max(b["x2"] for b in boxes) + 2
    height = max(b["y2"] for b in boxes) + 2
    names = {
        "strong": Text("强依赖（须同窗口）", "strong (same window)").to(lang),
        "weak": Text("弱依赖", "weak").to(lang),
        "unknown": Text("强弱未定", "not known").to(lang),
    }
    x_scale, y_scale = alt.Scale(domain=[0, width], nice=False), alt.Scale(domain=[0, height], reverse=True, nice=False)

    def x(field: str) -> Any:
        return alt.X(f"{field}:Q").scale(x_scale).axis(None)

    def y(field: str) -> Any:
        return alt.Y(f"{field}:Q").scale(y_scale).axis(None)

    drawn = build_data([{**line, "kind": names[line["strength"]]} for line in lines])
    kinds = list(names.values())
    dash = alt.StrokeDash("kind:N").scale(domain=kinds, range=[[1, 0], [6, 4], [2, 3]])
    legend = alt.Legend(orient="bottom", title=Text("箭头指向被依赖的一方", "the arrow points to what is needed").to(lang),
                        direction="horizontal", symbolType="stroke", symbolSize=400, titleLimit=0)  # fmt: skip
    rules = alt.Chart(drawn, width=width, height=height).mark_rule(color=_GREY, strokeWidth=1.3).encode(
        x=x("x"), y=y("y"), x2="x2:Q", y2="y2:Q", strokeDash=dash.legend(legend)
    )  # fmt: skip
    heads = alt.Chart(drawn).mark_point(shape="triangle-up", filled=True, color=_GREY, size=55, opacity=1).encode(
        x=x("x2"), y=y("y2"), angle=alt.Angle("angle:Q").scale(None)
    )  # fmt: skip
    placed = build_data(boxes)
    fill = alt.condition("datum.system", alt.value("#eef3f8"), alt.value("#f7ecdc"))
    frames = alt.Chart(placed).mark_rect(stroke=_GREY, strokeWidth=0.8, cornerRadius=3).encode(
        x=x("x"), x2="x2:Q", y=y("y"), y2="y2:Q", color=fill
    )  # fmt: skip
    words = alt.Chart(placed).mark_text(color=_INK, fontSize=12).encode(x=x("mx"), y=y("my"), text="label:N")
    return alt.layer(rules, frames, heads, words)
