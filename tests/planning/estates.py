"""Small fictitious estates and problems; every test says only what it cares about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any

from govcloud.model.inventory import Dependency, Inventory, System
from govcloud.model.plan import MigrationPlan, PlanProblem
from govcloud.planning.cpsat import Search
from govcloud.planning.load import parse_rules
from govcloud.planning.plan import build_plan
from govcloud.planning.problem import build_problem, system_links

SUNDAY = date(2026, 11, 22)
"""The first Saturday window after it opens on 2026-11-28 22:00 +08:00 = 14:00 UTC."""
NOW = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)
QUICK = Search(limit_s=3.0)


def system(system_id: str, **fields: Any) -> System:
    known: dict[str, Any] = {
        "classified": False, "lifecycle": "operating", "hosting": "own_room", "mlps_level": 2,
        "criticality": "general", "data_gib": 10.0,
    }  # fmt: skip
    return System(system_id=system_id, name=f"示例{system_id}", **(known | fields))


def needs(source: str, target: str, strength: str | None = "weak", *, measured: bool = False) -> Dependency:
    return Dependency(
        dependency_id=f"D-{source}-{target}", source_id=source, target_id=target,
        strength=strength, measured=measured,  # type: ignore[arg-type]
    )  # fmt: skip


def minutes(**each: tuple[int, int]) -> dict[str, dict[str, int]]:
    """system id -> (cutover, reserve), as the workspace's `planning.durations`."""
    return {key: {"cutover_min": cutover, "reserve_min": reserve} for key, (cutover, reserve) in each.items()}


def problem(
    systems: Iterable[System],
    dependencies: Iterable[Dependency] = (),
    *,
    holidays: Iterable[date] = (),
    **rules: Any,
) -> PlanProblem:
    settings: Mapping[str, Any] = {
        "weeks": 4, "crews": [{"name": "一组"}], "core_from_window": 1,
        "costs": {"per_wave_days": 0, "per_broken_weak_days": 14},
    } | rules  # fmt: skip
    inventory = Inventory(systems=tuple(sorted(systems, key=lambda s: s.system_id)), dependencies=tuple(dependencies))
    return build_problem(
        inventory, parse_rules(settings), starts_on=SUNDAY, holidays=holidays, published_years={2026, 2027}
    )


def solved(made: PlanProblem, dependencies: Iterable[Dependency] = (), search: Search = QUICK) -> MigrationPlan:
    links = system_links(
        Inventory(systems=tuple(system(t.system_id) for t in made.tasks), dependencies=tuple(dependencies))
    )
    return build_plan(made, created_at=NOW, search=search, dependencies=links)


def wave_numbers(plan: MigrationPlan) -> dict[str, int]:
    return {m.system_id: w.number for w in plan.waves for m in w.moves}


def opening_days(plan: MigrationPlan) -> dict[str, str]:
    return {m.system_id: w.window.opens_on.isoformat() for w in plan.waves for m in w.moves}


def culprits(plan: MigrationPlan) -> list[set[tuple[str, str]]]:
    return [{(c.kind, c.subject) for c in conflict.culprits} for conflict in plan.conflicts]
