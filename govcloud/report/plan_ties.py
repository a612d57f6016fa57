"""Views of what moves together and what was cut: groups, waves at a glance, bridges and shared services."""

from __future__ import annotations

from collections.abc import Sequence

from govcloud.model.plan import MigrationPlan, RiskAssessment
from govcloud.model.text import Text
from govcloud.report.findings import term
from govcloud.report.plan_index import build_index, by_subject, minutes
from govcloud.report.plan_words import CONFIDENCE, LEVEL, PATH, day_text, listed
from govcloud.report.view import Cell, Column, View


def build_groups_view(plan: MigrationPlan, risks: Sequence[RiskAssessment] = ()) -> View:
    """What moves together and why, where it lies, how long it takes, how risky it is."""
    index, assessed = build_index(plan), by_subject(risks)
    rows: list[dict[str, Cell]] = []
    for group in plan.problem.groups:
        wave, moves, risk = (
            index.waves.get(group.group_id),
            index.moves.get(group.group_id, ()),
            assessed.get(group.group_id),
        )
        tasks = [index.tasks[s] for s in group.system_ids if s in index.tasks]
        rows.append(
            {
                "group_id": group.group_id, "systems": group.system_ids, "path": term(PATH, group.path),
                "wave": wave.number if wave else None, "date": day_text(wave.window.starts_at, index.zone) if wave else None,
                "crew": moves[0].crew if moves else None,
                "minutes": sum(t.cutover_min for t in tasks) + max((t.reserve_min for t in tasks), default=0) if not moves
                else minutes(min(m.starts_at for m in moves), max(m.ends_at for m in moves)),
                "data_gib": round(sum(t.data_mib for t in tasks) / 1024, 1),
                "starts_on": min((a.starts_on for a in index.activities.get(group.group_id, ())), default=None),
                "ends_on": max((a.ends_on for a in index.activities.get(group.group_id, ())), default=None),
                "risk": term(LEVEL, risk.risk) if risk else None,
                "confidence": CONFIDENCE[risk.confidence] if risk else None,
                "reasons": listed(group.reasons, "；", "; ") if group.reasons else None,
            }
        )  # fmt: skip
    columns = (
        Column("group_id", Text("组", "Group")),
        Column("systems", Text("系统（按割接次序）", "Systems, in the order of their cutovers")),
        Column("path", Text("去向", "Path")),
        Column("wave", Text("批次", "Wave"), "right"),
        Column("date", Text("窗口日期", "Window")),
        Column("crew", Text("班组", "Crew")),
        Column("minutes", Text("分钟", "Minutes"), "right"),
        Column("data_gib", Text("数据（GiB）", "Data (GiB)"), "right"),
        Column("starts_on", Text("开工", "Work from")),
        Column("ends_on", Text("完工", "Work to")),
        *((Column("risk", Text("风险", "Risk")), Column("confidence", Text("依据", "Basis"))) if assessed else ()),
        Column("reasons", Text("为什么同组", "What binds them")),
    )
    return View(name="groups", title=Text("迁移组", "Move groups"), columns=columns, rows=tuple(rows))


def build_bridges_view(plan: MigrationPlan) -> View:
    """Strong ties that were cut, each with what its temporary connection costs and how long it has to last."""
    index = build_index(plan)
    rows: list[dict[str, Cell]] = []
    for bridge in plan.problem.bridges:
        days = [
            w.window.opens_on
            for s in (bridge.source_id, bridge.target_id)
            if (w := index.waves.get(index.group_of.get(s, ""))) is not None
        ]
        rows.append(
            {
                "source_id": bridge.source_id, "target_id": bridge.target_id, "measured": bridge.measured,
                "traffic_gib_day": None if bridge.traffic_mib_day is None else round(bridge.traffic_mib_day / 1024, 2),
                "cost_days": bridge.cost_days, "needed_from": min(days) if len(days) == 2 else None,
                "needed_to": max(days) if len(days) == 2 else None, "dependencies": bridge.dependency_ids,
                "reason": bridge.reason,
            }
        )  # fmt: skip
    total = sum(b.cost_days for b in plan.problem.bridges)
    note = Text("断开 {n} 条强依赖，临时打通估计共 {d} 人日；两端窗口相同的不需要临时连接",
                "{n} strong ties are cut; temporary connections take about {d} days of work; both ends in one window need none").format(
        n=len(rows), d=total)  # fmt: skip
    columns = (
        Column("source_id", Text("依赖方", "From")),
        Column("target_id", Text("被依赖方", "To")),
        Column("measured", Text("实测", "Measured")),
        Column("traffic_gib_day", Text("流量（GiB/日）", "Traffic (GiB a day)"), "right"),
        Column("cost_days", Text("临时打通（人日）", "Work (days)"), "right"),
        Column("needed_from", Text("需要自", "Needed from")),
        Column("needed_to", Text("需要至", "Needed to")),
        Column("dependencies", Text("依赖编号", "Dependencies")),
        Column("reason", Text("理由", "Why here")),
    )
    return View(name="bridges", title=Text("断开的强依赖", "Cut ties"), columns=columns, rows=tuple(rows), notes=(note,) if rows else ())  # fmt: skip


def build_hubs_view(plan: MigrationPlan) -> View:
    index = build_index(plan)
    rows: list[dict[str, Cell]] = []
    for hub in plan.problem.hubs:
        wave = index.waves.get(index.group_of.get(hub.system_id, ""))
        task = index.tasks.get(hub.system_id)
        rows.append(
            {
                "system_id": hub.system_id, "name": task.name if task else None, "dependents": hub.dependents,
                "wave": wave.number if wave else None, "date": day_text(wave.window.starts_at, index.zone) if wave else None,
                "reason": hub.reason,
            }
        )  # fmt: skip
    columns = (
        Column("system_id", Text("系统编号", "System")),
        Column("name", Text("系统名称", "Name")),
        Column("dependents", Text("依赖它的系统", "Dependents"), "right"),
        Column("wave", Text("批次", "Wave"), "right"),
        Column("date", Text("窗口日期", "Window")),
        Column("reason", Text("说明", "Why")),
    )
    return View(name="hubs", title=Text("公共服务", "Shared services"), columns=columns, rows=tuple(rows))


def build_wave_totals_view(plan: MigrationPlan, risks: Sequence[RiskAssessment] = ()) -> View:
    """One row for each wave. `risks`: of the waves."""
    index, assessed = build_index(plan), by_subject(risks)
    rows: list[dict[str, Cell]] = []
    for wave in plan.waves:
        risk = assessed.get(str(wave.number))
        tasks = [index.tasks[m.system_id] for m in wave.moves]
        rows.append(
            {
                "wave": wave.number, "date": day_text(wave.window.starts_at, index.zone),
                "groups": len({m.group_id for m in wave.moves}), "systems": len(wave.moves),
                "crews": len({m.crew for m in wave.moves}), "data_gib": round(sum(t.data_mib for t in tasks) / 1024, 1),
                "vcpus": sum(t.vcpus for t in tasks), "risk": term(LEVEL, risk.risk) if risk else None,
                "confidence": CONFIDENCE[risk.confidence] if risk else None,
                "reasons": listed(risk.reasons, "；", "; ") if risk else None,
            }
        )  # fmt: skip
    columns = (
        Column("wave", Text("批次", "Wave"), "right"),
        Column("date", Text("窗口日期", "Window")),
        Column("groups", Text("迁移组", "Groups"), "right"),
        Column("systems", Text("系统", "Systems"), "right"),
        Column("crews", Text("班组", "Crews"), "right"),
        Column("data_gib", Text("数据（GiB）", "Data (GiB)"), "right"),
        Column("vcpus", Text("vCPU（核）", "vCPUs"), "right"),
        *((Column("risk", Text("风险", "Risk")), Column("confidence", Text("依据", "Basis")),
           Column("reasons", Text("理由", "Why"))) if risks else ()),
    )  # fmt: skip
    return View(name="wave_totals", title=Text("各批概况", "The waves at a glance"), columns=columns, rows=tuple(rows))
