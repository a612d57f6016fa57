"""Monthly progress (月报): what happened in one month by the ledger, what was due, and what comes next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from govcloud.model.deadline import ProjectDeadline
from govcloud.model.inventory import Network
from govcloud.model.plan import Wave
from govcloud.model.regulation import Regulation
from govcloud.model.request import Conclusion
from govcloud.model.run import MOVED, SystemState
from govcloud.model.text import Text
from govcloud.report.document import Number, Section
from govcloud.report.findings import term
from govcloud.report.frame import day_text
from govcloud.report.ledger_kinds import KIND
from govcloud.report.ledger_words_takeover import PARTIES
from govcloud.report.paper_view import choose_columns, drop_empty_columns
from govcloud.report.projects import build_deadlines_view
from govcloud.report.request import CONCLUSION
from govcloud.report.run import STATE
from govcloud.report.view import Column, View

_DEADLINE_COLUMNS = frozenset({"status", "due_on", "name", "department", "act", "done_on"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A check of the estate, by its record."""

    at: datetime
    failed: int
    undetermined: int
    waived: int
    new: int
    resolved: int


@dataclass(slots=True, kw_only=True)
class Month:
    """One month of the ledger, counted while it is read. Days are the office's own."""

    first_on: date
    last_on: date
    names: Mapping[str, str]
    """System id -> name."""
    records: Counter[str] = field(default_factory=Counter)
    """Kind -> how many."""
    first_seq: int | None = None
    last_seq: int | None = None
    facts: Counter[str] = field(default_factory=Counter)
    """`added`, `changed`, `removed`: what imports and discoveries did to the inventory."""
    checks: dict[date, Checked] = field(default_factory=dict)
    """The last one of each day."""
    new: set[str] = field(default_factory=set)
    resolved: set[str] = field(default_factory=set)
    """Findings by id; one that came and went is in both."""
    waived: int = 0
    requests: Counter[Conclusion] = field(default_factory=Counter)
    plans: int = 0
    approvals: Counter[bool] = field(default_factory=Counter)
    """Granted or refused."""
    states: list[tuple[datetime, str, str, SystemState]] = field(default_factory=list)
    """Systems that left a run's way: when, which, in which run, how."""
    signed: list[tuple[datetime, str, str, str]] = field(default_factory=list)
    """Sign-offs of takeovers: when, of which system, for which party, by whom."""


def build_month_sections(
    month: Month, *, deadlines: Sequence[ProjectDeadline], own: Regulation | None, networks: Sequence[Network],
    waves: Sequence[Wave], as_of: date,
) -> tuple[Section, ...]:  # fmt: skip
    """`deadlines`: of all projects; `networks`: closed in the month; `waves`: planned for the month after it."""
    due = [r for r in deadlines if r.duty.due_on and month.first_on <= r.duty.due_on <= month.last_on]
    done = [r for r in deadlines if r.done_on and month.first_on <= r.done_on <= month.last_on]
    coming = [r for r in deadlines if r.status == "due" and r.duty.due_on and r.duty.due_on > month.last_on]
    coming = [r for r in coming if r.duty.due_on and (r.duty.due_on - month.last_on).days <= 31]
    seen = {(r.project_id, r.duty.clause_id, r.record): r for r in (*due, *done)}.values()
    return (
        _overview(month, done, networks, as_of),
        _section("checks", Text("合规核对", "Checks against the regulations"), [build_month_checks_view(month)]),
        _section("moved", Text("迁移执行", "Migrations"), [_moved(month)]),
        _section("networks", Text("业务专网撤并", "Dedicated networks closed"), [_closed(networks)]),
        _section("takeovers", Text("运维接管", "Maintenance takeover"), [_signed(month)]),
        _section("deadlines", Text("本月期限", "Deadlines of the month"), [_deadlines(seen, own, as_of)]),
        _section("next", Text("下月安排", "Next month"), [_waves(waves), _deadlines(coming, own, as_of, coming=True)]),
        _section("ledger", Text("台账记录", "Ledger records"), [_records(month)]),
    )  # fmt: skip


def _section(section_id: str, title: Text, views: Iterable[View | None]) -> Section:
    shown = tuple(view for view in views if view is not None and view.rows)
    nothing = () if shown else (Text("没有记录。", "Nothing on record."),)
    return Section(section_id=section_id, title=title, views=shown, paragraphs=nothing)


def _overview(month: Month, done: Sequence[ProjectDeadline], networks: Sequence[Network], as_of: date) -> Section:
    states = Counter(state for _, _, _, state in month.states)
    moved = {system for _, system, _, state in month.states if state in MOVED}
    failed = states["failed"] + states["needs_person"]
    unit, items = Text("个", ""), Text("项", "")
    open_now = Text("最近一次核对仍有 {n} 项不符合", "open at the last check: {n}")
    last = max(month.checks.values(), key=lambda c: c.at, default=None)
    intro = Text(
        "{f}至{l}，数字取自台账和资产清单。",
        "{f} to {l}. The figures come from the ledger and the inventory.",
    )
    if as_of < month.last_on:
        intro = Text(
            "{f}至{l}，本月尚未结束，统计到{d}；数字取自台账和资产清单。",
            "{f} to {l}; the month is not over, and figures run to {d}. They come from the ledger and the inventory.",
        )
    return Section(
        section_id="overview", title=Text("概况", "Overview"),
        intro=intro.format(f=day_text(month.first_on), l=day_text(month.last_on), d=day_text(as_of)),
        numbers=(
            Number(label=Text("资产新增或变更", "Facts added or changed"), value=month.facts["added"] + month.facts["changed"],
                   unit=items, note=Text("导入 {i} 次，采集 {d} 次", "imports: {i}, discoveries: {d}").format(
                       i=month.records["import"], d=month.records["discover"])),
            Number(label=Text("新发现问题", "New findings"), value=len(month.new), unit=items, tone="warn" if month.new else "plain",
                   note=open_now.format(n=last.failed) if last else Text("本月没有核对", "no check this month")),
            Number(label=Text("已消除问题", "Findings resolved"), value=len(month.resolved), unit=items,
                   note=Text("登记豁免 {n} 项", "waivers registered: {n}").format(n=month.waived)),
            Number(label=Text("审核资源申请", "Requests checked"), value=month.requests.total(), unit=Text("份", ""),
                   note=_conclusions(month.requests)),
            Number(label=Text("完成迁移系统", "Systems migrated"), value=len(moved), unit=unit, tone="bad" if failed else "plain",
                   note=Text("回退 {b} 个，未成功或待决定 {f} 个", "rolled back: {b}; failed or awaiting a decision: {f}").format(
                       b=states["rolled_back"], f=failed)),
            Number(label=Text("撤并业务专网", "Networks closed"), value=len(networks), unit=Text("条", "")),
            Number(label=Text("移交签署", "Takeover sign-offs"), value=len(month.signed), unit=Text("次", ""),
                   note=Text("涉及 {n} 个系统", "systems concerned: {n}").format(n=len({s for _, s, _, _ in month.signed}))),
            Number(label=Text("办结法定事项", "Statutory duties completed"), value=len(done), unit=items),
        ),
    )  # fmt: skip


def _conclusions(requests: Counter[Conclusion]) -> Text | None:
    parts = [Text("{w} {n}", "{n} {w}").format(w=CONCLUSION[code], n=n) for code, n in sorted(requests.items())]
    return Text("，".join(p.zh for p in parts), ", ".join(p.en for p in parts)) if parts else None


def build_month_checks_view(month: Month) -> View:
    """A row a day with a check, the last one of that day."""
    return View(
        name="month_checks",
        title=Text("合规核对", "Checks against the regulations"),
        columns=(
            Column("at", Text("核对时间", "Checked at")),
            Column("failed", Text("不符合", "Findings"), "right"),
            Column("undetermined", Text("不能判定", "Undetermined"), "right"),
            Column("waived", Text("已豁免", "Waived"), "right"),
            Column("new", Text("新增", "New"), "right"),
            Column("resolved", Text("已消除", "Resolved"), "right"),
        ),
        rows=tuple(
            {"at": c.at, "failed": c.failed, "undetermined": c.undetermined, "waived": c.waived, "new": c.new, "resolved": c.resolved}
            for _, c in sorted(month.checks.items())
        ),
    )  # fmt: skip


def _moved(month: Month) -> View:
    return View(
        name="month_moved",
        title=Text("迁移执行", "Migrations"),
        columns=(
            Column("at", Text("时间", "When")),
            Column("system_id", Text("系统", "System")),
            Column("name", Text("名称", "Name")),
            Column("run_id", Text("执行编号", "Run")),
            Column("state", Text("结果", "State")),
        ),
        rows=tuple(
            {"at": at, "system_id": s, "name": month.names.get(s), "run_id": run, "state": STATE[state]}
            for at, s, run, state in sorted(month.states)
        ),
    )


def _closed(networks: Sequence[Network]) -> View:
    return View(
        name="month_networks_closed",
        title=Text("业务专网撤并", "Dedicated networks closed"),
        columns=(
            Column("network_id", Text("编号", "Id")),
            Column("name", Text("名称", "Name")),
            Column("department", Text("部门", "Department")),
            Column("closed_on", Text("完成日期", "Closed on")),
            Column("closure_evidence", Text("完成证据", "Evidence")),
        ),
        rows=tuple(
            {"network_id": n.network_id, "name": n.name, "department": n.department, "closed_on": n.closed_on,
             "closure_evidence": n.closure_evidence}
            for n in networks
        ),
    )  # fmt: skip


def _signed(month: Month) -> View:
    return View(
        name="month_signed",
        title=Text("运维接管", "Maintenance takeover"),
        columns=(
            Column("at", Text("时间", "When")),
            Column("system_id", Text("系统", "System")),
            Column("name", Text("名称", "Name")),
            Column("role", Text("签署方", "Party")),
            Column("actor", Text("签署人", "Signed by")),
        ),
        rows=tuple(
            {"at": at, "system_id": s, "name": month.names.get(s), "role": term(PARTIES, role), "actor": actor}
            for at, s, role, actor in sorted(month.signed)
        ),
    )


def _deadlines(
    rows: Iterable[ProjectDeadline], own: Regulation | None, as_of: date, *, coming: bool = False
) -> View | None:
    found = list(rows)
    if own is None or not found:
        return None
    view = build_deadlines_view(found, own, as_of)
    title = Text("下月到期事项", "Due next month") if coming else Text("本月期限", "Deadlines of the month")
    return replace(
        drop_empty_columns(choose_columns(view, _DEADLINE_COLUMNS)),
        name="month_coming" if coming else "month_deadlines",
        title=title,
        facts={},
    )


def _waves(waves: Sequence[Wave]) -> View:
    return View(
        name="month_waves",
        title=Text("计划批次", "Planned waves"),
        columns=(
            Column("number", Text("批次", "Wave"), "right"),
            Column("starts_at", Text("窗口开始", "Window opens")),
            Column("ends_at", Text("窗口结束", "Window closes")),
            Column("systems", Text("系统", "Systems")),
        ),
        rows=tuple(
            {"number": w.number, "starts_at": w.window.starts_at, "ends_at": w.window.ends_at,
             "systems": [m.system_id for m in w.moves]}
            for w in waves
        ),
    )  # fmt: skip


def _records(month: Month) -> View:
    """How many records of each kind, so that the paper can be compared with the ledger."""
    note = Text("台账记录第 {a} 号至第 {b} 号。", "Ledger records no. {a} to no. {b}.").format(
        a=month.first_seq, b=month.last_seq
    )
    return View(
        name="month_records",
        title=Text("台账记录", "Ledger records"),
        columns=(Column("kind", Text("类别", "Kind")), Column("records", Text("条数", "Records"), "right")),
        rows=tuple({"kind": term(KIND, kind), "records": n} for kind, n in sorted(month.records.items())),
        notes=(note,) if month.records else (),
    )
