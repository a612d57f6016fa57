"""/api: maintenance takeovers. What needs a private key (changing access, proofs) stays with the command line."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated, Any

from fastapi import File, UploadFile
from pydantic import Field
from starlette.responses import Response

from govcloud.model.handover import DataItem, Handover, Level, Progress, Role, Standing, TakeoverState, Todo
from govcloud.model.text import Text
from govcloud.web.api_shape import (
    Body,
    Day,
    Exporting,
    Giving,
    Name,
    Names,
    Out,
    Page,
    Paged,
    Reading,
    Reason,
    Receiving,
    Signing,
    Why,
    Words,
    gives,
    new_router,
)
from govcloud.web.downloads import MEDIA, give_package
from govcloud.web.files import uploaded
from govcloud.web.visit import Visit
from govcloud.workflow import takeover as workflow
from govcloud.workflow import takeover_data, takeover_decide, takeover_overview, takeover_papers
from govcloud.workflow.takeover import Takeover

router = new_router("takeovers")


class SystemTakeover(Out):
    system_id: str
    name: str | None
    department: str | None
    state: TakeoverState
    handover_id: str | None
    until: Day | None
    overdue: bool


class TakeoverRecord(Out):
    """A takeover as it stands after what was asked for."""

    code: int = Field(description="0: done; 1: not done, or not all of it, for the reasons in `obstacles`")
    obstacles: list[Text]
    status: TakeoverState
    handover: Handover
    standings: dict[str, Standing]
    open: list[str] = Field(description="Required items that are not done")
    todos: list[Todo]


class TakeoverPlan(Body):
    level: Level
    builder: Name
    until: Day
    dual_run_until: Day | None = None


class Deferral(Body):
    reason: Reason
    until: Day | None = None


class Start(Body):
    builder: Name | None = None
    level: Level | None = None
    builder_key: Annotated[str, Field(max_length=8000)] | None = Field(
        default=None, description="The public key's line"
    )
    hosts: Names = Field(default=[])
    dual_run_until: Day | None = None


class Note(Body):
    note: Words = ""
    not_applicable: bool = False


class Items(Body):
    items: Names = Field(default=[], description="None: all that wait")


class SentBack(Body):
    items: Names = Field(default=[], description="None: all that was given")
    reason: Reason


class Signature(Body):
    role: Role


@router.get("/takeovers", response_model=Page[SystemTakeover])
def get_takeovers(
    visit: Reading, part: Paged, state: TakeoverState | None = None, department: Name | None = None
) -> Any:  # fmt: skip
    """Every system of the estate with its newest takeover."""
    found = takeover_overview.list_systems(visit.session, state=state, department=department)
    page = part.of(found)
    page["items"] = [
        {
            "system_id": s.system_id, "name": s.name, "department": s.department, "state": s.state, "until": s.until,
            "handover_id": s.handover.handover_id if s.handover else None, "overdue": s.overdue,
        }
        for s in page["items"]
    ]  # fmt: skip
    return page


@router.get("/takeover-progress", response_model=list[Progress])
def get_takeover_progress(visit: Reading) -> Any:
    """By department, and of all systems at the end."""
    return takeover_overview.build_progress(takeover_overview.list_systems(visit.session))


@router.get("/takeovers/{handover_id}", response_model=TakeoverRecord)
def get_takeover(visit: Reading, handover_id: Name) -> Any:
    return _record(visit, workflow.get_takeover(visit.session, handover_id))


@router.get("/takeovers/{handover_id}/data", response_model=list[DataItem])
def get_takeover_data(visit: Reading, handover_id: Name) -> Any:
    """What the store knows for the checklist: ends, unknowns, and what has changed since it was accepted."""
    found = workflow.get_takeover(visit.session, handover_id)
    return takeover_data.build_data(visit.session, found.handover, takeover_data.data_items(found.checklist))


@router.post("/systems/{system_id}/takeover/plan", response_model=TakeoverRecord)
def plan_takeover(visit: Giving, system_id: Name, plan: TakeoverPlan) -> Any:
    return _record(visit, takeover_decide.plan_takeover(visit.session, system_id, **dict(plan)))


@router.post("/systems/{system_id}/takeover/defer", response_model=TakeoverRecord)
def defer_takeover(visit: Giving, system_id: Name, why: Deferral) -> Any:
    return _record(visit, takeover_decide.defer(visit.session, system_id, reason=why.reason, until=why.until))


@router.post("/systems/{system_id}/takeover/exclude", response_model=TakeoverRecord)
def exclude_takeover(visit: Giving, system_id: Name, why: Why) -> Any:
    return _record(visit, takeover_decide.exclude(visit.session, system_id, reason=why.reason))


@router.post("/systems/{system_id}/takeover/resume", response_model=TakeoverRecord)
def resume_takeover(visit: Giving, system_id: Name) -> Any:
    return _record(visit, takeover_decide.resume(visit.session, system_id))


@router.post("/systems/{system_id}/takeover/start", response_model=TakeoverRecord)
def start_takeover(visit: Giving, system_id: Name, start: Start) -> Any:
    with tempfile.TemporaryDirectory(prefix="govcloud-key-") as folder:
        key = None
        if start.builder_key is not None:
            key = Path(folder) / "builder.pub"
            key.write_text(start.builder_key, "utf-8")
        found = takeover_decide.start_takeover(
            visit.session, system_id, builder=start.builder, builder_key=key, hosts=start.hosts,
            dual_run_until=start.dual_run_until, level=start.level,
        )  # fmt: skip
    return _record(visit, found)


@router.post("/takeovers/{handover_id}/items/{item_id}/paper", response_model=TakeoverRecord)
def give_paper(visit: Giving, handover_id: Name, item_id: Name, file: Annotated[UploadFile, File()]) -> Any:
    with uploaded(file) as path:
        found = takeover_papers.add_evidence(visit.session, handover_id, item_id, file=path)
    return _record(visit, found)


@router.post("/takeovers/{handover_id}/items/{item_id}/note", response_model=TakeoverRecord)
def give_note(visit: Giving, handover_id: Name, item_id: Name, note: Note) -> Any:
    found = takeover_papers.add_evidence(
        visit.session, handover_id, item_id, note=note.note or None, not_applicable=note.not_applicable
    )
    return _record(visit, found)


@router.post("/takeovers/{handover_id}/accept", response_model=TakeoverRecord)
def accept_papers(visit: Receiving, handover_id: Name, items: Items) -> Any:
    return _record(visit, takeover_papers.accept(visit.session, handover_id, items.items))


@router.post("/takeovers/{handover_id}/refuse", response_model=TakeoverRecord)
def refuse_papers(visit: Receiving, handover_id: Name, refusal: SentBack) -> Any:
    return _record(visit, takeover_papers.refuse(visit.session, handover_id, refusal.items, refusal.reason))


@router.post("/takeovers/{handover_id}/sign", response_model=TakeoverRecord)
def sign_takeover(visit: Signing, handover_id: Name, signature: Signature) -> Any:
    """For one party; both owner and builder must, and nobody signs for both."""
    return _record(visit, workflow.sign(visit.session, handover_id, signature.role))


@router.post("/takeovers/{handover_id}/package", response_class=Response, responses=gives(MEDIA["tar"]))
def give_takeover_package(visit: Exporting, handover_id: Name) -> Response:
    """What both parties keep, and what an auditor checks without us."""
    return give_package(visit.session, handover_id)


def _record(visit: Visit, found: Takeover) -> Any:
    return {
        "code": 1 if found.obstacles else 0, "obstacles": found.obstacles, "status": found.status,
        "handover": found.handover, "standings": found.standings, "open": [item.item_id for item in found.open],
        "todos": workflow.todos(visit.session, found),
    }  # fmt: skip
