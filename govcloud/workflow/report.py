"""Writes the report: everything the workspace holds as pages in both languages and as workbooks, and papers by kind."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from govcloud.events import Event
from govcloud.model.ledger import LedgerEntry
from govcloud.model.text import LANGS, Lang, Text
from govcloud.report.document import Document
from govcloud.report.document_text import build_document_json, build_document_views
from govcloud.report.files import save
from govcloud.report.html import render_html
from govcloud.report.xlsx import render_xlsx
from govcloud.store import ledger as ledger_store
from govcloud.workflow.paper_kind import Form, Kind, Scope
from govcloud.workflow.papers import NoPaper, Paper, build_papers, general_kinds
from govcloud.workflow.report_content import build_report
from govcloud.workflow.session import Session

PAGES: dict[Lang, str] = {lang: f"report.{lang}.html" for lang in LANGS}
# Section -> workbook: lists that people filter, sort and send back.
WORKBOOKS = {
    "estate": "inventory.xlsx",
    "findings": "findings.xlsx",
    "networks": "networks.xlsx",
    "projects": "projects.xlsx",
    "plan": "plan.xlsx",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    files: Mapping[Path, Text]
    """File -> what it is, in the order of the report."""
    missing: Sequence[NoPaper] = ()


def write_report(
    session: Session, folder: Path, *, kinds: Sequence[Kind] = (), scope: Scope | None = None, forms: Sequence[Form] = ("docx",)
) -> Written:  # fmt: skip
    """Over the files of an earlier report. Without `kinds`: the pages and workbooks of everything, and each paper of the
    estate that has content, or only the papers of the scope's department; with `kinds` only those. Papers are in the session's language.

    The ledger keeps the digest of each file, so that a copy met later can be matched to the state it was made from. Raises
    UsageError for a run or takeover that is not there, OutsideError where a file can't be written.
    """
    about = scope or Scope()
    papers, missing = build_papers(session, kinds or general_kinds(about), about)
    files: dict[str, tuple[bytes, Text]] = {} if kinds or about.department else _whole(session)
    for paper in papers:
        for form in forms:
            files[f"{paper.stem}.{session.lang}.{form}"] = (
                _RENDER[form](paper.document, session.lang),
                paper.kind.title,
            )
    what = Text("写报告", "Write the report")
    for done, (name, (data, _)) in enumerate(files.items(), start=1):
        save(folder / name, data)
        session.observer.on_event(Event(what=what, subject=name, done=done, total=len(files)))
    if files:
        _record(session, {name: hashlib.sha256(data).hexdigest() for name, (data, _) in files.items()}, papers)
    return Written(files={folder / name: title for name, (_, title) in files.items()}, missing=missing if kinds else ())


def _whole(session: Session) -> dict[str, tuple[bytes, Text]]:
    """The pages, and the workbooks; a section without tables gets none."""
    document = build_report(session)
    tz = ZoneInfo(document.timezone)
    files = {PAGES[lang]: (render_html(document, lang, PAGES).encode(), document.title) for lang in LANGS}
    for section in document.sections:
        if section.section_id in WORKBOOKS and section.views:
            files[WORKBOOKS[section.section_id]] = (render_xlsx(section.views, session.lang, tz), section.title)
    return files


def _record(session: Session, digests: Mapping[str, str], papers: Sequence[Paper]) -> None:
    about = {i for paper in papers for i in (paper.scope.run_id, paper.scope.system_id, paper.scope.handover_id) if i}
    entry = LedgerEntry(
        kind="report", actor=session.actor, at=session.now(), concerns=tuple(sorted(about)), evidence=tuple(digests.values()),
        body={"files": dict(digests)},
    )  # fmt: skip
    with session.store.begin() as tx:
        ledger_store.append(tx, entry)


def _docx(document: Document, lang: Lang) -> bytes:
    # Loaded when a paper is wanted: it takes a tenth of a second, which every report of pages would pay.
    from govcloud.report.docx import render_docx

    return render_docx(document, lang)


_RENDER: Mapping[Form, Callable[[Document, Lang], bytes]] = {
    "docx": _docx,
    "html": lambda document, lang: render_html(document, lang).encode(),
    "xlsx": lambda document, lang: render_xlsx(build_document_views(document), lang, ZoneInfo(document.timezone)),
    "json": lambda document, lang: (
        json.dumps(build_document_json(document, lang), ensure_ascii=False, indent=2) + "\n"
    ).encode(),
}
