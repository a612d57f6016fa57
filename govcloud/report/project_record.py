"""Views of one project: its whole record, what it changed, what it costs, what it covers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from govcloud.model.inventory import Project
from govcloud.model.text import Term, Text, same
from govcloud.report.view import Cell, Column, View

Stage = Literal["approved", "contracted", "built", "accepted", "accepted_and_filed"]
STAGE: Mapping[Stage, Text] = {
    "approved": Text("已立项", "approved"), "contracted": Text("建设中", "under contract"),
    "built": Text("建成待验收", "built, not accepted"), "accepted": Text("已验收", "accepted"),
    "accepted_and_filed": Text("已验收备案", "accepted and filed"),
}  # fmt: skip
_STAGES: tuple[tuple[str, Stage], ...] = (
    ("acceptance_filed_on", "accepted_and_filed"), ("acceptance_completed_on", "accepted"),
    ("construction_completed_on", "built"), ("contract_signed_on", "contracted"), ("approved_on", "approved"),
)  # fmt: skip

_SECTIONS: tuple[tuple[Text, Mapping[str, Text]], ...] = (
    (Text("项目", "Project"), {
        "project_id": Text("编号", "Id"), "number": Text("项目编号", "Project number"), "name": Text("项目名称", "Name"),
        "department": Text("项目单位", "Department"), "lead": Text("项目负责人", "Person in charge"),
    }),
    (Text("立项", "Approval"), {
        "planned": Text("列入年度计划", "In the yearly plan"), "data_directory": Text("编制信息资源目录", "Data directory written"),
        "opinion_on": Text("审核意见", "Review opinion"), "approval_body": Text("审批部门", "Approved by"),
        "approved_on": Text("立项批复", "Approved"), "approval_document": Text("批复文号", "Approval document"),
        "government_approved_on": Text("政府批准", "Approved by the government"),
    }),
    (Text("经费", "Money"), {
        "budget_yuan": Text("项目预算（元）", "Budget (yuan)"), "budget_reviewed_on": Text("预算评审", "Budget reviewed"),
        "final_yuan": Text("决算（元）", "Final cost (yuan)"),
        "maintenance_yuan": Text("年运维费（元）", "Maintenance a year (yuan)"),
        "maintenance_reviewed_on": Text("运维费审核", "Maintenance reviewed"),
    }),
    (Text("合同和监理", "Contract and supervision"), {
        "builder": Text("承建单位", "Builder"), "contract_number": Text("合同编号", "Contract number"),
        "contract_signed_on": Text("合同签订", "Contract signed"), "contract_filed_on": Text("合同备案", "Contract filed"),
        "contract_filed_with": Text("合同备案部门", "Contract filed with"), "supervisor": Text("监理单位", "Supervisor"),
        "supervisor_filed_on": Text("监理单位备案", "Supervisor filed"),
    }),
    (Text("建设和验收", "Building and acceptance"), {
        "progress_reported_on": Text("最近进度报告", "Last progress report"),
        "construction_completed_on": Text("建设完成", "Construction completed"),
        "initial_accepted_on": Text("初验", "Initially accepted"),
        "acceptance_applied_on": Text("申请验收", "Acceptance applied for"),
        "acceptance_extended_to": Text("延期验收至", "Acceptance extended to"),
        "acceptance_organiser": Text("验收组织单位", "Acceptance organised by"),
        "acceptance_completed_on": Text("验收", "Accepted"), "acceptance_filed_on": Text("验收报告备案", "Acceptance filed"),
        "in_use_on": Text("投入使用", "In use since"), "self_evaluated_on": Text("自评价", "Self-evaluated"),
        "archives": Text("档号", "Archive numbers"),
    }),
)  # fmt: skip
FIELDS: Mapping[str, Text] = {name: title for _, titles in _SECTIONS for name, title in titles.items()}


def find_stage(project: Project) -> Stage | None:
    """How far the record says that it has come; None where it has no date at all."""
    return next((stage for field, stage in _STAGES if getattr(project, field) is not None), None)


def stage_term(project: Project) -> Term | None:
    stage = find_stage(project)
    return None if stage is None else Term(STAGE[stage].zh, STAGE[stage].en, stage)


def field_text(name: str) -> Text:
    return FIELDS.get(name, same(name))


def build_record_views(
    project: Project, systems: Mapping[str, str | None], networks: Mapping[str, str | None]
) -> tuple[View, ...]:
    """`systems`, `networks`: what the project lists -> its name; None: the inventory has none of that name or id."""
    return (
        _record(project),
        *([_changes(project)] if project.changes else []),
        *([_budget(project)] if project.budget_lines else []),
        _covers(systems, networks),
    )


def _record(project: Project) -> View:
    rows: list[Mapping[str, Cell]] = []
    for section, titles in _SECTIONS:
        for name, title in titles.items():
            value = getattr(project, name)
            # An empty list is what nobody filled in.
            rows.append({"section": section, "field": Term(title.zh, title.en, name), "value": value or None if isinstance(value, tuple) else value})  # fmt: skip
    return View(
        name="project",
        title=Text("项目 {i} {n}", "Project {i} {n}").format(i=project.project_id, n=project.name),
        columns=(
            Column("section", Text("类别", "Part")), Column("field", Text("事项", "What")),
            Column("value", Text("记录", "Record")),
        ),
        rows=tuple(rows),
        notes=(
            Text("各项的出处：govcloud inventory show {i}", "Where each was read: govcloud inventory show {i}").format(
                i=project.project_id
            ),
        ),
        facts={"project_id": project.project_id, "stage": find_stage(project)},
    )  # fmt: skip


def _changes(project: Project) -> View:
    unfiled = sum(change.filed_on is None for change in project.changes)
    note = Text("{n} 项没有备案日期", "{n} without a day of filing").format(n=unfiled)
    return View(
        name="changes",
        title=Text("重大变更", "Material changes"),
        columns=(
            Column("changed_on", Text("日期", "Day")), Column("what", Text("内容", "What")),
            Column("filed_on", Text("备案", "Filed")),
        ),
        rows=tuple({"changed_on": c.changed_on, "what": c.what, "filed_on": c.filed_on} for c in project.changes),
        notes=(note,) if unfiled else (),
    )  # fmt: skip


def _budget(project: Project) -> View:
    total = round(sum(line.yuan for line in project.budget_lines), 2)
    notes = [Text("合计 {n} 元", "Total: {n} yuan").format(n=f"{total:,.2f}")]
    if project.budget_yuan is not None and abs(project.budget_yuan - total) >= 0.01:
        notes.append(
            Text("与项目预算 {n} 元不一致", "The budget is another sum: {n} yuan").format(
                n=f"{project.budget_yuan:,.2f}"
            )
        )
    return View(
        name="budget_lines",
        title=Text("预算明细", "Budget lines"),
        columns=(
            Column("year", Text("年度", "Year")), Column("item", Text("事项", "Item")),
            Column("yuan", Text("金额（元）", "Yuan"), "right"),
        ),
        rows=tuple({"year": line.year, "item": line.item, "yuan": line.yuan} for line in project.budget_lines),
        notes=tuple(notes),
        facts={"total_yuan": total},
    )  # fmt: skip


def _covers(systems: Mapping[str, str | None], networks: Mapping[str, str | None]) -> View:
    kinds: Sequence[tuple[Term, Mapping[str, str | None]]] = (
        (Term("系统", "system", "system"), systems), (Term("网络", "network", "network"), networks),
    )  # fmt: skip
    rows = tuple(
        {"kind": kind, "id": subject_id, "name": name, "known": name is not None}
        for kind, listed in kinds
        for subject_id, name in listed.items()
    )
    unknown = sum(not row["known"] for row in rows)
    note = Text(
        "{n} 个不在清单中：核对名称或补报普查表", "{n} are not in the inventory: check the name, or have them surveyed"
    )
    return View(
        name="covers",
        title=Text("涉及的系统和网络", "Systems and networks that it covers"),
        columns=(
            Column("kind", Text("类型", "Kind")), Column("id", Text("编号或所填名称", "Id, or the name as given")),
            Column("name", Text("名称", "Name")), Column("known", Text("在清单中", "In the inventory")),
        ),
        rows=rows,
        notes=(note.format(n=unknown),) if unknown else (),
        facts={"unknown": unknown},
    )  # fmt: skip
