"""Why a system is where it is: what fixes its date, how much room it has, and what would have to change. No solver."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from govcloud.model.plan import Binding, EarlierWindow, MigrationPlan, Move, PlanExplanation, PlanViolation, Wave
from govcloud.model.plan_names import GOAL_NAMES, JOB_NAMES
from govcloud.model.plan_problem import NetworkRetirement
from govcloud.model.text import Text
from govcloud.planning.critical import Trial, find_bindings, names, try_window
from govcloud.planning.minutes import minutes_text, too_long_text
from govcloud.planning.occupancy import Board
from govcloud.planning.openings import longest_min
from govcloud.planning.slack import slack_days, weigh
from govcloud.planning.stays import Stay
from govcloud.planning.wishes import find_wishes


def explain_system(plan: MigrationPlan, system_id: str) -> PlanExplanation | None:
    """Of a system, a group or a dedicated network by its id. None for one that the plan does not know."""
    board = Board(plan)
    network = next((n for n in plan.problem.retirements if n.network_id == system_id), None)
    group_id = board.placing.group_of.get(system_id, system_id if system_id in board.placing.group else None)
    if group_id is None and network is None:
        return _absent(plan, system_id)
    subject = group_id or system_id
    cutover = board.cutover(subject)
    if cutover is not None and cutover.window is not None:
        return _moved(board, system_id, cutover)
    last = _last(board, subject)
    if last is None:
        if network is not None and group_id is None:
            return PlanExplanation(system_id=system_id, wave=None, move=None, text=_kept(board, network), waits_for=_waits_for(board, subject))  # fmt: skip
        return _absent(plan, system_id)
    bindings = find_bindings(board, last.job.job_id)
    return PlanExplanation(
        system_id=system_id, wave=None, move=None, text=_day_text(system_id, last, bindings), bindings=bindings,
        waits_for=_waits_for(board, subject), awaited_by=_awaited_by(board, subject), slack_days=slack_days(board, subject),
        to_move_earlier=_sooner(board, bindings),
    )  # fmt: skip


def explain_subjects(plan: MigrationPlan, subject_ids: Iterable[str]) -> Mapping[str, Text]:
    """The one sentence for each of these groups or networks that is placed; for tables of many, much cheaper than explaining
    each in full."""
    board, found = Board(plan), {}
    for subject in subject_ids:
        cutover = board.cutover(subject)
        last = cutover or _last(board, subject)
        if last is None:
            continue
        bindings = find_bindings(board, last.job.job_id)
        if cutover is not None and cutover.window is not None:
            wave = board.wave.get(cutover.window.window_id)
            found[subject] = _text(board, subject, wave, cutover, bindings)
        else:
            found[subject] = _day_text(names(board, [subject]), last, bindings)
    return found


def _moved(board: Board, system_id: str, cutover: Stay) -> PlanExplanation:
    subject, window = cutover.job.subject_id, cutover.window
    wave = board.wave.get(window.window_id) if window else None
    move: Move | None = next((m for m in wave.moves if m.system_id in (system_id, subject)), None) if wave else None
    bindings = find_bindings(board, cutover.job.job_id)
    trials = [
        try_window(board, subject, w) for w in board.plan.problem.windows if window and w.starts_at < window.starts_at
    ]
    return PlanExplanation(
        system_id=system_id, wave=wave, move=move, text=_text(board, system_id, wave, cutover, bindings),
        minutes=minutes_text(board.placing.task[move.system_id]) if move else None,
        bindings=bindings, waits_for=_waits_for(board, subject), awaited_by=_awaited_by(board, subject),
        slack_days=slack_days(board, subject), to_move_earlier=find_wishes(board, subject, trials),
        earlier=tuple(_earlier(board, t) for t in trials),
    )  # fmt: skip


def _earlier(board: Board, trial: Trial) -> EarlierWindow:
    reasons = tuple(
        PlanViolation(code=o.code, subjects=tuple(dict.fromkeys((o.subject, *o.holders))), text=o.text)
        for o in trial.obstacles
    )
    worse, better = weigh(board, trial)
    return EarlierWindow(window=trial.window, reasons=reasons, worse=worse, better=better)


# --- the sentence


def _text(board: Board, name: str, wave: Wave | None, cutover: Stay, bindings: Sequence[Binding]) -> Text:
    """`name` in its wave, with the nearest reasons and the one that everything earlier fails by."""
    here = [b for b in bindings if b.job_id == cutover.job.job_id]
    parts = [b.text for b in here]
    if len(here) > 3:
        more = Text("再往前的 {n} 个窗口也不行", "windows before that closed as well: {n}").format(n=len(here) - 3)
        parts = [*parts[:2], more, parts[-1]]
    if here and here[-1].kind == "predecessor" and len(here) < 3 and bindings[-1] != here[-1]:
        parts.append(bindings[-1].text)
    open_ = None if cutover.job.subject_id in board.pin else _nearest_open(board, cutover, len(here))
    if open_ is not None:
        parts = [*parts[:3], _possible(board, open_)]
    head = Text("{s} 排在第 {n} 批（{d}）", "{s} is in wave {n} ({d})") if wave else Text("{s} 在 {d} 割接", "{s} moves on {d}")  # fmt: skip
    why = Text("；".join(t.zh for t in parts), "; ".join(t.en for t in parts))
    return Text("{h}：{w}", "{h}: {w}").format(
        h=head.format(s=name, n=wave.number if wave else "", d=cutover.first_on), w=why
    )


def _nearest_open(board: Board, cutover: Stay, closed: int) -> Trial | None:
    """The window before the `closed` ones that the bindings name, if it is possible."""
    before = [w for w in board.plan.problem.windows if cutover.window and w.starts_at < cutover.window.starts_at]
    if closed >= len(before):
        return None
    trial = try_window(board, cutover.job.subject_id, before[len(before) - 1 - closed])
    return trial if trial.stay is not None else None


def _possible(board: Board, trial: Trial) -> Text:
    worse, better = weigh(board, trial)
    first = next((g for g in board.plan.problem.goals if g in worse or g in better), None)
    day = trial.window.opens_on
    if first is None:
        return Text("{d} 的窗口也可行，两者同样好", "the window of {d} is possible too and as good").format(d=day)
    if first in better:
        text = Text(
            "{d} 的窗口可行而且更好（{g}），本计划未证明最优，可加大 --limit 重排",
            "the window of {d} is possible and better ({g}): this plan is not proven best, raise --limit and plan again",
        )
    else:
        text = Text("{d} 的窗口可行，但会使{g}变差", "the window of {d} is possible but worse for {g}")
    return text.format(d=day, g=GOAL_NAMES[first])


def _day_text(name: str | Text, last: Stay, bindings: Sequence[Binding]) -> Text:
    text = Text("{s} 的{k}安排在 {a} 至 {b}", "{k} of {s} is planned from {a} to {b}")
    head = text.format(s=name, k=JOB_NAMES[last.job.kind], a=last.first_on, b=last.last_on)
    parts = [b.text for b in (bindings if len(bindings) < 3 else (bindings[0], bindings[-1]))]
    parts = parts or [Text("没有什么挡着它更早", "nothing keeps it from being earlier")]
    why = Text("；".join(t.zh for t in parts), "; ".join(t.en for t in parts))
    return Text("{h}：{w}", "{h}: {w}").format(h=head, w=why)


def _kept(board: Board, network: NetworkRetirement) -> Text:
    if network.staying:
        return Text(
            "专网 {n} 上还有不在计划内的 {s}，本计划内不能撤销", "{s}, not planned, stay on network {n}: it can't close by this plan"
        ).format(n=network.network_id, s=names(board, network.staying))  # fmt: skip
    missing = [g for g in network.group_ids if _last(board, g) is None]
    return Text("专网 {n} 上的 {s} 未能排入，撤销日期定不下来", "{s} on network {n} are not placed: it has no closing date").format(
        n=network.network_id, s=names(board, missing)
    )  # fmt: skip


def _absent(plan: MigrationPlan, system_id: str) -> PlanExplanation | None:
    for exclusion in plan.problem.excluded:
        if exclusion.system_id == system_id:
            text = Text("不在计划中：{r}", "Not planned: {r}").format(r=exclusion.reason)
            return PlanExplanation(system_id=system_id, wave=None, move=None, text=text)
    for unplaced in plan.unplaced:
        if unplaced.system_id == system_id:
            text = Text("未能排入：{r}", "Not placed: {r}").format(r=unplaced.reason)
            task = next((t for t in plan.problem.tasks if t.system_id == system_id), None)
            if task is not None and (why := too_long_text(task, longest_min(plan.problem.windows))) is not None:
                text = Text("{t}。{w}", "{t}. {w}").format(t=text, w=why)
            return PlanExplanation(system_id=system_id, wave=None, move=None, text=text)
    return None


def _last(board: Board, subject: str) -> Stay | None:
    placed = [board.stays[j] for j in board.own(subject) if j in board.stays]
    return max(placed, key=lambda s: (s.last_on, s.job.job_id), default=None)


def _sooner(board: Board, bindings: Sequence[Binding]) -> tuple[Text, ...]:
    """For what has no window: of each group that it waits for the first job, the nearest group first."""
    waits = {board.stays[b.subject].job.subject_id: board.stays[b.subject] for b in bindings if b.kind == "predecessor" and b.subject in board.stays}  # fmt: skip
    text = Text("{o} 的{j}提前（现 {d} 完成）", "the {j} of {o} earlier (it ends on {d} now)")
    return tuple(
        text.format(o=names(board, [subject]), j=JOB_NAMES[stay.job.kind], d=stay.last_on)
        for subject, stay in list(waits.items())[:3]
    )


# --- one step before and after, by rules


def _waits_for(board: Board, subject: str) -> tuple[str, ...]:
    """Systems and networks that must come before, and the group's own jobs that its cutover waits for."""
    placing, found = board.placing, list[str]()
    for job in placing.jobs_of.get(subject, ()):
        found += [b for b in job.after if job.calendar == "window" and b in board.stays]
        for before in (placing.job[b] for b in job.after if b in placing.job):
            found += _systems(board, before.subject_id) if before.subject_id != subject else ()
    if board.plan.problem.weak_mode == "require":
        found += [k.target_id for k in board.links.get(subject, ()) if placing.group_of[k.source_id] == subject]
    if subject in placing.cutover_job and subject not in board.pilots:
        found += [s for g in sorted(board.pilots) for s in _systems(board, g)]
    return tuple(dict.fromkeys(found))


def _awaited_by(board: Board, subject: str) -> tuple[str, ...]:
    """Networks and systems that come after by a rule, and the group's own jobs that follow the cutover. That everybody waits
    for a pilot is not listed."""
    placing, found = board.placing, list[str]()
    for job in placing.jobs_of.get(subject, ()):
        for follower in board.followers.get(job.job_id, ()):
            if follower.subject_id != subject:
                found += _systems(board, follower.subject_id)
            elif job.calendar == "window":
                found.append(follower.job_id)
    if board.plan.problem.weak_mode == "require":
        found += [k.source_id for k in board.links.get(subject, ()) if placing.group_of[k.target_id] == subject]
    return tuple(dict.fromkeys(found))


def _systems(board: Board, subject: str) -> tuple[str, ...]:
    group = board.placing.group.get(subject)
    return group.system_ids if group else (subject,)
