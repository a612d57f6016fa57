"""What happened in a run, line by line: attempts, approvals, orders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from govcloud.model.account import ACCOUNT_ROLE_NAMES
from govcloud.model.attempt import Attempt, StepResult
from govcloud.model.gate import Answer, Order
from govcloud.model.resource import RESOURCE_NAMES, Resource
from govcloud.model.step import StepName
from govcloud.model.text import Term, Text, same
from govcloud.report.run_facts import DIGEST_CHARS, told
from govcloud.report.run_overview import PHASE, RunOverview
from govcloud.report.view import Cell, Column, View

RESULT: Mapping[str, Term] = {
    "ok": Term("成功", "ok", "ok"),
    "failed": Term("失败", "failed", "failed"),
    "unknown": Term("结果不明", "unknown", "unknown"),
    "stopped": Term("已中止", "stopped", "stopped"),
    "unreachable": Term("主机无应答", "unreachable", "unreachable"),
    "running": Term("进行中", "running", "running"),
}
ORDER: Mapping[str, Term] = {
    "hold": Term("暂停", "hold", "hold"),
    "resume": Term("继续", "resume", "resume"),
    "cancel": Term("取消", "cancel", "cancel"),
    "rollback": Term("回退", "roll back", "rollback"),
    "accept": Term("验收", "accept", "accept"),
    "switch_off": Term("停用源", "switch off", "switch_off"),
    "rerun": Term("重做", "rerun", "rerun"),
    "done": Term("视为完成", "take as done", "done"),
    "abort": Term("放弃", "abort", "abort"),
    "review": Term("复核", "review", "review"),
}


def build_attempts_view(shown: RunOverview) -> View:
    """Every attempt, system by system, in the order of their claims."""
    return View(
        name="attempts",
        title=Text("各次尝试", "Attempts"),
        columns=(
            Column("system_id", Text("系统", "System")),
            Column("title", Text("步骤", "Step")),
            Column("phase", Text("环节", "Phase")),
            Column("attempt", Text("第几次", "Attempt"), "right"),
            Column("result", Text("结果", "Result")),
            Column("started_at", Text("开始", "Started")),
            Column("seconds", Text("用时（秒）", "Seconds"), "right"),
            Column("evidence", Text("证据摘要", "Evidence digest")),
            Column("detail", Text("说明", "Detail")),
        ),
        rows=tuple(_attempt_row(a, shown.titles) for s in shown.systems for a in s.attempts),
        facts={"attempts": [_attempt_fact(a) for s in shown.systems for a in s.attempts]},
    )


def build_approvals_view(shown: RunOverview) -> View:
    """One line for each word that was given, with all systems that it was given for."""
    gates = {g.gate_id: g for g in shown.gates}
    due = {(a.gate_id, a.actor) for a in shown.due_reviews}
    words: dict[tuple[object, ...], list[Answer]] = {}
    for gate_id, answers in shown.answers.items():
        for a in answers:
            if gate_id in gates:
                words.setdefault((gates[gate_id].step, a.actor, a.at, a.granted, a.emergency), []).append(a)
    rows: list[Mapping[str, Cell]] = []
    for given in sorted(words.values(), key=lambda g: g[0].at):
        first = given[0]
        used = sum(gates[a.gate_id].used_at is not None for a in given)
        rows.append({
            "systems": sorted(gates[a.gate_id].system_id for a in given), "title": shown.titles[gates[first.gate_id].step],
            "answer": _answer_word(first), "actor": first.actor, "unit": first.unit or None, "role": _role(first.role),
            "at": first.at, "expires_at": first.expires_at if first.granted else None,
            "used": f"{used}/{len(given)}" if first.granted else None,
            "review_due_on": first.review_due_on if any((a.gate_id, a.actor) in due for a in given) else None,
            "reason": first.reason,
        })  # fmt: skip
    return View(
        name="approvals",
        title=Text("批准", "Approvals"),
        columns=(
            Column("systems", Text("系统", "Systems")),
            Column("title", Text("步骤", "Step")),
            Column("answer", Text("答复", "Answer")),
            Column("actor", Text("何人", "By")),
            Column("unit", Text("单位", "Unit")),
            Column("role", Text("角色", "Role")),
            Column("at", Text("时间", "At")),
            Column("expires_at", Text("有效至", "Valid until")),
            Column("used", Text("已使用", "Used"), "right"),
            Column("review_due_on", Text("复核期限", "Review due")),
            Column("reason", Text("理由", "Reason")),
        ),
        rows=tuple(rows),
    )


def build_orders_view(shown: RunOverview) -> View:
    return View(
        name="orders",
        title=Text("命令和决定", "Orders and decisions"),
        columns=(
            Column("number", Text("序号", "No."), "right"),
            Column("system_id", Text("系统", "System")),
            Column("order", Text("命令", "Order")),
            Column("about", Text("针对", "About")),
            Column("actor", Text("何人", "By")),
            Column("unit", Text("单位", "Unit")),
            Column("role", Text("角色", "Role")),
            Column("at", Text("时间", "At")),
            Column("reason", Text("理由", "Reason")),
        ),
        rows=tuple(
            {
                "number": o.number, "system_id": o.system_id, "order": ORDER[o.kind],
                "about": _about(o, shown.titles), "actor": o.actor, "unit": o.unit or None, "role": _role(o.role), "at": o.at,
                "reason": o.reason,
            }
            for o in shown.orders
        ),
    )  # fmt: skip


def _about(order: Order, titles: Mapping[StepName, Text]) -> Text | None:
    if order.step is None:
        return None
    title = titles[order.step]
    if order.phase is None:
        return title
    return Text("{t}，{p}第 {n} 次", "{t}, {p} #{n}").format(t=title, p=PHASE[order.phase], n=order.attempt)


def _role(role: str | None) -> Text | None:
    found = next((name for code, name in ACCOUNT_ROLE_NAMES.items() if code == role), None)
    return Term(found.zh, found.en, role or "") if found else same(role) if role else None


def _attempt_row(attempt: Attempt, titles: Mapping[StepName, Text]) -> Mapping[str, Cell]:
    result, key = attempt.result, attempt.key
    detail = _detail(result) if result else None
    return {
        "system_id": key.system_id,
        "title": titles[key.step],
        "phase": PHASE[key.phase],
        "attempt": key.number,
        "result": RESULT[_word(result) if result else "running"],
        "started_at": result.started_at if result and result.started_at else attempt.claimed_at,
        "seconds": result.seconds if result else None,
        "evidence": result.evidence_sha256[:DIGEST_CHARS] if result and result.evidence_sha256 else None,
        "detail": detail,
    }


def _detail(result: StepResult) -> Text | None:
    """Why it is not ok, or what it counted."""
    said = list(result.reasons) or told(result.facts)
    if not said:
        return None
    if result.reasons:
        return Text("；".join(t.zh for t in said), "; ".join(t.en for t in said))
    return Text("，".join(t.zh for t in said), ", ".join(t.en for t in said))


def _word(result: StepResult) -> str:
    return "unreachable" if result.unreachable and result.status != "ok" else result.status


def _answer_word(answer: Answer) -> Term:
    if not answer.granted:
        return Term("不予批准", "refused", "refused")
    return Term("紧急批准", "emergency", "emergency") if answer.emergency else Term("批准", "approved", "approved")


def _attempt_fact(attempt: Attempt) -> dict[str, object]:
    result, key = attempt.result, attempt.key
    return {
        "system_id": key.system_id, "step": key.step, "phase": key.phase, "attempt": key.number, "token": attempt.token,
        "executor": attempt.executor, "status": result.status if result else "running",
        "unreachable": result.unreachable if result else False, "seconds": result.seconds if result else None,
        "expected": result.expected if result else None, "proven": result.proven if result else None,
        "evidence_sha256": result.evidence_sha256 if result else None, "facts": dict(result.facts) if result else {},
        "reasons": list(result.reasons) if result else [],
    }  # fmt: skip


def build_results_view(results: Mapping[str, StepResult]) -> View:
    """What single attempts came to, by system."""
    return View(
        name="results",
        title=Text("结果", "Results"),
        columns=(
            Column("system_id", Text("系统", "System")),
            Column("result", Text("结果", "Result")),
            Column("detail", Text("说明", "Detail")),
        ),
        rows=tuple(
            {"system_id": system_id, "result": RESULT[_word(result)], "detail": _detail(result)}
            for system_id, result in results.items()
        ),
    )


def build_resources_view(resources: Sequence[Resource]) -> View:
    """What a run made in clouds."""
    return View(
        name="resources",
        title=Text("云上资源", "Resources in clouds"),
        columns=(
            Column("system_id", Text("系统", "System")),
            Column("machine", Text("机器", "Machine")),
            Column("kind", Text("种类", "Kind")),
            Column("cloud", Text("云", "Cloud")),
            Column("name", Text("名称", "Name")),
            Column("external_id", Text("编号", "Id")),
            Column("address", Text("地址", "Address")),
            Column("created_at", Text("创建", "Made")),
            Column("deleted_at", Text("删除", "Deleted")),
        ),
        rows=tuple(
            {
                "system_id": r.system_id, "machine": r.machine, "kind": Term(RESOURCE_NAMES[r.kind].zh, RESOURCE_NAMES[r.kind].en, r.kind), "cloud": r.cloud or r.driver, "name": r.name,
                "external_id": r.external_id, "address": r.address, "created_at": r.created_at, "deleted_at": r.deleted_at,
            }
            for r in resources
        ),
    )  # fmt: skip
