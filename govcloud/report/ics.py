"""Open duties as a calendar file (RFC 5545) that desk calendars import: an all-day event on each last day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from icalendar import Alarm, Calendar, Event

from govcloud.model.deadline import ProjectDeadline
from govcloud.model.ids import build_id
from govcloud.model.regulation import Regulation
from govcloud.model.text import Lang, Text
from govcloud.report.findings import role_text
from govcloud.report.literal import clean_text
from govcloud.report.projects import EVENT, OFFICE, PROVISIONAL, act_text, missing_term, remark_text

_REMIND = timedelta(days=-3, hours=9)
"""From the midnight that begins the day: nine in the morning, three days ahead."""


def render_ics(rows: Sequence[ProjectDeadline], own: Regulation, *, site: str, now: datetime, lang: Lang) -> bytes:
    """The duties that are due or overdue; the same rows and clock give the same bytes.

    `now` (UTC) is the DTSTAMP. A UID is made of site, clause and project (and the year of a yearly duty), so a file
    that is imported again moves an event instead of doubling it. A provisional date is TENTATIVE and says so.
    """
    calendar = Calendar()
    calendar.add("prodid", f"-//govcloud//deadlines//{lang.upper()}")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", Text("项目法定时限", "Statutory deadlines of projects").to(lang))
    for row in rows:
        if row.status in ("due", "overdue") and row.duty.due_on is not None:
            calendar.add_component(_event(row, own, site, now, lang))
    return bytes(calendar.to_ical())


def find_open(rows: Sequence[ProjectDeadline]) -> int:
    """How many events render_ics makes of them."""
    return sum(row.status in ("due", "overdue") and row.duty.due_on is not None for row in rows)


def _event(row: ProjectDeadline, own: Regulation, site: str, now: datetime, lang: Lang) -> Event:
    due = row.duty.due_on
    assert due is not None  # noqa: S101 - render_ics takes no other rows
    year = str(due.year) if row.event == "every_year" else ""
    event = Event()
    event.add("uid", f"{build_id('E', site, row.duty.clause_id, row.project_id or '', year)}@{site}.govcloud".lower())
    event.add("dtstamp", now)
    event.add("dtstart", due)
    event.add("dtend", due + timedelta(days=1))
    summary = _summary(row).to(lang)
    event.add("summary", clean_text(summary))
    event.add("description", clean_text("\n".join(line.to(lang) for line in _lines(row, own))))
    event.add("status", "TENTATIVE" if row.duty.provisional else "CONFIRMED")
    event.add("transp", "TRANSPARENT")
    event.add("categories", [row.duty.clause_id])
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("trigger", _REMIND)
    alarm.add("description", clean_text(summary))
    event.add_component(alarm)
    return event


def _summary(row: ProjectDeadline) -> Text:
    name = row.project_name if row.project_id is not None else OFFICE
    text = Text("{act}：{name}（{clause}）", "{act}: {name} ({clause})").format(
        act=act_text(row), name=name, clause=row.duty.clause_id
    )
    if row.duty.provisional:
        text = Text("（暂估）{t}", "(provisional) {t}").format(t=text)
    return Text("【已超期】{t}", "OVERDUE: {t}").format(t=text) if row.status == "overdue" else text


def _lines(row: ProjectDeadline, own: Regulation) -> list[Text]:
    duty = row.duty
    lines = [Text("条款：{c} {a}", "Clause: {c} {a}").format(c=duty.clause_id, a=duty.action)]
    for label, roles in ((Text("责任方", "Who"), duty.actor), (Text("报送", "To"), duty.recipients)):
        if roles:
            named = [role_text(role, own.roles.get(role)) for role in roles]
            listed = Text("、".join(t.zh for t in named), ", ".join(t.en for t in named))
            lines.append(Text("{k}：{v}", "{k}: {v}").format(k=label, v=listed))
    if row.happened_on is not None and row.event != "every_year":
        since = Text("起算：{e} {d}", "Counted from: {e} {d}")
        lines.append(since.format(e=EVENT.get(row.event, row.event), d=row.happened_on.isoformat()))
    if duty.earliest_on is not None:
        lines.append(Text("不早于：{d}", "Not before: {d}").format(d=duty.earliest_on.isoformat()))
    if duty.consequence is not None:
        lines.append(Text("后果：{c}", "Consequence: {c}").format(c=duty.consequence))
    if (missing := missing_term(row, own.roles)) is not None:
        lines.append(Text("所缺：{m}", "Missing: {m}").format(m=missing))
    if (remark := remark_text(row, own.roles)) is not None:
        lines.append(remark)
    if duty.provisional:
        lines.append(PROVISIONAL)
    return lines
