"""The verifier's rules for single jobs and groups: length, order, windows, freezes, dates, pins. No solver is known here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from govcloud.model.plan import Activity, PlanViolation
from govcloud.model.plan_problem import ChangeWindow, Freeze, Job, MoveGroup, MoveTask
from govcloud.model.text import Text
from govcloud.planning.placing import Cutover, Placing, bound, meets, violation

_DAY = timedelta(days=1)


def verify_jobs(placing: Placing) -> Iterator[PlanViolation]:
    yield from _activities(placing)
    yield from _complete(placing)
    yield from _order(placing)


def verify_cutovers(placing: Placing) -> Iterator[PlanViolation]:
    closed = _closed_by(placing)
    for group_id, cutover in placing.cutover.items():
        group = placing.group[group_id]
        yield from _inside(placing, cutover)
        yield from _together(placing, group, cutover)
        yield from _frozen(placing, group, cutover, closed.get(cutover.window, ()))
        yield from _agreed(placing, group, cutover)
    yield from _pins(placing)
    yield from _apart(placing)
    yield from _pilots(placing)
    yield from _weak(placing)


# --- jobs


def _activities(placing: Placing) -> Iterator[PlanViolation]:
    problem = placing.problem
    for job_id, times in Counter(a.job_id for a in placing.activities).items():
        if times > 1:
            yield violation("placed_once", Text("{s} 排了 {n} 次", "{s} is placed {n} times"), job_id, n=times)
    if any((a.starts_on, a.job_id) > (b.starts_on, b.job_id) for a, b in pairwise(placing.activities)):
        yield violation(
            "activities", Text("各项工作未按开始日期排列", "The activities are not in order of their start")
        )
    for done in placing.activities:
        job = placing.job.get(done.job_id)
        if job is None or (job.subject_id, job.kind) != (done.subject_id, done.kind) or job.calendar == "window":
            yield violation("not_planned", Text("{s} 不是应当安排的工作", "{s} is no work that was to be planned"), done.job_id)  # fmt: skip
        elif job.job_id in placing.over:
            yield violation("executed", Text("{s} 已经完成，不应再安排", "{s} is over and must not be planned again"), done.job_id)  # fmt: skip
        else:
            if done.starts_on < problem.starts_on:
                yield violation("too_early", Text("{s} 早于计划起始日 {d}", "{s} starts before the plan does, on {d}"), done.job_id, d=problem.starts_on)  # fmt: skip
            yield from _length(placing, job, done)


def _length(placing: Placing, job: Job, done: Activity) -> Iterator[PlanViolation]:
    days = (done.ends_on - done.starts_on).days + 1
    if job.calendar == "working" and job.length and days > 0:
        for day in {done.starts_on, done.ends_on}:
            if placing.off.is_off(day):
                text = Text("{s} 开始或结束在非工作日 {d}", "{s} starts or ends on {d}, which is no working day")
                yield violation("day_off", text, job.job_id, d=day)
        days = placing.off.working(done.starts_on, done.ends_on)
    if days != job.length:
        unit = Text("个工作日", "working days") if job.calendar == "working" else Text("天", "days")
        text = Text("{s} 应为 {n} {u}，排了 {m}", "{s} takes {n} {u}; {m} are planned")
        yield violation("length", text, job.job_id, n=job.length, m=days, u=unit)


def _complete(placing: Placing) -> Iterator[PlanViolation]:
    """Every job of what is placed, and a network's closing exactly when all of its groups are."""
    for group in placing.problem.groups:
        if group.group_id in placing.placed:
            yield from _missing(placing, group.group_id)
    for network in placing.problem.retirements:
        if all(g in placing.placed for g in network.group_ids):
            yield from _missing(placing, network.network_id)


def _missing(placing: Placing, subject_id: str) -> Iterator[PlanViolation]:
    for job in placing.jobs_of.get(subject_id, ()):
        if job.job_id not in placing.over and not placing.is_here(job):
            yield violation("job_missing", Text("{s} 未安排", "{s} is not planned"), job.job_id)


def _order(placing: Placing) -> Iterator[PlanViolation]:
    executed = {placing.cutover_job[g].job_id: p.opens_on for g, p in placing.executed.items() if g in placing.cutover_job}  # fmt: skip
    ended = executed | {d.job_id: d.ended_on for d in placing.problem.done}
    for job in placing.problem.jobs:
        if job.job_id in placing.over or (start := placing.start_day(job)) is None:
            continue
        for before_id in job.after:
            before = placing.job.get(before_id)
            if before is None:
                continue
            if before_id in ended:
                if start <= ended[before_id] and (job.calendar != "window" or start < ended[before_id]):
                    yield _too_soon(job, before_id, start, ended[before_id])
            elif before_id not in placing.over:
                yield from _after(placing, job, before, start)


def _after(placing: Placing, job: Job, before: Job, start: date) -> Iterator[PlanViolation]:
    end = placing.last_day(before)
    if end is None:
        if before.subject_id != job.subject_id:
            yield violation("order", Text("{s} 要等的 {b} 未安排", "{b}, which {s} waits for, is not planned"), job.job_id, b=before.job_id)  # fmt: skip
        return
    if job.calendar == "window" and before.calendar == "window":
        late = placing.cutover[job.subject_id].starts_at < placing.cutover[before.subject_id].ends_at
    elif job.calendar == "window":
        late = start < end
    else:
        late = start <= end
    if late:
        yield _too_soon(job, before.job_id, start, end)


def _too_soon(job: Job, before_id: str, start: date, end: date) -> PlanViolation:
    text = Text(
        "{s} {d} 开始，而它要等的 {b} 到 {e} 才结束", "{s} starts on {d}, but {b}, which it waits for, ends on {e}"
    )
    return violation("order", text, job.job_id, d=start, b=before_id, e=end)


# --- cutovers


def _inside(placing: Placing, cutover: Cutover) -> Iterator[PlanViolation]:
    problem = placing.problem
    zone = ZoneInfo(problem.timezone)
    window = cutover.window
    weeks = (window.opens_on - problem.starts_on).days // 7
    if not 0 <= weeks < problem.weeks and placing.group_of[cutover.moves[0].system_id] not in placing.executed:
        text = Text("{s} 的窗口 {d} 不在计划期内", "the window of {s}, on {d}, is outside of the period")
        yield violation("period", text, *(m.system_id for m in cutover.moves), d=window.opens_on)
    for move in cutover.moves:
        if not window.starts_at <= move.starts_at <= move.cutover_ends_at <= move.ends_at <= window.ends_at:
            text = Text("{s} 的割接与回退预留（{a} 至 {b}）超出 {c} 至 {d} 的窗口", "the cutover of {s} with its reserve ({a} to {b}) leaves the window of {c} to {d}")  # fmt: skip
            a, b, c, d = (at.astimezone(zone).strftime("%m-%d %H:%M") for at in (move.starts_at, move.ends_at, window.starts_at, window.ends_at))  # fmt: skip
            yield violation("window", text, move.system_id, a=a, b=b, c=c, d=d)
        need, _ = _needed(placing.task[move.system_id])
        if move.cutover_ends_at - move.starts_at < timedelta(minutes=need):
            text = Text("{s} 的割接需 {n} 分钟，排的时间不足", "the cutover of {s} takes {n} minutes; there are fewer")
            yield violation("duration", text, move.system_id, n=need)


def _needed(task: MoveTask) -> tuple[int, int]:
    """Minutes of the cutover and of the way back: never less than a run would ask for."""
    if task.minutes is None:
        return task.cutover_min, task.reserve_min
    return max(task.cutover_min, task.minutes.steps_min), max(task.reserve_min, task.minutes.undo_min)


def _together(placing: Placing, group: MoveGroup, cutover: Cutover) -> Iterator[PlanViolation]:
    at = {m.system_id: m for m in cutover.moves}
    if group.group_id not in placing.cutover_job:
        yield violation("not_planned", Text("{s} 不需要割接窗口", "{s} needs no window"), *group.system_ids)
        return
    if set(at) != set(group.system_ids) or len({m.crew for m in at.values()}) > 1 or not cutover.whole:
        text = Text("应一起迁移的 {s} 未排在同一窗口、同一班组", "{s} move together but are not in one window with one crew")  # fmt: skip
        yield violation("group", text, *group.system_ids)
        return
    moves = [at[s] for s in group.system_ids]
    if any(a.cutover_ends_at > b.starts_at for a, b in pairwise(moves)):
        text = Text("{s} 的割接未按先后依次进行", "the cutovers of {s} don't follow one another in their order")
        yield violation("sequence", text, *group.system_ids)
    reserve = timedelta(minutes=sum(_needed(placing.task[s])[1] for s in group.system_ids))
    length = timedelta(minutes=placing.cutover_job[group.group_id].length)
    last = max(m.cutover_ends_at for m in moves)
    if (
        len({m.ends_at for m in moves}) > 1
        or moves[0].ends_at - last < reserve
        or cutover.ends_at - cutover.starts_at < length
    ):
        text = Text("{s} 的共同回退预留不足 {n} 分钟", "{s} have less than the {n} minutes that they need in common for the way back")  # fmt: skip
        yield violation("reserve", text, *group.system_ids, n=int(reserve.total_seconds()) // 60)
    if any(m.group_id != group.group_id for m in moves):
        yield violation("group", Text("{s} 属于组 {g}", "{s} belong to group {g}"), *group.system_ids, g=group.group_id)


def _closed_by(placing: Placing) -> dict[ChangeWindow, tuple[Freeze, ...]]:
    windows = {c.window for c in placing.cutover.values()}
    return {w: tuple(f for f in placing.problem.freezes if meets(w, f)) for w in windows}


def _frozen(
    placing: Placing, group: MoveGroup, cutover: Cutover, freezes: tuple[Freeze, ...]
) -> Iterator[PlanViolation]:
    for freeze in freezes:
        held = [s for s in group.system_ids if bound(placing.task[s], freeze)]
        if held:
            text = Text("{s} 所在 {day} 的窗口在封网期“{f}”内", "the window of {day}, in which {s} would move, meets the freeze “{f}”")  # fmt: skip
            yield violation("freeze", text, *held, day=cutover.window.opens_on, f=freeze.title)


def _agreed(placing: Placing, group: MoveGroup, cutover: Cutover) -> Iterator[PlanViolation]:
    day = cutover.window.opens_on
    for system_id in group.system_ids:
        task = placing.task[system_id]
        if task.not_before_on is not None and day < task.not_before_on:
            yield violation("not_before", Text("{s} 约定不早于 {d}", "{s} is agreed for {d} or later"), system_id, d=task.not_before_on)  # fmt: skip
        if task.not_after_on is not None and day > task.not_after_on:
            yield violation("not_after", Text("{s} 约定不晚于 {d}", "{s} is agreed for {d} at the latest"), system_id, d=task.not_after_on)  # fmt: skip


def _pins(placing: Placing) -> Iterator[PlanViolation]:
    for pin in placing.problem.pins:
        cutover = placing.cutover.get(pin.group_id)
        if cutover is None:
            continue
        if cutover.window.opens_on != pin.opens_on:
            text = Text("{s} 已固定在 {d} 的窗口，却排在 {e}", "{s} is pinned to the window of {d} but placed on {e}")
            yield violation("pin", text, pin.group_id, d=pin.opens_on, e=cutover.window.opens_on)
        if pin.crew is not None and cutover.crew != pin.crew:
            text = Text("{s} 已固定由班组 {c} 实施，却排给 {d}", "{s} is pinned to crew {c} but given to {d}")
            yield violation("pin", text, pin.group_id, c=pin.crew, d=cutover.crew)


def _apart(placing: Placing) -> Iterator[PlanViolation]:
    for pair in placing.problem.apart:
        one, other = (placing.cutover.get(g) for g in pair.group_ids)
        if one is not None and other is not None and one.window == other.window:
            text = Text("{s} 不得在同一窗口迁移：{r}", "{s} must not move in the same window: {r}")
            yield violation("apart", text, *pair.group_ids, r=pair.reason)


def _pilots(placing: Placing) -> Iterator[PlanViolation]:
    pilots = {g.group_id for g in placing.problem.groups if any(placing.task[s].pilot for s in g.system_ids)}
    ahead = [c.window.opens_on for g, c in placing.cutover.items() if g in pilots]
    ahead += [p.opens_on for g, p in placing.executed.items() if g in pilots]
    if not ahead:
        return
    opens = [c.window.starts_at for g, c in placing.cutover.items() if g in pilots]
    for group_id, cutover in placing.cutover.items():
        if group_id in pilots or group_id in placing.executed:
            continue
        if cutover.window.opens_on < max(ahead) or (opens and cutover.window.starts_at <= max(opens)):
            names = Text("、".join(sorted(pilots)), ", ".join(sorted(pilots)))
            text = Text("试点系统（{p}）迁完之后才轮到 {s}", "{s} comes after the pilots ({p})")
            yield violation("pilots", text, group_id, p=names)


def _weak(placing: Placing) -> Iterator[PlanViolation]:
    if placing.problem.weak_mode != "require":
        return
    for link in placing.problem.weak_links:
        ends = [placing.group_of.get(s) for s in (link.source_id, link.target_id)]
        if None in ends or any(g not in placing.cutover_job for g in ends) or any(g in placing.executed for g in ends):
            continue
        source, target = (placing.cutover.get(str(g)) for g in ends)
        if source is not None and (target is None or target.window.starts_at > source.window.starts_at):
            text = Text("{a} 依赖的 {b} 应在同一窗口或更早迁移", "{b}, which {a} needs, must move in the same or an earlier window")  # fmt: skip
            yield PlanViolation(code="weak", subjects=(link.source_id, link.target_id), text=text.format(a=link.source_id, b=link.target_id))  # fmt: skip
