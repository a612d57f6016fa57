"""How good and how fast plans are, on made-up estates: cost against the proven bound and against the greedy plan.

    python benchmarks/planner.py [--sizes 20,40,100] [--limit 10] [--seed 1] [--json]

The last line is one JSON document `{"synthetic": {size: {seconds, status, gap_pct, ratio_vs_greedy, peak_mib}}}`;
ratio_vs_greedy below 1 means that the plan is cheaper than placing systems one by one.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import time
from datetime import UTC, date, datetime

from govcloud.model.inventory import Dependency, Inventory, System
from govcloud.planning.cpsat import Search
from govcloud.planning.load import parse_rules
from govcloud.planning.plan import build_plan
from govcloud.planning.problem import build_problem

STARTS_ON = date(2026, 11, 22)
RULES = {
    "windows": [{"weekday": "wednesday", "minutes": 300}, {"weekday": "saturday", "minutes": 300}],
    "crews": [{"name": "一组"}, {"name": "二组"}, {"name": "三组"}],
    "capacity": {"systems_per_window": 12, "link_mbps": 1000},
    "freezes": [{"name": "示例封网", "starts_on": "2026-12-25", "ends_on": "2027-01-05"}],
}


def build_estate(size: int, seed: int) -> Inventory:
    """`size` systems; a twentieth of them is needed by many, every tenth has a strongly bound partner."""
    dice = random.Random(seed)
    systems = tuple(
        System(
            system_id=f"S-{n:05d}", name=f"示例系统{n}", classified=False, lifecycle="operating", hosting="own_room",
            mlps_level=dice.choice([2, 2, 2, 3]), data_gib=float(dice.choice([5, 50, 100, 300, 800])),
            criticality=dice.choice(["general", "general", "important", "core"]),
        )
        for n in range(size)
    )  # fmt: skip
    pairs: dict[tuple[int, int], str] = {(n, n + 1): "strong" for n in range(0, size - 1, 10)}
    for n in range(size):
        for _ in range(dice.choice([0, 0, 1, 1, 2])):
            other = dice.randrange(size) if dice.random() < 0.5 else dice.randrange(max(1, size // 20))
            if other != n:
                pairs.setdefault((n, other), "weak")
    dependencies = tuple(
        Dependency(dependency_id=f"D-{a}-{b}", source_id=f"S-{a:05d}", target_id=f"S-{b:05d}", strength=strength)  # type: ignore[arg-type]
        for (a, b), strength in sorted(pairs.items())
    )
    return Inventory(systems=systems, dependencies=dependencies)


def measure(size: int, limit_s: float, seed: int) -> dict[str, object]:
    rules = parse_rules({**RULES, "weeks": max(12, size // 6)})
    problem = build_problem(build_estate(size, seed), rules, starts_on=STARTS_ON, published_years={2026, 2027})
    start = time.perf_counter()
    plan = build_plan(problem, created_at=datetime(2026, 11, 22, tzinfo=UTC), search=Search(limit_s=limit_s, seed=seed))
    seconds = time.perf_counter() - start
    better = plan.objective / plan.baseline if plan.objective is not None and plan.baseline else None
    return {
        "seconds": round(seconds, 2),
        "status": plan.status,
        "gap_pct": None if plan.gap_pct is None else round(plan.gap_pct, 2),
        "ratio_vs_greedy": None if better is None else round(better, 4),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="20,40,100")
    parser.add_argument("--limit", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="only the JSON line")
    asked = parser.parse_args()
    results = {}
    for size in map(int, asked.sizes.split(",")):
        results[str(size)] = found = measure(size, asked.limit, asked.seed)
        if not asked.json:
            print(f"{size:>6} systems  " + "  ".join(f"{key} {value}" for key, value in found.items()), flush=True)
    print(json.dumps({"synthetic": results}))


if __name__ == "__main__":
    main()
