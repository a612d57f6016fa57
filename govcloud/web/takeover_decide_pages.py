"""What is decided about the takeover of one system: planned, begun, put off, not applicable."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Annotated

from fastapi import APIRouter, Depends, File, Form, UploadFile
from starlette.responses import Response

from govcloud.errors import InputError
from govcloud.model.handover import LEVEL_NAMES, Level
from govcloud.model.text import Text
from govcloud.report.handover import build_list_view
from govcloud.report.handover_history import build_history_view
from govcloud.report.view import filled
from govcloud.web.days import parse_day, parse_given_day
from govcloud.web.door import DoorFirst, Reading, enter
from govcloud.web.files import uploaded
from govcloud.web.visit import Visit
from govcloud.workflow import takeover as workflow
from govcloud.workflow import takeover_decide
from govcloud.workflow.takeover import Takeover
from govcloud.workflow.takeover_history import list_maintenance

router = APIRouter(include_in_schema=False, route_class=DoorFirst)
Giving = Annotated[Visit, Depends(enter("give_papers"))]
Line = Annotated[str, Form(max_length=200)]
Reason = Annotated[str, Form(max_length=2000)]


@router.get("/takeovers/systems/{system_id}")
def system(visit: Reading, system_id: str) -> Response:
    return _show(visit, system_id)


def _show(visit: Visit, system_id: str, obstacles: tuple[Text, ...] = ()) -> Response:
    found = workflow.takeovers_of(visit.session, system_id)
    periods = list_maintenance(visit.session, system_id)
    listed = build_list_view([(t.handover, t.status, len(t.open)) for t in found])
    return visit.page(
        "takeover_decide.html.j2", Text("{s} 的接管安排", "Taking {s} over").format(s=system_id),
        status=409 if obstacles else 200, system_id=system_id, obstacles=obstacles, levels=LEVEL_NAMES,
        state=found[-1].status if found else "to_assess", latest=found[-1].handover if found else None,
        views=[filled(view, without=("system_id", "system_name")) for view in (listed, build_history_view(periods)) if view.rows],
    )  # fmt: skip


def _done(visit: Visit, system_id: str, found: Takeover, done: Text) -> Response:
    if found.obstacles:
        return _show(visit, system_id, found.obstacles)
    return visit.back_to(f"/takeovers/{found.handover.handover_id}", done)


@router.post("/takeovers/systems/{system_id}/plan")
def plan(
    visit: Giving, system_id: str, level: Annotated[Level, Form()], builder: Line, until: Line, dual_run_until: Line = "",
) -> Response:  # fmt: skip
    found = takeover_decide.plan_takeover(
        visit.session, system_id, level=level, builder=builder, until=parse_day(until), dual_run_until=parse_given_day(dual_run_until)
    )  # fmt: skip
    done = Text("已列入计划：{s}，{until} 前", "Planned: {s}, until {until}").format(s=system_id, until=until)
    return _done(visit, system_id, found, done)


@router.post("/takeovers/systems/{system_id}/start")
def start(
    visit: Giving, system_id: str, level: Annotated[Level, Form()], builder: Line = "", hosts: Line = "",
    builder_key: Annotated[UploadFile | None, File()] = None, dual_run_until: Line = "",
) -> Response:  # fmt: skip
    """Takes the builder's public key. Private keys never come this way: proving and changing keys stay commands."""
    with ExitStack() as stack:
        given = builder_key is not None and builder_key.filename
        key = stack.enter_context(uploaded(builder_key)) if given and builder_key else None
        found = takeover_decide.start_takeover(
            visit.session, system_id, builder=builder.strip() or None, level=level, builder_key=key,
            hosts=hosts.replace(",", " ").replace("，", " ").split(), dual_run_until=parse_given_day(dual_run_until),
        )  # fmt: skip
    done = Text("接管 {h} 已开始，必需 {n} 项", "Takeover {h} has begun; {n} items are required")
    return _done(visit, system_id, found, done.format(h=found.handover.handover_id, n=len(found.open)))


@router.post("/takeovers/systems/{system_id}/defer")
def defer(visit: Giving, system_id: str, reason: Reason = "", until: Line = "") -> Response:
    found = takeover_decide.defer(
        visit.session, system_id, reason=_said(system_id, reason), until=parse_given_day(until)
    )
    return _done(visit, system_id, found, Text("已暂缓：{s}", "Deferred: {s}").format(s=system_id))


@router.post("/takeovers/systems/{system_id}/exclude")
def exclude(visit: Giving, system_id: str, reason: Reason = "") -> Response:
    found = takeover_decide.exclude(visit.session, system_id, reason=_said(system_id, reason))
    return _done(visit, system_id, found, Text("已列为不适用：{s}", "Not applicable: {s}").format(s=system_id))


@router.post("/takeovers/systems/{system_id}/resume")
def resume(visit: Giving, system_id: str) -> Response:
    found = takeover_decide.resume(visit.session, system_id)
    return _done(visit, system_id, found, Text("已恢复：{s}", "It goes on: {s}").format(s=system_id))


def _said(system_id: str, reason: str) -> str:
    if not reason.strip():
        raise InputError(Text("写明理由", "Say why"), where=system_id)
    return reason.strip()
