"""The verifier catches every kind of damage; a verifier that says yes to everything would make all other tests worthless."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest
from estates import minutes, needs, problem, solved, system

from govcloud.model.plan import Freeze, MigrationPlan, Move, Unplaced, Wave
from govcloud.model.text import same
from govcloud.planning.verify import verify_plan

HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def plan() -> MigrationPlan:
    """A+B strongly bound, C core, D pilot, E needs A. Two crews, four waves at most two systems each."""
    systems = [system("A"), system("B"), system("C", criticality="core", mlps_level=3), system("D"), system("E")]
    links = [needs("A", "B", "strong"), needs("E", "A")]
    made = problem(
        systems, links, durations=minutes(A=(60, 20), B=(60, 20), C=(60, 30), D=(60, 30), E=(60, 30)), pilots=["D"],
        core_from_window=3, weak_dependencies="require", crews=[{"name": "一组", "skills": ["db"]}, {"name": "二组"}],
        skills={"C": ["db"]}, capacity={"systems_per_window": 2, "link_mbps": 1000, "vcpus": 20, "disk_gib": 100},
        weeks=6,
    )  # fmt: skip
    found = solved(made)
    assert found.status == "optimal" and verify_plan(found) == []
    return found


def with_move(plan: MigrationPlan, system_id: str, change: Callable[[Move], Move]) -> MigrationPlan:
    return replace(
        plan,
        waves=tuple(
            replace(w, moves=tuple(change(m) if m.system_id == system_id else m for m in w.moves)) for w in plan.waves
        ),
    )


def moved(plan: MigrationPlan, system_id: str, window: int, **fields: object) -> MigrationPlan:
    """The system's move shifted to another window of the problem (0: the first)."""
    old = plan.wave_of(system_id)
    assert old is not None
    target = plan.problem.windows[window]
    shift = target.starts_at - old.window.starts_at
    move = next(m for m in old.moves if m.system_id == system_id)
    move = replace(
        move, starts_at=move.starts_at + shift, cutover_ends_at=move.cutover_ends_at + shift,
        ends_at=move.ends_at + shift, **fields,  # type: ignore[arg-type]
    )  # fmt: skip
    at = {w.window: [m for m in w.moves if m.system_id != system_id] for w in plan.waves}
    at.setdefault(target, []).append(move)
    windows = sorted((w for w, moves in at.items() if moves), key=lambda w: w.starts_at)
    return replace(plan, waves=tuple(Wave(number=n, window=w, moves=tuple(at[w])) for n, w in enumerate(windows, 1)))


def changed(plan: MigrationPlan, **fields: object) -> MigrationPlan:
    return replace(plan, problem=replace(plan.problem, **fields))  # type: ignore[arg-type]


def no_more_than(plan: MigrationPlan, **limits: int) -> MigrationPlan:
    return changed(plan, capacity=replace(plan.problem.capacity, **limits))


def with_task(plan: MigrationPlan, system_id: str, **fields: object) -> MigrationPlan:
    tasks = tuple(replace(t, **fields) if t.system_id == system_id else t for t in plan.problem.tasks)  # type: ignore[arg-type]
    return changed(plan, tasks=tasks)


def frozen(plan: MigrationPlan) -> MigrationPlan:
    opens = plan.waves[1].window.starts_at
    freeze = Freeze(name="F", title=same("F"), starts_at=opens + 3 * HOUR, ends_at=opens + 30 * HOUR)
    return changed(plan, freezes=(freeze,))


def beside_a(plan: MigrationPlan) -> MigrationPlan:
    """E at the same time and with the same crew as A."""
    wave = plan.wave_of("A")
    assert wave is not None
    crew = next(m.crew for m in wave.moves if m.system_id == "A")
    return moved(no_more_than(plan, systems_per_window=9), "E", plan.problem.windows.index(wave.window), crew=crew)


DAMAGE: dict[str, tuple[str, Callable[[MigrationPlan], MigrationPlan]]] = {
    "a system is forgotten": ("placed_once", lambda p: replace(p, waves=p.waves[:-1])),
    "a system is in two waves": (
        "placed_once", lambda p: replace(p, waves=(*p.waves[:-1], replace(p.waves[-1], moves=p.waves[-1].moves * 2)))),
    "a system is placed and listed as left out": (
        "placed_once", lambda p: replace(p, unplaced=(Unplaced(system_id="A", reason=same("")),))),
    "called feasible with a system left out": (
        "status", lambda p: replace(p, unplaced=(Unplaced(system_id="A", reason=same("")),))),
    "a system nobody planned": ("not_planned", lambda p: with_move(p, "E", lambda m: replace(m, system_id="Z"))),
    "waves out of order": ("waves", lambda p: replace(p, waves=p.waves[::-1])),
    "a window that is not one": (
        "window", lambda p: replace(p, waves=(replace(p.waves[0], window=replace(p.waves[0].window, window_id="W99")), *p.waves[1:]))),
    "the reserve leaves the window": ("window", lambda p: with_move(p, "E", lambda m: replace(m, ends_at=m.ends_at + 9 * HOUR))),
    "starts before the window": ("window", lambda p: with_move(p, "D", lambda m: replace(m, starts_at=m.starts_at - HOUR))),
    "a cutover cut short": ("duration", lambda p: with_move(p, "E", lambda m: replace(m, cutover_ends_at=m.starts_at))),
    "a reserve cut short": ("reserve", lambda p: with_move(p, "E", lambda m: replace(m, ends_at=m.cutover_ends_at))),
    "a freeze inside the night": ("freeze", frozen),
    "a group torn apart": ("group", lambda p: moved(p, "B", 5)),
    "two groups at once with one crew": ("crew_time", beside_a),
    "a crew nobody has": ("crew", lambda p: with_move(p, "E", lambda m: replace(m, crew="三组"))),
    "a crew without the skill": ("skills", lambda p: with_move(p, "C", lambda m: replace(m, crew="二组"))),
    "too many systems": ("systems_per_window", lambda p: no_more_than(p, systems_per_window=1)),
    "too much data": ("data_per_window", lambda p: no_more_than(p, mib_per_window=1)),
    "too small a quota": ("quota", lambda p: no_more_than(p, vcpus=1)),
    "before the agreed date": ("not_before", lambda p: with_task(p, "E", not_before_on=date(2027, 6, 1))),
    "after the agreed date": ("not_after", lambda p: with_task(p, "E", not_after_on=date(2026, 11, 1))),
    "a core system too early": ("core", lambda p: changed(p, core_from_window=6)),
    "a pilot that comes last": ("pilots", lambda p: moved(p, "D", 5)),
    "a required target that comes later": ("weak", lambda p: moved(p, "E", 0)),
    "a bound above the objective": ("bound", lambda p: replace(p, bound=10**6)),
}  # fmt: skip


@pytest.mark.parametrize("what", DAMAGE)
def test_damage_is_found_and_named(plan: MigrationPlan, what: str) -> None:
    code, damage = DAMAGE[what]
    found = verify_plan(damage(plan))
    assert code in {v.code for v in found}, [v.text.en for v in found]
    assert all(v.text.zh and v.text.en and "{" not in v.text.en + v.text.zh for v in found)
