"""The papers of the estate, filled from the store: each is a Kind, and says what is missing where there is nothing yet."""

from __future__ import annotations

from dataclasses import replace

from govcloud.model.text import Text
from govcloud.report.deadline_document import build_deadline_sections
from govcloud.report.document import Document, Signature
from govcloud.report.estate_document import build_estate_sections
from govcloud.report.network_document import build_network_document
from govcloud.report.request_document import build_request_sections
from govcloud.report.zombie_document import build_zombie_sections
from govcloud.workflow.inventory import read_inventory
from govcloud.workflow.networks import list_remaining
from govcloud.workflow.overlap import list_departments, list_overlaps
from govcloud.workflow.paper_frame import new_document
from govcloud.workflow.paper_kind import Kind, Scope
from govcloud.workflow.papers_findings import build_findings_paper
from govcloud.workflow.papers_ledger import build_audit_paper, build_month_paper
from govcloud.workflow.projects import list_deadlines
from govcloud.workflow.request import latest_requests
from govcloud.workflow.session import Session
from govcloud.workflow.zombies import list_zombies

NO_ESTATE = Text(
    "还没有导入普查表，也没有登录主机核实。运行 govcloud import 普查表.xlsx，再运行 govcloud discover ssh。",
    "No census workbook was imported and no host was looked at. Run govcloud import CENSUS.xlsx, then govcloud discover ssh.",
)
NO_NETWORKS = Text(
    "还没有导入业务专网调查表。运行 govcloud import 业务专网调查表.xlsx。",
    "No networks workbook was imported. Run govcloud import NETWORKS.xlsx.",
)
NO_PROJECTS = Text(
    "还没有导入项目台账。运行 govcloud import 项目台账.xlsx。",
    "No register of projects was imported. Run govcloud import PROJECTS.xlsx.",
)
_NO_REQUESTS = Text(
    "还没有核对过资源申请。运行 govcloud check request 申请文件。",
    "No request was checked yet. Run govcloud check request FILE.",
)


def _estate(session: Session, _scope: Scope) -> Document | Text:
    inventory = read_inventory(session)
    if not inventory.systems:
        return NO_ESTATE
    sections = build_estate_sections(inventory, list_departments(session))
    return new_document(
        session, Text("政务信息系统资产总览", "Overview of the government information systems"), sections
    )


def _networks(session: Session, _scope: Scope) -> Document | Text:
    if not read_inventory(session).networks:
        return NO_NETWORKS
    framed = new_document(session, Text("", ""), ())
    document = build_network_document(
        list_remaining(session), office=framed.office, made_at=framed.made_at, timezone=framed.timezone, made_by=framed.made_by
    )  # fmt: skip
    return replace(document, source=framed.source)


def _zombies(session: Session, scope: Scope) -> Document | Text:
    if not read_inventory(session).systems:
        return NO_ESTATE
    found = list_zombies(session, department=scope.department)
    if not found.verdicts:
        return _no_department(scope)
    overlaps = list_overlaps(session, department=scope.department)
    sections = build_zombie_sections(
        found.verdicts, found.inventory, found.rules, found.coverage, overlaps.found, overlaps.catalog
    )
    parties = (
        Signature(party=Text("业务部门", "Department"), unit=scope.department),
        Signature(party=Text("主管单位", "Authority"), unit=session.workspace.settings.name),
    )
    return new_document(
        session, Text("僵尸系统与整合清单", "Zombie systems and candidates for consolidation"), sections,
        signatures=parties if scope.department else (),
    )  # fmt: skip


def _deadlines(session: Session, scope: Scope) -> Document | Text:
    if not read_inventory(session).projects:
        return NO_PROJECTS
    found = list_deadlines(session, department=scope.department)
    if not found.rows and not found.undated and scope.department:
        return _no_department(scope)
    sections = build_deadline_sections(found.rows, found.office, found.reference, found.undated, found.own, found.as_of)
    return new_document(session, Text("信息化项目法定期限清单", "Statutory deadlines of projects"), sections)


def _requests(session: Session, scope: Scope) -> Document | Text:
    checks = [c for c in latest_requests(session) if scope.department in (None, c[0].request.department)]
    if not checks:
        return _no_department(scope) if scope.department else _NO_REQUESTS
    title = Text("政务云资源申请审核意见登记表", "Register of review opinions on cloud resource requests")
    return new_document(session, title, build_request_sections(checks))


def _no_department(scope: Scope) -> Text:
    return Text(
        "{d}没有这方面的记录。部门名称可用 govcloud inventory departments 查看。",
        "Nothing of this kind is on record for {d}. The names of departments: govcloud inventory departments.",
    ).format(d=scope.department)


ESTATE_KINDS: tuple[Kind, ...] = (
    Kind(kind_id="estate", title=Text("资产总览", "Overview of the estate"), about="estate", build=_estate),
    Kind(kind_id="findings", title=Text("合规问题清单", "Findings"), about="estate", by_department=True, build=build_findings_paper),
    Kind(kind_id="networks", title=Text("业务专网台账", "Dedicated networks"), about="estate", build=_networks),
    Kind(kind_id="requests", title=Text("审核意见登记表", "Review opinions on requests"), about="estate", by_department=True, build=_requests),
    Kind(kind_id="zombies", title=Text("僵尸系统与整合清单", "Zombie systems and consolidation"), about="estate", by_department=True,
         build=_zombies),
    Kind(kind_id="deadlines", title=Text("期限清单", "Deadlines"), about="estate", by_department=True, build=_deadlines),
    Kind(kind_id="month", title=Text("月报", "Monthly progress"), about="month", build=build_month_paper),
    Kind(kind_id="audit", title=Text("审计说明", "Statement for the auditor"), about="estate", build=build_audit_paper),
)  # fmt: skip
