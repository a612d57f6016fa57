"""The answer to "why this date" names what really stands in the way, window by window."""

from __future__ import annotations

from dataclasses import replace

from estates import minutes, needs, problem, solved, system

from govcloud.model.plan import Placement
from govcloud.planning.explain import explain_system
from govcloud.planning.layout import build_waves, placements_of, plan_hash


def test_each_earlier_window_is_answered_with_its_own_reason() -> None:
    freeze = {"name": "会议保障", "starts_on": "2026-11-27", "ends_on": "2026-11-30"}
    made = problem(
        [system("A"), system("B", criticality="core"), system("C")], freezes=[freeze], core_from_window=3,
        targets={"C": {"not_before_on": "2026-12-10"}}, weeks=6,
    )  # fmt: skip
    plan = solved(made)
    core = explain_system(plan, "B")
    assert core is not None and core.wave is not None and core.wave.window.opens_on.isoformat() == "2026-12-19"
    assert [[r.code for r in e.reasons] for e in core.earlier] == [["freeze", "core"], ["core"], ["core"]]
    later = explain_system(plan, "C")
    assert later is not None and [[r.code for r in e.reasons] for e in later.earlier] == [
        ["freeze", "not_before"], ["not_before"],
    ]  # fmt: skip
    assert "会议保障" in later.earlier[0].reasons[0].text.zh


def test_who_takes_the_crew_is_named() -> None:
    plan = solved(problem(map(system, "AB"), durations=minutes(A=(120, 60), B=(120, 60)), priorities={"A": 9}))
    found = explain_system(plan, "B")
    assert found is not None and [r.code for r in found.earlier[0].reasons] == ["crew_time"]
    assert "taken by A" in found.earlier[0].reasons[0].text.en


def test_a_possible_but_worse_window_is_priced() -> None:
    """B could move first, but then A, which needs it and is urgent … the other way round: A first breaks the link."""
    rules = {
        "durations": minutes(A=(150, 50), B=(150, 50)),
        "capacity": {"systems_per_window": 2},
        "crews": [{"name": "一组"}, {"name": "二组"}],
    }
    made = problem(map(system, "AB"), [needs("A", "B")], **rules, targets={"B": {"not_before_on": "2026-12-01"}},
                   costs={"per_wave_days": 0, "per_broken_weak_days": 20})  # fmt: skip
    found = explain_system(solved(made), "A")
    assert found is not None and found.earlier[0].reasons == () and found.earlier[0].extra_days == 20 - 7


def test_a_plan_that_can_be_bettered_says_so() -> None:
    plan = solved(problem(map(system, "A")))
    late = [replace(p, window_id="W03") for p in placements_of(plan)]
    waves = build_waves(plan.problem, late)
    worse = replace(plan, waves=waves, status="feasible", objective=20, plan_hash=plan_hash(plan.problem, waves))
    found = explain_system(worse, "A")
    assert found is not None and [e.extra_days for e in found.earlier] == [-14, -7]
    assert "not proven best" in found.text.en


def test_systems_outside_the_plan_get_their_reason_and_strangers_none() -> None:
    plan = solved(problem([system("A", classified=True), system("B")], durations=minutes(B=(300, 10))))
    for system_id, word in (("A", "Classified"), ("B", "No window takes it")):
        found = explain_system(plan, system_id)
        assert found is not None and found.wave is None and word in found.text.en
    assert explain_system(plan, "Z") is None


def test_a_plan_and_its_placements_say_the_same() -> None:
    plan = solved(problem(map(system, "AB"), [needs("A", "B", "strong")]))
    assert placements_of(plan) == (Placement(group_id="A", window_id="W01", crew="一组"),)
    assert build_waves(plan.problem, placements_of(plan)) == plan.waves
