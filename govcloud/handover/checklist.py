"""Loads the checklist of a takeover and says how each item of it stands."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from pathlib import Path

import msgspec

from govcloud.errors import InputError
from govcloud.handover.proofs import verdict
from govcloud.model.handover import (
    Acceptance,
    Checklist,
    ChecklistGroup,
    ChecklistItem,
    Evidence,
    Handover,
    ItemState,
    ProofKind,
    Stage,
    Standing,
)
from govcloud.model.text import Text
from govcloud.safe_yaml import load_yaml

VERSION = 2
KNOWLEDGE, DUAL_RUN = "knowledge", "dual_run"
"""Groups with a meaning: each is a stage of its own; the dual run counts only where one was agreed."""
STAGES: tuple[Stage, ...] = ("papers", "knowledge_transfer", "dual_run")


def load_checklist(path: Path) -> Checklist:
    """Raises InputError for a file of another shape or version, or an item id met twice."""
    data = load_yaml(path)
    if isinstance(data, dict) and data.get("version") != VERSION:
        raise InputError(
            Text("清单须为第 {n} 版", "The checklist must be of version {n}").format(n=VERSION),
            where=str(path),
            next_step=Text(
                "按 docs/formats.md 改写，或删去它以使用随附的清单",
                "Rewrite it after docs/formats.md, or remove it to use the one that comes along",
            ),
        )
    try:
        found = msgspec.convert(data, Checklist)
    except msgspec.ValidationError as error:
        raise InputError(
            Text("接管清单不合要求：{why}", "Not a valid takeover checklist: {why}").format(why=error), where=str(path)
        ) from None
    items = [item for group in found.groups for item in group.items]
    if len({item.item_id for item in items}) != len(items):
        raise InputError(Text("清单项编号重复", "A checklist item is named twice"), where=str(path))
    for item in items:
        if (item.source == "data") != (item.data is not None) or (item.source == "proof") != (item.proof is not None):
            raise InputError(
                Text(
                    "source 为 data 或 proof 的项须写明是哪一种", "An item of source data or proof must name its kind"
                ),
                where=f"{path}: {item.item_id}",
            )
    return found


def evidence_in_force(handover: Handover) -> Mapping[str, Evidence]:
    """Item -> the newest evidence that no later refusal has made void."""
    refused = {item: refusal.at for refusal in handover.refusals for item in refusal.items}
    return {
        e.item_id: e
        for e in handover.evidence
        if e.item_id not in refused or e.at > refused[e.item_id]
    }  # fmt: skip


def acceptances_in_force(handover: Handover) -> Mapping[str, Acceptance]:
    """Item -> its acceptance, as far as neither a refusal nor another paper came after it."""
    refused = {item: refusal.at for refusal in handover.refusals for item in refusal.items}
    given = {e.item_id: e for e in handover.evidence}
    found = {}
    for a in handover.acceptances:
        paper = given.get(a.item_id)
        same = (paper is None or paper.at <= a.at) if a.snapshot else (
            paper is not None and build_evidence_sha256(paper) == a.sha256
        )  # fmt: skip
        if same and (a.item_id not in refused or a.at > refused[a.item_id]):
            found[a.item_id] = a
    return found


def build_evidence_sha256(evidence: Evidence) -> str:
    """What an acceptance names: this paper, given by this person at this time."""
    e = evidence
    document = [e.item_id, e.actor, e.at.isoformat(), e.file_name, e.sha256, e.note, e.not_applicable]
    return hashlib.sha256(json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()


def evidence_files(handover: Handover) -> tuple[str, ...]:
    """Digests of all files in the takeover's evidence folder that belong to it: papers, snapshots, backups, proofs."""
    papers = [e.sha256 for e in handover.evidence]
    snapshots = [a.sha256 for a in handover.acceptances if a.snapshot]
    backups = [h.backup_sha256 for r in handover.rotations for h in r.hosts]
    proofs = [digest for p in handover.proofs for digest in p.evidence]
    return tuple(sorted({digest for digest in (*papers, *snapshots, *backups, *proofs) if digest is not None}))


def build_standings(checklist: Checklist, handover: Handover) -> dict[str, Standing]:
    """Item -> how it stands, in the checklist's order."""
    papers, accepted = evidence_in_force(handover), acceptances_in_force(handover)
    refusals = {item: refusal for refusal in handover.refusals for item in refusal.items}
    found = {}
    for group, item in [(g, i) for g in checklist.groups for i in g.items]:
        paper, acceptance = papers.get(item.item_id), accepted.get(item.item_id)
        refusal = None if paper or acceptance else refusals.get(item.item_id)
        state: ItemState
        if item.proof is not None and not (paper and paper.not_applicable):
            state = _proof_state(item.proof, handover)
        elif acceptance:
            state = "not_applicable" if paper and paper.not_applicable else "accepted"
        else:
            # The store hands its data over by itself.
            state = "refused" if refusal else "given" if paper or item.source == "data" else "open"
        found[item.item_id] = Standing(
            state=state, required=_is_required(item, group, handover), stage=_stage(item, group), paper=paper,
            acceptance=acceptance, refusal=refusal,
        )  # fmt: skip
    return found


def _proof_state(kind: ProofKind, handover: Handover) -> ItemState:
    shown = verdict(handover, kind)
    if shown is not None:
        return "proved" if shown else "failed"
    looked = any(p.kind == kind for p in handover.proofs) or (kind == "keys" and bool(handover.rotations))
    return "unclear" if looked else "open"


def _is_required(item: ChecklistItem, group: ChecklistGroup, handover: Handover) -> bool:
    if group.group_id == DUAL_RUN and handover.dual_run_until is None:
        return False
    return bool(item.binding) or handover.level in item.levels


def _stage(item: ChecklistItem, group: ChecklistGroup) -> Stage:
    """Access changes hands when everything is there and understood."""
    if item.source == "proof" or group.group_id == DUAL_RUN:
        return "dual_run"
    return "knowledge_transfer" if group.group_id == KNOWLEDGE else "papers"


def open_items(checklist: Checklist, handover: Handover, *, stages: Collection[Stage] = STAGES) -> list[ChecklistItem]:
    """Required items that are not done, in the checklist's order."""
    found = build_standings(checklist, handover)
    items = ((item, found[item.item_id]) for group in checklist.groups for item in group.items)
    return [item for item, s in items if s.required and not s.done and s.stage in stages]
