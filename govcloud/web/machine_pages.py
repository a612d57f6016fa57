"""What a run made in clouds for a system: tickets that the cloud desk answers, and host keys that a person compares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, File, Form, HTTPException, UploadFile
from starlette.responses import Response

from govcloud.errors import UsageError
from govcloud.model.collect import HostTrust
from govcloud.model.resource import Resource
from govcloud.model.text import Text
from govcloud.report.discovery import build_trust_view
from govcloud.report.run_overview import RunOverview
from govcloud.report.run_records import build_resources_view
from govcloud.report.run_why import page_reason
from govcloud.report.view import View
from govcloud.web.door import DoorFirst, Reading, enter
from govcloud.web.downloads import made
from govcloud.web.files import uploaded
from govcloud.web.machine_keys import look_at_keys, trust_keys
from govcloud.web.visit import Visit
from govcloud.workflow import run_machines, run_status

router = APIRouter(include_in_schema=False, route_class=DoorFirst)
Operating = Annotated[Visit, Depends(enter("operate"))]
Compared = Annotated[list[str], Form(default_factory=list)]
_HERE = "/runs/{run_id}/systems/{system_id}/machines"


@router.get(_HERE)
def machines(visit: Reading, run_id: str, system_id: str, ticket: str = "") -> Response:
    """`?ticket=NAME` gives that ticket as a file."""
    if not ticket:
        return _page(visit, run_id, system_id)
    path = _tickets(visit, _one(visit, run_id, system_id)).get(ticket)
    if path is None:
        raise HTTPException(404)
    return made(path)


@router.post(f"{_HERE}/answer")
def answer(visit: Operating, run_id: str, system_id: str, file: Annotated[UploadFile, File()]) -> Response:
    with uploaded(file) as path:
        found = run_machines.answer_ticket(visit.session, run_id, system_id, path)
    done = Text("已登记 {i}，地址 {a}", "Recorded {i} at {a}").format(i=found.external_id, a=found.address)
    return visit.back_to(_address(run_id, system_id), done)


@router.post(f"{_HERE}/keys")
def keys(visit: Operating, run_id: str, system_id: str) -> Response:
    """A form, because it asks the machines; nothing is approved."""
    return _page(visit, run_id, system_id, look_at_keys(visit.session, run_id, system_id))


@router.post(f"{_HERE}/trust")
def trust(visit: Operating, run_id: str, system_id: str, compared: Compared) -> Response:
    """`compared`: `host fingerprint` of those that the person ticked."""
    pairs = dict(parts for line in compared if len(parts := line.split(" ")) == 2)
    if not pairs:
        raise UsageError(
            Text("没有勾选核对过的主机，什么也没有做", "No host was ticked; nothing was done"), where=system_id
        )
    return _page(visit, run_id, system_id, trust_keys(visit.session, run_id, system_id, pairs))


def _page(visit: Visit, run_id: str, system_id: str, trusts: Sequence[HostTrust] = ()) -> Response:
    shown = _one(visit, run_id, system_id)
    resources = run_machines.list_resources(visit.session, run_id, [system_id])
    open_tickets = _open(resources)
    here = _tickets(visit, shown)
    return visit.page(
        "machines.html.j2", Text("{s} 的机器与工单", "{s}: machines and tickets").format(s=system_id), run_id=run_id,
        system_id=system_id, why=page_reason(shown.systems[0], shown), resources=build_resources_view(resources),
        tickets=[(r.machine, r.name, r.name in here) for r in open_tickets], here=_address(run_id, system_id),
        made=any(r.kind == "server" and r.address and r.deleted_at is None for r in resources),
        trusts=_told(trusts) if trusts else None, new=[(t.host.name, t.shown) for t in trusts if t.state == "new"],
    )  # fmt: skip


def _told(trusts: Sequence[HostTrust]) -> View:
    """Its notes name options of the command, the page has words of its own."""
    view = build_trust_view(trusts)
    return View(name=view.name, title=view.title, columns=view.columns, rows=view.rows, facts=view.facts)


def _open(resources: Sequence[Resource]) -> list[Resource]:
    """Tickets without an answer."""
    there = {r.machine for r in resources if r.kind == "server" and r.deleted_at is None}
    return [r for r in resources if r.kind == "ticket" and r.deleted_at is None and r.machine not in there]


def _tickets(visit: Visit, shown: RunOverview) -> Mapping[str, Path]:
    """Name -> the file that the worker wrote, as far as this workspace has it: workers of other zones keep their own."""
    folder = visit.session.workspace.path.resolve()
    results = (a.result for a in shown.systems[0].attempts if a.result is not None)
    paths = (Path(str(at)) for r in results for key, at in r.facts.items() if key.startswith("ticket."))
    return {p.stem: p for p in paths if p.suffix == ".txt" and p.resolve().is_relative_to(folder) and p.is_file()}


def _one(visit: Visit, run_id: str, system_id: str) -> RunOverview:
    shown = run_status.run_overview(visit.session, run_id)
    if system_id not in shown.states:
        raise HTTPException(404)
    return shown.only(system_id)


def _address(run_id: str, system_id: str) -> str:
    return _HERE.format(run_id=quote(run_id, safe=""), system_id=quote(system_id, safe=""))
