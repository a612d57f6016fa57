"""Demands of an office in its own words: what conflicts are made of."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property

from govcloud.model.plan import Demand
from govcloud.model.plan_problem import Job, MoveGroup, MoveTask, Pin, PlanProblem
from govcloud.model.text import Text, same
from govcloud.planning.minutes import too_long_text
from govcloud.planning.openings import longest_min
from govcloud.planning.placing import Placing, meets

MOST_NAMED = 12
"""Of more groups than this a conflict speaks as `all`: a list of hundreds helps nobody."""
Cause = tuple[str, str]
"""Kind and subject of a demand (model.plan.Demand).

Subjects: group id (place, tie, skills, pin; pin with @day where a group has several), system id (not_before, not_after),
group ids with | between (apart), dependency id (weak), freeze name, resource id; empty for the others, and for `place` and
`weak` where they speak of all; a day for all latest dates up to it.
"""
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def is_date(subject: str) -> bool:
    return _DAY.fullmatch(subject) is not None


_BEFORE = {
    "adapt": Text("适配改造", "adaptation"), "provision": Text("资源开通", "provisioning"),
    "replicate": Text("数据复制", "replication"), "rehearse": Text("演练", "rehearsal"),
}  # fmt: skip
"""Work before a cutover; anything else goes by the id of its job."""


def names(values: Iterable[str], most: int = 8) -> Text:
    listed = list(values)
    shown = listed[:most]
    text = Text("、".join(shown), ", ".join(shown))
    if len(listed) == len(shown):
        return text
    return Text("{t}等 {n} 个", "{t} … ({n} in all)").format(t=text, n=len(listed))


def places(group_ids: Sequence[str]) -> tuple[Cause, ...]:
    """One for each of a few groups, one for all of many."""
    return (("place", ""),) if len(group_ids) > MOST_NAMED else tuple(("place", g) for g in sorted(group_ids))


def pin_subjects(problem: PlanProblem) -> Mapping[str, Pin]:
    """The pins that still bind, by the subject of their demand."""
    count = Counter(p.group_id for p in problem.pins)
    return {
        p.group_id if count[p.group_id] == 1 else f"{p.group_id}@{p.opens_on}": p
        for p in problem.pins
        if p.source != "executed"
    }


def every_cause(problem: PlanProblem) -> tuple[Cause, ...]:
    """All that an office could do without, groups and their ties apart: limits first, then what it has agreed for single
    systems."""
    found: list[Cause] = [("freeze", f.name) for f in problem.freezes]
    found += [("resource", r.resource_id) for r in problem.resources]
    if any(j.crew_skills is not None for j in problem.jobs):
        found.append(("crews", ""))
    found += [("skills", j.subject_id) for j in problem.jobs if j.crew_skills]
    if problem.weak_mode == "require":
        found += [("weak", k.dependency_id) for k in problem.weak_links]
    found += [("apart", "|".join(a.group_ids)) for a in problem.apart]
    if any(t.pilot for t in problem.tasks):
        found.append(("pilots", ""))
    found += [("weeks", ""), ("window_length", "")]
    found += [("not_before", t.system_id) for t in problem.tasks if t.not_before_on is not None]
    found += [("not_after", t.system_id) for t in problem.tasks if t.not_after_on is not None]
    found += [("pin", subject) for subject in pin_subjects(problem)]
    return tuple(dict.fromkeys(found))


@dataclass(frozen=True)
class Demands:
    """The demands of a problem, worded; tables are made once."""

    problem: PlanProblem

    def build(self, cause: Cause) -> Demand:
        return Demand(kind=cause[0], subject=cause[1], text=self._words(*cause))

    @cached_property
    def tables(self) -> Placing:
        """Of the problem alone: nothing is placed."""
        return Placing(self.problem, (), ())

    @property
    def task(self) -> Mapping[str, MoveTask]:
        return self.tables.task

    @property
    def group(self) -> Mapping[str, MoveGroup]:
        return self.tables.group

    @cached_property
    def pins(self) -> Mapping[str, Pin]:
        return pin_subjects(self.problem)

    @cached_property
    def longest_min(self) -> int:
        return longest_min(self.problem.windows)

    def skills(self, group_id: str) -> tuple[str, ...]:
        return tuple(sorted({k for j in self.tables.jobs_of[group_id] for k in j.crew_skills or ()}))

    def in_time(self, demand: Demand, earliest: date) -> Demand:
        """The demand that a group moves, with the work that makes it so late: the first day on whose windows it can."""
        jobs = self.tables.jobs_of[demand.subject]
        cutover = next(n for n, j in enumerate(jobs) if j.calendar == "window")
        before = [_length(j) for j in jobs[:cutover] if j.length]
        if not before:
            return demand
        work = Text("、".join(t.zh for t in before), ", ".join(t.en for t in before))
        text = Text(
            "{t}；此前须完成{w}，最早可用 {d} 起的窗口",
            "{t}; before it come {w}, so that it can have windows from {d} on",
        )
        return replace(demand, text=text.format(t=demand.text, w=work, d=earliest))

    def _words(self, kind: str, subject: str) -> Text:
        problem = self.problem
        if kind == "place":
            return self._place(subject)
        if kind == "not_before":
            return Text("{s} 约定不早于 {d}", "{s} is agreed for {d} or later").format(s=subject, d=self.task[subject].not_before_on)  # fmt: skip
        if kind == "not_after" and is_date(subject):
            count = sum(t.not_after_on is not None and t.not_after_on.isoformat() <= subject for t in problem.tasks)
            return Text("{n} 个系统约定的最晚日期在 {d} 或之前", "{n} systems are agreed for {d} or earlier at the latest").format(n=count, d=subject)  # fmt: skip
        if kind == "not_after":
            return Text("{s} 约定不晚于 {d}", "{s} is agreed for {d} at the latest").format(s=subject, d=self.task[subject].not_after_on)  # fmt: skip
        if kind == "skills":
            return Text("{s} 需要具备技能 {k} 的班组", "{s} needs a crew with the skills {k}").format(s=subject, k=names(self.skills(subject)))  # fmt: skip
        if kind == "crews":
            return Text("只有 {c} 个班组，每个班组同一时间只做一项工作", "There are {c} crews, each with one thing to do at a time").format(c=len(problem.crews))  # fmt: skip
        if kind == "window_length":
            return Text("变更窗口最长 {m} 分钟", "The longest change window has {m} minutes").format(m=self.longest_min)
        if kind == "pilots":
            pilots = sorted(t.system_id for t in problem.tasks if t.pilot)
            return Text("试点系统（{p}）迁完之后才轮到其他系统", "The pilots ({p}) move before all others").format(p=names(pilots))  # fmt: skip
        by_kind = {"pin": self._pin, "apart": self._apart, "weak": self._weak, "tie": self._tie, "freeze": self._freeze,
                   "resource": self._resource, "weeks": self._weeks}  # fmt: skip
        return by_kind[kind](subject)

    def _place(self, subject: str) -> Text:
        if not subject:
            jobs = [j for j in self.problem.jobs if j.calendar == "window"]
            text = Text("全部 {n} 个组须在本期内迁移，割接加回退预留共 {m} 分钟", "All {n} groups are to move in the period: {m} minutes with their rollback reserves")  # fmt: skip
            return text.format(n=len(jobs), m=sum(j.length for j in jobs))
        systems = self.group[subject].system_ids
        window = self.tables.cutover_job.get(subject)
        if window is None:
            return Text("{s} 须下线", "{s} is to be retired").format(s=names(systems))
        text = Text("{s} 须迁移，割接加回退预留 {m} 分钟", "{s} is to move: {m} minutes with its rollback reserve")
        if len(systems) > 1:
            text = Text("{s} 须一起迁移，割接加回退预留共 {m} 分钟", "{s} are to move together: {m} minutes with their rollback reserve")  # fmt: skip
        text = text.format(s=names(systems), m=window.length)
        why = self._too_long(systems) if window.length > self.longest_min else None
        return text if why is None else Text("{t}。{w}", "{t}. {w}").format(t=text, w=why)

    def _too_long(self, systems: Sequence[str]) -> Text | None:
        """Where the minutes of the longest of them come from, and what would let it into a window."""
        longest = max((self.task[s] for s in systems), key=lambda t: t.cutover_min + t.reserve_min)
        why = too_long_text(longest, self.longest_min)
        return (
            why if why is None or len(systems) == 1 else Text("{s}：{w}", "{s}: {w}").format(s=longest.system_id, w=why)
        )

    def _pin(self, subject: str) -> Text:
        pin = self.pins[subject]
        how = Text("已批准", "approved") if pin.source == "approved" else Text("人工固定", "pinned")
        text = Text("{s} {h}在 {d} 的窗口", "{s} is {h} for the window of {d}")
        if pin.crew is not None:
            text = Text("{s} {h}在 {d} 的窗口，由{c}实施", "{s} is {h} for the window of {d} with crew {c}")
        return text.format(s=pin.group_id, h=how, d=pin.opens_on, c=pin.crew)

    def _apart(self, subject: str) -> Text:
        pair = next(a for a in self.problem.apart if "|".join(a.group_ids) == subject)
        one, other = pair.group_ids
        text = Text("{a} 与 {b} 不得在同一窗口迁移：{r}", "{a} and {b} must not move in the same window: {r}")
        if one == other:
            text = Text("{a} 的成员不得在同一窗口迁移：{r}", "Members of {a} must not move in the same window: {r}")
        return text.format(a=one, b=other, r=pair.reason)

    def _weak(self, subject: str) -> Text:
        if not subject:
            text = Text("被依赖的系统须不晚于依赖它的系统迁移，共 {n} 处", "What others need must move no later than they do: {n} dependencies")  # fmt: skip
            return text.format(n=len(self.problem.weak_links))
        link = next(k for k in self.problem.weak_links if k.dependency_id == subject)
        text = Text("{b} 须不晚于依赖它的 {a} 迁移", "{b} must move no later than {a}, which needs it")
        return text.format(a=link.source_id, b=link.target_id)

    def _tie(self, subject: str) -> Text:
        group = self.group[subject]
        why = same("")
        if group.reasons:
            reasons = group.reasons[:3]
            why = Text("（" + "；".join(r.zh for r in reasons) + "）", " (" + "; ".join(r.en for r in reasons) + ")")
        text = Text("{s} 须在同一窗口一起迁移{r}", "{s} must move together in one window{r}")
        return text.format(s=names(group.system_ids), r=why)

    def _freeze(self, subject: str) -> Text:
        named = [f for f in self.problem.freezes if f.name == subject]
        closed = sum(any(meets(w, f) for f in named) for w in self.problem.windows)
        text = Text("封网期“{f}”占去 {n} 个窗口", "The freeze “{f}” closes {n} windows")
        if any(f.min_mlps or f.system_ids or f.departments for f in named):
            text = Text("封网期“{f}”对部分系统占去 {n} 个窗口", "The freeze “{f}” closes {n} windows for some systems")
        return text.format(f=named[0].title, n=closed)

    def _weeks(self, _: str) -> Text:
        text = Text("计划期自 {d} 起 {w} 周，共 {n} 个变更窗口", "The period is {w} weeks from {d}, with {n} change windows")  # fmt: skip
        if not self.problem.windows:
            text = Text("自 {d} 起 {w} 周内没有变更窗口", "There is no change window in {w} weeks from {d}")
        return text.format(d=self.problem.starts_on, w=self.problem.weeks, n=len(self.problem.windows))

    def _resource(self, subject: str) -> Text:
        resource = next(r for r in self.problem.resources if r.resource_id == subject)
        need = sum(a for j in self.problem.jobs for r, a in j.demands if r == subject)
        text = {
            "at_once": Text("{t}：同一时间最多 {m} {u}", "{t}: at most {m} {u} at a time"),
            "per_window": Text("{t}：每个窗口最多 {m} {u}", "{t}: at most {m} {u} a window"),
            "per_month": Text("{t}：每月最多 {m} {u}", "{t}: at most {m} {u} a month"),
            "total": Text("{t}：共 {m} {u}，全部需要 {n}", "{t}: {m} {u} in all; {n} are needed"),
        }[resource.scope]
        most = max(resource.amount, *(a for _, a in resource.changes)) if resource.changes else resource.amount
        return text.format(t=resource.title, m=most, u=resource.unit, n=need)


def _length(job: Job) -> Text:
    unit = Text("个工作日", "working days") if job.calendar == "working" else Text("天", "days")
    return Text("{k} {n} {u}", "{k} ({n} {u})").format(k=_BEFORE.get(job.kind, same(job.job_id)), n=job.length, u=unit)
