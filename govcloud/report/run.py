"""Runs as tables: where each system is and why it waits, every attempt, every approval and order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta

from govcloud.model.attempt import Attempt
from govcloud.model.run import ENDED, MOVED, Run, SystemState, WaitKind, run_status
from govcloud.model.step import StepName
from govcloud.model.text import Term, Text
from govcloud.report.run_facts import DIGEST_CHARS
from govcloud.report.run_overview import PHASE, RunOverview, SystemStatus
from govcloud.report.run_records import build_approvals_view, build_attempts_view, build_orders_view
from govcloud.report.view import Cell, Column, View

STATUS: Mapping[str, Term] = {
    "running": Term("执行中", "running", "running"),
    "waiting": Term("等待中", "waiting", "waiting"),
    "needs_person": Term("待人决定", "needs a person", "needs_person"),
    "done": Term("已完成", "done", "done"),
    "failed": Term("有未成功", "failed", "failed"),
    "rolled_back": Term("有回退", "rolled back", "rolled_back"),
}
STATE: Mapping[SystemState, Term] = {
    "waiting": Term("等待", "waiting", "waiting"),
    "running": Term("执行中", "running", "running"),
    "held": Term("已暂停", "held", "held"),
    "needs_person": Term("待人决定", "needs a person", "needs_person"),
    "rolling_back": Term("回退中", "rolling back", "rolling_back"),
    "trial": Term("试运行", "on trial", "trial"),
    "accepted": Term("已验收", "accepted", "accepted"),
    "switched_off": Term("源已停用", "source switched off", "switched_off"),
    "rolled_back": Term("已回退", "rolled back", "rolled_back"),
    "failed": Term("未成功", "failed", "failed"),
    "cancelled": Term("已取消", "cancelled", "cancelled"),
}
WAIT: Mapping[WaitKind, Term] = {
    "approval": Term("批准", "approval", "approval"),
    "window": Term("变更窗口", "change window", "window"),
    "quota": Term("云上配额", "cloud quota", "quota"),
    "slot": Term("并行名额", "a free slot", "slot"),
    "zone": Term("该网络区的执行进程", "a worker of its zone", "zone"),
    "predecessor": Term("先行系统", "systems before it", "predecessor"),
    "wave_stop": Term("本批停下，待查明", "wave stopped", "wave_stop"),
    "order": Term("命令", "an order", "order"),
    "outcome": Term("人的决定", "a decision", "outcome"),
    "retention": Term("保留期满", "end of retention", "retention"),
    "host_key": Term("认可主机公钥", "host key approval", "host_key"),
    "ticket": Term("云管开通机器", "the cloud desk", "ticket"),
    "unreachable": Term("主机应答", "hosts to answer", "unreachable"),
}
_NOBODY = Term("执行进程", "a worker", "worker")
_OWN: frozenset[WaitKind] = frozenset({"outcome", "quota", "ticket", "host_key", "unreachable"})
_NAMED = 5
_LONG_MIN = 180
_LEVELS = ("L0", "L1", "L2", "L3", "L4")


def build_run_views(shown: RunOverview, *, attempts: bool = True) -> tuple[View, ...]:
    """Systems; attempts if wanted; approvals and orders where there are any."""
    views = [build_run_view(shown)]
    if attempts:
        views.append(build_attempts_view(shown))
    if shown.answers:
        views.append(build_approvals_view(shown))
    if shown.orders:
        views.append(build_orders_view(shown))
    return tuple(views)


def build_run_view(shown: RunOverview, *, reasons: bool = True) -> View:
    """One line a system. `reasons`: why they wait stands below, grouped; who began it, too."""
    run = shown.run
    status = STATUS[run_status(shown.states)]
    return View(
        name="run",
        title=Text("迁移执行 {r}：{s}", "Run {r}: {s}").format(r=run.run_id, s=status),
        columns=(
            Column("system_id", Text("系统", "System")),
            Column("state", Text("状态", "State")),
            Column("title", Text("步骤", "Step")),
            Column("attempt", Text("第几次", "Attempt"), "right"),
            Column("since", Text("始于", "Since")),
            Column("wait", Text("等什么", "Waits for")),
            Column("until", Text("等到", "Until")),
            Column("downtime", Text("停机", "Downtime")),
            Column("window", Text("窗口", "Window")),
            Column("level", Text("核验级别", "Level")),
        ),
        rows=tuple(_system_row(s, shown) for s in shown.systems),
        notes=(*(_reasons(shown) if reasons else ()), *_notes(shown, reasons=reasons)),
        facts={
            "run_id": run.run_id,
            "status": status,
            "plan_id": run.plan_id,
            "wave": run.wave,
            "scope_hash": run.scope_hash,
            "created_by": run.created_by,
            "created_at": run.created_at,
            "totals": dict(Counter(shown.states.values())),
            "systems": [_system_fact(s) for s in shown.systems],
            "due_reviews": [a.gate_id for a in shown.due_reviews],
        },
    )


def build_runs_view(runs: Sequence[tuple[Run, Mapping[str, SystemState]]]) -> View:
    """All runs, the newest first, each with the states of its systems."""
    return View(
        name="runs",
        title=Text("迁移执行", "Runs"),
        columns=(
            Column("run_id", Text("编号", "Run")),
            Column("status", Text("状态", "Status")),
            Column("wave", Text("批次", "Wave"), "right"),
            Column("systems", Text("系统", "Systems"), "right"),
            Column("totals", Text("其中", "Of these")),
            Column("created_at", Text("登记时间", "Registered")),
            Column("created_by", Text("发起人", "By")),
        ),
        rows=tuple(
            {
                "run_id": run.run_id, "status": STATUS[run_status(states)], "wave": run.wave, "systems": len(run.systems),
                "totals": _totals(states.values()), "created_at": run.created_at, "created_by": run.created_by,
            }
            for run, states in runs
        ),
    )  # fmt: skip


def build_change_line(status: SystemStatus, shown: RunOverview) -> Text:
    """One system in one line, for those who follow a run."""
    row, live = status.row, _live(status)
    step = _step_name(status)
    doing = Text(" {t} {p} #{n}", " {t} {p} #{n}").format(
        t=shown.titles[step], p=PHASE[live.key.phase] if live else "", n=live.key.number if live else ""
    ) if live and step else Text("", "")  # fmt: skip
    why = reason_of(status, shown)
    wait = Text("：{w}", ": {w}").format(w=why) if why else Text("", "")
    return Text("{s} {state}{doing}{wait}", "{s} {state}{doing}{wait}").format(
        s=row.system_id, state=STATE[row.state], doing=doing, wait=wait
    )


def _system_row(status: SystemStatus, shown: RunOverview) -> Mapping[str, Cell]:
    row, step = status.row, _step_name(status)
    live = _live(status)
    tried = [a for a in status.attempts if a.key.step == step and a.key.phase == (live.key.phase if live else "apply")]
    return {
        "system_id": row.system_id,
        "state": STATE[row.state],
        "title": shown.titles[step] if step and row.state not in ENDED | MOVED else None,
        "attempt": tried[-1].key.number if tried and row.state not in ENDED | MOVED else None,
        "since": row.since,
        "wait": WAIT[row.wait.kind] if row.wait else _NOBODY if status.unworked else None,
        "until": row.wait.until if row.wait else None,
        "downtime": _downtime(status, shown.now),
        "window": _window(status, shown),
        "level": level(status.attempts),
    }


def reason_of(status: SystemStatus, shown: RunOverview) -> Text | None:
    """Why it waits or how it ended, in full."""
    if status.row.wait is not None:
        return status.row.wait.text
    if status.unworked:
        return Text(
            "没有在线的执行进程；继续：govcloud run resume {r}，或启动 govcloud worker",
            "No worker is alive for it; go on with govcloud run resume {r}, or start govcloud worker",
        ).format(r=status.row.run_id)
    return _why_ended(status, shown)


def _reasons(shown: RunOverview) -> list[Text]:
    """One line for all that wait for the same."""
    groups: dict[object, list[tuple[str, Text]]] = {}
    for status in shown.systems:
        text, wait = reason_of(status, shown), status.row.wait
        if text is not None:
            # What went wrong is each one's own; a thousand that wait for one approval are one line.
            own = wait is None or wait.kind in _OWN
            key = (
                status.row.system_id
                if own and not status.unworked
                else (wait and (wait.kind, wait.step), status.row.state)
            )
            groups.setdefault(key, []).append((status.row.system_id, text))
    lines = []
    for members in groups.values():
        ids, more = ", ".join(m[0] for m in members[:_NAMED]), len(members) - _NAMED
        if len(members) > 1:
            # Without naming a system the commands mean all of them.
            members[0] = (members[0][0], _without(members[0][1], f" --system {members[0][0]}"))
        others = Text("等 {n} 个", " ({n} in all)").format(n=len(members)) if more > 0 else Text("", "")
        lines.append(Text("{ids}{o}：{t}", "{ids}{o}: {t}").format(ids=ids, o=others, t=members[0][1]))
    return lines


def _without(text: Text, words: str) -> Text:
    return Text(text.zh.replace(words, ""), text.en.replace(words, ""))


def _why_ended(status: SystemStatus, shown: RunOverview) -> Text | None:
    """What a system that did not come through came to grief over."""
    row = status.row
    bad = [a for a in status.attempts if a.key.phase != "verify" and a.result is not None and a.result.status != "ok"]
    if row.state not in ("failed", "rolled_back") or not bad:
        return None
    last = next((a for a in reversed(bad) if a.key.phase == "apply"), bad[-1])
    reasons = last.result.reasons if last.result else ()
    kept = (
        Text("源系统未被改动，照常服务", "the source was not touched and serves")
        if row.state == "failed"
        else Text("源系统已恢复服务", "the source serves again")
    )
    return Text("{t}{r}；{kept}", "{t}{r}; {kept}").format(
        t=Text("“{s}”未成功", '"{s}" did not succeed').format(s=shown.titles[last.key.step]), kept=kept,
        r=Text("：" + reasons[0].zh, ": " + reasons[0].en) if reasons else "",
    )  # fmt: skip


def _step_name(status: SystemStatus) -> StepName | None:
    live = _live(status)
    return live.key.step if live else status.row.step


def _live(status: SystemStatus) -> Attempt | None:
    return next((a for a in reversed(status.attempts) if a.result is None), None)


def level(attempts: Iterable[Attempt]) -> str | None:
    """The highest verification level that an attempt reached (L0 to L4)."""
    reached = {
        a.result.facts.get("level") for a in attempts
        if a.result is not None and a.result.status == "ok" and a.key.step in ("verify_data", "verify_service")
    }  # fmt: skip
    return next((name for name in reversed(_LEVELS) if name in reached), None)


def _downtime(status: SystemStatus, now: datetime) -> Text | None:
    if status.downtime_from is None:
        return None
    length = _minutes((status.downtime_to or now) - status.downtime_from)
    return length if status.downtime_to else Text("{m}，仍在停机", "{m} so far").format(m=length)


def _minutes(span: timedelta) -> Text:
    seconds = max(0, round(span.total_seconds()))
    minutes, rest = divmod(seconds, 60)
    if minutes < _LONG_MIN:
        return Text(f"{minutes} 分 {rest:02} 秒", f"{minutes} min {rest:02} s")
    hours, minutes = divmod(minutes, 60)
    return Text(f"{hours:,} 小时 {minutes:02} 分", f"{hours:,} h {minutes:02} min")


def _window(status: SystemStatus, shown: RunOverview) -> Text | None:
    row, now = status.row, shown.now
    if row.opens_at is None or row.closes_at is None or row.state in ENDED | MOVED:
        return None
    if now < row.opens_at:
        return Text("{at} 开启，需 {n} 分钟", "opens {at}, {n} min needed").format(
            at=f"{row.opens_at.astimezone(shown.zone):%m-%d %H:%M}", n=status.needed_min
        )
    left = int((row.closes_at - now).total_seconds() // 60)
    if left < 0:
        return Text("已过 {n} 分钟", "over for {n} min").format(n=-left)
    return Text("剩 {l} 分钟，需 {n} 分钟", "{l} min left, {n} needed").format(l=left, n=status.needed_min)


def _system_fact(status: SystemStatus) -> dict[str, object]:
    row, wait = status.row, status.row.wait
    return {
        "system_id": row.system_id, "state": row.state, "step": _step_name(status), "zone": row.zone, "after": list(row.after),
        "since": row.since, "opens_at": row.opens_at, "closes_at": row.closes_at, "needed_min": status.needed_min,
        "downtime_from": status.downtime_from, "downtime_to": status.downtime_to, "level": level(status.attempts),
        "data_bytes": row.data_bytes,
        "wait": None if wait is None else {
            "kind": wait.kind, "text": wait.text, "since": wait.since, "until": wait.until, "step": wait.step,
            "gate_id": wait.gate_id,
        },
    }  # fmt: skip


def _totals(states: Iterable[SystemState]) -> Text:
    counts = Counter(states)
    named = [(STATE[s], counts[s]) for s in STATE if counts[s]]
    return Text("，".join(f"{t.zh} {n}" for t, n in named), ", ".join(f"{t.en} {n}" for t, n in named))


def _notes(shown: RunOverview, *, reasons: bool) -> list[Text]:
    run = shown.run
    totals = _totals(shown.states.values())
    notes = [Text("共 {n} 个系统：{t}", "Systems: {n} ({t})").format(n=len(shown.systems), t=totals)]
    if reasons:
        began = Text("发起人 {by}；范围摘要 {h}", "Started by {by}; scope {h}")
        notes.append(began.format(by=run.created_by, h=run.scope_hash[:DIGEST_CHARS]))
    spans = [s.downtime_to - s.downtime_from for s in shown.systems if s.downtime_from and s.downtime_to]
    if spans:
        notes.append(Text("最长停机 {m}", "Longest downtime {m}").format(m=_minutes(max(spans))))
    if shown.due_reviews:
        first = min((a.review_due_on for a in shown.due_reviews if a.review_due_on), default=None)
        notes.append(_review_note(shown, first, command=reasons))
    if shown.self_declared:
        notes.append(
            Text(
                "没有账号，execution.people 也未列名单：操作人的身份未经核验", "There are no accounts, and execution.people lists nobody: nobody has checked who acts"
            )
        )  # fmt: skip
    rolled = [
        s.row.system_id for s in shown.systems
        if s.row.state == "rolled_back" and any(a.key.step == "cutover" and a.key.phase == "apply" for a in s.attempts)
    ]  # fmt: skip
    if rolled:
        notes.append(
            Text(
                "已回退，源系统恢复服务：{s}。割接后写入目标的数据未带回，目标副本保留备查。",
                "Rolled back, the source serves again: {s}. What was written to the target after the cutover is not carried "
                "back; the copy is kept.",
            ).format(s=", ".join(rolled))
        )
    return notes


def _review_note(shown: RunOverview, first: date | None, *, command: bool) -> Text:
    late = first is not None and first < shown.now.astimezone(shown.zone).date()
    how = Text(
        "：govcloud --user 姓名 run review {r} --reason 结论", ": govcloud --user NAME run review {r} --reason FINDING"
    )
    return Text(
        "{n} 项紧急批准待第三人复核，期限 {d}{late}{how}",
        "{n} emergency approvals are to be reviewed by a third person by {d}{late}{how}",
    ).format(
        n=len({a.gate_id for a in shown.due_reviews}), d=first, late=Text("（已逾期）", " (overdue)") if late else "",
        how=how.format(r=shown.run.run_id) if command else "",
    )  # fmt: skip
