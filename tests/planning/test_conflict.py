"""Conflicts in the office's words: exactly the planted ones, each member needed, and relaxations that do resolve them.

Without this an engineer would be told "infeasible" and start to guess which of forty departments to call.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from offices import MONDAY, freeze, problem, task, windows

from govcloud.model.plan import Conflict, Relaxation
from govcloud.model.plan_problem import Apart, Crew, MoveGroup, Pin, PlanProblem, WeakLink
from govcloud.model.schedule import Search
from govcloud.model.text import same
from govcloud.planning.baseline import place_one_by_one
from govcloud.planning.conflict import find_conflicts
from govcloud.planning.relaxed import longer, only, restrict, with_crews, with_tasks, without
from govcloud.planning.scheduling.cpsat import solve_cpsat
from govcloud.planning.translate import build_schedule_problem

DAY = timedelta(days=1)
ONE = (Crew(name="一组"),)
NIGHTS = [w.opens_on for w in windows(12)]


def found(made: PlanProblem, limit_s: float = 20) -> tuple[Conflict, ...]:
    return find_conflicts(made, Search(limit_s=limit_s, workers=1))


def causes(conflict: Conflict) -> set[tuple[str, str]]:
    return {(d.kind, d.subject) for d in conflict.demands}


def can_be_placed(made: PlanProblem) -> bool:
    """By the planner's own means, none of which look for conflicts: one by one, or the exact solver."""
    translation = build_schedule_problem(made)
    if place_one_by_one(made, translation) is not None:
        return True
    answer = solve_cpsat(replace(translation.schedule, goals=()), Search(limit_s=20, workers=1))
    assert answer.status != "unknown"
    return answer.status != "infeasible"


def pin(group_id: str, night: int, **fields: object) -> Pin:
    return Pin(group_id=group_id, opens_on=NIGHTS[night], **fields)  # type: ignore[arg-type]


def needs(source: str, target: str) -> WeakLink:
    return WeakLink(dependency_id=f"{source}>{target}", source_id=source, target_id=target)


def required(*links: WeakLink) -> dict[str, object]:
    return {"weak_links": links, "weak_mode": "require"}


def two_members() -> PlanProblem:
    return problem([task("A", 140), task("B", 140), task("C", 70)], together=[("A", "B")])


PLANTED: dict[str, tuple[PlanProblem, list[set[tuple[str, str]]]]] = {
    "a system that no window is long enough for": (
        problem([task("A", 300), task("B")]), [{("place", "A"), ("window_length", "")}]),
    "a group that is too long only together": (
        two_members(), [{("place", "A"), ("tie", "A"), ("window_length", "")}]),
    "a deadline inside a freeze, beside a freeze that has nothing to do with it": (
        problem([task("A", not_after_on=date(2026, 12, 1)), task("B")],
                freezes=(freeze("会议保障", date(2026, 11, 27), date(2026, 11, 30)), freeze("无关", date(2026, 12, 10), date(2026, 12, 15)))),
        [{("place", "A"), ("freeze", "会议保障"), ("not_after", "A")}]),
    "a deadline before the work can be done": (
        problem([task("A", not_after_on=MONDAY + DAY), task("B")]), [{("place", "A"), ("not_after", "A")}]),
    "agreed dates that leave no window": (
        problem([task("A", not_before_on=date(2026, 12, 7), not_after_on=date(2026, 12, 11))]),
        [{("place", "A"), ("not_before", "A"), ("not_after", "A")}]),
    "a freeze of everything": (
        problem([task("A")], weeks=3, freezes=(freeze("全年", MONDAY, MONDAY + 21 * DAY),)),
        [{("place", "A"), ("freeze", "全年"), ("weeks", "")}]),
    "a skill that nobody has": (
        problem([task("A", skills=("oracle",)), task("B")]), [{("place", "A"), ("skills", "A")}]),
    "no crew at all": (problem([task("A"), task("B")], crews=()), [{("place", ""), ("crews", "")}]),
    "no window at all": (problem([task("A")], windows=()), [{("place", "A"), ("weeks", "")}]),
    "a quota below the sum": (
        problem([task(s) for s in "ABC"], vcpus=8), [{("place", s) for s in "ABC"} | {("resource", "pool:main:vcpus")}]),
    "a quota below a single system": (
        problem([task("A", vcpus=64), task("B")], vcpus=32), [{("place", "A"), ("resource", "pool:main:vcpus")}]),
    "a link of nothing": (
        problem([task("A")], link_mbps=0), [{("place", "A"), ("resource", "link:main")}]),
    "a pin in a frozen window": (
        problem([task("A"), task("B")], pins=(pin("A", 2),), freezes=(freeze("F", NIGHTS[2], NIGHTS[2]),)),
        [{("place", "A"), ("pin", "A"), ("freeze", "F")}]),
    "a pin in the past": (
        problem([task("A")], pins=(Pin(group_id="A", opens_on=MONDAY - 9 * DAY),)), [{("place", "A"), ("pin", "A")}]),
    "two pins of a group": (
        problem([task("A")], pins=(pin("A", 2), pin("A", 4))),
        [{("place", "A"), ("pin", f"A@{NIGHTS[2]}"), ("pin", f"A@{NIGHTS[4]}")}]),
    "two that must not meet in one group": (
        problem([task("A", 60), task("B", 60)], together=[("A", "B")], apart=(Apart(group_ids=("A", "A"), reason=same("示例")),)),
        [{("place", "A"), ("tie", "A"), ("apart", "A|A")}]),
    "two that must not meet, pinned together": (
        problem([task("A"), task("B")], pins=(pin("A", 2), pin("B", 2)), apart=(Apart(group_ids=("A", "B"), reason=same("示例")),)),
        [{("place", "A"), ("place", "B"), ("pin", "A"), ("pin", "B"), ("apart", "A|B")}]),
    "a required link against two pins": (
        problem([task(s) for s in "ABC"], pins=(pin("A", 2), pin("C", 4)), **required(needs("A", "B"), needs("B", "C"))),
        [{("place", s) for s in "ABC"} | {("pin", "A"), ("pin", "C"), ("weak", "A>B"), ("weak", "B>C")}]),
    "a circle of required links against two pins": (
        problem([task(s) for s in "AB"], pins=(pin("A", 2), pin("B", 4)), **required(needs("A", "B"), needs("B", "A"))),
        [{("place", "A"), ("place", "B"), ("pin", "A"), ("pin", "B"), ("weak", "A>B")}]),
    "a pilot in the way of a deadline": (
        problem([task("A", not_after_on=NIGHTS[0]), task("P", pilot=True)]),
        [{("place", "A"), ("place", "P"), ("pilots", ""), ("not_after", "A")}]),
    "more deadlines than one crew can keep": (
        problem([task(s, 130, not_after_on=NIGHTS[1]) for s in "ABC"] + [task("D"), task("E")], crews=ONE),
        [{("place", s) for s in "ABC"} | {("not_after", s) for s in "ABC"} | {("crews", ""), ("window_length", "")}]),
    "more systems than windows for one each": (
        problem([task(s, 60) for s in "ABC"], weeks=2, systems_per_window=1),
        [{("place", s) for s in "ABC"} | {("resource", "systems"), ("weeks", "")}]),
    "three conflicts that have nothing to do with each other": (
        problem([task("A", 300), task("B", skills=("oracle",)), task("C", not_after_on=MONDAY), task("D")]),
        [{("place", "A"), ("window_length", "")}, {("place", "B"), ("skills", "B")}, {("place", "C"), ("not_after", "C")}]),
}  # fmt: skip


@pytest.mark.parametrize("what", PLANTED)
def test_the_planted_conflict_is_named_and_nothing_else(what: str) -> None:
    made, planted = PLANTED[what]
    conflicts = found(made)
    assert sorted(map(sorted, map(causes, conflicts))) == sorted(map(sorted, planted))
    for conflict in conflicts:
        assert conflict.minimal
        assert all(d.text.zh and d.text.en and "{" not in d.text.zh + d.text.en for d in conflict.demands)
        assert list(conflict.relaxations) == sorted(conflict.relaxations, key=lambda r: r.cost)


@pytest.mark.parametrize("what", [w for w in PLANTED if w != "no window at all"])
def test_each_member_is_needed_and_together_they_contradict(what: str) -> None:
    """Asked of the planner, not of the finder: without any one demand the others of the set can be met."""
    made, _ = PLANTED[what]
    for conflict in found(made):
        alone = only(made, causes(conflict))
        assert not can_be_placed(alone), conflict
        for demand in conflict.demands:
            assert can_be_placed(without(alone, (demand.kind, demand.subject))), demand


@pytest.mark.parametrize(
    "what", [w for w, (_, planted) in PLANTED.items() if len(planted) == 1 and w != "no window at all"]
)
def test_a_relaxation_that_is_proposed_resolves_the_conflict(what: str) -> None:
    """The cheapest is carried out as it says, and then everything of the office can be placed."""
    made, _ = PLANTED[what]
    (conflict,) = found(made)
    assert conflict.relaxations
    for relaxation in conflict.relaxations:
        relaxed = carried_out(made, relaxation)
        assert can_be_placed(relaxed), relaxation.text.en


def carried_out(made: PlanProblem, relaxation: Relaxation) -> PlanProblem:
    """As the setting says where there is one; otherwise the demand is withdrawn."""
    kind, subject = relaxation.demand.kind, relaxation.demand.subject
    key, _, value = (relaxation.setting or "").partition("=")
    if key == "capacity.crews":
        return with_crews(made, int(value))
    if key == "weeks":
        return longer(made, int(value))
    if key == "windows.0.minutes":
        return replace(made, windows=windows(made.weeks, int(value)))
    if kind in ("not_after", "not_before") and value:
        return with_tasks(
            made, lambda t: replace(t, **{f"{kind}_on": date.fromisoformat(value)}) if t.system_id == subject else t
        )  # type: ignore[arg-type]
    if key.startswith(("capacity.pools", "capacity.systems")):
        raised = (replace(r, amount=int(value)) if r.resource_id == subject else r for r in made.resources)
        return replace(made, resources=tuple(raised))
    return without(made, (kind, subject))


def test_amounts_are_the_smallest_that_do_and_cost_decides_the_order() -> None:
    (conflict,) = found(PLANTED["more deadlines than one crew can keep"][0])
    settings_of = {r.demand.kind: r.setting for r in conflict.relaxations if r.demand.kind != "place"}
    assert settings_of["crews"] == "capacity.crews=2" and settings_of["window_length"] == "windows.0.minutes=260"
    assert settings_of["not_after"] in {f"targets.{s}.not_after_on={NIGHTS[2]}" for s in "ABC"}
    (quota,) = found(PLANTED["a quota below the sum"][0])
    assert quota.relaxations[0].setting == "capacity.pools.main.vcpus=12"
    assert "12" in quota.relaxations[0].text.zh and "12" in quota.relaxations[0].text.en


def test_the_work_that_makes_a_date_too_early_is_named() -> None:
    (conflict,) = found(PLANTED["a deadline before the work can be done"][0])
    text = next(d.text for d in conflict.demands if d.kind == "place")
    assert "资源开通 3 个工作日、数据复制 2 天，最早可用 2026-11-27 起的窗口" in text.zh
    assert "provisioning (3 working days), replication (2 days)" in text.en


def test_a_limit_is_raised_until_all_of_the_office_fits_not_only_the_conflict() -> None:
    """Five systems with a deadline that one crew can give to two: three crews are needed, though two would do for three."""
    made = problem([task(s, 130, not_after_on=NIGHTS[1]) for s in "ABCDE"], crews=ONE)
    conflicts = found(made)
    assert len(conflicts[0].demands) == 3 + 3 + 2
    assert "capacity.crews=3" in {r.setting for r in conflicts[0].relaxations}


def test_a_hundred_groups_too_many_are_one_sentence() -> None:
    made = problem([task(f"S{n:03d}", 15) for n in range(100)], weeks=8)
    (conflict,) = found(made)
    assert causes(conflict) == {("place", ""), ("resource", "systems"), ("weeks", "")}
    assert "100" in next(d.text.zh for d in conflict.demands if d.kind == "place")
    assert {r.setting for r in conflict.relaxations} == {"capacity.systems_per_window=13", "weeks=25"}


def test_forty_deadlines_too_many_are_spoken_of_by_their_date() -> None:
    tasks = [task(f"S{n:02d}", 60, not_after_on=NIGHTS[1] if n < 40 else None) for n in range(50)]
    (conflict,) = found(problem(tasks, systems_per_window=99, link_mbps=10**6))
    assert causes(conflict) == {("place", ""), ("crews", ""), ("window_length", ""), ("not_after", str(NIGHTS[1]))}
    assert conflict.minimal
    assert "40" in next(d.text.zh for d in conflict.demands if d.kind == "not_after")
    # 40 hours in two nights of four hours: five crews, or two with ten hours a night, or three more weeks.
    assert {"capacity.crews=5", "windows.0.minutes=600"} <= {r.setting for r in conflict.relaxations}
    assert any("3 周" in r.text.zh for r in conflict.relaxations)


def test_a_problem_that_can_be_placed_has_no_conflict() -> None:
    assert found(problem([task(s) for s in "ABC"], pins=(pin("A", 2),), **required(needs("A", "B")))) == ()


def test_a_very_long_chain_between_two_pins_is_named() -> None:
    """Nothing in the way is recursive."""
    count = 3_000
    tasks = tuple(task(f"S{n:06d}", 5) for n in range(count))
    groups = tuple(MoveGroup(group_id=t.system_id, system_ids=(t.system_id,)) for t in tasks)
    small = problem([task("S000000", 5)])
    jobs = tuple(replace(j, job_id=f"{g.group_id}/cutover", subject_id=g.group_id, after=(), demands=())
                 for j in small.jobs if j.kind == "cutover" for g in groups)  # fmt: skip
    links = tuple(needs(a.system_id, b.system_id) for a, b in pairwise(tasks))
    made = replace(
        small, tasks=tasks, groups=groups, jobs=jobs, weak_links=links, weak_mode="require",
        pins=(pin(tasks[0].system_id, 2), pin(tasks[-1].system_id, 4)),
    )  # fmt: skip
    conflicts = found(made, limit_s=1)
    assert {("weak", ""), ("pin", tasks[0].system_id), ("pin", tasks[-1].system_id)} <= causes(conflicts[0])


def test_the_limit_is_kept_where_nothing_shows_at_once() -> None:
    """Forty groups that fit by count but in no packing: what is not proven in time is not claimed."""
    made = problem(
        [task(f"S{n:02d}", 100 + n % 3 * 20) for n in range(40)],
        crews=ONE,
        weeks=20,
        systems_per_window=9,
        window_min=230,
    )
    for conflict in found(made, limit_s=0.5):
        assert conflict.demands


@st.composite
def deadlines(draw: st.DrawFn) -> PlanProblem:
    """Offices with few nights: many can be planned, many can't."""
    tasks = [
        task(
            f"S{n}", draw(st.sampled_from([60, 120, 180])),
            not_after_on=draw(st.sampled_from([None, None, NIGHTS[0], NIGHTS[1]])),
            skills=("db",) if draw(st.integers(0, 4)) == 0 else (),
        )
        for n in range(draw(st.integers(1, 6)))
    ]  # fmt: skip
    pins = [pin(t.system_id, draw(st.integers(0, 2))) for t in tasks if draw(st.integers(0, 5)) == 0]
    crews: Sequence[Crew] = [Crew(name="一组", skills=("db",)), Crew(name="二组")][: draw(st.integers(1, 2))]
    return problem(
        tasks, crews=crews, pins=tuple(pins), weeks=draw(st.integers(2, 3)), systems_per_window=draw(st.integers(1, 3)),
        freezes=draw(st.sampled_from([(), (freeze("F", NIGHTS[1], NIGHTS[1]),)])),
        **required(*(needs(a.system_id, b.system_id) for a, b in pairwise(tasks) if draw(st.booleans()))),
    )  # fmt: skip


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(deadlines())
def test_whatever_can_not_be_placed_has_a_true_conflict_and_nothing_else_has(made: PlanProblem) -> None:
    conflicts = found(made)
    assert bool(conflicts) == (not can_be_placed(made))
    for conflict in conflicts:
        own = only(made, causes(conflict))
        assert not can_be_placed(own)
        for demand in conflict.demands if conflict.minimal else ():
            assert can_be_placed(without(own, (demand.kind, demand.subject))), demand
        for relaxation in conflict.relaxations:
            assert can_be_placed(carried_out(own, relaxation)), relaxation


def test_without_some_groups_nothing_of_them_is_left() -> None:
    made = two_members()
    part = restrict(made, ["C"])
    assert [t.system_id for t in part.tasks] == ["C"] and {j.subject_id for j in part.jobs} == {"C"}
    assert can_be_placed(part)
