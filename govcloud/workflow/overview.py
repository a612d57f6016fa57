"""The headline numbers of every activity, for the dashboard's first page."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from govcloud.model.text import Text
from govcloud.report.document import Number, Section
from govcloud.report.overview import (
    build_deadline_number,
    build_estate_numbers,
    build_finding_numbers,
    build_handover_number,
    build_network_number,
    build_plan_numbers,
    build_run_numbers,
)
from govcloud.workflow.check import open_findings
from govcloud.workflow.inventory import read_inventory
from govcloud.workflow.networks import list_remaining
from govcloud.workflow.plan import latest_plan
from govcloud.workflow.projects import list_deadlines
from govcloud.workflow.run_status import list_states
from govcloud.workflow.session import Session
from govcloud.workflow.takeover import list_takeovers


def read_overview(session: Session) -> tuple[Section, ...]:
    """A section an activity; one without content says which command fills it."""
    return tuple(_section(session, *part) for part in _PARTS)


def _section(
    session: Session, section_id: str, title: Text, count: Callable[[Session], Sequence[Number]], missing: Text
) -> Section:
    numbers = tuple(count(session))
    return Section(section_id=section_id, title=title, numbers=numbers, missing=None if numbers else missing)


def _estate(session: Session) -> Sequence[Number]:
    return build_estate_numbers(read_inventory(session))


def _findings(session: Session) -> Sequence[Number]:
    return build_finding_numbers(found) if (found := open_findings(session)) else ()


def _networks(session: Session) -> Sequence[Number]:
    if not read_inventory(session).networks:
        return ()
    return (build_network_number(list_remaining(session).rows),)


def _projects(session: Session) -> Sequence[Number]:
    if not read_inventory(session).projects:
        return ()
    return (build_deadline_number(list_deadlines(session).rows),)


def _plan(session: Session) -> Sequence[Number]:
    plan = latest_plan(session)
    return () if plan is None else build_plan_numbers(plan)


def _runs(session: Session) -> Sequence[Number]:
    runs = list_states(session)
    return build_run_numbers([states for _, states in runs]) if runs else ()


def _takeovers(session: Session) -> Sequence[Number]:
    found = list_takeovers(session)
    return (build_handover_number(len(found), sum(t.status == "operating" for t in found)),) if found else ()


_PARTS = (
    ("estate", Text("资产", "Estate"), _estate, Text("先导入普查表：govcloud import", "Import the census first: govcloud import")),
    ("findings", Text("合规问题", "Findings"), _findings, Text("还没有核对，或没有问题：govcloud check estate", "Not checked yet, or nothing found: govcloud check estate")),
    ("networks", Text("业务专网", "Dedicated networks"), _networks, Text("还没有导入业务专网调查表", "No networks workbook was imported")),
    ("projects", Text("项目期限", "Projects and deadlines"), _projects, Text("还没有导入项目台账", "No register of projects was imported")),
    ("plan", Text("迁移计划", "Migration plan"), _plan, Text("还没有计划：govcloud plan build", "No plan yet: govcloud plan build")),
    ("runs", Text("执行", "Runs"), _runs, Text("还没有执行：govcloud run start", "Nothing was run yet: govcloud run start")),
    ("takeovers", Text("运维接管", "Takeovers"), _takeovers, Text("还没有接管：govcloud takeover start", "No takeover yet: govcloud takeover start")),
)  # fmt: skip
