"""What a takeover waits for: for everything open the command that ends it, and who has to do it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

from govcloud.handover.proofs import latest
from govcloud.handover.signoff import valid_sign_offs
from govcloud.handover.states import build_state
from govcloud.model.account import ACCOUNT_ROLE_NAMES
from govcloud.model.handover import (
    PARTIES,
    Checklist,
    ChecklistItem,
    Handover,
    Role,
    Standing,
    TakeoverState,
    Todo,
)
from govcloud.model.text import Text

_GIVERS: tuple[Role, ...] = ("owner",)
_RECEIVERS: tuple[Role, ...] = ("builder",)


def build_todo(
    checklist: Checklist, handover: Handover, standings: Mapping[str, Standing], today: date
) -> tuple[Todo, ...]:
    """In the order in which it is due; empty for a takeover that is signed."""
    state = build_state(checklist, handover, today)
    if state in ("operating", "deferred", "not_applicable", "to_assess", "planned"):
        return _decision(handover, state)
    items = (item for group in checklist.groups for item in group.items)
    due = [(item, s) for item in items if (s := standings[item.item_id]).required and not s.done]
    due.sort(key=lambda pair: ("papers", "knowledge_transfer", "dual_run").index(pair[1].stage))
    return (*(_item(handover, item, s) for item, s in due), *_dual_run(handover, today), *_signatures(handover))


def _decision(handover: Handover, state: TakeoverState) -> tuple[Todo, ...]:
    system = handover.system_id
    if state == "operating":
        return ()
    if state in ("deferred", "not_applicable"):
        last = handover.decisions[-1]
        return (
            Todo(
                what=Text("已暂缓", "deferred") if state == "deferred" else Text("不适用", "not applicable"),
                who=PARTIES, command=f"govcloud takeover resume {system}", why=_said(last.reason),
            ),
        )  # fmt: skip
    if state == "planned":
        start = f"govcloud takeover start {system}" + (
            "" if handover.level == "register" else " --builder-key FILE.pub"
        )
        return (Todo(what=Text("开始接管", "start the takeover"), who=PARTIES, command=start),)
    plan = f"govcloud takeover plan {system} --level LEVEL --builder UNIT --until DATE"
    return (Todo(what=Text("评估并列入计划", "assess and plan it"), who=PARTIES, command=plan),)


def _said(reason: str | None) -> Text | None:
    return None if reason is None else Text(reason, reason)


def _item(handover: Handover, item: ChecklistItem, standing: Standing) -> Todo:
    h, name = handover.handover_id, item.item_id
    if standing.state == "given" or item.source == "data":
        giver = standing.paper.actor if standing.paper else None
        return Todo(
            item_id=name, who=_RECEIVERS, command=f"govcloud takeover accept {h} {name}",
            what=Text("接收：{t}", "accept: {t}").format(t=item.title),
            why=Text("由 {a} 提交，须另一人接收", "handed over by {a}, accepted by somebody else").format(a=giver) if giver
            else _said(standing.refusal.reason if standing.refusal else None),
        )  # fmt: skip
    if item.proof is not None:
        return Todo(
            item_id=name, who=_RECEIVERS, why=_proof_answer(handover, item),
            what=Text("实测：{t}", "prove: {t}").format(t=item.title),
            command=f"govcloud takeover rotate {h}" if item.proof == "keys" and standing.state == "open"
            else f"govcloud takeover prove {h} {item.proof}",
        )  # fmt: skip
    given = "FILE" if item.source == "file" else "--note TEXT"
    return Todo(
        item_id=name, who=_GIVERS, command=f"govcloud takeover evidence {h} {name} {given}",
        what=Text("提交：{t}", "hand over: {t}").format(t=item.title),
        why=_said(standing.refusal.reason if standing.refusal else None),
    )  # fmt: skip


def _proof_answer(handover: Handover, item: ChecklistItem) -> Text | None:
    """The newest answer that is not a yes."""
    proofs = latest(handover, item.proof).values() if item.proof else ()
    bad = [proof for proof in proofs if proof.ok is not True]
    return max(bad, key=lambda proof: proof.at).detail if bad else None


def _dual_run(handover: Handover, today: date) -> Iterator[Todo]:
    until = handover.dual_run_until
    if until is not None and today < until:
        yield Todo(
            what=Text("双轨运行到约定日", "run both until the agreed day"), who=PARTIES, command="",
            why=Text("到 {day} 为止", "until {day}").format(day=until),
        )  # fmt: skip


def _signatures(handover: Handover) -> Iterator[Todo]:
    signed = valid_sign_offs(handover)
    for role in PARTIES:
        if role not in signed:
            yield Todo(
                what=Text("{r}签字", "signature of the {r}").format(r=ACCOUNT_ROLE_NAMES[role]), who=(role,),
                command=f"govcloud takeover sign {handover.handover_id} --role {role}",
            )  # fmt: skip
