"""Loads over time as drawings: crews in each window, links from day to day, quotas as they fill up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Literal

from govcloud.model.plan import MigrationPlan
from govcloud.model.text import Lang, Text, same
from govcloud.report.charts import text_px
from govcloud.report.plan_index import minutes
from govcloud.report.plan_svg import BLUE, GREEN, GREY, GRID, RED, SKY, Sheet, message, ticks
from govcloud.report.plan_usage import Curve, Point, build_crew_minutes, build_curves, share_pct

What = Literal["crews", "links", "quotas"]
_PANELS = 10
"""The tightest of many; all of them are in the table."""
_PLOT, _HIGH, _STEP, _MOST_LABEL = 760, 46, 66, 230
_FLAT = 4
"""A limit so many times above the peak is named, not drawn: the curve would lie on the ground."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Panel:
    title: Text
    unit: Text
    points: tuple[Point, ...]
    bars: bool
    """Windows and months are bars; what is held from day to day is an area."""
    wide_days: int = 1

    @property
    def peak(self) -> Point:
        return max(self.points, key=lambda p: (share_pct(p.used, p.limit), p.used))


def render_load_curves(plan: MigrationPlan, lang: Lang, what: What) -> str:
    """SVG: a panel for each crew, each resource in use at the same time, or each quota and monthly limit."""
    panels = _panels(plan, what)
    if not panels:
        return message(Text("没有占用可画", "There is no load to draw").to(lang))
    tightest = sorted(panels, key=lambda p: -share_pct(p.peak.used, p.peak.limit))[:_PANELS]
    shown = [p for p in panels if any(p is t for t in tightest)]
    first = plan.problem.starts_on
    last = max(p.points[-1].on + timedelta(days=p.wide_days) for p in shown) + timedelta(days=3)
    return _draw(shown, first, last, len(panels) - len(shown), lang)


def has_load(plan: MigrationPlan, what: What) -> bool:
    return bool(_panels(plan, what))


def _panels(plan: MigrationPlan, what: What) -> list[_Panel]:
    every = _crews(plan) if what == "crews" else _resources(plan, what)
    return [panel for panel in every if any(point.used for point in panel.points)]


def _crews(plan: MigrationPlan) -> list[_Panel]:
    spent = build_crew_minutes(plan)
    points: dict[str, list[Point]] = {c.name: [] for c in plan.problem.crews}
    for wave in plan.waves:
        length = minutes(wave.window.starts_at, wave.window.ends_at)
        for crew, used in spent[wave.window.window_id].items():
            points.setdefault(crew, []).append(Point(wave.window.opens_on, used, length))
    unit = Text("分钟", "min")
    return [_Panel(title=same(c), unit=unit, points=tuple(p), bars=True) for c, p in points.items() if p]


def _resources(plan: MigrationPlan, what: What) -> list[_Panel]:
    scopes = ("at_once", "per_window") if what == "links" else ("total", "per_month")
    return [_panel(plan, curve) for curve in build_curves(plan) if curve.resource.scope in scopes]


def _panel(plan: MigrationPlan, curve: Curve) -> _Panel:
    resource = curve.resource
    points = curve.points
    if resource.scope == "total":
        # What has been taken stays taken until the work ends.
        end = max([a.ends_on for a in plan.activities], default=points[-1].on)
        points = (*points, Point(max(end, points[-1].on), points[-1].used, points[-1].limit))
    bars = resource.scope in ("per_window", "per_month")
    return _Panel(title=resource.title, unit=resource.unit, points=points, bars=bars,
                  wide_days=28 if resource.scope == "per_month" else 1)  # fmt: skip


def _draw(panels: Sequence[_Panel], first: date, last: date, rest: int, lang: Lang) -> str:
    words = [(p.title.to(lang), _peak(p, lang)) for p in panels]
    left = min(max(text_px(w) for pair in words for w in pair), _MOST_LABEL) + 16
    bottom = 24 + _STEP * len(panels)
    sheet = Sheet(left + _PLOT + 12, bottom + 26 + (18 if rest else 0))
    days = max((last - first).days, 1)

    def x(day: date) -> float:
        return left + _PLOT * min(max((day - first).days / days, 0), 1)

    previous = -1e9
    for day in ticks(first, last, 14):
        sheet.line(x(day), 20, x(day), bottom, GRID)
        label = f"{day:%m-%d}" if day.day != 1 or day.month != 1 else f"{day:%Y-%m-%d}"
        if x(day) - previous >= text_px(label) + 8:
            sheet.text(x(day), 14, label, anchor="middle", fill=GREY)
            previous = x(day)
    for n, (panel, (title, peak)) in enumerate(zip(panels, words, strict=True)):
        base = 24 + n * _STEP + _HIGH + 12
        sheet.text(0, base - 28, title, bold=True, most_px=left - 12)
        sheet.text(0, base - 10, peak, size=11, fill=GREY, most_px=left - 12)
        _curve(sheet, panel, base, x, lang)
        sheet.line(left, base, left + _PLOT, base, GREY)
    sheet.line(0, bottom + 14, 22, bottom + 14, RED, dash="5 3")
    sheet.text(28, bottom + 18, Text("上限", "limit").to(lang), fill=GREY)
    if rest:
        text = Text("只画最紧的 {k} 项，另有 {n} 项见表", "The tightest {k} are drawn; {n} more are in the table")
        sheet.text(0, bottom + 36, text.format(k=len(panels), n=rest).to(lang), fill=GREY)
    return sheet.svg()


def _peak(panel: _Panel, lang: Lang) -> str:
    peak = panel.peak
    text = Text("最高 {u} / {l} {n}（{p}%）", "peak {u} / {l} {n} ({p} %)")
    return text.format(u=f"{peak.used:,}", l=f"{peak.limit:,}", n=panel.unit, p=round(share_pct(peak.used, peak.limit))).to(lang)  # fmt: skip


def _curve(sheet: Sheet, panel: _Panel, base: float, x: Callable[[date], float], lang: Lang) -> None:
    most = max(p.used for p in panel.points)
    near = [p.limit for p in panel.points if p.limit <= _FLAT * most]
    top = max([most, *near]) * 1.08 or 1

    def y(amount: int) -> float:
        return base - _HIGH * min(amount / top, 1)

    def hint(point: Point) -> str:
        return f"{point.on} {point.used:,} / {point.limit:,} {panel.unit.to(lang)}"

    if panel.bars:
        for point in panel.points:
            width = max(x(point.on + timedelta(days=panel.wide_days)) - x(point.on) - 1, 5)
            over = point.used > point.limit
            sheet.rect(x(point.on), y(point.used), width, base - y(point.used), RED if over else BLUE, hint=hint(point))
    else:
        for point, after in pairwise(panel.points):
            if point.used:
                sheet.rect(x(point.on), y(point.used), x(after.on) - x(point.on), base - y(point.used),
                           RED if point.used > point.limit else SKY if point.used < point.limit else GREEN, hint=hint(point))  # fmt: skip
    if near:
        d = "".join(
            f"{'M' if n == 0 else 'L'}{x(p.on):.1f} {y(p.limit):.1f}L{x(q.on):.1f} {y(p.limit):.1f}"
            for n, (p, q) in enumerate(pairwise((*panel.points, Point(date.max, 0, 0))))
        )
        sheet.path(d, stroke=RED, dash="5 3")
