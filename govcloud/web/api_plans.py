"""/api: migration plans, made, read, verified, explained, compared, edited as workbooks and fixed by hand."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import File, UploadFile
from pydantic import Field
from starlette.responses import Response

from govcloud.model.plan import (
    Activity,
    Conflict,
    GoalValue,
    MigrationPlan,
    PlanChange,
    PlanExplanation,
    PlanStatus,
    PlanViolation,
    Unplaced,
    Wave,
)
from govcloud.model.plan_pin import PlanEdit, PlanPin
from govcloud.model.plan_summary import PlanHead
from govcloud.model.text import Text
from govcloud.web.api_shape import (
    Body,
    Day,
    Exporting,
    Name,
    Names,
    Out,
    Page,
    Paged,
    Planning,
    Reading,
    Reason,
    gives,
    new_router,
)
from govcloud.web.downloads import MEDIA, give_plan
from govcloud.web.files import uploaded
from govcloud.workflow import plan as workflow
from govcloud.workflow import plan_files, plan_pins
from govcloud.workflow.plan_files import FORMS

router = new_router("plans")
PlanForm = Literal["xlsx", "html", "ics", "csv", "md", "json"]


class Plan(Out):
    plan_id: str
    created_at: datetime
    status: PlanStatus
    plan_hash: str
    previous_id: str | None
    what_if: list[str]
    gap_pct: float | None = Field(description="How much better its first unproven goal could be at most, in per cent")
    goals: list[GoalValue]
    baseline: list[GoalValue]
    waves: list[Wave]
    activities: list[Activity]
    unplaced: list[Unplaced]
    conflicts: list[Conflict]


class PlanWanted(Body):
    starts_on: Day | None = None
    weeks: Annotated[int, Field(ge=1, le=workflow.MAX_WEEKS)] | None = None
    previous_id: Name | None = Field(default=None, description="Change this plan as little as possible")
    overrides: list[Name] = Field(default=[], max_length=50, description="KEY=VALUE of the settings; makes it a trial")
    seed: int = Field(default=1, ge=0, le=2**31 - 1)
    limit_s: int = Field(default=10, ge=1, le=60, description="Longer searches are for the command line")


class Verified(Out):
    plan_id: str
    violations: list[PlanViolation]
    changes: list[Text] = Field(description="What differs today from what the plan was made of")


class Difference(Out):
    before: str
    after: str
    changes: list[PlanChange]


class Edits(Out):
    plan_id: str
    edits: list[PlanEdit]
    violations: list[PlanViolation] = Field(description="What the plan would break with these edits alone")
    missing: list[str] = Field(description="Systems without a row: nothing changes for them")


class Pin(Body):
    system_id: Name
    row: str = Field(default="", max_length=500, description="Where an edit was read; not kept")
    opens_on: Day | None = Field(description="Day on which its window opens; null: left out of the plan")
    crew: Name | None = None


class PinsWanted(Body):
    pins: Annotated[list[Pin], Field(min_length=1, max_length=10_000)]
    reason: Reason


class PinsGone(Body):
    systems: Annotated[Names, Field(min_length=1)]
    reason: Reason


@router.post("/plans", response_model=Plan)
def build_plan(visit: Planning, wanted: PlanWanted) -> Any:
    order = workflow.PlanOrder(
        starts_on=wanted.starts_on, weeks=wanted.weeks, limit_s=wanted.limit_s, seed=wanted.seed,
        previous_id=wanted.previous_id, overrides=tuple(wanted.overrides),
    )  # fmt: skip
    return workflow.build_plan(visit.session, order)


@router.get("/plans", response_model=Page[PlanHead])
def get_plans(visit: Reading, part: Paged) -> Any:
    """The newest first."""
    return part.page(*workflow.list_plans(visit.session, limit=part.limit, offset=part.offset))


@router.get("/plans/{plan_id}", response_model=Plan)
def get_plan(visit: Reading, plan_id: Name) -> MigrationPlan:
    """`latest`: the newest that is no trial."""
    return workflow.load_plan(visit.session, plan_id)


@router.get("/plans/{plan_id}/violations", response_model=Verified)
def verify_plan(visit: Reading, plan_id: Name) -> Any:
    plan, violations, changes = workflow.verify_plan(visit.session, plan_id)
    return {"plan_id": plan.plan_id, "violations": violations, "changes": changes}


@router.get("/plans/{plan_id}/systems/{system_id}", response_model=PlanExplanation)
def explain_system(visit: Reading, plan_id: Name, system_id: Name) -> Any:
    """Why it is placed where it is."""
    return workflow.explain_system(visit.session, system_id, plan_id)


@router.get("/plans/{plan_id}/changes", response_model=Difference)
def diff_plans(visit: Reading, plan_id: Name, before: Name | None = None) -> Any:
    """Against `before`, or the plan that it was made from."""
    was, now, changes = workflow.diff_plans(visit.session, before, plan_id)
    return {"before": was.plan_id, "after": now.plan_id, "changes": changes}


@router.get("/plans/{plan_id}/files/{form}", response_class=Response, responses=gives(*(MEDIA[f] for f in FORMS)))
def export_plan(visit: Exporting, plan_id: Name, form: PlanForm) -> Response:
    """As `plan export` writes it; the workbook comes back by `edits`."""
    return give_plan(visit.session, form, workflow.load_plan(visit.session, plan_id).plan_id)


@router.post("/plans/{plan_id}/edits", response_model=Edits)
def read_edits(visit: Planning, plan_id: Name, file: Annotated[UploadFile, File()]) -> Any:
    """What an edited workbook of the plan changes and breaks; nothing is kept. Post the `edits` as pins to take them."""
    with uploaded(file) as path:
        found = plan_files.read_edits(visit.session, path, plan_id)
    return {
        "plan_id": found.plan.plan_id,
        "edits": found.edits,
        "violations": found.violations,
        "missing": found.missing,
    }


@router.get("/plan-pins", response_model=Page[PlanPin])
def get_plan_pins(visit: Reading, part: Paged, withdrawn: bool = False) -> Any:
    """What people have fixed by hand; the next plan keeps to it."""
    return part.of(plan_pins.list_pins(visit.session, withdrawn=withdrawn))


@router.post("/plan-pins", response_model=list[PlanPin])
def add_plan_pins(visit: Planning, wanted: PinsWanted) -> Any:
    edits = [PlanEdit(system_id=p.system_id, row="", opens_on=p.opens_on, crew=p.crew) for p in wanted.pins]
    return plan_pins.add_pins(visit.session, edits, wanted.reason)


@router.post("/plan-pins/withdrawal", response_model=list[PlanPin])
def withdraw_plan_pins(visit: Planning, gone: PinsGone) -> Any:
    return plan_pins.withdraw_pins(visit.session, gone.systems, gone.reason)
