"""Random small offices with every rule that a plan can have, for properties of translation, search and verifier."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta

from hypothesis import strategies as st
from offices import MONDAY, days_off, freeze, problem, task

from govcloud.model.plan_problem import (
    Apart,
    Crew,
    Earlier,
    Job,
    MoveTask,
    NetworkRetirement,
    Pin,
    PlanProblem,
    PlanResource,
    WeakLink,
)
from govcloud.model.text import Text, same

DAY = timedelta(days=1)
SATURDAY = MONDAY + 5 * DAY
CREWS = (
    (Crew(name="一组"),),
    (Crew(name="一组"), Crew(name="二组")),
    (Crew(name="一组", skills=("db",)), Crew(name="二组"), Crew(name="三组")),
)


def saturdays(most: int) -> st.SearchStrategy[date]:
    return st.integers(0, most).map(lambda n: SATURDAY + n * 7 * DAY)


@st.composite
def any_offices(draw: st.DrawFn) -> PlanProblem:
    """One to six systems in three to seven weeks. Many can be planned, many can't."""
    weeks = draw(st.integers(3, 7))
    ids = [f"S{n}" for n in range(draw(st.integers(1, 6)))]
    crews = draw(st.sampled_from(CREWS))
    skills = [(), (), (), *({c.skills for c in crews})]
    tasks = [_task(draw, s, weeks, skills) for s in ids]
    moving = [t.system_id for t in tasks if t.path == "move"]
    together = [moving[:2]] if len(moving) > 2 and draw(st.booleans()) else []
    some = st.sampled_from(ids)
    retired = [g for g in ids if not any(g in t and g != min(t) for t in together)]
    networks = [
        NetworkRetirement(
            network_id="N1", name="示例专网", group_ids=tuple(retired[:2]),
            due_on=draw(st.none() | st.just(MONDAY + 30 * DAY)),
        )
    ]  # fmt: skip
    made = problem(
        tasks, together=together, weeks=weeks, window_min=draw(st.sampled_from([180, 240])),
        crews=crews,
        systems_per_window=draw(st.integers(1, 4)), link_mbps=draw(st.sampled_from([100, 150, 1000])),
        vcpus=draw(st.sampled_from([16, 1000, 1000])), networks=networks if draw(st.booleans()) else [],
        days_off=days_off(300), weak_mode=draw(st.sampled_from(["prefer", "require"])), core_from_window=draw(st.integers(1, 3)),
        freezes=tuple(
            freeze(f"F{n}", day, day + draw(st.integers(0, 9)) * DAY, **draw(st.sampled_from([
                {}, {"min_mlps": 3}, {"system_ids": (ids[0],)}, {"departments": ("甲局",)}, {"exceptions": (ids[-1],)},
            ])))
            for n, day in enumerate(draw(st.lists(saturdays(weeks), max_size=2)))
        ),
        weak_links=tuple(
            WeakLink(dependency_id=f"D{n}", source_id=a, target_id=b)
            for n, (a, b) in enumerate(draw(st.lists(st.tuples(some, some), max_size=4)))
            if a != b
        ),
    )  # fmt: skip
    return _with_wishes(draw, _with_limits(draw, made), weeks)


def _task(draw: st.DrawFn, system_id: str, weeks: int, skills: Sequence[tuple[str, ...]]) -> MoveTask:
    path = draw(st.sampled_from(["move", "move", "move", "move", "retire"]))
    return task(
        system_id, 0 if path == "retire" else draw(st.sampled_from([30, 60, 90, 115, 180])), path=path,
        department=draw(st.sampled_from(["甲局", "乙局", None])), mlps_level=draw(st.sampled_from([2, 3, None])),
        core=draw(st.booleans()), pilot=path == "move" and draw(st.integers(0, 5)) == 0, priority=draw(st.integers(1, 4)),
        skills=draw(st.sampled_from(skills)),
        not_before_on=draw(st.none() | st.none() | saturdays(2)),
        not_after_on=draw(st.none() | st.none() | st.none() | saturdays(weeks + 2)),
        due_on=draw(st.none() | saturdays(weeks)),
    )  # fmt: skip


def _with_limits(draw: st.DrawFn, made: PlanProblem) -> PlanProblem:
    """Limits that change, by the month, and on days; a crew for some of the days' work."""
    some: list[PlanResource] = list(made.resources)
    if draw(st.integers(0, 3)) == 3:
        first = MONDAY + draw(st.integers(0, 30)) * DAY
        change = ((first, draw(st.integers(0, 24))), (first + 9 * DAY, 1000))
        some = [replace(r, changes=change if r.scope in ("total", "per_window") else ()) for r in some]
    month = PlanResource(
        resource_id="month", title=Text("每月开通", "Openings a month"), unit=same("1"), scope="per_month",
        amount=draw(st.integers(1, 3)), changes=((date(2026, 12, 15), draw(st.integers(0, 9))),) if draw(st.booleans()) else (),
    )  # fmt: skip
    busy = draw(st.booleans())

    def job(j: Job) -> Job:
        if j.kind == "provision":
            return replace(j, demands=(*j.demands, ("month", 1)))
        if j.kind == "trial" and busy:
            return replace(j, demands=(*j.demands, ("link:main", 30)), length=draw(st.integers(0, 9)))
        return replace(j, crew_skills=()) if j.kind == "takeover" and busy else j

    return replace(made, resources=(*some, month), jobs=tuple(job(j) for j in made.jobs))


def _with_wishes(draw: st.DrawFn, made: PlanProblem, weeks: int) -> PlanProblem:
    groups = [g.group_id for g in made.groups if g.path != "retire"]
    if not groups:
        return made
    one = st.sampled_from(groups)
    name = st.sampled_from([c.name for c in made.crews])
    pins = {
        g: Pin(group_id=g, opens_on=day, crew=draw(st.none() | name), source=source)
        for g, day, source in draw(st.lists(st.tuples(one, saturdays(weeks), st.sampled_from(["pin", "executed"])), max_size=2))
    }  # fmt: skip
    made = replace(made, resources=tuple(_room_for(r, made, pins.values()) for r in made.resources))
    earlier = {
        g: Earlier(group_id=g, opens_on=w.opens_on, starts_at=w.starts_at + timedelta(minutes=15), crew=draw(name))
        for g, w in draw(st.lists(st.tuples(one, st.sampled_from(made.windows)), max_size=3))
    }
    pairs = sorted({p for p in draw(st.lists(st.tuples(one, one), max_size=3)) if p[0] < p[1]})
    return replace(
        made, pins=tuple(pins.values()), earlier=tuple(earlier.values()),
        apart=tuple(Apart(group_ids=p, reason=same("示例")) for p in pairs),
        goals=draw(st.permutations(("deadlines", "networks", "risk", "makespan", "bridges", "peak", "changes", "waiting"))),
    )  # fmt: skip


def _room_for(resource: PlanResource, made: PlanProblem, pins: Iterable[Pin]) -> PlanResource:
    """Enough of it for what has been executed: nobody can have taken more than there was."""
    if resource.scope != "total":
        return resource
    over = {p.group_id for p in pins if p.source == "executed"}
    taken = sum(n for j in made.jobs if j.subject_id in over for r, n in j.demands if r == resource.resource_id)
    changes = tuple((day, max(n, taken)) for day, n in resource.changes)
    return replace(resource, amount=max(resource.amount, taken), changes=changes)
