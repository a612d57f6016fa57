"""The approval form of a wave's cutover (割接审批单). It shows what was approved in the records, and leaves room for the pen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from govcloud.model.text import Text, same
from govcloud.report.cutover_document import provisional, wave_form
from govcloud.report.document import Document, FormRow, Section, Signature, Signed
from govcloud.report.plan_words import listed
from govcloud.report.text import UNKNOWN
from govcloud.report.view import Cell
from govcloud.report.wave_facts import WaveFacts
from govcloud.report.wave_views import at_clock, build_words_view

_NAMED = 12
"""More systems than this are named in the cutover plan, not in a cell of the form."""


def build_approval_document(facts: WaveFacts, blank: Document) -> Document:
    """`blank`: with the office, the time and the source filled in."""
    titles = {name: step.title for name, step in facts.steps.items()}
    granted, void = (build_words_view(titles, facts.words, facts.zone, counting=counting) for counting in (True, False))
    views = tuple(view for view in (granted, void) if view.rows)
    sections = (
        Section(section_id="form", title=Text("申请事项", "What is asked for"), form=(*wave_form(facts), *_asked(facts))),
        Section(
            section_id="words", title=Text("系统内批准记录", "Approvals on record"), views=views,
            intro=_RECORDS if views else None,
            paragraphs=() if views else (Text("尚无批准记录。", "Nothing has been approved on record yet."),),
        ),
        Section(section_id="opinions", title=Text("审批意见", "Opinions"), form=_OPINIONS),
    )  # fmt: skip
    return replace(
        blank, title=Text("第 {n} 批割接审批单", "Approval form: cutover of wave {n}").format(n=facts.number), numbered=True,
        sections=sections, notice=provisional(facts), signatures=_signatures(facts),
    )  # fmt: skip


_RECORDS = Text(
    "批准只对所列计划指纹及当时的迁移文件、主机和剧本有效，任一改动即作废；已过期、被否或不作数的另列。",
    "An approval holds for this hash of the plan and the migration files, hosts and playbooks of that moment, and is void when "
    "one of them changes. What is refused, expired or does not count is listed apart.",
)
_OPINIONS = (
    FormRow(fields=((Text("系统主管部门意见", "Opinion of the owner"), None),), lines=4),
    FormRow(fields=((Text("政务云管理单位意见", "Opinion of the cloud's operator"), None),), lines=4),
    FormRow(fields=((Text("审批意见", "Decision"), None),), lines=4),
)


def _asked(facts: WaveFacts) -> tuple[FormRow, ...]:
    systems = [f"{s.system_id} {s.task.name}" for s in facts.systems]
    named: Cell = systems if len(systems) <= _NAMED else Text("{s} 等 {n} 个（见割接方案）", "{s} … {n} in all (see the cutover plan)").format(
        s=listed(map(same, systems[:_NAMED])), n=len(systems))  # fmt: skip
    departments = sorted({s.task.department for s in facts.systems if s.task.department})
    longest = max((s.task.cutover_min for s in facts.systems), default=0)
    users = [s.system.users for s in facts.systems if s.system and s.system.users is not None]
    dependents = sorted({d for s in facts.systems for d in s.dependents})
    impact = Text("单个系统计划停机最长 {m} 分钟；登记用户 {u}；受影响的其他系统 {d}",
                  "planned downtime of a system at most {m} min; registered users {u}; other systems that notice: {d}").format(
        m=longest, u=_users(users, len(facts.systems)), d=listed(map(same, dependents)) if dependents else Text("无登记", "none known"))  # fmt: skip
    back = Text("任一系统最迟{t}决定回退，见回退方案", "the earliest of the latest moments to turn back is {t}; see the rollback plan").format(
        t=at_clock(facts, min(s.back_by for s in facts.systems)))  # fmt: skip
    return (
        FormRow(fields=((Text("割接系统", "Systems"), named),)),
        FormRow(fields=((Text("所属部门", "Owners"), departments or UNKNOWN),)),
        FormRow(fields=((Text("业务影响", "Who notices"), impact),)),
        FormRow(fields=((Text("回退安排", "Way back"), back),)),
        FormRow(fields=((Text("窗口外或封网期变更理由", "Why, if outside of the window or in a freeze"), None),), lines=2),
        FormRow(fields=((Text("申请人", "Asked for by"), None), (Text("申请日期", "On"), None))),
    )  # fmt: skip


def _users(users: Sequence[int], systems: int) -> Text:
    if not users:
        return same(UNKNOWN)
    unknown = systems - len(users)
    text = Text("{n} 人（{k} 个系统未登记）", "{n} ({k} systems unknown)") if unknown else Text("{n} 人", "{n}")
    return text.format(n=sum(users), k=unknown)


def _signatures(facts: WaveFacts) -> tuple[Signature, ...]:
    """The approver's block is filled in only by a word that lets every system of the wave be frozen."""
    return (
        Signature(party=Text("申请单位（实施单位）", "Asked for by (builder)")),
        Signature(party=Text("系统主管部门", "Owner")),
        _approver(facts),
    )


def _approver(facts: WaveFacts) -> Signature:
    party = Text("批准单位", "Approved by")
    all_systems = {s.system_id for s in facts.systems}
    whole = [w for w in facts.words if w.void is None and w.step == "freeze" and set(w.systems) == all_systems]
    if not whole:
        return Signature(party=party)
    last = whole[-1].answer
    # In an emergency two people have opened the gate, and neither of them alone.
    names = "、".join(w.answer.actor for w in whole if w.answer.emergency) if last.emergency else last.actor
    note = _URGENT if last.emergency else _ON_RECORD
    return Signature(party=party, unit=last.unit or None, signed=Signed(name=names, at=last.at, note=note))


_ON_RECORD = Text("系统内批准，见台账记录", "approved on record, see the ledger")
_URGENT = Text("紧急批准，须第三人复核", "approved as an emergency, to be reviewed by a third person")
