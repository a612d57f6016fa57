"""Which change windows are closed for whom."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from govcloud.model.plan_problem import ChangeWindow, Freeze, MoveTask, PlanProblem


def meets(window: ChangeWindow, freeze: Freeze) -> bool:
    return window.starts_at < freeze.ends_at and freeze.starts_at < window.ends_at


def longest_min(windows: Iterable[ChangeWindow]) -> int:
    """Minutes of the longest window."""
    return max((int((w.ends_at - w.starts_at).total_seconds()) // 60 for w in windows), default=0)


def is_general(freeze: Freeze) -> bool:
    """It closes windows for everybody."""
    return freeze.min_mlps is None and not freeze.system_ids and not freeze.departments


def usable_windows(problem: PlanProblem) -> list[ChangeWindow]:
    """Those that no general freeze closes."""
    general = [f for f in problem.freezes if is_general(f)]
    return [w for w in problem.windows if not any(meets(w, f) for f in general)]


def closed_windows(
    problem: PlanProblem, members: Mapping[str, Sequence[MoveTask]], group_ids: Iterable[str]
) -> dict[str, frozenset[int]]:
    """Of each of these groups: indices of the problem's windows that a freeze closes for any of its systems.

    Equal sets are one object. A freeze that names systems or departments is only looked at for those: a site may have one
    for each of its systems.
    """
    shut = [frozenset(n for n, w in enumerate(problem.windows) if meets(w, f)) for f in problem.freezes]
    of_system: dict[str, list[int]] = {}
    of_department: dict[str, list[int]] = {}
    wide: list[int] = []
    for i, freeze in enumerate(problem.freezes):
        if freeze.system_ids:
            for system_id in freeze.system_ids:
                of_system.setdefault(system_id, []).append(i)
        elif freeze.departments:
            for department in freeze.departments:
                of_department.setdefault(department, []).append(i)
        else:
            wide.append(i)
    sets: dict[frozenset[int], frozenset[int]] = {}
    merged: dict[frozenset[int], frozenset[int]] = {}
    found = {}
    for group_id in group_ids:
        binding: set[int] = set()
        for task in members[group_id]:
            near = (wide, of_system.get(task.system_id, ()), of_department.get(task.department or "", ()))
            binding.update(i for some in near for i in some if shut[i] and _binds(problem.freezes[i], task))
        key = frozenset(binding)
        if key not in merged:
            union = frozenset[int]().union(*(shut[i] for i in key))
            merged[key] = sets.setdefault(union, union)
        found[group_id] = merged[key]
    return found


def _binds(freeze: Freeze, task: MoveTask) -> bool:
    """An unknown MLPS level is treated as a high one: asking is cheaper than an outage."""
    return (
        task.system_id not in freeze.exceptions
        and (not freeze.departments or task.department in freeze.departments)
        and (freeze.min_mlps is None or task.mlps_level is None or task.mlps_level >= freeze.min_mlps)
    )
