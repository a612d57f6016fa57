"""What every paper of a workspace says of itself: which office, when, by whom, and to which ledger record it belongs."""

from __future__ import annotations

from govcloud import __version__
from govcloud.model.text import Text
from govcloud.report.document import Document, Section, Signature
from govcloud.workflow.session import Session
from govcloud.workflow.timeline import Wanted, read_timeline


def new_document(
    session: Session, title: Text, sections: tuple[Section, ...], *, notice: Text | None = None, numbered: bool = False,
    opening: tuple[Text, ...] = (), closing: tuple[Text, ...] = (), signatures: tuple[Signature, ...] = (),
) -> Document:  # fmt: skip
    settings = session.workspace.settings
    return Document(
        title=title, office=settings.name, made_at=session.now(), timezone=settings.timezone, made_by=session.actor,
        sections=sections, notice=notice, numbered=numbered, opening=opening, closing=closing, signatures=signatures,
        source=_source(session),
    )  # fmt: skip


def _source(session: Session) -> Text:
    newest = read_timeline(session, Wanted(), limit=1).records
    return Text(
        "govcloud {version}；台账最新记录第 {seq} 号，叶哈希 {leaf}。",
        "govcloud {version}; newest ledger record no. {seq}, leaf hash {leaf}.",
    ).format(
        version=__version__,
        seq=newest[0]["seq"] if newest else "—",
        leaf=newest[0]["leaf_hash"] if newest else "—",
    )
