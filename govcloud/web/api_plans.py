"""/api: migration plans, made, read, verified, explained and compared."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

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
from govcloud.model.plan_summary import PlanHead
from govcloud.model.text import Text
from govcloud.web.api_shape import Body, Day, Name, Out, Page, Paged, Planning, Reading, new_router
from govcloud.workflow import plan as workflow

router = new_router("plans")


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
