"""Plans for the tests of tables and drawings, laid out by hand: what they show must not depend on what a solver finds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from offices import freeze, problem, task

from govcloud.model.plan import (
    Activity,
    Conflict,
    Demand,
    GoalValue,
    MigrationPlan,
    Move,
    Relaxation,
    RiskAssessment,
    SolverRecord,
    Unplaced,
    Wave,
)
from govcloud.model.plan_problem import (
    Bridge,
    ChangeWindow,
    Crew,
    Exclusion,
    Hub,
    MoveGroup,
    NetworkRetirement,
    PlanProblem,
    WeakLink,
)
from govcloud.model.text import Text

CREATED = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
DAY = timedelta(days=1)
HOSTILE = (
    '<script>alert("x")</script>', "=1+1", "@SUM(A1)", "名称\n第二行；`#`:end", 'a"]-->b{{c}}', "section gantt 示例",
    "\u202e反向\x07", "-->|x|", "<img src=x onerror=alert(1)>", "'; DROP TABLE x;--",
)  # fmt: skip


def make_plan(of: PlanProblem, *, unplaced: Sequence[str] = (), per_window: int = 4, **fields: Any) -> MigrationPlan:
    """Every group in order, the preparation a week later for each wave; the cutovers of a crew follow one another."""
    kinds = {j.job_id: j for j in of.jobs}
    open_windows = [
        w for w in of.windows if not any(f.starts_at < w.ends_at and w.starts_at < f.ends_at for f in of.freezes)
    ]
    tasks = {t.system_id: t for t in of.tasks}
    windows = [w for w in open_windows if (w.opens_on - of.starts_on).days >= 10]
    free: dict[tuple[date, str], datetime] = {}
    used: Counter[date] = Counter()
    moves: dict[ChangeWindow, list[Move]] = {}
    work: list[Activity] = []
    ends: dict[str, date] = {}
    for group in of.groups:
        if set(group.system_ids) & set(unplaced):
            continue
        day = of.starts_on
        for job in (j for j in of.jobs if j.subject_id == group.group_id):
            if job.kind == "cutover":
                window, crew, start = _slot(of, windows, free, used, job.length, len(group.system_ids), per_window)
                end = start + timedelta(minutes=job.length)
                free[window.opens_on, crew] = end
                used[window.opens_on] += len(group.system_ids)
                at = start
                for system_id in group.system_ids:
                    done = at + timedelta(minutes=tasks[system_id].cutover_min)
                    moves.setdefault(window, []).append(Move(
                        system_id=system_id, group_id=group.group_id, crew=crew, starts_at=at, cutover_ends_at=done, ends_at=end,
                    ))  # fmt: skip
                    at = done
                day = window.opens_on + DAY
                continue
            last = day + (job.length * 2 - 1 if job.calendar == "working" else job.length - 1) * DAY
            work.append(
                Activity(job_id=job.job_id, subject_id=group.group_id, kind=job.kind, starts_on=day, ends_on=last)
            )
            day = last + DAY
        ends[group.group_id] = day
    for network in of.retirements:
        if f"{network.network_id}/close" in kinds and not network.staying and all(g in ends for g in network.group_ids):
            start_on = max(ends[g] for g in network.group_ids)
            work.append(Activity(job_id=f"{network.network_id}/close", subject_id=network.network_id, kind="close", starts_on=start_on, ends_on=start_on + 6 * DAY))  # fmt: skip
    waves = tuple(
        Wave(number=n, window=w, moves=tuple(moves[w]))
        for n, w in enumerate(sorted(moves, key=lambda w: w.starts_at), 1)
    )
    values: dict[str, Any] = {
        "plan_id": "P-1", "created_at": CREATED, "problem": of, "waves": waves,
        "activities": tuple(sorted(work, key=lambda a: (a.starts_on, a.job_id))),
        "unplaced": tuple(Unplaced(system_id=s, reason=Text("没有足够长的窗口", "no window is long enough")) for s in unplaced),
        "status": "feasible", "plan_hash": "0" * 64,
        "goals": (GoalValue(kind="networks", value=60, bound=60), GoalValue(kind="makespan", value=100, bound=90)),
        "baseline": (GoalValue(kind="networks", value=60, bound=60), GoalValue(kind="makespan", value=130, bound=90)),
        "solver": SolverRecord(solver="cp-sat", seed=1, limit_s=10.0, problem_hash="a" * 64, seconds=9.8, repeatable=True),
    }  # fmt: skip
    return MigrationPlan(**(values | fields))


def _slot(
    of: PlanProblem, windows: Sequence[ChangeWindow], free: dict[tuple[date, str], datetime], used: Counter[date],
    minutes: int, systems: int, per_window: int,
) -> tuple[ChangeWindow, str, datetime]:  # fmt: skip
    for window in windows:
        if used[window.opens_on] + systems > per_window and used[window.opens_on]:
            continue
        for crew in of.crews:
            start = free.get((window.opens_on, crew.name), window.starts_at)
            if start + timedelta(minutes=minutes) <= window.ends_at:
                return window, crew.name, start
    raise AssertionError("the sample has too few windows")


def office(names: Sequence[str] = (), **fields: Any) -> MigrationPlan:
    """A county: twelve systems, one group of three, a hub, a cut tie, a network, a year-end freeze, something excluded."""
    tasks = [
        task(f"SL-{n:02d}", department=f"示例{'财政局' if n % 2 else '民政局'}", zone="main", networks=("Z1",) if n < 4 else (),
             confidence=80, pilot=n == 1, assumed=("data_gib",) if n == 5 else ())
        for n in range(1, 13)
    ]  # fmt: skip
    tasks = [
        type(t)(**{f: getattr(t, f) for f in t.__slots__} | {"name": names[i % len(names)]}) if names else t
        for i, t in enumerate(tasks)
    ]
    tasks.append(task("SL-20", path="retire"))
    of = problem(
        tasks, together=[("SL-02", "SL-03")], weeks=14,
        networks=[
            NetworkRetirement(network_id="Z1", name=names[0] if names else "示例专网", group_ids=("SL-01", "SL-02"), due_on=date(2027, 1, 15)),
            NetworkRetirement(network_id="Z2", name="示例二网", group_ids=("SL-04",), staying=("SL-99",)),
        ],
        freezes=(
            freeze("年终决算", date(2026, 12, 28), date(2027, 1, 6)),
            freeze("财政系统封网", date(2026, 12, 18), date(2026, 12, 21), system_ids=("SL-09",)),
        ),
        bridges=(Bridge(dependency_ids=("D9",), source_id="SL-06", target_id="SL-11", measured=True, traffic_mib_day=2048, cost_days=5, reason=Text("断开后各组能放进窗口", "each part fits a window")),),
        hubs=(Hub(system_id="SL-01", dependents=6, reason=Text("6 个系统依赖它", "6 systems need it")),),
        weak_links=tuple(
            WeakLink(dependency_id=f"D{source}{target}", source_id=f"SL-{source:02d}", target_id=f"SL-{target:02d}")
            for source, target in ((2, 1), (4, 1), (5, 1), (7, 1), (12, 1), (10, 4))
        ),
        excluded=(Exclusion(system_id="SL-90", name="示例涉密系统", code="classified", reason=Text("涉密系统不上政务云", "state secrets do not move")),),
    )  # fmt: skip
    return make_plan(of, **fields)


def big(groups: int, crews: int = 10, per_window: int = 40, weeks: int = 104, members: int = 1) -> MigrationPlan:
    tasks = [
        task(f"SL-{n:05d}", minutes=60 // members, department=f"示例部门{n % 40:02d}", zone="main") for n in range(groups * members)
    ]  # fmt: skip
    together = (
        [tuple(f"SL-{g * members + i:05d}" for i in range(members)) for g in range(groups)] if members > 1 else ()
    )
    links = tuple(
        WeakLink(dependency_id=f"D{n}", source_id=f"SL-{n:05d}", target_id=f"SL-{n * 7 % len(tasks):05d}")
        for n in range(0, len(tasks), 2)
    )
    of = problem(
        tasks, together=together, weeks=weeks, crews=tuple(Crew(name=f"第{n + 1}组") for n in range(crews)), vcpus=10**6,
        link_mbps=10**6, systems_per_window=per_window, weak_links=links,
    )  # fmt: skip
    return make_plan(of, per_window=per_window)


def assess(plan: MigrationPlan) -> tuple[RiskAssessment, ...]:
    levels = ("high", "medium", "low")
    groups: list[MoveGroup] = list(plan.problem.groups)
    return (
        *(RiskAssessment(subject=g.group_id, risk=levels[n % 3], risk_points=90 - 30 * (n % 3), confidence=levels[(n + 1) % 3], reasons=(Text("依赖 {n} 条", "{n} dependencies").format(n=n),)) for n, g in enumerate(groups)),  # type: ignore[arg-type]
        *(RiskAssessment(subject=str(w.number), risk="medium", risk_points=40, confidence="high", reasons=(Text("窗口所剩无几", "little of the window is left"),)) for w in plan.waves),
    )  # fmt: skip


def infeasible() -> MigrationPlan:
    demands = (
        Demand(kind="not_after", subject="SL-05", text=Text("SL-05 不晚于 2026-12-01", "SL-05 by 2026-12-01")),
        Demand(kind="freeze", subject="年终决算", text=Text("封网：年终决算", "freeze: year-end")),
    )
    ways = (
        Relaxation(demand=demands[0], text=Text("最晚日期改为 2027-01-16", "latest date 2027-01-16"), cost=46),
        Relaxation(demand=demands[1], text=Text("班组增加到 3 个", "3 crews"), setting="capacity.crews=3", cost=12),
    )
    conflicts = (Conflict(demands=demands, relaxations=ways), Conflict(demands=demands[:1], minimal=False))
    return office(status="infeasible", unplaced=("SL-05", "SL-02", "SL-03"), conflicts=conflicts)


def empty() -> MigrationPlan:
    return make_plan(problem([], weeks=2), goals=(), baseline=(), solver=None, status="optimal")
