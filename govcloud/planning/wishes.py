"""What would have to change for a group to move earlier: for each earlier window the changes that open it, few before many."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from govcloud.model.plan_names import JOB_NAMES
from govcloud.model.text import Text
from govcloud.planning.critical import Obstacle, Trial, names, try_window
from govcloud.planning.occupancy import Board

MOST_WISHES = 5
MOST_CHANGES = 3
"""Windows that need more changes than this are not worth asking for."""
MOST_HOLDERS = 40
"""So many of those that take the room are tried one by one."""


def find_wishes(board: Board, group_id: str, trials: Sequence[Trial]) -> tuple[Text, ...]:
    """Windows that need the fewest changes first, of those the latest, as it asks the least of the others. The changes named
    for a window are enough for it where everything else stays as it is planned."""
    first = board.plan.problem.windows[0] if board.plan.problem.windows else None
    blocked = [
        t for t in trials
        if 0 < len(t.obstacles) <= MOST_CHANGES and not (t.window == first and any(o.code == "pilots" for o in t.obstacles))
    ]  # fmt: skip
    found: list[Text] = []
    for trial in sorted(blocked, key=lambda t: (len(t.obstacles), -t.window.starts_at.timestamp())):
        changes = [_change(board, group_id, trial, o) for o in trial.obstacles]
        text = Text("{c}，可提前到 {d}", "{c}: it could move on {d}")
        joined = Text("；并且".join(c.zh for c in changes), "; and ".join(c.en for c in changes))
        found.append(text.format(c=joined, d=trial.window.opens_on))
        if len(found) == MOST_WISHES:
            break
    return tuple(dict.fromkeys(found))


def _change(board: Board, group_id: str, trial: Trial, obstacle: Obstacle) -> Text:
    day = trial.window.opens_on
    group, holders = names(board, [group_id]), names(board, obstacle.holders)
    if obstacle.code == "window":
        return Text("把 {d} 的窗口延长到 {m} 分钟（现 {n} 分钟）", "make the window of {d} {m} minutes long ({n} now)").format(d=day, m=obstacle.used, n=obstacle.limit)  # fmt: skip
    if obstacle.code == "freeze":
        title = next(f.title for f in board.plan.problem.freezes if f.name == obstacle.subject)
        return Text("为 {g} 办理封网期“{f}”的例外", "an exception from the freeze “{f}” for {g}").format(
            g=group, f=title
        )
    if obstacle.code == "not_before":
        return Text("把 {s} 约定的最早日期从 {e} 改为 {d}", "the agreed date of {s} {d} instead of {e}").format(s=obstacle.subject, e=obstacle.until, d=day)  # fmt: skip
    if obstacle.code == "pin":
        return Text("撤销 {g} 的固定安排", "withdraw the pin of {g}").format(g=group)
    if obstacle.code == "order" and obstacle.job_id is not None:
        return _before(board, obstacle, day)
    if obstacle.code == "pilots":
        return Text("先把试点 {p} 提前到 {d} 以前的窗口", "first the pilot {p} in a window before {d}").format(p=holders, d=day)  # fmt: skip
    if obstacle.code == "weak":
        return Text("把 {o} 提前到 {d} 或更早的窗口", "{o} in the window of {d} or an earlier one").format(o=holders, d=day)  # fmt: skip
    if obstacle.code == "apart":
        return Text("把 {o} 移出 {d} 的窗口", "{o} out of the window of {d}").format(o=holders, d=day)
    if obstacle.code == "skills":
        return Text("增加具备技能 {k} 的班组", "a crew with the skills {k}").format(k=obstacle.subject)
    return _room(board, group_id, trial, obstacle)


def _before(board: Board, obstacle: Obstacle, day: date) -> Text:
    stay, ends_on = board.stays[obstacle.job_id or ""], obstacle.until or day
    by = day if stay.window is None else day - timedelta(days=1)
    text = Text("{s} 的{j}缩短或提前 {n} 天，在 {d} 前结束（现最早 {e}）", "the {j} of {s} shorter or earlier by {n} days, done by {d} ({e} at the earliest now)")  # fmt: skip
    return text.format(
        s=names(board, [stay.job.subject_id]), j=JOB_NAMES[stay.job.kind], n=max(1, (ends_on - by).days), d=by, e=ends_on
    )  # fmt: skip


def _room(board: Board, group_id: str, trial: Trial, obstacle: Obstacle) -> Text:
    """More of what is full, or somebody out of the window, when one alone is enough."""
    if obstacle.code == "crew_time":
        more = Text("{d} 的窗口增加第 {n} 个班组", "crew no. {n} for the window of {d}").format(d=trial.window.opens_on, n=obstacle.limit + 1)  # fmt: skip
    else:
        title = board.resource[obstacle.subject].title
        more = Text("把“{r}”从 {n} 提到 {m}", "“{r}” raised from {n} to {m}").format(r=title, n=obstacle.limit, m=obstacle.used)  # fmt: skip
    other = _who_could_go(board, group_id, trial, obstacle)
    if other is None:
        return more
    return Text("{m}，或把 {o} 移出 {d} 的窗口", "{m}, or {o} out of the window of {d}").format(
        m=more, o=names(board, [other]), d=trial.window.opens_on
    )


def _who_could_go(board: Board, group_id: str, trial: Trial, obstacle: Obstacle) -> str | None:
    """The least urgent group in the window whose leaving alone removes the obstacle; pinned ones stay."""
    here = {s.job.subject_id: s for s in board.in_window.get(trial.window.window_id, ())}
    urgent = {
        g: sum(board.placing.task[s].priority for s in board.placing.group[g].system_ids)
        for g in obstacle.holders
        if g in here and g not in board.pin
    }
    for other in sorted(urgent, key=lambda g: (urgent[g], g))[:MOST_HOLDERS]:
        left = try_window(board, group_id, trial.window, frozenset({here[other].job.job_id})).obstacles
        if all((o.code, o.subject) != (obstacle.code, obstacle.subject) for o in left):
            return other
    return None
