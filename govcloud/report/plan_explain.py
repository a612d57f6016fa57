"""Views of why a system moves, or a network closes, on its day."""

from __future__ import annotations

from collections.abc import Sequence

from govcloud.model.plan import EarlierWindow, MigrationPlan, PlanExplanation
from govcloud.model.plan_names import GOAL_NAMES, JOB_NAMES
from govcloud.model.schedule import GoalKind
from govcloud.model.text import Term, Text, same
from govcloud.report.findings import term
from govcloud.report.plan_index import PlanIndex, build_index
from govcloud.report.plan_words import BINDING, clock, day_text, listed
from govcloud.report.view import Cell, Column, View


def build_explanation_views(plan: MigrationPlan, explanation: PlanExplanation) -> tuple[View, ...]:
    """The answer with the chain that fixes the date, from the cutover back; the earlier windows with what is in the way;
    what would have to change."""
    facts = {
        "system_id": explanation.system_id, "wave": explanation.wave.number if explanation.wave else None,
        "slack_days": explanation.slack_days, "waits_for": explanation.waits_for, "awaited_by": explanation.awaited_by,
    }  # fmt: skip
    index = build_index(plan)
    chain: list[dict[str, Cell]] = [
        {
            "step": step,
            "kind": term(BINDING, b.kind),
            "job_id": _work(index, b.job_id),
            "subject": _work(index, b.subject),
            "text": b.text,
        }
        for step, b in enumerate(explanation.bindings, 1)
    ]
    columns = (
        Column("step", Text("次序", "Step"), "right"),
        Column("job_id", Text("工作", "Work")),
        Column("kind", Text("由什么决定", "Fixed by")),
        Column("subject", Text("取决于", "Depends on")),
        Column("text", Text("说明", "Why")),
    )
    shown = [
        View(name="explanation", title=Text("排期说明", "Why this date"), columns=columns if chain else (),
             rows=tuple(chain), notes=_notes(plan, explanation), facts=facts)
    ]  # fmt: skip
    if explanation.earlier:
        shown.append(_earlier(plan, explanation.earlier))
    if explanation.to_move_earlier:
        changes: list[dict[str, Cell]] = [{"change": text} for text in explanation.to_move_earlier]
        shown.append(
            View(name="to_move_earlier", title=Text("怎样才能提前", "What would move it earlier"),
                 columns=(Column("change", Text("要改变什么（改动小的在前）", "What to change, the smallest first")),), rows=tuple(changes))
        )  # fmt: skip
    return tuple(shown)


def _earlier(plan: MigrationPlan, windows: Sequence[EarlierWindow]) -> View:
    zone = build_index(plan).zone
    rows: list[dict[str, Cell]] = [
        {"date": day_text(e.window.starts_at, zone), "possible": not e.reasons, "why": _verdict(e)} for e in windows
    ]
    columns = (
        Column("date", Text("更早的窗口", "Earlier window")),
        Column("possible", Text("可行", "Possible")),
        Column("why", Text("为什么不排在这里", "Why not here")),
    )
    scripts = [
        {"opens_on": e.window.opens_on, "codes": [r.code for r in e.reasons], "worse": e.worse, "better": e.better}
        for e in windows
    ]
    return View(name="earlier", title=Text("更早的窗口", "Earlier windows"), columns=columns, rows=tuple(rows),
                facts={"windows": scripts})  # fmt: skip


def _verdict(earlier: EarlierWindow) -> Text:
    if earlier.reasons:
        return listed((r.text for r in earlier.reasons), "；", "; ")
    if earlier.worse:
        return Text("可行，但会变差：{w}", "possible, but worse for: {w}").format(w=_goals(earlier.worse))
    if earlier.better:
        return Text("可行，且会改善：{b}", "possible, and better for: {b}").format(b=_goals(earlier.better))
    return Text("可行，总体不变好也不变差", "possible, neither better nor worse")


def _goals(kinds: Sequence[GoalKind]) -> Text:
    return listed(GOAL_NAMES[kind] for kind in kinds)


def _work(index: PlanIndex, name: str) -> Text:
    """`SL-MZ-03 演练`; resources, crews and the like under their own names. The code is the id."""
    job = index.jobs.get(name)
    subject, _, last = name.rpartition("/")
    kind = job.kind if job else "cutover" if last == "cutover" and subject in index.groups else None
    if kind is not None:
        named = Text("{s} {k}", "{s} {k}").format(s=job.subject_id if job else subject, k=JOB_NAMES[kind])
    elif name in index.networks:
        named = Text("{n}撤销", "closing of {n}").format(n=index.networks[name].name)
    else:
        named = _START if name == "start" else same(name)
    return Term(named.zh, named.en, name)


_START = Text("计划起始日", "start of the plan")


def _notes(plan: MigrationPlan, explanation: PlanExplanation) -> tuple[Text, ...]:
    move, wave = explanation.move, explanation.wave
    named = explanation.system_id in explanation.text.zh
    text = Text("{s}：{t}", "{s}: {t}").format(s=explanation.system_id, t=explanation.text)
    notes = [explanation.text if named else text]
    if move is not None and wave is not None:
        zone, opening = build_index(plan).zone, wave.window.starts_at
        notes.append(
            Text("{d} {a} 开始，{b} 前割接完，回退预留至 {c}，{crew}", "{d}: from {a}, cut over by {b}, reserve to {c}, {crew}").format(
                d=day_text(opening, zone), a=clock(move.starts_at, opening, zone), b=clock(move.cutover_ends_at, opening, zone),
                c=clock(move.ends_at, opening, zone), crew=move.crew,
            )
        )  # fmt: skip
        if explanation.minutes is not None:
            notes.append(explanation.minutes)
    index = build_index(plan)
    for text, ids in (
        (Text("须在它之前：{ids}", "Comes before it: {ids}"), explanation.waits_for),
        (Text("在等它：{ids}", "Waits for it: {ids}"), explanation.awaited_by),
    ):
        if ids:
            notes.append(text.format(ids=listed(_work(index, name) for name in ids)))
    if explanation.slack_days is not None:
        slack = Text(
            "机动时间 {n} 天：推后这么多不影响其他安排", "Slack {n} days: so much later without moving anything else"
        )
        none = Text("没有机动时间：推后会影响其他安排", "No slack: any later, and something else moves")
        notes.append(slack.format(n=explanation.slack_days) if explanation.slack_days else none)
    return tuple(notes)
