"""Runs as they happen: where each system is, why it waits, and the form that ends the wait."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, get_args
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form, HTTPException
from starlette.responses import PlainTextResponse, Response

from govcloud.errors import UsageError
from govcloud.model.gate import OrderKind
from govcloud.model.run import ENDED
from govcloud.model.step import Phase, StepName
from govcloud.model.text import Text
from govcloud.report.run import build_run_view, build_runs_view
from govcloud.report.run_asked import Offers, build_asked_view
from govcloud.report.run_overview import PHASE, RunOverview, SystemStatus
from govcloud.report.run_records import (
    build_approvals_view,
    build_attempts_view,
    build_orders_view,
    build_resources_view,
)
from govcloud.report.run_why import page_reason
from govcloud.report.view import Column, View, filled
from govcloud.web.door import DoorFirst, Reading, enter, still_in
from govcloud.web.live import Live
from govcloud.web.paging import Paging, page_number
from govcloud.web.visit import Visit
from govcloud.workflow import run_status
from govcloud.workflow.plan import load_plan
from govcloud.workflow.run import register_run
from govcloud.workflow.run_machines import list_resources
from govcloud.workflow.run_offers import find_offers

router = APIRouter(include_in_schema=False, route_class=DoorFirst)
Operating = Annotated[Visit, Depends(enter("operate"))]
_SYSTEMS = 100
"""Rows of one page of a run."""
LOG_CHARS = 200_000
"""So much of a log's end is shown; the file has all of it."""
_ENDS: tuple[tuple[OrderKind, Text], ...] = (
    ("resume", Text("继续", "Go on")),
    ("accept", Text("验收", "Accept")),
    ("switch_off", Text("停用源", "Switch off")),
)
"""Orders that end a wait, and the words of the link that leads to their form."""
_MACHINES = Text("机器与工单", "Machines and tickets")


@router.get("/runs")
def runs(visit: Reading) -> Response:
    number = page_number(visit.request.query_params.get("page", ""))
    paging = Paging(number=number, total=run_status.count_runs(visit.session), query={})
    view = build_runs_view(run_status.list_states(visit.session, limit=paging.rows, offset=paging.offset))
    none = Text("还没有登记过执行。", "No run has been registered yet.")
    links = [(Text("批准与复核", "Approvals and reviews"), "/approvals")]
    if visit.may("operate"):
        links.append((Text("登记执行", "Register a run"), "/runs/new"))
    return visit.views(Text("执行", "Runs"), view, paging=paging, links=links, intro=None if view.rows else none)


@router.get("/runs/new")
def new_run(visit: Operating) -> Response:
    try:
        plan = load_plan(visit.session)
    except UsageError:  # runs of named systems need none
        plan = None
    return visit.page("run_new.html.j2", Text("登记执行", "Register a run"), plan=plan)


@router.post("/runs")
def register(
    visit: Operating, systems: Annotated[str, Form(max_length=20_000)] = "", plan_id: Annotated[str, Form()] = "",
    wave: Annotated[int | None, Form()] = None,
) -> Response:  # fmt: skip
    """Of a wave, or of the systems named; `plan_id`: the plan that the person was shown. Steps are the workers' to carry out."""
    named = systems.replace(",", " ").replace("，", " ").replace("、", " ").split()
    if wave is None and not named:
        raise UsageError(Text("请选择批次，或填写系统编号", "Choose a wave, or name systems"), where="/runs/new")
    made = register_run(visit.session, named, plan_id=plan_id if wave is not None else None, wave=wave)
    done = Text(
        "已登记 {r}：{n} 个系统。由在线的执行进程先作只读检查，到关口停下等待批准",
        "Registered {r}: {n} systems. The workers check them first (read only) and stop at the gates",
    ).format(r=made.run_id, n=len(made.systems))
    return visit.back_to(f"/runs/{made.run_id}", done)


@router.get("/runs/{run_id}")
def run(visit: Reading, run_id: str) -> Response:
    shown = run_status.run_overview(visit.session, run_id)
    return visit.page(
        "run.html.j2", Text("执行 {r}", "Run {r}").format(r=run_id), run=shown.run, part=_drawn(visit, shown),
        live=f"/runs/{quote(run_id, safe='')}/live?page={_page(visit)}", system_id=None,
    )  # fmt: skip


@router.get("/runs/{run_id}/live")
def live(visit: Reading, run_id: str) -> Response:
    return _followed(visit, run_id, lambda shown: _drawn(visit, shown))


@router.get("/runs/{run_id}/systems/{system_id}")
def system(visit: Reading, run_id: str, system_id: str) -> Response:
    """One system of the run: its attempts with their logs, what was said, and the decision that is due."""
    shown = _one(run_status.run_overview(visit.session, run_id), system_id)
    return visit.page(
        "run.html.j2", Text("{s} · 执行 {r}", "{s} · run {r}").format(r=run_id, s=shown.labels.get(system_id, system_id)), run=shown.run,
        part=_drawn_system(visit, shown), system_id=system_id,
        live=f"/runs/{quote(run_id, safe='')}/systems/{quote(system_id, safe='')}/live",
    )  # fmt: skip


@router.get("/runs/{run_id}/systems/{system_id}/live")
def live_system(visit: Reading, run_id: str, system_id: str) -> Response:
    return _followed(visit, run_id, lambda shown: _drawn_system(visit, _one(shown, system_id)))


@router.get("/runs/{run_id}/systems/{system_id}/log")
def log(
    visit: Reading, run_id: str, system_id: str, step: str, phase: str = "apply", number: int | None = None
) -> Response:
    if step not in get_args(StepName) or phase not in get_args(Phase):
        raise HTTPException(404)
    key, text = run_status.read_log(
        visit.session, run_id, system_id, step, phase=phase, number=number  # type: ignore[arg-type]
    )  # fmt: skip
    if visit.request.query_params.get("as") == "txt":
        name = key.text.replace("/", "-")
        return PlainTextResponse(text, headers={"Content-Disposition": f'attachment; filename="{name}.txt"'})
    shown = _one(run_status.run_overview(visit.session, run_id), system_id)
    attempt = next((a for a in shown.systems[0].attempts if a.key == key), None)
    title = Text("日志：{s} {t}，{p}第 {n} 次", "Log: {s}, {t}, {p} #{n}").format(
        s=system_id, t=shown.titles[key.step], p=PHASE[key.phase], n=key.number
    )
    view = build_attempts_view(_with_attempts(shown, [attempt] if attempt else []))
    return visit.page(
        "run_log.html.j2", title, run_id=run_id, system_id=system_id, key=key, attempt=attempt,
        text=text[-LOG_CHARS:], cut=len(text) > LOG_CHARS,
        views=(filled(replace(view, title=Text("结果", "Result")), without=("system_id", "title", "phase", "attempt", "evidence")),),
    )  # fmt: skip


def _followed(visit: Visit, run_id: str, drawn: Callable[[RunOverview], str]) -> Response:
    latest = [run_status.run_overview(visit.session, run_id)]

    def draw() -> str:
        latest[0] = run_status.run_overview(visit.session, run_id)
        return drawn(latest[0])

    return Live(
        visit.place.followers, visit.acting.name, mark=lambda: run_status.mark(visit.session, run_id), draw=draw,
        goes_on=lambda: any(s.row.state not in ENDED for s in latest[0].systems), still_in=lambda: still_in(visit),
        stopping=visit.place.stopping.is_set,
    )  # fmt: skip


def _page(visit: Visit) -> int:
    return page_number(visit.request.query_params.get("page", ""))


def _drawn(visit: Visit, shown: RunOverview) -> str:
    offers = find_offers(visit.session, shown)
    paging = Paging(number=_page(visit), total=len(shown.systems), query={}, rows=_SYSTEMS)
    some = slice(paging.offset, paging.offset + paging.rows)
    view = filled(build_run_view(shown, reasons=False), without=("wait",))
    if shown.labels:
        view = _named(view, shown.labels)
    return visit.part(
        "run_part.html.j2", shown=shown, offers=offers, paging=paging, records=_records(shown), back="run",
        asked_view=build_asked_view, labels=shown.labels,
        view=replace(view, title=Text("各系统", "Systems"), rows=view.rows[some]), lines=_lines(shown.systems[some], shown, offers),
    )  # fmt: skip


def _drawn_system(visit: Visit, shown: RunOverview) -> str:
    status, offers = shown.systems[0], find_offers(visit.session, shown)
    row = status.row
    records = _records(shown, of_one=True)
    if resources := list_resources(visit.session, row.run_id, [row.system_id]):
        records += (filled(build_resources_view(resources), without=("system_id",)),)
    view = filled(build_run_view(shown, reasons=False), without=("system_id", "wait"))
    return visit.part(
        "run_system_part.html.j2", shown=shown, offers=offers, records=records, labels=shown.labels,
        attempts=filled(build_attempts_view(shown), without=("system_id", "evidence")),
        logs=[_log_address(a.key) for a in status.attempts], lines=_lines(shown.systems, shown, offers), back="system",
        view=replace(view, title=Text("现状", "Where it is")), question=offers.questions.get(row.system_id), phases=PHASE,
        asked_view=build_asked_view,
    )  # fmt: skip


def _log_address(key: Any) -> str:
    place = f"/runs/{quote(key.run_id, safe='')}/systems/{quote(key.system_id, safe='')}/log"
    return f"{place}?step={key.step}&phase={key.phase}&number={key.number}"


def _lines(systems: Sequence[SystemStatus], shown: RunOverview, offers: Offers) -> list[dict[str, Any]]:
    """Of each system its page, why it waits, and links to what ends that."""
    due = {s.row.system_id for asked in offers.asked if asked.is_due for s in asked.systems}
    orders = {kind: frozenset(systems) for kind, systems in offers.orders.items()}
    found = []
    for status in systems:
        name = status.row.system_id
        page = f"/runs/{quote(status.row.run_id, safe='')}/systems/{quote(name, safe='')}"
        ends = [(Text("去批准", "Answer"), "#run-answers")] if name in due else []
        if name in offers.questions:
            ends.append((Text("决定", "Decide"), f"{page}#run-question"))
        ends += [(title, "#run-orders") for kind, title in _ENDS if name in orders.get(kind, ())]
        if status.row.wait is not None and status.row.wait.kind in ("ticket", "host_key"):
            ends.append((_MACHINES, f"{page}/machines"))
        found.append({"page": page, "why": page_reason(status, shown), "ends": ends})
    return found


def _records(shown: RunOverview, *, of_one: bool = False) -> tuple[View, ...]:
    approvals, orders = build_approvals_view(shown), build_orders_view(shown)
    without = ("systems", "system_id", "number") if of_one else ()
    return tuple(filled(view, without=without) for view in (approvals, orders) if view.rows)


def _named(view: View, labels: Mapping[str, str]) -> View:
    """With the systems' names beside their ids, which lead to their pages."""
    names = {system_id: label.removeprefix(system_id).strip() for system_id, label in labels.items()}
    columns = (view.columns[0], Column("name", Text("名称", "Name")), *view.columns[1:])
    return replace(view, columns=columns, rows=tuple({**r, "name": names.get(str(r["system_id"]))} for r in view.rows))


def _one(shown: RunOverview, system_id: str) -> RunOverview:
    if system_id not in shown.states:
        raise HTTPException(404)
    return shown.only(system_id)


def _with_attempts(shown: RunOverview, attempts: Sequence[Any]) -> RunOverview:
    return replace(shown, systems=(replace(shown.systems[0], attempts=tuple(attempts)),))
