"""/api: runs, their gates and the orders that people give. Steps are carried out by workers, never from here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from govcloud.model.attempt import Attempt, AttemptKey
from govcloud.model.gate import Answer, Gate, Order
from govcloud.model.run import Run, RunStatus, RunSystem, SystemState, Wait, run_status
from govcloud.model.step import Phase, StepName
from govcloud.model.text import Text
from govcloud.web.api_shape import (
    Approving,
    Body,
    Deciding,
    Name,
    Names,
    Operating,
    Out,
    Page,
    Paged,
    Reading,
    Reason,
    Reviewing,
    Words,
    new_router,
)
from govcloud.web.visit import Visit
from govcloud.workflow import run_gates, run_orders
from govcloud.workflow import run_status as workflow
from govcloud.workflow.run import register_run

router = new_router("runs")


class RunHead(Out):
    run_id: str
    plan_id: str | None
    wave: int | None
    scope_hash: str
    created_at: datetime
    created_by: str
    systems: list[str]


class RunListed(RunHead):
    status: RunStatus
    states: dict[str, SystemState]


class SystemInRun(Out):
    """Without its migration file, which names hosts and files of secrets."""

    system_id: str
    position: int
    after: list[str]
    zone: str | None
    scope_hash: str
    data_bytes: int
    opens_at: datetime | None
    closes_at: datetime | None
    state: SystemState
    step: StepName | None
    since: datetime
    wait: Wait | None = Field(description="The reason in full, with the command that ends it")
    downtime_from: datetime | None
    downtime_to: datetime | None


class RunRecord(RunListed):
    progress: list[SystemInRun]
    gates: list[Gate]
    answers: dict[str, list[Answer]]
    orders: list[Order]
    due_reviews: list[Answer]


class RunWanted(Body):
    systems: Names = Field(default=[])
    plan_id: Name | None = None
    wave: Annotated[int, Field(ge=1, le=100_000)] | None = None


class Word(Body):
    """At the open gates of one step; without systems at all of them."""

    granted: bool
    step: StepName | None = None
    systems: Names = Field(default=[])
    emergency: bool = False
    gates: Names = Field(
        default=[], description="Ids of those that were looked at; what has changed since is not answered"
    )
    reason: Words = ""


class Wanted(Body):
    systems: Names = Field(default=[], description="None: all of the run")
    reason: Words = ""


class Reviewed(Body):
    systems: Names = Field(default=[])
    reason: Reason


class Decided(Body):
    step: StepName
    choice: Literal["rerun", "done", "abort"]
    phase: Phase = "apply"
    number: Annotated[int, Field(ge=1, le=1_000_000)] | None = Field(
        default=None, description="Of the attempt that was seen"
    )
    reason: Words = ""


class Given(Out):
    order: Order
    state: SystemState
    note: Text | None


class Answered(Out):
    gate: Gate
    answer: Answer
    state: SystemState
    lapses_early: bool


class Log(Out):
    key: AttemptKey
    text: str


@router.get("/runs", response_model=Page[RunListed])
def get_runs(visit: Reading, part: Paged) -> Any:
    found = workflow.list_states(visit.session)
    return part.of([_listed(run, states) for run, states in found])


@router.post("/runs", response_model=RunHead)
def add_run(visit: Operating, wanted: RunWanted) -> Run:
    """Registers it; workers carry it out, and gates ask before the source is touched."""
    return register_run(visit.session, wanted.systems, plan_id=wanted.plan_id, wave=wanted.wave)


@router.get("/runs/{run_id}", response_model=RunRecord)
def get_run(visit: Reading, run_id: Name) -> Any:
    found = workflow.run_overview(visit.session, run_id)
    rows: list[RunSystem] = [s.row for s in found.systems]
    return {
        **_listed(found.run, found.states), "progress": rows, "gates": found.gates, "answers": found.answers,
        "orders": found.orders, "due_reviews": found.due_reviews,
    }  # fmt: skip


@router.get("/runs/{run_id}/systems/{system_id}/attempts", response_model=Page[Attempt])
def get_attempts(visit: Reading, part: Paged, run_id: Name, system_id: Name) -> Any:
    found = workflow.run_overview(visit.session, run_id)
    return part.of([a for s in found.systems if s.row.system_id == system_id for a in s.attempts])


@router.get("/runs/{run_id}/systems/{system_id}/logs/{step}", response_model=Log)
def get_log(
    visit: Reading, run_id: Name, system_id: Name, step: StepName, phase: Phase = "apply",
    number: Annotated[int | None, Field(ge=1, le=1_000_000)] = None,
) -> Any:  # fmt: skip
    """Of an attempt, the last by default; secrets are masked."""
    key, text = workflow.read_log(visit.session, run_id, system_id, step, phase=phase, number=number)
    return {"key": key, "text": text}


@router.post("/runs/{run_id}/answers", response_model=list[Answered])
def answer_gates(visit: Approving, run_id: Name, word: Word) -> Any:
    return run_gates.answer_gates(
        visit.session, run_id, step=word.step, systems=word.systems, granted=word.granted, emergency=word.emergency,
        reason=word.reason or None, gates=word.gates,
    )  # fmt: skip


@router.post("/runs/{run_id}/hold", response_model=list[Given])
def hold(visit: Operating, run_id: Name, wanted: Wanted) -> Any:
    return _given(run_orders.hold, visit, run_id, wanted)


@router.post("/runs/{run_id}/resume", response_model=list[Given])
def resume(visit: Operating, run_id: Name, wanted: Wanted) -> Any:
    return _given(run_orders.resume, visit, run_id, wanted)


@router.post("/runs/{run_id}/cancel", response_model=list[Given])
def cancel(visit: Operating, run_id: Name, wanted: Wanted) -> Any:
    return _given(run_orders.cancel, visit, run_id, wanted)


@router.post("/runs/{run_id}/accept", response_model=list[Given])
def accept(visit: Approving, run_id: Name, wanted: Wanted) -> Any:
    """The trial run has been passed: from now on there is no way back."""
    return _given(run_orders.accept, visit, run_id, wanted)


@router.post("/runs/{run_id}/switch-off", response_model=list[Given])
def switch_off(visit: Operating, run_id: Name, wanted: Wanted) -> Any:
    return _given(run_orders.switch_off, visit, run_id, wanted)


@router.post("/runs/{run_id}/review", response_model=list[Given])
def review(visit: Reviewing, run_id: Name, wanted: Reviewed) -> Any:
    """Of an emergency, by a third person; the reason says what was found."""
    return run_orders.review(visit.session, run_id, wanted.systems, reason=wanted.reason)


@router.post("/runs/{run_id}/systems/{system_id}/rollback", response_model=Given)
def roll_back(visit: Operating, run_id: Name, system_id: Name, why: Wanted) -> Any:
    return run_orders.roll_back(visit.session, run_id, system_id, reason=why.reason or None)


@router.post("/runs/{run_id}/systems/{system_id}/decision", response_model=Given)
def decide(visit: Deciding, run_id: Name, system_id: Name, choice: Decided) -> Any:
    """On the attempt that the system waits for."""
    return run_orders.decide(
        visit.session, run_id, system_id, choice.step, choice.choice, phase=choice.phase, number=choice.number,
        reason=choice.reason or None,
    )  # fmt: skip


def _given(order: Callable[..., Sequence[run_orders.Given]], visit: Visit, run_id: str, wanted: Wanted) -> Any:
    return order(visit.session, run_id, wanted.systems, reason=wanted.reason or None)


def _listed(run: Run, states: Any) -> dict[str, Any]:
    head = {name: getattr(run, name) for name in RunHead.model_fields}
    return {**head, "status": run_status(states), "states": states}
