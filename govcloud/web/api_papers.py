"""/api: the papers that offices exchange, and departments' requests with the opinions on them."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any, Literal

from fastapi import File, UploadFile
from pydantic import Field, StringConstraints
from starlette.responses import Response

from govcloud.model.request import Conclusion, RequestCheck
from govcloud.model.text import Text
from govcloud.web.api_shape import Body, Checking, Exporting, Name, Out, Page, Paged, Reading, gives, new_router
from govcloud.web.downloads import MEDIA, give_paper, made, paper_kinds
from govcloud.web.files import uploaded
from govcloud.workflow.paper_kind import FORMS, KIND_IDS, Form, Scope
from govcloud.workflow.request import check_request, latest_requests

router = new_router("papers")
OpinionForm = Literal["docx", "txt", "json"]


class PaperKind(Out):
    kind_id: str
    title: Text
    about: Literal["estate", "month", "wave", "run", "takeover"] = Field(
        description="Of a wave, run or takeover the order has to name which"
    )
    by_department: bool


class PaperWanted(Body):
    kind: Annotated[Name, Field(json_schema_extra={"enum": list(KIND_IDS)})]
    form: Form = "docx"
    wave: Annotated[int, Field(ge=1, le=100_000)] | None = None
    run_id: Name | None = None
    system_id: Name | None = Field(default=None, description="Of a run; all of its systems by default")
    handover_id: Name | None = None
    department: Name | None = None
    month: Annotated[str, StringConstraints(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$")] | None = Field(
        default=None, description="YYYY-MM; this one by default"
    )


class RequestChecked(Out):
    check: RequestCheck
    conforms: bool
    conclusion: Conclusion
    at: datetime


@router.get("/papers", response_model=list[PaperKind])
def get_paper_kinds(visit: Reading) -> Any:
    return list(paper_kinds().values())


@router.post("/papers", response_class=Response, responses=gives(*(MEDIA[form] for form in FORMS)))
def make_paper(visit: Exporting, wanted: PaperWanted) -> Response:
    """One paper, in the language asked for; the ledger keeps its digest."""
    scope = Scope(
        wave=wanted.wave, run_id=wanted.run_id, system_id=wanted.system_id, handover_id=wanted.handover_id,
        department=wanted.department, month=date.fromisoformat(f"{wanted.month}-01") if wanted.month else None,
    )  # fmt: skip
    return give_paper(visit.session, wanted.kind, scope, wanted.form)


@router.get("/requests", response_model=Page[RequestChecked])
def get_requests(visit: Reading, part: Paged) -> Any:
    """The newest check of every request."""
    return part.of([_checked(check, at) for check, at in latest_requests(visit.session)])


@router.post("/requests", response_model=RequestChecked)
def check_one_request(visit: Checking, file: Annotated[UploadFile, File()]) -> Any:
    """A department's request, as the form (.xlsx and its kin) or as .yaml or .json, against the catalog of its day."""
    with uploaded(file) as path:
        run = check_request(visit.session, [path])
    return _checked(run.checks[0], run.at)


@router.post(
    "/requests/opinion", response_class=Response, responses=gives(*(MEDIA[f] for f in ("docx", "txt", "json")))
)
def check_and_write_opinion(
    visit: Checking, file: Annotated[UploadFile, File()], form: OpinionForm = "docx"
) -> Response:  # fmt: skip
    """Checks the request and answers with the review opinion on it, in the language asked for."""
    word = Text("审核意见", "opinion").to(visit.lang)
    with uploaded(file) as path, TemporaryDirectory(prefix="govcloud-opinion-") as folder:
        opinion = Path(folder) / f"{path.stem}-{word}.{form}"
        check_request(visit.session, [path], opinion)
        return made(opinion)


def _checked(check: RequestCheck, at: datetime) -> dict[str, Any]:
    return {"check": check, "conforms": check.conforms, "conclusion": check.conclusion, "at": at}
