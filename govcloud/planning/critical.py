"""What fixes the date of a job: obstacles in a window or on a day, and the way back along them to the start of the plan."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal, NamedTuple

from govcloud.model.plan import Binding
from govcloud.model.plan_names import JOB_NAMES
from govcloud.model.plan_problem import ChangeWindow, Job
from govcloud.model.text import Text, same
from govcloud.planning.occupancy import DAY, TICK_MIN, Board
from govcloud.planning.packing import Moved, pull_early
from govcloud.planning.placing import instant_position
from govcloud.planning.stays import Full, Stay

BindingKind = Literal["predecessor", "resource", "crew", "calendar", "freeze", "demand", "pin"]
MOST_BINDINGS = 60
"""A chain this long is no answer any more; it ends here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Obstacle:
    """One thing that keeps a group out of a window."""

    code: str
    """As in PlanViolation: window, freeze, not_before, not_after, pin, order, pilots, weak, apart, skills, crew_time, resource."""
    kind: BindingKind
    subject: str
    """Freeze name, resource id, crews, group id, dependency id or job id."""
    text: Text
    holders: tuple[str, ...] = ()
    """Subjects that take the room."""
    job_id: str | None = None
    """The job that would have to be earlier."""
    until: date | None = None
    used: int = 0
    limit: int = 0


class Trial(NamedTuple):
    """A group tried in a window: what is in the way, or the place that it would take."""

    window: ChangeWindow
    obstacles: tuple[Obstacle, ...]
    stay: Stay | None


def names(board: Board, subjects: Iterable[str], most: int = 3) -> Text:
    """Groups by their systems, networks by their id."""
    labels = [_label(board, s) for s in dict.fromkeys(subjects)]
    more = len(labels) - most
    zh, en = "、".join(t.zh for t in labels[:most]), ", ".join(t.en for t in labels[:most])
    return Text(f"{zh} 等 {len(labels)} 项", f"{en} and {more} more") if more > 0 else Text(zh, en)


def _label(board: Board, subject: str) -> Text:
    group = board.placing.group.get(subject)
    if group is None or len(group.system_ids) == 1:
        return same(group.system_ids[0] if group else subject)
    return Text("{g} 等 {n} 个系统", "the {n} systems of {g}").format(g=subject, n=len(group.system_ids))


def try_window(board: Board, group_id: str, window: ChangeWindow, without: frozenset[str] = frozenset()) -> Trial:
    """The group's cutover in another window, everything else where it is but for the jobs `without`. Groups with a cutover
    only."""
    job = board.placing.cutover_job[group_id]
    found = [*_closed(board, group_id, window), *_agreed(board, group_id, window), *_ordered(board, job, window)]
    room, stay = _room(board, job, window, without)
    return Trial(window, (*found, *room), None if found or room else stay)


def _closed(board: Board, group_id: str, window: ChangeWindow) -> list[Obstacle]:
    job, found = board.placing.cutover_job[group_id], []
    minutes = int((window.ends_at - window.starts_at).total_seconds()) // 60
    if job.length > minutes:
        text = Text("{d} 的窗口只有 {n} 分钟，割接加回退预留需 {m} 分钟", "the window of {d} has {n} minutes, the cutover with its reserve takes {m}")  # fmt: skip
        found.append(Obstacle(code="window", kind="calendar", subject=window.window_id, used=job.length, limit=minutes, text=text.format(d=window.opens_on, n=minutes, m=job.length)))  # fmt: skip
    for freeze in board.freezes(group_id, window):
        text = Text("{d} 的窗口在封网期“{f}”内", "the window of {d} lies in the freeze “{f}”")
        found.append(Obstacle(code="freeze", kind="freeze", subject=freeze.name, text=text.format(d=window.opens_on, f=freeze.title)))  # fmt: skip
    return found


def _agreed(board: Board, group_id: str, window: ChangeWindow) -> list[Obstacle]:
    found, day = [], window.opens_on
    pin = board.pin.get(group_id)
    if pin is not None and pin.opens_on != day:
        found.append(Obstacle(code="pin", kind="pin", subject=group_id, until=pin.opens_on, text=_pin_text(board, group_id)))  # fmt: skip
    for system_id in board.placing.group[group_id].system_ids:
        task = board.placing.task[system_id]
        if task.not_before_on is not None and day < task.not_before_on:
            text = Text("{s} 约定不早于 {d}", "{s} is agreed for {d} or later").format(s=system_id, d=task.not_before_on)  # fmt: skip
            found.append(Obstacle(code="not_before", kind="demand", subject=system_id, until=task.not_before_on, text=text))  # fmt: skip
        if task.not_after_on is not None and day > task.not_after_on:
            text = Text("{s} 约定不晚于 {d}", "{s} is agreed for {d} at the latest").format(s=system_id, d=task.not_after_on)  # fmt: skip
            found.append(Obstacle(code="not_after", kind="demand", subject=system_id, text=text))
    return found + _apart(board, group_id, window) + _pilots(board, group_id, window) + _weak(board, group_id, window)


def _pin_text(board: Board, group_id: str) -> Text:
    pin = board.pin[group_id]
    words = {
        "pin": Text("由人固定在 {d} 的窗口", "fixed by a person in the window of {d}"),
        "approved": Text("所在批次已批准，固定在 {d} 的窗口", "its wave is approved: fixed in the window of {d}"),
        "executed": Text("已于 {d} 的窗口割接", "it was cut over in the window of {d}"),
    }
    text = words[pin.source].format(d=pin.opens_on)
    return Text(f"{text.zh}（{pin.reason}）", f"{text.en} ({pin.reason})") if pin.reason else text


def _apart(board: Board, group_id: str, window: ChangeWindow) -> list[Obstacle]:
    found = []
    for other in board.apart.get(group_id, ()):
        stay = board.cutover(other)
        if stay is not None and stay.window == window:
            reason = next(p.reason for p in board.plan.problem.apart if {*p.group_ids} == {group_id, other})
            text = Text("与 {o} 不得在同一窗口（{r}），{d} 的窗口已有 {o}", "not in one window with {o} ({r}), which moves in the window of {d}")  # fmt: skip
            found.append(Obstacle(code="apart", kind="demand", subject=other, holders=(other,), text=text.format(o=names(board, [other]), r=reason, d=window.opens_on)))  # fmt: skip
    return found


def _pilots(board: Board, group_id: str, window: ChangeWindow) -> list[Obstacle]:
    if group_id in board.pilots:
        other = board.first_after_pilots
        if other is None or other.window is None or window.starts_at < other.window.starts_at:
            return []
        text = Text("试点须先于其他系统，而 {o} 在 {d} 迁移", "a pilot comes before all others, and {o} moves on {d}")
        return [Obstacle(code="pilots", kind="demand", subject=other.job.subject_id, holders=(other.job.subject_id,), job_id=other.job.job_id, text=text.format(o=names(board, [other.job.subject_id]), d=other.first_on))]  # fmt: skip
    pilot = board.last_pilot
    if pilot is None or pilot.window is None or window.starts_at > pilot.window.starts_at:
        return []
    text = Text("试点 {p}（{d}）迁完之后才轮到其他系统", "the pilot {p} ({d}) moves before all others").format(
        p=names(board, [pilot.job.subject_id]), d=pilot.first_on
    )
    return [Obstacle(code="pilots", kind="demand", subject=pilot.job.subject_id, holders=(pilot.job.subject_id,), job_id=pilot.job.job_id, until=pilot.first_on, text=text)]  # fmt: skip


def _weak(board: Board, group_id: str, window: ChangeWindow) -> list[Obstacle]:
    if board.plan.problem.weak_mode != "require":
        return []
    found = []
    for link in board.links.get(group_id, ()):
        source, target = (board.placing.group_of[s] for s in (link.source_id, link.target_id))
        other = target if source == group_id else source
        stay = board.cutover(other)
        if stay is None or stay.window is None or other in board.placing.executed:
            continue
        if source == group_id and stay.window.starts_at > window.starts_at:
            text = Text("它依赖的 {b} 到 {d} 才迁移", "{b}, which it needs, moves on {d} only")
            found.append(Obstacle(code="weak", kind="demand", subject=link.dependency_id, holders=(other,), job_id=stay.job.job_id, until=stay.first_on, text=text.format(b=link.target_id, d=stay.first_on)))  # fmt: skip
        elif target == group_id and stay.window.starts_at < window.starts_at:
            text = Text("依赖它的 {a} 在 {d} 就要迁移", "{a}, which needs it, moves on {d} already")
            found.append(Obstacle(code="weak", kind="demand", subject=link.dependency_id, holders=(other,), job_id=stay.job.job_id, text=text.format(a=link.source_id, d=stay.first_on)))  # fmt: skip
    return found


def _ordered(board: Board, job: Job, window: ChangeWindow) -> list[Obstacle]:
    """Work before the cutover that would not be done, even if the group's own is pulled forward as far as there is room."""
    found, early = [], pull_early(board, job.subject_id)
    for before in job.after:
        stay = early.get(before) or board.stays.get(before)
        if stay is None or (stay.last_on <= window.opens_on and not _later(stay, window)):
            continue
        text = Text(
            "{s} 的{j}最早 {e} 结束，赶不上 {d} 的窗口",
            "the {j} of {s} can't end before {e}, too late for the window of {d}",
        )
        found.append(Obstacle(code="order", kind="predecessor", subject=before, job_id=before, until=stay.last_on, text=text.format(s=names(board, [stay.job.subject_id]), j=JOB_NAMES[stay.job.kind], e=stay.last_on, d=window.opens_on)))  # fmt: skip
    return found


def _later(stay: Stay, window: ChangeWindow) -> bool:
    return stay.window is not None and stay.window.starts_at > window.starts_at


def _room(board: Board, job: Job, window: ChangeWindow, without: frozenset[str]) -> tuple[list[Obstacle], Stay | None]:
    """Room for crew and resources at some moment of the window; what fails at every moment is the obstacle. A moment
    that needs no more crews at once than the plan has anyway is preferred where that is a goal."""
    own, day = board.own(job.subject_id) | without, window.opens_on
    begins, closes = instant_position(window, window.starts_at), instant_position(window, window.ends_at)
    length = -(-job.length // TICK_MIN) * TICK_MIN
    first = Stay(job, begins, begins + length, day, day, window, None)
    found = [_full(board, f, day) for f in board.overfull(first, own) if f.resource.scope != "at_once"]
    crews: list[str | None] = [*board.able(job)] if job.crew_skills is not None else [None]
    pin = board.pin.get(job.subject_id)
    if pin is not None and pin.crew is not None and job.crew_skills is not None:
        crews = [c for c in crews if c == pin.crew]
    if not crews:
        needed = Text("、".join(job.crew_skills or ()), ", ".join(job.crew_skills or ()))
        text = Text("没有具备技能 {k} 的班组", "no crew has the skills {k}").format(k=needed)
        return [*found, Obstacle(code="skills", kind="crew", subject=",".join(job.crew_skills or ()), text=text)], None
    if begins + length > closes:
        return found, None
    taken: dict[str, Stay] = {}
    crowded: list[Full] | None = None
    roomy = manned = False
    room: Stay | None = None
    peak = "peak" in board.plan.problem.goals
    for at in _moments(board, job, crews, begins, closes - length, own):
        stay = first._replace(begins=at, ends=at + length)
        full = [f for f in board.overfull(stay, own) if f.resource.scope == "at_once"]
        busy = {c: board.busy(c, at, at + length, own) if c is not None else [] for c in crews}
        free = [c for c in crews if not busy[c]]
        if free and not full:
            room = room or stay._replace(crew=free[0])
            if found or not (peak and board.more_crews(stay, own)):
                return found, None if found else stay._replace(crew=free[0])
        crowded = full if full and crowded is None else crowded
        roomy, manned = roomy or not full, manned or bool(free)
        taken |= {s.job.job_id: s for each in busy.values() for s in each}
    if room is not None:
        return found, room
    found += [] if roomy else [_full(board, f, day) for f in crowded or ()]
    found += [] if manned and not roomy else [_crews(board, [c for c in crews if c], taken.values(), day)]
    return found, None


def _moments(
    board: Board, job: Job, crews: Sequence[str | None], begins: int, last: int, own: frozenset[str]
) -> list[int]:
    """The opening and every end of another's use, rounded up to the grid: if any moment has room, one of these has."""
    points = {begins}
    for crew in crews:
        points |= {s.ends for s in (board.busy(crew, begins, last + 1, own) if crew is not None else [])}
    for resource_id, _ in job.demands:
        line = board.holders.get(resource_id)
        if line and board.resource[resource_id].scope == "at_once":
            points |= {s.ends for s in line.overlapping(begins, last + 1)}
    return sorted({begins - (begins - p) // TICK_MIN * TICK_MIN for p in points if p <= last})


def _full(board: Board, full: Full, day: date) -> Obstacle:
    who = tuple(dict.fromkeys(s.job.subject_id for s in full.holders))
    text = Text("{d}“{r}”已满（上限 {n} {u}{o}）", "on {d} “{r}” is full (limit {n} {u}{o})")
    by = Text("，由 {w} 占用", ", used by {w}").format(w=names(board, who)) if who else same("")
    return Obstacle(
        code="resource", kind="resource", subject=full.resource.resource_id, holders=who, used=full.used, limit=full.limit,
        text=text.format(d=day, r=full.resource.title, n=full.limit, u=full.resource.unit, o=by),
    )  # fmt: skip


def _crews(board: Board, crews: Sequence[str], taken: Iterable[Stay], day: date) -> Obstacle:
    who = tuple(dict.fromkeys(s.job.subject_id for s in sorted(taken, key=lambda s: (s.begins, s.job.job_id))))
    text = Text("{d} 的窗口班组已被 {o} 占满", "in the window of {d} the crews are taken by {o}")
    return Obstacle(code="crew_time", kind="crew", subject=",".join(crews), holders=who, limit=len(crews), text=text.format(d=day, o=names(board, who)))  # fmt: skip


# --- the way back


def find_bindings(board: Board, job_id: str) -> tuple[Binding, ...]:
    """From the job back along what fixes its date, until the start of the plan, a person's wish, or a job that nothing holds.
    The group's own work before the cutover is looked at where it could be at the earliest; that of others where it is."""
    found: list[Binding] = []
    seen: set[str] = set()
    own = board.placing.job[job_id].subject_id
    early = pull_early(board, own) if own in board.placing.cutover_job else {}
    job: str | None = job_id
    while job is not None and job not in seen and len(found) < MOST_BINDINGS:
        seen.add(job)
        stay = early.get(job) or board.stays.get(job)
        if stay is None:
            break
        if stay.job.calendar == "window":
            here, job = _why_window(board, stay)
        else:
            here, job = _why_day(board, stay, early if stay.job.subject_id == own else {})
        found += here
    return tuple(found)


def _why_window(board: Board, stay: Stay) -> tuple[list[Binding], str | None]:
    """Window by window back, until one from which on everything earlier is closed for one and the same reason."""
    job = stay.job
    found: list[Binding] = []
    if job.subject_id in board.pin:
        pin = Binding(job_id=job.job_id, kind="pin", subject=job.subject_id, text=_pin_text(board, job.subject_id))
        return [pin], None
    before = [w for w in board.plan.problem.windows if stay.window is not None and w.starts_at < stay.window.starts_at]
    for window in reversed(before):
        obstacles = try_window(board, job.subject_id, window).obstacles
        if not obstacles:
            return found, None
        last = max((o for o in obstacles if o.until is not None), key=lambda o: o.until or date.min, default=None)
        chosen = last or obstacles[0]
        found.append(Binding(job_id=job.job_id, kind=chosen.kind, subject=chosen.subject, text=chosen.text))
        if last is not None:
            return found, last.job_id
    first = Text("{d} 是计划期内的第一个窗口", "{d} is the first window of the period")
    if not before:
        found.append(Binding(job_id=job.job_id, kind="calendar", subject=stay.window.window_id if stay.window else "", text=first.format(d=stay.first_on)))  # fmt: skip
    return found, None


def _why_day(board: Board, stay: Stay, early: Moved) -> tuple[list[Binding], str | None]:
    job, start = stay.job, stay.first_on
    words = {"s": names(board, [job.subject_id]), "k": JOB_NAMES[job.kind], "d": start}

    def binding(kind: BindingKind, subject: str, zh: str, en: str, **more: object) -> Binding:
        return Binding(job_id=job.job_id, kind=kind, subject=subject, text=Text(zh, en).format(**words, **more))

    befores = [s for b in job.after if (s := early.get(b) or board.stays.get(b)) is not None]
    before = max(befores, key=lambda s: (s.last_on, s.job.job_id), default=None)
    earliest = before.last_on + DAY if before else board.plan.problem.starts_on
    ready = board.first_day(job, earliest)
    if ready >= start:
        found: list[Binding] = []
        if ready > earliest:
            last = ready - DAY
            off = same(earliest) if last == earliest else Text("{a} 至 {b}", "{a} to {b}").format(a=earliest, b=last)
            found.append(binding("calendar", "days_off", "{o} 不是工作日，{s} 的{k}从 {d} 开始", "{o}: no working day; the {k} of {s} starts on {d}", o=off))  # fmt: skip
        if before is None or before.last_on < board.plan.problem.starts_on:
            return [*found, binding("calendar", "start", "计划从 {a} 开始，{s} 的{k}最早 {d} 开工", "the plan starts on {a}; the {k} of {s} can begin on {d} at the earliest", a=board.plan.problem.starts_on)], None  # fmt: skip
        other = names(board, [before.job.subject_id])
        found.append(binding("predecessor", before.job.job_id, "{s} 的{k}要等 {o} 的{j}（到 {e}）结束", "the {k} of {s} waits for the {j} of {o}, which ends on {e}", o=other, j=JOB_NAMES[before.job.kind], e=before.last_on))  # fmt: skip
        return found, before.job.job_id
    held = _held_up(board, stay, _previous(board, job, start), early)
    if held is None:
        return [], None
    obstacle, holder = held
    return [binding(obstacle.kind, obstacle.subject, "{t}，{s} 的{k}到 {d} 才能开始", "{t}; the {k} of {s} can't start before {d}", t=obstacle.text)], holder  # fmt: skip


def _previous(board: Board, job: Job, start: date) -> date:
    day = start - DAY
    while job.calendar == "working" and job.length and board.placing.off.is_off(day):
        day -= DAY
    return day


def _held_up(board: Board, stay: Stay, day: date, early: Moved) -> tuple[Obstacle, str | None] | None:
    """What keeps a job from starting on `day`, with the holder whose end it waited for."""
    own = board.own(stay.job.subject_id)
    ignore = frozenset({stay.job.job_id, *early})
    extra = [s for key, s in early.items() if key != stay.job.job_id]
    tried = board.stay_from(stay.job, day)
    full = next(iter(board.overfull(tried, ignore, extra)), None)
    if full is not None:
        return _full(board, full, day), _freed(full.holders, stay)
    if stay.job.crew_skills is None:
        return None
    crews = board.able(stay.job)
    busy = [board.busy(c, tried.begins, tried.ends, ignore, extra) for c in crews]
    if not busy or not all(busy):
        return None
    taken = [s for each in busy for s in each]
    who = tuple(dict.fromkeys(s.job.subject_id for s in taken))
    text = Text("{d} 起班组被 {o} 占用", "from {d} the crews are taken by {o}").format(d=day, o=names(board, who))
    obstacle = Obstacle(code="crew_time", kind="crew", subject=",".join(crews), holders=who, text=text)
    return obstacle, _freed([s for s in taken if s.job.job_id not in own], stay)


def _freed(holders: Iterable[Stay], stay: Stay) -> str | None:
    """The holder that ended last before the job began: its end made the room."""
    ended = [s for s in holders if s.ends <= stay.begins]
    return max(ended, key=lambda s: (s.ends, s.job.job_id)).job.job_id if ended else None
