"""A new plan begins at the one before it: what has not changed must already stand where it stood."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from offices import problem, task, windows

from govcloud.model.plan_problem import Crew, Earlier, Pin
from govcloud.model.schedule import Search
from govcloud.planning.hint import build_hint
from govcloud.planning.plan import build_plan
from govcloud.planning.scheduling.schedule_check import measure, verify_schedule
from govcloud.planning.translate import build_schedule_problem


def test_without_a_change_the_earlier_plan_is_a_schedule_as_it_stands() -> None:
    crews = (Crew(name="一组", skills=("db",)), Crew(name="二组"))
    tasks = [task(f"S{n}", 60 + 20 * n, skills=("db",) if n == 3 else ()) for n in range(6)]
    made = problem(
        [*tasks, task("R", 0, path="retire"), task("P", 60, pilot=True)], together=[("S0", "S1")], crews=crews
    )
    plan = build_plan(made, created_at=datetime(2026, 11, 22, tzinfo=UTC), search=Search(limit_s=0.2))
    earlier = tuple(
        Earlier(group_id=m.group_id, opens_on=w.window.opens_on, starts_at=m.starts_at, crew=m.crew)
        for w in plan.waves
        for m in w.moves
        if m.system_id == next(g.system_ids[0] for g in made.groups if g.group_id == m.group_id)
    )
    again = replace(made, earlier=earlier, goals=("changes", "makespan"))
    translation = build_schedule_problem(again)
    for previous in (plan, None):
        hint = build_hint(again, translation, previous)
        assert hint is not None
        assert measure(translation.schedule, hint)[0] == 0
        for group_id, i in translation.cutover_of.items():
            crew = next(e.crew for e in earlier if e.group_id == group_id)
            assert crew in translation.pools[translation.mode_pools[i][hint.modes[i]]]
    hint = build_hint(again, translation, plan)
    assert hint is not None
    assert verify_schedule(translation.schedule, hint) == []


def test_work_before_a_known_cutover_stands_as_late_as_it_can_and_a_new_group_last() -> None:
    first, second = windows(2)
    made = problem([task("A"), task("B")])
    earlier = Earlier(
        group_id="A", opens_on=second.opens_on, starts_at=second.starts_at + timedelta(minutes=30), crew="一组"
    )
    made = replace(made, earlier=(earlier,))
    translation = build_schedule_problem(made)
    hint = build_hint(made, translation)
    assert hint is not None
    axis, at = translation.axis, translation.activity_of
    assert axis.instant(hint.starts[at["A/cutover"]]) == earlier.starts_at
    assert axis.ended_on(hint.ends[at["A/replicate"]]) == second.opens_on, "Saturday's copying is over at 22:00"
    assert hint.ends[at["A/provision"]] <= hint.starts[at["A/replicate"]]
    assert hint.starts[at["B/cutover"]] == translation.schedule.horizon
    pinned = replace(made, pins=(Pin(group_id="A", opens_on=first.opens_on),))
    hint = build_hint(pinned, build_schedule_problem(pinned))
    assert hint is not None and axis.window_at(hint.starts[at["A/cutover"]]) == 0


def test_nothing_known_is_no_hint() -> None:
    made = problem([task("A")])
    assert build_hint(made, build_schedule_problem(made)) is None
