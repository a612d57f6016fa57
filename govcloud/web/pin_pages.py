"""The plan by hand: systems fixed to a window or left out, and a plan's workbook that comes back with changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated
from urllib.parse import urlencode

import msgspec
from fastapi import APIRouter, Depends, File, Form, UploadFile
from starlette.responses import Response

from govcloud.errors import GovcloudError, UsageError
from govcloud.model.plan import MigrationPlan
from govcloud.model.plan_pin import PlanEdit
from govcloud.model.text import Text
from govcloud.report import plan as views
from govcloud.report.plan_pins import build_edits_views, build_pins_view
from govcloud.report.plan_words import day_text
from govcloud.web.days import parse_given_day
from govcloud.web.door import DoorFirst, Reading, enter
from govcloud.web.files import uploaded
from govcloud.web.plan_pages import PARTS
from govcloud.web.visit import Visit
from govcloud.workflow import plan as workflow
from govcloud.workflow import plan_files, plan_pins
from govcloud.workflow.kept import kept
from govcloud.workflow.office import today
from govcloud.workflow.session import Session

router = APIRouter(include_in_schema=False, route_class=DoorFirst)
Planning = Annotated[Visit, Depends(enter("plan"))]
Chosen = Annotated[list[str], Form(default_factory=list)]
Reason = Annotated[str, Form(max_length=2000)]
_KEPT = Text(
    "改动已记为人工固定，但没有排出新计划：消除原因后再点“重新排期”",
    "The edits are kept as pins, but no new plan was made: remove the cause, then plan again",
)
_AGAIN = Text("重新排期后生效", "It counts from the next plan on")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Offer:
    """What a pin may name, by the newest plan."""

    plan_id: str
    days: Sequence[str]
    """On which a window opens, today or later."""
    crews: Sequence[str]


def _offer(session: Session) -> _Offer | None:
    plan = workflow.latest_plan(session)
    if plan is None:
        return None
    day = today(session)
    days = sorted({w.opens_on for w in plan.problem.windows if w.opens_on >= day})
    return _Offer(
        plan_id=plan.plan_id, days=[d.isoformat() for d in days], crews=[c.name for c in plan.problem.crews]
    )  # fmt: skip


@router.get("/plan/pins")
def pins(visit: Reading) -> Response:
    ended = visit.request.query_params.get("all", "") == "true"
    held = plan_pins.list_pins(visit.session)
    shown = plan_pins.list_pins(visit.session, withdrawn=True) if ended else held
    offer = kept(visit.session, "windows to pin to", _offer, kinds=("plan",)).value
    return visit.page(
        "plan_pins.html.j2", Text("人工调整计划", "Changing the plan by hand"), parts=PARTS, view=build_pins_view(shown), ended=ended, offer=offer,
        held=[p.system_id for p in held],
        days=[(d, day_text(found, visit.place.zone)) for d in (offer.days if offer else ()) if (found := parse_given_day(d))],
    )  # fmt: skip


@router.post("/plan/pins")
def pin(
    visit: Planning, systems: Annotated[str, Form(max_length=20_000)], reason: Reason, opens_on: Annotated[str, Form()] = "",
    leave_out: Annotated[bool, Form()] = False, crew: Annotated[str, Form(max_length=200)] = "",
) -> Response:  # fmt: skip
    named = dict.fromkeys(systems.replace(",", " ").replace("，", " ").replace("、", " ").split())
    day = parse_given_day(opens_on)
    if not named:
        raise UsageError(Text("请填写系统编号", "Name systems"), where="/plan/pins")
    if (day is None) == (not leave_out):
        raise UsageError(Text("选择窗口日期，或勾选暂不排入，二者取一", "Choose a window's day, or leave them out: one of the two"), where="/plan/pins")  # fmt: skip
    edits = [PlanEdit(system_id=s, row="", opens_on=day, crew=crew.strip() or None) for s in named]
    made = plan_pins.add_pins(visit.session, edits, reason)
    done = Text("已固定 {n} 个系统；{again}", "{n} systems pinned. {again}").format(n=len(made), again=_AGAIN)
    return visit.back_to("/plan/pins", done)


@router.post("/plan/pins/withdraw")
def withdraw(visit: Planning, systems: Chosen, reason: Reason = "") -> Response:
    if not systems or not reason.strip():
        raise UsageError(Text("先勾选系统，并写明理由", "Tick systems, and say why"), where="/plan/pins")
    gone = plan_pins.withdraw_pins(visit.session, systems, reason)
    done = Text("已取消固定 {n} 个系统；{again}", "{n} systems are free again. {again}").format(
        n=len(gone), again=_AGAIN
    )
    return visit.back_to("/plan/pins", done)


@router.post("/plan/again")
def plan_again(visit: Planning) -> Response:
    """Waits for the planner as `plan build --from latest` does."""
    return _planned(visit, workflow.load_plan(visit.session))


@router.post("/plan/edits")
def look(visit: Planning, file: Annotated[UploadFile, File()]) -> Response:
    """What the workbook changes and breaks. Nothing is kept here: the changes travel with the form that takes them."""
    with uploaded(file) as path:
        found = plan_files.read_edits(visit.session, path)
    risks = views.build_risks_view(found.edited, workflow.assess_waves(found.edited))
    return visit.page(
        "plan_edits.html.j2", Text("读回的计划表", "A workbook that came back"), plan_id=found.plan.plan_id,
        views=[*build_edits_views(found.plan, found.edits, found.violations, found.missing), *([risks] if found.edits else [])],
        edits=_packed(found.edits), count=len(found.edits), broken=len(found.violations),
    )  # fmt: skip


@router.post("/plan/edits/take")
def take(visit: Planning, plan: Annotated[str, Form()], edits: Annotated[str, Form()], reason: Reason) -> Response:
    """The edits become pins, and the plan is made again."""
    newest = workflow.load_plan(visit.session)
    if newest.plan_id != plan:
        raise UsageError(
            Text("已有更新的计划 {p}，改动是对旧计划的", "There is a newer plan, {p}; the edits are to an older one").format(p=newest.plan_id),
            where=plan[:200], next_step=Text("导出最新计划，在其上修改", "Export the newest plan and edit that"),
        )  # fmt: skip
    plan_pins.add_pins(visit.session, _unpacked(edits), reason)
    try:
        return _planned(visit, newest)
    except GovcloudError as error:
        error.next_step = _KEPT
        raise


def _planned(visit: Visit, before: MigrationPlan) -> Response:
    made = workflow.build_plan(visit.session, workflow.PlanOrder(previous_id=before.plan_id))
    done = Text(
        "已排出新计划 {p}；下面是与原计划的差别", "Plan {p} was made; below is what differs from the one before"
    )
    return visit.back_to(
        "/plan/changes?" + urlencode({"before": before.plan_id, "after": made.plan_id}), done.format(p=made.plan_id)
    )  # fmt: skip


def _packed(edits: Sequence[PlanEdit]) -> str:
    """Without the rows, which would swell the form."""
    return msgspec.json.encode([replace(edit, row="") for edit in edits]).decode()


def _unpacked(text: str) -> list[PlanEdit]:
    try:
        return msgspec.json.decode(text, type=list[PlanEdit])
    except msgspec.DecodeError:
        raise UsageError(Text("表单内容不完整，请重新读回计划表", "The form is not whole; send the workbook again"), where="/plan/edits") from None  # fmt: skip
