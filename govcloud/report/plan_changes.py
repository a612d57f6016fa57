"""Views of what is said about plans: risks with their reasons, and what became of whom from one plan to the next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from govcloud.model.plan import MigrationPlan, PlanChange, RiskAssessment
from govcloud.model.text import Text
from govcloud.report.findings import term
from govcloud.report.plan_index import build_index
from govcloud.report.plan_words import CHANGE, CONFIDENCE, LEVEL, listed
from govcloud.report.view import Cell, Column, View


def build_risks_view(plan: MigrationPlan, risks: Sequence[RiskAssessment]) -> View:
    """Waves, then groups, the riskiest first; every level with the reasons that made it."""
    index = build_index(plan)
    rows: list[dict[str, Cell]] = []
    for risk in sorted(risks, key=lambda r: (r.subject in index.groups, -r.risk_points)):
        if risk.subject in index.groups:
            what = Text("{id} {name}", "{id} {name}").format(id=risk.subject, name=index.name(risk.subject))
            wave = index.waves.get(risk.subject)
            number = wave.number if wave else None
        else:
            what, number = Text("第 {n} 批", "Wave {n}").format(n=risk.subject), int(risk.subject)
        rows.append(
            {
                "what": what, "wave": number, "risk": term(LEVEL, risk.risk), "points": risk.risk_points,
                "confidence": CONFIDENCE[risk.confidence],
                "reasons": listed(risk.reasons, "；", "; ") if risk.reasons else None,
            }
        )  # fmt: skip
    columns = (
        Column("what", Text("批次或迁移组", "Wave or group")),
        Column("wave", Text("批次", "Wave"), "right"),
        Column("risk", Text("风险", "Risk")),
        Column("points", Text("风险分", "Points"), "right"),
        Column("confidence", Text("依据", "Basis")),
        Column("reasons", Text("理由", "Why")),
    )
    note = Text(
        "风险看割接本身有多容易出事，依据看所用数据有多可靠",
        "Risk: how easily the cutover fails. Basis: how reliable the data behind it is",
    )
    return View(name="risks", title=Text("风险与依据", "Risks"), columns=columns, rows=tuple(rows), notes=(note,) if rows else ())  # fmt: skip


def build_diff_view(before: MigrationPlan, after: MigrationPlan, changes: Sequence[PlanChange]) -> View:
    """A row for each group or network that is not where it was, with what explains it."""
    old, new = build_index(before), build_index(after)
    rows: list[dict[str, Cell]] = []
    for change in changes:
        index = new if change.subject_id in new.groups or change.subject_id in new.networks else old
        rows.append(
            {
                "subject_id": change.subject_id, "name": index.name(change.subject_id), "systems": change.system_ids,
                "change": term(CHANGE, change.kind), "before_on": change.before_on, "after_on": change.after_on,
                "before_crew": change.before_crew, "after_crew": change.after_crew,
                "reasons": listed(change.reasons, "；", "; ") if change.reasons else None,
            }
        )  # fmt: skip
    columns = (
        Column("subject_id", Text("编号", "Id")),
        Column("name", Text("系统或专网", "Systems or network")),
        Column("systems", Text("系统", "Systems")),
        Column("change", Text("变化", "Change")),
        Column("before_on", Text("原日期", "Before")),
        Column("after_on", Text("新日期", "After")),
        Column("before_crew", Text("原班组", "Crew before")),
        Column("after_crew", Text("新班组", "Crew after")),
        Column("reasons", Text("原因", "Why")),
    )
    return View(
        name="diff", title=Text("计划变化", "Changes of the plan"), columns=columns, rows=tuple(rows),
        notes=_diff_notes(before, after, changes),
        facts={"before": before.plan_id, "after": after.plan_id, "counts": dict(Counter(c.kind for c in changes))},
    )  # fmt: skip


def _diff_notes(before: MigrationPlan, after: MigrationPlan, changes: Sequence[PlanChange]) -> tuple[Text, ...]:
    pair = Text("从计划 {a} 到计划 {b}", "From plan {a} to plan {b}").format(a=before.plan_id, b=after.plan_id)
    if not changes:
        return (
            pair,
            Text(
                "没有变化：所有组的窗口、班组和时间都相同", "Nothing changed: every group has its window, crew and time"
            ),
        )
    counts: Counter[str] = Counter(c.kind for c in changes)
    counted = listed(
        Text("{k} {n} 组", "{k}: {n}").format(k=CHANGE[kind], n=counts[kind]) for kind in CHANGE if counts[kind]
    )
    touched = {c.subject_id for c in changes}
    kept = sum(1 for g in after.problem.groups if g.group_id not in touched)
    return (
        pair, Text("{c}；其余 {n} 组不变", "{c}; the other {n} groups stay where they were").format(c=counted, n=kept),
    )  # fmt: skip
