"""The headline numbers of the report, each with the sentence that keeps it from being misread."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from govcloud.model.deadline import ProjectDeadline
from govcloud.model.inventory import Inventory
from govcloud.model.network_ledger import RemainingNetwork
from govcloud.model.plan import MigrationPlan
from govcloud.model.regulation import Finding
from govcloud.model.run import MOVED, SystemState
from govcloud.model.text import Text
from govcloud.report.document import Number, Tone

_SYSTEMS = Text("个", "")


def build_estate_numbers(inventory: Inventory) -> tuple[Number, ...]:
    return build_counted_estate(
        systems=len(inventory.systems), departments=len({s.department for s in inventory.systems if s.department}),
        on_cloud=sum(1 for s in inventory.systems if s.hosting == "gov_cloud"), servers=len(inventory.servers),
        seen=sum(1 for s in inventory.servers if s.seen),
        undeclared=sum(1 for s in inventory.servers if s.declared is False), conflicts=len(inventory.conflicts),
    )  # fmt: skip


def build_counted_estate(
    *, systems: int, departments: int, on_cloud: int, servers: int, seen: int, undeclared: int, conflicts: int
) -> tuple[Number, ...]:
    """Nothing before the first import: a zero would say that there are no systems."""
    if not systems and not servers:
        return ()
    return (
        Number(
            label=Text("政务信息系统", "Systems"), value=systems, unit=_SYSTEMS,
            note=Text("涉及 {d} 个部门，已在政务云 {c} 个", "of {d} departments; {c} on the government cloud").format(
                d=departments, c=on_cloud),
        ),
        Number(
            label=Text("服务器", "Servers"), value=servers, unit=Text("台", ""),
            note=Text("登录核实 {n} 台", "{n} of them seen by discovery").format(n=seen),
        ),
        Number(
            label=Text("无人填报的服务器", "Undeclared servers"), value=undeclared, unit=Text("台", ""),
            tone=_bad_if(undeclared), note=Text("有运行痕迹，任何表中都没有", "they run, but no workbook names them"),
        ),
        Number(
            label=Text("说法不一的事实", "Conflicts"), value=conflicts, unit=Text("处", ""),
            tone="warn" if conflicts else "plain", note=Text("申报与实测说法不同", "declared and measured facts differ"),
        ),
    )  # fmt: skip


def build_plan_numbers(plan: MigrationPlan) -> tuple[Number, ...]:
    moving = {move.system_id for wave in plan.waves for move in wave.moves}
    planned = planned_systems(plan)
    return (
        Number(
            label=Text("已排期系统", "Systems planned"), value=len(planned), unit=_SYSTEMS,
            note=Text("分 {w} 批，不占窗口 {r} 个；未能排入 {u} 个", "waves: {w}; without a window: {r}; not placed: {u}").format(
                w=len(plan.waves), r=len(planned - moving), u=len(plan.unplaced)),
            tone="warn" if plan.unplaced else "plain",
        ),
    )  # fmt: skip


def planned_systems(plan: MigrationPlan) -> frozenset[str]:
    """Ids of the systems that move in a wave, and of those that are worked on without a window, as those that retire."""
    moving = {move.system_id for wave in plan.waves for move in wave.moves}
    working = {activity.subject_id for activity in plan.activities}
    return frozenset(moving.union(*(g.system_ids for g in plan.problem.groups if g.group_id in working)))


def build_finding_numbers(found: Sequence[Finding]) -> tuple[Number, ...]:
    binding = [f for f in found if f.standing == "binding"]
    failed = [f for f in binding if f.verdict == "fail" and not f.waived]
    return build_counted_findings(
        failed=len(failed), high=sum(1 for f in failed if f.severity == "high"),
        unknown=sum(f.verdict == "undetermined" for f in binding),
    )  # fmt: skip


def build_counted_findings(*, failed: int, high: int, unknown: int) -> tuple[Number, ...]:
    """Only what binds the office by its own words counts; what is undetermined is neither good nor bad."""
    return (
        Number(
            label=Text("不符合项", "Findings"), value=failed, unit=Text("项", ""), tone=_bad_if(failed),
            note=Text("其中程度高 {n} 项", "{n} of high severity").format(n=high),
        ),
        Number(
            label=Text("不能判定", "Undetermined"), value=unknown, unit=Text("项", ""), tone="warn" if unknown else "plain",
            note=Text("资料不足，补齐后再核对", "not enough is known; complete the data, check again"),
        ),
    )  # fmt: skip


def build_network_number(rows: Sequence[RemainingNetwork]) -> Number:
    blocked = sum(1 for row in rows if row.blockers)
    return Number(
        label=Text("尚存业务专网", "Dedicated networks left"), value=len(rows), unit=Text("条", ""),
        tone="warn" if rows else "good", note=Text("撤并有障碍 {n} 条", "{n} with something in the way").format(n=blocked),
    )  # fmt: skip


def build_deadline_number(rows: Sequence[ProjectDeadline]) -> Number:
    overdue = sum(1 for row in rows if row.status == "overdue")
    return Number(
        label=Text("超期事项", "Overdue duties"), value=overdue, unit=Text("项", ""), tone=_bad_if(overdue),
        note=Text("项目法定时限共 {n} 项", "of {n} statutory deadlines of projects").format(n=len(rows)),
    )  # fmt: skip


def build_run_numbers(runs: Sequence[Mapping[str, SystemState]]) -> tuple[Number, ...]:
    """`runs`: the states of each run's systems, the newest run first; what the newest says of a system counts."""
    counts = Counter(newest_states(runs).values())
    moved = sum(counts[state] for state in MOVED)
    back, failed = counts["rolled_back"], counts["failed"] + counts["needs_person"]
    return (
        Number(
            label=Text("已迁移系统", "Systems migrated"), value=moved, unit=_SYSTEMS,
            note=Text("回退 {b} 个，未成功或待决定 {f} 个", "{b} rolled back, {f} failed or waiting for a decision").format(
                b=back, f=failed),
            tone="bad" if failed else "warn" if back else "good" if moved else "plain",
        ),
    )  # fmt: skip


def newest_states(runs: Sequence[Mapping[str, SystemState]]) -> Mapping[str, SystemState]:
    """System id -> its state in the newest run that it was in. `runs`: the newest first."""
    newest: dict[str, SystemState] = {}
    for states in reversed(runs):
        newest |= states
    return newest


def build_handover_number(started: int, signed: int) -> Number:
    return Number(
        label=Text("已完成接管", "Taken over"), value=signed, unit=_SYSTEMS, tone="good" if signed == started else "warn",
        note=Text("已启动接管 {n} 个", "takeovers begun: {n}").format(n=started),
    )  # fmt: skip


def build_ledger_size(records: int, signed: int) -> Number:
    """`signed`: so many records the newest checkpoint covers. Nothing was verified for it."""
    return Number(
        label=Text("台账记录", "Ledger records"), value=records, unit=Text("条", ""),
        note=Text("检查点覆盖前 {n} 条", "the newest checkpoint covers {n}").format(n=f"{signed:,}") if signed
        else Text("还没有签过检查点", "no checkpoint was signed yet"),
    )  # fmt: skip


def build_ledger_number(records: int, *, ok: bool) -> Number:
    return Number(
        label=Text("台账记录", "Ledger records"), value=records, unit=Text("条", ""), tone="good" if ok else "bad",
        note=Text("核对通过", "verified") if ok else Text("核对不通过，见台账一节", "does not verify; see the ledger section"),
    )  # fmt: skip


def _bad_if(count: int) -> Tone:
    return "bad" if count else "plain"
