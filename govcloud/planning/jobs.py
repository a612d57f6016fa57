"""The work of each group and network: which jobs, how long, in which order, and what they take of what is scarce."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from govcloud.model.plan_problem import Job, JobCalendar, JobKind, MoveGroup, MoveTask, NetworkRetirement, Path
from govcloud.planning.resources import Scarce, link_of
from govcloud.planning.rules import ActivityRule, PlanningRules

_ROADS: Mapping[Path, tuple[tuple[JobKind, tuple[JobKind, ...]], ...]] = {
    "move": (
        ("adapt", ()), ("provision", ("adapt",)), ("replicate", ("provision",)), ("rehearse", ("replicate",)),
        ("cutover", ("rehearse",)), ("trial", ("cutover",)), ("refile", ("cutover",)), ("accept", ("trial", "refile")),
        ("takeover", ("accept",)), ("retention", ("accept",)), ("switch_off", ("retention",)),
    ),
    "consolidate": (
        ("adapt", ()), ("replicate", ("adapt",)), ("cutover", ("replicate",)), ("trial", ("cutover",)),
        ("accept", ("trial",)), ("switch_off", ("accept",)),
    ),
    "replace": (
        ("replicate", ()), ("cutover", ("replicate",)), ("retention", ("cutover",)), ("switch_off", ("retention",)),
    ),
    "retire": (("notice", ()), ("archive", ("notice",)), ("switch_off", ("archive",))),
}  # fmt: skip
"""Path -> each kind of job with those that it waits for. Work of no length is left out, and what waited for it waits for
what it would have waited for."""
_LEAVING: Mapping[Path, tuple[JobKind, ...]] = {
    "move": ("trial", "cutover"), "consolidate": ("trial", "cutover"), "replace": ("cutover",), "retire": ("switch_off",),
}  # fmt: skip
"""The job after which the old place is needed no more; the first of these that there is."""
_ALWAYS: tuple[JobKind, ...] = ("cutover", "switch_off")
REFILE_LEVEL = 2
"""Systems of this MLPS level and above are filed with public security: a move changes what was filed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Roads:
    """What jobs are made of, for all groups."""

    rules: PlanningRules
    tasks: Mapping[str, MoveTask]
    scarce: Scarce


def build_jobs(
    groups: Iterable[MoveGroup],
    retirements: Iterable[NetworkRetirement],
    roads: Roads,
    into: Mapping[str, str],
) -> tuple[Job, ...]:
    """A job stands after those that it waits for. `into`: group that merges -> group that its data goes into."""
    jobs: list[Job] = []
    leaving: dict[str, str] = {}
    ordered = sorted(groups, key=lambda g: (g.path != "move", g.group_id))
    for group in ordered:
        made = _group_jobs(group, roads, into.get(group.group_id))
        kinds = {j.kind: j.job_id for j in made}
        leaving[group.group_id] = next(kinds[k] for k in _LEAVING[group.path] if k in kinds)
        jobs += made
    rule = roads.rules.activities
    for network in retirements:
        if not network.staying:
            jobs.append(
                Job(
                    job_id=f"{network.network_id}/close", subject_id=network.network_id, kind="close",
                    calendar=_calendar("close", rule), length=rule.close_days,
                    after=tuple(leaving[g] for g in network.group_ids),
                    demands=roads.scarce.parallel("close"), crew_skills=_skills("close", (), rule),
                )
            )  # fmt: skip
    return tuple(jobs)


def _group_jobs(group: MoveGroup, roads: Roads, into: str | None) -> list[Job]:
    tasks = [roads.tasks[s] for s in group.system_ids]
    rule = roads.rules.activities
    lengths = {kind: _length(kind, tasks, roads) for kind, _ in _ROADS[group.path]}
    ends: dict[JobKind, tuple[str, ...]] = {}
    """Kind -> the jobs that have ended when it has: its own, or those before it where it has no length."""
    jobs: list[Job] = []
    for kind, waits in _ROADS[group.path]:
        after = tuple(dict.fromkeys(job_id for w in waits for job_id in ends[w]))
        if not lengths[kind] and kind not in _ALWAYS:
            ends[kind] = after
            continue
        if into is not None and kind in ("replicate", "cutover"):
            # Its data goes into a system that has to be on the cloud by then, or it would be moved twice.
            after, into = (*after, f"{into}/cutover"), None
        job_id = f"{group.group_id}/{kind}"
        ends[kind] = (job_id,)
        jobs.append(
            Job(
                job_id=job_id, subject_id=group.group_id, kind=kind, calendar=_calendar(kind, rule), length=lengths[kind],
                after=after, demands=_demands(kind, tasks, roads), crew_skills=_skills(kind, tasks, rule),
            )
        )  # fmt: skip
    return jobs


def _length(kind: JobKind, tasks: Sequence[MoveTask], roads: Roads) -> int:
    """Days, of a cutover minutes. Members are worked on side by side; copies share the link, cutovers follow one another."""
    if kind == "cutover":
        return sum(t.cutover_min + t.reserve_min for t in tasks)
    stated = {t.system_id: d for t in tasks if (d := roads.rules.lengths.get(t.system_id, {}).get(kind)) is not None}
    if kind == "replicate":
        rest = _data((t for t in tasks if t.system_id not in stated), roads)
        return max([*stated.values(), *(replication_days(mib, link, roads) for link, mib in rest.items())])
    usual = int(getattr(roads.rules.activities, f"{kind}_days"))
    days = [stated.get(t.system_id, usual) for t in tasks if _needs(kind, t)]
    return max(days, default=0)


def _needs(kind: JobKind, task: MoveTask) -> bool:
    if kind == "adapt":
        return bool(task.adapts)
    # Of an unknown level: better a filing that turns out to be none than one that nobody has thought of.
    return kind != "refile" or task.mlps_level is None or task.mlps_level >= REFILE_LEVEL


def _data(tasks: Iterable[MoveTask], roads: Roads) -> Mapping[str, int]:
    """Link -> MiB of these systems that cross it."""
    data: Counter[str] = Counter()
    for task in tasks:
        data[link_of(task, roads.rules.capacity)] += task.data_mib
    return data


def replication_days(data_mib: int, link: str, roads: Roads) -> int:
    """Days of the first copy, at the speed that one group gets, in the hours of a day in which the link may be filled."""
    rate_mbps = roads.scarce.rate_mbps(link)
    bits_a_day = rate_mbps * 10**6 * 3600 * roads.rules.capacity.replication_hours / 7
    return int(-(-(data_mib * 2**20 * 8) // bits_a_day))


def _demands(kind: JobKind, tasks: Sequence[MoveTask], roads: Roads) -> tuple[tuple[str, int], ...]:
    scarce = roads.scarce
    found = list(scarce.parallel(kind))
    if kind == "provision":
        found += scarce.quotas(tasks)
    elif kind == "replicate":
        found += scarce.links(link for link, mib in _data(tasks, roads).items() if mib)
    elif kind == "cutover":
        found += scarce.in_window(tasks)
    return tuple(found)


def _calendar(kind: JobKind, rule: ActivityRule) -> JobCalendar:
    if kind == "cutover":
        return "window"
    return "daily" if kind == "replicate" or kind in rule.daily else "working"


def _skills(kind: JobKind, tasks: Iterable[MoveTask], rule: ActivityRule) -> tuple[str, ...] | None:
    return tuple(sorted({s for t in tasks for s in t.skills})) if kind in rule.with_crew else None
