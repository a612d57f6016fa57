"""The way back of a wave (回退方案): every step with its undo, in which order, how long, and what can't be undone from when on."""

from __future__ import annotations

from dataclasses import replace

from govcloud.model.text import Text
from govcloud.report.cutover_document import SIGNERS, build_notice, build_triggers_view, wave_form
from govcloud.report.document import Document, Section
from govcloud.report.text import UNKNOWN
from govcloud.report.wave_facts import WaveFacts
from govcloud.report.wave_views import build_undo_view, build_way_back_views


def build_rollback_document(facts: WaveFacts, blank: Document) -> Document:
    """`blank`: with the office, the time and the source filled in."""
    sections = (
        Section(section_id="overview", title=Text("概况", "Overview"), form=wave_form(facts), paragraphs=_principles(facts)),
        Section(section_id="triggers", title=Text("回退触发条件", "Rollback triggers"), views=(build_triggers_view(facts),)),
        Section(section_id="undo", title=Text("各步骤的撤销办法", "How each step is undone"), views=(build_undo_view(facts),)),
        Section(section_id="order", title=Text("回退次序", "Order of the rollback"), intro=_ORDER, views=build_way_back_views(facts)),
        Section(section_id="limits", title=Text("不能撤销的事项", "What cannot be undone"), paragraphs=_limits(facts)),
        Section(section_id="after", title=Text("回退后核对", "After the rollback"), paragraphs=_AFTER),
    )  # fmt: skip
    return replace(
        blank, title=Text("第 {n} 批回退方案", "Rollback plan, wave {n}").format(n=facts.number), sections=sections,
        notice=build_notice(facts), signatures=SIGNERS,
    )  # fmt: skip


_ORDER = Text(
    "先用户、再源、后目标：目标连不上时，源也须先恢复服务。只撤销已开始的步骤；撤销可重复执行。",
    "Users first, then the source, the target last: the source must serve again even if the target cannot be reached. Only steps "
    "that were begun are undone; an undo may be repeated.",
)


def _principles(facts: WaveFacts) -> tuple[Text, ...]:
    return (
        Text("源系统在割接中只停止写入，不删除数据；验收前任何时候都可回退到源系统。",
             "The cutover stops writes at the source and deletes nothing there: until acceptance the source can serve again at any time."),
        Text("冻结之前的步骤不改动源系统，失败时无须回退，只清理目标。",
             "Steps before the freeze do not change the source: if one fails, only the target is cleaned up."),
        Text("{t}；验收后源环境保留 {r} 天。", "{t}; after acceptance the source is kept for {r} days.").format(
            t=_trial(facts.limits.get("trial_days", 0)), r=facts.limits.get("retention_days", UNKNOWN)),
    )  # fmt: skip


def _trial(days: int) -> Text:
    if not days:
        return Text("未规定试运行最短天数", "No minimum trial run is set")
    return Text("试运行至少 {t} 天", "The trial run lasts at least {t} days").format(t=days)


def _limits(facts: WaveFacts) -> tuple[Text, ...]:
    used = {line.step.name: line.step for s in facts.systems for line in s.steps}
    lines = []
    for step in used.values():
        if step.point_of_no_return:
            lines.append(
                Text("“{t}”开始后，目标接收的写入不自动带回源：回退时导出并列明、存为证据，由业务部门决定补录。",
                     "From “{t}” on, what the target takes in is not carried back: a rollback exports and lists it as evidence, and "
                     "the owner decides what is entered again.").format(t=step.title)
            )  # fmt: skip
        if not step.reversible:
            lines.append(Text("“{t}”不可撤销：{u}。", "“{t}” cannot be undone: {u}.").format(t=step.title, u=step.undo))
    lines += [
        Text("验收后不再回退；确需迁回的，按紧急程序另行立项。", "After acceptance there is no rollback; moving back would be a new migration under the emergency procedure."),
        Text("缓存了旧域名记录的用户，在缓存到期前仍可能访问切换前的地址。", "Users whose computers have cached the old DNS record may still reach the earlier address until it expires."),
    ]  # fmt: skip
    return tuple(lines)


_AFTER = (
    Text("源系统经入口应答正常，业务部门试办一笔业务确认。", "The source answers through the entrance, and the owner confirms it by handling one real case."),
    Text("目标副本标记作废、停止服务，数据保留备查，不得再投入使用；重新割接须重新复制并核对。",
         "The copy on the target is marked void and stopped; its data are kept for reference and never used again. Another cutover copies and compares anew."),
    Text("回退的原因、时间和结果写入台账，并出具执行报告。", "The reason, the times and the result are recorded in the ledger, and a run report is issued."),
)  # fmt: skip
