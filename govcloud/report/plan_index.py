"""A plan turned so that a table can ask it: what lies where, by group, network and job."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from govcloud.model.plan import Activity, MigrationPlan, Move, RiskAssessment, Wave
from govcloud.model.plan_problem import Freeze, Job, MoveGroup, MoveTask, NetworkRetirement
from govcloud.model.text import Text, same


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanIndex:
    plan: MigrationPlan
    zone: ZoneInfo
    tasks: Mapping[str, MoveTask]
    groups: Mapping[str, MoveGroup]
    group_of: Mapping[str, str]
    """System id -> group id."""
    jobs: Mapping[str, Job]
    networks: Mapping[str, NetworkRetirement]
    waves: Mapping[str, Wave]
    """Group id -> its wave; groups without a window are not in it."""
    moves: Mapping[str, Sequence[Move]]
    activities: Mapping[str, Sequence[Activity]]
    """Group or network id -> its work, by start."""

    def name(self, subject_id: str) -> Text:
        """`协同办公系统 等 3 个系统`, or the name of the network."""
        if (network := self.networks.get(subject_id)) is not None:
            return same(network.name)
        group = self.groups.get(subject_id)
        ids = group.system_ids if group else (subject_id,)
        first = self.tasks.get(subject_id)
        name = first.name if first else subject_id
        if len(ids) < 2:
            return same(name)
        return Text("{name} 等 {n} 个系统", "{name} and others ({n} systems)").format(name=name, n=len(ids))

    def departments(self, group_id: str) -> tuple[str, ...]:
        group = self.groups.get(group_id)
        found = (self.tasks[s].department for s in (group.system_ids if group else ()) if s in self.tasks)
        return tuple(dict.fromkeys(d for d in found if d))


def build_index(plan: MigrationPlan) -> PlanIndex:
    problem = plan.problem
    waves: dict[str, Wave] = {}
    moves: dict[str, list[Move]] = defaultdict(list)
    for wave in plan.waves:
        for move in wave.moves:
            waves[move.group_id] = wave
            moves[move.group_id].append(move)
    activities: dict[str, list[Activity]] = defaultdict(list)
    for activity in plan.activities:
        activities[activity.subject_id].append(activity)
    return PlanIndex(
        plan=plan, zone=ZoneInfo(problem.timezone), tasks={t.system_id: t for t in problem.tasks},
        groups={g.group_id: g for g in problem.groups},
        group_of={s: g.group_id for g in problem.groups for s in g.system_ids},
        jobs={j.job_id: j for j in problem.jobs}, networks={n.network_id: n for n in problem.retirements},
        waves=waves, moves=moves, activities=activities,
    )  # fmt: skip


def by_subject(risks: Sequence[RiskAssessment]) -> Mapping[str, RiskAssessment]:
    return {r.subject: r for r in risks}


def is_general(freeze: Freeze) -> bool:
    """Whether it closes its windows for everybody but the named exceptions."""
    return freeze.min_mlps is None and not freeze.system_ids and not freeze.departments


def freezes_over(plan: MigrationPlan, start: datetime, end: datetime) -> tuple[Freeze, ...]:
    """All freezes that meet [start, end), the general ones first."""
    met = [f for f in plan.problem.freezes if f.starts_at < end and start < f.ends_at]
    return tuple(sorted(met, key=lambda f: (not is_general(f), f.starts_at, f.name)))


def minutes(start: datetime, end: datetime) -> int:
    return int((end - start).total_seconds()) // 60
