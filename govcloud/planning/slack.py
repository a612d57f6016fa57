"""How far one group can go by itself: its slack, and what another window does to the goals. Everything else stays put."""

from __future__ import annotations

from datetime import date

from govcloud.model.schedule import GoalKind
from govcloud.planning.critical import Trial, try_window
from govcloud.planning.occupancy import DAY, LATER, Board
from govcloud.planning.packing import Moved, find_free, repack
from govcloud.planning.stays import Stay


def slack_days(board: Board, subject_id: str) -> int | None:
    """Days by which the group's cutover can be later, its own later jobs following it, while no job of another group or
    network moves and the plan ends no later; windows that a freeze closes for it are stepped over, and the first other
    window that does not do ends the count. Without a cutover: days by which its last job can end later. None: not placed."""
    cutover = board.cutover(subject_id)
    if cutover is None:
        return _day_slack(board, subject_id)
    if cutover.window is None or subject_id in board.pin:
        return 0
    slack = 0
    for window in board.plan.problem.windows:
        if window.starts_at <= cutover.window.starts_at or board.freezes(subject_id, window):
            continue
        trial = try_window(board, subject_id, window)
        if trial.stay is None:
            break
        moved = repack(board, trial.stay, earliest=False)
        if moved is None or not _harmless(board, subject_id, moved):
            break
        slack = (window.opens_on - cutover.window.opens_on).days
    return slack


def _day_slack(board: Board, subject_id: str) -> int | None:
    placed = [board.stays[j] for j in board.own(subject_id) if j in board.stays]
    if not placed:
        return None
    last = max(placed, key=lambda s: (s.last_on, s.job.job_id))
    slack, day = 0, last.first_on
    while day < board.ends_on:
        day = board.first_day(last.job, day + DAY)
        stay = find_free(board, board.stay_from(last.job, day), last.crew, frozenset({last.job.job_id}), ())
        if stay is None or not _harmless(board, subject_id, {last.job.job_id: stay}):
            break
        slack = (stay.last_on - last.last_on).days
    return slack


def _harmless(board: Board, subject_id: str, moved: Moved) -> bool:
    """No job of another waits for what would now end too late, and the plan's end stays."""
    for job_id, stay in moved.items():
        if board.counts(stay.job) and stay.last_on > board.ends_on:
            return False
        for follower in board.followers.get(job_id, ()):
            other = board.stays.get(follower.job_id)
            if other is None or follower.subject_id == subject_id:
                continue
            if other.first_on < stay.last_on or (other.window is None and other.first_on == stay.last_on):
                return False
            if other.window is not None and stay.window is not None and other.begins < stay.ends:
                return False
    return True


# --- goals


def weigh(board: Board, trial: Trial) -> tuple[tuple[GoalKind, ...], tuple[GoalKind, ...]]:
    """The goals of the problem that the group alone makes (worse, better) by going to the tried window."""
    cutover = trial.stay
    if cutover is None:
        return (), ()
    worse: list[GoalKind] = []
    better: list[GoalKind] = []
    moved = repack(board, cutover, earliest=True) or {cutover.job.job_id: cutover}
    for goal in board.plan.problem.goals:
        change = _change(board, goal, cutover, moved)
        if change:
            (worse if change > 0 else better).append(goal)
    return tuple(worse), tuple(better)


def _change(board: Board, goal: GoalKind, cutover: Stay, moved: Moved) -> int:
    """Below zero: better. Only the sign counts."""
    subject_id = cutover.job.subject_id
    tasks = [board.placing.task[s] for s in board.placing.group[subject_id].system_ids]
    now, then = _taken_over(board, subject_id, {}), _taken_over(board, subject_id, moved)
    if goal == "waiting":
        return (then - now).days
    if goal == "deadlines":
        return sum(
            max(0, (then - t.due_on).days) - max(0, (now - t.due_on).days) for t in tasks if t.due_on is not None
        )
    if goal == "makespan":
        others = board.ends_without(subject_id)
        return (max(_last(board, subject_id, moved), others) - board.ends_on).days
    if goal == "risk":
        late = board.core_opens
        if late is None or subject_id in board.pilots or not any(t.core for t in tasks) or cutover.window is None:
            return 0
        was = board.cutover(subject_id)
        return int(cutover.window.starts_at < late.starts_at) - int(was is not None and was.window is not None and was.window.starts_at < late.starts_at)  # fmt: skip
    if goal == "changes":
        earlier = next((e for e in board.plan.problem.earlier if e.group_id == subject_id), None)
        was = board.cutover(subject_id)
        return 0 if earlier is None or was is None else int(cutover.first_on != earlier.opens_on) - int(was.first_on != earlier.opens_on)  # fmt: skip
    if goal == "bridges":
        return _broken(board, subject_id, cutover) - _broken(board, subject_id, board.cutover(subject_id))
    return _peak(board, cutover) if goal == "peak" else 0


def _last(board: Board, subject_id: str, moved: Moved) -> date:
    """The last end of the group's jobs that count for the plan's end."""
    own = [moved.get(j) or board.stays[j] for j in board.own(subject_id) if j in board.stays]
    return max((s.last_on for s in own if board.counts(s.job)), default=date.min)


def _taken_over(board: Board, subject_id: str, moved: Moved) -> date:
    """The end of the take-over, or where there is none of the last job that is not of the old place."""
    own = [moved.get(j) or board.stays[j] for j in board.own(subject_id) if j in board.stays]
    main = [s for s in own if s.job.kind == "takeover"] or [s for s in own if s.job.kind not in LATER] or own
    return max((s.last_on for s in main), default=date.min)


def _broken(board: Board, subject_id: str, cutover: Stay | None) -> int:
    """Weak links whose target moves after its source, counted for this group where `cutover` is."""
    if board.plan.problem.weak_mode != "prefer" or cutover is None or cutover.window is None:
        return 0
    broken, mine = 0, cutover.window.starts_at
    for link in board.links.get(subject_id, ()):
        source = board.placing.group_of[link.source_id]
        other = board.cutover(board.placing.group_of[link.target_id] if source == subject_id else source)
        if other is not None and other.window is not None:
            theirs = other.window.starts_at
            broken += theirs > mine if source == subject_id else mine > theirs
    return broken


def _peak(board: Board, cutover: Stay) -> int:
    """1 when more crews would be at work at once than ever before."""
    return int(board.more_crews(cutover, board.own(cutover.job.subject_id)))
