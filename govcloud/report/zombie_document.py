"""List of zombie systems and of what to consolidate (僵尸系统与整合清单), for departments to confirm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from govcloud.model.catalog import Catalog
from govcloud.model.inventory import Inventory
from govcloud.model.overlap import Overlap
from govcloud.model.regulation import TopicCoverage
from govcloud.model.text import Term, Text, same
from govcloud.model.zombie import CRITERIA, ZombieRules, ZombieVerdict
from govcloud.report.departments import build_overlaps_view
from govcloud.report.document import Number, Section
from govcloud.report.findings import term
from govcloud.report.paper_view import choose_columns, drop_empty_columns
from govcloud.report.view import Cell, Column, View
from govcloud.report.words import DISPOSITION
from govcloud.report.zombies import ANSWER, CRITERION, STATE, build_zombie_evidence_view, build_zombies_view, is_shown

_ENDS = ("retire", "consolidate", "replace")
"""Dispositions that end a system of its own."""
_BLANK = same("\u3000" * 10)
"""A cell for the pen."""


def build_zombie_sections(
    verdicts: Sequence[ZombieVerdict], inventory: Inventory, rules: ZombieRules, coverage: TopicCoverage,
    overlaps: Sequence[Overlap], catalog: Catalog,
) -> tuple[Section, ...]:  # fmt: skip
    judged = build_zombies_view(verdicts, inventory, rules, coverage)
    # The counts are in the overview already, and the hints for the screen are none on paper.
    basis = [note for note in judged.notes[1:] if "--all" not in note.en]
    shown = [v for v in verdicts if is_shown(v, everything=False)]
    ending = build_disposition_view(inventory, {v.system_id for v in verdicts})
    candidates = build_overlaps_view(overlaps, inventory, catalog)
    return (
        Section(section_id="overview", title=Text("概况", "Overview"), paragraphs=tuple(basis),
                numbers=_numbers(verdicts, overlaps)),
        Section(
            section_id="zombies", title=(v := build_cleanup_view(shown, inventory)).title, views=(v,) if shown else (),
            paragraphs=(Text("以下系统由业务部门逐个核实，确认后填写处理意见和完成时间。",
                             "Each department verifies its systems and enters its decision and the date of completion.")
                        if shown else Text("没有查出疑似僵尸系统。", "No possible zombie system was found."),),
        ),
        *(
            Section(section_id="evidence", title=view.title, views=(view,))
            for view in [_evidence(shown, inventory)] if view.rows
        ),
        *((Section(section_id="dispositions", title=ending.title, views=(ending,)),) if ending.rows else ()),
        Section(section_id="overlaps", title=candidates.title, views=(candidates,)),
    )  # fmt: skip


def _evidence(shown: Sequence[ZombieVerdict], inventory: Inventory) -> View:
    """Without the verdicts, which the clean-up form ticks."""
    view = build_zombie_evidence_view(shown, inventory)
    return drop_empty_columns(choose_columns(view, {c.key for c in view.columns} - {"verdict"}))


def _numbers(verdicts: Sequence[ZombieVerdict], overlaps: Sequence[Overlap]) -> tuple[Number, ...]:
    count = {state: sum(v.state == state for v in verdicts) for state in STATE}
    unit = Text("个", "")
    return (
        Number(
            label=Text("疑似僵尸系统", "Possible zombies"), value=count["zombie"], unit=unit,
            tone="warn" if count["zombie"] else "good", note=Text("共排查 {n} 个系统", "of {n} systems examined").format(n=len(verdicts)),
        ),
        Number(
            label=Text("填报与数据不一致", "Declaration and data differ"), value=sum(v.disputed for v in verdicts), unit=unit,
            note=Text("两种说法都列出", "both are shown"),
        ),
        Number(label=Text("资料不足", "Not enough information"), value=count["undetermined"], unit=unit,
               note=Text("未知不作否定处理", "unknown does not count as “no”")),
        Number(label=Text("整合候选", "Candidates for consolidation"), value=len(overlaps), unit=Text("组", ""),
               note=Text("由部门确认", "to be confirmed by the departments")),
    )  # fmt: skip


def build_cleanup_view(shown: Sequence[ZombieVerdict], inventory: Inventory) -> View:
    """The clean-up form: a row a system, its five criteria ticked, and what the department has said itself."""
    systems = {s.system_id: s for s in inventory.systems}
    rows: list[Mapping[str, Cell]] = []
    for verdict in shown:
        system = systems[verdict.system_id]
        ticks = {c.criterion: term(ANSWER, c.verdict) for c in verdict.criteria}
        rows.append({
            "department": verdict.department, "system": f"{verdict.system_id} {verdict.name}", "state": term(STATE, verdict.state),
            **{criterion: ticks.get(criterion) for criterion in CRITERIA},
            "declared": verdict.declared.value if verdict.declared else None, "cleanup_on": system.cleanup_on,
            "next_step": verdict.next_step, "decision": _BLANK,
        })  # fmt: skip
    steps = list(dict.fromkeys(v.next_step for v in shown))
    view = View(
        name="zombie_cleanup",
        title=Text("僵尸系统清理表", "Zombie systems to be cleaned up"),
        columns=(
            Column("department", Text("部门", "Department")),
            Column("system", Text("系统", "System")),
            Column("state", Text("结论", "Verdict")),
            *(Column(criterion, CRITERION[criterion]) for criterion in CRITERIA),
            Column("declared", Text("部门自报", "Declared")),
            Column("cleanup_on", Text("计划完成清理", "Clean-up due")),
            Column("next_step", Text("下一步", "Next step")),
            Column("decision", Text("处理意见", "Decision")),
        ),
        rows=tuple(rows),
    )
    left_out = {key for key in ("declared",) if all(row[key] is None for row in rows)}
    if len(steps) == 1:  # the same for all of them: said once, and the room goes to the pen
        left_out.add("next_step")
        view = replace(view, notes=(Text("下一步：{s}。", "Next step: {s}.").format(s=steps[0]),))
    return choose_columns(view, {c.key for c in view.columns} - left_out)


def build_disposition_view(inventory: Inventory, systems: set[str]) -> View:
    """Systems that are declared to end, by their departments, and those that ask to be left out for now."""
    found = [s for s in inventory.systems if s.system_id in systems and (s.disposition in _ENDS or s.deferral_reason)]
    return View(
        name="dispositions",
        title=Text("已定处置与申请暂缓", "Disposition decided or deferral requested"),
        columns=(
            Column("department", Text("部门", "Department")),
            Column("system", Text("系统", "System")),
            Column("disposition", Text("处置方式", "Disposition")),
            Column("replaced_by", Text("替代系统", "Replaced by")),
            Column("cleanup_on", Text("计划完成清理", "Clean-up due")),
            Column("deferral_reason", Text("申请暂缓的理由", "Reason for deferral")),
        ),
        rows=tuple(
            {
                "department": s.department, "system": f"{s.system_id} {s.name or ''}".strip(),
                "disposition": _disposition(s.disposition), "replaced_by": s.replaced_by, "cleanup_on": s.cleanup_on,
                "deferral_reason": s.deferral_reason,
            }
            for s in found
        ),
    )  # fmt: skip


def _disposition(code: str | None) -> Term | None:
    return term(DISPOSITION, code) if code else None
