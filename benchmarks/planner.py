"""How good and how fast plans are: public instances with known answers, and made-up estates beside three other methods.

    python benchmarks/planner.py --psplib DIR [--set J60] [--sample 20] [--limit 10] [--json]
    python benchmarks/planner.py --file FILE_OR_DIR … [--limit 10] [--json]
    python benchmarks/planner.py --sizes 1000,10000,50000 [--limit 20,90,240] [--replan] [--goals makespan] [--json]

PSPLIB: DIR holds `instances/` in Patterson's format and best_known.csv (instance, best_known_makespan); any other file or
folder in that format goes through --file, with the gap to the proven bound instead of the best known value.

Sizes: estates.py says what is in such an estate. Inventory → build_problem → build_plan → verify_plan, each size in a
process of its own, whose peak of memory (threads and children included) is told; compiled code is loaded before the clock
starts. `first_s` is the time from build_plan to the first schedule, `seconds` all of build_plan with its checks. The gap of a
goal is (value - proven bound) / value. The baselines (baselines.py) are judged by the same verifier. --replan changes 1 % of
the systems and plans again from the plan: the share of the groups that were not touched and stay in their window.

Progress goes to stderr; with --json the last line of stdout is one JSON document
`{"psplib": …, "synthetic": {size: …}}`. Machine-dependent: state the machine with the numbers.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import resource
import subprocess
import sys
import time
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from baselines import baselines, judge
from estates import STARTS_ON, Estate, build_estate, change_estate
from patterson import load_patterson, parse_patterson

from govcloud.execution.steps import site_steps
from govcloud.model.plan import GoalValue, MigrationPlan
from govcloud.model.plan_problem import Earlier, PlanProblem
from govcloud.model.schedule import Progress, Search
from govcloud.planning.load import parse_rules
from govcloud.planning.plan import build_plan
from govcloud.planning.problem import build_problem
from govcloud.planning.scheduling.solve import solve
from govcloud.planning.verify import verify_plan

STEPS = site_steps({name: {"minutes_per_gib": 0.009} for name in ("final_sync", "verify_data")})
"""Storage as fast as the measured figures of docs/benchmarks.md were made for: the search is measured, not the disks."""

CREATED_AT = datetime(2026, 12, 1, tzinfo=UTC)
LIMITS_S = {1000: 20.0, 10_000: 90.0, 50_000: 240.0}
Result = dict[str, Any]


# -- public instances --------------------------------------------------------------------------------------------------


def run_instances(paths: list[Path], known: dict[str, int], asked: argparse.Namespace) -> Result:
    limit_s = float(asked.limit or 10)
    warm()
    gaps, reached, proven, seconds, rows = [], 0, 0, 0.0, {}
    for path in paths:
        problem = load_patterson(path)
        start = time.monotonic()
        answer = solve(problem, Search(limit_s=limit_s, repeatable=False, seed=asked.seed, workers=asked.workers))
        took = time.monotonic() - start
        value, bound = (answer.values or (0,))[0], (answer.bounds or (0,))[0]
        best = known.get(path.name, bound)
        gaps.append(100 * (value - best) / best if best else 0.0)
        reached += value <= best
        proven += answer.status == "optimal"
        seconds += took
        rows[path.name] = [value, bound, best, round(took, 2)]
        print(
            f"{path.name:<16} {value:>5}  bound {bound:>5}  best known {known.get(path.name, '-'):>5}  {took:6.1f} s"
            f"  mean gap so far {sum(gaps) / len(gaps):.3f} %",
            file=sys.stderr, flush=True,
        )  # fmt: skip
    count = max(1, len(paths))
    return {
        "instances": len(paths), "limit_s": limit_s, "mean_gap_pct": round(sum(gaps) / count, 4), "reached": reached,
        "proven": proven, "mean_seconds": round(seconds / count, 2), "max_gap_pct": round(max(gaps, default=0.0), 2),
        "rows": rows,
    }  # fmt: skip


def psplib(asked: argparse.Namespace) -> Result:
    with (asked.psplib / "best_known.csv").open(newline="") as file:
        known = {row["instance"]: int(row["best_known_makespan"]) for row in csv.DictReader(file)}
    paths = sorted((asked.psplib / "instances").glob(f"{asked.set}_*.txt"), key=lambda p: int(p.stem.split("_")[1]))
    if asked.sample and asked.sample < len(paths):
        chosen = random.Random(asked.seed).sample(paths, asked.sample)
        paths = sorted(chosen, key=paths.index)
    return run_instances(paths, known, asked)


def files(asked: argparse.Namespace) -> Result:
    paths = [p for given in asked.file for p in (sorted(given.iterdir()) if given.is_dir() else [given])]
    return run_instances(paths, {}, asked)


# -- estates -----------------------------------------------------------------------------------------------------------


def run_size(asked: argparse.Namespace) -> Result:
    """In the child: one estate, its plan, the baselines."""
    size, limit_s = asked.child, float(asked.limit)
    warm()
    estate = build_estate(size, asked.seed)
    start = time.monotonic()
    problem = as_problem(estate, asked)
    problem_s = time.monotonic() - start
    found: Result = {
        "systems": len(problem.tasks), "groups": len(problem.groups), "jobs": len(problem.jobs),
        "dependencies": len(estate.inventory.dependencies), "weak_links": len(problem.weak_links),
        "bridges": len(problem.bridges), "crews": len(problem.crews), "windows": len(problem.windows),
        "problem_s": round(problem_s, 2), "limit_s": limit_s,
    }  # fmt: skip
    plan, figures = plan_it(problem, asked)
    found |= figures
    found["peak_mib"] = peak_mib()
    violations = verify_plan(plan)
    found["violations"] = len(violations)
    for violation in violations[:5]:
        print(f"  violation {violation.code}: {violation.text.en}", file=sys.stderr)
    found["baselines"] = {}
    for name, batches in baselines(problem, estate.inventory):
        found["baselines"][name] = verdict = asdict(judge(problem, batches))
        print(f"  {name}: {verdict}", file=sys.stderr, flush=True)
    if asked.replan:
        found["replan"] = replan(estate, plan, asked)
    return found


def warm() -> None:
    """Loads compiled code, or compiles it: done once when the program is installed."""
    from govcloud.planning.scheduling.heuristic import warm as compile_search

    compile_search()
    solve(parse_patterson("3 1  2  1 1 1 2  2 1 1 3  1 2 0"), Search(limit_s=1.0))


def as_problem(estate: Estate, asked: argparse.Namespace, earlier: tuple[Earlier, ...] = ()) -> PlanProblem:
    problem = build_problem(
        estate.inventory, parse_rules(estate.settings), starts_on=STARTS_ON, steps=STEPS, holidays=estate.holidays,
        published_years=estate.published_years, earlier=earlier,
    )  # fmt: skip
    return replace(problem, goals=tuple(asked.goals.split(","))) if asked.goals else problem


def plan_it(
    problem: PlanProblem, asked: argparse.Namespace, previous: MigrationPlan | None = None
) -> tuple[MigrationPlan, Result]:
    first: list[float] = []
    start = time.monotonic()

    def show(progress: Progress) -> None:
        took = time.monotonic() - start
        if progress.values and not first:
            first.append(took)
        print(
            f"  {took:7.1f} s  {progress.phase:<13} values {list(progress.values)}  bounds {list(progress.bounds)}",
            file=sys.stderr, flush=True,
        )  # fmt: skip

    search = Search(
        limit_s=float(asked.limit), repeatable=False, seed=asked.seed, workers=asked.workers, on_progress=show
    )
    plan = build_plan(problem, created_at=CREATED_AT, search=search, previous=previous)
    goals = {g.kind: goal(g) for g in plan.goals}
    return plan, {
        "first_s": round(first[0], 2) if first else None,
        "seconds": round(time.monotonic() - start, 2),
        "status": plan.status,
        "unplaced": len(plan.unplaced),
        "waves": len(plan.waves),
        "makespan_days": goals.get("makespan", {}).get("value"),
        "makespan_bound": goals.get("makespan", {}).get("bound"),
        "makespan_gap_pct": goals.get("makespan", {}).get("gap_pct"),
        "goals": goals,
        "one_by_one": {g.kind: g.value for g in plan.baseline},
    }


def goal(found: GoalValue) -> Result:
    return {"value": found.value, "bound": found.bound, "gap_pct": found.gap_pct}


def replan(estate: Estate, plan: MigrationPlan, asked: argparse.Namespace) -> Result:
    """A week later 1 % of the systems is different; the rest should not notice."""
    changed_estate, changed = change_estate(estate, 0.01, asked.seed)
    before = {m.group_id: (w.window.opens_on, m) for w in plan.waves for m in w.moves}
    earlier = tuple(
        Earlier(group_id=g, opens_on=day, starts_at=move.starts_at, crew=move.crew)
        for g, (day, move) in sorted(before.items())
    )
    problem = as_problem(changed_estate, asked, earlier)
    goals = [k for k in problem.goals if k != "changes"]
    at = goals.index("deadlines") + 1 if "deadlines" in goals else 0
    problem = replace(problem, goals=(*goals[:at], "changes", *goals[at:]))
    again, figures = plan_it(problem, asked, plan)
    after = {m.group_id: w.window.opens_on for w in again.waves for m in w.moves}
    members = {g.group_id: g.system_ids for g in plan.problem.groups}
    same = {
        g.group_id
        for g in problem.groups
        if g.system_ids == members.get(g.group_id) and changed.isdisjoint(g.system_ids)
    }
    untouched = [g for g in before if g in same]
    kept = sum(after.get(g) == before[g][0] for g in untouched)
    return {
        "changed_systems": len(changed), "untouched_groups": len(untouched), "kept_groups": kept,
        "kept_pct": round(100 * kept / len(untouched), 2) if untouched else None,
        "violations": len(verify_plan(again)), **{k: figures[k] for k in ("seconds", "status", "goals")},
    }  # fmt: skip


def peak_mib() -> int:
    """Of this process with its threads, and of the largest child that has ended."""
    used = sum(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return used // 1024


def sizes(asked: argparse.Namespace) -> Result:
    found: Result = {}
    limits = (asked.limit or "").split(",") if asked.limit else []
    for n, size in enumerate(int(s) for s in asked.sizes.split(",")):
        limit = limits[min(n, len(limits) - 1)] if limits else str(LIMITS_S.get(size, max(10.0, size / 120)))
        print(f"{size} systems, {limit} s", file=sys.stderr, flush=True)
        more = [*(["--replan"] if asked.replan else []), *(["--goals", asked.goals] if asked.goals else [])]
        run = subprocess.run(
            [sys.executable, __file__, "--child", str(size), "--limit", limit, "--seed", str(asked.seed),
             "--workers", str(asked.workers), *more],
            stdout=subprocess.PIPE, check=False,
        )  # fmt: skip
        found[str(size)] = (
            json.loads(run.stdout.splitlines()[-1]) if run.returncode == 0 else {"failed": run.returncode}
        )
        if not asked.json:
            table(size, found[str(size)])
    return found


def table(size: int, row: Result) -> None:
    if "failed" in row:
        print(f"{size:>6}  failed ({row['failed']})")
        return
    print(
        f"{size:>6} systems  first {row['first_s']} s  all {row['seconds']} s  {row['peak_mib']} MiB  {row['status']}"
        f"  violations {row['violations']}  unplaced {row['unplaced']}"
    )
    for kind, values in row["goals"].items():
        gap = "no bound" if values["gap_pct"] is None else f"gap {values['gap_pct']} %"
        print(f"        {kind:<10} {values['value']:>10}  bound {values['bound']:>10}  {gap}")
    for name, found in row["baselines"].items():
        print(
            f"        {name:<10} makespan {found['makespan_days']}  violations {found['violations']}  unplaced {found['unplaced']}"
        )
    if "replan" in row:
        print(
            f"        replan     {row['replan']['kept_pct']} % of {row['replan']['untouched_groups']} untouched groups kept their window"
        )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--psplib", type=Path, metavar="DIR")
    parser.add_argument("--set", default="J30", help="first part of the instances' names: J30, J60, J90, J120, RG300")
    parser.add_argument("--sample", type=int, default=0, help="so many instances, drawn by the seed; 0: all")
    parser.add_argument(
        "--file", type=Path, nargs="+", default=[], help="files in Patterson's format, or folders of them"
    )
    parser.add_argument("--sizes", help="systems of the estates, such as 1000,10000,50000")
    parser.add_argument("--limit", help="seconds of search: one number, or one for each size")
    parser.add_argument("--replan", action="store_true", help="change 1 %% of the systems and plan again")
    parser.add_argument("--goals", help="goals in order of rank instead of the planner's own, such as makespan,waiting")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--json", action="store_true", help="the last line is one JSON document")
    parser.add_argument("--child", type=int, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.child:
        print(json.dumps(run_size(asked)))
        return 0
    if not (asked.psplib or asked.file or asked.sizes):
        asked.sizes = "1000"
    found: Result = {}
    if asked.psplib:
        found["psplib"] = {asked.set: psplib(asked)}
    if asked.file:
        found["files"] = files(asked)
    for each in (*found.get("psplib", {}).values(), *([found["files"]] if asked.file else [])):
        if not asked.json:
            print("  ".join(f"{key} {value}" for key, value in each.items() if key != "rows"))
    if asked.sizes:
        found["synthetic"] = sizes(asked)
    if asked.json:
        print(json.dumps(found))
    return int(any("failed" in row for row in found.get("synthetic", {}).values()))


if __name__ == "__main__":
    sys.exit(main())
