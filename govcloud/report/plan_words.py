"""The words of a plan: states, paths, kinds of work, goals with their units, levels and demands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import TypeVar
from zoneinfo import ZoneInfo

from govcloud.model.plan import PlanStatus
from govcloud.model.plan_problem import JobCalendar, Path, ResourceScope
from govcloud.model.schedule import GoalKind
from govcloud.model.text import Term, Text

Code = TypeVar("Code", bound=str)

STATUS: Mapping[PlanStatus, Text] = {
    "optimal": Text("已证明最优", "optimal"), "feasible": Text("可行，未证明最优", "feasible"),
    "infeasible": Text("不可行", "infeasible"), "unknown": Text("搜索结束时未得出结论", "no answer when the search ended"),
}  # fmt: skip
PATH: Mapping[Path, Text] = {
    "move": Text("迁移", "move"), "consolidate": Text("并入其他系统", "consolidate"),
    "replace": Text("改用外购服务", "replace"), "retire": Text("下线", "retire"),
}  # fmt: skip
CALENDAR: Mapping[JobCalendar, Text] = {
    "window": Text("变更窗口", "change window"), "working": Text("工作日", "working days"),
    "daily": Text("自然日", "calendar days"),
}  # fmt: skip
SCOPE: Mapping[ResourceScope, Text] = {
    "at_once": Text("同时占用", "in use at the same time"), "per_window": Text("每个窗口", "in a window"),
    "per_month": Text("每月", "in a month"), "total": Text("累计", "taken so far"),
}  # fmt: skip
UNIT: Mapping[GoalKind, Text] = {
    "deadlines": Text("系统日（按优先级加权）", "system-days, weighted by priority"),
    "networks": Text("专网日（各专网撤销前天数之和）", "network-days until they are closed"),
    "risk": Text("个（按权重）", "groups, weighted"), "makespan": Text("天（不含源端保留和关停）", "days, without keeping and switching off the sources"),
    "bridges": Text("条（按权重）", "ties, weighted"),
    "peak": Text("个班组（同时出动）", "crews at work at once"), "changes": Text("组", "groups"),
    "waiting": Text("系统日（按优先级加权）", "system-days, weighted by priority"),
}  # fmt: skip
LEVEL: Mapping[str, Text] = {"high": Text("高", "high"), "medium": Text("中", "medium"), "low": Text("低", "low")}
CONFIDENCE: Mapping[str, Term] = {
    # The codes differ from the levels of risk: a high confidence is good news and must not be coloured as bad.
    "high": Term("可信", "reliable", "reliable"),
    "medium": Term("基本可信", "fair", "fair"),
    "low": Term("存疑", "doubtful", "doubtful"),
}
CHANGE: Mapping[str, Text] = {
    "added": Text("新增", "added"), "removed": Text("移出", "removed"), "earlier": Text("提前", "earlier"),
    "later": Text("推后", "later"), "crew": Text("换班组", "other crew"), "time": Text("窗口内改时", "other time of the night"),
    "regrouped": Text("重新分组", "regrouped"),
}  # fmt: skip
DEMAND: Mapping[str, Text] = {
    "place": Text("排入计划", "be planned"), "crews": Text("班组", "crews"), "skills": Text("技能", "skills"),
    "window_length": Text("窗口时长", "window length"), "resource": Text("容量", "capacity"),
    "freeze": Text("封网", "freeze"), "not_before": Text("最早日期", "not before"),
    "not_after": Text("最晚日期", "not after"), "pilots": Text("试点在先", "pilots first"),
    "weak": Text("弱依赖次序", "order of a weak dependency"), "apart": Text("不得同窗口", "not in the same window"),
    "pin": Text("固定安排", "pin"), "tie": Text("同批绑定", "tie"), "weeks": Text("计划期", "period"),
}  # fmt: skip
RULE: Mapping[str, Text] = {
    "apart": DEMAND["apart"], "bound": Text("目标下界", "bound of a goal"), "crew": Text("班组", "crew"),
    "crew_time": Text("班组时间", "time of a crew"), "day_off": Text("非工作日", "day off"),
    "duration": Text("时长", "duration"), "executed": Text("已执行的安排", "what has been carried out"),
    "freeze": Text("封网", "freeze"), "goal": Text("目标值", "value of a goal"), "group": Text("同组", "group"),
    "job_missing": Text("缺少工作", "missing work"), "length": Text("割接时长", "length of a cutover"),
    "not_after": DEMAND["not_after"], "not_before": DEMAND["not_before"],
    "not_planned": Text("不在计划内", "not planned"), "order": Text("先后次序", "order"), "period": Text("计划期", "period"),
    "pilots": DEMAND["pilots"], "pin": DEMAND["pin"], "placed_once": Text("重复或缺漏", "placed twice or never"),
    "reserve": Text("回退预留", "reserve"), "resource": Text("容量", "capacity"), "sequence": Text("组内次序", "order in a group"),
    "skills": Text("技能", "skills"), "status": Text("状态", "status"), "too_early": Text("前序未完", "work before it not done"),
    "waves": Text("批次", "waves"), "weak": DEMAND["weak"], "window": Text("变更窗口", "change window"),
}  # fmt: skip
BINDING: Mapping[str, Text] = {
    "predecessor": Text("前序工作", "work before it"), "resource": Text("资源", "resource"),
    "crew": Text("班组", "crew"), "calendar": Text("日历", "calendar"), "freeze": Text("封网", "freeze"),
    "demand": Text("要求", "demand"), "pin": Text("固定安排", "pin"),
}  # fmt: skip
_WEEKDAYS_ZH = "一二三四五六日"
_WEEKDAYS_EN = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def listed(texts: Iterable[Text], zh: str = "、", en: str = ", ") -> Text:
    found = tuple(texts)
    return Text(zh.join(t.zh for t in found), en.join(t.en for t in found))


def day_text(at: datetime | date, zone: ZoneInfo) -> Text:
    """`2026-11-28 周六` / `2026-11-28 Sat`, local date."""
    day = at.astimezone(zone).date() if isinstance(at, datetime) else at
    return Text("{d} {w}", "{d} {w}").format(d=f"{day:%Y-%m-%d}", w=weekday(day))


def weekday(day: date) -> Text:
    """`周六` / `Sat`."""
    return Text(f"周{_WEEKDAYS_ZH[day.weekday()]}", _WEEKDAYS_EN[day.weekday()])


def clock(at: datetime, opens_at: datetime, zone: ZoneInfo) -> Term:
    """Local time of day; after midnight of the window's day it says so. Scripts get the instant with its offset."""
    local = at.astimezone(zone)
    text = local.strftime("%H:%M")
    code = local.isoformat(timespec="minutes")
    if local.date() == opens_at.astimezone(zone).date():
        return Term(text, text, code)
    return Term(f"次日 {text}", f"{text} next day", code)
