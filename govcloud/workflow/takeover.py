"""Maintenance takeover of a system by the construction unit: start, papers, refusal, sign-offs, package."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from govcloud import resources
from govcloud.access import FILE as HOSTS_FILE
from govcloud.access import load_hosts
from govcloud.errors import InputError, UsageError
from govcloud.execution.spec import FOLDER as SPEC_FOLDER
from govcloud.execution.spec import load_spec
from govcloud.handover.checklist import evidence_in_force, is_done, load_checklist, open_items
from govcloud.handover.evidence import keep_file, refuse_secrets
from govcloud.handover.login import load_identity, parse_public_key
from govcloud.handover.signoff import build_package_sha256, build_status, valid_sign_offs, verify_change, verify_sign
from govcloud.model.handover import (
    Checklist,
    ChecklistItem,
    Evidence,
    Handover,
    HandoverStatus,
    Refusal,
    Role,
    SignOff,
)
from govcloud.model.ids import build_id
from govcloud.model.ledger import LedgerEntry, Phase
from govcloud.model.observation import Statement
from govcloud.model.text import Text
from govcloud.store import handover as handover_store
from govcloud.store import inventory as inventory_store
from govcloud.store import ledger as ledger_store
from govcloud.workflow.audit import write_checkpoint
from govcloud.workflow.session import Session
from govcloud.workflow.statements import merge_inventory


@dataclass(frozen=True, slots=True, kw_only=True)
class Takeover:
    """A takeover as it stands, and why what was asked for did not happen (empty when it did)."""

    handover: Handover
    checklist: Checklist
    status: HandoverStatus
    open: tuple[ChecklistItem, ...]
    obstacles: tuple[Text, ...] = ()


def _targets(session: Session, system_id: str) -> tuple[str, ...]:
    spec = load_spec(session.workspace.path / SPEC_FOLDER, system_id)
    return tuple(dict.fromkeys(machine.target for machine in spec.machines))


def start_takeover(
    session: Session,
    system_id: str,
    *,
    builder: str,
    builder_key: Path,
    identity: Path | None = None,
    hosts: Sequence[str] = (),
    dual_run_until: date | None = None,
) -> Takeover:
    """Open a takeover. Hosts: as named, else the migration target of the system.

    `identity` only proves here that the builder holds the private key; it is not kept. Raises UsageError for an unknown
    system or host and for a system whose takeover is open already, InputError for an unusable key.
    """
    key = _public_key(builder_key)
    if identity is not None and key.split()[1] != load_identity(identity).get_base64():
        raise InputError(
            Text("私钥与对方公钥不是一对", "The private key does not belong to the public key"), where=str(identity)
        )
    names = tuple(dict.fromkeys(hosts)) or _targets(session, system_id)
    _check_hosts(session, names, key)
    now = session.now()
    with session.store.begin() as tx:
        _check_system(tx, system_id)
        handover = Handover(
            handover_id=build_id("H", system_id, now.isoformat()), system_id=system_id, builder=builder.strip(),
            builder_key=key, hosts=names, started_by=session.actor, started_at=now, dual_run_until=dual_run_until,
        )  # fmt: skip
        for other in handover_store.list_handovers(tx):
            if other.system_id == system_id and not verify_change(other):
                raise UsageError(
                    Text("该系统已有未完成的接管", "A takeover of this system is open already"),
                    where=other.handover_id,
                    next_step=Text(
                        "继续它：govcloud takeover status {h}", "Go on with it: govcloud takeover status {h}"
                    ).format(h=other.handover_id),
                )
        body: dict[str, object] = {
            "builder": handover.builder, "builder_key": key, "hosts": list(names),
            "dual_run_until": str(dual_run_until) if dual_run_until else None, "key_pair_shown": identity is not None,
        }  # fmt: skip
        record(session, tx, handover, "start", body)
    return _takeover(session, handover)


def _public_key(path: Path) -> str:
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            Text("公钥文件读不了：{why}", "The public key can't be read: {why}").format(
                why=getattr(error, "strerror", None) or error
            ),
            where=str(path),
        ) from None
    refuse_secrets(text.encode(), str(path))
    return parse_public_key(text, str(path))


def _check_hosts(session: Session, names: Sequence[str], key: str) -> None:
    path = session.workspace.path / HOSTS_FILE
    known = {host.name: host for host in load_hosts(path)}
    for name in names:
        host = known.get(name)
        if host is None or host.key_file is None:
            raise UsageError(
                Text("hosts.yaml 中没有这台主机，或没有写 key_file", "Not in hosts.yaml, or without a key_file"),
                where=name,
                next_step=Text("在 {path} 中补上", "Add it to {path}").format(path=path),
            )
        if host.via is not None:
            raise UsageError(
                Text("换钥还不能经堡垒机登录", "Keys are not rotated through a bastion yet"),
                where=name,
                next_step=Text("从能直接连到它的机器上执行", "Run it from a machine that reaches the host directly"),
            )
        if load_identity(Path(host.key_file)).get_base64() == key.split()[1]:
            raise InputError(
                Text("对方公钥就是我方现用的密钥", "The builder's key is the one that we use"),
                where=name,
                next_step=Text(
                    "请对方生成自己的密钥，只交公钥", "Let the builder make a key of his own and give the public part"
                ),
            )


def _check_system(tx: Connection, system_id: str) -> None:
    if inventory_store.load_inventory(tx).system(system_id) is None:
        raise UsageError(
            Text("台账中没有这个系统", "No such system in the inventory"),
            where=system_id,
            next_step=Text(
                "先导入普查表，用 govcloud inventory systems 查看编号",
                "Import the census first; govcloud inventory systems shows the ids",
            ),
        )


_PHASES: dict[str, Phase] = {"rotate_intent": "intent", "rotate": "result"}


def record(session: Session, tx: Connection, handover: Handover, act: str, body: dict[str, object]) -> None:
    """Store the takeover and its ledger record together."""
    handover_store.save_handover(tx, handover)
    entry = LedgerEntry(
        kind="signoff" if act == "sign" else "handover", phase=_PHASES.get(act, "event"), actor=session.actor,
        at=session.now(), subject_id=handover.system_id, run_id=handover.handover_id,
        step=act.removesuffix("_intent"), body=body,
    )  # fmt: skip
    ledger_store.append(tx, entry)


def change(
    session: Session,
    handover_id: str,
    act: str,
    build: Callable[[Handover, Checklist], tuple[Handover, dict[str, object]] | list[Text]],
) -> Takeover:
    """Load, let `build` make the next state with its ledger body (or say why not), store: in one transaction."""
    checklist = checklist_of(session)
    with session.store.begin() as tx:
        handover = load(tx, handover_id)
        built = build(handover, checklist)
        if isinstance(built, list):
            return _takeover(session, handover, built)
        handover, body = built
        record(session, tx, handover, act, body)
        if act == "sign" and verify_change(handover):
            _hand_over(session, tx, handover)
    return _takeover(session, handover)


def checklist_of(session: Session) -> Checklist:
    """The workspace's own `checklist.yaml` where there is one, else the one that comes with govcloud.

    Clauses of other jurisdictions than the site's are left out: they bind nobody here.
    """
    own = session.workspace.path / "checklist.yaml"
    found = load_checklist(own if own.is_file() else resources.folder("inventory") / "handover" / "checklist.yaml")
    ours = set(session.workspace.settings.jurisdiction)
    groups = tuple(
        replace(
            group,
            items=tuple(
                replace(i, clauses=tuple(c for c in i.clauses if c.split("-")[0] in ours)) for i in group.items
            ),
        )
        for group in found.groups
    )
    return replace(found, groups=groups)


def load(tx: Connection, handover_id: str) -> Handover:
    handover = handover_store.load_handover(tx, handover_id)
    if handover is None:
        raise UsageError(
            Text("没有这个接管", "No such takeover"),
            where=handover_id,
            next_step=Text("govcloud takeover status 列出全部", "govcloud takeover status lists them all"),
        )
    return handover


def today(session: Session) -> date:
    return session.now().astimezone(ZoneInfo(session.workspace.settings.timezone)).date()


def _takeover(session: Session, handover: Handover, obstacles: Sequence[Text] = ()) -> Takeover:
    checklist = checklist_of(session)
    return Takeover(
        handover=handover,
        checklist=checklist,
        status=build_status(checklist, handover, today(session)),
        open=tuple(open_items(checklist, handover)),
        obstacles=tuple(obstacles),
    )


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
    item = _paper(session, handover_id, item_id)
    if item.evidence == "file" and file is None and not not_applicable:
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


def _paper(session: Session, handover_id: str, item_id: str) -> ChecklistItem:
    """An item that is handed over as a file or a sentence."""
    item = checklist_of(session).item(item_id)
    if item is None:
        raise UsageError(
            Text("清单中没有这一项", "The checklist has no such item"),
            where=item_id,
            next_step=Text(
                "govcloud takeover status {h} 列出各项", "govcloud takeover status {h} lists the items"
            ).format(h=handover_id),
        )
    if item.evidence == "rotation":
        raise UsageError(
            Text("此项只能由换钥证明", "Only the rotation proves this item"),
            where=item_id,
            next_step=Text("govcloud takeover rotate {h}", "govcloud takeover rotate {h}").format(h=handover_id),
        )
    return item


def folder_of(session: Session, handover_id: str) -> Path:
    with session.store.read() as tx:
        load(tx, handover_id)
    return session.workspace.folder("evidence") / handover_id


def refuse(session: Session, handover_id: str, items: Sequence[str], reason: str) -> Takeover:
    """The receiver sends papers back as incomplete: what was given for these items no longer counts."""
    refusal = Refusal(actor=session.actor, at=session.now(), items=tuple(dict.fromkeys(items)), reason=reason)

    def build(handover: Handover, checklist: Checklist) -> tuple[Handover, dict[str, object]] | list[Text]:
        for name in refusal.items:
            item = checklist.item(name)
            if item is None or item.evidence == "rotation":
                raise UsageError(Text("不是可退回的清单项", "Not an item that can be sent back"), where=name)
        body: dict[str, object] = {"items": list(refusal.items), "reason": reason}
        return verify_change(handover) or (replace(handover, refusals=(*handover.refusals, refusal)), body)

    return change(session, handover_id, "refuse", build)


def sign(session: Session, handover_id: str, role: Role) -> Takeover:
    """Sign for one party. With the second sign-off the inventory learns who maintains the system, and a checkpoint is signed."""

    def build(handover: Handover, checklist: Checklist) -> tuple[Handover, dict[str, object]] | list[Text]:
        if obstacles := verify_sign(checklist, handover, role, session.actor, today(session)):
            return obstacles
        signed = SignOff(
            role=role, actor=session.actor, at=session.now(), package_sha256=build_package_sha256(handover)
        )
        body: dict[str, object] = {"role": role, "package_sha256": signed.package_sha256}
        return replace(handover, sign_offs=(*handover.sign_offs, signed)), body

    return change(session, handover_id, "sign", build)


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
        return _takeover(session, load(tx, handover_id))


def list_takeovers(session: Session) -> list[Takeover]:
    """All takeovers, oldest first."""
    with session.store.read() as tx:
        return [_takeover(session, handover) for handover in handover_store.list_handovers(tx)]


def done_items(found: Takeover) -> dict[str, Evidence | bool]:
    """Item id -> its evidence in force; True for one that the rotation proves."""
    given: dict[str, Evidence | bool] = dict(evidence_in_force(found.handover))
    proved = (i for g in found.checklist.groups for i in g.items if i.evidence == "rotation")
    return given | {item.item_id: True for item in proved if is_done(item, found.handover)}


def sign_offs(found: Takeover) -> dict[Role, SignOff]:
    """Those in force."""
    return valid_sign_offs(found.handover)
