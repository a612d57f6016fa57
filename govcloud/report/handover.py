"""Views of maintenance takeovers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from govcloud.model.handover import Checklist, Evidence, Handover, HandoverStatus, LoginAttempt, Role, SignOff
from govcloud.model.text import Text
from govcloud.report.view import Cell, Column, View

STATUSES: dict[HandoverStatus, Text] = {
    "preparing": Text("准备中", "preparing"),
    "documents": Text("移交资料", "handing over papers"),
    "credentials": Text("更换密钥", "changing keys"),
    "dual_run": Text("双轨运行", "dual run"),
    "ready": Text("待签字", "ready to sign"),
    "signed": Text("已接管", "taken over"),
}
_ROLES: dict[Role, Text] = {"owner": Text("业主单位", "owner"), "builder": Text("项目建设单位", "builder")}
_SHOWN_DIGEST = 12


def build_list_view(rows: Sequence[tuple[Handover, HandoverStatus, int]]) -> View:
    """Takeover, status, number of open required items."""
    return View(
        name="handovers",
        title=Text("运维接管", "Maintenance takeovers"),
        columns=(
            Column("handover_id", Text("接管", "Takeover")),
            Column("system_id", Text("系统", "System")),
            Column("builder", Text("接管单位", "Taken over by")),
            Column("status", Text("状态", "Status")),
            Column("open", Text("未完成", "Open"), "right"),
            Column("hosts", Text("主机", "Hosts")),
            Column("started_at", Text("开始", "Started")),
        ),
        rows=tuple(
            {
                "handover_id": h.handover_id, "system_id": h.system_id, "builder": h.builder,
                "status": STATUSES[status], "open": count, "hosts": h.hosts, "started_at": h.started_at,
            }
            for h, status, count in rows
        ),
        facts={"statuses": {h.handover_id: status for h, status, _ in rows}},
    )  # fmt: skip


def build_checklist_view(
    handover: Handover, checklist: Checklist, done: Mapping[str, Evidence | bool], status: HandoverStatus
) -> View:
    """`done`: item id -> its evidence in force, or True for an item that the rotation proves."""
    rows: list[dict[str, Cell]] = []
    for group in checklist.groups:
        for item in group.items:
            given = done.get(item.item_id)
            rows.append(
                {
                    "group": group.title, "item_id": item.item_id, "title": item.title,
                    "required": item.required and (group.group_id != "dual_run" or handover.dual_run_until is not None),
                    "done": bool(given), "clauses": item.clauses,
                    "evidence": _evidence(given) if isinstance(given, Evidence) else None,
                    "actor": given.actor if isinstance(given, Evidence) else None,
                }
            )  # fmt: skip
    return View(
        name="checklist",
        title=Text("{s} 接管清单（{h}）", "{s}: takeover checklist ({h})").format(
            s=handover.system_id, h=handover.handover_id
        ),
        columns=(
            Column("group", Text("类别", "Group")),
            Column("item_id", Text("编号", "Item")),
            Column("title", Text("内容", "What")),
            Column("required", Text("必需", "Required")),
            Column("done", Text("完成", "Done")),
            Column("evidence", Text("证据", "Evidence")),
            Column("actor", Text("提交人", "Given by")),
            Column("clauses", Text("条款", "Clauses")),
        ),
        rows=tuple(rows),
        notes=(
            Text("状态：{s}；接管单位：{b}；主机：{h}", "Status: {s}; taken over by {b}; hosts: {h}").format(
                s=STATUSES[status], b=handover.builder, h=", ".join(handover.hosts)
            ),
            *(
                Text("{actor} 退回 {items}：{why}", "{actor} sent back {items}: {why}").format(
                    actor=r.actor, items=", ".join(r.items), why=r.reason
                )
                for r in handover.refusals
            ),
        ),
        facts={"handover_id": handover.handover_id, "system_id": handover.system_id, "status": status},
    )


def _evidence(given: Evidence) -> Text | str:
    if given.not_applicable:
        return Text("不适用：{why}", "does not apply: {why}").format(why=given.note or "")
    if given.file_name and given.sha256:
        return f"{given.file_name} ({given.sha256[:_SHOWN_DIGEST]})" + (f" {given.note}" if given.note else "")
    return given.note or ""


def build_access_view(handover: Handover) -> View:
    """Every login that was tried, with the server's own answer."""
    rows: list[dict[str, Cell]] = []
    for rotation in handover.rotations:
        for host in rotation.hosts:
            old, new = host.old_login, host.new_login
            rows.append(_access(rotation.at, host.host, Text("换钥", "change of keys"), host.ok, host.detail))
            rows += [_login(a, Text("旧钥登录", "login with the old key"), want=host.restored) for a in (old,) if a]
            rows += [_login(a, Text("对方密钥登录", "login with the builder's key"), want=True) for a in (new,) if a]
    fingerprints = {a.fingerprint for r in handover.rotations for h in r.hosts for a in (h.old_login,) if a}
    for attempt in handover.checks:
        old_key = attempt.fingerprint in fingerprints
        what = (
            Text("复查：旧钥登录", "check: old key") if old_key else Text("复查：对方密钥登录", "check: builder's key")
        )
        rows.append(_login(attempt, what, want=not old_key))
    return View(
        name="access",
        title=Text("访问权变更", "Change of access"),
        columns=(
            Column("at", Text("时间", "Time")),
            Column("host", Text("主机", "Host")),
            Column("what", Text("事项", "What")),
            Column("ok", Text("符合", "As it should be")),
            Column("answer", Text("结果", "Answer")),
            Column("fingerprint", Text("密钥指纹", "Key fingerprint")),
        ),
        rows=tuple(rows),
    )


def _access(at: datetime, host: str, what: Text, ok: bool, answer: Text) -> dict[str, Cell]:
    return {"at": at, "host": host, "what": what, "ok": ok, "answer": answer}


def _login(attempt: LoginAttempt, what: Text, *, want: bool) -> dict[str, Cell]:
    outcome = {True: Text("已登录", "accepted"), False: Text("被拒绝", "refused"), None: Text("无结论", "no answer")}[
        attempt.accepted
    ]
    answer = outcome if attempt.accepted else Text("{o}（{a}）", "{o} ({a})").format(o=outcome, a=attempt.answer)
    row = _access(attempt.at, attempt.host, what, attempt.accepted is want, answer)
    return {**row, "fingerprint": attempt.fingerprint}


def build_sign_view(handover: Handover, valid: Mapping[Role, SignOff]) -> View:
    """All sign-offs; `valid` are those for what is there now."""
    return View(
        name="sign_offs",
        title=Text("签字", "Sign-offs"),
        columns=(
            Column("role", Text("一方", "Party")),
            Column("actor", Text("签字人", "Signed by")),
            Column("at", Text("时间", "Time")),
            Column("valid", Text("有效", "In force")),
            Column("package_sha256", Text("所签内容摘要", "Digest of what was signed")),
        ),
        rows=tuple(
            {
                "role": _ROLES[s.role], "actor": s.actor, "at": s.at, "valid": valid.get(s.role) == s,
                "package_sha256": s.package_sha256,
            }
            for s in handover.sign_offs
        ),
        notes=tuple(
            Text("{r}尚未签字", "The {r} has not signed yet").format(r=text) for role, text in _ROLES.items() if role not in valid
        ),
    )  # fmt: skip
