"""Signatures under a takeover, pure: what is signed, who may, and when it is void."""

from __future__ import annotations

import hashlib
import json
from datetime import date

from govcloud.handover.checklist import acceptances_in_force, evidence_in_force, open_items
from govcloud.handover.proofs import latest
from govcloud.model.account import ACCOUNT_ROLE_NAMES, same_person
from govcloud.model.handover import PARTIES, Checklist, ChecklistItem, Handover, ProofKind, Role, SignOff
from govcloud.model.text import Text

_LISTED = 6


def build_package_sha256(handover: Handover) -> str:
    """Digest of what the parties sign for: parties, hosts, level, evidence and acceptances in force, rotations, proofs.

    Fields are named one by one: a field that a later version adds to the model must not void what was signed before.
    """
    evidence = [
        [e.item_id, e.actor, e.at.isoformat(), e.file_name, e.sha256, e.note, e.not_applicable]
        for _, e in sorted(evidence_in_force(handover).items())
    ]
    rotations = [
        [r.actor, r.at.isoformat(), [[h.host, h.ok, h.removed, h.backup_sha256, h.restored] for h in r.hosts]]
        for r in handover.rotations
    ]
    parties = [handover.handover_id, handover.system_id, handover.builder, handover.builder_key, handover.hosts]
    until = handover.dual_run_until
    document: list[object] = [*parties, until.isoformat() if until else None, evidence, rotations]
    if handover.version > 1 or handover.acceptances or handover.proofs:
        accepted = [
            [a.item_id, a.actor, a.at.isoformat(), a.sha256] for _, a in sorted(acceptances_in_force(handover).items())
        ]
        document += [handover.level, accepted, _proofs(handover)]
    return hashlib.sha256(json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()


def _proofs(handover: Handover) -> list[list[object]]:
    """The newest of each kind and host."""
    kinds: list[ProofKind] = sorted({proof.kind for proof in handover.proofs})
    return [
        [kind, host, p.ok, p.at.isoformat(), p.evidence]
        for kind in kinds
        for host, p in sorted(latest(handover, kind).items())
    ]


def valid_sign_offs(handover: Handover) -> dict[Role, SignOff]:
    """Sign-offs for exactly what is there now; a later paper, acceptance, proof or rotation voids them."""
    digest = build_package_sha256(handover) if handover.sign_offs else ""
    return {s.role: s for s in handover.sign_offs if s.package_sha256 == digest}


def is_signed(handover: Handover) -> bool:
    """Both parties have signed; the others may add their signatures."""
    return set(PARTIES) <= set(valid_sign_offs(handover))


def is_started(handover: Handover) -> bool:
    """Takeovers of the first version began with their start."""
    return handover.version == 1 or any(d.act == "start" for d in handover.decisions)


def verify_change(handover: Handover) -> list[Text]:
    """Why nothing may be added to it now."""
    if is_signed(handover):
        return [
            Text("双方已签字，接管记录不可再改", "Both parties have signed: the takeover can't be changed any more")
        ]
    if not is_started(handover):
        return [Text("接管还没有开始：先用 takeover start", "The takeover has not begun: first takeover start")]
    if handover.decisions and handover.decisions[-1].act in ("defer", "exclude"):
        return [
            Text(
                "接管已暂缓或列为不适用：先用 takeover resume 恢复",
                "The takeover is deferred or excluded: first takeover resume",
            )
        ]
    return []


def verify_rotation(checklist: Checklist, handover: Handover) -> list[Text]:
    """Why access may not change hands yet. Papers come first: afterwards we can't look anything up on the hosts."""
    missing = open_items(checklist, handover, stages=("papers", "knowledge_transfer"))
    return verify_change(handover) + (_missing(missing) if missing else [])


def verify_accept(handover: Handover, item: ChecklistItem, actor: str) -> list[Text]:
    """Why this person may not accept this item: nothing is there, or it is his own paper."""
    paper = evidence_in_force(handover).get(item.item_id)
    if item.source != "data" and paper is None:
        return [Text("{item}：还没有可接收的资料", "{item}: there is nothing to accept yet").format(item=item.item_id)]
    if item.source == "proof" and paper is not None and not paper.not_applicable:
        return [Text("{item}：只能由实测证明", "{item}: only a proof shows it").format(item=item.item_id)]
    if paper is not None and same_person(paper.actor, actor):
        return [
            Text(
                "{item}：由 {actor} 提交，须由另一人接收",
                "{item}: {actor} handed it over, somebody else must accept it",
            ).format(item=item.item_id, actor=paper.actor)
        ]
    return []


def verify_sign(checklist: Checklist, handover: Handover, role: Role, actor: str, today: date) -> list[Text]:
    """Why this person may not sign now; empty when the sign-off can be taken."""
    signed = valid_sign_offs(handover)
    if is_signed(handover) and role in PARTIES:
        return verify_change(handover)
    obstacles = [] if is_signed(handover) else verify_change(handover)
    if role in signed:
        obstacles.append(
            Text("{role}已由 {actor} 签字", "{actor} has signed for the {role} already").format(
                role=ACCOUNT_ROLE_NAMES[role], actor=signed[role].actor
            )
        )
    if any(same_person(s.actor, actor) for r, s in signed.items() if r != role):
        obstacles.append(
            Text(
                "各方签字必须是不同的人：{actor} 已代表另一方签字",
                "Each party signs by another person: {actor} signed for another one",
            ).format(actor=actor)
        )
    missing = [] if is_signed(handover) else open_items(checklist, handover)
    if missing:
        obstacles += _missing(missing)
    if handover.dual_run_until is not None and today < handover.dual_run_until:
        obstacles.append(
            Text("约定的双轨运行到 {day} 为止", "The agreed dual run lasts until {day}").format(
                day=handover.dual_run_until
            )
        )
    return obstacles


def _missing(items: list[ChecklistItem]) -> list[Text]:
    zh, en = "、".join(i.title.zh for i in items[:_LISTED]), ", ".join(i.title.en for i in items[:_LISTED])
    more = len(items) - _LISTED
    return [
        Text(
            f"还有 {len(items)} 项必需内容未完成：{zh}" + ("等" if more > 0 else ""),
            f"{len(items)} required items are open: {en}" + (f" and {more} more" if more > 0 else ""),
        )
    ]
