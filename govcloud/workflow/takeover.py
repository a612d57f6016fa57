"""A takeover as it stands: loading, changing with its ledger record, the signatures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from govcloud import resources
from govcloud.errors import NotAllowed, UsageError
from govcloud.handover.checklist import build_standings, evidence_files, load_checklist
from govcloud.handover.signoff import build_package_sha256, is_signed, valid_sign_offs, verify_sign
from govcloud.handover.states import build_state
from govcloud.handover.todo import build_todo
from govcloud.model.account import ACCOUNT_ROLE_NAMES
from govcloud.model.handover import (
    Checklist,
    ChecklistItem,
    Handover,
    Role,
    SignOff,
    Standing,
    TakeoverState,
    Todo,
)
from govcloud.model.ledger import LedgerEntry, Phase
from govcloud.model.observation import Statement
from govcloud.model.text import Text
from govcloud.store import handover as handover_store
from govcloud.store import inventory as inventory_store
from govcloud.store import ledger as ledger_store
from govcloud.workflow.accounts import recorded_refusals
from govcloud.workflow.audit import write_checkpoint
from govcloud.workflow.session import Session
from govcloud.workflow.statements import merge_inventory


@dataclass(frozen=True, slots=True, kw_only=True)
class Takeover:
    """A takeover as it stands, and why what was asked for did not happen (empty when it did)."""

    handover: Handover
    checklist: Checklist
    status: TakeoverState
    standings: Mapping[str, Standing]
    """Item -> how it stands, in the checklist's order."""
    obstacles: tuple[Text, ...] = ()

    @property
    def open(self) -> tuple[ChecklistItem, ...]:
        """Required items that are not done."""
        items = (item for group in self.checklist.groups for item in group.items)
        return tuple(i for i in items if self.standings[i.item_id].required and not self.standings[i.item_id].done)


_PHASES: dict[str, Phase] = {"rotate_intent": "intent", "rotate": "result", "prove_intent": "intent", "prove": "result"}


def record(
    session: Session,
    tx: Connection,
    handover: Handover,
    act: str,
    body: dict[str, object],
    evidence: Sequence[str] = (),
) -> None:
    """Store the takeover and its ledger record together. `evidence`: digests of the files that the act brought."""
    handover_store.save_handover(tx, handover)
    projects = handover_store.projects_of(tx, handover.system_id)
    entry = LedgerEntry(
        kind="signoff" if act == "sign" else "handover", phase=_PHASES.get(act, "event"), actor=session.actor,
        at=session.now(), subject_id=handover.system_id, run_id=handover.handover_id,
        project_id=projects[0] if len(projects) == 1 else None,
        step=act.removesuffix("_intent"), concerns=(handover.system_id, handover.handover_id, *projects),
        evidence=tuple(evidence), body=body,
    )  # fmt: skip
    ledger_store.append(tx, entry)


def change(
    session: Session,
    handover_id: str,
    act: str,
    build: Callable[[Handover, Checklist], tuple[Handover, dict[str, object]] | list[Text]],
) -> Takeover:
    """Load, let `build` make the next state with its ledger body (or say why not), store: in one transaction.

    The record names the evidence files that came with the change by itself.
    """
    checklist = checklist_of(session)
    with session.store.begin() as tx:
        handover = load(tx, handover_id)
        built = build(handover, checklist)
        if isinstance(built, list):
            return show(session, checklist, handover, built)
        changed, body = built
        record(session, tx, changed, act, body, _new_files(handover, changed))
        if is_signed(changed) and not is_signed(handover):
            _hand_over(session, tx, changed)
    return show(session, checklist, changed)


def _new_files(old: Handover, new: Handover) -> tuple[str, ...]:
    return evidence_files(
        replace(
            new, evidence=new.evidence[len(old.evidence) :], acceptances=new.acceptances[len(old.acceptances) :],
            rotations=new.rotations[len(old.rotations) :], proofs=new.proofs[len(old.proofs) :],
        )
    )  # fmt: skip


def checklist_of(session: Session) -> Checklist:
    """The workspace's own `checklist.yaml` where there is one, else the one that comes with govcloud.

    Clauses of other jurisdictions than the site's are left out: they bind nobody here.
    """
    own = session.workspace.path / "checklist.yaml"
    found = load_checklist(own if own.is_file() else resources.folder("inventory") / "handover" / "checklist.yaml")
    ours = set(session.workspace.settings.jurisdiction)

    def here(clauses: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(c for c in clauses if c.split("-")[0] in ours)

    groups = tuple(
        replace(group, items=tuple(replace(i, clauses=here(i.clauses), binding=here(i.binding)) for i in group.items))
        for group in found.groups
    )
    return replace(found, groups=groups)


def load(tx: Connection, handover_id: str) -> Handover:
    handover = handover_store.load_handover(tx, handover_id)
    if handover is None:
        raise UsageError(
            Text("没有这个接管", "No such takeover"),
            where=handover_id,
            next_step=Text("govcloud takeover list 列出全部", "govcloud takeover list shows them all"),
        )
    return handover


def today(session: Session) -> date:
    return session.now().astimezone(ZoneInfo(session.workspace.settings.timezone)).date()


def show(session: Session, checklist: Checklist, handover: Handover, obstacles: Sequence[Text] = ()) -> Takeover:
    return Takeover(
        handover=handover,
        checklist=checklist,
        status=build_state(checklist, handover, today(session)),
        standings=build_standings(checklist, handover),
        obstacles=tuple(obstacles),
    )


def folder_of(session: Session, handover_id: str) -> Path:
    with session.store.read() as tx:
        load(tx, handover_id)
    return session.workspace.folder("evidence") / handover_id


def sign(session: Session, handover_id: str, role: Role) -> Takeover:
    """Sign for one party. With the second of the two that must, the inventory learns who maintains the system, and a
    checkpoint is signed. Raises NotAllowed where accounts are kept and this one does not have the role."""

    def build(handover: Handover, checklist: Checklist) -> tuple[Handover, dict[str, object]] | list[Text]:
        if obstacles := verify_sign(checklist, handover, role, session.actor, today(session)):
            return obstacles
        signed = SignOff(
            role=role, actor=session.actor, at=session.now(), package_sha256=build_package_sha256(handover)
        )
        body: dict[str, object] = {"role": role, "package_sha256": signed.package_sha256}
        return replace(handover, sign_offs=(*handover.sign_offs, signed)), body

    with recorded_refusals(session, "takeover sign", run_id=handover_id):
        _check_party(session, handover_id, role)
        return change(session, handover_id, "sign", build)


def _check_party(session: Session, handover_id: str, role: Role) -> None:
    roles = session.acting.roles
    if roles is not None and role not in roles:
        raise NotAllowed(
            Text(
                "你的账号没有“{role}”角色，不能代表它签字", "Your account is not of the {role}: it can't sign for it"
            ).format(role=ACCOUNT_ROLE_NAMES[role]),
            where=handover_id,
            next_step=Text("由该方人员签字", "Let a person of that party sign"),
        )


def _hand_over(session: Session, tx: Connection, handover: Handover) -> None:
    at = session.now()
    batch = f"handover/{handover.handover_id}"
    batch_no = inventory_store.add_batch(
        tx, batch_id=batch, kind="handover", source=handover.handover_id,
        sha256=build_package_sha256(handover), at=at, actor=session.actor, body={"system_id": handover.system_id},
    )  # fmt: skip
    fact = Statement(
        subject_kind="system", subject_id=handover.system_id, source="person", place=batch, observed_at=at,
        values={"maintained_by": handover.builder},
    )  # fmt: skip
    inventory_store.add_statements(tx, batch_no, [fact])
    merge_inventory(session, tx)
    write_checkpoint(session, tx)


def get_takeover(session: Session, handover_id: str) -> Takeover:
    with session.store.read() as tx:
        return show(session, checklist_of(session), load(tx, handover_id))


def list_takeovers(session: Session) -> list[Takeover]:
    """All takeovers, oldest first, also those that are only planned, deferred or excluded."""
    checklist = checklist_of(session)
    with session.store.read() as tx:
        return [show(session, checklist, handover) for handover in handover_store.list_handovers(tx)]


def takeovers_of(session: Session, system_id: str) -> list[Takeover]:
    """Those of one system, oldest first."""
    checklist = checklist_of(session)
    with session.store.read() as tx:
        return [show(session, checklist, handover) for handover in handover_store.handovers_of(tx, system_id)]


def todos(session: Session, found: Takeover) -> tuple[Todo, ...]:
    """What it waits for, in the order in which that is due."""
    return build_todo(found.checklist, found.handover, found.standings, today(session))


def sign_offs(found: Takeover) -> dict[Role, SignOff]:
    """Those in force."""
    return valid_sign_offs(found.handover)
