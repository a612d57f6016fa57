"""The plan: its waves, Gantt chart, dependencies and load; each wave with its papers; why a system lies where it does."""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form, HTTPException
from starlette.responses import Response

from govcloud.errors import UsageError
from govcloud.model.plan import MigrationPlan, RiskAssessment, Wave
from govcloud.model.text import Text
from govcloud.report import plan as views
from govcloud.report.document import Number
from govcloud.report.overview import build_plan_numbers
from govcloud.report.plan_curves import What, has_load, render_load_curves
from govcloud.report.plan_gantt import render_plan_gantt
from govcloud.report.plan_goals import build_plans_view, build_proof, build_record_notes
from govcloud.report.plan_graph import render_plan_graph
from govcloud.report.plan_svg import Pages
from govcloud.report.plan_words import STATUS, clock, day_text
from govcloud.report.view import View, filled
from govcloud.web.door import DoorFirst, Reading, enter
from govcloud.web.drawing import build_chart, once
from govcloud.web.files import attached
from govcloud.web.paging import Paging, page_number
from govcloud.web.render import LINKED, picture_address
from govcloud.web.visit import Visit
from govcloud.workflow import plan as workflow
from govcloud.workflow.kept import kept
from govcloud.workflow.office import today
from govcloud.workflow.paper_kind import Scope
from govcloud.workflow.papers_waves import WAVE_KINDS
from govcloud.workflow.plan_files import FORMS, export_plan
from govcloud.workflow.report import write_report
from govcloud.workflow.session import Session

router = APIRouter(include_in_schema=False, route_class=DoorFirst)
Exporting = Annotated[Visit, Depends(enter("export"))]
PARTS: Sequence[tuple[str, Text]] = (
    ("/plan", Text("总体安排", "At a glance")),
    ("/plan/graph", Text("分组与依赖", "Groups and dependencies")),
    ("/plan/load", Text("窗口与占用", "Windows and load")),
    ("/plan/work", Text("工作与专网", "Work and networks")),
    ("/plan/left", Text("未排入", "Not placed")),
    ("/plan/pins", Text("人工固定", "Pinned by hand")),
    ("/plan/verification", Text("校验", "Verification")),
)
_LOADS: Sequence[tuple[What, Text]] = (
    ("crews", Text("班组在各窗口的占用", "Crews in each window")),
    ("links", Text("链路等同时占用的资源", "Links and what else is in use at the same time")),
    ("quotas", Text("配额与每月上限", "Quotas and monthly limits")),
)
_SPARE = 4
"""Windows after the last that is used."""
_CHANGES = 20
"""So many of what has changed since are told."""
_PAPERS = {kind.kind_id: kind for kind in WAVE_KINDS if kind.about == "wave" or kind.kind_id == "migration-plan"}


@dataclass(frozen=True, slots=True)
class _Shown:
    """The plan that a page is about: the newest, or the one that `?plan=` names."""

    plan: MigrationPlan
    newest: bool

    @property
    def query(self) -> str:
        return "" if self.newest else f"?plan={quote(self.plan.plan_id, safe='')}"

    @property
    def pages(self) -> Pages:
        subject, wave = f"/plan/systems/{{}}{self.query}", f"/plan/waves/{{}}{self.query}"
        return Pages(subject=subject, wave=wave, network=subject)

    @property
    def links(self) -> Mapping[str, str]:
        subject = self.pages.subject
        return {**LINKED, "wave": self.pages.wave, "group_id": subject, "subject_id": subject, "system_id": subject}

    @property
    def risks(self) -> Sequence[RiskAssessment]:
        """Of groups and waves."""
        plan = self.plan
        return once(("risks", plan.plan_hash), lambda: (*workflow.assess_groups(plan), *workflow.assess_waves(plan)))


def _newest(visit: Visit) -> MigrationPlan | None:
    return kept(visit.session, "newest plan", _load, kinds=("plan",)).value


def _load(session: Session) -> MigrationPlan | None:
    """A plan of 5,000 systems is a million objects: looking through them for cycles, of which it has none, stops every page
    for a second each time. Its memory is given back all the same when nobody holds it any more."""
    found = workflow.latest_plan(session)
    gc.collect()
    gc.freeze()
    return found


def _shown(visit: Visit) -> _Shown:
    """Raises UsageError where there is none."""
    asked = visit.request.query_params.get("plan", "")[:200]
    newest = _newest(visit)
    if newest is not None and asked in ("", "latest", newest.plan_id):
        return _Shown(newest, newest=True)
    return _Shown(workflow.load_plan(visit.session, asked or None), newest=False)


def _page(visit: Visit, shown: _Shown, title: Text, *tables: View, **values: Any) -> Response:
    """`values`: the other parts, each None by default."""
    none: dict[str, Any] = dict.fromkeys(
        ("answers", "numbers", "charts", "pictures", "links", "papers", "wave", "forms", "paging", "nothing")
    )
    found = [filled(v) for v in tables if v.rows or v.notes]
    return visit.page("plan.html.j2", title, shown=shown, parts=PARTS, views=found, **none | values)


def _paging(visit: Visit, shown: _Shown, total: int) -> Paging:
    query = {} if shown.newest else {"plan": shown.plan.plan_id}
    return Paging(number=page_number(visit.request.query_params.get("page", "")), total=total, query=query)


def _long(visit: Visit, shown: _Shown, name: str, build: Callable[[], View]) -> tuple[View, Paging]:
    """One page of a view's rows."""
    asked = _paging(visit, shown, 0)

    def cut() -> tuple[View, int]:
        view = build()
        return replace(view, rows=view.rows[asked.offset : asked.offset + asked.rows]), len(view.rows)

    view, total = once((name, shown.plan.plan_hash, asked.number), cut)
    return view, replace(asked, total=total)


@router.get("/plan")
def plan(visit: Reading) -> Response:
    title = Text("迁移计划", "Migration plan")
    if "plan" not in visit.request.query_params and _newest(visit) is None:
        none = Text("还没有迁移计划。导入清单后运行 govcloud plan build。", "There is no plan yet. Import the inventory, then run govcloud plan build.")  # fmt: skip
        return visit.views(title, intro=none)
    shown = _shown(visit)
    found, day = shown.plan, today(visit.session)
    chart = build_chart(
        Text("全部工作", "All of the work"), ("gantt", found.plan_hash, visit.lang, day, shown.query),
        lambda: render_plan_gantt(found, visit.lang, today=day, pages=shown.pages),
    )  # fmt: skip
    groups = {g.group_id for g in found.problem.groups}
    totals = views.build_wave_totals_view(found, [r for r in shown.risks if r.subject not in groups])
    return _page(
        visit, shown, title, totals, replace(views.build_goals_view(found), notes=build_proof(found)), numbers=(*build_plan_numbers(found), *_span(found), *_state(found)),
        charts=(chart,), papers=[_PAPERS["migration-plan"]], forms=FORMS,
        links=((Text("各版计划与比较", "All versions, compared"), "/plan/versions"),),
    )  # fmt: skip


def _span(found: MigrationPlan) -> tuple[Number, ...]:
    """From the first day of work to the last."""
    if not found.activities:
        return ()
    first, last = min(a.starts_on for a in found.activities), max(a.ends_on for a in found.activities)
    note = Text("{a} 至 {b}，含源端保留和关停", "{a} to {b}, with the sources kept and switched off").format(
        a=first, b=last
    )
    return (Number(label=Text("全部工作历时", "All of the work"), value=(last - first).days + 1, unit=Text("天", "days"), note=note),)  # fmt: skip


def _state(found: MigrationPlan) -> tuple[Number, ...]:
    """How far the solver came with its goals."""
    if not found.goals:
        return ()
    proven = sum(1 for g in found.goals if g.value <= g.bound)
    note = Text("状态：{s}", "status: {s}").format(s=STATUS[found.status])
    bad = found.status in ("infeasible", "unknown")
    of = Text("／ {n} 项", "of {n}").format(n=len(found.goals))
    return (Number(label=Text("已证明最优的目标", "Goals proven best"), value=proven, unit=of, note=note, tone="bad" if bad else "plain"),)  # fmt: skip


@router.get("/plan/graph")
def graph(visit: Reading) -> Response:
    shown = _shown(visit)
    found = shown.plan
    chart = build_chart(
        Text("各组的依赖与先后", "Who needs whom"), ("graph", found.plan_hash, visit.lang, shown.query),
        lambda: render_plan_graph(found, visit.lang, shown.pages),
    )  # fmt: skip
    groups, paging = _long(visit, shown, "groups", lambda: _groups(shown))
    tables = views.build_hubs_view(found), views.build_bridges_view(found), groups
    return _page(visit, shown, PARTS[1][1], *tables, charts=(chart,), paging=paging)


def _groups(shown: _Shown) -> View:
    """Members by id and name; of a group of one the link names it."""
    names = {t.system_id: t.name for t in shown.plan.problem.tasks}
    view = views.build_groups_view(shown.plan, shown.risks)
    rows = tuple(
        {**row, "systems": [f"{s} {names.get(s, '')}".strip() for s in group.system_ids]}
        for row, group in zip(view.rows, shown.plan.problem.groups, strict=True)
    )
    return replace(view, rows=rows)


@router.get("/plan/load")
def load(visit: Reading) -> Response:
    shown = _shown(visit)
    found = shown.plan
    charts = [
        build_chart(title, (what, found.plan_hash, visit.lang), partial(render_load_curves, found, visit.lang, what))
        for what, title in _LOADS
        if has_load(found, what)
    ]
    rows, paging = _long(visit, shown, "load", lambda: filled(views.build_load_view(found), without=("from_on", "resource_id")))  # fmt: skip
    return _page(visit, shown, PARTS[2][1], _calendar(found), rows, charts=charts, paging=paging)


def _calendar(found: MigrationPlan) -> View:
    """Up to the last window that is used and some to spare; the file has all of them."""
    view = views.build_calendar_view(found)
    used = max((n for n, row in enumerate(view.rows, 1) if row["wave"] is not None), default=0)
    rows = view.rows[: used + _SPARE]
    if not (left := len(view.rows) - len(rows)):
        return view
    more = Text("其后还有 {n} 个窗口未用，见导出的文件", "{n} more windows lie unused after these; the exported file has them").format(n=left)  # fmt: skip
    return replace(view, rows=rows, notes=(*view.notes, more))


@router.get("/plan/work")
def work(visit: Reading) -> Response:
    """Without the cutovers, which stand with their waves."""
    shown = _shown(visit)
    found = shown.plan
    paging = _paging(visit, shown, len(found.activities))
    some = replace(found, activities=found.activities[paging.offset : paging.offset + paging.rows], waves=())
    tables = views.build_retirements_view(found), _jobs(some)
    return _page(visit, shown, PARTS[3][1], *tables, paging=paging)


def _jobs(found: MigrationPlan, number: int | None = None) -> View:
    return filled(views.build_jobs_view(found, number), without=("job_id", "wave"))


@router.get("/plan/left")
def left(visit: Reading) -> Response:
    shown = _shown(visit)
    found = shown.plan
    excluded, paging = _long(visit, shown, "excluded", lambda: views.build_excluded_view(found))
    tables = views.build_unplaced_view(found), views.build_conflict_view(found), excluded
    nothing = Text("清单中的系统都已排入计划。", "Every system of the inventory is in the plan.")
    return _page(visit, shown, PARTS[4][1], *tables, paging=paging, nothing=nothing)


@router.get("/plan/verification")
def verification(visit: Reading) -> Response:
    """Worked out at each call, as `plan verify` does: against the inventory and settings of this moment."""
    shown = _shown(visit)
    found, violations, changes = workflow.verify_plan(visit.session, shown.plan.plan_id)
    view = views.build_violations_view(found, violations, changes)
    tone = "problem" if violations else "notice"
    told = len(view.notes) - len(changes) + _CHANGES
    more = Text("……共 {n} 处", "… {n} in all").format(n=len(changes))
    verdict, digest, *changed = (*view.notes[:told], *([more] if len(changes) > _CHANGES else []))
    blocks = [(tone, [verdict]), ("missing", changed), ("note", [digest, *build_record_notes(found)])]
    return _page(visit, shown, PARTS[6][1], replace(view, notes=()), answers=[b for b in blocks if b[1]])


@router.get("/plan/waves/{number}")
def wave(visit: Reading, number: int) -> Response:
    shown = _shown(visit)
    found = shown.plan
    this = next((w for w in found.waves if w.number == number), None)
    if this is None:
        raise HTTPException(404)
    title = Text("第 {n} 批　{d}", "Wave {n} · {d}").format(
        n=number, d=day_text(this.window.starts_at, visit.place.zone)
    )
    night = once(("night", found.plan_hash, visit.lang, number), lambda: _night(found, this, visit))
    papers = [kind for kind in _PAPERS.values() if kind.about == "wave"] if shown.newest else []
    beside = [
        (text.format(n=n), f"/plan/waves/{n}{shown.query}")
        for n, text in (
            (number - 1, Text("上一批：第 {n} 批", "Before: wave {n}")),
            (number + 1, Text("下一批：第 {n} 批", "Next: wave {n}")),
        )
        if 0 < n <= len(found.waves)
    ]
    risk = [r for r in shown.risks if r.subject == str(number)]
    jobs, paging = _long(visit, shown, f"jobs of {number}", lambda: _jobs(found, number))
    return _page(
        visit, shown, title, filled(views.build_waves_view(found, number, shown.risks), without=("wave", "date")),
        *([views.build_risks_view(found, risk)] if risk else []), jobs, paging=paging,
        numbers=_wave_numbers(this, visit), pictures=((Text("当晚安排", "The night, minute by minute"), night),), links=beside,
        papers=papers, wave=number,
    )  # fmt: skip


def _night(found: MigrationPlan, this: Wave, visit: Visit) -> str:
    # The charts take a second to import, and the other pages need none.
    from govcloud.report.charts import render_night

    return picture_address(render_night(found, this, visit.lang))


def _wave_numbers(this: Wave, visit: Visit) -> tuple[Number, ...]:
    opens, zone = this.window.starts_at, visit.place.zone
    window = Text("窗口 {a} 至 {b}", "window {a} to {b}").format(a=clock(opens, opens, zone), b=clock(this.window.ends_at, opens, zone))  # fmt: skip
    return (
        Number(label=Text("系统", "Systems"), value=len(this.moves), note=window),
        Number(label=Text("迁移组", "Groups"), value=len({m.group_id for m in this.moves}),
               note=Text("同组的一起割接", "a group is cut over together")),
        Number(label=Text("班组", "Crews"), value=len({m.crew for m in this.moves})),
    )  # fmt: skip


@router.get("/plan/systems/{subject_id}")
def explain(visit: Reading, subject_id: str) -> Response:
    """Of a system, a group or a network."""
    shown = _shown(visit)
    found = once(
        ("why", shown.plan.plan_hash, subject_id),
        lambda: workflow.explain_system(visit.session, subject_id, shown.plan.plan_id),
    )
    links = []
    if any(t.system_id == subject_id for t in shown.plan.problem.tasks):
        links.append((Text("系统全貌", "The whole system"), f"/systems/{quote(subject_id, safe='')}"))
    elif any(n.network_id == subject_id for n in shown.plan.problem.retirements):
        links.append((Text("专网全貌", "The whole network"), f"/networks/{quote(subject_id, safe='')}"))
    if found.wave is not None:
        text = Text("第 {n} 批", "Wave {n}").format(n=found.wave.number)
        links.append((text, f"/plan/waves/{found.wave.number}{shown.query}"))
    why, *others = views.build_explanation_views(shown.plan, found)
    title = Text("{s}：为什么排在这一天", "{s}: why then").format(s=_label(shown.plan, subject_id))
    return _page(visit, shown, title, replace(why, notes=()), *others, links=links, answers=[("missing", why.notes)])


def _label(plan: MigrationPlan, subject_id: str) -> str:
    """Id and name of a system or network."""
    names = {t.system_id: t.name for t in plan.problem.tasks} | {n.network_id: n.name for n in plan.problem.retirements}
    return f"{subject_id} {names.get(subject_id, '')}".strip()


@router.get("/plan/versions")
def versions(visit: Reading) -> Response:
    paging = Paging(number=page_number(visit.request.query_params.get("page", "")), total=0, query={})
    heads, total = workflow.list_plans(visit.session, limit=paging.rows, offset=paging.offset)
    ids = [head.plan_id for head in heads]
    return visit.page(
        "plan_versions.html.j2", Text("各版计划", "Versions of the plan"), views=[build_plans_view(heads)], ids=ids,
        before=ids[1] if len(ids) > 1 else "", after=ids[0] if ids else "", paging=replace(paging, total=total),
    )  # fmt: skip


@router.get("/plan/changes")
def changes(visit: Reading, before: str = "", after: str = "") -> Response:
    """What moved between two plans, and why; both side by side."""
    old, new, found = workflow.diff_plans(visit.session, before[:200] or None, after[:200] or None)
    title = Text("{a} 与 {b} 比较", "{a} and {b} compared").format(a=old.plan_id, b=new.plan_id)
    links = ((Text("各版计划", "All versions"), "/plan/versions"),)
    compared = views.build_comparison_view(workflow.compare_plans([old, new]))
    return visit.views(title, views.build_diff_view(old, new, found), compared, links=links)


@router.get("/plan/files/{form}")
def file(visit: Exporting, form: str) -> Response:
    """The plan as `plan export` writes it."""
    shown = _shown(visit)
    with TemporaryDirectory(prefix="govcloud-plan-") as folder:
        path = export_plan(visit.session, Path(folder) / f"{shown.plan.plan_id}.{form}", shown.plan.plan_id)
        return attached(path, path.name)


@router.post("/plan/papers")
def paper(
    visit: Exporting, kind: Annotated[str, Form()], plan: Annotated[str, Form()], wave: Annotated[int | None, Form(ge=1)] = None
) -> Response:  # fmt: skip
    """A paper in Word, as `report --kind` writes it: a form, because the ledger keeps the digest of what was given away."""
    found = _PAPERS.get(kind)
    if found is None or (found.about == "wave") != (wave is not None):
        raise UsageError(Text("没有这种文书", "There is no such paper"), where=kind)
    newest = workflow.load_plan(visit.session)
    if newest.plan_id != plan:
        raise UsageError(
            Text("已有更新的计划 {p}，文书按最新计划出具", "There is a newer plan, {p}; papers are made from the newest one").format(
                p=newest.plan_id),
            where=plan, next_step=Text("重新打开计划页面", "Open the plan's page again"),
        )  # fmt: skip
    with TemporaryDirectory(prefix="govcloud-paper-") as folder:
        written = write_report(visit.session, Path(folder), kinds=[found], scope=Scope(wave=wave))
        if not written.files:
            raise UsageError(written.missing[0].why)
        path = next(iter(written.files))
        return attached(path, path.name)
