"""The papers at the end of a run: acceptance after the trial (验收单), and the switch-off of the old side (下线记录)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from govcloud.model.gate import Order
from govcloud.model.run import MOVED
from govcloud.model.text import Text, same
from govcloud.report.document import Document, FormRow, Section, Signature
from govcloud.report.plan_words import listed
from govcloud.report.proof_levels import CLAIMS, State, attempts_of, build_claims
from govcloud.report.run import STATE
from govcloud.report.run_facts import told
from govcloud.report.run_overview import SystemStatus
from govcloud.report.run_paper import RunPaper, downtime_min, run_form, served_at
from govcloud.report.text import UNKNOWN
from govcloud.report.view import Cell

_PEOPLE = (Text("负责人", "Head"), Text("经办人", "Officer"))
_PARTIES = (
    Signature(party=Text("建设（实施）单位", "Builder"), people=_PEOPLE),
    Signature(party=Text("监理单位（如有）", "Supervisor (if any)"), people=_PEOPLE),
    Signature(party=Text("验收组织单位", "Organiser of the acceptance"), people=_PEOPLE),
)


def _owners(paper: RunPaper, systems: Sequence[SystemStatus]) -> tuple[Signature, ...]:
    """Every department signs for its own; one block without a name where none is known."""
    known = dict.fromkeys(paper.departments.get(s.row.system_id) for s in systems)
    return tuple(Signature(party=Text("业主单位", "Owner"), unit=unit, people=_PEOPLE) for unit in known)


def build_acceptance_document(paper: RunPaper, blank: Document) -> Document:
    """A form for each system that serves from the target. `blank`: with the office, the time and the source filled in."""
    sections = tuple(
        Section(section_id=f"s-{n}", title=same(f"{s.row.system_id} {paper.names.get(s.row.system_id, '')}".strip()), form=_facts(paper, s))
        for n, s in enumerate(paper.moved, 1)
    )  # fmt: skip
    left = [s.row.system_id for s in paper.systems if s.row.state not in MOVED]
    note = Text(
        "本次执行中未在新平台服务、不列入验收的系统：{s}。",
        "Systems of the run that do not serve from the cloud and are not part of this acceptance: {s}.",
    )
    return replace(
        blank, title=Text("上云迁移验收单（{r}）", "Acceptance form, run {r}").format(r=paper.shown.run.run_id), numbered=True,
        sections=(Section(section_id="overview", title=Text("概况", "Overview"), form=run_form(paper)), *sections),
        closing=(note.format(s=listed(map(same, left))),) if left else (), signatures=(*_owners(paper, paper.moved), *_PARTIES),
    )  # fmt: skip


def _facts(paper: RunPaper, s: SystemStatus) -> tuple[FormRow, ...]:
    system_id = s.row.system_id
    accepted = next(iter(paper.orders(system_id, "accept")[-1:]), None)
    began = served_at(s)
    return (
        FormRow(fields=((Text("所属部门", "Department"), paper.departments.get(system_id, UNKNOWN)), (Text("当前状态", "State"), STATE[s.row.state]))),
        FormRow(fields=((Text("割接完成", "Cut over"), began or UNKNOWN), (Text("停机", "Downtime"), _downtime(s)))),
        FormRow(fields=((Text("试运行", "Trial run"), _trial(paper, began, accepted)),)),
        FormRow(fields=((Text("已证明级别", "Proven"), _levels(s, "proven")),)),
        FormRow(fields=((Text("未证明级别", "Not proven"), _levels(s, "not_proven", "lapsed")),)),
        FormRow(fields=((Text("待复核紧急批准", "Pending reviews"), _unreviewed(paper, system_id)),)),
        FormRow(fields=((Text("台账验收记录", "Acceptance on record"), _on_record(paper, accepted)),)),
        FormRow(fields=((Text("源环境保留", "Source is kept"), _retention(paper, accepted)),)),
        FormRow(fields=((Text("试运行问题与处理", "Problems in the trial run"), None),), lines=3),
        FormRow(fields=((Text("遗留问题与期限", "Open issues, due dates"), None),), lines=2),
        FormRow(fields=((Text("验收结论", "Conclusion"), Text("（　）通过　　（　）整改后通过　　（　）不通过", "(  ) passed   (  ) to pass once corrected   (  ) not passed")),)),
    )  # fmt: skip


def _levels(s: SystemStatus, *states: State) -> Cell:
    """In words: who signs need not know what L2 is."""
    said = [
        Text("{l} {c}", "{l} {c}").format(l=c.level, c=CLAIMS[c.level]) for c in build_claims(s) if c.state in states
    ]
    return listed(said, "；", "; ") if said else Text("无", "none")


def _downtime(s: SystemStatus) -> Cell:
    minutes = downtime_min(s)
    return UNKNOWN if minutes is None else Text("{n} 分钟", "{n} min").format(n=minutes)


def _trial(paper: RunPaper, began: datetime | None, accepted: Order | None) -> Text:
    days = paper.limit("trial_days")
    if began is None:
        return same(UNKNOWN)
    end = accepted.at if accepted else paper.shown.now
    least = (
        Text("规定至少 {d} 天", "at least {d} days required").format(d=days)
        if days
        else Text("未规定最短天数", "no minimum is set")
    )
    return Text("自 {a} 起，{w} {n}；{d}", "since {a}, {n} {w}; {d}").format(
        a=began.astimezone(paper.shown.zone).date(), n=_days((end - began).days), d=least,
        w=Text("至验收", "until acceptance") if accepted else Text("已", "so far"),
    )  # fmt: skip


def _days(days: int) -> Text:
    return Text("{n} 天", "{n} days").format(n=days) if days else Text("不足 1 天", "less than a day")


def _unreviewed(paper: RunPaper, system_id: str) -> Text:
    gates = {g.gate_id for g in paper.shown.gates if g.system_id == system_id}
    due = {a.gate_id for a in paper.shown.due_reviews if a.gate_id in gates}
    return Text("{n} 项", "{n}").format(n=len(due)) if due else Text("无", "none")


def _on_record(paper: RunPaper, accepted: Order | None) -> Cell:
    if accepted is None:
        return Text("尚无", "none yet")
    text = Text("{who}，{at}，意见：{why}", "{who}, {at}, remark: {why}")
    who = "，".join(filter(None, (accepted.unit, accepted.actor)))
    at = f"{accepted.at.astimezone(paper.shown.zone):%Y-%m-%d %H:%M}"
    return text.format(who=who, at=at, why=accepted.reason or UNKNOWN)


def _retention(paper: RunPaper, accepted: Order | None) -> Cell:
    days = paper.limit("retention_days")
    if days is None:
        return UNKNOWN
    if accepted is None:
        return Text("验收后 {n} 天", "{n} days after acceptance").format(n=days)
    until = (accepted.at + timedelta(days=days)).astimezone(paper.shown.zone).date()
    return Text("至 {d}（验收后 {n} 天）", "until {d} ({n} days after acceptance)").format(d=until, n=days)


def build_switch_off_document(paper: RunPaper, blank: Document) -> Document:
    """A form for each system whose source was switched off. `blank`: as above."""
    off = [s for s in paper.systems if s.row.state == "switched_off"]
    sections = tuple(
        Section(section_id=f"s-{n}", title=same(f"{s.row.system_id} {paper.names.get(s.row.system_id, '')}".strip()), form=_switched_off(paper, s))
        for n, s in enumerate(off, 1)
    )  # fmt: skip
    return replace(
        blank, title=Text("原系统下线记录（{r}）", "Switch-off record, run {r}").format(r=paper.shown.run.run_id), sections=sections,
        signatures=(*_owners(paper, off), Signature(party=Text("执行（实施）单位", "Carried out by (builder)"), people=_PEOPLE)),
    )  # fmt: skip


def _switched_off(paper: RunPaper, s: SystemStatus) -> tuple[FormRow, ...]:
    order = next(iter(paper.orders(s.row.system_id, "switch_off")[-1:]), None)
    done = attempts_of(s, "switch_off", ok=True)
    result = done[-1].result if done else None
    facts = told({k: v for k, v in result.facts.items() if k != "level"}) if result else []
    by = "，".join(filter(None, (order.unit, order.actor))) if order else UNKNOWN
    accepted = next(iter(paper.orders(s.row.system_id, "accept")[-1:]), None)
    return (
        FormRow(fields=((Text("所属部门", "Department"), paper.departments.get(s.row.system_id, UNKNOWN)), (Text("割接完成", "Cut over"), served_at(s) or UNKNOWN))),
        FormRow(fields=((Text("台账验收记录", "Acceptance on record"), _on_record(paper, accepted)),)),
        FormRow(fields=((Text("源环境保留", "Source was kept"), _retention(paper, accepted)),)),
        FormRow(fields=((Text("源主机", "Source hosts"), [m.source for m in s.row.spec.machines]),)),
        FormRow(fields=((Text("下令", "Ordered by"), by), (Text("停用时间", "Switched off at"), (result.finished_at if result else None) or UNKNOWN))),
        FormRow(fields=((Text("下令理由", "Reason given"), (order.reason if order else None) or UNKNOWN),)),
        FormRow(fields=((Text("停用内容", "What was done"), listed(facts) if facts else Text("停止服务并取消开机启动，不删除数据", "services stopped and disabled at boot; no data deleted")),)),
        FormRow(fields=((Text("证据摘要 SHA-256", "Evidence SHA-256"), (result.evidence_sha256 if result else None) or UNKNOWN),)),
        FormRow(fields=((Text("数据留存或销毁", "Data: kept or destroyed"), None),), lines=2),
        FormRow(fields=((Text("设备资产处置", "Disposal of the equipment"), None),), lines=2),
        FormRow(fields=((Text("线路和专网注销", "Lines and dedicated networks cancelled"), None),), lines=2),
        FormRow(fields=((Text("运维经费核减", "Maintenance budget reduced"), None),), lines=2),
    )  # fmt: skip
