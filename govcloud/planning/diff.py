"""What became of every group and network from one plan to another, and plans side by side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date

from govcloud.model.plan import MigrationPlan, PlanChange
from govcloud.model.plan_problem import MoveGroup
from govcloud.model.plan_summary import PlanSummary
from govcloud.planning.change_reasons import Causes, Scene, Seat
from govcloud.planning.occupancy import Board
from govcloud.planning.risk import assess_groups


def diff_plans(before: MigrationPlan, after: MigrationPlan) -> tuple[PlanChange, ...]:
    """One entry for each group or network that is not where it was: groups in the order of `after`, then systems that left,
    then networks. Groups are matched by their systems, not by their ids. Near-linear."""
    causes = Causes(Scene(before), Scene(after))
    return (*_groups(causes), *_left(causes), *_networks(causes))


def _groups(causes: Causes) -> Iterator[PlanChange]:
    old, new = causes.before, causes.after
    for group in new.plan.problem.groups:
        seat = new.seats.get(group.group_id)
        if seat is None:
            continue
        shared = Counter(g for s in group.system_ids if (g := old.group_of.get(s)) in old.seats and g is not None)
        if not shared:
            yield PlanChange(
                subject_id=group.group_id, system_ids=group.system_ids, kind="added", after_on=seat.on,
                after_crew=seat.crew, reasons=causes.why_added(group),
            )  # fmt: skip
            continue
        source = min(shared, key=lambda g: (-shared[g], g))
        was = old.seats[source]
        if set(old.groups[source].system_ids) != set(group.system_ids):
            yield PlanChange(
                subject_id=group.group_id, system_ids=group.system_ids, kind="regrouped", before_on=was.on, after_on=seat.on,
                before_crew=was.crew, after_crew=seat.crew, reasons=causes.why_regrouped(old.groups[source], group),
            )  # fmt: skip
        elif (change := _moved(causes, old.groups[source], group, was, seat)) is not None:
            yield change


def _moved(causes: Causes, source: MoveGroup, group: MoveGroup, was: Seat, seat: Seat) -> PlanChange | None:
    if seat.on != was.on:
        later = seat.on > was.on
        reasons = causes.why_moved(source, group, was, seat)
        return PlanChange(
            subject_id=group.group_id, system_ids=group.system_ids, kind="later" if later else "earlier",
            before_on=was.on, after_on=seat.on, before_crew=was.crew, after_crew=seat.crew, reasons=reasons,
        )  # fmt: skip
    if seat.starts_at is None or was.starts_at is None:
        return None
    if seat.crew == was.crew and (seat.starts_at, seat.ends_at) == (was.starts_at, was.ends_at):
        return None
    return PlanChange(
        subject_id=group.group_id, system_ids=group.system_ids, kind="crew" if seat.crew != was.crew else "time",
        before_on=was.on, after_on=seat.on, before_crew=was.crew, after_crew=seat.crew,
        reasons=causes.why_shifted(source, group, was, seat),
    )  # fmt: skip


def _left(causes: Causes) -> Iterator[PlanChange]:
    """Systems that had a place and have none."""
    old, new = causes.before, causes.after
    for group in old.plan.problem.groups:
        was = old.seats.get(group.group_id)
        gone = tuple(s for s in group.system_ids if new.group_of.get(s) not in new.seats)
        if was is None or not gone:
            continue
        yield PlanChange(
            subject_id=group.group_id if gone == group.system_ids else gone[0], system_ids=gone, kind="removed",
            before_on=was.on, before_crew=was.crew, reasons=causes.why_removed(gone),
        )  # fmt: skip


def _networks(causes: Causes) -> Iterator[PlanChange]:
    old, new = causes.before.closings, causes.after.closings
    for network_id in sorted({*old, *new}):
        was, now = old.get(network_id), new.get(network_id)
        if was == now:
            continue
        reasons = causes.why_network(network_id)
        if was is None:
            yield PlanChange(subject_id=network_id, system_ids=(), kind="added", after_on=now, reasons=reasons)
        elif now is None:
            yield PlanChange(subject_id=network_id, system_ids=(), kind="removed", before_on=was, reasons=reasons)
        else:
            kind = Causes.direction(was, now)
            yield PlanChange(
                subject_id=network_id, system_ids=(), kind=kind, before_on=was, after_on=now, reasons=reasons
            )


# --- side by side


def compare_plans(plans: Sequence[MigrationPlan]) -> tuple[PlanSummary, ...]:
    """One row for each plan, in their order."""
    return tuple(_summary(p) for p in plans)


def _summary(plan: MigrationPlan) -> PlanSummary:
    scene, board = Scene(plan), Board(plan)
    risks = Counter(r.risk for r in assess_groups(plan))
    days: list[date] = [w.window.opens_on for w in plan.waves]
    return PlanSummary(
        plan_id=plan.plan_id, what_if=plan.what_if, status=plan.status, goals=plan.goals, waves=len(plan.waves),
        systems=sum(len(scene.groups[g].system_ids) for g in scene.seats), unplaced=len(plan.unplaced),
        last_cutover_on=max(days, default=None),
        ends_on=max([*days, *(a.ends_on for a in plan.activities)], default=None),
        cut_ties=len(plan.problem.bridges), split_links=_split(board), peak_crews=board.peak_crews,
        networks=tuple((n, scene.closings.get(n)) for n in sorted(r.network_id for r in plan.problem.retirements)),
        high_risk=risks["high"], medium_risk=risks["medium"], low_risk=risks["low"],
    )  # fmt: skip


def _split(board: Board) -> int:
    split = 0
    for link in board.plan.problem.weak_links:
        ends = (board.placing.group_of.get(s, "") for s in (link.source_id, link.target_id))
        source, target = (board.cutover(g) for g in ends)
        if source and target and source.window and target.window:
            split += target.window.starts_at > source.window.starts_at
    return split
