"""The approval form of a wave's cutover (割接审批单). It shows what was approved in the records, and leaves room for the pen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from govcloud.model.text import Text, same
from govcloud.report.cutover_document import build_notice, wave_form
from govcloud.report.document import Document, FormRow, Section, Signature, Signed
from govcloud.report.plan_words import listed
from govcloud.report.text import UNKNOWN
from govcloud.report.view import Cell
from govcloud.report.wave_facts import WaveFacts
from govcloud.report.wave_views import at_clock, build_readiness_view, build_words_view

_NAMED = 12
"""More systems than this are named in the cutover plan, not in a cell of the form."""


def build_approval_document(facts: WaveFacts, blank: Document) -> Document:
    """`blank`: with the office, the time and the source filled in."""
    titles = {name: step.title for name, step in facts.steps.items()}
    granted, void = (build_words_view(titles, facts.words, facts.zone, counting=counting) for counting in (True, False))
    views = tuple(view for view in (granted, void) if view.rows)
    sections = (
        Section(section_id="form", title=Text("申请事项", "Request"), form=(*wave_form(facts), *_asked(facts))),
        Section(section_id="readiness", title=Text("准备情况", "Readiness"), views=(build_readiness_view(facts),)),
        Section(
            section_id="words", title=Text("系统内批准记录", "Approvals on record"), views=views,
            intro=_RECORDS if views else None,
            paragraphs=() if views else (Text("尚无批准记录。", "No approval is on record yet."),),
        ),
        Section(section_id="opinions", title=Text("审批意见", "Comments and decision"), form=_OPINIONS),
    )  # fmt: skip
    return replace(
        blank, title=Text("第 {n} 批割接审批单", "Cutover approval form, wave {n}").format(n=facts.number), numbered=True,
        sections=sections, notice=build_notice(facts), signatures=_signatures(facts),
    )  # fmt: skip


_RECORDS = Text(
    "批准只对所列计划指纹及当时的迁移文件、主机和剧本有效，任一改动即作废；已过期、被否或不作数的另列。",
    "An approval holds only for the plan with this SHA-256 and for the migration files, hosts and playbooks of that moment: any change "
    "voids it. Refusals and approvals that expired or do not count are listed separately.",
)
_OPINIONS = (
    FormRow(fields=((Text("系统主管部门意见", "Owner's comments"), None),), lines=4),
    FormRow(fields=((Text("政务云管理单位意见", "Cloud operator's comments"), None),), lines=4),
    FormRow(fields=((Text("审批意见", "Decision"), None),), lines=4),
)


def _asked(facts: WaveFacts) -> tuple[FormRow, ...]:
    systems = [f"{s.system_id} {s.task.name}" for s in facts.systems]
    named: Cell = systems if len(systems) <= _NAMED else Text("{s} 等 {n} 个（见割接方案）", "{s} … {n} in all (see the cutover plan)").format(
        s=listed(map(same, systems[:_NAMED])), n=len(systems))  # fmt: skip
    departments = sorted({s.task.department for s in facts.systems if s.task.department})
    longest = max((max(s.task.cutover_min, s.forward_min) for s in facts.systems), default=0)
    users = [s.system.users for s in facts.systems if s.system and s.system.users is not None]
    dependents = sorted({d for s in facts.systems for d in s.dependents})
    impact = Text("单个系统计划停机最长 {m} 分钟；登记用户 {u}；受影响的其他系统 {d}",
                  "at most {m} min of downtime for a system; registered users: {u}; other systems affected: {d}").format(
        m=longest, u=_users(users, len(facts.systems)), d=listed(map(same, dependents)) if dependents else Text("无登记", "none on record"))  # fmt: skip
    back = _back(facts)
    return (
        FormRow(fields=((Text("割接系统", "Systems"), named),)),
        FormRow(fields=((Text("所属部门", "Owners"), departments or UNKNOWN),)),
        FormRow(fields=((Text("业务影响", "Impact"), impact),)),
        FormRow(fields=((Text("回退安排", "Rollback"), back),)),
        FormRow(fields=((Text("窗口外或封网期变更理由", "Reason, if outside the window or in a freeze"), None),), lines=2),
        FormRow(fields=((Text("申请人", "Requested by"), None), (Text("申请日期", "Date"), None))),
    )  # fmt: skip


def _back(facts: WaveFacts) -> Text:
    """The last moments to decide, and from when on users write to the cloud: both as a span over the systems."""
    decide = sorted(s.back_by for s in facts.systems)
    switched = sorted(s.switched_at for s in facts.systems if s.switched_at)
    said = Text("各系统最迟决定回退：{t}", "last moment to decide on a rollback: {t}").format(t=_span(facts, decide))
    if switched:
        said = Text("{said}；入口切换（{t}）后写入新平台的数据不自动带回", "{said}; data written to the cloud after the switch of users ({t}) are not carried back").format(
            said=said, t=_span(facts, switched))  # fmt: skip
    return Text("{said}。详见回退方案", "{said}. See the rollback plan").format(said=said)


def _span(facts: WaveFacts, moments: Sequence[datetime]) -> Text:
    first, last = at_clock(facts, moments[0]), at_clock(facts, moments[-1])
    return first if first == last else Text("{a} 至{b}", "{a} to {b}").format(a=first, b=last)


def _users(users: Sequence[int], systems: int) -> Text:
    if not users:
        return same(UNKNOWN)
    unknown = systems - len(users)
    text = Text("{n} 人（{k} 个系统未登记）", "{n} ({k} systems unknown)") if unknown else Text("{n} 人", "{n}")
    return text.format(n=sum(users), k=unknown)


def _signatures(facts: WaveFacts) -> tuple[Signature, ...]:
    """The approver's block is filled in only by a word that lets every system of the wave be frozen."""
    return (
        Signature(party=Text("申请单位（实施单位）", "Requested by (builder)")),
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
_URGENT = Text("紧急批准，须第三人复核", "approved as an emergency; a third person has to review it")
