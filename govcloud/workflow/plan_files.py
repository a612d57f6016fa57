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
from govcloud.report.plan_html import render_plan_html
from govcloud.report.plan_ics import render_plan_ics
from govcloud.report.plan_mermaid import render_plan_mermaid
from govcloud.report.text import render_json
from govcloud.workflow.plan import load_plan
from govcloud.workflow.session import Session

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
    out = {u.system_id for u in plan.unplaced} | {e.system_id for e in plan.problem.excluded}
    edits = tuple(
        edit for row in rows if (edit := _edit(plan, row, where.get(row.system_id), row.system_id in out)) is not None
    )
    edited = carry_out(plan, edits)
    return EditedPlan(
        plan=plan, edits=edits, edited=edited, missing=tuple(sorted(set(where) - {r.system_id for r in rows})),
        violations=tuple(verify.verify_placing(plan.problem, edited.waves, edited.activities)),
    )  # fmt: skip


def _edit(plan: MigrationPlan, row: PlanRow, at: tuple[Wave, Move] | None, known_out: bool) -> PlanEdit | None:
    """None where the row says what the plan says."""
    before = at[0] if at else None
    day = row.opens_on
    if (before is None or day == before.window.opens_on) and row.wave not in (None, before.number if before else None):
        day = _day_of(plan, row)
    crew = row.crew if at is None or row.crew != at[1].crew else None
    if at is not None and before is not None:
        if day == before.window.opens_on and crew is None:
            return None
        if day is None and row.wave is not None:
            day = _day_of(plan, row)
            if day == before.window.opens_on and crew is None:
                return None
    elif day is None:
        if known_out:
            return None
        raise InputError(
            Text("{s} 不在计划中，也没有写日期", "{s} is not in the plan, and its row has no date").format(
                s=row.system_id
            ),
            where=row.place,
            next_step=Text("写上窗口日期，或删去这一行", "Give the date of a window, or delete the row"),
        )
    if day is not None and day not in {w.opens_on for w in plan.problem.windows}:
        raise InputError(
            Text("{d} 没有变更窗口", "No change window opens on {d}").format(d=day), where=row.place,
            next_step=Text("可选日期见“可用窗口”表", "The sheet of free windows lists the days"),
        )  # fmt: skip
    if crew is not None and crew not in {c.name for c in plan.problem.crews}:
        raise InputError(Text("没有班组 {c}", "There is no crew {c}").format(c=crew), where=row.place)
    return PlanEdit(system_id=row.system_id, row=row.place, opens_on=day, crew=crew)


def _day_of(plan: MigrationPlan, row: PlanRow) -> date:
    wave = next((w for w in plan.waves if w.number == row.wave), None)
    if wave is None:
        raise InputError(
            Text("计划没有第 {n} 批", "The plan has no wave {n}").format(n=row.wave), where=row.place,
            next_step=Text("要用新的窗口，请改“窗口日期”", "To use another window, change its date instead"),
        )  # fmt: skip
    return wave.window.opens_on
