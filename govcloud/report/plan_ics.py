"""The windows of a plan and the closing of its networks as a calendar file (RFC 5545) that desk calendars import."""

from __future__ import annotations

from datetime import datetime, timedelta

from icalendar import Calendar, Event

from govcloud.model.ids import build_id
from govcloud.model.plan import Activity, MigrationPlan, Wave
from govcloud.model.plan_problem import ChangeWindow
from govcloud.model.text import Lang, Text
from govcloud.report.literal import clean_text
from govcloud.report.plan_index import PlanIndex, build_index

_NAMED = 60
"""Systems that an event lists; the plan has the others."""


def render_plan_ics(plan: MigrationPlan, *, site: str, now: datetime, lang: Lang) -> bytes:
    """One event for each window that is used and one, all day, for each network's last day. `now` (UTC) is the DTSTAMP.

    A UID is made of site and window (site and network), so that the file of a later plan changes the events of an
    earlier one instead of doubling them. Windows that the plan before used and this one does not come as CANCELLED.
    """
    index = build_index(plan)
    calendar = Calendar()
    calendar.add("prodid", f"-//govcloud//plan//{lang.upper()}")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", Text("迁移计划", "Migration plan").to(lang))
    used = {w.window.window_id for w in plan.waves}
    left = {e.opens_on for e in plan.problem.earlier}
    for wave in plan.waves:
        calendar.add_component(_wave_event(index, wave, site, now, lang))
    for window in plan.problem.windows:
        if window.opens_on in left and window.window_id not in used:
            event = _window_event(window, site, now)
            event.add("summary", Text("（取消）变更窗口", "(cancelled) change window").to(lang))
            event.add("status", "CANCELLED")
            calendar.add_component(event)
    for activity in plan.activities:
        if activity.kind == "close":
            calendar.add_component(_closing(index, activity, site, now, lang))
    return bytes(calendar.to_ical())


def _window_event(window: ChangeWindow, site: str, now: datetime) -> Event:
    event = Event()
    event.add("uid", f"{build_id('W', site, window.starts_at.isoformat())}@{site}.govcloud".lower())
    event.add("dtstamp", now)
    event.add("dtstart", window.starts_at)
    event.add("dtend", window.ends_at)
    return event


def _wave_event(index: PlanIndex, wave: Wave, site: str, now: datetime, lang: Lang) -> Event:
    event = _window_event(wave.window, site, now)
    summary = Text("第 {n} 批割接：{k} 个系统", "Wave {n}: cutover of {k} systems").format(
        n=wave.number, k=len(wave.moves)
    )
    if wave.window.provisional:
        summary = Text("（暂定）{s}", "(provisional) {s}").format(s=summary)
    event.add("summary", clean_text(summary.to(lang)))
    lines = [Text("计划 {p}", "Plan {p}").format(p=index.plan.plan_id).to(lang)]
    moves = sorted(wave.moves, key=lambda m: (m.starts_at, m.crew, m.system_id))
    for move in moves[:_NAMED]:
        start, end = (at.astimezone(index.zone).strftime("%H:%M") for at in (move.starts_at, move.ends_at))
        lines.append(f"{start}–{end} {move.crew}  {move.system_id} {index.tasks[move.system_id].name}")
    if len(moves) > _NAMED:
        lines.append(Text("另有 {n} 个系统", "and {n} more systems").format(n=len(moves) - _NAMED).to(lang))
    event.add("description", clean_text("\n".join(" ".join(line.split()) for line in lines)))
    event.add("status", "TENTATIVE" if wave.window.provisional else "CONFIRMED")
    event.add("transp", "OPAQUE")
    return event


def _closing(index: PlanIndex, activity: Activity, site: str, now: datetime, lang: Lang) -> Event:
    event = Event()
    event.add("uid", f"{build_id('N', site, activity.subject_id)}@{site}.govcloud".lower())
    event.add("dtstamp", now)
    event.add("dtstart", activity.ends_on)
    event.add("dtend", activity.ends_on + timedelta(days=1))
    network = index.networks.get(activity.subject_id)
    summary = Text("专网撤销完成：{n}", "Dedicated network closed: {n}").format(n=index.name(activity.subject_id))
    event.add("summary", clean_text(" ".join(summary.to(lang).split())))
    about = [Text("计划 {p}，撤销自 {d} 开始", "Plan {p}; the closing starts on {d}").format(
        p=index.plan.plan_id, d=activity.starts_on).to(lang)]  # fmt: skip
    if network is not None and network.due_on is not None:
        about.append(Text("要求不晚于 {d}", "Due on {d}").format(d=network.due_on).to(lang))
    event.add("description", clean_text("\n".join(about)))
    event.add("status", "CONFIRMED")
    event.add("transp", "TRANSPARENT")
    return event
