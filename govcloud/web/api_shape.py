"""What all operations of the JSON interface have in common: doors, pages of lists, and how it says that something did not work.

Its nouns are the model's own (dataclasses of govcloud/model); a class of its own stands only where the model holds more than
goes out: migration files, hashes of passwords and tokens.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Generic, TypeVar

from fastapi import APIRouter, Depends, Query
from fastapi.security import HTTPBearer
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from starlette.requests import Request
from starlette.responses import JSONResponse

from govcloud.errors import GovcloudError, UsageError
from govcloud.model.text import Text
from govcloud.web.door import ANYBODY, enter
from govcloud.web.visit import Visit

ROOT = "/api"
T = TypeVar("T")

Reading = Annotated[Visit, Depends(enter("read"))]
Collecting = Annotated[Visit, Depends(enter("collect"))]
Checking = Annotated[Visit, Depends(enter("check"))]
Waiving = Annotated[Visit, Depends(enter("waive"))]
Planning = Annotated[Visit, Depends(enter("plan"))]
Operating = Annotated[Visit, Depends(enter("operate"))]
Approving = Annotated[Visit, Depends(enter("approve"))]
Deciding = Annotated[Visit, Depends(enter("operate", "approve"))]
Reviewing = Annotated[Visit, Depends(enter("review"))]
Giving = Annotated[Visit, Depends(enter("give_papers"))]
Receiving = Annotated[Visit, Depends(enter("receive_papers"))]
Signing = Annotated[Visit, Depends(enter("sign"))]
Sealing = Annotated[Visit, Depends(enter("checkpoint"))]
Exporting = Annotated[Visit, Depends(enter("export"))]
Administering = Annotated[Visit, Depends(enter("administer"))]
Looking = Annotated[Visit, Depends(enter("read", "administer"))]
"""Whoever may look, and the administrator: the accounts."""
Anybody = Annotated[Visit, Depends(enter(*ANYBODY))]

_PLAIN = r"^[^\x00-\x1f\x7f]*$"
"""Without control characters: PostgreSQL takes no NUL, and a terminal that shows the ledger none at all."""
Name = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=_PLAIN)]
Words = Annotated[str, StringConstraints(max_length=2000, pattern=_PLAIN)]
Reason = Annotated[
    str, StringConstraints(min_length=1, max_length=2000, pattern=r"^[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*$")
]
Names = Annotated[list[Name], Field(max_length=10_000)]


def _written(value: object) -> object:
    if not isinstance(value, str | date):
        raise ValueError("YYYY-MM-DD")
    return value


Day = Annotated[
    date, BeforeValidator(_written), Field(ge=date(1950, 1, 1), le=date(2100, 12, 31), strict=False, description="1950 to 2100")
]  # fmt: skip


class Body(BaseModel):
    """What a request says; a field that we do not know is refused: it may have been meant."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Why(Body):
    reason: Reason


class Out(BaseModel):
    """Made from the model's object by the names of its fields."""

    model_config = ConfigDict(from_attributes=True)


class Problem(BaseModel):
    """Why nothing was done."""

    code: int = Field(description="As the exit code of the command: 2 usage or right, 3 input, 4 outside, 5 integrity")
    error: Text
    where: Text
    next: Text | None


class Page(BaseModel, Generic[T]):
    items: list[T]
    total: int = Field(description="All that fit, on this page or not")
    limit: int
    offset: int


@dataclass(frozen=True, slots=True)
class Part:
    """The part of a list that is wanted."""

    limit: int
    offset: int

    def of(self, items: Sequence[Any]) -> Any:
        """Page of a list that was read whole."""
        return self.page(items[self.offset : self.offset + self.limit], len(items))

    def page(self, items: Sequence[Any], total: int) -> Any:
        return {"items": list(items), "total": total, "limit": self.limit, "offset": self.offset}


def _part(
    limit: Annotated[int, Query(ge=1, le=1000)] = 50, offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0
) -> Part:
    return Part(limit, offset)


Paged = Annotated[Part, Depends(_part)]

_BEARER = HTTPBearer(auto_error=False, scheme_name="token", description="govcloud accounts token new")
_SAID = {401: "Not signed in", 403: "Not allowed", 404: "There is no such thing", 422: "The request is not valid"}
_REFUSED = {400: "Unreadable body", 409: "As things stand it can't be done", 503: "A host or program outside failed"}


def new_router(noun: str) -> APIRouter:
    """Operations under /api; an operation is called as its function."""
    said: dict[int | str, dict[str, Any]] = {
        status: {"model": Problem, "description": text} for status, text in (_SAID | _REFUSED).items()
    }
    return APIRouter(
        prefix=ROOT, tags=[noun], dependencies=[Depends(_BEARER)], responses=said,
        generate_unique_id_function=lambda route: route.name,
    )  # fmt: skip


def refused(request: Request, error: GovcloudError, status: int) -> JSONResponse:
    """404 for what was to be looked at and is not there, 409 for what things as they stand do not let happen."""
    if status == 400:
        status = 404 if request.method in ("GET", "HEAD") else 409
    said = Problem(code=error.exit_code, error=error.what, where=error.where, next=error.next_step)
    return JSONResponse(said.model_dump(mode="json"), status)


def not_signed_in() -> JSONResponse:
    what = Text("没有令牌，或令牌无效", "There is no token, or it is not valid")
    return problem(401, what, headers={"WWW-Authenticate": "Bearer"})


def problem(status: int, error: Text, *, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """What never reached an operation."""
    said = Problem(code=UsageError.exit_code, error=error, where=Text("", ""), next=None)
    return JSONResponse(said.model_dump(mode="json"), status, headers)
