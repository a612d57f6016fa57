"""Takeovers as the pure tests make them: by hand, in the order in which things happen."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, get_args

from govcloud import resources
from govcloud.handover.checklist import build_evidence_sha256, load_checklist
from govcloud.handover.signoff import build_package_sha256
from govcloud.model.handover import Acceptance, Act, Decision, Evidence, Handover, Proof, ProofKind, SignOff
from govcloud.model.text import Text

CHECKLIST = load_checklist(resources.folder("inventory") / "handover" / "checklist.yaml")
ITEMS = {i.item_id: (g, i) for g in CHECKLIST.groups for i in g.items}
START = datetime(2026, 3, 7, 14, 0, tzinfo=UTC)
TODAY, DUAL = START.date(), date(2026, 3, 20)
GIVER, RECEIVER, OWNER = "张示例", "王示例", "李示例"
BINDING = {"design", "test_reports", "source_code", "ownership"}


def at(minute: int) -> datetime:
    return START + timedelta(minutes=minute)


def decided(handover: Handover, act: Act, minute: int = 0) -> Handover:
    one = Decision(act=act, actor=OWNER, at=at(minute), until=DUAL if act == "plan" else None)
    return replace(handover, decisions=(*handover.decisions, one))


def entered(act: Act, **fields: Any) -> Handover:
    given: dict[str, Any] = {"level": "technical", "hosts": ("cloud-01",), "builder": "示例建设单位", **fields}
    new = Handover(handover_id="H-1", system_id="S-1", started_by=OWNER, started_at=START, version=2, **given)
    return decided(new, act)


def give(handover: Handover, item: str, minute: int = 1, actor: str = GIVER, **fields: Any) -> Handover:
    paper = Evidence(item_id=item, actor=actor, at=at(minute), note="见附件", **fields)
    return replace(handover, evidence=(*handover.evidence, paper))


def accept(handover: Handover, item: str, minute: int = 2) -> Handover:
    data = ITEMS[item][1].source == "data"
    papers = {e.item_id: e for e in handover.evidence}
    digest = "0" * 64 if data else build_evidence_sha256(papers[item])
    one = Acceptance(item_id=item, actor=RECEIVER, at=at(minute), sha256=digest, snapshot=data)
    return replace(handover, acceptances=(*handover.acceptances, one))


def taken(handover: Handover, *groups: str) -> Handover:
    """Everything that the level needs of these groups, handed over and accepted; all but the knowledge without any."""
    for name, (group, item) in ITEMS.items():
        wanted = group.group_id in groups if groups else group.group_id not in ("knowledge", "dual_run")
        if item.source != "proof" and wanted and (handover.level in item.levels or item.binding):
            handover = handover if item.source == "data" else give(handover, name)
            handover = accept(handover, name)
    return handover


def proved(handover: Handover, ok: bool | None = True, minute: int = 3) -> Handover:
    proofs = tuple(
        Proof(kind=kind, hosts=("cloud-01",), ok=ok, detail=Text("见附", "see there"), actor=RECEIVER, at=at(minute))
        for kind in get_args(ProofKind)
    )
    return replace(handover, proofs=(*handover.proofs, *proofs))


def signed(handover: Handover, role: Any, actor: str) -> Handover:
    one = SignOff(role=role, actor=actor, at=START, package_sha256=build_package_sha256(handover))
    return replace(handover, sign_offs=(*handover.sign_offs, one))


def both(handover: Handover) -> Handover:
    return signed(signed(handover, "owner", OWNER), "builder", RECEIVER)
