"""Views of maintenance takeovers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import get_args

from govcloud.model.account import ACCOUNT_ROLE_NAMES
from govcloud.model.handover import (
    ITEM_STATE_NAMES,
    LEVEL_NAMES,
    ORIGIN_NAMES,
    PARTIES,
    STATE_NAMES,
    Checklist,
    DataItem,
    Handover,
    LoginAttempt,
    Progress,
    Role,
    SignOff,
    Standing,
    SystemTakeover,
    TakeoverState,
    Todo,
)
from govcloud.model.text import Term, Text
from govcloud.report.view import Cell, Column, View

_SHOWN_DIGEST = 12
SOON = timedelta(days=90)
"""What ends within it is pointed out: a new contract takes an office about so long. Ours, no rule."""


def _words(text: Text) -> tuple[str, str]:
    return text.zh, text.en


def _state(state: TakeoverState) -> Term:
    return Term(*_words(STATE_NAMES[state]), state)


def build_systems_view(systems: Sequence[SystemTakeover]) -> View:
    """Every system with the state of its takeover."""
    return View(
        name="takeovers",
        title=Text("各系统运维接管", "Takeover of maintenance by system"),
        columns=(
            Column("system_id", Text("系统", "System")),
            Column("name", Text("名称", "Name")),
            Column("department", Text("部门", "Department")),
            Column("state", Text("状态", "State")),
            Column("level", Text("等级", "Level")),
            Column("builder", Text("接管单位", "Taken over by")),
            Column("until", Text("计划完成", "Planned until")),
            Column("overdue", Text("逾期", "Overdue")),
            Column("handover_id", Text("接管", "Takeover")),
            Column("reason", Text("理由", "Reason")),
        ),
        rows=tuple(_system(s) for s in systems),
        notes=(
            Text("共 {n} 个系统，逾期 {late} 个", "{n} systems, {late} overdue").format(
                n=len(systems), late=sum(s.overdue for s in systems)
            ),
        ),
    )


def _system(s: SystemTakeover) -> dict[str, Cell]:
    h = s.handover
    known = h is not None and s.state != "to_assess"
    paused = s.state in ("deferred", "not_applicable")
    return {
        "system_id": s.system_id, "name": s.name, "department": s.department, "state": _state(s.state),
        "level": Term(*_words(LEVEL_NAMES[h.level]), h.level) if h and known and not paused else None,
        "builder": (h.builder or None) if h else None, "until": s.until, "overdue": s.overdue,
        "handover_id": h.handover_id if h else None,
        "reason": h.decisions[-1].reason if h and paused else None,
    }  # fmt: skip


def build_progress_view(rows: Sequence[Progress]) -> View:
    """By department: systems in each state, share that is operating, overdue."""
    states: tuple[TakeoverState, ...] = get_args(TakeoverState)
    return View(
        name="takeover_progress",
        title=Text("运维接管进度", "Progress of takeovers"),
        columns=(
            Column("department", Text("部门", "Department")),
            Column("systems", Text("系统", "Systems"), "right"),
            *(Column(state, STATE_NAMES[state], "right") for state in states),
            Column("done_pct", Text("已接管（%）", "Taken over (%)"), "right"),
            Column("overdue", Text("逾期", "Overdue"), "right"),
        ),
        rows=tuple(
            {
                "department": Text("合计", "all") if r.department == "" else r.department, "systems": r.systems,
                **{state: r.states.get(state, 0) for state in states}, "done_pct": r.done_pct, "overdue": r.overdue,
            }
            for r in rows
        ),
        notes=(
            Text(
                "已接管：状态为“运行”的系统，占除“不适用”以外的系统。",
                "Taken over: systems at “operating”, of all but those that are not applicable.",
            ),
        ),
    )  # fmt: skip


def build_list_view(rows: Sequence[tuple[Handover, TakeoverState, int]]) -> View:
    """Takeover, state, number of open required items."""
    return View(
        name="handovers",
        title=Text("运维接管", "Maintenance takeovers"),
        columns=(
            Column("handover_id", Text("接管", "Takeover")),
            Column("system_id", Text("系统", "System")),
            Column("builder", Text("接管单位", "Taken over by")),
            Column("status", Text("状态", "State")),
            Column("open", Text("未完成", "Open"), "right"),
            Column("hosts", Text("主机", "Hosts")),
            Column("started_at", Text("开始", "Started")),
        ),
        rows=tuple(
            {
                "handover_id": h.handover_id, "system_id": h.system_id, "builder": h.builder or None,
                "status": _state(state), "open": count, "hosts": h.hosts, "started_at": h.started_at,
            }
            for h, state, count in rows
        ),
    )  # fmt: skip


def build_checklist_view(
    handover: Handover, checklist: Checklist, standings: Mapping[str, Standing], status: TakeoverState
) -> View:
    """Every item, how it stands, and what was given for it."""
    rows: list[dict[str, Cell]] = []
    for group in checklist.groups:
        for item in group.items:
            s = standings[item.item_id]
            rows.append(
                {
                    "group": group.title, "item_id": item.item_id, "title": item.title, "required": s.required,
                    "state": Term(*_words(ITEM_STATE_NAMES[s.state]), s.state), "clauses": item.clauses,
                    "evidence": _evidence(s), "actor": s.paper.actor if s.paper else None,
                    "accepted_by": s.acceptance.actor if s.acceptance else None,
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
            Column("state", Text("状态", "State")),
            Column("evidence", Text("证据", "Evidence")),
            Column("actor", Text("提交人", "Given by")),
            Column("accepted_by", Text("接收人", "Accepted by")),
            Column("clauses", Text("条款", "Clauses")),
        ),
        rows=tuple(rows),
        notes=_checklist_notes(handover, status, standings),
        facts={
            "handover_id": handover.handover_id, "system_id": handover.system_id, "status": status,
            "level": handover.level, "origin": handover.origin,
            "done": {name: s.done for name, s in standings.items()},
        },
    )  # fmt: skip


def _checklist_notes(handover: Handover, status: TakeoverState, standings: Mapping[str, Standing]) -> tuple[Text, ...]:
    required = [s for s in standings.values() if s.required]
    return (
        Text(
            "状态：{s}；等级：{level}；来源：{origin}；接管单位：{b}；主机：{h}；必需 {n} 项，已完成 {done} 项",
            "State: {s}; level: {level}; {origin}; taken over by {b}; hosts: {h}; {done} of {n} required items are done",
        ).format(
            s=STATE_NAMES[status], level=LEVEL_NAMES[handover.level], origin=ORIGIN_NAMES[handover.origin],
            b=handover.builder or "—", h=", ".join(handover.hosts) or "—", n=len(required),
            done=sum(s.done for s in required),
        ),
        *(
            Text("{actor} 退回 {items}：{why}", "{actor} sent back {items}: {why}").format(
                actor=r.actor, items=", ".join(r.items), why=r.reason
            )
            for r in handover.refusals
        ),
    )  # fmt: skip


def _evidence(standing: Standing) -> Text | str | None:
    given = standing.paper
    if given is None:
        kept = standing.acceptance
        return Text("台账快照 {d}", "snapshot {d}").format(d=kept.sha256[:_SHOWN_DIGEST]) if kept else None
    if given.not_applicable:
        return Text("不适用：{why}", "does not apply: {why}").format(why=given.note or "")
    if given.file_name and given.sha256:
        return f"{given.file_name} ({given.sha256[:_SHOWN_DIGEST]})" + (f" {given.note}" if given.note else "")
    return given.note or ""


def build_todo_view(todos: Sequence[Todo]) -> View:
    """What the takeover waits for, who has to do it, and the command that ends it."""
    return View(
        name="todo",
        title=Text("待办", "To do"),
        columns=(
            Column("item_id", Text("编号", "Item")),
            Column("what", Text("事项", "What")),
            Column("who", Text("由谁办", "Who")),
            Column("command", Text("命令", "Command")),
            Column("why", Text("说明", "Remark")),
        ),
        rows=tuple(
            {
                "item_id": t.item_id, "what": t.what, "command": t.command or None, "why": t.why,
                "who": Term("或".join(ACCOUNT_ROLE_NAMES[r].zh for r in t.who),
                            " or ".join(ACCOUNT_ROLE_NAMES[r].en for r in t.who), tuple(t.who)),
            }
            for t in todos
        ),
        notes=() if todos else (Text("没有待办。", "Nothing is left to do."),),
    )  # fmt: skip


def build_data_view(items: Sequence[DataItem], checklist: Checklist, today: date) -> View:
    """What the store says, with unknowns named, what has ended or ends soon, and what changed since it was accepted."""
    rows: list[dict[str, Cell]] = []
    for data in items:
        found = checklist.item(data.item_id)
        title = found.title if found else Text(data.item_id, data.item_id)
        rows += [
            {
                "item_id": data.item_id, "title": title, "subject": fact.subject, "what": fact.what,
                "value": Text("未知", "unknown") if fact.value is None else fact.value, "ends_on": fact.ends_on,
                "remark": _ends(fact.ends_on, today),
            }
            for fact in data.facts
        ]  # fmt: skip
    facts = [fact for data in items for fact in data.facts]
    unknown = sum(fact.value is None for fact in facts)
    ended = sum(fact.ends_on is not None and fact.ends_on < today for fact in facts)
    ending = sum(fact.ends_on is not None and today <= fact.ends_on <= today + SOON for fact in facts)
    changed = [data for data in items if data.changed]
    empty = [data for data in items if not data.facts]
    notes = [
        Text(
            "台账自动生成的内容：已到期 {ended} 处，{days} 天内到期 {ending} 处，未知 {unknown} 处",
            "What the store knows: {ended} ended, {ending} end within {days} days, {unknown} unknown",
        ).format(ended=ended, ending=ending, days=SOON.days, unknown=unknown)
    ]
    if empty:
        notes.append(Text("台账中没有：{names}", "The store has none: {names}").format(names=_titles(empty, checklist)))
    if changed:
        told = Text("接收之后台账有变化：{names}", "Changed since they were accepted: {names}")
        notes.append(told.format(names=_titles(changed, checklist)))
    return View(
        name="takeover_data",
        title=Text("台账自动生成的清单内容", "What the store knows"),
        columns=(
            Column("item_id", Text("编号", "Item")),
            Column("title", Text("清单项", "Title")),
            Column("subject", Text("对象", "Subject")),
            Column("what", Text("内容", "What")),
            Column("value", Text("值", "Value")),
            Column("ends_on", Text("到期", "Ends on")),
            Column("remark", Text("提示", "Remark")),
        ),
        rows=tuple(rows),
        notes=tuple(notes),
        facts={
            "digests": {d.item_id: d.sha256 for d in items},
            "changed": [data.item_id for data in changed],
            "unknown": unknown,
            "ended": ended,
            "ending": ending,
        },
    )


def _titles(items: Sequence[DataItem], checklist: Checklist) -> Text:
    found = [(data.item_id, checklist.item(data.item_id)) for data in items]
    titles = [item.title if item else Text(name, name) for name, item in found]
    return Text("、".join(t.zh for t in titles), ", ".join(t.en for t in titles))


def _ends(ends_on: date | None, today: date) -> Text | None:
    if ends_on is None or ends_on > today + SOON:
        return None
    if ends_on < today:
        return Text("已到期", "has ended")
    return Text("{n} 天后到期", "ends in {n} days").format(n=(ends_on - today).days)


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
                "role": Term(*_words(ACCOUNT_ROLE_NAMES[s.role]), s.role), "actor": s.actor, "at": s.at, "valid": valid.get(s.role) == s,
                "package_sha256": s.package_sha256,
            }
            for s in handover.sign_offs
        ),
        notes=tuple(
            Text("{r}尚未签字", "The {r} has not signed yet").format(r=ACCOUNT_ROLE_NAMES[role]) for role in PARTIES if role not in valid
        ),
    )  # fmt: skip
