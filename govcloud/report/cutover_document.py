"""The cutover plan of a wave (割接方案): window, systems in their order, steps, go or no-go, when to turn back, who is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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

_NAMED = 6
"""More systems than this are counted, not named, above the text."""
_MOST_DRAWN = 60
"""More systems than this don't fit on one drawing of a night; the table has them all."""


def build_cutover_document(facts: WaveFacts, blank: Document) -> Document:
    """`blank`: with the office, the time and the source filled in."""
    night = Figure(
        title=Text("当晚时序", "Timeline of the night"),
        svg=Text(render_night(facts.plan, facts.wave, "zh"), render_night(facts.plan, facts.wave, "en")),
    )
    sections = (
        Section(
            section_id="overview", title=Text("概况", "Overview"), form=wave_form(facts),
            figures=(night,) if len(facts.systems) <= _MOST_DRAWN else (),
        ),
        Section(section_id="order", title=Text("系统与次序", "Systems and their order"), views=(build_order_view(facts),)),
        Section(section_id="impact", title=Text("业务影响", "Impact on users"), views=(build_impact_view(facts),)),
        Section(section_id="steps", title=Text("实施步骤", "Steps"), intro=_STEPS, views=build_step_views(facts)),
        Section(section_id="changes", title=Text("入口与网络变更", "Changes to entrances and networks"), views=(build_changes_view(facts),)),
        Section(section_id="go", title=Text("开始条件", "Go or no-go"), intro=_GO, views=(build_go_view(facts),)),
        Section(
            section_id="back", title=Text("回退触发条件", "Rollback triggers"),
            views=(build_triggers_view(facts),), paragraphs=(_BACK,),
        ),
        Section(section_id="contacts", title=Text("值守与联系", "On duty and contacts"), form=_DUTY, views=(build_contacts_view(facts),)),
    )  # fmt: skip
    return replace(
        blank, title=Text("第 {n} 批割接方案", "Cutover plan, wave {n}").format(n=facts.number), sections=sections,
        notice=build_notice(facts), signatures=SIGNERS,
    )  # fmt: skip


SIGNERS = (
    Signature(party=Text("编制（实施单位）", "Prepared by (builder)")),
    Signature(party=Text("审核（系统主管部门）", "Reviewed by (owner)")),
    Signature(party=Text("批准", "Approved by")),
)
_STEPS = Text(
    "计划时间按各步骤用时和登记的数据量推算。已登记执行的，执行人为发起人；其余执行人和确认人当晚填写，二者不得为同一人。",
    "Times follow from the length of each step and the recorded amount of data. Where a run is registered, the person who "
    "started it carries out the steps; other names are filled in on the night. Nobody checks a step of their own.",
)
_GO = Text(
    "以下各项全部满足方可冻结；任一项不满足，不开始割接。前六项由 govcloud 在冻结前核对，不满足时不放行。",
    "The source is frozen only if every condition holds. govcloud itself checks the first six and does not proceed without them.",
)
_BACK = Text(
    "回退的步骤、次序和界限见本批回退方案。",
    "Steps, order and limits of a rollback are in this wave's rollback plan.",
)
_DECISION: Mapping[str, Cell] = {
    "number": BLANK, "condition": Text("决定：（　）开始割接　　（　）不开始，另行安排", "Decision: (  ) go   (  ) no go, to be rescheduled"),
    "how": Text("割接指挥签字，注明时间", "signed by who is in command, with the time"), "met": BLANK, "confirmer": BLANK,
}  # fmt: skip
_DUTY = tuple(
    FormRow(fields=((role, None), (Text("电话", "Telephone"), None)))
    for role in (
        Text("割接指挥", "In command"), Text("回退决定人", "Decides on rollback"), Text("政务云平台值守", "Cloud platform on duty"),
        Text("网络值守", "Network on duty"),
    )
)  # fmt: skip
"""Whom nobody's records name, but everybody calls that night."""


def wave_form(facts: WaveFacts) -> tuple[FormRow, ...]:
    """What a wave is, in the cells of a form; shared by the papers of a wave."""
    crews = sorted({s.move.crew for s in facts.systems})
    started = [Text("{r}（{by}）", "{r} ({by})").format(r=r.run.run_id, by=r.run.created_by) for r in facts.runs]
    return (
        FormRow(fields=((Text("批次", "Wave"), same(facts.number)), (Text("系统数", "Systems"), same(len(facts.systems))))),
        FormRow(fields=((Text("变更窗口", "Change window"), window_text(facts)),)),
        FormRow(fields=((Text("割接班组", "Crews"), crews), (Text("执行编号（发起人）", "Run (started by)"), listed(started) if started else UNKNOWN))),
        FormRow(fields=((Text("迁移计划", "Plan"), facts.plan.plan_id),)),
        FormRow(fields=((Text("计划指纹 SHA-256", "Plan SHA-256"), facts.plan.plan_hash),)),
    )  # fmt: skip


def build_notice(facts: WaveFacts) -> Text | None:
    """What whoever signs has to know before anything else; nothing where all is in order."""
    said = []
    if facts.wave.window.provisional:
        said.append(Text("该年放假安排尚未公布，窗口日期为暂定。", "The holidays of that year are not published yet: the date is provisional."))  # fmt: skip
    if facts.without_spec:
        said.append(
            Text("尚无迁移文件、步骤按标准估算的系统：{s}。", "Without a migration file, steps estimated: {s}.").format(s=_ids(facts.without_spec))
        )  # fmt: skip
    if over := [s.system_id for s in facts.systems if s.over_min]:
        said.append(
            Text("割接用时超出计划、须先调整计划的系统：{s}。", "Longer than planned, revise the plan first: {s}.").format(s=_ids(over))
        )  # fmt: skip
    return Text("".join(t.zh for t in said), " ".join(t.en for t in said)) if said else None


def _ids(system_ids: Sequence[str]) -> Text:
    named = listed(map(same, system_ids[:_NAMED]))
    more = Text("{s} 等 {n} 个", "{s} and others, {n} in all").format(s=named, n=len(system_ids))
    return more if len(system_ids) > _NAMED else named


def build_go_view(facts: WaveFacts) -> View:
    limits = facts.limits
    after = [s.system_id for s in facts.systems if s.after]
    conditions = (
        (Text("冻结已获批准，批准人不是发起人，批准未过期", "The freeze is approved by someone other than the starter, and still valid")
         if facts.approval else Text("按配置冻结无须批准", "By the settings the freeze needs no approval"),
         Text("批准有效 {h} 小时", "approvals last {h} h").format(h=limits.get("approval_hours", UNKNOWN))),
        (Text("批准后计划、迁移文件、主机、剧本均未改动", "Plan, migration file, hosts and playbooks unchanged since the approval"),
         Text("内容摘要比对", "comparison of digests")),
        (Text("迁移前检查通过且未过时", "The pre-migration check has passed and is recent"),
         Text("{m} 分钟内", "in the last {m} min").format(m=limits.get("precheck_valid_min", UNKNOWN))),
        (Text("副本演练和回退演练已通过", "The copy and its rollback have been rehearsed"), Text("演练记录", "records of the rehearsal")),
        (Text("窗口剩余时间够割接和回退", "The window has time for the cutover and a rollback"),
         Text("按各步骤用时计算", "lengths of the steps")),
        (Text("先行系统已在新平台服务；本批未成功的不超过限额", "Systems that come first serve from the cloud; failures in the wave are within the limit"),
         Text("有先行系统的：{s}；限额 {p}%", "systems that wait for others: {s}; limit {p} %").format(
             s=listed(map(same, after)) if after else UNKNOWN, p=limits.get("max_failed_pct", UNKNOWN))),
        (Text("执行人、确认人、业务验证人到位，联系畅通", "Everyone who acts, checks or tests is in place and can be reached"),
         Text("点名", "roll call")),
        (Text("用户已收到停机通知", "Users have been told of the downtime"), Text("通知记录", "the notice sent")),
    )  # fmt: skip
    rows: list[Mapping[str, Cell]] = [
        {"number": n, "condition": what, "how": how, "met": BLANK, "confirmer": BLANK}
        for n, (what, how) in enumerate(conditions, 1)
    ]
    rows.append(_DECISION)
    columns = (
        Column("number", Text("序号", "No."), "right"),
        Column("condition", Text("条件", "Condition")),
        Column("how", Text("核对依据", "Checked against")),
        Column("met", Text("是否满足", "Met")),
        Column("confirmer", Text("确认人", "Confirmed by")),
    )
    return View(name="go", title=Text("开始条件", "Go or no-go"), columns=columns, rows=tuple(rows))


def build_triggers_view(facts: WaveFacts) -> View:
    """What leads to a rollback, and whose decision it is."""
    alone = [s.system_id for s in facts.systems if s.spec is None or s.spec.on_failure == "rollback"]
    held = [s.system_id for s in facts.systems if s.spec is not None and s.spec.on_failure == "hold"]
    person: Cell = list(facts.deciders) or BLANK
    rows: list[dict[str, Cell]] = []

    def add(systems: Sequence[str], what: Text, then: Text, who: Cell) -> None:
        if systems:
            rows.append({"what": what, "systems": list(systems), "then": then, "who": who})

    failed = Text(
        "冻结起任一步骤失败，含数据核对、服务验证不符",
        "Any step from the freeze on fails, including the comparison of data and the check of the service",
    )
    add(alone, failed, Text("立即自动回退", "automatic rollback at once"), Text("自动", "automatic"))
    add(held, failed, Text("停下，由人决定续做或回退", "stop; a person decides: go on or roll back"), person)
    everyone = [s.system_id for s in facts.systems]
    add(everyone, Text("步骤结果不明，核对后仍不能确定", "The outcome of a step is unknown and a check does not settle it"),
        Text("停下，由人决定", "stop; a person decides"), person)  # fmt: skip
    for moment in sorted({s.back_by for s in facts.systems}):
        late = [s.system_id for s in facts.systems if s.back_by == moment]
        add(late, Text("至{t}服务验证仍未通过", "The service has not passed its check by {t}").format(t=at_clock(facts, moment)),
            Text("下令回退", "order a rollback"), person)  # fmt: skip
    add(everyone, Text("试运行期间业务不能接受", "The business cannot accept it during the trial run"),
        Text("下令回退（验收前）", "order a rollback (before acceptance)"), person)  # fmt: skip
    columns = (
        Column("what", Text("条件", "When")),
        Column("systems", Text("系统", "Systems")),
        Column("then", Text("处置", "What is done")),
        Column("who", Text("决定人", "Who decides")),
    )
    return View(name="triggers", title=Text("回退触发条件", "Rollback triggers"), columns=columns, rows=tuple(rows))  # fmt: skip
