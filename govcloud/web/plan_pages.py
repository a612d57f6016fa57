"""The newest plan: waves, Gantt chart, dependencies, load; and why a system lies where it does."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from govcloud.model.text import Text
from govcloud.report.plan_explain import build_explanation_views
from govcloud.report.plan_html import build_plan_document
from govcloud.web.door import Reading
from govcloud.workflow.plan import explain_system, latest_plan, load_plan

router = APIRouter(include_in_schema=False)
_TITLE = Text("迁移计划", "Migration plan")


@router.get("/plan")
def plan(visit: Reading) -> Response:
    found = latest_plan(visit.session)
    if found is None:
        none = Text("还没有迁移计划。运行 govcloud plan build。", "There is no plan yet. Run govcloud plan build.")
        return visit.page("problem.html.j2", _TITLE, what=none, next_step=None)
    return visit.document(
        build_plan_document(
            found, lang=visit.lang, office=visit.session.workspace.settings.name, made_at=visit.session.now(), made_by=visit.acting.name
        )
    )  # fmt: skip


@router.get("/plan/systems/{system_id}")
def explain(visit: Reading, system_id: str) -> Response:
    plan = load_plan(visit.session)
    found = explain_system(visit.session, system_id)
    return visit.views(
        Text("{s}：为什么在这一天", "{s}: why then").format(s=system_id), *build_explanation_views(plan, found)
    )
