"""Conflicts in words: what each member of a conflicting set demands, and what a person can do about it."""

from __future__ import annotations

from collections.abc import Iterable

from govcloud.model.inventory import Dependency
from govcloud.model.plan import Conflict, Culprit, MoveGroup, PlanProblem
from govcloud.model.text import Text
from govcloud.planning.groups import propose_cut
from govcloud.planning.limits import Bar, Limits

QUOTA_NAMES = {
    "vcpus": Text("虚拟处理器（个）", "vCPUs"),
    "memory_mib": Text("内存（MiB）", "memory (MiB)"),
    "disk_mib": Text("存储（MiB）", "storage (MiB)"),
}


def build_conflict(
    problem: PlanProblem, bars: Iterable[Bar], minimal: bool, dependencies: Iterable[Dependency]
) -> Conflict:
    """One sentence for each member; a group that is longer than any window gets the pair to part it at."""
    limits = Limits(problem)
    groups = {g.group_id: g for g in problem.groups}
    links = list(dependencies)
    culprits = tuple(
        Culprit(kind=kind, subject=subject, text=_words(limits, groups, links, kind, subject)) for kind, subject in bars
    )
    return Conflict(culprits=culprits, minimal=minimal)


def _words(limits: Limits, groups: dict[str, MoveGroup], links: list[Dependency], kind: str, subject: str) -> Text:
    problem = limits.problem
    if kind == "place":
        return _place(limits, groups[subject], links)
    if kind == "crew_time":
        return Text(
            "班组时间：{c} 个班组，{w} 个窗口，最长 {m} 分钟",
            "Crew time: {c} crews, {w} windows, the longest of {m} minutes",
        ).format(c=len(problem.crews), w=len(problem.windows), m=max(limits.lengths_min, default=0))
    if kind == "freeze":
        named = [f for f in problem.freezes if f.name == subject]
        closed = [w for w in problem.windows if any(w.starts_at < f.ends_at and f.starts_at < w.ends_at for f in named)]
        return Text("封网期“{f}”占去 {n} 个窗口", "The freeze “{f}” closes {n} windows").format(
            f=named[0].title, n=len(closed)
        )
    task = limits.task.get(subject)
    if kind == "not_before" and task:
        return Text("{s} 约定不早于 {d}", "{s} is agreed for {d} or later").format(s=subject, d=task.not_before_on)
    if kind == "not_after" and task:
        return Text("{s} 约定不晚于 {d}", "{s} is agreed for {d} at the latest").format(s=subject, d=task.not_after_on)
    if kind == "skills":
        needed = sorted({k for t in limits.members(groups[subject]) for k in t.skills})
        return Text("{s} 需要具备技能 {k} 的班组", "{s} needs a crew with the skills {k}").format(
            s=subject, k=", ".join(needed)
        )
    return _limit_words(problem, kind, subject)


def _limit_words(problem: PlanProblem, kind: str, subject: str) -> Text:
    capacity = problem.capacity
    if kind == "core":
        return Text("核心系统 {s} 从第 {n} 个可用窗口起才可迁移", "The core system {s} moves in usable window no. {n} or later").format(s=subject, n=problem.core_from_window)  # fmt: skip
    if kind == "systems_per_window":
        return Text("每个窗口最多迁 {n} 个系统", "At most {n} systems a window").format(n=capacity.systems_per_window)
    if kind == "data_per_window":
        return Text("每个窗口前链路最多复制 {n} GiB", "The link copies at most {n} GiB ahead of a window").format(
            n=(capacity.mib_per_window or 0) // 1024
        )
    if kind == "quota":
        need = sum(getattr(t, subject) for t in problem.tasks)
        return Text("目标云配额：{q} 只有 {n}，全部系统共需 {all}", "Quota of the target cloud: {q} is {n}; all systems need {all}").format(q=QUOTA_NAMES[subject], n=getattr(capacity, subject), all=need)  # fmt: skip
    if kind == "weak":
        link = next(k for k in problem.weak_links if k.dependency_id == subject)
        return Text("{b} 须不晚于依赖它的 {a} 迁移", "{b} must move no later than {a}, which needs it").format(
            a=link.source_id, b=link.target_id
        )
    if kind == "windows":
        return Text("自 {d} 起 {w} 周内没有变更窗口", "There is no change window in {w} weeks from {d}").format(
            d=problem.starts_on, w=problem.weeks
        )
    return Text("试点系统迁完之后才轮到其他系统", "Pilots move before all others")


def _place(limits: Limits, group: MoveGroup, links: list[Dependency]) -> Text:
    minutes = limits.minutes(group)
    names = Text("、".join(group.system_ids), ", ".join(group.system_ids))
    if len(group.system_ids) == 1:
        text = Text("{s} 须迁移，割接加回退预留 {m} 分钟", "{s} is to move: {m} minutes with its rollback reserve")
    else:
        text = Text("强依赖组 {s} 须一起迁移，割接加回退预留共 {m} 分钟",
                    "The group {s} is to move together: {m} minutes with its rollback reserve")  # fmt: skip
    text = text.format(s=names, m=minutes)
    longest = max(limits.lengths_min, default=0)
    if minutes <= longest or len(group.system_ids) == 1:
        return text
    each = {t.system_id: t.cutover_min + t.reserve_min for t in limits.members(group)}
    cut = propose_cut(group, links, each)
    if cut is None:
        return Text("{t}（任何一对单独解除都拆不开）", "{t} (no single pair parts it)").format(t=text)
    return Text(
        "{t}；建议先解除 {a} 与 {b} 的强依赖（{how}，{ids}），拆开后最长的一段 {m} 分钟",
        "{t}; best parted between {a} and {b} ({how}, {ids}): the longer part then takes {m} minutes",
    ).format(
        t=text, a=cut.system_ids[0], b=cut.system_ids[1], ids=", ".join(cut.dependency_ids), m=cut.largest_part_min,
        how=Text("已观测到连接", "seen as a connection") if cut.measured else Text("仅申报", "declared only"),
    )  # fmt: skip
