"""The headline numbers of every activity, and three pictures of the whole, for the dashboard's first page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from govcloud.model.handover import TakeoverState
from govcloud.model.run import ENDED, MOVED, SystemState
from govcloud.model.text import Text
from govcloud.report.document import Number, Section
from govcloud.report.overview import (
    build_counted_estate,
    build_counted_findings,
    build_deadline_number,
    build_handover_number,
    build_ledger_size,
    build_network_number,
    build_plan_numbers,
    build_run_numbers,
    newest_states,
    planned_systems,
)
from govcloud.report.overview_bars import Bars, build_finding_bars, build_hosting_bars, build_road_bars
from govcloud.store import ledger as ledger_store
from govcloud.store.heads import SystemHead
from govcloud.workflow.kept import kept
from govcloud.workflow.lists import count_estate, count_findings, count_kind, finding_heads, system_heads
from govcloud.workflow.network_story import kept_networks
from govcloud.workflow.projects import list_deadlines
from govcloud.workflow.run_status import list_states
from govcloud.workflow.session import Session
from govcloud.workflow.system_story import newest_plan
from govcloud.workflow.takeover import list_takeovers


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    sections: tuple[Section, ...]
    charts: tuple[Bars, ...]
    """Those with something to show."""
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
    road = kept(session, "overview road", _road, kinds=_ROAD_KINDS, patient=True)
    charts = (build_finding_bars(count_findings(session)), build_hosting_bars(_hosting(session)), road.value)
    return Overview(
        sections=(*sections, Section(section_id="ledger", title=Text("台账", "Ledger"), numbers=(_ledger(session),))),
        charts=tuple(bars for bars in charts if bars.total),
        records=min(road.records, *(numbers.records for _, _, numbers, _ in found)),
    )  # fmt: skip


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
    return (build_network_number(kept_networks(session)),)


def _projects(session: Session) -> Sequence[Number]:
    if not count_kind(session, "project"):
        return ()
    return (build_deadline_number(list_deadlines(session).rows),)


def _plan(session: Session) -> Sequence[Number]:
    plan = newest_plan(session)
    return () if plan is None else build_plan_numbers(plan)


def _runs(session: Session) -> Sequence[Number]:
    runs = list_states(session)
    return build_run_numbers([states for _, states in runs]) if runs else ()


def _takeovers(session: Session) -> Sequence[Number]:
    states = list(_standings(session).values())
    signed = states.count("operating")
    return (build_handover_number(signed + sum(s in TAKING for s in states), signed),) if states else ()


def _standings(session: Session) -> Mapping[str, TakeoverState]:
    """System id -> the state of its newest takeover."""
    return {t.handover.system_id: t.status for t in list_takeovers(session)}


def _ledger(session: Session) -> Number:
    with session.store.read() as tx:
        signed = ledger_store.last_checkpoint(tx)
        return build_ledger_size(ledger_store.size(tx), signed.size if signed else 0)


def _hosting(session: Session) -> Mapping[str, int]:
    counts: Mapping[str, int] = system_heads(session).answer(
        "hosting", lambda every: Counter(h.hosting or "unknown" for h in every)
    )
    return counts


TAKING: frozenset[TakeoverState] = frozenset({"papers", "knowledge_transfer", "dual_run", "confirmed"})
"""Begun and not signed."""
_ROAD_KINDS = ("plan", "run", "run_state", "order", "handover", "signoff")


def _road(session: Session) -> Bars:
    plan = newest_plan(session)
    planned = planned_systems(plan) if plan else frozenset()
    ran = newest_states([states for _, states in list_states(session)])
    taken = _standings(session)
    return build_road_bars(Counter(
        "signed" if (state := taken.get(h.system_id)) == "operating" else "taking" if state in TAKING
        else _before(h, ran, planned)
        for h in system_heads(session).all
    ))  # fmt: skip


def _before(head: SystemHead, ran: Mapping[str, SystemState], planned: Collection[str]) -> str:
    """The place on the road of a system that nobody has begun to take over."""
    if head.lifecycle == "stopped":
        return "stopped"
    state = ran.get(head.system_id)
    if head.hosting == "gov_cloud" or state in MOVED:
        return "on_cloud"
    if state is not None and state not in ENDED:
        return "moving"
    return "planned" if head.system_id in planned else "open"


_Part = tuple[str, Text, Callable[[Session], Sequence[Number]], Collection[str], Text]
_PARTS: tuple[_Part, ...] = (
    ("estate", Text("资产", "Estate"), _estate, (), Text("先导入普查表：govcloud import", "Import the census first: govcloud import")),
    ("findings", Text("合规问题", "Findings"), _findings, ("check", "waiver"), Text("还没有核对，或没有问题：govcloud check estate", "Not checked yet, or nothing found: govcloud check estate")),
    ("networks", Text("业务专网", "Dedicated networks"), _networks, ("plan", "waiver"), Text("还没有导入业务专网调查表：govcloud import", "No networks workbook was imported: govcloud import")),
    ("projects", Text("项目期限", "Projects and deadlines"), _projects, (), Text("还没有导入项目台账：govcloud import", "No register of projects was imported: govcloud import")),
    ("plan", Text("迁移计划", "Migration plan"), _plan, ("plan",), Text("还没有计划：govcloud plan build", "No plan yet: govcloud plan build")),
    ("runs", Text("执行", "Runs"), _runs, ("run", "run_state", "order"), Text("还没有执行：govcloud run start", "Nothing was run yet: govcloud run start")),
    ("takeovers", Text("运维接管", "Takeovers"), _takeovers, ("handover", "signoff"), Text("还没有接管：govcloud takeover start", "No takeover yet: govcloud takeover start")),
)  # fmt: skip
