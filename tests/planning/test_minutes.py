"""What a plan keeps of a window is what a run will ask for, whatever data, figures and settings there are."""

from __future__ import annotations

from dataclasses import replace

import pytest
from estates import NOW, minutes, needs, problem, strong, system
from hypothesis import given
from hypothesis import strategies as st

from govcloud.errors import InputError
from govcloud.execution.steps import load_steps, site_steps
from govcloud.execution.window import Window, build_window, window_problem
from govcloud.model.migration import MachineSpec, MigrationSpec, NetworkSpec, VerifySpec
from govcloud.model.plan import MigrationPlan
from govcloud.model.run import RunSystem
from govcloud.model.schedule import Search
from govcloud.model.step import Step, StepName
from govcloud.planning.explain import explain_system
from govcloud.planning.minutes import cutover_sum, minutes_text, planned_need, total_minutes
from govcloud.planning.plan import build_plan
from govcloud.planning.rules import DurationRule
from govcloud.planning.verify import verify_plan

NIGHT = [{"minutes": 600}]
FAST = {name: {"minutes_per_gib": 0.1} for name in ("final_sync", "verify_data")}
WORST = MigrationSpec(
    system_id="A", machines=(MachineSpec(source="a", target="b"),), verify=VerifySpec(url="http://a", checks=()),
    network=NetworkSpec(network_id="N", router="r", prefix="10.0.0.0/24", zone_from="a", zone_to="b"),
)  # fmt: skip
"""All steps apply; the planner can't know better, for migration files are written later."""


def asked(plan: MigrationPlan, system_id: str, steps: dict[StepName, Step]) -> Window:
    """By a run of that plan, with as much data as the plan was made with."""
    wave = plan.wave_of(system_id)
    assert wave is not None
    move = next(m for m in wave.moves if m.system_id == system_id)
    row = RunSystem(
        run_id="R", system_id=system_id, position=1, spec=WORST, scope_hash="", since=NOW, opens_at=move.starts_at,
        closes_at=wave.window.ends_at,
    )  # fmt: skip
    task = next(t for t in plan.problem.tasks if t.system_id == system_id)
    return build_window(row, steps, task.data_mib * 2**20)


@pytest.mark.parametrize(
    ("data_gib", "dependencies", "criticality", "expected"),
    [
        (0.0, 0, "general", (45, 25)),  # half of 45 is 22.5, rounded up to five
        (0.0, 3, "core", (80, 40)),  # 45 + 15 + 20
        (0.0, 200, "general", (75, 40)),  # a single sign-on that everybody needs still fits in a night
        (200.0, 0, "general", (165, 25)),  # all of it is read twice: 120 minutes; the way back copies nothing
        (380.0, 3, "core", (310, 40)),  # 80 + 228, rounded up to five
        (0.0, 0, None, (55, 30)),  # unknown criticality counts as important
    ],
)
def test_minutes_follow_the_documented_formula(
    data_gib: float, dependencies: int, criticality: str | None, expected: tuple[int, int]
) -> None:
    rule = DurationRule()
    parts = cutover_sum(round(data_gib * 1024), dependencies, criticality, rule, planned_need(load_steps()))
    assert total_minutes(parts, rule) == expected


def test_an_office_that_wants_less_than_the_steps_take_gets_what_they_take() -> None:
    (task,) = problem(
        [system("A")], duration={"cutover_base_min": 0, "reserve_base_min": 0, "reserve_share_pct": 0}
    ).tasks
    assert (task.cutover_min, task.reserve_min) == (25, 10), "steps 16, the last check 1, data 6; the way back 7"


def test_figures_that_were_measured_here_let_more_data_into_a_night() -> None:
    made = problem([system("A", data_gib=500.0)], given={"steps": site_steps(FAST)})
    assert made.tasks[0].cutover_min == 145, "45 + 500 × 0.2"


def test_minutes_of_a_rehearsal_replace_the_formula() -> None:
    (task,) = problem([system("A")], durations=minutes(A=(33, 44))).tasks
    assert (task.cutover_min, task.reserve_min) == (33, 44)


def test_a_rehearsal_shorter_than_the_steps_is_not_believed_and_the_reason_is_told() -> None:
    """With less a run would refuse the freeze in the night itself."""
    (task,) = problem([system("A", data_gib=100.0)], durations=minutes(A=(33, 3))).tasks
    assert (task.cutover_min, task.reserve_min) == (77, 7)
    text = minutes_text(task)
    assert text is not None and "33 min" in text.en and "100 GiB × 0.6" in text.zh


figures = st.fixed_dictionaries(
    {}, optional={"minutes": st.integers(0, 60), "minutes_per_gib": st.floats(0, 2), "undo_minutes": st.integers(0, 60)}
)
rules = st.fixed_dictionaries(
    {}, optional={k: st.integers(0, 100) for k in ("cutover_base_min", "reserve_base_min", "reserve_share_pct")}
)
sizes = st.tuples(st.floats(0, 5000), st.sampled_from(["core", "important", "general", None]), st.booleans())


@given(
    st.dictionaries(st.sampled_from(sorted(load_steps())), figures, max_size=6), rules,
    st.lists(sizes, min_size=1, max_size=6), st.integers(1, 300), st.integers(0, 60),
)  # fmt: skip
def test_what_is_reserved_is_never_less_than_what_a_run_asks_for(
    section: dict[str, object],
    duration: dict[str, int],
    estate: list[tuple[float, str | None, bool]],
    cutover: int,
    reserve: int,
) -> None:
    steps = site_steps(section)
    systems = [system(f"S{n}", data_gib=gib, criticality=c) for n, (gib, c, _) in enumerate(estate)]
    stated = minutes(**{f"S{n}": (cutover, reserve) for n, (_, _, said) in enumerate(estate) if said})
    made = problem(systems, given={"steps": steps}, duration=duration, durations=stated)
    row = RunSystem(run_id="R", system_id="A", position=1, spec=WORST, scope_hash="", since=NOW)
    for task in made.tasks:
        needed = build_window(row, steps, task.data_mib * 2**20)
        assert needed.forward_min + steps["precheck"].minutes <= task.cutover_min
        assert needed.undo_min <= task.reserve_min
        assert minutes_text(task) is not None


def test_every_system_of_a_plan_can_be_frozen_at_its_own_time() -> None:
    """Groups follow one another in a window, and the way back of the last must be over when it closes."""
    systems = [system(f"S{n:02d}", data_gib=float(40 * n)) for n in range(8)]
    made = problem(systems, [strong("S03", "S02"), strong("S07", "S06"), needs("S05", "S04")], windows=NIGHT)
    plan = build_plan(made, created_at=NOW, search=Search(limit_s=1.0))
    assert not plan.unplaced
    for task in plan.problem.tasks:
        window = asked(plan, task.system_id, dict(load_steps()))
        assert window.opens_at is not None and window_problem(window, window.opens_at) is None


def test_a_system_that_no_night_holds_is_named_with_what_would_let_it_in() -> None:
    plan = build_plan(problem([system("A", data_gib=380.0), system("B")]), created_at=NOW, search=Search(limit_s=2.0))
    assert [u.system_id for u in plan.unplaced] == ["A"] and plan.status == "infeasible"
    (conflict,) = plan.conflicts
    said = "\n".join(d.text.zh for d in conflict.demands)
    assert "380 GiB × 0.6 = 228" in said and "每 GiB 合计不超过 0.442 分钟" in said
    assert "windows.0.minutes=300" in {r.setting for r in conflict.relaxations}
    shown = explain_system(plan, "A")
    assert shown is not None and "needs 300 minutes" in shown.text.en and "0.442" in shown.text.en
    enough = {name: {"minutes_per_gib": 0.22} for name in ("final_sync", "verify_data")}
    again = problem([system("A", data_gib=380.0), system("B")], given={"steps": site_steps(enough)})
    assert not build_plan(again, created_at=NOW, search=Search(limit_s=1.0)).unplaced


def test_an_explanation_says_where_the_minutes_come_from() -> None:
    plan = build_plan(problem([system("A", data_gib=100.0)]), created_at=NOW, search=Search(limit_s=1.0))
    shown = explain_system(plan, "A")
    assert shown is not None and shown.minutes is not None
    assert shown.minutes.en == (
        "Cutover 105 min (freeze, switch and verification 45, data 100 GiB × 0.6 = 60, rounded up to five), reserve 25 min"
    )


def test_a_plan_that_keeps_less_than_a_run_asks_for_is_rejected() -> None:
    plan = build_plan(problem([system("A")]), created_at=NOW, search=Search(limit_s=1.0))
    assert not verify_plan(plan)
    (task,) = plan.problem.tasks
    assert task.minutes is not None
    greedy = replace(task, minutes=replace(task.minutes, steps_min=200, undo_min=30))
    codes = {v.code for v in verify_plan(replace(plan, problem=replace(plan.problem, tasks=(greedy,))))}
    assert codes == {"duration", "reserve"}


def test_a_plan_of_before_is_still_verified_and_explained() -> None:
    """It does not say where its minutes come from."""
    plan = build_plan(problem([system("A")]), created_at=NOW, search=Search(limit_s=1.0))
    tasks = tuple(replace(t, minutes=None) for t in plan.problem.tasks)
    old = replace(plan, problem=replace(plan.problem, tasks=tasks))
    shown = explain_system(old, "A")
    assert not verify_plan(old) and shown is not None and shown.minutes is None


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ({"final_sink": {}}, "there is no step final_sink"),
        ({"cutover": 3}, "steps.cutover may state"),
        ({"cutover": {"minute": 3}}, "steps.cutover may state"),
        ({"cutover": {"minutes": 2.5}}, "must be whole minutes from 0 to 1440"),
        ({"final_sync": {"minutes_per_gib": -0.1}}, "must be minutes from 0 to 1440"),
        ({"final_sync": {"minutes_per_gib": float("nan")}}, "must be minutes from 0 to 1440"),
        ({"freeze": {"undo_minutes": True}}, "not True"),
    ],
)
def test_figures_that_can_not_be_meant_are_refused_by_name(section: dict[str, object], said: str) -> None:
    with pytest.raises(InputError) as error:
        site_steps(section)
    assert said in error.value.what.en
