"""Writes the report: everything the workspace holds, as pages in both languages and as workbooks."""

from __future__ import annotations

import hashlib
from pathlib import Path
from zoneinfo import ZoneInfo

from govcloud.events import Event
from govcloud.model.ledger import LedgerEntry
from govcloud.model.text import LANGS, Lang, Text
from govcloud.report.files import save
from govcloud.report.html import render_html
from govcloud.report.xlsx import render_xlsx
from govcloud.store import ledger as ledger_store
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


def write_report(session: Session, folder: Path) -> list[Path]:
    """The files written, the pages first, over those of an earlier report; a section without tables gets no workbook.

    The ledger keeps the digest of each file, so that a copy met later can be matched to the state it was made from. Raises
    OutsideError where a file can't be written.
    """
    document = build_report(session)
    tz = ZoneInfo(document.timezone)
    files = {PAGES[lang]: render_html(document, lang, PAGES).encode() for lang in LANGS}
    for section in document.sections:
        if section.section_id in WORKBOOKS and section.views:
            files[WORKBOOKS[section.section_id]] = render_xlsx(section.views, session.lang, tz)
    what = Text("写报告", "Write the report")
    for done, (name, data) in enumerate(files.items(), start=1):
        save(folder / name, data)
        session.observer.on_event(Event(what=what, subject=name, done=done, total=len(files)))
    body = {"files": {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}}
    with session.store.begin() as tx:
        ledger_store.append(tx, LedgerEntry(kind="report", actor=session.actor, at=session.now(), body=body))
    return [folder / name for name in files]
