"""Runs as tables: one line per system and step, with attempts, times, results and evidence digests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from govcloud.model.run import STEPS, Approval, Attempt, Run, StepName
from govcloud.model.text import Text, same
from govcloud.report.view import Cell, Column, View

STATUS: Mapping[str, Text] = {
    "prechecking": Text("迁移前检查", "checking"),
    "waiting_approval": Text("待批准", "waiting for approval"),
    "running": Text("执行中", "running"),
    "needs_person": Text("待人工决定", "needs a person"),
    "done": Text("已完成", "done"),
    "failed": Text("未成功", "failed"),
    "rolled_back": Text("已回退", "rolled back"),
}
RESULT: Mapping[str, Text] = {
    "ok": Text("成功", "ok"),
    "failed": Text("失败", "failed"),
    "unknown": Text("结果不明", "unknown"),
    "skipped": Text("未执行", "skipped"),
    "running": Text("进行中", "running"),
    "waiting": Text("未开始", "not started"),
}
_FACTS: Mapping[str, Text] = {
    "tables": Text("{v} 张表", "{v} tables"),
    "rows": Text("{v} 行", "{v} rows"),
    "files": Text("{v} 个文件", "{v} files"),
    "sent": Text("传送 {v} 个", "{v} sent"),
    "removed": Text("清除目标多余文件 {v} 个", "{v} left-over files removed from the target"),
    "source_bytes": Text("源文件 {v}", "source files {v}"),
    "bytes": Text("文件 {v}", "files {v}"),
    "database_bytes": Text("数据库 {v}", "database {v}"),
    "sessions_closed": Text("断开 {v} 个数据库会话", "{v} database sessions closed"),
    "http_checks": Text("{v} 项服务检查", "{v} service checks"),
    "database_sha256": Text("数据库摘要 {v}", "database digest {v}"),
}
"""What playbooks report, in the order in which a person reads it."""
_DIGEST_CHARS = 16


def build_run_view(
    run: Run, attempts: Sequence[Attempt], titles: Mapping[StepName, Text], approval: Approval | None = None
) -> View:
    """Every attempt of every step, and the steps that have not begun."""
    rows: list[Mapping[str, Cell]] = []
    for system_id in run.systems:
        for step in (*STEPS, "rollback"):
            tried = [a for a in attempts if a.system_id == system_id and a.step == step]
            rows += [_row(a, titles) for a in tried]
            if not tried and step != "rollback" and system_id not in run.outcomes:
                rows.append({"system_id": system_id, "step": step, "title": titles[step], "result": RESULT["waiting"]})
    return View(
        name="run",
        title=Text("迁移执行 {r}：{s}", "Run {r}: {s}").format(r=run.run_id, s=STATUS[run.status]),
        columns=(
            Column("system_id", Text("系统", "System")),
            Column("title", Text("步骤", "Step")),
            Column("attempt", Text("第几次", "Attempt"), "right"),
            Column("result", Text("结果", "Result")),
            Column("started_at", Text("开始", "Started")),
            Column("seconds", Text("用时（秒）", "Seconds"), "right"),
            Column("evidence", Text("证据摘要", "Evidence digest")),
            Column("detail", Text("说明", "Detail")),
        ),
        rows=tuple(rows),
        notes=tuple(_notes(run, approval)),
        facts={
            "run_id": run.run_id,
            "status": run.status,
            "systems": list(run.systems),
            "outcomes": dict(run.outcomes),
            "scope_hash": run.scope_hash,
            "created_by": run.created_by,
            "approved_by": approval.actor if approval and approval.approved else None,
            "attempts": [_fact(a) for a in attempts],
        },
    )


def build_runs_view(runs: Sequence[Run]) -> View:
    """All runs, the newest first."""
    return View(
        name="runs",
        title=Text("迁移执行", "Runs"),
        columns=(
            Column("run_id", Text("编号", "Run")),
            Column("status", Text("状态", "Status")),
            Column("systems", Text("系统", "Systems")),
            Column("created_at", Text("登记时间", "Registered")),
            Column("created_by", Text("发起人", "By")),
        ),
        rows=tuple(
            {
                "run_id": run.run_id, "status": STATUS[run.status], "systems": run.systems,
                "created_at": run.created_at, "created_by": run.created_by,
            }
            for run in runs
        ),
    )  # fmt: skip


def _row(attempt: Attempt, titles: Mapping[StepName, Text]) -> Mapping[str, Cell]:
    result = attempt.result
    reasons = result.reasons if result else ()
    detail = Text("；".join(r.zh for r in reasons), "; ".join(r.en for r in reasons))
    if result and not reasons:
        told = _told(result.facts)
        detail = Text("，".join(t.zh for t in told), ", ".join(t.en for t in told))
    return {
        "system_id": attempt.system_id,
        "title": titles[attempt.step],
        "attempt": attempt.number,
        "result": RESULT[result.status if result else "running"],
        "started_at": result.started_at if result and result.started_at else attempt.claimed_at,
        "seconds": result.seconds if result else None,
        "evidence": result.evidence_sha256[:_DIGEST_CHARS] if result and result.evidence_sha256 else None,
        "detail": detail if detail.en else None,
    }


def _told(facts: Mapping[str, int | str]) -> list[Text]:
    nothing = {key for key in ("removed", "bytes") if facts.get(key) == 0}
    told = [text.format(v=_value(key, facts[key])) for key, text in _FACTS.items() if key in facts.keys() - nothing]
    for key, value in facts.items():
        if key.startswith("sha256 "):
            told.append(
                Text("{p} 摘要 {v}", "{p} digest {v}").format(p=key.removeprefix("sha256 "), v=_value(key, value))
            )
        elif key not in _FACTS:
            told.append(same(f"{key} {_value(key, value)}"))
    return told


def _value(key: str, value: int | str) -> str:
    if isinstance(value, str):
        return value[:_DIGEST_CHARS]
    if not key.endswith("bytes"):
        return str(value)
    for unit, size in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if value >= size:
            return f"{value / size:,.1f} {unit}"
    return f"{value} B"


def _fact(attempt: Attempt) -> dict[str, object]:
    result = attempt.result
    return {
        "system_id": attempt.system_id,
        "step": attempt.step,
        "attempt": attempt.number,
        "status": result.status if result else "running",
        "seconds": result.seconds if result else None,
        "expected": result.expected if result else None,
        "proven": result.proven if result else None,
        "evidence_sha256": result.evidence_sha256 if result else None,
        "facts": dict(result.facts) if result else {},
        "reasons": list(result.reasons) if result else [],
    }


def _notes(run: Run, approval: Approval | None) -> list[Text]:
    notes = [Text("范围摘要 {h}", "Scope {h}").format(h=run.scope_hash[:_DIGEST_CHARS])]
    if approval is not None:
        word = Text("批准", "Approved") if approval.approved else Text("不予批准", "Refused")
        notes.append(Text("{w}：{a} {r}", "{w} by {a} {r}").format(w=word, a=approval.actor, r=approval.reason or ""))
    elif run.status == "waiting_approval":
        notes.append(
            Text(
                "等待另一人批准：govcloud --user 姓名 run approve {r}",
                "Waiting for another person: govcloud --user NAME run approve {r}",
            ).format(r=run.run_id)
        )
    if run.status == "needs_person":
        notes.append(
            Text(
                "需要人工核实后决定：govcloud run decide {r} 步骤 rerun|mark-done|abort，再 govcloud run resume {r}",
                "Look, then decide: govcloud run decide {r} STEP rerun|mark-done|abort, then govcloud run resume {r}",
            ).format(r=run.run_id)
        )
    rolled = [s for s, outcome in run.outcomes.items() if outcome == "rolled_back"]
    if rolled:
        notes.append(
            Text(
                "已回退，源系统恢复服务：{s}。切换期间写入目标的数据未带回，目标副本保留备查。",
                "Rolled back, the source serves again: {s}. What was written to the target meanwhile is not carried "
                "back; the copy is kept.",
            ).format(s=", ".join(rolled))
        )
    return notes
