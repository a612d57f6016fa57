"""Tables of one wave: who goes when, by which steps, whom it touches, what is changed, who said yes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, tzinfo
from typing import get_args

from govcloud.model.gate import Answer
from govcloud.model.step import StepName
from govcloud.model.text import Term, Text, same
from govcloud.report.frame import day_text
from govcloud.report.plan_words import clock, listed, weekday
from govcloud.report.proof_levels import attempts_of
from govcloud.report.run import STATE
from govcloud.report.run_overview import SystemStatus
from govcloud.report.view import Cell, Column, View
from govcloud.report.wave_facts import BLANK, StepLine, WaveFacts, WaveSystem, Word

_NUMBER = Column("number", Text("序号", "No."), "right")
_SYSTEM = Column("system_id", Text("系统编号", "System"))
_NAME = Column("name", Text("系统名称", "Name"))
_DEPARTMENT = Column("department", Text("部门", "Department"))
_EXECUTOR = Column("executor", Text("执行人", "Done by"))
_CONFIRMER = Column("confirmer", Text("确认人", "Checked by"))
_MINUTES = Column("minutes", Text("分钟", "Minutes"), "right")
_STEP = Column("title", Text("步骤", "Step"))


def window_text(facts: WaveFacts) -> Text:
    """`2026年12月5日（周六）22:00至次日 02:00`."""
    window = facts.wave.window
    day = window.starts_at.astimezone(facts.zone).date()
    return Text("{d}（{w}）{a}至{b}", "{d} {w}, {a} to {b}").format(
        d=day_text(day), w=weekday(day), a=at_clock(facts, window.starts_at), b=at_clock(facts, window.ends_at)
    )


def at_clock(facts: WaveFacts, at: datetime) -> Term:
    return clock(at, facts.wave.window.starts_at, facts.zone)


def build_order_view(facts: WaveFacts) -> View:
    """The systems in the order in which they are cut over, with the latest moments that the plan leaves."""
    rows: list[dict[str, Cell]] = [
        {
            "number": n, "system_id": s.system_id, "name": s.task.name, "crew": s.move.crew,
            "starts_at": at_clock(facts, s.move.starts_at),
            "switched_at": at_clock(facts, s.switched_at) if s.switched_at else None,
            "cutover_ends_at": at_clock(facts, s.move.cutover_ends_at), "back_by": at_clock(facts, s.back_by),
            "ends_at": at_clock(facts, s.move.ends_at), "after": s.after,
        }
        for n, s in enumerate(facts.systems, 1)
    ]  # fmt: skip
    columns = (
        _NUMBER, _SYSTEM, _NAME,
        Column("crew", Text("班组", "Crew")),
        Column("starts_at", Text("冻结", "Freeze")),
        Column("switched_at", Text("入口切换", "Users switched")),
        Column("cutover_ends_at", Text("最迟割接完成", "Complete by")),
        Column("back_by", Text("最迟决定回退", "Roll back by")),
        Column("ends_at", Text("回退预留至", "Reserve ends")),
        Column("after", Text("须在其后", "Only after")),
    )  # fmt: skip
    notes = (
        Text("自“入口切换”起，新平台接收的写入在回退时不自动带回，只导出列明。",
             "From “Users switched” on, what the cloud takes in is not carried back by a rollback, only exported and listed."),
        Text("“最迟决定回退”为回退预留结束前留足撤销用时的时刻；“须在其后”所列系统在新平台服务后方可冻结。",
             "“Roll back by” is the last moment that leaves enough of the reserve for a rollback; a system is frozen only after those "
             "under “Only after” serve from the cloud."),
    )  # fmt: skip
    return View(name="order", title=Text("系统与次序", "Systems and their order"), columns=columns, rows=tuple(rows), notes=notes)  # fmt: skip


def build_step_views(facts: WaveFacts) -> tuple[View, ...]:
    """For each system its steps in order, with room for the names of who does and who confirms them."""
    return tuple(_steps_view(facts, s) for s in facts.systems)


def _steps_view(facts: WaveFacts, system: WaveSystem) -> View:
    run = facts.run_of(system.system_id)
    executor = run.run.created_by if run else BLANK
    rows = tuple(
        {
            "number": n, "title": _step_title(line), "when": _when(facts, line), "minutes": line.minutes,
            "executor": executor, "confirmer": BLANK, "done_at": BLANK,
        }
        for n, line in enumerate(system.steps, 1)
    )  # fmt: skip
    columns = (
        _NUMBER, _STEP,
        Column("when", Text("计划时间", "Planned")),
        _MINUTES, _EXECUTOR, _CONFIRMER,
        Column("done_at", Text("完成时间", "Done at")),
    )  # fmt: skip
    return View(
        name=f"steps_{system.system_id}", title=_named(system), columns=columns, rows=rows,
        notes=tuple(_step_notes(system)),
    )  # fmt: skip


def _named(system: WaveSystem) -> Text:
    return same(f"{system.system_id} {system.task.name}")


def _step_title(line: StepLine) -> Text:
    return line.step.title if line.sure else Text("{t}（视迁移文件）", "{t} (depends on the migration file)").format(t=line.step.title)  # fmt: skip


def _when(facts: WaveFacts, line: StepLine) -> Text:
    if line.starts_at is not None and line.ends_at is not None:
        return same("{a}–{b}").format(a=at_clock(facts, line.starts_at), b=at_clock(facts, line.ends_at))
    if line.days is not None:
        first, last = line.days
        return same(first if first == last else f"{first} – {last}")
    if line.step.name == "switch_off":
        return Text("验收并保留期满后", "after acceptance and the retention period")
    return Text("窗口内", "in the window") if line.step.name == "network_move" else Text("窗口前", "before the window")


def _step_notes(system: WaveSystem) -> Iterable[Text]:
    if system.spec is None:
        yield Text(
            "尚无可用的迁移文件，按标准步骤列出。", "There is no readable migration file: these are the standard steps."
        )  # fmt: skip
    text = Text(
        "冻结至服务验证合计 {f} 分钟，计划割接用时 {p} 分钟；回退 {u} 分钟，计划预留 {r} 分钟。",
        "From the freeze to the check of the service: {f} min, {p} min planned. Rollback: {u} min, {r} min reserved.",
    )
    task = system.task
    yield text.format(f=system.forward_min, p=task.cutover_min, u=system.undo_min, r=task.reserve_min)
    if system.over_min:
        yield Text(
            "步骤用时按 {g} GiB 数据估算，超出计划 {n} 分钟：割接前须实测并调整计划。",
            "For {g} GiB of data the steps take {n} min more than planned: measure the data and revise the plan before the cutover.",
        ).format(g=round(system.data_gib), n=system.over_min)


def build_impact_view(facts: WaveFacts) -> View:
    """Who is without service, for how long, and which other systems notice."""
    rows = tuple(
        {
            "system_id": s.system_id, "name": s.task.name, "minutes": s.task.cutover_min,
            "users": s.system.users if s.system else None, "url": s.system.url if s.system else None,
            "mlps_level": s.task.mlps_level, "dependents": s.dependents,
        }
        for s in facts.systems
    )  # fmt: skip
    columns = (
        _SYSTEM,
        _NAME,
        Column("minutes", Text("计划停机（分钟）", "Planned downtime (min)"), "right"),
        Column("users", Text("用户数", "Users"), "right"),
        *((Column("url", Text("访问地址", "Address")),) if any(row["url"] for row in rows) else ()),
        Column("mlps_level", Text("等保级别", "MLPS"), "right"),
        Column("dependents", Text("受影响的其他系统", "Other systems affected")),
    )
    return View(name="impact", title=Text("业务影响", "Impact on users"), columns=columns, rows=rows)


def build_contacts_view(facts: WaveFacts) -> View:
    """As the census has them; the rest is filled in by hand."""
    rows = tuple(
        {
            "system_id": s.system_id, "name": s.task.name, "department": s.task.department, "crew": s.move.crew,
            "contact": (s.system.contact if s.system else None) or BLANK,
            "maintained_by": (s.system.maintained_by if s.system else None) or BLANK, "duty": BLANK, "phone": BLANK,
        }
        for s in facts.systems
    )  # fmt: skip
    columns = (
        _SYSTEM, _NAME, _DEPARTMENT,
        Column("contact", Text("部门联系人", "Department's contact")),
        Column("maintained_by", Text("运维单位", "Maintained by")),
        Column("crew", Text("割接班组", "Crew")),
        Column("duty", Text("当晚值守人", "On duty that night")),
        Column("phone", Text("电话", "Telephone")),
    )  # fmt: skip
    return View(name="contacts", title=Text("联系人", "Contacts"), columns=columns, rows=rows)


def build_changes_view(facts: WaveFacts) -> View:
    """Entrances that are switched and prefixes that are moved, as the migration files have them."""
    rows: list[dict[str, Cell]] = []
    for s in facts.systems:
        if s.spec is None:
            continue
        for e in s.spec.entrances:
            ttl = Text("缓存 {n} 秒", "kept for {n} s").format(n=e.ttl) if e.kind == "dns" else None
            rows.append({"system_id": s.system_id, "what": ENTRANCE[e.kind], "host": e.host, "object": e.name,
                         "before": e.source, "after": e.target, "remark": ttl})  # fmt: skip
        if (net := s.spec.network) is not None:
            remark = Text("撤除路由 {r} 条、隧道 {t} 条；割接后须可达 {f} 条", "{r} routes and {t} tunnels withdrawn; {f} flows must work afterwards")  # fmt: skip
            rows.append({"system_id": s.system_id, "what": _PREFIX, "host": net.router, "object": net.prefix, "before": net.zone_from,
                         "after": net.zone_to, "remark": remark.format(r=len(net.routes), t=len(net.tunnels), f=len(net.flows))})  # fmt: skip
    columns = (
        _SYSTEM,
        Column("what", Text("类别", "Kind")),
        Column("host", Text("所在主机", "On host")),
        Column("object", Text("对象", "Object")),
        Column("before", Text("割接前", "Before")),
        Column("after", Text("割接后", "After")),
        Column("remark", Text("说明", "Remark")),
    )
    missing = facts.without_spec
    note = Text("尚无迁移文件、未列出的系统：{s}", "Not listed for lack of a migration file: {s}")
    return View(
        name="changes", title=Text("入口与网络变更", "Changes to entrances and networks"), columns=columns, rows=tuple(rows),
        notes=(note.format(s=listed(map(same, missing))),) if missing else (),
    )  # fmt: skip


ENTRANCE = {
    "json": Term("入口登记", "entrance file", "json"), "nginx": Term("反向代理", "reverse proxy", "nginx"),
    "hosts": Term("主机名解析", "hosts file", "hosts"), "dns": Term("域名解析", "DNS record", "dns"),
}  # fmt: skip
_PREFIX = Term("网段并入政务外网", "prefix moved into the extranet", "network")


def build_words_view(
    titles: Mapping[StepName, Text], words: Sequence[Word], zone: tzinfo, *, counting: bool
) -> View:  # fmt: skip
    """Approvals that count, or the answers that don't, with the reason. Narrow enough for an upright page."""
    shown = [w for w in words if (w.void is None) is counting]
    rows: list[dict[str, Cell]] = [
        {"step": titles[w.step], "systems": w.systems, "actor": _who(w.answer), "at": _given(w.answer, zone), "void": w.void,
         "reason": w.answer.reason}
        for w in shown
    ]  # fmt: skip
    columns = (
        Column("step", Text("环节", "Step approved")),
        Column("systems", Text("系统", "Systems")),
        Column("actor", Text("何人", "By")),
        Column("at", Text("时间与有效期", "Given, and valid until")),
        *(() if counting else (Column("void", Text("不作数的原因", "Why it does not count")),)),
        Column("reason", Text("意见", "Remark")),
    )
    title = (
        Text("有效批准", "Approvals in force or used")
        if counting
        else Text("不作数的答复", "Answers that do not count")
    )
    facts = {"words": [_plain(w) for w in shown]}
    return View(name="granted" if counting else "void", title=title, columns=columns, rows=tuple(rows), facts=facts)


def _who(answer: Answer) -> Text:
    about = [part for part in (answer.unit, answer.role) if part]
    if not about:
        return same(answer.actor)
    return Text("{who}（{about}）", "{who} ({about})").format(who=answer.actor, about=listed(map(same, about)))


def _given(answer: Answer, zone: tzinfo) -> Text:
    def local(at: datetime) -> str:
        return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"

    if not answer.granted:
        return same(local(answer.at))
    text = (
        Text("{at} 紧急批准，有效至 {until}", "{at} as an emergency, valid until {until}")
        if answer.emergency
        else Text("{at}，有效至 {until}", "{at}, valid until {until}")
    )
    return text.format(at=local(answer.at), until=local(answer.expires_at))


def _plain(word: Word) -> dict[str, object]:
    answer = word.answer
    return {
        "step": word.step, "systems": word.systems, "actor": answer.actor, "unit": answer.unit, "role": answer.role,
        "at": answer.at, "expires_at": answer.expires_at, "granted": answer.granted, "emergency": answer.emergency,
        "counts": word.void is None,
    }  # fmt: skip


def build_readiness_view(facts: WaveFacts) -> View:
    """How far each system has been got ready on record: what somebody who approves the freeze has to know."""
    rows: list[dict[str, Cell]] = []
    for s in facts.systems:
        status = facts.status_of(s.system_id)
        rows.append(
            {
                "system_id": s.system_id, "spec": s.spec is not None,
                **{name: _last_done(status, name, facts.zone) for name in _READY},
                "minutes": Text("{n}（计划 {p}）", "{n} ({p} planned)").format(n=s.forward_min, p=s.task.cutover_min),
                "state": STATE[status.row.state] if status else Text("未登记执行", "not registered"),
            }
        )  # fmt: skip
    columns = (
        _SYSTEM,
        Column("spec", Text("迁移文件", "File")),
        Column("precheck", Text("检查通过", "Checked")),
        Column("replicate", Text("复制完成", "Copied")),
        Column("rehearse", Text("演练通过", "Rehearsed")),
        Column("minutes", Text("割接用时（分钟）", "Cutover (min)")),
        Column("state", Text("执行状态", "State")),
    )
    return View(name="readiness", title=Text("准备情况", "Readiness"), columns=columns, rows=tuple(rows))


_READY: tuple[StepName, ...] = ("precheck", "replicate", "rehearse")


def _last_done(status: SystemStatus | None, step: StepName, zone: tzinfo) -> date | None:
    ended = [a.result.finished_at for a in attempts_of(status, step, ok=True) if a.result] if status else []
    return ended[-1].astimezone(zone).date() if ended and ended[-1] else None


def build_undo_view(facts: WaveFacts) -> View:
    """Every step up to acceptance with its undo, in order; what can't be undone says so."""
    used = {line.step.name for s in facts.systems for line in s.steps} - {"switch_off"}
    rows = tuple(
        {
            "number": n, "title": step.title, "undo": step.undo,
            "reversible": _YES if step.reversible else _NO, "minutes": step.undo_minutes, "remark": _remark(name, facts),
        }
        for n, (name, step) in enumerate(((n, facts.steps[n]) for n in get_args(StepName) if n in used), 1)
    )  # fmt: skip
    columns = (
        _NUMBER, _STEP,
        Column("reversible", Text("可撤销", "Reversible")),
        Column("undo", Text("撤销办法", "Undo")),
        _MINUTES,
        Column("remark", Text("界限", "Limit")),
    )  # fmt: skip
    return View(name="undo", title=Text("各步骤的撤销办法", "How each step is undone"), columns=columns, rows=rows)


_YES, _NO = Term("可", "yes", "true"), Term("不可撤销", "no", "false")


def _remark(name: StepName, facts: WaveFacts) -> Text | None:
    if facts.steps[name].point_of_no_return:
        return Text("此后目标接收的写入不自动带回源", "from here on, what the target takes in is not carried back")
    return None


def build_way_back_views(facts: WaveFacts) -> tuple[View, ...]:
    """For each system what is undone, in this order: users first, then the source, the target last."""
    columns = (
        _NUMBER,
        Column("title", Text("撤销的步骤", "Step undone")),
        Column("undo", Text("办法", "How")),
        _MINUTES, _EXECUTOR, _CONFIRMER,
    )  # fmt: skip
    views = []
    for s in facts.systems:
        rows = tuple(
            {"number": n, "title": _step_title(line), "undo": line.step.undo,
             "minutes": line.minutes, "executor": BLANK, "confirmer": BLANK}
            for n, line in enumerate(s.way_back, 1)
        )  # fmt: skip
        note = Text(
            "源恢复服务需 {u} 分钟，最迟{t}决定；目标的清理可在其后进行。",
            "The source serves again after {u} min: decide by {t}. The target can be cleaned up later.",
        ).format(u=s.undo_min, t=at_clock(facts, s.back_by))
        views.append(View(name=f"back_{s.system_id}", title=_named(s), columns=columns, rows=rows, notes=(note,)))
    return tuple(views)
