"""A plan as a file, and an edited plan back: every edit becomes a pin, and the plan is judged and made again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from govcloud.discovery.plan_form import PlanRow, parse_plan_form
from govcloud.discovery.workbook import load_workbook
from govcloud.errors import InputError, UsageError
from govcloud.model.plan import MigrationPlan, Move, PlanViolation, Wave
from govcloud.model.plan_pin import PlanEdit
from govcloud.model.text import Text
from govcloud.planning import risk, verify
from govcloud.planning.edits import carry_out
from govcloud.planning.explain import explain_subjects
from govcloud.report import plan as views
from govcloud.report import plan_sheet
from govcloud.report.files import save
from govcloud.report.plan_ics import render_plan_ics
from govcloud.report.plan_mermaid import render_plan_mermaid
from govcloud.report.text import render_json
from govcloud.workflow.plan import load_plan
from govcloud.workflow.plan_pins import left_out, list_pins
from govcloud.workflow.session import Session

FORMS = ("xlsx", "html", "ics", "csv", "md", "json")
"""Of `export_plan`: endings of the file's name."""
MANY_GROUPS = 300
"""Of more groups than this the web page explains only the ones that a person has named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EditedPlan:
    """What an edited sheet says, and what it would break as it stands."""

    plan: MigrationPlan
    edits: tuple[PlanEdit, ...]
    violations: tuple[PlanViolation, ...]
    missing: tuple[str, ...]
    """Systems of the plan that have no row in the file: nothing changes for them."""
    edited: MigrationPlan
    """The plan with the edits carried out and nothing else moved; for its risks."""


def export_plan(session: Session, path: Path, plan_id: str | None = None) -> Path:
    """Write the plan in the form that the file's ending names. Raises UsageError for an unknown one, OutsideError."""
    plan = load_plan(session, plan_id)
    renderers: Mapping[str, Callable[[], str | bytes]] = {
        ".json": lambda: render_json([views.build_plan_view(plan)], session.lang),
        ".csv": lambda: plan_sheet.render_plan_csv(plan, risk.assess_groups(plan), session.lang),
        ".xlsx": lambda: plan_sheet.render_plan_sheet(plan, risk.assess_groups(plan), session.lang),
        ".html": lambda: _page(session, plan),
        ".ics": lambda: render_plan_ics(plan, site=session.workspace.settings.site, now=session.now(), lang=session.lang),
        ".md": lambda: render_plan_mermaid(plan, session.lang),
    }  # fmt: skip
    render = renderers.get(path.suffix.lower())
    if render is None:
        raise UsageError(
            Text("不认识的文件类型", "Unknown kind of file"), where=str(path),
            next_step=Text("文件名以这些结尾：{f}", "Let the name end in one of {f}").format(f=" ".join(renderers)),
        )  # fmt: skip
    made = render()
    return save(path, made.encode() if isinstance(made, str) else made)


def _page(session: Session, plan: MigrationPlan) -> str:
    # The charts take a second to import, and `plan show` needs none.
    from govcloud.report.plan_html import render_plan_html

    groups = [g for g in plan.problem.groups if len(plan.problem.groups) <= MANY_GROUPS]
    whys = dict(explain_subjects(plan, [g.group_id for g in groups]))
    return render_plan_html(
        plan, lang=session.lang, office=session.workspace.settings.name, made_at=session.now(),
        made_by=session.actor, whys=whys, risks=(*risk.assess_groups(plan), *risk.assess_waves(plan)),
    )  # fmt: skip


def read_edits(session: Session, path: Path, plan_id: str | None = None) -> EditedPlan:
    """Compare an edited sheet with the plan it came from. Raises InputError for what can't be read or meant."""
    plan = load_plan(session, plan_id)
    rows = parse_plan_form(load_workbook(path))
    where = {m.system_id: (w, m) for w in plan.waves for m in w.moves}
    why_not = _why_not(session, plan)
    known = {t.system_id for t in plan.problem.tasks} | why_not.keys()
    edits = []
    for row in rows:
        edit = _edit(plan, row, where.get(row.system_id))
        if edit is not None or row.system_id not in known:
            edits.append(_possible(plan, row, edit, row.system_id in where, why_not.get(row.system_id)))
    edited = carry_out(plan, edits)
    return EditedPlan(
        plan=plan, edits=tuple(edits), edited=edited, missing=tuple(sorted(set(where) - {r.system_id for r in rows})),
        violations=tuple(verify.verify_placing(plan.problem, edited.waves, edited.activities)),
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class _WhyNot:
    """Why a system has no window, and what would have to be done first."""

    reason: Text
    next_step: Text


def _why_not(session: Session, plan: MigrationPlan) -> Mapping[str, _WhyNot]:
    """Of the systems that no edit can give a window; those that only found no place are not among them."""
    by_hand, problem = left_out(list_pins(session)), plan.problem
    unpin = Text(
        "先取消：govcloud plan unpin {s} --reason …", "First withdraw that: govcloud plan unpin {s} --reason …"
    )
    clear = Text(
        "清空日期和批次；原因消除后重新排期",
        "Empty its day and wave; plan again once the reason no longer holds",
    )
    found = {
        e.system_id: _WhyNot(
            reason=e.reason, next_step=unpin.format(s=e.system_id) if e.system_id in by_hand else clear
        )
        for e in problem.excluded
    }
    members = {g.group_id: g.system_ids for g in problem.groups}
    over = {s for p in problem.pins if p.source == "executed" for s in members.get(p.group_id, ())}
    needless = {s for g in problem.groups if g.path == "retire" for s in g.system_ids}
    found |= {s: _WhyNot(reason=Text("已经割接", "it has been cut over"), next_step=clear) for s in over}
    found |= {
        s: _WhyNot(reason=Text("下线，不占用窗口", "it retires and needs no window"), next_step=clear) for s in needless
    }
    return found


def _edit(plan: MigrationPlan, row: PlanRow, at: tuple[Wave, Move] | None) -> PlanEdit | None:
    """A changed day counts more than a changed wave; both emptied leave the system out. None: as in the plan."""
    was_on, was_in, was_by = (at[0].window.opens_on, at[0].number, at[1].crew) if at else (None, None, None)
    day: date | None
    if row.opens_on not in (None, was_on):
        day = row.opens_on
    elif row.wave not in (None, was_in):
        day = _day_of(plan, row)
    else:
        day = None if row.opens_on is None and row.wave is None else was_on
    crew = row.crew if row.crew != was_by else None
    if day == was_on and crew is None:
        return None
    return PlanEdit(system_id=row.system_id, row=row.place, opens_on=day, crew=crew)


def _possible(
    plan: MigrationPlan, row: PlanRow, edit: PlanEdit | None, placed: bool, why_not: _WhyNot | None
) -> PlanEdit:
    """The edit, if it can be carried out at all; whether that breaks a rule is for the verifier to say."""
    if why_not is not None:
        what = Text("{s} 不能排入窗口：{r}", "{s} can't have a window: {r}").format(s=row.system_id, r=why_not.reason)
        raise InputError(what, where=row.place, next_step=why_not.next_step)
    if edit is None or (edit.opens_on is None and not placed):
        raise InputError(
            Text("{s} 不在计划中，也没有写日期", "{s} is not in the plan, and its row has no date").format(s=row.system_id),
            where=row.place, next_step=Text("写上窗口日期，或删去这一行", "Give the date of a window, or delete the row"),
        )  # fmt: skip
    if edit.opens_on is not None and edit.opens_on not in {w.opens_on for w in plan.problem.windows}:
        raise InputError(
            Text("{d} 没有变更窗口", "No change window opens on {d}").format(d=edit.opens_on), where=row.place,
            next_step=Text("可选日期见“可用窗口”表", "The sheet of free windows lists the days"),
        )  # fmt: skip
    if edit.crew is not None and edit.crew not in {c.name for c in plan.problem.crews}:
        raise InputError(
            Text("没有班组 {c}", "There is no crew {c}").format(c=edit.crew), where=row.place,
            next_step=Text("班组在 planning.crews 中列出", "planning.crews lists the crews"),
        )  # fmt: skip
    return edit


def _day_of(plan: MigrationPlan, row: PlanRow) -> date:
    wave = next((w for w in plan.waves if w.number == row.wave), None)
    if wave is None:
        raise InputError(
            Text("计划没有第 {n} 批", "The plan has no wave {n}").format(n=row.wave), where=row.place,
            next_step=Text("要用新的窗口，请改“窗口日期”", "To use another window, change its date instead"),
        )  # fmt: skip
    return wave.window.opens_on
