"""Papers are handed over, accepted item by item, or sent back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from govcloud.errors import InputError, UsageError
from govcloud.handover.checklist import build_evidence_sha256, build_standings
from govcloud.handover.evidence import keep_bytes, keep_file, refuse_secrets
from govcloud.handover.signoff import verify_accept, verify_change
from govcloud.model.handover import Acceptance, Checklist, ChecklistItem, Evidence, Handover, Refusal
from govcloud.model.text import Text
from govcloud.workflow.session import Session
from govcloud.workflow.takeover import Takeover, change, checklist_of, folder_of, get_takeover
from govcloud.workflow.takeover_data import build_snapshots


def add_evidence(
    session: Session,
    handover_id: str,
    item_id: str,
    *,
    file: Path | None = None,
    note: str | None = None,
    not_applicable: bool = False,
) -> Takeover:
    """Hand over a file or a sentence for one item. Raises UsageError for an item that takes other evidence."""
    item = _item(checklist_of(session), handover_id, item_id)
    if not_applicable:
        _check_not_applicable(item, get_takeover(session, handover_id).handover)
    elif item.source == "proof":
        raise UsageError(
            Text("此项只能由实测证明", "Only a proof shows this item"),
            where=item_id,
            next_step=_proof_command(item, handover_id),
        )
    elif item.source == "file" and file is None:
        raise UsageError(Text("此项须附文件", "This item needs a file"), where=item_id)
    if note is not None:
        refuse_secrets(note.encode(), item_id, passwords=True)
    digest, size_bytes = (None, None)
    if file is not None:
        digest, size_bytes = keep_file(folder_of(session, handover_id), file, accounts_only=item_id == "accounts")
    evidence = Evidence(
        item_id=item_id, actor=session.actor, at=session.now(), file_name=file.name if file else None, sha256=digest,
        size_bytes=size_bytes, note=note, not_applicable=not_applicable,
    )  # fmt: skip
    body: dict[str, object] = {
        "item": item_id, "file": evidence.file_name, "sha256": digest, "bytes": size_bytes, "note": note,
        "not_applicable": not_applicable,
    }  # fmt: skip

    def build(handover: Handover, _checklist: Checklist) -> tuple[Handover, dict[str, object]] | list[Text]:
        return verify_change(handover) or (replace(handover, evidence=(*handover.evidence, evidence)), body)

    return change(session, handover_id, "evidence", build)


def _item(checklist: Checklist, handover_id: str, item_id: str) -> ChecklistItem:
    item = checklist.item(item_id)
    if item is None:
        raise UsageError(
            Text("清单中没有这一项", "The checklist has no such item"),
            where=item_id,
            next_step=Text(
                "govcloud takeover status {h} 列出各项", "govcloud takeover status {h} lists the items"
            ).format(h=handover_id),
        )
    return item


def _proof_command(item: ChecklistItem, handover_id: str) -> Text:
    if item.proof == "keys":
        return Text("govcloud takeover rotate {h}", "govcloud takeover rotate {h}").format(h=handover_id)
    return Text("govcloud takeover prove {h} {kind}", "govcloud takeover prove {h} {kind}").format(
        h=handover_id, kind=item.proof
    )


def _check_not_applicable(item: ChecklistItem, handover: Handover) -> None:
    if item.binding:
        raise UsageError(
            Text("{c} 要求移交此项，不能写“不适用”", "{c} demands this item: it can't be called not applicable").format(
                c=", ".join(item.binding)
            ),
            where=item.item_id,
            next_step=Text("提交资料", "Hand the paper over"),
        )
    if item.source == "data" or (item.proof == "keys" and handover.hosts):
        raise UsageError(
            Text("此项不能写“不适用”", "This item can't be called not applicable"),
            where=item.item_id,
            next_step=(
                Text("数据项由接收方直接接收", "The receiver accepts an item of data as it is")
                if item.source == "data"
                else _proof_command(item, handover.handover_id)
            ),
        )


def accept(session: Session, handover_id: str, items: Sequence[str] = ()) -> Takeover:
    """The receiver accepts items; of data items the snapshot that he saw is kept. Only accepted items count.

    Without items: everything that waits for him. Obstacles name what he can't accept: his own papers, and items for
    which nothing is there.
    """
    checklist = checklist_of(session)
    chosen = [_item(checklist, handover_id, name) for name in dict.fromkeys(items)]
    snapshots = _keep_snapshots(session, handover_id, [i for i in chosen if i.source == "data"] if items else None)
    refused: list[Text] = []

    def build(handover: Handover, checklist: Checklist) -> tuple[Handover, dict[str, object]] | list[Text]:
        wanted = chosen or _waiting(checklist, handover)
        obstacles = {i.item_id: why for i in wanted if (why := verify_accept(handover, i, session.actor))}
        refused[:] = [text for why in obstacles.values() for text in why]
        # What has come to be wanted since the data were read waits for the next time.
        taken = [i for i in wanted if i.item_id not in obstacles and (not i.data or i.item_id in snapshots)]
        if verify_change(handover) or (items and refused) or not taken:
            nothing = Text("没有待接收的内容", "Nothing waits for acceptance")
            return verify_change(handover) or refused or [nothing]
        at = session.now()
        made = tuple(_acceptance(session.actor, at, handover, item, snapshots) for item in taken)
        body: dict[str, object] = {"items": {a.item_id: a.sha256 for a in made}}
        return replace(handover, acceptances=(*handover.acceptances, *made)), body

    found = change(session, handover_id, "accept", build)
    return found if found.obstacles else replace(found, obstacles=tuple(refused))


def _waiting(checklist: Checklist, handover: Handover) -> list[ChecklistItem]:
    """Papers that were given, and items of data that the level needs."""
    found = build_standings(checklist, handover)
    items = ((item, found[item.item_id]) for group in checklist.groups for item in group.items)
    return [
        item for item, s in items if not s.done and ((s.paper and s.state == "given") or (item.data and s.required))
    ]


def _keep_snapshots(session: Session, handover_id: str, items: list[ChecklistItem] | None) -> Mapping[str, str]:
    """Item -> digest of the file with what the store says about it now. None: of all data items that may be wanted."""
    found = get_takeover(session, handover_id)
    if verify_change(found.handover):
        return {}
    wanted = [i for i in _waiting(found.checklist, found.handover) if i.source == "data"] if items is None else items
    folder = folder_of(session, handover_id)
    return {s.item_id: keep_bytes(folder, s.content) for s in build_snapshots(session, found.handover, wanted)}


def _acceptance(
    actor: str, at: datetime, handover: Handover, item: ChecklistItem, snapshots: Mapping[str, str]
) -> Acceptance:
    if item.source == "data":
        return Acceptance(item_id=item.item_id, actor=actor, at=at, sha256=snapshots[item.item_id], snapshot=True)
    paper = {e.item_id: e for e in handover.evidence}[item.item_id]
    return Acceptance(item_id=item.item_id, actor=actor, at=at, sha256=build_evidence_sha256(paper))


def refuse(session: Session, handover_id: str, items: Sequence[str], reason: str) -> Takeover:
    """The receiver sends items back as incomplete: what was given for them, and its acceptance, no longer counts.

    Without items: everything that was given or accepted.
    """
    refuse_secrets(reason.encode(), handover_id, passwords=True)

    def build(handover: Handover, checklist: Checklist) -> tuple[Handover, dict[str, object]] | list[Text]:
        standings = build_standings(checklist, handover)
        for name in items:
            if (item := checklist.item(name)) is None or (item.source == "proof" and standings[name].paper is None):
                raise UsageError(Text("不是可退回的清单项", "Not an item that can be sent back"), where=name)
        names = tuple(dict.fromkeys(items)) or tuple(n for n, s in standings.items() if s.paper or s.acceptance)
        if not names:
            return [Text("还没有可退回的资料", "Nothing was handed over that could be sent back")]
        refusal = Refusal(actor=session.actor, at=session.now(), items=names, reason=reason)
        body: dict[str, object] = {"items": list(names), "reason": reason, "whole": not items}
        return verify_change(handover) or (replace(handover, refusals=(*handover.refusals, refusal)), body)

    return change(session, handover_id, "refuse", build)


@dataclass(frozen=True, slots=True, kw_only=True)
class Papers:
    takeover: Takeover
    taken: tuple[str, ...]
    unknown: tuple[str, ...]
    """File names that are no item of the checklist; they were left alone."""


def add_papers(session: Session, handover_id: str, folder: Path) -> Papers:
    """Hand over every file of the folder whose name without extension is an item. Raises InputError for no folder.

    One record a file, so an interrupted call may simply be repeated.
    """
    try:
        files = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    except OSError as error:
        raise InputError(
            Text("资料目录打不开：{why}", "The folder of papers can't be opened: {why}").format(why=error.strerror),
            where=str(folder),
            next_step=Text("检查路径", "Check the path"),
        ) from None
    found = get_takeover(session, handover_id)
    taken, unknown = [], []
    for file in files:
        item = found.checklist.item(file.stem)
        if item is None or item.source == "proof":
            unknown.append(file.name)
            continue
        found = add_evidence(session, handover_id, item.item_id, file=file)
        if found.obstacles:
            break
        taken.append(item.item_id)
    return Papers(takeover=found, taken=tuple(taken), unknown=tuple(unknown))
