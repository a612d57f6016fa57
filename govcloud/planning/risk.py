"""Risk of a group's cutover and of a wave, and how far the data behind it can be trusted; points with their reasons."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from govcloud.model.plan import Level, MigrationPlan, RiskAssessment, Wave
from govcloud.model.plan_names import INPUT_NAMES
from govcloud.model.plan_problem import ChangeWindow, Freeze, Job, MoveGroup, MoveTask
from govcloud.model.text import Text, same
from govcloud.planning.placing import Placing, bound, meets

POINTS: Mapping[str, int] = {
    "core": 3, "mlps": 2, "mlps_unknown": 1, "adapt": 2, "several": 1, "many": 2, "connected": 1, "entangled": 2,
    "bridge": 1, "large": 1, "huge": 2, "tight": 1, "full": 2, "one_crew": 1, "few_windows": 1, "last_window": 3,
    "unrehearsed": 1, "doubtful": 1, "unreliable": 2,
    "wave_high": 1, "wave_busy": 1,
}  # fmt: skip
"""Points of each fact that makes a cutover more likely to fail or its failure worse. Our own rule; no standard prescribes it.

core: a core system is in the group.  mlps: MLPS level 3 or above; mlps_unknown: the level is not known.
adapt: it must be adapted first (platform, compatibility).  several: 2 to 4 systems at once; many: 5 or more.
connected: 5 business connections or more for each system; entangled: 15 or more.
bridge: for each strong tie that was cut and needs a temporary connection, 2 at most.
large: 1 TiB of data or more; huge: 5 TiB or more.
tight: 75 % of the window used by cutover and reserve, or more; full: 90 % or more.
one_crew: only one crew has the skills.  few_windows: 1 or 2 open windows left in the period for a second try;
last_window: none.  unrehearsed: no rehearsal is planned.
doubtful: the inventory is trusted less than 80 of 100, or nobody rated it; unreliable: less than 60.
A wave has the points of its riskiest group, wave_high for every further group of high risk (3 at most), and wave_busy when
90 % of the crews' time in the window is used."""

HIGH, MEDIUM = 8, 4
"""Points from which a risk is high, or medium."""
TIB = 1024 * 1024
FEW, MANY = 5, 15
"""Connections for each system."""

Factor = tuple[str, Text]


def assess_groups(plan: MigrationPlan) -> tuple[RiskAssessment, ...]:
    """One for each group that is in the plan, in the order of the problem; what is not placed has no date to judge."""
    scene = _Scene(plan)
    return tuple(scene.assess(g) for g in plan.problem.groups if g.group_id in scene.placing.placed)


def assess_waves(plan: MigrationPlan) -> tuple[RiskAssessment, ...]:
    scene = _Scene(plan)
    return tuple(_assess_wave(scene, w) for w in plan.waves)


def _level(points: int) -> Level:
    return "high" if points >= HIGH else "medium" if points >= MEDIUM else "low"


@dataclass(frozen=True)
class _Scene:
    plan: MigrationPlan

    @cached_property
    def placing(self) -> Placing:
        return Placing(self.plan.problem, self.plan.waves, self.plan.activities)

    @cached_property
    def ties(self) -> Mapping[str, int]:
        """Cut strong ties by group."""
        of = self.placing.group_of
        return Counter(of[s] for b in self.plan.problem.bridges for s in (b.source_id, b.target_id) if s in of)

    @cached_property
    def able(self) -> dict[tuple[str, ...], int]:
        needed = {j.crew_skills for j in self.placing.cutover_job.values() if j.crew_skills is not None}
        return {k: sum(set(k) <= set(c.skills) for c in self.plan.problem.crews) for k in needed}

    @cached_property
    def _open(self) -> dict[frozenset[str], Sequence[ChangeWindow]]:
        return {}

    @cached_property
    def _bound(self) -> Mapping[str, frozenset[str]]:
        """Names of the freezes that bind a system, told apart by what they look at; many systems share them."""
        alike: dict[tuple[object, ...], frozenset[str]] = {}
        named = {s for f in self.plan.problem.freezes for s in (*f.system_ids, *f.exceptions)}
        found = {}
        for task in self.plan.problem.tasks:
            key = (task.mlps_level, task.department, task.system_id if task.system_id in named else None)
            if key not in alike:
                alike[key] = frozenset(f.name for f in self.plan.problem.freezes if bound(task, f))
            found[task.system_id] = alike[key]
        return found

    def left(self, group: MoveGroup, window: ChangeWindow) -> int:
        """Windows of the period that are open for the group after this one and long enough."""
        key = frozenset[str]().union(*(self._bound[s] for s in group.system_ids))
        if key not in self._open:
            freezes: list[Freeze] = [f for f in self.plan.problem.freezes if f.name in key]
            self._open[key] = [w for w in self.plan.problem.windows if not any(meets(w, f) for f in freezes)]
        need = self.placing.cutover_job[group.group_id].length
        return sum(1 for w in self._open[key] if w.starts_at > window.starts_at and _minutes(w) >= need)

    @cached_property
    def groups(self) -> Mapping[str, RiskAssessment]:
        return {g.group_id: self.assess(g) for g in self.plan.problem.groups if g.group_id in self.placing.cutover}

    def assess(self, group: MoveGroup) -> RiskAssessment:
        tasks = [self.placing.task[s] for s in group.system_ids]
        factors = [*_nature(tasks), *_data(tasks)]
        if group.group_id in self.placing.cutover:
            factors += _cutover(self, group, tasks)
        points = sum(POINTS[key] for key, _ in factors)
        confidence, doubts = _confidence(self, group, tasks)
        return RiskAssessment(
            subject=group.group_id, risk=_level(points), risk_points=points, confidence=confidence,
            reasons=(*dict.fromkeys(text for _, text in sorted(factors, key=lambda f: -POINTS[f[0]])), *doubts),
        )  # fmt: skip


def _minutes(window: ChangeWindow) -> int:
    return int((window.ends_at - window.starts_at).total_seconds()) // 60


def _nature(tasks: Sequence[MoveTask]) -> Iterator[Factor]:
    core = [t.system_id for t in tasks if t.core]
    if core:
        yield "core", Text("含核心系统 {s}", "core systems: {s}").format(s=_listed(core))
    levels = [t.mlps_level for t in tasks if t.mlps_level is not None]
    if max(levels, default=0) >= 3:
        yield "mlps", Text("等保 {n} 级", "MLPS level {n}").format(n=max(levels))
    elif len(levels) < len(tasks):
        yield "mlps_unknown", Text("等保级别未知", "MLPS level unknown")
    adapted = [t for t in tasks if t.adapts]
    if adapted:
        why = adapted[0].adapts[0]
        yield "adapt", Text("须先适配：{w}（{n} 个系统）", "must be adapted first: {w} (systems: {n})").format(w=why, n=len(adapted))  # fmt: skip


def _data(tasks: Sequence[MoveTask]) -> Iterator[Factor]:
    data = sum(t.data_mib for t in tasks)
    if data >= TIB:
        text = Text("数据量 {n} TiB", "{n} TiB of data").format(n=f"{data / TIB:.1f}")
        yield ("huge" if data >= 5 * TIB else "large"), text
    scores = [t.confidence for t in tasks if t.confidence is not None]
    low = min(scores, default=100)
    if low < 80:
        yield ("unreliable" if low < 60 else "doubtful"), Text("清单数据可信度只有 {n}（满分 100）", "the inventory is trusted {n} of 100 only").format(n=low)  # fmt: skip
    elif len(scores) < len(tasks):
        yield "doubtful", Text("清单数据的可信度未评定", "nobody rated how far the inventory is to be trusted")


def _cutover(scene: _Scene, group: MoveGroup, tasks: Sequence[MoveTask]) -> Iterator[Factor]:
    size, job = len(tasks), scene.placing.cutover_job[group.group_id]
    if size > 1:
        yield ("many" if size >= 5 else "several"), Text("{n} 个系统须一起割接", "{n} systems are cut over together").format(n=size)  # fmt: skip
    dense = sum(t.dependencies for t in tasks) / size
    if dense >= FEW:
        text = Text("平均每个系统 {n} 条业务连接", "{n} business connections for each system").format(n=f"{dense:.0f}")
        yield ("entangled" if dense >= MANY else "connected"), text
    for _ in range(min(2, scene.ties.get(group.group_id, 0))):
        yield "bridge", Text("切开了强依赖 {n} 条，须临时打通", "strong ties cut that need a temporary connection: {n}").format(n=scene.ties[group.group_id])  # fmt: skip
    window = scene.placing.cutover[group.group_id].window
    share = 100 * job.length // max(1, _minutes(window))
    if share >= 75:
        text = Text("割接加回退预留占窗口 {n}%", "the cutover with its reserve takes {n} % of the window").format(
            n=share
        )
        yield ("full" if share >= 90 else "tight"), text
    if job.crew_skills and scene.able[job.crew_skills] == 1:
        yield "one_crew", Text("只有一个班组具备所需技能", "only one crew has the skills")
    left = scene.left(group, window)
    if left == 0:
        yield "last_window", Text("其后期间内再无可用窗口，失败不能重来", "no open window of the period is left after it: it can't be repeated")  # fmt: skip
    elif left <= 2:
        yield "few_windows", Text("其后可用窗口只剩 {n} 个", "open windows left after it: {n}").format(n=left)
    jobs: Sequence[Job] = scene.placing.jobs_of[group.group_id]
    if not any(j.kind == "rehearse" for j in jobs):
        yield "unrehearsed", Text("未安排演练", "no rehearsal is planned")


def _confidence(scene: _Scene, group: MoveGroup, tasks: Sequence[MoveTask]) -> tuple[Level, list[Text]]:
    """low: trusted less than 60, or 3 or more inputs of a system assumed. medium: less than 80 or not rated, anything assumed,
    or a window of a year whose holidays are not published. Otherwise high."""
    assumed = max((len(t.assumed) for t in tasks), default=0)
    scores = [t.confidence for t in tasks if t.confidence is not None]
    cutover = scene.placing.cutover.get(group.group_id)
    doubts = []
    if assumed:
        inputs = [INPUT_NAMES.get(f, same(f)) for f in sorted({f for t in tasks for f in t.assumed})]
        names = Text("、".join(n.zh for n in inputs), ", ".join(n.en for n in inputs))
        doubts.append(Text("按默认值估算：{f}", "taken from the defaults: {f}").format(f=names))
    provisional = cutover is not None and cutover.window.provisional
    if provisional:
        doubts.append(Text("窗口日期暂估：该年节假日安排尚未公布", "the window is provisional: the holidays of its year are not published"))  # fmt: skip
    if min(scores, default=100) < 60 or assumed >= 3:
        return "low", doubts
    if min(scores, default=0) < 80 or len(scores) < len(tasks) or assumed or provisional:
        return "medium", doubts
    return "high", doubts


def _listed(items: Sequence[str]) -> Text:
    most = 3
    more = len(items) - most
    zh, en = "、".join(items[:most]), ", ".join(items[:most])
    return Text(f"{zh} 等 {len(items)} 项", f"{en} and {more} more") if more > 0 else Text(zh, en)


def _assess_wave(scene: _Scene, wave: Wave) -> RiskAssessment:
    here = [scene.groups[g] for g in dict.fromkeys(scene.placing.group_of.get(m.system_id, "") for m in wave.moves) if g in scene.groups]  # fmt: skip
    worst = max(here, key=lambda r: (r.risk_points, r.subject), default=None)
    high = [r.subject for r in here if r.risk == "high"]
    points = worst.risk_points if worst else 0
    reasons = []
    if worst is not None:
        text = Text("风险最高的是 {g}（{n} 分）：{r}", "the riskiest is {g} ({n} points): {r}")
        why = Text("、".join(t.zh for t in worst.reasons[:3]), ", ".join(t.en for t in worst.reasons[:3]))
        reasons.append(text.format(g=worst.subject, n=worst.risk_points, r=why))
    if len(high) > 1:
        points += POINTS["wave_high"] * min(3, len(high) - 1)
        reasons.append(Text("{n} 个组风险为高：{g}", "{n} groups of high risk: {g}").format(n=len(high), g=_listed(high)))  # fmt: skip
    share = _share(scene, wave)
    if share >= 90:
        points += POINTS["wave_busy"]
        reasons.append(Text("班组时间已用 {n}%", "{n} % of the crews' time is used").format(n=share))
    order: dict[Level, int] = {"low": 0, "medium": 1, "high": 2}
    least: Level = min((r.confidence for r in here), key=lambda c: order[c], default="medium")
    if least != "high":
        few = [r.subject for r in here if r.confidence == least]
        reasons.append(Text("{g} 的数据最不可靠", "the data of {g} are the least reliable").format(g=_listed(few)))
    return RiskAssessment(subject=str(wave.number), risk=_level(points), risk_points=points, confidence=least, reasons=tuple(reasons))  # fmt: skip


def _share(scene: _Scene, wave: Wave) -> int:
    """Per cent of the crews' minutes in the window that cutovers and reserves take."""
    jobs = (scene.placing.cutover_job.get(g) for g in {scene.placing.group_of.get(m.system_id, "") for m in wave.moves})
    used = sum(j.length for j in jobs if j is not None and j.crew_skills is not None)
    whole = len(scene.plan.problem.crews) * _minutes(wave.window)
    return 100 * used // whole if whole else 0
