"""Our own verdict on a plan: it knows the rules, not how the plan was found, and shares no code with the searches."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from govcloud.model.plan import (
    ChangeWindow,
    Freeze,
    MigrationPlan,
    Move,
    MoveGroup,
    MoveTask,
    PlanProblem,
    PlanViolation,
    Wave,
)
from govcloud.model.text import Text


def verify_plan(plan: MigrationPlan) -> list[PlanViolation]:
    """Everything that is wrong with the plan; empty when it holds."""
    found = verify_waves(plan.problem, plan.waves)
    placed = {m.system_id for w in plan.waves for m in w.moves}
    listed = {u.system_id for u in plan.unplaced}
    for task in plan.problem.tasks:
        if (task.system_id in placed) == (task.system_id in listed):
            text = Text("{s} 应当或在批次中，或列为未排入", "{s} must be either in a wave or listed as not placed")
            found.append(_violation("placed_once", text, task.system_id))
    if plan.objective is not None and plan.bound is not None and plan.bound > plan.objective:
        found.append(_violation("bound", Text("下界高于目标值", "The bound is above the objective")))
    if plan.status in ("optimal", "feasible") and plan.unplaced:
        found.append(
            _violation("status", Text("状态与未排入的系统不符", "The status does not fit the systems left out"))
        )
    return found


def verify_waves(problem: PlanProblem, waves: Sequence[Wave]) -> list[PlanViolation]:
    """The same for waves alone: systems that are not in them are no fault here."""
    return [
        *_identity(problem, waves),
        *_times(problem, waves),
        *_groups(problem, waves),
        *_crews(problem, waves),
        *_capacity(problem, waves),
        *_dates(problem, waves),
        *_order(problem, waves),
    ]


def _violation(code: str, text: Text, *subjects: str, **values: object) -> PlanViolation:
    return PlanViolation(
        code=code, subjects=subjects, text=text.format(s=Text("、".join(subjects), ", ".join(subjects)), **values)
    )


def _identity(problem: PlanProblem, waves: Sequence[Wave]) -> Iterator[PlanViolation]:
    tasks = {t.system_id for t in problem.tasks}
    count = Counter(m.system_id for w in waves for m in w.moves)
    for system_id, times in sorted(count.items()):
        if system_id not in tasks:
            yield _violation("not_planned", Text("{s} 不应迁移", "{s} must not move"), system_id)
        if times > 1:
            yield _violation("placed_once", Text("{s} 排了 {n} 次", "{s} is placed {n} times"), system_id, n=times)
    windows = set(problem.windows)
    numbers = [w.number for w in waves]
    if numbers != list(range(1, len(waves) + 1)) or any(
        a.window.starts_at >= b.window.starts_at for a, b in pairwise(waves)
    ):
        yield _violation("waves", Text("批次未按时间编号", "The waves are not numbered by time"))
    for wave in waves:
        if wave.window not in windows:
            yield _violation(
                "window", Text("第 {n} 批不在任何变更窗口", "Wave {n} is in no change window"), n=wave.number
            )


def _times(problem: PlanProblem, waves: Sequence[Wave]) -> Iterator[PlanViolation]:
    zone = ZoneInfo(problem.timezone)
    tasks = {t.system_id: t for t in problem.tasks}
    for wave, move in _placed(waves):
        if not wave.window.starts_at <= move.starts_at <= move.cutover_ends_at <= move.ends_at <= wave.window.ends_at:
            text = Text("{s} 的割接与回退预留到 {at}，超出 {end} 结束的窗口", "{s} would end, with its reserve, at {at}; the window closes at {end}")  # fmt: skip
            yield _violation("window", text, move.system_id, at=_clock(move.ends_at, zone), end=_clock(wave.window.ends_at, zone))  # fmt: skip
        task = tasks.get(move.system_id)
        if task is None:
            continue
        if move.cutover_ends_at - move.starts_at < timedelta(minutes=task.cutover_min):
            yield _violation("duration", Text("{s} 的割接时间不足", "{s} has too little time for its cutover"), move.system_id)  # fmt: skip
        for freeze in problem.freezes:
            if (
                _bound(task, freeze)
                and wave.window.starts_at < freeze.ends_at
                and freeze.starts_at < wave.window.ends_at
            ):
                text = Text("{day} 的窗口在封网期“{f}”内", "the window of {day} meets the freeze “{f}”")
                yield _violation("freeze", text, move.system_id, day=wave.window.opens_on, f=freeze.title)


def _bound(task: MoveTask, freeze: Freeze) -> bool:
    if task.system_id in freeze.exceptions or (freeze.system_ids and task.system_id not in freeze.system_ids):
        return False
    return freeze.min_mlps is None or task.mlps_level is None or task.mlps_level >= freeze.min_mlps


def _placed(waves: Sequence[Wave]) -> Iterator[tuple[Wave, Move]]:
    for wave in waves:
        for move in wave.moves:
            yield wave, move


def _groups(problem: PlanProblem, waves: Sequence[Wave]) -> Iterator[PlanViolation]:
    at = {m.system_id: (w, m) for w, m in _placed(waves)}
    tasks = {t.system_id: t for t in problem.tasks}
    for group in problem.groups:
        here = [at[s] for s in group.system_ids if s in at]
        if not here:
            continue
        if len(here) < len(group.system_ids) or len({(w.number, m.crew) for w, m in here}) > 1:
            text = Text(
                "强依赖的 {s} 未排在同一窗口、同一班组", "{s} are strongly bound but not in one window with one crew"
            )
            yield _violation("group", text, *group.system_ids)
            continue
        moves = sorted((m for _, m in here), key=lambda m: m.starts_at)
        reserve = timedelta(minutes=sum(tasks[s].reserve_min for s in group.system_ids))
        back = min(m.ends_at for m in moves) - max(m.cutover_ends_at for m in moves)
        if any(a.cutover_ends_at > b.starts_at for a, b in pairwise(moves)) or back < reserve:
            text = Text(
                "{s} 的割接重叠或回退预留不足", "the cutovers of {s} overlap or leave too little time for the way back"
            )
            yield _violation("reserve", text, *group.system_ids)


def _crews(problem: PlanProblem, waves: Sequence[Wave]) -> Iterator[PlanViolation]:
    skills = {c.name: set(c.skills) for c in problem.crews}
    tasks = {t.system_id: t for t in problem.tasks}
    for wave in waves:
        spans: dict[str, dict[str, tuple[datetime, datetime]]] = defaultdict(dict)
        for move in wave.moves:
            if move.crew not in skills:
                yield _violation("crew", Text("没有班组 {c}", "there is no crew {c}"), move.system_id, c=move.crew)
            elif (task := tasks.get(move.system_id)) and (lacking := set(task.skills) - skills[move.crew]):
                text = Text("班组 {c} 缺少 {s} 所需技能：{k}", "crew {c} lacks skills that {s} needs: {k}")
                yield _violation("skills", text, move.system_id, c=move.crew, k=", ".join(sorted(lacking)))
            start, end = spans[move.crew].get(move.group_id, (move.starts_at, move.ends_at))
            spans[move.crew][move.group_id] = (min(start, move.starts_at), max(end, move.ends_at))
        for crew, groups in sorted(spans.items()):
            ordered = sorted(groups.items(), key=lambda item: (item[1], item[0]))
            for (one, (_, end)), (other, (start, _)) in pairwise(ordered):
                if start < end:
                    text = Text("班组 {c} 同时要做 {s}", "crew {c} would do {s} at the same time")
                    yield _violation("crew_time", text, one, other, c=crew)


def _capacity(problem: PlanProblem, waves: Sequence[Wave]) -> Iterator[PlanViolation]:
    limit = problem.capacity
    tasks = {t.system_id: t for t in problem.tasks}
    for wave in waves:
        here = [tasks[m.system_id] for m in wave.moves if m.system_id in tasks]
        if limit.systems_per_window is not None and len(here) > limit.systems_per_window:
            text = Text("{day} 的窗口要迁 {n} 个系统，上限 {max} 个", "the window of {day} would move {n} systems; at most {max} are allowed")  # fmt: skip
            yield _violation("systems_per_window", text, day=wave.window.opens_on, n=len(here), max=limit.systems_per_window)  # fmt: skip
        data = sum(t.data_mib for t in here)
        if limit.mib_per_window is not None and data > limit.mib_per_window:
            text = Text("{day} 的窗口前要复制 {n} GiB，链路最多 {max} GiB", "{n} GiB would have to be copied before the window of {day}; the link carries {max} GiB")  # fmt: skip
            yield _violation("data_per_window", text, day=wave.window.opens_on, n=-(-data // 1024), max=limit.mib_per_window // 1024)  # fmt: skip
    placed = [tasks[m.system_id] for _, m in _placed(waves) if m.system_id in tasks]
    for name in ("vcpus", "memory_mib", "disk_mib"):
        quota, used = getattr(limit, name), sum(getattr(t, name) for t in placed)
        if quota is not None and used > quota:
            text = Text("目标云配额 {q} 不足：需 {n}，有 {max}", "the quota {q} of the target cloud is too small: {n} needed, {max} there")  # fmt: skip
            yield _violation("quota", text, q=name, n=used, max=quota)


def _dates(problem: PlanProblem, waves: Sequence[Wave]) -> Iterator[PlanViolation]:
    tasks = {t.system_id: t for t in problem.tasks}
    pilots = {s for g in problem.groups if any(tasks[s].pilot for s in g.system_ids) for s in g.system_ids}
    number = _window_numbers(problem)
    for wave, move in _placed(waves):
        task, day = tasks.get(move.system_id), wave.window.opens_on
        if task is None:
            continue
        if task.not_before_on is not None and day < task.not_before_on:
            yield _violation("not_before", Text("{s} 约定不早于 {d}", "{s} is agreed for {d} or later"), move.system_id, d=task.not_before_on)  # fmt: skip
        if task.not_after_on is not None and day > task.not_after_on:
            yield _violation("not_after", Text("{s} 约定不晚于 {d}", "{s} is agreed for {d} at the latest"), move.system_id, d=task.not_after_on)  # fmt: skip
        if task.core and task.system_id not in pilots and number.get(wave.window, 0) < problem.core_from_window:
            text = Text("{s} 是核心系统，第 {n} 个可用窗口起才可迁移", "{s} is a core system: it moves in usable window no. {n} or later")  # fmt: skip
            yield _violation("core", text, move.system_id, n=problem.core_from_window)


def _window_numbers(problem: PlanProblem) -> dict[ChangeWindow, int]:
    numbers, number = {}, 1
    for window in problem.windows:
        numbers[window] = number
        if not any(
            f.min_mlps is None and not f.system_ids and window.starts_at < f.ends_at and f.starts_at < window.ends_at
            for f in problem.freezes
        ):
            number += 1
    return numbers


def _order(problem: PlanProblem, waves: Sequence[Wave]) -> Iterator[PlanViolation]:
    at = {m.system_id: w.window.starts_at for w, m in _placed(waves)}
    tasks = {t.system_id: t for t in problem.tasks}
    piloted: list[MoveGroup] = [g for g in problem.groups if any(tasks[s].pilot for s in g.system_ids)]
    pilots = {s for g in piloted for s in g.system_ids}
    last = max((at[s] for s in pilots if s in at), default=None)
    if last is not None:
        for system_id in sorted(set(at) - pilots):
            if at[system_id] <= last:
                text = Text("试点系统（{p}）迁完之后才轮到 {s}", "{s} comes after the pilots ({p})")
                yield _violation("pilots", text, system_id, p=", ".join(sorted(pilots)))
    if problem.weak_mode == "require":
        for link in problem.weak_links:
            if link.source_id in at and (link.target_id not in at or at[link.target_id] > at[link.source_id]):
                text = Text("{a} 依赖的 {b} 应在同一窗口或更早迁移", "{b}, which {a} needs, must move in the same or an earlier window")  # fmt: skip
                yield PlanViolation(code="weak", subjects=(link.source_id, link.target_id), text=text.format(a=link.source_id, b=link.target_id))  # fmt: skip


def _clock(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).strftime("%H:%M")
