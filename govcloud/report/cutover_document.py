"""The cutover plan of a wave (割接方案): window, systems in their order, steps, go or no-go, when to turn back, who is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from govcloud.model.text import Text, same
from govcloud.report.charts import render_night
from govcloud.report.document import Document, Figure, FormRow, Section, Signature
from govcloud.report.plan_words import listed
from govcloud.report.text import UNKNOWN
from govcloud.report.view import Cell, Column, View
from govcloud.report.wave_facts import BLANK, WaveFacts
from govcloud.report.wave_views import (
    at_clock,
    build_changes_view,
    build_contacts_view,
    build_impact_view,
    build_order_view,
    build_step_views,
    window_text,
)

_MOST_DRAWN = 60
"""More systems than this don't fit on one drawing of a night; the table has them all."""


def build_cutover_document(facts: WaveFacts, blank: Document) -> Document:
    """`blank`: with the office, the time and the source filled in."""
    night = Figure(
        title=Text("当晚时序", "The night"),
        svg=Text(render_night(facts.plan, facts.wave, "zh"), render_night(facts.plan, facts.wave, "en")),
    )
    sections = (
        Section(
            section_id="overview", title=Text("概况", "Overview"), form=wave_form(facts),
            figures=(night,) if len(facts.systems) <= _MOST_DRAWN else (),
        ),
        Section(section_id="order", title=Text("系统与次序", "Systems, in their order"), views=(build_order_view(facts),)),
        Section(section_id="impact", title=Text("业务影响", "Who notices"), views=(build_impact_view(facts),)),
        Section(section_id="steps", title=Text("实施步骤", "Steps"), intro=_STEPS, views=build_step_views(facts)),
        Section(section_id="changes", title=Text("入口与网络变更", "Changes of entrances and networks"), views=(build_changes_view(facts),)),
        Section(section_id="go", title=Text("开始与中止条件", "Go or no-go"), intro=_GO, views=(build_go_view(facts),)),
        Section(
            section_id="back", title=Text("回退触发条件", "What leads to the way back"),
            views=(build_triggers_view(facts),), paragraphs=(_BACK,),
        ),
        Section(section_id="contacts", title=Text("联系人", "Contacts"), views=(build_contacts_view(facts),)),
    )  # fmt: skip
    return replace(
        blank, title=Text("第 {n} 批割接方案", "Cutover plan of wave {n}").format(n=facts.number), sections=sections,
        notice=provisional(facts), signatures=SIGNERS,
    )  # fmt: skip


SIGNERS = (
    Signature(party=Text("编制（实施单位）", "Written by (builder)")),
    Signature(party=Text("审核（系统主管部门）", "Examined by (owner)")),
    Signature(party=Text("批准", "Approved by")),
)
_STEPS = Text(
    "计划时间按步骤典型用时和登记的数据量推算；执行人已登记执行的为发起人，其余和确认人当晚填写；二者不得为同一人。",
    "Times follow from the typical length of each step and the recorded amount of data. Who started a registered run does "
    "its steps; everything else is filled in that night. Who does a step and who checks it are never one person.",
)
_GO = Text(
    "以下各项全部满足方可冻结；任一项不满足，不开始割接。前六项由 govcloud 在冻结前核对，不满足时不放行。",
    "The source is frozen only when all of these hold. The first six are checked by govcloud, which does not go on without them.",
)
_BACK = Text(
    "回退的步骤、次序和界限见本批回退方案。",
    "Steps, order and limits of the way back are in the rollback plan of this wave.",
)


def wave_form(facts: WaveFacts) -> tuple[FormRow, ...]:
    """What a wave is, in the cells of a form; shared by the papers of a wave."""
    crews = sorted({s.move.crew for s in facts.systems})
    started = [Text("{r}（{by}）", "{r} ({by})").format(r=r.run.run_id, by=r.run.created_by) for r in facts.runs]
    return (
        FormRow(fields=((Text("批次", "Wave"), same(facts.number)), (Text("系统数", "Systems"), same(len(facts.systems))))),
        FormRow(fields=((Text("变更窗口", "Change window"), window_text(facts)),)),
        FormRow(fields=((Text("割接班组", "Crews"), crews), (Text("执行编号（发起人）", "Run (by)"), listed(started) if started else UNKNOWN))),
        FormRow(fields=((Text("迁移计划", "Plan"), facts.plan.plan_id),)),
        FormRow(fields=((Text("计划指纹 SHA-256", "Plan SHA-256"), facts.plan.plan_hash),)),
    )  # fmt: skip


def provisional(facts: WaveFacts) -> Text | None:
    if not facts.wave.window.provisional:
        return None
    return Text(
        "该年放假安排尚未公布，窗口日期为暂定。",
        "The holidays of that year are not published: the date is provisional.",
    )


def build_go_view(facts: WaveFacts) -> View:
    limits = facts.limits
    after = [s.system_id for s in facts.systems if s.after]
    conditions = (
        (Text("冻结已获批准，批准人不是发起人，批准未过期", "The freeze is approved, not by the starter, and the approval has not expired")
         if facts.approval else Text("按配置冻结无须批准", "By the settings the freeze needs no approval"),
         Text("批准有效 {h} 小时", "approvals last {h} h").format(h=limits.get("approval_hours", UNKNOWN))),
        (Text("批准后计划、迁移文件、主机、剧本均未改动", "Plan, migration file, hosts and playbooks are as they were approved"),
         Text("内容摘要比对", "digests are compared")),
        (Text("迁移前检查通过且未过时", "The check before the migration has been passed and is fresh"),
         Text("{m} 分钟内", "within {m} min").format(m=limits.get("precheck_valid_min", UNKNOWN))),
        (Text("副本演练和回退演练已通过", "The copy and the way back have been rehearsed"), Text("演练记录", "record of the rehearsal")),
        (Text("窗口剩余时间够割接和回退", "The window has time left for the cutover and the way back"),
         Text("按各步骤用时计算", "by the lengths of the steps")),
        (Text("先行系统已在新平台服务；本批未成功的不超过限额", "Systems that come first serve from the target; not too many of the wave have failed"),
         Text("有先行系统的：{s}；限额 {p}%", "with systems before them: {s}; limit {p} %").format(
             s=listed(map(same, after)) if after else UNKNOWN, p=limits.get("max_failed_pct", UNKNOWN))),
        (Text("执行人、确认人、业务验证人到位，联系畅通", "Those who do, confirm and try the business are there and can be reached"),
         Text("点名", "roll call")),
        (Text("用户已收到停机通知", "Users know of the downtime"), Text("通知记录", "record of the notice")),
    )  # fmt: skip
    rows: list[dict[str, Cell]] = [
        {"number": n, "condition": what, "how": how, "met": BLANK, "confirmer": BLANK}
        for n, (what, how) in enumerate(conditions, 1)
    ]
    columns = (
        Column("number", Text("序号", "No."), "right"),
        Column("condition", Text("条件", "Condition")),
        Column("how", Text("核对依据", "Checked by")),
        Column("met", Text("是否满足", "Met")),
        Column("confirmer", Text("确认人", "Confirmed by")),
    )
    return View(name="go", title=Text("开始与中止条件", "Go or no-go"), columns=columns, rows=tuple(rows))


def build_triggers_view(facts: WaveFacts) -> View:
    """What leads to the way back, and whose decision it is."""
    alone = [s.system_id for s in facts.systems if s.spec is None or s.spec.on_failure == "rollback"]
    held = [s.system_id for s in facts.systems if s.spec is not None and s.spec.on_failure == "hold"]
    person: Cell = list(facts.deciders) or BLANK
    rows: list[dict[str, Cell]] = []

    def add(systems: Sequence[str], what: Text, then: Text, who: Cell) -> None:
        if systems:
            rows.append({"what": what, "systems": list(systems), "then": then, "who": who})

    failed = Text(
        "冻结起任一步骤失败，含数据核对、服务验证不符",
        "A step fails from the freeze on, comparisons and proof of service included",
    )
    add(alone, failed, Text("立即自动回退", "the way back begins by itself"), Text("自动", "nobody, by itself"))
    add(held, failed, Text("停下，由人决定续做或回退", "it stops until somebody decides"), person)
    everyone = [s.system_id for s in facts.systems]
    add(everyone, Text("步骤结果不明，核对后仍不能确定", "Nobody knows what a step did, and looking does not tell"),
        Text("停下，由人决定", "it stops until somebody decides"), person)  # fmt: skip
    for moment in sorted({s.back_by for s in facts.systems}):
        late = [s.system_id for s in facts.systems if s.back_by == moment]
        add(late, Text("至{t}服务验证仍未通过", "By {t} the service is not proven").format(t=at_clock(facts, moment)),
            Text("下令回退", "order the way back"), person)  # fmt: skip
    add(everyone, Text("试运行期间业务不能接受", "During the trial run the owner can't accept it"),
        Text("下令回退（验收前）", "order the way back, before acceptance"), person)  # fmt: skip
    columns = (
        Column("what", Text("条件", "When")),
        Column("systems", Text("系统", "Systems")),
        Column("then", Text("处置", "What is done")),
        Column("who", Text("决定人", "Who decides")),
    )
    return View(name="triggers", title=Text("回退触发条件", "What leads to the way back"), columns=columns, rows=tuple(rows))  # fmt: skip
