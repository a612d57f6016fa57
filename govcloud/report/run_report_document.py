"""The report of a run (执行报告): what came of each system, times against the plan, failures, decisions, emergencies."""

from __future__ import annotations

from dataclasses import replace

from govcloud.model.text import Text
from govcloud.report.document import Document, Number, Section, Signature
from govcloud.report.proof_levels import attempts_of
from govcloud.report.run_facts import told
from govcloud.report.run_paper import (
    RunPaper,
    build_emergencies_view,
    build_failures_view,
    build_outcome_view,
    build_times_view,
    downtime_min,
    run_form,
)
from govcloud.report.run_records import build_attempts_view, build_orders_view
from govcloud.report.view import View
from govcloud.report.wave_views import build_words_view


def build_run_report_document(paper: RunPaper, blank: Document) -> Document:
    """`blank`: with the office, the time and the source filled in."""
    words = tuple(
        build_words_view(paper.shown.titles, paper.words, paper.shown.zone, counting=counting)
        for counting in (True, False)
    )
    sections = (
        Section(section_id="overview", title=Text("概况", "Overview"), numbers=_numbers(paper), form=run_form(paper)),
        Section(section_id="outcome", title=Text("各系统结果", "Outcome of each system"), views=(build_outcome_view(paper),),
                paragraphs=_written_meanwhile(paper)),
        _section("times", Text("计划与实际用时", "Planned and actual times"), build_times_view(paper)),
        _section("failures", Text("未成功的尝试", "Unsuccessful attempts"), build_failures_view(paper)),
        _section("words", Text("批准记录", "Approvals"), *words),
        _section("emergencies", Text("紧急批准及复核", "Emergency approvals and their review"), build_emergencies_view(paper)),
        _section("orders", Text("命令和决定", "Orders and decisions"), build_orders_view(paper.shown)),
        _section("attempts", Text("附：各次尝试", "Annex: all attempts"), build_attempts_view(paper.shown)),
    )  # fmt: skip
    return replace(
        blank, title=Text("迁移执行报告（{r}）", "Migration report, run {r}").format(r=paper.shown.run.run_id), sections=sections,
        notice=_unfinished(paper), signatures=(
            Signature(party=Text("编制（实施单位）", "Prepared by (builder)")),
            Signature(party=Text("审核（系统主管部门）", "Reviewed by (owner)")),
        ),
    )  # fmt: skip


def _section(section_id: str, title: Text, *views: View) -> Section:
    """A section whose tables are empty says so: that nothing failed is news, too."""
    shown = tuple(v for v in views if v.rows)
    return Section(
        section_id=section_id, title=title, views=shown, paragraphs=() if shown else (Text("无。", "There are none."),)
    )


def _numbers(paper: RunPaper) -> tuple[Number, ...]:
    states = [s.row.state for s in paper.systems]
    back = sum(s in ("rolled_back", "failed", "cancelled") for s in states)
    spans = [minutes for s in paper.systems if (minutes := downtime_min(s)) is not None]
    unit = Text("个", "")
    return (
        Number(label=Text("系统", "Systems"), value=len(states), unit=unit),
        Number(label=Text("已在新平台服务", "In service on the cloud"), value=len(paper.moved), unit=unit, tone="good" if paper.moved else "plain"),
        Number(label=Text("未成功、已取消或已回退", "Failed, cancelled or rolled back"), value=back, unit=unit, tone="bad" if back else "plain"),
        Number(label=Text("最长停机", "Longest downtime"), value=max(spans, default=None), unit=Text("分钟", "min")),
    )  # fmt: skip


def _unfinished(paper: RunPaper) -> Text | None:
    left = sum(s.row.state in ("waiting", "running", "held", "needs_person", "rolling_back") for s in paper.systems)
    if not left:
        return None
    return Text("执行尚未结束：{n} 个系统还在途中。", "The run is not over: systems still under way: {n}.").format(
        n=left
    )


def _written_meanwhile(paper: RunPaper) -> tuple[Text, ...]:
    """What became of the data that the target took before a way back."""
    lines = []
    for s in paper.systems:
        if s.row.state != "rolled_back" or not attempts_of(s, "cutover"):
            continue
        facts = {
            key: value for a in attempts_of(s, "cutover", "rollback", ok=True) if a.result
            for key, value in a.result.facts.items() if key in ("taken_rows", "taken_deleted") and value
        }  # fmt: skip
        found = told(facts)
        taken = Text("；".join(t.zh for t in found), "; ".join(t.en for t in found))
        lines.append(
            Text("{s} 已回退，源系统恢复服务；割接后写入目标的数据未带回：{t}。",
                 "{s} was rolled back and the source serves again. Data written to the cloud in between were not carried back: {t}.").format(
                s=s.row.system_id, t=taken if found else Text("没有记录到新增或改动", "nothing was recorded"))
        )  # fmt: skip
    return tuple(lines)
