"""Everything that the papers of a run tell, and the tables that they share. What was done beside what was planned."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from govcloud.model.attempt import Attempt, StepResult
from govcloud.model.gate import Order, OrderKind
from govcloud.model.plan import Move
from govcloud.model.run import MOVED
from govcloud.model.step import StepName
from govcloud.model.text import Term, Text, same
from govcloud.report.document import FormRow
from govcloud.report.plan_words import listed
from govcloud.report.proof_levels import attempts_of, proven_levels
from govcloud.report.run import STATE
from govcloud.report.run_overview import PHASE, RunOverview, SystemStatus
from govcloud.report.run_records import RESULT
from govcloud.report.text import UNKNOWN
from govcloud.report.view import Cell, Column, View
from govcloud.report.wave_facts import Word

_NAMED = 12
"""More systems than this are counted, not named, in a cell of a form."""
SYSTEM = Column("system_id", Text("系统编号", "System"))
NAME = Column("name", Text("系统名称", "Name"))


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPaper:
    shown: RunOverview
    names: Mapping[str, str]
    """System id -> name."""
    departments: Mapping[str, str]
    """Where they are known."""
    planned_min: Mapping[str, Mapping[StepName, int]]
    """System id -> step -> typical minutes for the data that was measured."""
    moves: Mapping[str, Move] = field(default_factory=dict)
    """As the plan of the run has them; empty for a run without a plan."""
    plan_hash: str | None = None
    """Of the plan that the run was registered under."""
    words: tuple[Word, ...] = ()

    @property
    def systems(self) -> tuple[SystemStatus, ...]:
        return self.shown.systems

    @property
    def moved(self) -> tuple[SystemStatus, ...]:
        return tuple(s for s in self.systems if s.row.state in MOVED)

    def limit(self, name: str) -> int | None:
        """A number of the settings as they were at the start of the run."""
        value = self.shown.run.settings.get(name)
        return value if isinstance(value, int) else None

    def orders(self, system_id: str, *kinds: OrderKind) -> tuple[Order, ...]:
        return tuple(o for o in self.shown.orders if o.system_id == system_id and o.kind in kinds)


def downtime_min(status: SystemStatus) -> int | None:
    """Freeze to service, never less than one minute; None before both are known."""
    start, end = status.downtime_from, status.downtime_to
    return max(1, round((end - start).total_seconds() / 60)) if start and end else None


def served_at(status: SystemStatus) -> datetime | None:
    """When the service was last proven through the entrance after the cutover."""
    proofs = attempts_of(status, "verify_service", ok=True)
    return proofs[-1].result.finished_at if proofs and proofs[-1].result else None


def run_form(paper: RunPaper) -> tuple[FormRow, ...]:
    run = paper.shown.run
    systems = [f"{s.row.system_id} {paper.names.get(s.row.system_id, '')}".strip() for s in paper.systems[:_NAMED]]
    more = Text("{s} 等 {n} 个", "{s} and others, {n} in all").format(
        s=listed(map(same, systems)), n=len(paper.systems)
    )
    return (
        FormRow(fields=((Text("系统", "Systems"), systems if len(paper.systems) <= _NAMED else more),)),
        FormRow(fields=((Text("执行编号", "Run"), run.run_id), (Text("批次", "Wave"), UNKNOWN if run.wave is None else str(run.wave)))),
        FormRow(fields=((Text("发起人", "Started by"), run.created_by), (Text("登记时间", "Registered"), run.created_at))),
        FormRow(fields=((Text("迁移计划", "Plan"), run.plan_id or UNKNOWN),)),
        FormRow(fields=((Text("计划指纹 SHA-256", "Plan SHA-256"), paper.plan_hash or UNKNOWN),)),
        FormRow(fields=((Text("范围摘要 SHA-256", "Scope SHA-256"), run.scope_hash),)),
    )  # fmt: skip


def build_outcome_view(paper: RunPaper) -> View:
    """One line a system: where it ended, when it was down, against the plan."""
    rows: list[dict[str, Cell]] = []
    for s in paper.systems:
        move = paper.moves.get(s.row.system_id)
        rows.append(
            {
                "system_id": s.row.system_id, "name": paper.names.get(s.row.system_id), "state": STATE[s.row.state],
                "planned_at": move.starts_at if move else None, "frozen_at": s.downtime_from, "served_at": s.downtime_to,
                "planned_min": _minutes(move.starts_at, move.cutover_ends_at) if move else None, "downtime_min": downtime_min(s),
                "within": _within(s), "level": " ".join(proven_levels(s)) or None,
            }
        )  # fmt: skip
    columns = (
        SYSTEM, NAME,
        Column("state", Text("结果", "Outcome")),
        Column("planned_at", Text("计划冻结", "Planned freeze")),
        Column("frozen_at", Text("实际冻结", "Frozen")),
        Column("served_at", Text("恢复服务", "In service again")),
        Column("planned_min", Text("计划停机（分钟）", "Planned downtime (min)"), "right"),
        Column("downtime_min", Text("实际停机（分钟）", "Actual downtime (min)"), "right"),
        Column("within", Text("在窗口内", "Inside the window")),
        Column("level", Text("已证明级别", "Proven levels")),
    )  # fmt: skip
    return View(name="outcome", title=Text("各系统结果", "Outcome of each system"), columns=columns, rows=tuple(rows))


def _minutes(start: datetime | None, end: datetime | None) -> int | None:
    return round((end - start).total_seconds() / 60) if start and end else None


def _within(status: SystemStatus) -> bool | None:
    row, start, end = status.row, status.downtime_from, status.downtime_to
    if row.opens_at is None or row.closes_at is None or start is None:
        return None
    return row.opens_at <= start and (end is None or end <= row.closes_at)


def build_times_view(paper: RunPaper) -> View:
    """One line for each step of each system: planned and actual minutes, how often it was tried."""
    rows: list[dict[str, Cell]] = []
    for s in paper.systems:
        for step, planned in paper.planned_min.get(s.row.system_id, {}).items():
            made = attempts_of(s, step)
            last = made[-1].result if made else None
            spent = sum(a.result.seconds or 0 for a in made if a.result)
            rows.append(
                {
                    "system_id": s.row.system_id, "step": paper.shown.titles[step], "planned_min": planned,
                    "actual_min": round(spent / 60, 1) if last else None, "attempts": len(made),
                    "started_at": made[0].claimed_at if made else None, "finished_at": last.finished_at if last else None,
                    "result": _step_result(paper, s, made),
                }
            )  # fmt: skip
    columns = (
        SYSTEM,
        Column("step", Text("步骤", "Step")),
        Column("planned_min", Text("计划（分钟）", "Planned (min)"), "right"),
        Column("actual_min", Text("实际（分钟）", "Actual (min)"), "right"),
        Column("attempts", Text("次数", "Attempts"), "right"),
        Column("started_at", Text("开始", "Started")),
        Column("finished_at", Text("结束", "Ended")),
        Column("result", Text("结果", "Result")),
    )
    note = Text("实际用时为各次尝试之和；计划用时按步骤典型用时和实测数据量推算。",
                "Actual: the sum over all attempts. Planned: the length of each step for the data measured.")  # fmt: skip
    return View(name="times", title=Text("计划与实际用时", "Planned and actual times"), columns=columns, rows=tuple(rows), notes=(note,) if rows else ())  # fmt: skip


_NOT_BEGUN = Text("未开始", "not begun")
_FOUND_DONE = Term("核对证实已完成", "found done by a check", "ok")
_TAKEN_AS_DONE = Term("按决定视为完成", "counted as done by decision", "done")


def _step_result(paper: RunPaper, s: SystemStatus, made: Sequence[Attempt]) -> Cell:
    """What the last attempt came to, or what was found or decided about it afterwards."""
    if not made:
        return _NOT_BEGUN
    last = made[-1]
    if last.result is None:
        return RESULT["running"]
    if last.result.status == "ok":
        return RESULT["ok"]
    if any(a.token > last.token for a in attempts_of(s, last.key.step, "verify", ok=True)):
        return _FOUND_DONE
    about = (last.key.step, last.key.phase, last.key.number)
    if any((o.step, o.phase, o.attempt) == about for o in paper.orders(s.row.system_id, "done")):
        return _TAKEN_AS_DONE
    return _said(last.result)


def _said(result: StepResult) -> Term:
    return RESULT["unreachable" if result.unreachable and result.status != "ok" else result.status]


def build_failures_view(paper: RunPaper) -> View:
    """Every attempt that did not succeed, with its reasons and what became of the step."""
    rows: list[dict[str, Cell]] = []
    for s in paper.systems:
        for a in s.attempts:
            if a.result is None or a.result.status == "ok":
                continue
            rows.append(
                {
                    "system_id": s.row.system_id, "step": paper.shown.titles[a.key.step], "phase": PHASE[a.key.phase],
                    "attempt": a.key.number, "at": a.result.finished_at, "result": _said(a.result),
                    "reasons": listed(a.result.reasons, "；", "; ") if a.result.reasons else None,
                    "then": _then(s, a),
                }
            )  # fmt: skip
    columns = (
        SYSTEM,
        Column("step", Text("步骤", "Step")),
        Column("phase", Text("环节", "Phase")),
        Column("attempt", Text("第几次", "Attempt"), "right"),
        Column("at", Text("时间", "At")),
        Column("result", Text("结果", "Result")),
        Column("reasons", Text("原因", "Reason")),
        Column("then", Text("其后", "Afterwards")),
    )
    return View(name="failures", title=Text("未成功的尝试", "Unsuccessful attempts"), columns=columns, rows=tuple(rows))  # fmt: skip


def _then(s: SystemStatus, attempt: Attempt) -> Text:
    key, token = attempt.key, attempt.token
    if any(b.token > token for b in attempts_of(s, key.step, key.phase, ok=True)):
        return Text("重做成功", "a later attempt succeeded")
    if key.phase == "apply" and any(b.token > token for b in attempts_of(s, key.step, "verify", ok=True)):
        return _FOUND_DONE
    return STATE[s.row.state]


def build_emergencies_view(paper: RunPaper) -> View:
    """Gates that two people opened as an emergency, and what the third found."""
    rows = tuple(_emergencies(paper))
    columns = (
        SYSTEM,
        Column("step", Text("环节", "Step approved")),
        Column("people", Text("批准人", "Approved by")),
        Column("used_at", Text("使用时间", "Used at")),
        Column("reason", Text("理由", "Reason")),
        Column("review_due_on", Text("复核期限", "Review due")),
        Column("reviewed_by", Text("复核人", "Reviewed by")),
        Column("reviewed_at", Text("复核时间", "Reviewed at")),
        Column("finding", Text("复核结论", "Finding")),
    )
    return View(
        name="emergencies",
        title=Text("紧急批准及复核", "Emergency approvals and their review"),
        columns=columns,
        rows=rows,
    )


def _emergencies(paper: RunPaper) -> Iterator[dict[str, Cell]]:
    for gate in paper.shown.gates:
        urgent = [a for a in paper.shown.answers.get(gate.gate_id, ()) if a.emergency and a.granted]
        if gate.used_at is None or not any(w.answer in urgent and w.void is None for w in paper.words):
            continue
        used = gate.used_at
        review = next((o for o in paper.orders(gate.system_id, "review") if o.step == gate.step and o.at >= used), None)
        yield {
            "system_id": gate.system_id, "step": paper.shown.titles[gate.step], "people": [a.actor for a in urgent],
            "used_at": used, "reason": next((a.reason for a in urgent if a.reason), None),
            "review_due_on": min((a.review_due_on for a in urgent if a.review_due_on), default=None),
            "reviewed_by": review.actor if review else Text("尚未复核", "not yet reviewed"),
            "reviewed_at": review.at if review else None, "finding": review.reason if review else None,
        }  # fmt: skip
