"""Runs as they happen: where each system is, why it waits, and what people may order, each order as a form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, get_args

from fastapi import APIRouter, Depends, Form
from starlette.responses import Response

from govcloud.errors import UsageError
from govcloud.model.account import Action
from govcloud.model.run import ENDED
from govcloud.model.step import StepName
from govcloud.model.text import Text
from govcloud.report.run import build_run_views, build_runs_view
from govcloud.report.run_overview import RunOverview
from govcloud.web.door import Reading, enter
from govcloud.web.live import stream
from govcloud.web.visit import Visit
from govcloud.workflow import run_gates, run_orders, run_status

router = APIRouter(include_in_schema=False)
Approving = Annotated[Visit, Depends(enter("approve"))]
Operating = Annotated[Visit, Depends(enter("operate"))]
Reviewing = Annotated[Visit, Depends(enter("review"))]
Reason = Annotated[str, Form(max_length=2000)]
Chosen = Annotated[list[str], Form(default_factory=list)]


@dataclass(frozen=True, slots=True)
class Order:
    name: str
    title: Text
    action: Action
    danger: bool = False


ORDERS: Sequence[Order] = (
    Order("hold", Text("暂停", "Hold"), "operate"),
    Order("resume", Text("继续", "Go on"), "operate"),
    Order("cancel", Text("取消并撤销", "Cancel and undo"), "operate", danger=True),
    Order("accept", Text("验收", "Accept"), "operate"),
    Order("review", Text("复核紧急批准", "Review the emergency"), "review"),
)


@router.get("/runs")
def runs(visit: Reading) -> Response:
    return visit.views(Text("执行", "Runs"), build_runs_view(run_status.list_states(visit.session)))


@router.get("/runs/{run_id}")
def run(visit: Reading, run_id: str) -> Response:
    shown = run_status.run_overview(visit.session, run_id)
    orders = [order for order in ORDERS if visit.may(order.action)]
    return visit.page(
        "run.html.j2", Text("执行 {r}", "Run {r}").format(r=run_id), shown=shown, part=_drawn(visit, shown), orders=orders,
        steps=_waiting_steps(shown), may_approve=visit.may("approve"),
    )  # fmt: skip


def _drawn(visit: Visit, shown: RunOverview) -> str:
    return visit.part("run_part.html.j2", views=build_run_views(shown, attempts=True))


def _waiting_steps(shown: RunOverview) -> list[tuple[StepName, Text]]:
    """Steps whose gates wait for a word."""
    waiting = {
        s.row.wait.step
        for s in shown.systems
        if s.row.state not in ENDED and s.row.wait is not None and s.row.wait.kind == "approval" and s.row.wait.step
    }
    return [(step, shown.titles[step]) for step in get_args(StepName) if step in waiting]


@router.get("/runs/{run_id}/live")
def live(visit: Reading, run_id: str) -> Response:
    """Events for the run's page; asks the store once a second, as `run status --follow` does."""
    latest = [run_status.run_overview(visit.session, run_id)]

    def draw() -> str:
        latest[0] = run_status.run_overview(visit.session, run_id)
        return _drawn(visit, latest[0])

    return stream(draw, lambda: run_status.goes_on(latest[0]))


@router.post("/runs/{run_id}/answer")
def answer(
    visit: Approving, run_id: str, word: Annotated[str, Form()], step: Annotated[str, Form()], systems: Chosen,
    reason: Reason = "", emergency: Annotated[bool, Form()] = False,
) -> Response:  # fmt: skip
    if step not in get_args(StepName) or word not in ("approve", "refuse"):
        raise UsageError(Text("没有这一步", "There is no such step"), where=step)
    made = run_gates.answer_gates(
        visit.session, run_id, step=step, systems=systems, granted=word == "approve",  # type: ignore[arg-type]
        emergency=emergency, reason=reason.strip() or None,
    )  # fmt: skip
    done = Text("已批准：{s}", "Approved: {s}") if word == "approve" else Text("未予批准：{s}", "Refused: {s}")
    return visit.back_to(f"/runs/{made[0].gate.run_id}", done.format(s=", ".join(m.gate.system_id for m in made)))


def _order(visit: Visit, run_id: str, name: str, systems: Sequence[str], reason: str) -> Response:
    give = {"hold": run_orders.hold, "resume": run_orders.resume, "cancel": run_orders.cancel,
            "accept": run_orders.accept, "review": run_orders.review}[name]  # fmt: skip
    given = give(visit.session, run_id, systems, reason=reason.strip() or None)
    done = Text("已下达：{s}。由执行进程完成，见下表", "Ordered: {s}. The workers carry it out; see the table").format(
        s=", ".join(g.order.system_id for g in given)
    )
    return visit.back_to(f"/runs/{run_id}", done)


@router.post("/runs/{run_id}/hold")
def hold(visit: Operating, run_id: str, systems: Chosen, reason: Reason = "") -> Response:
    return _order(visit, run_id, "hold", systems, reason)


@router.post("/runs/{run_id}/resume")
def resume(visit: Operating, run_id: str, systems: Chosen, reason: Reason = "") -> Response:
    return _order(visit, run_id, "resume", systems, reason)


@router.post("/runs/{run_id}/cancel")
def cancel(visit: Operating, run_id: str, systems: Chosen, reason: Reason = "") -> Response:
    return _order(visit, run_id, "cancel", systems, reason)


@router.post("/runs/{run_id}/accept")
def accept(visit: Operating, run_id: str, systems: Chosen, reason: Reason = "") -> Response:
    return _order(visit, run_id, "accept", systems, reason)


@router.post("/runs/{run_id}/review")
def review(visit: Reviewing, run_id: str, systems: Chosen, reason: Reason) -> Response:
    return _order(visit, run_id, "review", systems, reason)
