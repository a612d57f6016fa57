"""The file of a takeover: what both parties keep, and what an auditor checks without us."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from govcloud.handover.checklist import evidence_files
from govcloud.ledger import verify
from govcloud.model.handover import PARTIES, Handover
from govcloud.model.ledger import LedgerEntry
from govcloud.model.migration import MigrationSpec
from govcloud.model.run import MOVED
from govcloud.model.text import LANGS, Lang, Text, same
from govcloud.report.document import Document, Section
from govcloud.report.docx import render_docx
from govcloud.report.handover import build_access_view, build_checklist_view, build_data_view, build_sign_view
from govcloud.report.handover_form import PARTY_TITLES, build_risks_view
from govcloud.report.handover_package import PackagedFile, build_files_view
from govcloud.report.handover_proofs import KINDS, build_proof_facts_view, build_proofs_view
from govcloud.report.handover_runbook import build_runbook_sections
from govcloud.report.html import render_html
from govcloud.report.text import render_json
from govcloud.report.timeline import build_log_view
from govcloud.report.view import View
from govcloud.store import handover as handover_store
from govcloud.store import ledger as ledger_store
from govcloud.store import run as run_store
from govcloud.workflow.audit import prove
from govcloud.workflow.session import Session
from govcloud.workflow.takeover import Takeover, folder_of, sign_offs
from govcloud.workflow.takeover_archive import Content, build_sums, write_archive
from govcloud.workflow.takeover_form import Shown, build_form, build_paper, read_state
from govcloud.workflow.timeline import Wanted, read_timeline, record_titles

_MOVING = frozenset(
    {"plan", "plan_pin", "run", "step", "gate", "approval", "order", "run_state", "run_scope", "resource"}
)
"""Kinds of records that tell how the system was planned and moved."""
_NAMED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Packaged:
    sums_sha256: str
    """Digest of the package's SHA256SUMS, as the ledger has it."""
    files: int
    missing: tuple[Text, ...]
    """Why it is only a draft; empty for a takeover that both parties signed."""


def write_package(session: Session, handover_id: str, target: Path) -> Packaged:
    """`target`: a .tar file or a new folder. The same state gives the same bytes.

    Raises UsageError for a target that is there, IntegrityError when stored evidence is not what was handed over.
    """
    state = read_state(session, handover_id)
    files = _papers(session, state)
    kept = folder_of(session, handover_id)
    files |= {f"evidence/{digest}": kept / digest for digest in evidence_files(state.takeover.handover)}
    files |= _index(session, state, files)
    sums = build_sums(files)
    write_archive(target, files, sums, state.at)
    digest, missing = hashlib.sha256(sums).hexdigest(), _missing(state.takeover)
    with session.store.begin() as tx:
        system_id = state.takeover.handover.system_id
        ledger_store.append(tx, LedgerEntry(
            kind="handover", actor=session.actor, at=session.now(), subject_id=system_id, run_id=handover_id, step="package",
            concerns=(system_id, handover_id, *handover_store.projects_of(tx, system_id)), evidence=(digest,),
            body={"sha256sums": digest, "files": len(files), "draft": bool(missing)},
        ))  # fmt: skip
    return Packaged(sums_sha256=digest, files=len(files), missing=missing)


def _missing(found: Takeover) -> tuple[Text, ...]:
    if found.status == "operating":
        return ()
    items = [Text("未完成：{t}", "Open: {t}").format(t=item.title) for item in found.open]
    unsigned = (role for role in PARTIES if role not in sign_offs(found))
    return (*items, *(Text("未签字：{p}", "Not signed: {p}").format(p=PARTY_TITLES[role]) for role in unsigned))


def _papers(session: Session, state: Shown) -> dict[str, Content]:
    """The form, the runbook, the records and their proofs."""
    found = state.takeover
    runbook = build_paper(
        session, state, Text("{s} 运维手册", "{s}: runbook").format(s=state.form.system.name),
        build_runbook_sections(
            state.form.system, found.checklist, found.standings, state.data, _spec(session, found.handover)
        ),
    )  # fmt: skip
    files: dict[str, Content] = {}
    for name, document in (("form", build_form(session, found.handover.handover_id)), ("runbook", runbook)):
        for lang in LANGS:
            files[f"{name}.{lang}.html"] = _page(document, name, lang)
            files[f"{name}.{lang}.docx"] = render_docx(document, lang)
    files["records.jsonl"] = "".join(f"{line}\n" for line in state.canonical).encode()
    numbers = [record["seq"] for record in state.records]
    files |= {f"proofs/{seq}.json": proof for seq, proof in zip(numbers, prove(session, numbers), strict=True)}
    return files | {"verify.py": Path(verify.__file__).read_bytes()}


def _page(document: Document, name: str, lang: Lang) -> bytes:
    return render_html(document, lang, {other: f"{name}.{other}.html" for other in LANGS}).encode()


def _spec(session: Session, handover: Handover) -> MigrationSpec | None:
    """Of the last run that carried the system, where it still serves from the target."""
    with session.store.read() as tx:
        runs = run_store.runs_of(tx, [handover.system_id])
        found = [row for run in runs if (row := run_store.load_run_system(tx, run, handover.system_id))]
    moved = [row for row in found if row.state in MOVED]
    return max(moved, key=lambda row: row.since).spec if moved else None


def _index(session: Session, state: Shown, files: Mapping[str, Content]) -> dict[str, Content]:
    """index.json for programs, index.zh.html and index.en.html for people."""
    listed = list(_listed(state, files))
    views = (*_views(session, state), build_files_view(listed))
    document = build_paper(
        session, state, Text("{s} 运维接管归档包", "{s}: package of the takeover").format(s=state.form.system.name),
        tuple(Section(section_id=view.name.replace("_", "-"), title=view.title, views=(view,)) for view in views),
    )  # fmt: skip
    handover = state.takeover.handover
    last = state.records[-1] if state.records else None
    index = {
        "takeover": handover.handover_id, "system": handover.system_id, "state": state.takeover.status,
        "draft": not state.is_signed, "as_of": state.at.isoformat(),
        "ledger": {"seq": last["seq"], "leaf_hash": last["leaf_hash"]} if last else None,
        "files": [
            {"name": f.name, "sha256": f.sha256, "bytes": f.size_bytes, "what": {lang: f.what.to(lang) for lang in LANGS}}
            for f in listed
        ],
        "views": {lang: json.loads(render_json(views, lang)) for lang in LANGS},
    }  # fmt: skip
    pages: dict[str, Content] = {f"index.{lang}.html": _page(document, "index", lang) for lang in LANGS}
    return {**pages, "index.json": (json.dumps(index, ensure_ascii=False, indent=1) + "\n").encode()}


def _views(session: Session, state: Shown) -> tuple[View, ...]:
    found, form = state.takeover, state.form
    told = read_timeline(session, Wanted(system=form.system.system_id), limit=None).records
    moved = [record for record in told if record["kind"] in _MOVING]
    titles = record_titles(session)
    own = build_log_view(state.records, titles)
    moving = build_log_view(moved, titles)
    return (
        build_checklist_view(found.handover, found.checklist, found.standings, found.status),
        build_data_view(state.data, found.checklist, form.as_of),
        build_proofs_view(form.proofs),
        build_proof_facts_view(form.proofs),
        build_access_view(found.handover),
        build_risks_view(form.risks),
        _named(own, "takeover_records", Text("接管记录", "Records of the takeover")),
        _named(moving, "moving_records", Text("计划与执行记录", "Records of plan and migration")),
        build_sign_view(found.handover, form.valid),
    )  # fmt: skip


def _named(view: View, name: str, title: Text) -> View:
    return View(name=name, title=title, columns=view.columns, rows=view.rows, notes=view.notes, facts=view.facts)


_WHAT: Mapping[str, Text] = {
    "form": Text("移交确认单", "sign-off form"),
    "runbook": Text("运维手册", "runbook"),
    "proofs": Text("记录在台账中的证明", "proof that the record is in the ledger"),
    "verify": Text("核对程序（仅需 Python）", "verifier; needs Python only"),
    "records": Text("台账记录（每行一条，RFC 8785）", "ledger records, one a line (RFC 8785)"),
}


def _listed(state: Shown, files: Mapping[str, Content]) -> Iterator[PackagedFile]:
    evidence = _evidence_names(state.takeover)
    for name, content in sorted(files.items()):
        if isinstance(content, Path):
            size = content.stat().st_size if content.is_file() else 0
            yield PackagedFile(name=name, sha256=content.name, size_bytes=size, what=evidence[content.name])
        else:
            what = _WHAT[re.split("[./]", name)[0]]
            yield PackagedFile(
                name=name, sha256=hashlib.sha256(content).hexdigest(), size_bytes=len(content), what=what
            )


def _evidence_names(found: Takeover) -> dict[str, Text]:
    """Digest -> what the file is, in the words of the checklist; one file may have been given for several items."""
    handover, titles = found.handover, {i.item_id: i.title for g in found.checklist.groups for i in g.items}
    names: dict[str, dict[Text, None]] = {}

    def add(digest: str | None, what: Text) -> None:
        if digest is not None:
            names.setdefault(digest, {})[what] = None

    for proof in handover.proofs:
        for digest in proof.evidence:
            add(digest, Text("验证记录：{k}", "proof: {k}").format(k=KINDS[proof.kind]))
    for host in (host for rotation in handover.rotations for host in rotation.hosts):
        what = Text("换钥前的公钥，主机 {h}", "public keys before the change, host {h}").format(h=host.host)
        add(host.backup_sha256, what)
    for accepted in handover.acceptances:
        if accepted.snapshot:
            add(
                accepted.sha256,
                Text("接收时的数据：{t}", "data as accepted: {t}").format(t=_title(titles, accepted.item_id)),
            )
    for paper in handover.evidence:
        add(paper.sha256, Text("{t}：{f}", "{t}: {f}").format(t=_title(titles, paper.item_id), f=paper.file_name))
    return {digest: _joined(list(given)) for digest, given in names.items()}


def _title(titles: Mapping[str, Text], item_id: str) -> Text:
    """An item of an earlier checklist goes by its id."""
    return titles.get(item_id) or same(item_id)


def _joined(names: Sequence[Text]) -> Text:
    more = len(names) - _NAMED
    zh, en = "；".join(n.zh for n in names[:_NAMED]), "; ".join(n.en for n in names[:_NAMED])
    return Text(zh + (f" 等 {len(names)} 项" if more > 0 else ""), en + (f" and {more} more" if more > 0 else ""))
