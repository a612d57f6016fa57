"""The ledger: what was done when by whom, whether the records add up, and what an auditor takes away."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form
from fastapi import Path as InPath
from starlette.responses import Response

from govcloud.model.text import Text
from govcloud.report.audit import build_verify_view
from govcloud.report.ledger_kinds import KIND
from govcloud.report.ledger_record import build_digests_view, build_inclusion_view, build_record_view
from govcloud.report.timeline import build_evidence_view, build_log_view
from govcloud.report.view import View, filled
from govcloud.web.days import parse_given_day
from govcloud.web.door import DoorFirst, Reading, enter
from govcloud.web.downloads import give_bundle, give_evidence
from govcloud.web.visit import Visit
from govcloud.workflow import audit as workflow
from govcloud.workflow.evidence import find_evidence
from govcloud.workflow.ledger_record import public_key, read_record
from govcloud.workflow.timeline import Wanted, read_timeline, record_titles

router = APIRouter(include_in_schema=False, route_class=DoorFirst)
Exporting = Annotated[Visit, Depends(enter("export"))]
Signing = Annotated[Visit, Depends(enter("checkpoint"))]
Number = Annotated[int, InPath(ge=0, lt=2**53)]
"""Of a record; what no database can hold is no number of one."""
_TEXTS = {
    "project": Text("项目", "Project"),
    "system": Text("系统", "System"),
    "run": Text("执行", "Run"),
    "takeover": Text("接管", "Takeover"),
    "actor": Text("操作人", "Actor"),
}
_DAYS = {"since": Text("起", "From"), "until": Text("止", "Until")}
_ROWS = (100, 400, 2000)


@router.get("/ledger")
def ledger(visit: Reading) -> Response:
    asked = {name: visit.request.query_params.get(name, "").strip()[:200] for name in (*_TEXTS, *_DAYS, "kind")}
    wanted: dict[str, Any] = {name: asked[name] or None for name in (*_TEXTS, "kind")}
    wanted |= {name: parse_given_day(asked[name]) for name in _DAYS}
    limit = next((n for n in _ROWS if str(n) == visit.request.query_params.get("rows")), _ROWS[0])
    found = read_timeline(visit.session, Wanted(**wanted), limit=limit)
    view = build_log_view(found.records[::-1], record_titles(visit.session))
    if visit.request.query_params.get("as"):
        return visit.views(view.title, view)
    more = next((n for n in _ROWS if n > limit), None) if found.earlier else None
    query = {name: value for name, value in asked.items() if value}
    return visit.page(
        "ledger.html.j2", Text("台账", "Ledger"), view=linked_log(view), asked=asked, texts=_TEXTS, days=_DAYS, kinds=KIND,
        query=query, more=more, earlier=found.earlier, limit=limit,
    )  # fmt: skip


def linked_log(view: View) -> View:
    """As a page shows it: numbers name the records' pages, which have the digests."""
    columns = tuple(c for c in view.columns if c.key not in ("evidence", "leaf_hash"))
    rows = tuple({**row, "seq": str(row["seq"])} for row in view.rows)
    return filled(replace(view, columns=columns, rows=rows))


@router.get("/ledger/verification")
def verification(visit: Reading) -> Response:
    """Recomputes everything from the records: asked for by a link, not by every look at the ledger."""
    found = workflow.verify_ledger(visit.session)
    view = build_verify_view(found.report, live=found.live, unsigned=0)
    if unsigned := found.unsigned:
        note = Text("其中最近 {n} 条尚无检查点签名", "The last {n} records are not signed by a checkpoint yet")
        view = replace(view, notes=(*view.notes, note.format(n=unsigned)))
    return visit.page(
        "ledger_verified.html.j2", Text("台账核对", "Verification of the ledger"), view=view, vkey=public_key(visit.session),
        found=replace(view, notes=()),
        ok=not found.report.problems,
    )  # fmt: skip


@router.get("/ledger/evidence/{sha256}")
def evidence(visit: Reading, sha256: str) -> Response:
    found = find_evidence(visit.session, sha256)
    name = Path(found.path.name) if found.path else None  # where the server keeps it is nobody's business
    view = build_evidence_view(found.sha256, name, found.size_bytes, found.records, record_titles(visit.session))
    links = ((Text("下载文件", "Download the file"), f"/ledger/evidence/{found.sha256}/file"),) if found.path else ()
    return visit.views(Text("证据", "Evidence"), linked_log(view), links=links)


@router.get("/ledger/evidence/{sha256}/file")
def evidence_file(visit: Reading, sha256: str) -> Response:
    return give_evidence(visit.session, sha256)


@router.get("/ledger/{seq}")
def record(visit: Reading, seq: Number) -> Response:
    found = read_record(visit.session, seq)
    proved = found.inclusion
    views = [build_record_view(found.told, record_titles(visit.session))]
    if digests := found.told.get("evidence"):
        views.append(build_digests_view(digests, found.told["body"]))
    if proved is not None:
        views.append(build_inclusion_view(proved.size, proved.note, proved.path, proved.problems))
    body = json.dumps(found.told["body"], ensure_ascii=False, indent=1)
    return visit.page(
        "ledger_record.html.j2", Text("台账第 {n} 号记录", "Ledger record {n}").format(n=seq), views=views, body=body,
        seq=seq, note=proved.note if proved else None,
    )  # fmt: skip


@router.post("/ledger/{seq}/proof")
def proof(visit: Exporting, seq: Number) -> Response:
    """Signs a checkpoint where none covers the record, as the command does."""
    (made,) = workflow.prove(visit.session, [seq])
    headers = {"Content-Disposition": f'attachment; filename="record-{seq}.json"'}
    return Response(made, media_type="application/json", headers=headers)


@router.post("/ledger/checkpoint")
def checkpoint(visit: Signing) -> Response:
    signed = workflow.checkpoint(visit.session)
    headers = {"Content-Disposition": f'attachment; filename="checkpoint-{signed.size}.txt"'}
    return Response(signed.note, media_type="text/plain; charset=utf-8", headers=headers)


@router.post("/ledger/export")
def export(visit: Exporting, since: Annotated[str, Form(max_length=15, pattern=r"\d*")] = "") -> Response:
    """`since`: size of the checkpoint after which it begins."""
    return give_bundle(visit.session, since or None)
