"""Views of time and load: every window of the period, and what crews, links and quotas carry in each week or month."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from itertools import pairwise
from typing import Literal

from govcloud.model.plan import MigrationPlan, Wave
from govcloud.model.plan_problem import ChangeWindow
from govcloud.model.text import Term, Text, same
from govcloud.report.findings import term
from govcloud.report.plan_index import build_index, freezes_over, is_general, minutes
from govcloud.report.plan_usage import Curve, Point, build_crew_minutes, build_curves, limit_on, share_pct
from govcloud.report.plan_words import SCOPE, clock, day_text, listed
from govcloud.report.view import Cell, Column, View

Period = Literal["week", "month"]
_STATES = {
    "wave": Term("已安排", "used", "wave"), "open": Term("未用", "not used", "open"),
    "frozen": Term("封网", "frozen", "frozen"), "partly_frozen": Term("部分封网", "frozen for some", "partly_frozen"),
}  # fmt: skip
_NAMED_CREWS = 8
"""More crews than this are summed up in a cell; the load table has each of them."""


def build_calendar_view(plan: MigrationPlan) -> View:
    """Every window of the period in order of time: used by which wave, closed by which freeze, how full."""
    zone = build_index(plan).zone
    waves = {w.window.window_id: w for w in plan.waves}
    spent = build_crew_minutes(plan)
    rows = []
    for window in plan.problem.windows:
        wave, busy = waves.get(window.window_id), spent.get(window.window_id, {})
        length = minutes(window.starts_at, window.ends_at)
        met = freezes_over(plan, window.starts_at, window.ends_at)
        row: dict[str, Cell] = {
            "date": day_text(window.starts_at, zone),
            "opens_at": clock(window.starts_at, window.starts_at, zone),
            "closes_at": clock(window.ends_at, window.starts_at, zone),
            "minutes": length,
            "state": _STATES[_state(plan, window, wave)],
            "freezes": listed(f.title for f in met) if met else None,
            "wave": wave.number if wave else None,
            "systems": len(wave.moves) if wave else None,
            "crews": _crew_cell(busy, length) if busy else None,
            "load_pct": round(_share(busy, length, len(plan.problem.crews))) if busy else None,
            "provisional": window.provisional,
        }
        rows.append(row)
    notes = [
        Text("占用率为各班组割接与回退预留之和占全部班组窗口时间的比例", "Load: cutovers and reserves of all crews over the window's time of all crews")
    ]  # fmt: skip
    if any(w.provisional for w in plan.problem.windows):
        notes.append(
            Text("“暂定”窗口所在年份的放假安排尚未公布", "Provisional: the holidays of that year are not published yet")
        )
    return View(
        name="calendar", title=Text("窗口日历", "Calendar of windows"), columns=_CALENDAR_COLUMNS, rows=tuple(rows),
        notes=tuple(notes) if rows else (), facts={"crew_minutes": {k: dict(v) for k, v in spent.items()}},
    )  # fmt: skip


_CALENDAR_COLUMNS = (
    Column("date", Text("窗口日期", "Window")),
    Column("opens_at", Text("开始", "From")),
    Column("closes_at", Text("结束", "To")),
    Column("minutes", Text("分钟", "Minutes"), "right"),
    Column("state", Text("状态", "State")),
    Column("freezes", Text("封网原因", "Freezes")),
    Column("wave", Text("批次", "Wave"), "right"),
    Column("systems", Text("系统", "Systems"), "right"),
    Column("crews", Text("班组占用", "Crews")),
    Column("load_pct", Text("占用率（%）", "Load (%)"), "right"),
    Column("provisional", Text("暂定", "Provisional")),
)


def _state(plan: MigrationPlan, window: ChangeWindow, wave: Wave | None) -> str:
    if wave is not None:
        return "wave"
    met = freezes_over(plan, window.starts_at, window.ends_at)
    if any(is_general(f) for f in met):
        return "frozen"
    return "partly_frozen" if met else "open"


def _crew_cell(busy: Mapping[str, int], length: int) -> Text:
    """`一组 180 分（75%）、…`; of many crews only how many and the fullest."""
    if len(busy) > _NAMED_CREWS:
        most = max(busy.values())
        return Text("{n} 个班组，最满 {m} 分（{p}%）", "{n} crews, the fullest {m} min ({p} %)").format(
            n=len(busy), m=most, p=round(share_pct(most, length))
        )
    return listed(
        Text("{c} {m} 分（{p}%）", "{c} {m} min ({p} %)").format(c=crew, m=spent, p=round(share_pct(spent, length)))
        for crew, spent in sorted(busy.items())
    )


def _share(busy: Mapping[str, int], length: int, crews: int) -> float:
    return share_pct(sum(busy.values()), length * max(crews, len(busy)))


def build_load_view(plan: MigrationPlan, by: Period = "month") -> View:
    """A row for each week or month and each crew or resource that is in use then: the peak, the limit, the share."""
    start = _START[by]
    rows = [*_crew_rows(plan, start), *(row for curve in build_curves(plan) for row in _curve_rows(curve, start, plan))]
    # Periods in order of time; within one the crews, then the resources as the problem has them.
    rows.sort(key=lambda row: str(row["from_on"]))
    columns = (
        Column("period", Text("周", "Week") if by == "week" else Text("月", "Month")),
        Column("from_on", Text("起", "From")),
        Column("resource_id", Text("编号", "Id")),
        Column("resource", Text("班组或资源", "Crew or resource")),
        Column("scope", Text("口径", "Counted")),
        Column("used", Text("占用（峰值）", "Used (peak)"), "right"),
        Column("limit", Text("上限", "Limit"), "right"),
        Column("unit", Text("单位", "Unit")),
        Column("used_pct", Text("占用率（%）", "Used (%)"), "right"),
    )
    return View(
        name="load", title=Text("班组与资源占用", "Load of crews and resources"), columns=columns, rows=tuple(rows),
        notes=(_tightest(rows),) if rows else (),
    )  # fmt: skip


def _tightest(rows: list[dict[str, Cell]]) -> Text:
    worst = max(rows, key=lambda row: float(str(row["used_pct"])))
    return Text("最紧的是 {p} 的{r}：{u} %", "The tightest: {r} in {p}, {u} %").format(
        p=worst["period"], r=worst["resource"], u=worst["used_pct"]
    )


_START: Mapping[Period, Callable[[date], date]] = {
    "week": lambda on: on - timedelta(days=on.weekday()),
    "month": lambda on: on.replace(day=1),
}


def _label(first: date, start: Callable[[date], date]) -> str:
    if start is _START["month"]:
        return f"{first:%Y-%m}"
    year, week, _ = first.isocalendar()
    return f"{year}-W{week:02d}"


def _crew_rows(plan: MigrationPlan, start: Callable[[date], date]) -> list[dict[str, Cell]]:
    spent = build_crew_minutes(plan)
    open_minutes: Counter[date] = Counter()
    busy: dict[date, Counter[str]] = defaultdict(Counter)
    for window in plan.problem.windows:
        if _state(plan, window, None) != "frozen" or window.window_id in spent:
            open_minutes[start(window.opens_on)] += minutes(window.starts_at, window.ends_at)
        busy[start(window.opens_on)].update(spent.get(window.window_id, {}))
    return [
        _row(first, start, f"crew:{crew}", same(crew), _CREW, used, open_minutes[first], _MINUTES)
        for first, crews in sorted(busy.items())
        for crew, used in sorted(crews.items())
    ]


_CREW, _MINUTES = Term("窗口内时间", "time in windows", "windows"), Text("分钟", "minutes")


def _row(
    first: date, start: Callable[[date], date], resource_id: str, title: Text, scope: Text, used: int, limit: int, unit: Text
) -> dict[str, Cell]:  # fmt: skip
    return {
        "period": _label(first, start), "from_on": first, "resource_id": resource_id, "resource": title, "scope": scope,
        "used": used, "limit": limit, "unit": unit, "used_pct": round(share_pct(used, limit), 1),
    }  # fmt: skip


def _curve_rows(curve: Curve, start: Callable[[date], date], plan: MigrationPlan) -> list[dict[str, Cell]]:
    resource = curve.resource
    peaks: dict[date, Point] = {}

    def note(first: date, point: Point) -> None:
        known = peaks.get(first)
        if known is None or share_pct(point.used, point.limit) > share_pct(known.used, known.limit):
            peaks[first] = point

    for point in curve.points:
        note(start(point.on), point)
    if resource.scope in ("at_once", "total"):
        end = max((a.ends_on for a in plan.activities), default=curve.points[-1].on)
        last = Point(max(end, curve.points[-1].on), 0, limit_on(resource, end))
        for point, after in pairwise((*curve.points, last)):
            # A level goes on through the periods in which nothing changes.
            first = start(point.on)
            while (first := start(first + timedelta(days=32 if start is _START["month"] else 7))) < after.on:
                note(first, point)
    return [
        _row(first, start, resource.resource_id, resource.title, term(SCOPE, resource.scope), p.used, p.limit, resource.unit)
        for first, p in sorted(peaks.items())
        if p.used
    ]  # fmt: skip
