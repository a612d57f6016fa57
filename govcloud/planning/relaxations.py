"""The smallest change of each demand after which the others of a conflict can be met, found by trying."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from zoneinfo import ZoneInfo

from govcloud.model.plan import Relaxation
from govcloud.model.plan_problem import MoveTask, PlanProblem, PlanResource
from govcloud.model.text import Text
from govcloud.planning.demands import Cause, Demands, is_date, names
from govcloud.planning.placing import bound
from govcloud.planning.relaxed import (
    excepted,
    later_dates,
    longer,
    needed_skills,
    with_crews,
    with_tasks,
    with_windows_of,
    without,
)

Solvable = Callable[[PlanProblem], bool]
"""Whether everything of a problem can be placed; False as well where the time was over."""
STEP_MIN = 10
LONGEST_MIN = 24 * 60
MOST_CREWS = 64
MOST_WEEKS = 261
AMOUNTS = ("crews", "window_length", "weeks", "resource")
CREW_COST = 20
COST = {"pin": 2, "apart": 4, "weak": 5, "tie": 10, "pilots": 10, "skills": 15, "freeze": 10, "place": 100}
"""Days of work or of delay that stand for an agreement to be made: our own guess, for ranking only. A day later costs 1, a
week more 7, a crew 20, ten minutes of window 1, one per cent of a limit 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """One amount of a change."""

    problem: PlanProblem
    text: Text
    setting: str | None
    cost: int


_Ladder = tuple[int, Callable[[int], _Step]]
"""How many steps there are, and the n-th of them from 0; each is a greater change than the one before."""


def find_relaxations(
    own: PlanProblem, whole: Callable[[Cause], PlanProblem | None], causes: Sequence[Cause], solvable: Solvable
) -> tuple[Relaxation, ...]:
    """The cheapest first. `own`: the demands of the conflict and no others; `whole`: everything that has to go together,
    where trying it is affordable: an amount is then raised until that can be placed too, if it can be at all."""
    words = Demands(own)
    found = []
    for cause in causes:
        if cause == ("place", ""):
            continue
        demand = words.build(cause)
        for ladder in _ladders(own, cause, words):
            at = _first(ladder, lambda s: solvable(s.problem))
            if at is None:
                continue
            step = ladder[1](at)
            if cause[0] in AMOUNTS and (all_ := whole(cause)) is not None:
                same = next(iter(_ladders(all_, cause, Demands(all_))))
                more = _first(same, lambda s: solvable(s.problem), at)
                step = step if more is None else same[1](more)
            found.append(Relaxation(demand=demand, text=step.text, setting=step.setting, cost=step.cost))
            break
    return tuple(sorted(found, key=lambda r: (r.cost, r.demand.kind, r.demand.subject)))


def _first(ladder: _Ladder, holds: Callable[[_Step], bool], low: int = 0) -> int | None:
    """The smallest step from `low` on that holds, when whatever is above a step that holds does as well."""
    count, step = ladder
    size = 1
    while low < count and not holds(step(min(low + size, count) - 1)):
        low, size = low + size, size * 2
    if low >= count:
        return None
    high = min(low + size, count) - 1
    while low < high:
        middle = (low + high) // 2
        if holds(step(middle)):
            high = middle
        else:
            low = middle + 1
    return high


def _ladders(problem: PlanProblem, cause: Cause, words: Demands) -> Iterator[_Ladder]:
    """Ways to relax a demand, tried one after the other."""
    kind, subject = cause
    if kind == "crews":
        yield from _crews(problem)
    elif kind == "window_length":
        yield _window_length(problem, words)
    elif kind == "weeks":
        yield _weeks(problem)
    elif kind == "resource":
        yield _resource(problem, next(r for r in problem.resources if r.resource_id == subject))
    elif kind == "not_after" and is_date(subject):
        yield _dates(problem, subject)
    elif kind in ("not_before", "not_after"):
        yield _date(problem, kind, subject)
    elif kind == "freeze":
        yield from _exceptions(problem, subject)
    else:
        yield 1, lambda _: _waived(problem, cause, words)


def _crews(problem: PlanProblem) -> Iterator[_Ladder]:
    have = len(problem.crews)
    most = max(1, min(MOST_CREWS, sum(j.crew_skills is not None for j in problem.jobs)))
    text = Text("班组由 {a} 个增加到 {b} 个", "{b} crews instead of {a}")

    def step(n: int) -> _Step:
        count = have + n + 1
        return _Step(problem=with_crews(problem, count), text=text.format(a=have, b=count),
                     setting=f"capacity.crews={count}", cost=(n + 1) * CREW_COST)  # fmt: skip

    def skilled(n: int) -> _Step:
        skills = needed_skills(problem)
        more = Text("增加 {n} 个具备技能 {k} 的班组", "{n} more crews with the skills {k}").format(n=n + 1, k=names(skills))  # fmt: skip
        return _Step(problem=with_crews(problem, have + n + 1, skills), text=more, setting=None, cost=(n + 1) * CREW_COST)  # fmt: skip

    yield most, step
    yield most, skilled


def _window_length(problem: PlanProblem, words: Demands) -> _Ladder:
    first = words.longest_min // STEP_MIN * STEP_MIN + STEP_MIN
    zone = ZoneInfo(problem.timezone)
    pattern = {(w.opens_on.weekday(), w.starts_at.astimezone(zone).time(), w.ends_at - w.starts_at) for w in problem.windows}  # fmt: skip
    text = Text("变更窗口由 {a} 分钟延长到 {b} 分钟", "Change windows of {b} minutes instead of {a}")

    def step(n: int) -> _Step:
        minutes = first + n * STEP_MIN
        return _Step(
            problem=with_windows_of(problem, minutes), text=text.format(a=words.longest_min, b=minutes),
            setting=f"windows.0.minutes={minutes}" if len(pattern) == 1 else None, cost=n + 1,
        )  # fmt: skip

    return max(0, (LONGEST_MIN - first) // STEP_MIN + 1), step


def _weeks(problem: PlanProblem) -> _Ladder:
    text = Text("计划期由 {a} 周延长到 {b} 周", "A period of {b} weeks instead of {a}")

    def step(n: int) -> _Step:
        weeks = problem.weeks + n + 1
        return _Step(problem=longer(problem, weeks), text=text.format(a=problem.weeks, b=weeks),
                     setting=f"weeks={weeks}", cost=7 * (n + 1))  # fmt: skip

    return max(0, MOST_WEEKS - problem.weeks), step


def _resource(problem: PlanProblem, resource: PlanResource) -> _Ladder:
    have = max(resource.amount, *(a for _, a in resource.changes)) if resource.changes else resource.amount
    most = sum(a for j in problem.jobs for r, a in j.demands if r == resource.resource_id)
    text = Text("{t}由 {a} 提高到 {b} {u}", "{t}: {b} {u} instead of {a}")
    key = _setting(resource)

    def step(n: int) -> _Step:
        amount = have + n + 1
        raised = replace(
            resource, amount=max(resource.amount, amount), changes=tuple((d, max(a, amount)) for d, a in resource.changes)
        )  # fmt: skip
        return _Step(
            problem=replace(problem, resources=tuple(raised if r is resource else r for r in problem.resources)),
            text=text.format(t=resource.title, a=have, b=amount, u=resource.unit),
            setting=f"{key}={amount}" if key else None, cost=100 * (n + 1) // max(have, 1) + 1,
        )  # fmt: skip

    return max(0, most - have), step


def _setting(resource: PlanResource) -> str | None:
    """The key in `planning:` that this limit comes from; None where it is reckoned from several or changes over time."""
    kind, _, rest = resource.resource_id.partition(":")
    if "." in rest or resource.changes:
        return None
    if kind == "systems":
        return "capacity.systems_per_window"
    if kind == "department":
        return "capacity.systems_per_department"
    if kind == "parallel":
        return f"capacity.parallel.{rest}"
    pool, _, amount = rest.partition(":")
    if kind != "pool" or not amount:
        return None
    quota, _, month = amount.partition(":")
    return f"capacity.pools.{pool}.monthly.{quota}" if month else f"capacity.pools.{pool}.{quota}"


def _date(problem: PlanProblem, kind: str, system_id: str) -> _Ladder:
    """Later (or earlier) opening days of windows, the nearest first; for a latest date those after the period too."""
    task = next(t for t in problem.tasks if t.system_id == system_id)
    opens = {w.opens_on for w in longer(problem, MOST_WEEKS).windows}
    if kind == "not_after":
        agreed = task.not_after_on or date.max
        days = sorted(d for d in opens if d > agreed)
        text = Text("{s} 的最晚日期由 {a} 改为 {b}", "Latest date of {s}: {b} instead of {a}")
    else:
        agreed = task.not_before_on or date.min
        days = sorted((d for d in opens if d < agreed), reverse=True)
        text = Text("{s} 的最早日期由 {a} 改为 {b}", "Earliest date of {s}: {b} instead of {a}")

    def changed(day: date) -> Callable[[MoveTask], MoveTask]:
        if kind == "not_after":
            return lambda t: replace(t, not_after_on=day) if t.system_id == system_id else t
        return lambda t: replace(t, not_before_on=day) if t.system_id == system_id else t

    def step(n: int) -> _Step:
        day = days[n]
        return _Step(
            problem=with_tasks(problem, changed(day)), text=text.format(s=system_id, a=agreed, b=day),
            setting=None if "." in system_id else f"targets.{system_id}.{kind}_on={day}", cost=abs((day - agreed).days),
        )  # fmt: skip

    return len(days), step


def _dates(problem: PlanProblem, until: str) -> _Ladder:
    """All latest dates up to a day."""
    text = Text("{d} 及之前的最晚日期推迟 {n} 周", "All latest dates up to {d} {n} weeks later")
    return problem.weeks, lambda n: _Step(
        problem=later_dates(problem, until, n + 1), text=text.format(d=until, n=n + 1), setting=None, cost=7 * (n + 1)
    )


def _exceptions(problem: PlanProblem, freeze: str) -> Iterator[_Ladder]:
    """For one group of those that it binds, for all of them."""
    named = [f for f in problem.freezes if f.name == freeze]
    groups = {}
    task = {t.system_id: t for t in problem.tasks}
    for group in problem.groups:
        if held := [s for s in group.system_ids if any(bound(task[s], f) for f in named)]:
            groups[group.group_id] = held
    text = Text("为 {s} 办理封网期“{f}”的例外审批", "An approved exception of {s} from the freeze “{f}”")

    def of(systems: list[str]) -> Callable[[int], _Step]:
        return lambda _: _Step(
            problem=excepted(problem, freeze, systems), text=text.format(s=names(systems), f=named[0].title),
            setting=None, cost=COST["freeze"] * len(systems),
        )  # fmt: skip

    for systems in groups.values():
        yield 1, of(systems)
    if len(groups) > 1:
        yield 1, of([s for systems in groups.values() for s in systems])


def _waived(problem: PlanProblem, cause: Cause, words: Demands) -> _Step:
    """An agreement that is given up."""
    kind, subject = cause
    text = {
        "pin": Text("撤销 {s} 的固定位置", "Withdraw the pin of {s}"),
        "apart": Text("允许 {s} 同窗口迁移", "Let {s} move in the same window"),
        "weak": Text("允许依赖 {s} 暂时经临时互通保持", "Carry the dependency {s} over a temporary connection for a while"),
        "tie": Text("拆开 {s}，分批迁移，其间临时互通", "Part {s} and move the parts one after another, with a temporary connection"),
        "pilots": Text("不再要求试点系统全部先行", "Don't wait for all pilots"),
        "skills": Text("让一个班组具备技能 {s}", "Let a crew have the skills {s}"),
        "place": Text("{s} 本期不迁移", "Leave {s} for a later period"),
    }[kind]  # fmt: skip
    cost, shown = COST[kind], Text(subject.replace("|", "、"), subject.replace("|", ", "))
    if kind == "skills":
        shown = names(words.skills(subject))
    elif kind in ("place", "tie"):
        systems = words.group[subject].system_ids if subject else tuple(words.task)
        shown, cost = names(systems), cost * len(systems)
    if kind == "place" and not subject:
        text = Text("减少本期迁移的系统（现有 {s}）", "Move fewer systems in this period (now {s})")
    return _Step(problem=without(problem, cause), text=text.format(s=shown), setting=None, cost=cost)
