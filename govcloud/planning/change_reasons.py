"""Why a group or network is not where the earlier plan had it: what changed in its facts, the calendar, the means, or who
took its place. Only what differs between the two plans is named; a reason is a fact, not a proof."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Literal, NamedTuple

from govcloud.model.plan import MigrationPlan
from govcloud.model.plan_names import JOB_NAMES
from govcloud.model.plan_problem import ChangeWindow, Crew, Freeze, Job, MoveGroup, PlanResource
from govcloud.model.text import Text, same
from govcloud.planning.placing import Placing, bound, meets

MOST_NAMES = 3
_DATA = {"data_mib", "memory_mib", "disk_mib"}
FIELD_NAMES: dict[str, Text] = {
    "path": Text("处置方式", "disposition"), "cutover_min": Text("割接分钟数", "cutover minutes"),
    "reserve_min": Text("回退预留分钟数", "reserve minutes"), "data_mib": Text("数据量", "data"),
    "vcpus": Text("vCPU", "vCPUs"), "memory_mib": Text("内存", "memory"), "disk_mib": Text("存储", "storage"),
    "mlps_level": Text("等保级别", "MLPS level"), "core": Text("核心系统", "core system"), "pilot": Text("试点", "pilot"),
    "priority": Text("优先级", "priority"), "skills": Text("所需技能", "skills needed"), "zone": Text("所在区", "zone"),
    "pool": Text("资源池", "resource pool"), "networks": Text("所在专网", "networks"), "adapts": Text("适配事项", "adaptation"),
    "not_before_on": Text("最早日期", "earliest date"), "not_after_on": Text("最晚日期", "latest date"),
    "due_on": Text("接管期限", "due date"), "department": Text("部门", "department"),
}  # fmt: skip


class Seat(NamedTuple):
    on: date
    """Day on which its window opens; of a group without a cutover, the last day of its work."""
    crew: str | None
    starts_at: datetime | None
    ends_at: datetime | None


@dataclass(frozen=True)
class Scene:
    """A plan as tables, each made once."""

    plan: MigrationPlan

    @cached_property
    def placing(self) -> Placing:
        return Placing(self.plan.problem, self.plan.waves, self.plan.activities)

    @property
    def group_of(self) -> Mapping[str, str]:
        return self.placing.group_of

    @property
    def groups(self) -> Mapping[str, MoveGroup]:
        return self.placing.group

    @cached_property
    def seats(self) -> Mapping[str, Seat]:
        """Of each group that is placed, or over."""
        ends: dict[str, date] = {}
        for done in self.plan.activities:
            ends[done.subject_id] = max(ends.get(done.subject_id, date.min), done.ends_on)
        found = {}
        for group_id in self.groups:
            cutover, pin = self.placing.cutover.get(group_id), self.placing.executed.get(group_id)
            if cutover is not None:
                found[group_id] = Seat(cutover.window.opens_on, cutover.crew, cutover.starts_at, cutover.ends_at)
            elif pin is not None:
                found[group_id] = Seat(pin.opens_on, pin.crew, None, None)
            elif group_id in ends:
                found[group_id] = Seat(ends[group_id], None, None, None)
        return found

    @cached_property
    def closings(self) -> Mapping[str, date]:
        return {a.subject_id: a.ends_on for a in self.plan.activities if a.kind == "close"}

    @cached_property
    def window(self) -> Mapping[date, ChangeWindow]:
        return {w.opens_on: w for w in self.plan.problem.windows}

    @cached_property
    def here(self) -> Mapping[date, Sequence[str]]:
        """Groups by the day of their window."""
        found: dict[date, list[str]] = {}
        for group_id, cutover in self.placing.cutover.items():
            found.setdefault(cutover.window.opens_on, []).append(group_id)
        return found

    @cached_property
    def resources(self) -> Mapping[str, PlanResource]:
        return {r.resource_id: r for r in self.plan.problem.resources}

    @cached_property
    def needs(self) -> Mapping[str, frozenset[str]]:
        """System → what it depends on by a weak link."""
        found: dict[str, set[str]] = {}
        for link in self.plan.problem.weak_links:
            found.setdefault(link.source_id, set()).add(link.target_id)
        return {key: frozenset(targets) for key, targets in found.items()}

    @cached_property
    def absent(self) -> Mapping[str, Text]:
        """Why a system has no place."""
        return {u.system_id: u.reason for u in self.plan.unplaced} | {e.system_id: e.reason for e in self.plan.problem.excluded}  # fmt: skip

    def freezes(self, group: MoveGroup, day: date) -> dict[str, Freeze]:
        """By name: those that close the window of that day for the group."""
        window = self.window.get(day)
        if window is None:
            return {}
        tasks = [self.placing.task[s] for s in group.system_ids if s in self.placing.task]
        return {f.name: f for f in self.plan.problem.freezes if meets(window, f) and any(bound(t, f) for t in tasks)}

    def used(self, group_id: str) -> set[str]:
        return {r for j in self.placing.jobs_of.get(group_id, ()) for r, _ in j.demands}


@dataclass(frozen=True)
class Causes:
    before: Scene
    after: Scene

    @staticmethod
    def direction(was: date, now: date) -> Literal["earlier", "later"]:
        return "later" if now > was else "earlier"

    def why_added(self, group: MoveGroup) -> tuple[Text, ...]:
        reasons = [Text("上一计划未排：{r}", "not in the earlier plan: {r}").format(r=r) for s in group.system_ids if (r := self.before.absent.get(s))]  # fmt: skip
        return tuple(dict.fromkeys(reasons)) or (Text("新列入计划的系统", "new among the systems to be planned"),)

    def why_removed(self, system_ids: Sequence[str]) -> tuple[Text, ...]:
        reasons = [r for s in system_ids if (r := self.after.absent.get(s))]
        return tuple(dict.fromkeys(reasons)) or (Text("清单中不再需要排", "no longer among the systems to be planned"),)

    def why_regrouped(self, was: MoveGroup, group: MoveGroup) -> tuple[Text, ...]:
        came = [s for s in group.system_ids if s not in was.system_ids]
        left = [s for s in was.system_ids if s not in group.system_ids]
        reasons = [Text("{s} 并入", "joined by {s}").format(s=_names(came))] if came else []
        reasons += [Text("{s} 分出", "{s} left").format(s=_names(left))] if left else []
        reasons += [r for r in group.reasons if r not in was.reasons][:MOST_NAMES]
        return (*reasons, *self._facts(group))

    def why_moved(self, source: MoveGroup, group: MoveGroup, was: Seat, seat: Seat) -> tuple[Text, ...]:
        found = [
            *self._facts(group), *self._jobs(source, group), *self._demands(source, group),
            *self._calendar(group, was, seat), *self._means(source, group), *self._order(source, group, was, seat),
            *self._places(group, was, seat),
        ]  # fmt: skip
        return tuple(dict.fromkeys(found)) or tuple(self._general()) or (GIVES_WAY,)

    def why_shifted(self, source: MoveGroup, group: MoveGroup, was: Seat, seat: Seat) -> tuple[Text, ...]:
        """Of another crew or time in the same window."""
        found = [*self._facts(group), *self._jobs(source, group), *self._demands(source, group), *self._crews(source, group)]  # fmt: skip
        taken = [g for g in self._new_in(seat.on) if was.crew is not None and self.after.seats[g].crew == was.crew]
        if taken:
            found.append(Text("班组 {c} 在该窗口改做 {o}", "crew {c} now does {o} in that window").format(c=was.crew, o=_names(taken)))  # fmt: skip
        return tuple(dict.fromkeys(found)) or (GIVES_WAY,)

    def why_network(self, network_id: str) -> tuple[Text, ...]:
        """The group that it waits for last, then and now; or the systems that keep it."""
        networks = {n.network_id: n for n in self.after.plan.problem.retirements}
        network = networks.get(network_id)
        if network is not None and network.staying:
            return (
                Text("{s} 留在网上，不在计划内", "{s} stay on it and are not planned").format(
                    s=_names(network.staying)
                ),
            )
        last = self._last_on(self.after, network_id)
        if network is None or last is None:
            missing = [g for g in network.group_ids if g not in self.after.seats] if network else []
            return (Text("{s} 未能排入", "{s} are not placed").format(s=_names(missing)),) if missing else (Text("不再列入计划", "no longer planned"),)  # fmt: skip
        was = self._last_on(self.before, network_id)
        text = Text("最后完成的是 {g}（{d}）", "the last to be done is {g} ({d})").format(g=last[0], d=last[1])
        if was is None or was == last:
            return (text,)
        return (Text("{t}，原为 {g}（{d}）", "{t}; before it was {g} ({d})").format(t=text, g=was[0], d=was[1]),)

    # --- what differs

    def _facts(self, group: MoveGroup) -> Iterator[Text]:
        for system_id in group.system_ids:
            old, new = (scene.placing.task.get(system_id) for scene in (self.before, self.after))
            if old is None or new is None or old == new:
                continue
            for name, title in FIELD_NAMES.items():
                a, b = getattr(old, name), getattr(new, name)
                if a != b:
                    yield Text("{s} 的{f}：{a} → {b}", "{f} of {s}: {a} → {b}").format(s=system_id, f=title, a=_value(name, a), b=_value(name, b))  # fmt: skip

    def _jobs(self, source: MoveGroup, group: MoveGroup) -> Iterator[Text]:
        """Their lengths; that of the cutover is a sum of the systems' minutes."""
        old, new = ({j.kind: j for j in s.placing.jobs_of.get(g.group_id, ())} for s, g in ((self.before, source), (self.after, group)))  # fmt: skip
        for kind in sorted({*old, *new} - {"cutover"}):
            a, b = old.get(kind), new.get(kind)
            if (a and a.length) != (b and b.length):
                yield Text("{k}：{a} → {b}", "{k}: {a} → {b}").format(k=JOB_NAMES[kind], a=_length(a), b=_length(b))

    def _demands(self, source: MoveGroup, group: MoveGroup) -> Iterator[Text]:
        """What people and dependencies ask for: pins, pairs apart, links."""
        pins = [{p for p in scene.plan.problem.pins if p.group_id == g.group_id} for scene, g in ((self.before, source), (self.after, group))]  # fmt: skip
        for pin in sorted(pins[1] - pins[0], key=lambda p: p.opens_on):
            yield Text("固定在 {d}{r}", "pinned to {d}{r}").format(d=pin.opens_on, r=Text(f"（{pin.reason}）", f" ({pin.reason})") if pin.reason else "")  # fmt: skip
        for pin in sorted(pins[0] - pins[1], key=lambda p: p.opens_on):
            yield Text("撤销了固定在 {d} 的安排", "the pin to {d} was withdrawn").format(d=pin.opens_on)
        for system_id in group.system_ids:
            old, new = (s.needs.get(system_id, frozenset()) for s in (self.before, self.after))
            if new - old:
                yield Text("{s} 新增依赖 {t}", "{s} now depends on {t}").format(
                    s=system_id, t=_names(sorted(new - old))
                )
            if old - new:
                yield Text("{s} 不再依赖 {t}", "{s} no longer depends on {t}").format(s=system_id, t=_names(sorted(old - new)))  # fmt: skip
        apart = [{o for p in scene.plan.problem.apart if group.group_id in p.group_ids for o in p.group_ids if o != group.group_id} for scene in (self.before, self.after)]  # fmt: skip
        if apart[1] - apart[0]:
            yield Text("不得再与 {o} 同一窗口", "no longer in one window with {o}").format(o=_names(sorted(apart[1] - apart[0])))  # fmt: skip

    def _calendar(self, group: MoveGroup, was: Seat, seat: Seat) -> Iterator[Text]:
        if was.starts_at is None or seat.starts_at is None:
            return
        if was.on not in self.after.window:
            yield Text("{d} 的窗口已取消", "the window of {d} is gone").format(d=was.on)
        if seat.on not in self.before.window:
            yield Text("新增 {d} 的窗口", "the window of {d} is new").format(d=seat.on)
        closed, opened = self.after.freezes(group, was.on), self.before.freezes(group, seat.on)
        for freeze in closed.values():
            yield Text("封网期“{f}”关闭了 {d} 的窗口", "the freeze “{f}” closes the window of {d}").format(f=freeze.title, d=was.on)  # fmt: skip
        for freeze in opened.values():
            yield Text("{d} 的窗口不再受封网期“{f}”限制", "the freeze “{f}” no longer closes the window of {d}").format(f=freeze.title, d=seat.on)  # fmt: skip

    def _means(self, source: MoveGroup, group: MoveGroup) -> Iterator[Text]:
        for resource_id in sorted(self.before.used(source.group_id) | self.after.used(group.group_id)):
            a, b = self.before.resources.get(resource_id), self.after.resources.get(resource_id)
            if a is not None and b is not None and (a.amount, a.changes) != (b.amount, b.changes):
                yield Text("“{r}”：{a} → {b}", "“{r}”: {a} → {b}").format(r=b.title, a=_amounts(a), b=_amounts(b))
            elif a is None and b is not None:
                yield Text("新增限制“{r}”：{b}", "new limit “{r}”: {b}").format(r=b.title, b=_amounts(b))
        yield from self._crews(source, group)

    def _crews(self, source: MoveGroup, group: MoveGroup) -> Iterator[Text]:
        """Crews that can do the group's cutover, when they are others than before."""
        old, new = _able(self.before, source.group_id), _able(self.after, group.group_id)
        if old != new:
            yield Text("能承担的班组：{a} → {b}", "crews that can do it: {a} → {b}").format(a=_names(sorted(old)), b=_names(sorted(new)))  # fmt: skip

    def _order(self, source: MoveGroup, group: MoveGroup, was: Seat, seat: Seat) -> Iterator[Text]:
        """Its own work that now ends after the window that it had."""
        job = self.after.placing.cutover_job.get(group.group_id)
        if job is None or seat.on < was.on:
            return
        for before_id in job.after:
            done = self.after.placing.activity.get(before_id)
            if done is not None and done.ends_on > was.on:
                yield Text("{j}到 {e} 才结束", "the {j} ends on {e} only").format(
                    j=JOB_NAMES[done.kind], e=done.ends_on
                )

    def _places(self, group: MoveGroup, was: Seat, seat: Seat) -> Iterator[Text]:
        """Who came into the window that it had, or left the one that it got."""
        if was.starts_at is None or seat.starts_at is None:
            return
        came = [g for g in self._new_in(was.on) if seat.on > was.on and self._rivals(group.group_id, g)]
        if came:
            yield Text("{d} 的窗口改排 {o}", "{o} took the window of {d}").format(d=was.on, o=_names(came))
        left = [g for g in self._gone_from(seat.on) if self._rivals(group.group_id, g)]
        if left:
            yield Text("{o} 让出了 {d} 的窗口", "{o} left the window of {d}").format(d=seat.on, o=_names(left))

    def _new_in(self, day: date) -> list[str]:
        """Groups in the window of that day of which no system was there before."""
        old = {s for g in self.before.here.get(day, ()) for s in self.before.groups[g].system_ids}
        return sorted(g for g in self.after.here.get(day, ()) if not old.intersection(self.after.groups[g].system_ids))

    def _gone_from(self, day: date) -> list[str]:
        new = {s for g in self.after.here.get(day, ()) for s in self.after.groups[g].system_ids}
        return sorted(
            g for g in self.before.here.get(day, ()) if not new.intersection(self.before.groups[g].system_ids)
        )

    def _rivals(self, group_id: str, other: str) -> bool:
        """Whether the two need the same crews, or something of which a window has so much."""
        if other == group_id:
            return False
        scenes = (self.after, self.before)
        crews = [next((c for s in scenes if (c := _able(s, g))), frozenset()) for g in (group_id, other)]
        scarce = [{r for s in scenes for r in s.used(g) if r in s.resources and s.resources[r].scope == "per_window"} for g in (group_id, other)]  # fmt: skip
        return bool(crews[0] & crews[1] or scarce[0] & scarce[1])

    def _general(self) -> Iterator[Text]:
        """Rules of the whole plan."""
        old, new = self.before.plan.problem, self.after.plan.problem
        if old.starts_on != new.starts_on:
            yield Text("计划起始日：{a} → {b}", "start of the plan: {a} → {b}").format(a=old.starts_on, b=new.starts_on)
        if old.goals != new.goals:
            yield Text("目标次序改变", "the order of the goals is another")
        if old.weak_mode != new.weak_mode:
            yield Text("弱依赖的要求改变", "weak dependencies are asked for differently")
        if old.core_from_window != new.core_from_window:
            yield Text("核心系统最早窗口：第 {a} → {b} 个", "first window for core systems: no. {a} → {b}").format(a=old.core_from_window, b=new.core_from_window)  # fmt: skip

    @staticmethod
    def _last_on(scene: Scene, network_id: str) -> tuple[str, date] | None:
        """(group, end) of the last job that the network's closing waits for."""
        jobs = [scene.placing.job[b] for j in scene.placing.jobs_of.get(network_id, ()) for b in j.after if b in scene.placing.job]  # fmt: skip
        ends = [(day, j.subject_id) for j in jobs if (day := scene.placing.last_day(j)) is not None]
        return (max(ends)[1], max(ends)[0]) if ends else None


GIVES_WAY = Text("自身无变化，为其他变化让位", "nothing of its own changed: it gives way to other changes")


def _able(scene: Scene, group_id: str) -> frozenset[str]:
    job = scene.placing.cutover_job.get(group_id)
    if job is None or job.crew_skills is None:
        return frozenset()
    crews: Iterable[Crew] = scene.plan.problem.crews
    return frozenset(c.name for c in crews if set(job.crew_skills) <= set(c.skills))


def _names(items: Sequence[str]) -> Text:
    if not items:
        return Text("无", "none")
    more = len(items) - MOST_NAMES
    zh, en = "、".join(items[:MOST_NAMES]), ", ".join(items[:MOST_NAMES])
    return Text(f"{zh} 等 {len(items)} 个", f"{en} and {more} more") if more > 0 else Text(zh, en)


def _value(field: str, value: object) -> Text:
    if value is None or value == ():
        return Text("无", "none")
    if isinstance(value, bool):
        return Text("是", "yes") if value else Text("否", "no")
    if isinstance(value, tuple):
        texts = [v if isinstance(v, Text) else same(v) for v in value]
        return Text("、".join(t.zh for t in texts), ", ".join(t.en for t in texts))
    if field in _DATA and isinstance(value, int):
        return same(f"{value / 1024:,.1f} GiB")
    return same(value)


def _length(job: Job | None) -> Text:
    if job is None:
        return Text("无", "none")
    unit = {"window": Text("分钟", "minutes"), "working": Text("个工作日", "working days"), "daily": Text("天", "days")}
    return Text("{n} {u}", "{n} {u}").format(n=job.length, u=unit[job.calendar])


def _amounts(resource: PlanResource) -> Text:
    text = Text("{n} {u}", "{n} {u}").format(n=resource.amount, u=resource.unit)
    for day, amount in resource.changes:
        text = Text("{t}，{d} 起 {n}", "{t}, {n} from {d}").format(t=text, d=day, n=amount)
    return text
