"""Small fictitious estates and the problems that they become; every test says only what it cares about."""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any

from govcloud.execution.steps import load_steps
from govcloud.model.inventory import Dependency, Inventory, Network, System
from govcloud.model.plan_problem import Job, PlanProblem
from govcloud.model.server import Server
from govcloud.planning.load import parse_rules
from govcloud.planning.problem import build_problem

SUNDAY = date(2026, 11, 22)
"""The first Saturday window after it opens on 2026-11-28 22:00 +08:00 = 14:00 UTC."""
NOW = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)


def system(system_id: str, **fields: Any) -> System:
    known: dict[str, Any] = {
        "classified": False, "lifecycle": "operating", "hosting": "own_room", "mlps_level": 2,
        "criticality": "general", "data_gib": 10.0,
    }  # fmt: skip
    return System(system_id=system_id, name=f"示例{system_id}", **(known | fields))


def needs(source: str, target: str, strength: str | None = "weak", **fields: Any) -> Dependency:
    known: dict[str, Any] = {"strength": strength, "dependency_id": f"D-{source}-{target}"}
    return Dependency(source_id=source, target_id=target, **(known | fields))


def strong(source: str, target: str, **fields: Any) -> Dependency:
    return needs(source, target, "strong", **fields)


def minutes(**each: tuple[int, int]) -> dict[str, dict[str, int]]:
    """system id -> (cutover, reserve), as the workspace's `planning.durations`."""
    return {key: {"cutover_min": cutover, "reserve_min": reserve} for key, (cutover, reserve) in each.items()}


def problem(
    systems: Iterable[System],
    dependencies: Iterable[Dependency] = (),
    *,
    servers: Iterable[Server] = (),
    networks: Iterable[Network] = (),
    given: dict[str, Any] | None = None,
    **rules: Any,
) -> PlanProblem:
    """`rules`: the `planning:` section; `given`: the other arguments of build_problem."""
    inventory = Inventory(
        systems=tuple(sorted(systems, key=lambda s: s.system_id)), dependencies=tuple(dependencies),
        servers=tuple(servers), networks=tuple(networks),
    )  # fmt: skip
    facts = {"starts_on": SUNDAY, "published_years": {2026, 2027}, "steps": load_steps()} | (given or {})
    return build_problem(inventory, parse_rules({"platform": {"mlps_level": 3}} | rules), **facts)


def jobs_of(made: PlanProblem, subject_id: str) -> dict[str, Job]:
    return {j.kind: j for j in made.jobs if j.subject_id == subject_id}


def estate(systems: int, links: int, seed: int = 1, strong_pct: int = 8) -> Inventory:
    """Some departments' systems with two servers each; what is needed is needed by a power law, two per cent of the
    links go back from the needed to those that need them."""
    dice = random.Random(seed)  # noqa: S311
    found: dict[tuple[int, int], str] = {}
    while len(found) < links:
        source, target = dice.randrange(systems), int(systems * dice.random() ** 3)
        if dice.random() < 0.02:
            source, target = min(source, target), max(source, target)
        else:
            source, target = max(source, target), min(source, target)
        if source != target:
            found[source, target] = "strong" if dice.randrange(100) < strong_pct else dice.choice(("weak", "weak", ""))
    return Inventory(
        systems=tuple(
            system(f"S{n:05d}", department=f"示例{n % 40}局", servers=(f"H{2 * n:06d}", f"H{2 * n + 1:06d}"),
                   data_gib=float(dice.choice((5, 50, 200, 800))), mlps_level=dice.choice((2, 2, 2, 3)))
            for n in range(systems)
        ),
        servers=tuple(
            Server(server_id=f"H{n:06d}", name=f"host-{n}", cpu_count=4, memory_gib=16.0, seen=True, zone=f"zone-{n // 2 % 5}")
            for n in range(2 * systems)
        ),
        dependencies=tuple(
            needs(f"S{a:05d}", f"S{b:05d}", strength or None, measured=dice.random() < 0.5)
            for (a, b), strength in sorted(found.items())
        ),
    )  # fmt: skip
