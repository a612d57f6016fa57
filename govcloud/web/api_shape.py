"""What all operations of the JSON interface have in common: doors, pages of lists, and how they are described.

Its nouns are the model's own (dataclasses of govcloud/model); a class of its own stands only where the model holds more than
goes out: migration files, hashes of passwords and tokens.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Generic, TypeVar

from fastapi import APIRouter, Depends, FastAPI, Query
from fastapi.security import HTTPBearer
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from govcloud.web.door import ANYBODY, DoorFirst, enter
from govcloud.web.problems import MEDIA, TITLES, Problem
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
_SAID = (400, 401, 403, 404, 409, 413, 422, 429, 503)
_BINARY = {"schema": {"type": "string", "format": "binary"}}


def new_router(noun: str) -> APIRouter:
    """Operations under /api; an operation is called as its function."""
    said: dict[int | str, dict[str, Any]] = {
        status: {"model": Problem, "description": TITLES[status].en} for status in _SAID
    }
    return APIRouter(
        prefix=ROOT, tags=[noun], dependencies=[Depends(_BEARER)], responses=said,
        generate_unique_id_function=lambda route: route.name, route_class=DoorFirst,
    )  # fmt: skip


def gives(*media: str) -> dict[int | str, dict[str, Any]]:
    """The `responses` of an operation that answers with a file."""
    return {200: {"description": "The file", "content": dict.fromkeys(media, _BINARY)}}


def describe(app: FastAPI) -> dict[str, Any]:
    """OpenAPI of all operations. FastAPI takes the media type of what went well for that of problems, too."""
    schema: dict[str, Any] = app.openapi()
    for operation in (o for path in schema["paths"].values() for o in path.values()):
        for status, answer in operation["responses"].items():
            if status[0] in "45" and "application/json" in answer.get("content", {}):
                answer["content"] = {MEDIA: answer["content"].pop("application/json")}
    return schema
