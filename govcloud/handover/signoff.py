"""The state machine of a takeover, pure: preparing → documents → credentials → (dual_run) → ready → signed.

The state is computed from what happened, never stored beside it, so that the two cannot disagree.
"""

from __future__ import annotations

import hashlib
import json
from datetime import date

from govcloud.handover.checklist import CREDENTIALS, DUAL_RUN, evidence_in_force, open_items, paper_groups
from govcloud.model.handover import Checklist, ChecklistItem, Handover, HandoverStatus, Role, SignOff
from govcloud.model.text import Text

ROLES = {"owner": Text("业主单位", "owner"), "builder": Text("项目建设单位", "builder")}
_LISTED = 6


def build_package_sha256(handover: Handover) -> str:
    """Digest of what the parties sign for: parties, hosts, evidence in force and rotations.

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
    document = [*parties, until.isoformat() if until else None, evidence, rotations]
    return hashlib.sha256(json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()


def valid_sign_offs(handover: Handover) -> dict[Role, SignOff]:
    """Sign-offs for exactly what is there now; a later paper or rotation voids them."""
    digest = build_package_sha256(handover)
    return {s.role: s for s in handover.sign_offs if s.package_sha256 == digest}


def build_status(checklist: Checklist, handover: Handover, today: date) -> HandoverStatus:
    if len(valid_sign_offs(handover)) == len(ROLES):
        return "signed"
    if open_items(checklist, handover, groups=paper_groups(checklist)):
        return "documents" if handover.evidence else "preparing"
    if open_items(checklist, handover, groups=frozenset({CREDENTIALS})):
        return "credentials"
    until = handover.dual_run_until
    if until is not None and (today < until or open_items(checklist, handover, groups=frozenset({DUAL_RUN}))):
        return "dual_run"
    return "ready"


def verify_change(handover: Handover) -> list[Text]:
    """Why nothing may be added any more: a takeover that both parties signed stays as it is."""
    if len(valid_sign_offs(handover)) == len(ROLES):
        return [
            Text("双方已签字，接管记录不可再改", "Both parties have signed: the takeover can't be changed any more")
        ]
    return []


def verify_rotation(checklist: Checklist, handover: Handover) -> list[Text]:
    """Why access may not change hands yet. Papers come first: afterwards we can't look anything up on the hosts."""
    missing = open_items(checklist, handover, groups=paper_groups(checklist))
    return verify_change(handover) + (_missing(missing) if missing else [])


def verify_sign(checklist: Checklist, handover: Handover, role: Role, actor: str, today: date) -> list[Text]:
    """Why this person may not sign now; empty when the sign-off can be taken."""
    obstacles = verify_change(handover)
    if obstacles:
        return obstacles
    signed = valid_sign_offs(handover)
    if role in signed:
        obstacles.append(
            Text("{role}已由 {actor} 签字", "{actor} has signed for the {role} already").format(
                role=ROLES[role], actor=signed[role].actor
            )
        )
    if any(s.actor == actor for r, s in signed.items() if r != role):
        obstacles.append(
            Text(
                "双方签字必须是不同的人：{actor} 已代表另一方签字",
                "Two persons must sign: {actor} signed for the other party",
            ).format(actor=actor)
        )
    missing = open_items(checklist, handover)
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
            f"还有 {len(items)} 项必需资料未完成：{zh}" + ("等" if more > 0 else ""),
            f"{len(items)} required items are open: {en}" + (f" and {more} more" if more > 0 else ""),
        )
    ]
