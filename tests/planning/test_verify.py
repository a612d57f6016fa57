"""The verifier catches every kind of damage; one that says yes to everything would make all other tests of plans worthless,
and an engineer would learn on Saturday night that a crew was promised twice."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from offices import MONDAY, freeze, group_jobs, problem, task, windows

import govcloud.planning.verify
from govcloud.model.plan import Activity, GoalValue, MigrationPlan, Move, Unplaced, Wave
from govcloud.model.plan_problem import (
    Apart,
    Crew,
    Earlier,
    MoveGroup,
    NetworkRetirement,
    Pin,
    PlanProblem,
    PlanResource,
    WeakLink,
)
from govcloud.model.schedule import Search
from govcloud.model.text import same
from govcloud.planning.verify import verify_placing, verify_plan

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)


def office(**fields: object) -> PlanProblem:
    """A+B together, C core with a skill, P pilot, E needs A, F pinned and kept apart from C, R retires, network N of A and C."""
    tasks = [
        task("A", 60), task("B", 60), task("C", 90, core=True, mlps_level=3, skills=("db",), due_on=date(2026, 12, 1)),
        task("E", 90), task("F", 60), task("P", 60, pilot=True), task("R", path="retire", cutover_min=0, reserve_min=0),
    ]  # fmt: skip
    return problem(
        tasks, together=[("B", "A")], crews=(Crew(name="一组", skills=("db",)), Crew(name="二组")),
        networks=[NetworkRetirement(network_id="N", name="示例专网", group_ids=("A", "C"), due_on=date(2026, 12, 20))],
        weak_links=(WeakLink(dependency_id="D1", source_id="E", target_id="A"),), weak_mode="require",
        apart=(Apart(group_ids=("C", "F"), reason=same("示例")),),
        pins=(Pin(group_id="F", opens_on=windows(12)[3].opens_on, crew="二组"),), core_from_window=3,
        goals=("deadlines", "networks", "risk", "makespan", "changes", "peak", "waiting"),
        earlier=(Earlier(group_id="E", opens_on=windows(12)[5].opens_on, starts_at=windows(12)[5].starts_at, crew="一组"),),
        **fields,
    )  # fmt: skip


@pytest.fixture(scope="module")
def plan() -> MigrationPlan:
    from govcloud.planning.plan import build_plan

    found = build_plan(office(), created_at=NOW, search=Search(limit_s=2, workers=1))
    assert found.status in ("optimal", "feasible") and verify_plan(found) == []
    return found


# --- ways to spoil a plan


def with_move(plan: MigrationPlan, system_id: str, change: Callable[[Move], Move]) -> MigrationPlan:
    return replace(
        plan,
        waves=tuple(
            replace(w, moves=tuple(change(m) if m.system_id == system_id else m for m in w.moves)) for w in plan.waves
        ),
    )


def moved(plan: MigrationPlan, group_id: str, window: int, **fields: object) -> MigrationPlan:
    """The moves of a group (or of one system) shifted to another window of the problem."""
    target = plan.problem.windows[window]

    def shift(wave: Wave, move: Move) -> Move:
        by = target.starts_at - wave.window.starts_at
        return replace(
            move, starts_at=move.starts_at + by, cutover_ends_at=move.cutover_ends_at + by, ends_at=move.ends_at + by,
            **fields,  # type: ignore[arg-type]
        )  # fmt: skip

    at: dict[object, list[Move]] = {w.window: [] for w in plan.waves} | {target: []}
    for wave in plan.waves:
        for move in wave.moves:
            mine = group_id in (move.group_id, move.system_id)
            at[target if mine else wave.window].append(shift(wave, move) if mine else move)
    used = sorted((w for w in plan.problem.windows if at.get(w)), key=lambda w: w.starts_at)
    return replace(plan, waves=tuple(Wave(number=n, window=w, moves=tuple(at[w])) for n, w in enumerate(used, 1)))


def with_work(plan: MigrationPlan, job_id: str, change: Callable[[Activity], Activity]) -> MigrationPlan:
    done = [change(a) if a.job_id == job_id else a for a in plan.activities]
    return replace(plan, activities=tuple(sorted(done, key=lambda a: (a.starts_on, a.job_id))))


def shifted(plan: MigrationPlan, job_id: str, days: int) -> MigrationPlan:
    by = days * DAY
    return with_work(plan, job_id, lambda a: replace(a, starts_on=a.starts_on + by, ends_on=a.ends_on + by))


def asked(plan: MigrationPlan, **fields: object) -> MigrationPlan:
    return replace(plan, problem=replace(plan.problem, **fields))  # type: ignore[arg-type]


def with_task(plan: MigrationPlan, system_id: str, **fields: object) -> MigrationPlan:
    return asked(plan, tasks=tuple(replace(t, **fields) if t.system_id == system_id else t for t in plan.problem.tasks))  # type: ignore[arg-type]


def limited(plan: MigrationPlan, resource_id: str, amount: int, **fields: object) -> MigrationPlan:
    changed = (
        replace(r, amount=amount, **fields) if r.resource_id == resource_id else r for r in plan.problem.resources
    )  # type: ignore[arg-type]
    return asked(plan, resources=tuple(changed))


def monthly(plan: MigrationPlan) -> MigrationPlan:
    """Three provisionings and more begin in November; two may."""
    limit = PlanResource(resource_id="M", title=same("M"), unit=same(""), scope="per_month", amount=2)
    jobs = (replace(j, demands=(*j.demands, ("M", 1))) if j.kind == "provision" else j for j in plan.problem.jobs)
    return asked(plan, resources=(*plan.problem.resources, limit), jobs=tuple(jobs))


def shorter_quota(plan: MigrationPlan) -> MigrationPlan:
    """Enough at first, too little from a day on by which everything has been taken."""
    return limited(plan, "pool:main:vcpus", 1000, changes=((date(2027, 6, 1), 1),))


def crew_work(plan: MigrationPlan, crew: str | None) -> MigrationPlan:
    """Two pieces of day work that need a crew, at the same time."""
    kinds = {"A/trial", "C/trial"}
    jobs = tuple(replace(j, crew_skills=()) if j.job_id in kinds else j for j in plan.problem.jobs)
    first = next(a for a in plan.activities if a.job_id == "A/trial")
    both = with_work(plan, "C/trial", lambda a: replace(a, starts_on=first.starts_on, ends_on=first.ends_on))
    for job_id in kinds:
        both = with_work(both, job_id, lambda a: replace(a, crew=crew))
    return asked(both, jobs=jobs)


def same_crew(plan: MigrationPlan) -> MigrationPlan:
    """E with the crew and at the time of P."""
    wave = plan.wave_of("P")
    assert wave is not None
    move = next(m for m in wave.moves if m.system_id == "P")
    there = moved(plan, "E", plan.problem.windows.index(wave.window), crew=move.crew)
    return with_move(there, "E", lambda m: replace(m, starts_at=move.starts_at, cutover_ends_at=move.starts_at + HOUR, ends_at=move.starts_at + 2 * HOUR))  # fmt: skip


def window_of(plan: MigrationPlan, system_id: str) -> int:
    wave = plan.wave_of(system_id)
    assert wave is not None
    return plan.problem.windows.index(wave.window)


def goal(plan: MigrationPlan, kind: str, **fields: object) -> MigrationPlan:
    return replace(plan, goals=tuple(replace(g, **fields) if g.kind == kind else g for g in plan.goals))  # type: ignore[arg-type]


Damage = Callable[[MigrationPlan], MigrationPlan]
DAMAGE: dict[str, tuple[str, Damage]] = {
    "a wave is forgotten": ("job_missing", lambda p: replace(p, waves=p.waves[:-1])),
    "a piece of work is forgotten": ("job_missing", lambda p: replace(p, activities=p.activities[1:])),
    "the closing of a network is forgotten": (
        "job_missing", lambda p: replace(p, activities=tuple(a for a in p.activities if a.kind != "close"))),
    "a system is in two waves": (
        "placed_once", lambda p: replace(p, waves=(*p.waves[:-1], replace(p.waves[-1], moves=p.waves[-1].moves * 2)))),
    "work is planned twice": ("placed_once", lambda p: replace(p, activities=(*p.activities, p.activities[-1]))),
    "a system is placed and listed as left out": (
        "placed_once", lambda p: replace(p, unplaced=(Unplaced(system_id="A", reason=same("")),))),
    "a retiring system is nowhere": (
        "placed_once", lambda p: replace(p, activities=tuple(a for a in p.activities if a.subject_id != "R"))),
    "called feasible with a system left out": (
        "status", lambda p: replace(p, unplaced=(Unplaced(system_id="A", reason=same("")),))),
    "called infeasible with everything placed": ("status", lambda p: replace(p, status="infeasible")),
    "called optimal above its bound": (
        "status", lambda p: replace(goal(p, "waiting", bound=0), status="optimal")),
    "a system nobody planned": ("not_planned", lambda p: with_move(p, "E", lambda m: replace(m, system_id="Z"))),
    "work nobody planned": (
        "not_planned", lambda p: with_work(p, "E/trial", lambda a: replace(a, job_id="E/party"))),
    "a window for a system that is switched off": ("not_planned", lambda p: with_move(p, "E", lambda m: replace(m, system_id="R"))),
    "a cutover as day work": (
        "not_planned", lambda p: with_work(p, "E/trial", lambda a: replace(a, job_id="E/cutover", kind="cutover"))),
    "waves out of order": ("waves", lambda p: replace(p, waves=p.waves[::-1])),
    "an empty wave": ("waves", lambda p: replace(p, waves=(*p.waves, Wave(number=len(p.waves) + 1, window=p.problem.windows[-1], moves=())))),
    "work out of order": ("activities", lambda p: replace(p, activities=p.activities[::-1])),
    "a window that is not one": (
        "window", lambda p: replace(p, waves=(replace(p.waves[0], window=replace(p.waves[0].window, window_id="W99")), *p.waves[1:]))),
    "a window after the period": ("period", lambda p: asked(p, weeks=2)),
    "the reserve leaves the window": ("window", lambda p: with_move(p, "E", lambda m: replace(m, ends_at=m.ends_at + 9 * HOUR))),
    "starts before the window": ("window", lambda p: with_move(p, "P", lambda m: replace(m, starts_at=m.starts_at - HOUR))),
    "a cutover cut short": ("duration", lambda p: with_move(p, "E", lambda m: replace(m, cutover_ends_at=m.starts_at))),
    "a reserve cut short": ("reserve", lambda p: with_move(p, "E", lambda m: replace(m, ends_at=m.cutover_ends_at))),
    "a way back that is not common": ("reserve", lambda p: with_move(p, "A", lambda m: replace(m, ends_at=m.ends_at + HOUR / 6))),
    "cutovers of a group in the wrong order": (
        "sequence", lambda p: asked(p, groups=tuple(replace(g, system_ids=g.system_ids[::-1]) for g in p.problem.groups))),
    "a freeze inside the night": (
        "freeze", lambda p: asked(p, freezes=(freeze("F", p.waves[1].window.opens_on + DAY, p.waves[1].window.opens_on + DAY),))),
    "a freeze of one member": (
        "freeze", lambda p: asked(p, freezes=(freeze("F", MONDAY, MONDAY + 200 * DAY, system_ids=("B",)),))),
    "a freeze of high levels, unknown ones too": (
        "freeze", lambda p: asked(with_task(p, "C", mlps_level=2), freezes=(freeze("F", MONDAY, MONDAY + 200 * DAY, min_mlps=3),))),
    "a group torn apart": ("group", lambda p: moved(p, "B", 7)),
    "a group with two crews": (
        "group", lambda p: with_move(p, "B", lambda m: replace(m, crew="一组" if m.crew == "二组" else "二组"))),
    "a move under another group's name": ("group", lambda p: with_move(p, "E", lambda m: replace(m, group_id="F"))),
    "two groups at once with one crew": ("crew_time", same_crew),
    "two trials at once with one crew": ("crew_time", lambda p: crew_work(p, "二组")),
    "day work without its crew": ("crew", lambda p: crew_work(p, None)),
    "a crew for work that needs none": ("crew", lambda p: with_work(p, "E/trial", lambda a: replace(a, crew="一组"))),
    "a crew nobody has": ("crew", lambda p: with_move(p, "E", lambda m: replace(m, crew="三组"))),
    "a crew without the skill": ("skills", lambda p: with_move(p, "C", lambda m: replace(m, crew="二组"))),
    "too many systems in a window": ("resource", lambda p: limited(p, "systems", 1)),
    "too much on the link": ("resource", lambda p: limited(p, "link:main", 99)),
    "too small a quota": ("resource", lambda p: limited(p, "pool:main:vcpus", 1)),
    "a quota that is cut later": ("resource", shorter_quota),
    "too much opened in a month": ("resource", monthly),
    "a resource that nobody has": ("resource", lambda p: asked(p, resources=())),
    "before the agreed date": ("not_before", lambda p: with_task(p, "E", not_before_on=date(2027, 6, 1))),
    "after the agreed date": ("not_after", lambda p: with_task(p, "B", not_after_on=date(2026, 11, 1))),
    "a pinned group elsewhere": ("pin", lambda p: moved(p, "F", 6)),
    "a pinned group with another crew": ("pin", lambda p: with_move(p, "F", lambda m: replace(m, crew="一组"))),
    "two that must not meet": ("apart", lambda p: moved(p, "C", window_of(p, "F"))),
    "a pilot that comes last": ("pilots", lambda p: moved(p, "P", 9)),
    "a pilot in the same window": ("pilots", lambda p: moved(p, "P", window_of(p, "A"))),
    "a required target that comes later": ("weak", lambda p: moved(p, "A", window_of(p, "E") + 1)),
    "a cutover before its copy": ("order", lambda p: shifted(p, "E/replicate", 28)),
    "a trial before its cutover": ("order", lambda p: shifted(p, "E/trial", -7)),
    "a take-over before its trial": ("order", lambda p: shifted(p, "E/takeover", -7)),
    "a network closed too soon": ("order", lambda p: shifted(p, "N/close", -14)),
    "work that is too long": ("length", lambda p: with_work(p, "E/trial", lambda a: replace(a, ends_on=a.ends_on + DAY))),
    "working days that are none": ("length", lambda p: asked(p, days_off=tuple(sorted({*p.problem.days_off, date(2026, 11, 25)})))),
    "work that begins on a Sunday": ("day_off", lambda p: with_work(p, "R/switch_off", lambda a: replace(a, starts_on=date(2026, 11, 29), ends_on=date(2026, 11, 30)))),
    "work before the plan": ("too_early", lambda p: shifted(p, "R/archive", -7)),
    "a bound above the value": ("bound", lambda p: goal(p, "waiting", bound=10**9)),
    "a goal left out": ("goal", lambda p: replace(p, goals=p.goals[:-1])),
    "goals in the wrong order": ("goal", lambda p: replace(p, goals=p.goals[::-1])),
    "a goal that nobody asked for": ("goal", lambda p: replace(p, goals=(*p.goals, GoalValue(kind="bridges", value=0, bound=0)))),
    **{f"{kind} embellished": ("goal", lambda p, k=kind: goal(p, k, value=7919, bound=0))  # type: ignore[misc]
       for kind in ("deadlines", "networks", "makespan", "peak", "changes", "waiting", "risk")},
}  # fmt: skip


@pytest.mark.parametrize("what", DAMAGE)
def test_damage_is_found_and_named(plan: MigrationPlan, what: str) -> None:
    code, damage = DAMAGE[what]
    found = verify_plan(damage(plan))
    assert code in {v.code for v in found}, [v.text.en for v in found]
    assert all(v.text.zh and v.text.en and "{" not in v.text.en + v.text.zh for v in found)


def test_goals_are_measured_in_days_that_a_person_can_count(plan: MigrationPlan) -> None:
    """Read off the calendar by hand, so that planner and verifier can't agree on a wrong day."""
    ends = {a.job_id: (a.ends_on - MONDAY).days + 1 for a in plan.activities}
    goals = {g.kind: g.value for g in plan.goals}
    assert goals["makespan"] == max(n for job_id, n in ends.items())
    assert goals["networks"] == ends["N/close"]
    assert goals["waiting"] == sum(ends[f"{g}/takeover"] for g in "ACEFP") + ends["A/takeover"] + ends["R/switch_off"]
    due = (date(2026, 12, 1) - MONDAY).days + 1
    closing = (date(2026, 12, 20) - MONDAY).days + 1
    assert goals["deadlines"] == ends["C/takeover"] - due + max(0, ends["N/close"] - closing)
    assert goals["changes"] == (window_of(plan, "E") != 5)


def test_a_freeze_with_an_approved_exception_or_for_others_is_none() -> None:
    from govcloud.planning.plan import build_plan

    free = {"exceptions": ("A",)}
    other = {"departments": ("示例局",)}
    for scope in (free, other):
        made = problem([task("A", mlps_level=3)], freezes=(freeze("F", MONDAY, MONDAY + 7 * DAY, **scope),))
        plan = build_plan(made, created_at=NOW, search=Search(limit_s=1, workers=1))
        assert plan.waves[0].window == made.windows[0] and verify_plan(plan) == []


def test_what_has_been_executed_is_neither_missing_nor_planned_again() -> None:
    from govcloud.planning.plan import build_plan

    done = Pin(group_id="A", opens_on=MONDAY - 2 * DAY, source="executed")
    made = problem([task("A"), task("B")], pins=(done,))
    plan = build_plan(made, created_at=NOW, search=Search(limit_s=1, workers=1))
    assert verify_plan(plan) == []
    again = next(j for j in made.jobs if j.job_id == "A/provision")
    spoilt = Activity(job_id=again.job_id, subject_id="A", kind="provision", starts_on=MONDAY, ends_on=MONDAY + 2 * DAY)
    activities = tuple(sorted((*plan.activities, spoilt), key=lambda a: (a.starts_on, a.job_id)))
    assert "executed" in {v.code for v in verify_plan(replace(plan, activities=activities))}
    early = with_work(plan, "A/trial", lambda a: replace(a, starts_on=MONDAY - 3 * DAY, ends_on=MONDAY + 3 * DAY))
    assert {"order", "too_early"} <= {v.code for v in verify_plan(early)}


def test_a_group_that_is_not_there_is_no_fault_of_a_placing(plan: MigrationPlan) -> None:
    without_e = tuple(replace(w, moves=tuple(m for m in w.moves if m.group_id != "E")) for w in plan.waves)
    waves = tuple(replace(w, number=n) for n, w in enumerate((w for w in without_e if w.moves), 1))
    activities = tuple(a for a in plan.activities if a.subject_id != "E")
    assert verify_placing(plan.problem, waves, activities) == []
    assert verify_placing(plan.problem, (), ()) == []


def test_the_verifier_shares_no_code_with_the_search() -> None:
    """It must not be able to repeat the planner's mistakes."""
    forbidden = (
        "ortools",
        "numpy",
        "numba",
        "axis",
        "translate",
        "layout",
        "cpsat",
        "heuristic",
        "solve",
        "sgs",
        "goals",
        "bounds",
    )
    root = Path(govcloud.planning.verify.__file__).parents[1]
    seen, waiting = set[str](), ["govcloud.planning.verify"]
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        path = root.parent / (name.replace(".", "/") + ".py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            named = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            named += [a.name for a in node.names] if isinstance(node, ast.Import) else []
            for module in named:
                assert module.rpartition(".")[2] not in forbidden and module.partition(".")[0] not in forbidden, (
                    name,
                    module,
                )
                if module.startswith("govcloud."):
                    waiting.append(module)
    assert {"govcloud.planning.verify_goals", "govcloud.planning.placing"} <= seen


def test_the_right_plan_of_a_province_has_no_violation() -> None:
    """A thousand systems, window after window, hand-made."""
    count = 1_000
    tasks = [task(f"S{n:05d}", 60) for n in range(count)]
    crews = tuple(Crew(name=f"{n}组") for n in range(40))
    groups = tuple(MoveGroup(group_id=t.system_id, system_ids=(t.system_id,)) for t in tasks)
    made = problem([], crews=crews, weeks=100, systems_per_window=160, link_mbps=10**9, vcpus=10**9)
    jobs = tuple(j for g, t in zip(groups, tasks, strict=True) for j in group_jobs(g, [t]))
    made = replace(made, tasks=tuple(tasks), groups=groups, jobs=jobs)
    nights = windows(100)
    moves: list[list[Move]] = [[] for _ in nights]
    activities: list[Activity] = []
    for n, each in enumerate(tasks):
        night, place = 2 + n // 120, n % 120
        start = nights[night].starts_at + place // 40 * HOUR
        moves[night].append(
            Move(system_id=each.system_id, group_id=each.system_id, crew=f"{place % 40}组", starts_at=start,
                 cutover_ends_at=start + timedelta(minutes=40), ends_at=start + HOUR)
        )  # fmt: skip
        activities += days_of(each.system_id, nights[night].opens_on)
    waves = [Wave(number=n, window=w, moves=tuple(m)) for n, (w, m) in enumerate(((w, m) for w, m in zip(nights, moves, strict=True) if m), 1)]  # fmt: skip
    activities.sort(key=lambda a: (a.starts_on, a.job_id))
    assert verify_placing(made, waves, activities) == []


def days_of(group_id: str, opens_on: date) -> list[Activity]:
    """Of an office's usual jobs around a Saturday."""

    def work(kind: str, first: int, last: int) -> Activity:
        return Activity(
            job_id=f"{group_id}/{kind}", subject_id=group_id, kind=kind,  # type: ignore[arg-type]
            starts_on=opens_on + first * DAY, ends_on=opens_on + last * DAY,
        )  # fmt: skip

    return [work("provision", -5, -3), work("replicate", -2, -1), work("trial", 1, 7), work("takeover", 9, 10)]


def test_an_order_across_groups_is_kept() -> None:
    """A job may wait for one of another group; if that is nowhere, it waits for nothing that will ever be."""
    made = problem([task("A"), task("B")])
    jobs = tuple(replace(j, after=("A/takeover",)) if j.job_id == "B/provision" else j for j in made.jobs)
    wave = Wave(number=1, window=made.windows[2], moves=(placed("B", made),))
    found = verify_placing(replace(made, jobs=jobs), (wave,), sorted_days("B", made.windows[2].opens_on))
    assert [v.code for v in found] == ["order"] and found[0].subjects == ("B/provision",)


def placed(system_id: str, made: PlanProblem) -> Move:
    start = made.windows[2].starts_at
    return Move(system_id=system_id, group_id=system_id, crew="一组", starts_at=start,
                cutover_ends_at=start + timedelta(minutes=80), ends_at=start + timedelta(minutes=120))  # fmt: skip


def sorted_days(group_id: str, opens_on: date) -> tuple[Activity, ...]:
    return tuple(sorted(days_of(group_id, opens_on), key=lambda a: (a.starts_on, a.job_id)))


def test_a_job_of_no_length_ends_the_day_before_it_starts() -> None:
    made = problem([task("A")])
    jobs = tuple(replace(j, length=0) if j.kind == "takeover" else j for j in made.jobs)
    opens_on = made.windows[2].opens_on
    wave = Wave(number=1, window=made.windows[2], moves=(placed("A", made),))
    days = [replace(a, ends_on=a.starts_on - DAY) if a.kind == "takeover" else a for a in sorted_days("A", opens_on)]
    assert verify_placing(replace(made, jobs=jobs), (wave,), days) == []
    assert "length" in {v.code for v in verify_placing(replace(made, jobs=jobs), (wave,), sorted_days("A", opens_on))}
