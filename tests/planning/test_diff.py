"""What moved from one plan to another, and why: the facts that changed are named, and so is who took the place."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st
from offices import freeze, problem, task
from plans import by_hand

from govcloud.model.plan import GoalValue, MigrationPlan, PlanChange
from govcloud.model.plan_problem import Apart, Bridge, Crew, Exclusion, MoveGroup, NetworkRetirement, Pin, WeakLink
from govcloud.model.text import same
from govcloud.planning.diff import compare_plans, diff_plans

ONE = (Crew(name="一组"),)


def only(before: MigrationPlan, after: MigrationPlan) -> PlanChange:
    (change,) = diff_plans(before, after)
    return change


def why(change: PlanChange) -> str:
    return "; ".join(r.en for r in change.reasons)


def test_equal_plans_do_not_differ() -> None:
    plan = by_hand(problem([task("A"), task("R", path="retire")]), {"A": ("W01", "一组", 0)})
    assert diff_plans(plan, replace(plan, plan_id="P-2")) == ()


def test_a_change_of_its_own_facts_is_the_reason() -> None:
    old, new = problem([task("A", data_mib=102400)]), problem([task("A", data_mib=2 * 102400, not_before_on=date(2026, 12, 1))])  # fmt: skip
    change = only(by_hand(old, {"A": ("W01", "一组", 0)}), by_hand(new, {"A": ("W02", "二组", 0)}))
    assert (change.kind, change.before_on, change.after_on) == ("later", date(2026, 11, 28), date(2026, 12, 5))
    assert (change.before_crew, change.after_crew) == ("一组", "二组")
    assert why(change) == "data of A: 100.0 GiB → 200.0 GiB; earliest date of A: none → 2026-12-01"


def test_jobs_pins_links_and_pairs_are_reasons() -> None:
    old = problem([task("A"), task("B")])
    new = replace(
        old, jobs=tuple(replace(j, length=9) if j.job_id == "A/provision" else j for j in old.jobs),
        pins=(Pin(group_id="A", opens_on=date(2026, 12, 12), reason="部门要求"),),
        weak_links=(WeakLink(dependency_id="D", source_id="A", target_id="B"),),
        apart=(Apart(group_ids=("A", "B"), reason=same("共用机柜")),),
    )  # fmt: skip
    both = {"B": ("W01", "一组", 0)}
    change = only(by_hand(old, {**both, "A": ("W01", "二组", 0)}), by_hand(new, {**both, "A": ("W03", "二组", 0)}))
    assert why(change) == (
        "provisioning: 3 working days → 9 working days; pinned to 2026-12-12 (部门要求); A now depends on B; "
        "no longer in one window with B; the first copy of the data ends on 2026-12-05 only"
    )
    back = only(by_hand(new, {**both, "A": ("W03", "二组", 0)}), by_hand(old, {**both, "A": ("W01", "二组", 0)}))
    assert back.kind == "earlier" and "the pin to 2026-12-12 was withdrawn; A no longer depends on B" in why(back)


def test_the_calendar_and_the_means_are_reasons() -> None:
    old = problem([task("A")])
    first, later = by_hand(old, {"A": ("W01", "一组", 0)}), {"A": ("W02", "一组", 0)}
    frozen = replace(old, freezes=(freeze("会议", date(2026, 11, 28), date(2026, 11, 29)),))
    assert why(only(first, by_hand(frozen, later))) == "the freeze “会议” closes the window of 2026-11-28"
    assert why(only(by_hand(frozen, later), first)) == "the freeze “会议” no longer closes the window of 2026-11-28"
    assert why(only(first, by_hand(replace(old, windows=old.windows[1:]), later))) == "the window of 2026-11-28 is gone"
    assert why(only(first, by_hand(problem([task("A")], vcpus=4), later))) == "“vCPUs of pool main”: 1000 vCPU → 4 vCPU"
    assert (
        why(only(first, by_hand(problem([task("A")], crews=ONE), later))) == "crews that can do it: 一组, 二组 → 一组"
    )


def test_who_took_the_place_is_named_and_who_only_gives_way_is_said() -> None:
    made = problem([task("A", 240), task("B", 240), task("C", 240)], crews=ONE)
    old = by_hand(made, {"A": ("W01", "一组", 0), "B": ("W02", "一组", 0), "C": ("W03", "一组", 0)})
    new = by_hand(made, {"A": ("W02", "一组", 0), "B": ("W01", "一组", 0), "C": ("W04", "一组", 0)})
    a, b, c = diff_plans(old, new)
    assert (a.kind, b.kind, c.kind) == ("later", "earlier", "later")
    assert "B took the window of 2026-11-28" in why(a) and "A left the window of 2026-11-28" in why(b)
    assert c.reasons[0].zh == "自身无变化，为其他变化让位"
    later = replace(new, problem=replace(made, goals=("makespan",)))
    assert why(diff_plans(old, later)[2]) == "the order of the goals is another"


def test_crews_and_times_within_a_window() -> None:
    made = problem([task("A", 60), task("B", 60)])
    old = by_hand(made, {"A": ("W01", "一组", 0), "B": ("W02", "二组", 0)})
    crew = diff_plans(old, by_hand(made, {"A": ("W01", "二组", 0), "B": ("W01", "一组", 0)}))
    assert [c.kind for c in crew] == ["crew", "earlier"] and "crew 一组 now does B in that window" in why(crew[0])
    assert only(old, by_hand(made, {"A": ("W01", "一组", 60), "B": ("W02", "二组", 0)})).kind == "time"


def test_groups_are_matched_by_their_systems() -> None:
    tasks = [task("A", 60), task("B", 60), task("C", 60)]
    old = by_hand(problem(tasks), {s: ("W01", "一组", 60 * n) for n, s in enumerate("ABC")})
    tied = problem(tasks, together=[("B", "C")])
    reason = same("共用数据库")
    tied = replace(
        tied, groups=tuple(replace(g, reasons=(reason,)) if len(g.system_ids) > 1 else g for g in tied.groups)
    )
    new = by_hand(tied, {"A": ("W01", "一组", 0), "B": ("W01", "一组", 60)})
    change = only(old, new)
    assert (change.kind, change.subject_id, change.system_ids) == ("regrouped", "B", ("B", "C"))
    assert why(change) == "joined by C; 共用数据库"
    named = replace(tied, groups=tuple(MoveGroup(group_id="C", system_ids=("C", "B"), reasons=(reason,)) if g.group_id == "B" else g for g in tied.groups))  # fmt: skip
    named = replace(named, jobs=tuple(replace(j, subject_id="C") if j.subject_id == "B" else j for j in named.jobs))
    assert diff_plans(new, by_hand(named, {"A": ("W01", "一组", 0), "C": ("W01", "一组", 60)})) == ()


def test_who_came_and_who_left_and_why() -> None:
    out = Exclusion(system_id="B", name="示例B", code="classified", reason=same("涉密"))
    both, alone = problem([task("A"), task("B")]), problem([task("A")], excluded=(out,))
    full = by_hand(both, {"A": ("W01", "一组", 0), "B": ("W02", "一组", 0)})
    less = by_hand(alone, {"A": ("W01", "一组", 0)})
    gone, come = only(full, less), only(less, full)
    assert (gone.kind, gone.before_on, why(gone)) == ("removed", date(2026, 12, 5), "涉密")
    assert (come.kind, come.after_on, why(come)) == ("added", date(2026, 12, 5), "not in the earlier plan: 涉密")
    assert why(only(full, by_hand(both, {"A": ("W01", "一组", 0)}))) == "没有窗口"
    part = problem([task("A"), task("B")], together=[("A", "B")])
    left = diff_plans(by_hand(part, {"A": ("W01", "一组", 0)}), less)
    assert [(c.kind, c.subject_id, c.system_ids) for c in left] == [
        ("regrouped", "A", ("A",)),
        ("removed", "B", ("B",)),
    ]


def test_an_executed_group_has_not_moved() -> None:
    made = problem([task("A")])
    old = by_hand(made, {"A": ("W01", "一组", 0)})
    pinned = replace(made, pins=(Pin(group_id="A", opens_on=date(2026, 11, 28), source="executed"),))
    left = tuple(a for a in old.activities if a.kind in ("trial", "takeover"))
    assert diff_plans(old, replace(old, problem=pinned, waves=(), activities=left)) == ()


def test_a_network_follows_its_last_group() -> None:
    network = NetworkRetirement(network_id="N", name="示例专网", group_ids=("A", "B"))
    made = problem([task("A"), task("B")], networks=[network])
    old = by_hand(made, {"A": ("W01", "一组", 0), "B": ("W01", "二组", 0)})
    new = by_hand(made, {"A": ("W03", "一组", 0), "B": ("W01", "二组", 0)})
    moved = diff_plans(old, new)[-1]
    assert (moved.subject_id, moved.kind, moved.before_on, moved.after_on) == ("N", "later", date(2026, 12, 15), date(2026, 12, 29))  # fmt: skip
    assert why(moved) == "the last to be done is A (2026-12-22); before it was B (2026-12-08)"
    stays = problem([task("A"), task("B")], networks=[replace(network, staying=("X",))])
    kept = diff_plans(old, by_hand(stays, {"A": ("W01", "一组", 0), "B": ("W01", "二组", 0)}))[-1]
    assert (kept.kind, why(kept)) == ("removed", "X stay on it and are not planned")


def test_plans_side_by_side() -> None:
    network = NetworkRetirement(network_id="N", name="示例专网", group_ids=("A",))
    bridge = Bridge(
        dependency_ids=("D",), source_id="A", target_id="B", measured=True, cost_days=3, reason=same("组太大")
    )
    link = WeakLink(dependency_id="D", source_id="A", target_id="B")
    made = problem([task("A", 240), task("B", 240)], networks=[network], weak_links=(link,), bridges=(bridge,))
    goal = GoalValue(kind="makespan", value=30, bound=28)
    one = by_hand(made, {"A": ("W01", "一组", 0), "B": ("W01", "二组", 0)}, goals=(goal,))
    two = replace(by_hand(made, {"A": ("W01", "一组", 0), "B": ("W02", "一组", 0)}, plan_id="P-2"), what_if=("capacity.crews=1",))  # fmt: skip
    gone = by_hand(made, {"B": ("W02", "一组", 0)}, plan_id="P-3")
    first, second, third = compare_plans([one, two, gone])
    assert (first.plan_id, first.waves, first.systems, first.peak_crews, first.split_links) == ("P-1", 1, 2, 2, 0)
    assert first.goals == (goal,) and first.networks == (("N", date(2026, 12, 15)),) and first.cut_ties == 1
    assert (second.waves, second.peak_crews, second.split_links) == (2, 1, 1) and second.what_if == (
        "capacity.crews=1",
    )
    assert second.last_cutover_on == date(2026, 12, 5) and second.ends_on == date(2026, 12, 15)
    assert (third.unplaced, third.systems, third.networks, third.status) == (1, 1, (("N", None),), "unknown")
    assert first.high_risk + first.medium_risk + first.low_risk == 2


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 3), st.booleans()), min_size=2, max_size=6), st.data())
def test_every_move_is_listed_once_and_both_ways(places: list[tuple[int, bool]], data: st.DataObject) -> None:
    made = problem([task(f"S{n}", 60) for n in range(len(places))])
    others = [data.draw(st.integers(1, 3)) for _ in places]
    old = by_hand(made, {f"S{n}": (f"W{w:02d}", "一组" if c else "二组", 0) for n, (w, c) in enumerate(places)})
    new = by_hand(made, {f"S{n}": (f"W{w:02d}", "一组" if places[n][1] else "二组", 0) for n, w in enumerate(others)})
    changes = diff_plans(old, new)
    kinds = {f"S{n}": "later" if w > places[n][0] else "earlier" for n, w in enumerate(others) if w != places[n][0]}
    assert {c.subject_id: c.kind for c in changes} == kinds and len(changes) == len(kinds)
    assert all(c.reasons for c in changes)
    assert {c.subject_id for c in diff_plans(new, old)} == set(kinds)
