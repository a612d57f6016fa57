"""Why a system waits, in words, each with the command that ends the wait. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from govcloud.execution.gates import changed_text
from govcloud.execution.history import last_order, source_touched
from govcloud.execution.journal import Seen
from govcloud.execution.window import Window, opens_later
from govcloud.model.attempt import Attempt
from govcloud.model.gate import Answer, Gate
from govcloud.model.run import Wait, WaitKind
from govcloud.model.step import Step, StepName
from govcloud.model.text import Text

_FACTS: frozenset[str] = frozenset({"quota", "ticket", "host_key"})


def wait(
    seen: Seen,
    kind: WaitKind,
    text: Text,
    *,
    step: StepName | None = None,
    until: datetime | None = None,
    gate: Gate | None = None,
    **values: object,
) -> Wait:
    """`values` fill the text's fields, besides {r}, {s} and {step}."""
    filled = text.format(r=seen.run.run_id, s=seen.system.system_id, step=step or "", **values)
    return Wait(kind=kind, text=filled, since=seen.now, until=until, step=step, gate_id=gate.gate_id if gate else None)


def approval_wait(seen: Seen, step: Step, gate: Gate, answers: Sequence[Answer]) -> Wait:
    given = [a for a in answers if a.granted and a.emergency and seen.now < a.expires_at]
    text = Text(
        "“{title}”待批准；由发起人 {by} 以外的人运行：govcloud --user 姓名 run approve {r} --step {step} --system {s}",
        '"{title}" waits for an approval; somebody other than {by}, who started the run, runs: '
        "govcloud --user NAME run approve {r} --step {step} --system {s}",
    )
    if given:
        text = Text(
            "{who} 已作紧急批准，还须另一人：govcloud --user 姓名 run approve {r} --step {step} --system {s} --emergency --reason 理由",
            "{who} has approved it as an emergency; a second person is needed: "
            "govcloud --user NAME run approve {r} --step {step} --system {s} --emergency --reason WHY",
        )
    # The next moment at which the answer can change by itself: an approval that lapses leads to a new gate.
    until = min((a.expires_at for a in answers if a.granted and seen.now < a.expires_at), default=None)
    who = given[0].actor if given else ""
    return wait(
        seen,
        "approval",
        text,
        step=step.name,
        gate=gate,
        until=until,
        title=step.title,
        by=seen.run.created_by,
        who=who,
    )


def changed_wait(seen: Seen, step: StepName) -> Wait:
    text = Text(
        "{what}。恢复原内容，或按现在的内容继续并重新批准：govcloud run resume {r} --system {s}；放弃：govcloud run cancel {r} --system {s}",
        "{what}. Restore it; or go on with what is there now and have it approved again: "
        "govcloud run resume {r} --system {s}; or give up: govcloud run cancel {r} --system {s}",
    )
    return wait(seen, "approval", text, step=step, what=changed_text(seen.changed))


def window_wait(
    seen: Seen, step: StepName, gate: Gate, window: Window, problem: Text, lapses_at: datetime | None
) -> Wait:
    if opens_later(window, seen.now) and window.opens_at is not None:
        until = window.opens_at if lapses_at is None else min(window.opens_at, lapses_at)
        text = Text(
            "已批准，等待变更窗口开启，到时自动继续，无需操作",
            "Approved; it goes on by itself when the change window opens",
        )
        return wait(seen, "window", text, step=step, gate=gate, until=until)
    text = Text(
        "{why}。重新排期后 govcloud run resume {r} --system {s}；不能等的，由两人紧急批准：govcloud --user 姓名 run approve {r} --step {step} --system {s} --emergency --reason 理由",
        "{why}. Plan again, then govcloud run resume {r} --system {s}; where it can't wait, two people approve it as an emergency: "
        "govcloud --user NAME run approve {r} --step {step} --system {s} --emergency --reason WHY",
    )
    return wait(seen, "window", text, step=step, gate=gate, until=lapses_at, why=problem)


def predecessor_wait(seen: Seen, missing: Collection[str], *, lost: bool) -> Wait:
    if not lost:
        text = Text(
            "等待先行系统在政务云上服务：{p}；到时自动继续", "These must serve from the cloud first: {p}; it goes on by itself then"
        )  # fmt: skip
    else:
        text = Text(
            "先行系统没有迁成：{p}。不等它、照常继续：govcloud run resume {r} --system {s}；放弃：govcloud run cancel {r} --system {s}",
            "What should go first was not migrated: {p}. Go on without it: govcloud run resume {r} --system {s}; give up: govcloud run cancel {r} --system {s}",
        )
    return wait(seen, "predecessor", text, step="freeze", p=", ".join(sorted(missing)))


def wave_stop_wait(seen: Seen, failed: Collection[str]) -> Wait:
    text = Text(
        "本批已有 {n} 个系统未成功（{f}），超过 {pct}% 的限度，其余系统不冻结。查明原因后：govcloud run resume {r} --system {s}",
        "{n} systems of the wave did not succeed ({f}), more than the {pct} % that are tolerated: no other is frozen. "
        "When the cause is known: govcloud run resume {r} --system {s}",
    )
    named = ", ".join(sorted(failed))
    return wait(seen, "wave_stop", text, step="freeze", n=len(failed), f=named, pct=seen.run.max_failed_pct)


def hold_wait(seen: Seen, step: StepName | None) -> Wait:
    order = last_order(seen, "hold")
    text = Text(
        "由 {who} 暂停。{state}继续：govcloud run resume {r} --system {s}",
        "Held by {who}. {state}Go on: govcloud run resume {r} --system {s}",
    )
    return wait(seen, "order", text, step=step, who=order.actor if order else "", state=_frozen(seen))


def person_wait(seen: Seen, attempt: Attempt, why: Text) -> Wait:
    """A word is due on this attempt."""
    key = attempt.key
    phase = "" if key.phase == "apply" else f" --phase {key.phase}"
    words = "rerun|done" if key.phase == "rollback" else "rerun|done|abort"
    text = Text(
        "{why}{reasons}。{state}查看：govcloud run logs {r} {s} {step}{phase}；现场核实后决定：govcloud run decide {r} {s} {step} {words}{phase}",
        "{why}{reasons}. {state}Look: govcloud run logs {r} {s} {step}{phase}; when you know what is there, decide: "
        "govcloud run decide {r} {s} {step} {words}{phase}",
    )
    return wait(
        seen, "outcome", text, step=key.step, why=why, reasons=_reasons(attempt), state=_frozen(seen), words=words,
        phase=phase,
    )  # fmt: skip


def unreachable_wait(seen: Seen, attempt: Attempt, until: datetime) -> Wait:
    text = Text(
        "主机没有应答{reasons}；稍后自动再试，无需操作",
        "Hosts don't answer{reasons}; it is tried again by itself",
    )
    return wait(seen, "unreachable", text, step=attempt.key.step, until=until, reasons=_reasons(attempt))


def fact_wait(seen: Seen, attempt: Attempt) -> Wait | None:
    """A step that could not go on for want of something that people provide says so in its fact `wait`."""
    kind = attempt.result.facts.get("wait") if attempt.result else None
    if kind not in _FACTS:
        return None
    texts: dict[str, tuple[WaitKind, Text]] = {
        "quota": ("quota", Text(
            "云上配额不足{reasons}。扩大配额后：govcloud run resume {r} --system {s}",
            "The cloud's quota is used up{reasons}. Have it raised, then: govcloud run resume {r} --system {s}",
        )),
        "ticket": ("ticket", Text(
            "等待云管人员开通机器{reasons}。开通后填好工单并导入：govcloud run answer {r} {s} 文件",
            "The cloud desk has to make the machine{reasons}. When it is there, fill in the ticket and import it: govcloud run answer {r} {s} FILE",
        )),
        "host_key": ("host_key", Text(
            "新机器的主机公钥待核对批准{reasons}{keys}。核对后：govcloud run trust {r} {s} --approve",
            "The host key of a new machine needs approval{reasons}{keys}. Compare it, then: govcloud run trust {r} {s} --approve",
        )),
    }  # fmt: skip
    named, text = texts[str(kind)]
    return wait(seen, named, text, step=attempt.key.step, reasons=_reasons(attempt), keys=_new_keys(seen))


def _new_keys(seen: Seen) -> Text:
    """What the making of the machines learned of their keys, and from where: to be compared with what they show."""
    facts: dict[str, int | str] = {}
    for attempt in seen.attempts:
        if attempt.result is not None and attempt.key.step == "provision":
            facts |= attempt.result.facts
    told = Text("", "")
    for name in (key.removeprefix("host_key.") for key in facts if key.startswith("host_key.")):
        by_console = facts.get(f"host_key_from.{name}") == "console"
        source = (
            Text("控制台输出", "as its console says") if by_console else Text("网络应答", "as the network answered")
        )
        told = Text("{told}；{m} {f}（{s}）", "{told}; {m} {f} ({s})").format(
            told=told, m=name, f=facts[f"host_key.{name}"], s=source
        )
    return told


def trial_wait(seen: Seen, until: datetime | None) -> Wait:
    text = Text(
        "试运行中，由新平台服务，源保持冻结。通过后：govcloud run accept {r} --system {s}；退回：govcloud run rollback {r} {s}",
        "On trial: the target serves, the source is kept frozen. Passed: govcloud run accept {r} --system {s}; back: govcloud run rollback {r} {s}",
    )
    return wait(seen, "order", text, until=until)


def retention_wait(seen: Seen, until: datetime) -> Wait:
    text = Text(
        "已验收；源在保留期内，期满后停用须另行下令",
        "Accepted; the source is kept for its time and then needs an order to be switched off",
    )
    return wait(seen, "retention", text, step="switch_off", until=until)


def switch_off_wait(seen: Seen) -> Wait:
    text = Text(
        "已验收，保留期已满。停用源系统：govcloud run switch-off {r} --system {s}",
        "Accepted, and the source has been kept long enough. Switch it off: govcloud run switch-off {r} --system {s}",
    )
    return wait(seen, "order", text, step="switch_off")


def _reasons(attempt: Attempt) -> Text:
    found = attempt.result.reasons if attempt.result else ()
    if not found:
        return Text("", "")
    return Text("：" + "；".join(t.zh for t in found), ": " + "; ".join(t.en for t in found))


def _frozen(seen: Seen) -> Text:
    if not source_touched(seen):
        return Text("源系统照常服务，未被改动。", "The source serves and has not been touched. ")
    return Text(
        "注意：源系统可能已停止服务。", "Mind: the source may not be serving. "
    )  # fmt: skip
