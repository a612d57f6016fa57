"""Small planning problems made by hand: a county office with Saturday windows, for tests that must not depend on how an
inventory becomes a problem."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from govcloud.model.plan_problem import (
    ChangeWindow,
    Crew,
    Freeze,
    Job,
    MoveGroup,
    MoveTask,
    NetworkRetirement,
    PlanProblem,
    PlanResource,
)
from govcloud.model.text import Text, same

ZONE = ZoneInfo("Asia/Shanghai")
MONDAY = date(2026, 11, 23)


def windows(weeks: int, minutes: int = 240, starts_on: date = MONDAY) -> tuple[ChangeWindow, ...]:
    """Saturday 22:00 of each week."""
    found = []
    for n in range(weeks):
        day = starts_on + timedelta(days=5 - starts_on.weekday(), weeks=n)
        opens = datetime.combine(day, time(22), ZONE).astimezone(UTC)
        found.append(
            ChangeWindow(
                window_id=f"W{n + 1:02d}", starts_at=opens, ends_at=opens + timedelta(minutes=minutes), opens_on=day
            )
        )
    return tuple(found)  # fmt: skip


def days_off(days: int = 1000, starts_on: date = MONDAY) -> tuple[date, ...]:
    """Weekends only."""
    return tuple(d for n in range(days) if (d := starts_on + timedelta(days=n)).weekday() >= 5)


def freeze(name: str, first: date, last: date, **scope: object) -> Freeze:
    """Whole days, both included."""
    begin, end = (datetime.combine(d, time(), ZONE).astimezone(UTC) for d in (first, last + timedelta(days=1)))
    return Freeze(name=name, title=same(name), starts_at=begin, ends_at=end, **scope)  # type: ignore[arg-type]


def task(system_id: str, minutes: int = 120, **fields: object) -> MoveTask:
    """Two thirds of the minutes are the cutover, the rest is the reserve."""
    cutover = minutes * 2 // 3
    fields = {
        "cutover_min": cutover,
        "reserve_min": minutes - cutover,
        "vcpus": 4,
        "memory_mib": 16384,
        "data_mib": 102400,
    } | fields
    return MoveTask(system_id=system_id, name=f"示例系统{system_id}", **fields)  # type: ignore[arg-type]  # fmt: skip


def group_jobs(group: MoveGroup, tasks: Sequence[MoveTask]) -> tuple[Job, ...]:
    """provision 3 working days → replicate 2 days → cutover → trial 7 days → takeover 2 working days; only an archive and
    a switch-off on the path retire."""
    mine = [t for t in tasks if t.system_id in group.system_ids]

    def job(kind: str, calendar: str, length: int, *after: str, **fields: object) -> Job:
        return Job(
            job_id=f"{group.group_id}/{kind}", subject_id=group.group_id, kind=kind, calendar=calendar, length=length,  # type: ignore[arg-type]
            after=tuple(f"{group.group_id}/{k}" for k in after), **fields,  # type: ignore[arg-type]
        )  # fmt: skip

    if group.path == "retire":
        return (job("archive", "daily", 2), job("switch_off", "working", 1, "archive"))
    minutes = sum(t.cutover_min + t.reserve_min for t in mine)
    skills = tuple(sorted({k for t in mine for k in t.skills}))
    return (
        job("provision", "working", 3, demands=(("pool:main:vcpus", sum(t.vcpus for t in mine)),)),
        job("replicate", "daily", 2, "provision", demands=(("link:main", 100),)),
        job("cutover", "window", minutes, "replicate", crew_skills=skills, demands=(("systems", len(mine)),)),
        job("trial", "daily", 7, "cutover"),
        job("takeover", "working", 2, "trial"),
    )


def problem(
    tasks: Sequence[MoveTask],
    *,
    together: Iterable[Sequence[str]] = (),
    crews: Sequence[Crew] = (Crew(name="一组"), Crew(name="二组")),
    weeks: int = 12,
    window_min: int = 240,
    systems_per_window: int = 4,
    link_mbps: int = 1000,
    vcpus: int = 1000,
    networks: Sequence[NetworkRetirement] = (),
    **fields: object,
) -> PlanProblem:
    """One group for each system but for those of `together`; `fields` are those of PlanProblem."""
    bound = {s: tuple(g) for g in together for s in g}
    members = sorted({bound.get(t.system_id, (t.system_id,)) for t in tasks}, key=min)
    path = {t.system_id: t.path for t in tasks}
    groups = tuple(MoveGroup(group_id=min(m), system_ids=m, path=path[m[0]]) for m in members)
    jobs = [j for g in groups for j in group_jobs(g, tasks)]
    last = {j.subject_id: j.job_id for j in jobs}
    jobs += [
        Job(
            job_id=f"{n.network_id}/close", subject_id=n.network_id, kind="close", calendar="working", length=5,
            after=tuple(last[g] for g in n.group_ids),
        )
        for n in networks if not n.staying
    ]  # fmt: skip
    resources = (
        PlanResource(resource_id="systems", title=Text("每个窗口的系统数", "Systems in a window"), unit=Text("个", "systems"), scope="per_window", amount=systems_per_window),
        PlanResource(resource_id="link:main", title=Text("链路 main", "Link main"), unit=same("Mbit/s"), scope="at_once", amount=link_mbps),
        PlanResource(resource_id="pool:main:vcpus", title=Text("资源池 main 的 vCPU", "vCPUs of pool main"), unit=same("vCPU"), scope="total", amount=vcpus),
    )  # fmt: skip
    return PlanProblem(
        **{
            "starts_on": MONDAY, "weeks": weeks, "timezone": "Asia/Shanghai", "tasks": tuple(tasks), "groups": groups,
            "jobs": tuple(jobs), "resources": resources, "retirements": tuple(networks),
            "windows": windows(weeks, window_min), "days_off": days_off(), "crews": tuple(crews),
        } | fields
    )  # type: ignore[arg-type]  # fmt: skip
