"""/api: departments, systems, servers, networks, dependencies, tenants, projects, and what witnesses disagree about or people settled."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from secrets import token_hex
from typing import Annotated, Any, Generic, TypeVar

from fastapi import File, HTTPException, Query, UploadFile
from pydantic import Field

from govcloud.errors import GovcloudError
from govcloud.model import answers
from govcloud.model.answers import Confirmation, FieldAnswer, Settled
from govcloud.model.collect import FileImport, RowError, SheetKind
from govcloud.model.deadline import ProjectDeadline, UndatedDuty
from govcloud.model.inventory import Conflict, Dependency, Joined, Network, Project, System, Tenant
from govcloud.model.observation import SubjectKind
from govcloud.model.overlap import DepartmentRow
from govcloud.model.server import Server
from govcloud.model.text import Text
from govcloud.web.api_shape import (
    Body,
    Collecting,
    Day,
    Name,
    Out,
    Page,
    Paged,
    Part,
    Reading,
    Reason,
    Words,
    new_router,
)
from govcloud.web.files import hide_folder, uploaded
from govcloud.web.visit import Visit
from govcloud.workflow import confirm as settle
from govcloud.workflow import projects as workflow
from govcloud.workflow.collect import import_files
from govcloud.workflow.inventory import explain_subject, list_conflicts, list_page
from govcloud.workflow.overlap import list_departments

router = new_router("estate")
T = TypeVar("T")
Department = Annotated[Name | None, Query(description="A part of its name")]
_RELATIONS: Mapping[str, settle.Relation] = {"same_as": "same_as", "not_same_as": "not_same_as"}
Find = Annotated[Name | None, Query(description="Anywhere in the values")]


class Known(Out, Generic[T]):
    """One thing, where each of its values is from, and the other ids that mean it."""

    entity: T
    fields: list[FieldAnswer]
    joined: list[Joined]


class Deadlines(Out):
    as_of: Day
    rows: list[ProjectDeadline]
    office: list[ProjectDeadline]
    reference: list[ProjectDeadline]
    undated: list[UndatedDuty]


class Sheet(Out):
    sheet: str
    kind: SheetKind | None
    rows: int
    taken: int
    problems: list[RowError]
    unknown_columns: list[str]


class Imported(Out):
    state: str
    sha256: str
    sheets: list[Sheet]
    refusal: Text | None


class Said(Body):
    subject: Name = Field(description="Its id, or another by which it is known")
    field: Name = Field(description="A field of it, `same_as` or `not_same_as`")
    value: Name = Field(description="As a person writes it; of `same_as` the other id")
    reason: Reason
    document: Words = Field(default="", description="The paper that it rests on")


class TakenBack(Body):
    subject: Name
    field: Name
    other: Words = Field(default="", description="Of `same_as` and `not_same_as`: the other id")
    reason: Reason


@router.get("/departments", response_model=Page[DepartmentRow])
def get_departments(visit: Reading, part: Paged) -> Any:
    return part.of(list_departments(visit.session))


@router.get("/systems", response_model=Page[System])
def get_systems(visit: Reading, part: Paged, department: Department = None, find: Find = None) -> Any:
    return _listed(visit, "system", part, department, find)


@router.get("/systems/{system_id}", response_model=Known[System])
def get_system(visit: Reading, system_id: Name) -> Any:
    return _known(visit, "system", system_id)


@router.get("/servers", response_model=Page[Server])
def get_servers(visit: Reading, part: Paged, department: Department = None, find: Find = None) -> Any:
    return _listed(visit, "server", part, department, find)


@router.get("/servers/{server_id}", response_model=Known[Server])
def get_server(visit: Reading, server_id: Name) -> Any:
    return _known(visit, "server", server_id)


@router.get("/networks", response_model=Page[Network])
def get_networks(visit: Reading, part: Paged, department: Department = None, find: Find = None) -> Any:
    return _listed(visit, "network", part, department, find)


@router.get("/networks/{network_id}", response_model=Known[Network])
def get_network(visit: Reading, network_id: Name) -> Any:
    return _known(visit, "network", network_id)


@router.get("/dependencies", response_model=Page[Dependency])
def get_dependencies(visit: Reading, part: Paged, department: Department = None, find: Find = None) -> Any:
    if department is None:
        return _listed(visit, "dependency", part, None, find)
    # They belong to the departments of both ends, which is found out over all of them.
    return part.of(list_page(visit.session, "dependency", answers.Query(department=department, find=find)).entities)


@router.get("/tenants", response_model=Page[Tenant])
def get_tenants(visit: Reading, part: Paged, department: Department = None, find: Find = None) -> Any:
    return _listed(visit, "tenant", part, department, find)


@router.get("/conflicts", response_model=Page[Conflict])
def get_conflicts(visit: Reading, part: Paged, department: Department = None, find: Find = None) -> Any:
    wanted = answers.Query(department=department, find=find, limit=part.offset + part.limit)
    found = list_conflicts(visit.session, wanted)
    return part.page(found.conflicts[part.offset :], found.total)


@router.get("/projects", response_model=Page[Project])
def get_projects(visit: Reading, part: Paged, department: Department = None, find: Find = None) -> Any:
    return _listed(visit, "project", part, department, find)


@router.get("/projects/{project_id}", response_model=Project)
def get_project(visit: Reading, project_id: Name) -> Any:
    return workflow.show_project(visit.session, project_id).project


@router.get("/projects/{project_id}/deadlines", response_model=Deadlines)
def get_project_deadlines(visit: Reading, project_id: Name, as_of: Day | None = None) -> Any:
    return workflow.show_project(visit.session, project_id, as_of).deadlines


@router.get("/deadlines", response_model=Deadlines)
def get_deadlines(
    visit: Reading, as_of: Day | None = None, department: Department = None,
    within: Annotated[int | None, Query(ge=0, le=36_500, description="Days")] = None,
) -> Any:  # fmt: skip
    return workflow.list_deadlines(visit.session, as_of, department=department, within=within)


@router.post("/imports", response_model=Imported)
def import_workbook(visit: Collecting, file: Annotated[UploadFile, File()], kind: SheetKind | None = None) -> Any:
    """A workbook or an export under the name that it is sent with; a newer one of that name replaces what it said."""
    with uploaded(file) as sent:
        kept = visit.session.workspace.folder("uploads") / sent.name
        # Renamed into place: whoever reads it meanwhile has the old one or the new one whole.
        fresh = kept.with_name(f".{token_hex(8)}")
        shutil.copyfile(sent, fresh)
        fresh.replace(kept)
    try:
        (done,) = import_files(visit.session, [kept], kind=kind).files
    except GovcloudError as error:
        hide_folder(error, kept.parent)
        raise
    return _imported(done)


@router.get("/confirmations", response_model=Page[Confirmation])
def get_confirmations(visit: Reading, part: Paged, department: Department = None) -> Any:
    """What people have settled, and what witnesses have said against it since."""
    return part.of(settle.list_confirmations(visit.session, department))


@router.post("/confirmations", response_model=Settled)
def confirm(visit: Collecting, said: Said) -> Any:
    """Settles a field, or whether two ids are one thing; no import overrides it."""
    if said.field in _RELATIONS:
        relation = _RELATIONS[said.field]
        return settle.confirm_identity(visit.session, said.subject, said.value, relation, said.reason, said.document)
    return settle.confirm_field(visit.session, said.subject, said.field, said.value, said.reason, said.document)


@router.post("/confirmations/withdrawal", response_model=Settled)
def withdraw_confirmation(visit: Collecting, said: TakenBack) -> Any:
    if said.field in _RELATIONS:
        return settle.withdraw_identity(visit.session, said.subject, said.other, _RELATIONS[said.field], said.reason)
    return settle.withdraw_field(visit.session, said.subject, said.field, said.reason)


def _imported(done: FileImport) -> Any:
    return {"state": done.state, "sha256": done.sha256, "sheets": done.sheets, "refusal": done.refusal}


def _listed(visit: Visit, kind: SubjectKind, part: Part, department: str | None, find: str | None) -> Any:
    wanted = answers.Query(department=department, find=find, limit=part.limit, offset=part.offset)
    found = list_page(visit.session, kind, wanted)
    return part.page(found.entities, found.total)


def _known(visit: Visit, kind: SubjectKind, subject_id: str) -> Any:
    found = explain_subject(visit.session, kind, subject_id)
    if found is None:
        raise HTTPException(404)
    return found
