"""The headline numbers of every activity, for the dashboard's first page."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from govcloud.model.text import Text
from govcloud.report.document import Number, Section
from govcloud.report.overview import (
    build_counted_estate,
    build_counted_findings,
    build_deadline_number,
    build_handover_number,
    build_network_number,
    build_plan_numbers,
    build_run_numbers,
)
from govcloud.workflow.kept import kept
from govcloud.workflow.lists import count_estate, count_findings, count_kind, finding_heads
from govcloud.workflow.networks import list_remaining
from govcloud.workflow.plan import latest_plan
from govcloud.workflow.projects import list_deadlines
from govcloud.workflow.run_status import list_states
from govcloud.workflow.session import Session
from govcloud.workflow.takeover import list_takeovers


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    sections: tuple[Section, ...]
    records: int
    """So many ledger records the oldest of the numbers knows."""


def read_overview(session: Session) -> Overview:
    """A section an activity; one without content says which command fills it. Numbers are kept until what they count changes."""
    found = [
        (section_id, title, kept(session, f"overview {section_id}", count, kinds=kinds, patient=True), missing)
        for section_id, title, count, kinds, missing in _PARTS
    ]
    sections = tuple(
        Section(section_id=i, title=title, numbers=tuple(numbers.value), missing=None if numbers.value else missing)
        for i, title, numbers, missing in found
    )
    return Overview(sections=sections, records=min(numbers.records for _, _, numbers, _ in found))


def _estate(session: Session) -> Sequence[Number]:
    return build_counted_estate(**count_estate(session))


def _findings(session: Session) -> Sequence[Number]:
    every = finding_heads(session).all
    if not every:
        return ()
    failing = list(count_findings(session).values())
    return build_counted_findings(
        failed=sum(sum(of.values()) for of in failing), high=sum(of.get("high", 0) for of in failing),
        unknown=sum(h.verdict == "undetermined" and h.standing == "binding" for h in every),
    )  # fmt: skip


def _networks(session: Session) -> Sequence[Number]:
    if not count_kind(session, "network"):
        return ()
    return (build_network_number(list_remaining(session).rows),)


def _projects(session: Session) -> Sequence[Number]:
    if not count_kind(session, "project"):
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


_Part = tuple[str, Text, Callable[[Session], Sequence[Number]], Collection[str], Text]
_PARTS: tuple[_Part, ...] = (
    ("estate", Text("资产", "Estate"), _estate, (), Text("先导入普查表：govcloud import", "Import the census first: govcloud import")),
    ("findings", Text("合规问题", "Findings"), _findings, ("check", "waiver"), Text("还没有核对，或没有问题：govcloud check estate", "Not checked yet, or nothing found: govcloud check estate")),
    ("networks", Text("业务专网", "Dedicated networks"), _networks, ("plan", "waiver"), Text("还没有导入业务专网调查表", "No networks workbook was imported")),
    ("projects", Text("项目期限", "Projects and deadlines"), _projects, (), Text("还没有导入项目台账", "No register of projects was imported")),
    ("plan", Text("迁移计划", "Migration plan"), _plan, ("plan",), Text("还没有计划：govcloud plan build", "No plan yet: govcloud plan build")),
    ("runs", Text("执行", "Runs"), _runs, ("run", "run_state", "order"), Text("还没有执行：govcloud run start", "Nothing was run yet: govcloud run start")),
    ("takeovers", Text("运维接管", "Takeovers"), _takeovers, ("handover", "signoff"), Text("还没有接管：govcloud takeover start", "No takeover yet: govcloud takeover start")),
)  # fmt: skip
