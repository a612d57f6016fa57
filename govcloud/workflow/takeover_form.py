"""The sign-off form of a takeover, filled from the store. The same state gives the same paper: its time is that of the
takeover's last record, not of the printing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from govcloud import __version__
from govcloud.handover.proofs import latest
from govcloud.model.handover import DataItem, Proof, ProofKind
from govcloud.model.inventory import System
from govcloud.model.maintenance import MaintenancePeriod
from govcloud.model.text import Text
from govcloud.report.document import Document, Section, Signature
from govcloud.report.handover_form import (
    CLOSING,
    DRAFT,
    OPENING,
    FormData,
    build_form_sections,
    build_signatures,
)
from govcloud.store.listing import load_entities
from govcloud.workflow.session import Session
from govcloud.workflow.takeover import Takeover, get_takeover, sign_offs
from govcloud.workflow.takeover_data import build_data, data_items
from govcloud.workflow.takeover_history import list_maintenance
from govcloud.workflow.takeover_risks import build_risks
from govcloud.workflow.timeline import Wanted, read_timeline


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A takeover with its records, as of the last of them."""

    takeover: Takeover
    form: FormData
    data: Sequence[DataItem]
    """What the store says now."""
    records: Sequence[Mapping[str, Any]]
    """Of the takeover, oldest first, without those of packages made of it."""
    canonical: Sequence[str]
    """The same as the bytes that were hashed."""

    @property
    def is_signed(self) -> bool:
        return self.takeover.status == "operating"

    @property
    def at(self) -> datetime:
        return datetime.fromisoformat(self.records[-1]["at"]) if self.records else self.takeover.handover.started_at


def build_form(session: Session, handover_id: str) -> Document:
    """移交确认单. Raises UsageError for an unknown takeover."""
    state = read_state(session, handover_id)
    return build_paper(
        session, state, Text("政务信息系统运维移交确认单", "Confirmation of a maintenance handover"),
        build_form_sections(state.form), numbered=True, opening=(OPENING,), closing=(CLOSING,),
        signatures=build_signatures(state.form),
    )  # fmt: skip


def build_paper(
    session: Session, state: Shown, title: Text, sections: tuple[Section, ...], *, numbered: bool = False,
    opening: tuple[Text, ...] = (), closing: tuple[Text, ...] = (), signatures: tuple[Signature, ...] = (),
) -> Document:  # fmt: skip
    """A document of this takeover, as of its last record."""
    settings, last = session.workspace.settings, state.records[-1] if state.records else None
    source = Text(
        "govcloud {v}；截至台账第 {seq} 号记录，叶哈希 {leaf}。",
        "govcloud {v}; as of ledger record no. {seq}, leaf hash {leaf}.",
    ).format(v=__version__, seq=last["seq"] if last else "—", leaf=last["leaf_hash"] if last else "—")
    return Document(
        title=title, office=settings.name, made_at=state.at, timezone=settings.timezone,
        made_by=last["actor"] if last else state.takeover.handover.started_by, sections=sections,
        notice=None if state.is_signed else DRAFT, numbered=numbered, opening=opening, closing=closing,
        signatures=signatures, source=source,
    )  # fmt: skip


def read_state(session: Session, handover_id: str) -> Shown:
    found = get_takeover(session, handover_id)
    told = read_timeline(session, Wanted(takeover=handover_id), limit=None)
    kept = [(r, c) for r, c in zip(told.records, told.canonical, strict=True) if _is_own(r, handover_id)]
    records = [record for record, _ in kept]
    at = datetime.fromisoformat(records[-1]["at"]) if records else found.handover.started_at
    as_of = at.astimezone(ZoneInfo(session.workspace.settings.timezone)).date()
    with session.store.read() as tx:
        entities = load_entities(tx, "system", [found.handover.system_id])
    data = build_data(session, found.handover, data_items(found.checklist))
    periods = list_maintenance(session, found.handover.system_id) if entities else ()
    form = FormData(
        handover=found.handover, checklist=found.checklist, standings=found.standings,
        system=entities[0].entity if entities else System(system_id=found.handover.system_id, name=found.handover.system_id),
        state=found.status, earlier_unit=_earlier(periods, handover_id), proofs=_proofs(found),
        risks=build_risks(found.handover, found.checklist, data, as_of), valid=sign_offs(found),
        as_of=as_of,
    )  # fmt: skip
    return Shown(takeover=found, form=form, data=data, records=records, canonical=[text for _, text in kept])


def _is_own(record: Mapping[str, Any], handover_id: str) -> bool:
    return bool(record["run_id"] == handover_id and record["step"] != "package")


def _earlier(periods: Sequence[MaintenancePeriod], handover_id: str) -> str | None:
    """The unit before this takeover; the present one as long as it is not signed."""
    before = None
    for period in periods:
        if period.handover_id == handover_id:
            break
        before = period.unit
    return before


def _proofs(found: Takeover) -> list[Proof]:
    kinds: list[ProofKind] = sorted({proof.kind for proof in found.handover.proofs})
    return [
        replace(proof, hosts=(host,)) for kind in kinds for host, proof in sorted(latest(found.handover, kind).items())
    ]
