"""What people say to a run: answers at gates, orders, decisions and reviews. Each is recorded at once; workers carry it out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form
from starlette.responses import Response

from govcloud.errors import UsageError
from govcloud.model.gate import Choice
from govcloud.model.step import Phase, StepName
from govcloud.model.text import Text
from govcloud.report.run import STATE
from govcloud.report.run_asked import Word
from govcloud.report.run_records import ORDER
from govcloud.web.door import DoorFirst, enter
from govcloud.web.visit import Visit
from govcloud.workflow import run_gates, run_orders
from govcloud.workflow.run import step_titles
from govcloud.workflow.run_orders import Given

router = APIRouter(include_in_schema=False, route_class=DoorFirst)
Approving = Annotated[Visit, Depends(enter("approve"))]
Operating = Annotated[Visit, Depends(enter("operate"))]
Reviewing = Annotated[Visit, Depends(enter("review"))]
# To let a step be repeated that must not be is an approval, which the workflow asks for.
Deciding = Annotated[Visit, Depends(enter("operate", "approve"))]
Reason = Annotated[str, Form(max_length=2000)]
Chosen = Annotated[list[str], Form(default_factory=list)]
Back = Annotated[Literal["run", "system", "approvals"], Form()]
"""The page on which the form stood."""
_TOLD = 8


@router.post("/runs/{run_id}/answer")
def answer(
    visit: Approving, run_id: str, word: Annotated[Word, Form()], step: Annotated[StepName, Form()], systems: Chosen,
    gates: Chosen, reason: Reason = "", back: Back = "run",
) -> Response:  # fmt: skip
    """`gates`: those that the page showed; what has changed since is not answered."""
    _demand(systems)
    if not gates:
        raise UsageError(Text("没有写明答复的是哪些关口", "It is not said which gates are answered"), where=run_id)
    made = run_gates.answer_gates(
        visit.session, run_id, step=step, systems=systems, granted=word != "refuse", emergency=word == "emergency",
        reason=reason.strip() or None, gates=gates,
    )  # fmt: skip
    words: dict[Word, Text] = {
        "approve": Text("已批准", "Approved"),
        "refuse": Text("未予批准", "Refused"),
        "emergency": Text("已作紧急批准", "Approved as an emergency"),
    }
    until = made[0].answer.expires_at.astimezone(visit.place.zone)
    done = Text("{w}“{t}”：{s}{until}", '{w} "{t}": {s}{until}').format(
        w=words[word], t=step_titles()[step], s=_named([m.gate.system_id for m in made]),
        until=Text("", "") if word == "refuse" else Text("，有效至 {e}", ", valid until {e}").format(e=f"{until:%Y-%m-%d %H:%M}"),
    )  # fmt: skip
    if any(m.lapses_early for m in made):
        early = Text(
            "注意：批准在变更窗口开启前就会失效，届时须重新批准（execution.approval_hours）",
            "Mind: it lapses before the change window opens and has to be given again then (execution.approval_hours)",
        )
        done = Text(f"{done.zh}\n{early.zh}", f"{done.en}\n{early.en}")
    return visit.back_to(_page(run_id, systems, back), done)


@router.post("/runs/{run_id}/hold")
def hold(visit: Operating, run_id: str, systems: Chosen, reason: Reason = "", back: Back = "run") -> Response:
    _demand(systems)
    given = run_orders.hold(visit.session, run_id, systems, reason=reason.strip() or None)
    return _told(visit, run_id, given, back)


@router.post("/runs/{run_id}/resume")
def resume(visit: Operating, run_id: str, systems: Chosen, reason: Reason = "", back: Back = "run") -> Response:
    _demand(systems)
    given = run_orders.resume(visit.session, run_id, systems, reason=reason.strip() or None)
    return _told(visit, run_id, given, back)


@router.post("/runs/{run_id}/cancel")
def cancel(visit: Operating, run_id: str, systems: Chosen, reason: Reason = "", back: Back = "run") -> Response:
    _demand(systems)
    given = run_orders.cancel(visit.session, run_id, systems, reason=reason.strip() or None)
    return _told(visit, run_id, given, back)


@router.post("/runs/{run_id}/accept")
def accept(visit: Approving, run_id: str, systems: Chosen, reason: Reason = "", back: Back = "run") -> Response:
    _demand(systems)
    given = run_orders.accept(visit.session, run_id, systems, reason=reason.strip() or None)
    return _told(visit, run_id, given, back)


@router.post("/runs/{run_id}/switch-off")
def switch_off(visit: Operating, run_id: str, systems: Chosen, reason: Reason = "", back: Back = "run") -> Response:
    _demand(systems)
    given = run_orders.switch_off(visit.session, run_id, systems, reason=reason.strip() or None)
    return _told(visit, run_id, given, back)


@router.post("/runs/{run_id}/rollback")
def rollback(visit: Operating, run_id: str, systems: Chosen, reason: Reason = "", back: Back = "run") -> Response:
    """Of one system: each way back is a decision of its own."""
    if len(systems) != 1:
        raise UsageError(Text("一次只能回退一个系统", "One system is rolled back at a time"), where=run_id)
    given = run_orders.roll_back(visit.session, run_id, systems[0], reason=reason.strip() or None)
    return _told(visit, run_id, [given], back)


@router.post("/runs/{run_id}/review")
def review(visit: Reviewing, run_id: str, systems: Chosen, reason: Reason, back: Back = "run") -> Response:
    _demand(systems)
    if not reason.strip():
        raise UsageError(Text("复核须写明结论", "A review says what was found"), where=run_id)
    given = run_orders.review(visit.session, run_id, systems, reason=reason.strip())
    return _told(visit, run_id, given, back)


@router.post("/runs/{run_id}/decide")
def decide(
    visit: Deciding, run_id: str, system: Annotated[str, Form()], step: Annotated[StepName, Form()],
    phase: Annotated[Phase, Form()], number: Annotated[int, Form()], word: Annotated[Choice, Form()], reason: Reason = "",
) -> Response:  # fmt: skip
    given = run_orders.decide(
        visit.session, run_id, system, step, word, phase=phase, number=number, reason=reason.strip() or None
    )
    return _told(visit, run_id, [given], "system")


def _demand(systems: Sequence[str]) -> None:
    """On a page nothing is meant for all that merely was not ticked."""
    if not systems:
        raise UsageError(
            Text("没有选中系统，什么也没有做", "No system was chosen; nothing was done"),
            next_step=Text("返回上一页，选中系统后再提交", "Go back and choose systems"),
        )


def _told(visit: Visit, run_id: str, given: Sequence[Given], back: str) -> Response:
    if not given:
        done = Text("没有需要这样做的系统，什么也没有做", "No system needs it; nothing was done")
        return visit.back_to(_page(run_id, (), "run"), done)
    lines = [
        Text("已记录：{s} {o}；现状：{state}{note}", "Recorded: {s} {o}; now: {state}{note}").format(
            s=one.order.system_id, o=ORDER[one.order.kind], state=STATE[one.state],
            note=Text("；{n}", "; {n}").format(n=one.note) if one.note else Text("", ""),
        )
        for one in given[:_TOLD]
    ]  # fmt: skip
    if len(given) > _TOLD:
        lines.append(Text("……共 {n} 个系统", "… {n} systems in all").format(n=len(given)))
    done = Text("\n".join(line.zh for line in lines), "\n".join(line.en for line in lines))
    return visit.back_to(_page(run_id, [one.order.system_id for one in given], back), done)


def _named(systems: Sequence[str]) -> Text:
    more = Text("", "") if len(systems) <= _TOLD else Text("等 {n} 个", " ({n} in all)").format(n=len(systems))
    names = ", ".join(systems[:_TOLD])
    return Text("{s}{m}", "{s}{m}").format(s=names, m=more)


def _page(run_id: str, systems: Sequence[str], back: str) -> str:
    if back == "approvals":
        return "/approvals"
    run = f"/runs/{quote(run_id, safe='')}"
    return f"{run}/systems/{quote(systems[0], safe='')}" if back == "system" and systems else run
