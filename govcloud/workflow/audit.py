"""The ledger as a user meets it: sign it, export it, prove a record of it, check it, change its key."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from sqlalchemy import Connection

from govcloud.errors import InputError, IntegrityError, UsageError
from govcloud.ledger import verify
from govcloud.ledger.checkpoint import (
    KEY_FILES,
    VKEY_FILES,
    Signer,
    build_checkpoint,
    build_rotation,
    is_rotation,
    load_signer,
    make_next,
)
from govcloud.ledger.export import Part, build_proof, check_target, write_bundle
from govcloud.ledger.tree import Root
from govcloud.model.ledger import Checkpoint, LedgerEntry, LedgerRecord
from govcloud.model.text import Text
from govcloud.store import ledger as ledger_store
from govcloud.workflow.session import Session

_LOOK = Text("运行 govcloud audit verify 查看首个有问题的记录", "Run govcloud audit verify to see the first bad record")


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What `export_bundle` made, and the public key that the auditor must get by another way."""

    folder: Path
    checkpoint: Checkpoint
    vkey: str
    start: int = 0
    """Number of the first record in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotated:
    old_vkey: str
    vkey: str
    checkpoint: Checkpoint
    """Signed by both keys."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    report: verify.Report
    live: bool
    """The workspace's own store was checked, not a bundle."""
    unsigned: int
    """Records after the last good checkpoint: nobody outside could tell if they were changed."""


def write_checkpoint(session: Session, tx: Connection) -> Checkpoint:
    """Sign the ledger as it stands in this transaction; the last checkpoint again if nothing was added since.

    Costs some dozens of reads, and one for each record since the last checkpoint: those are hashed again before anybody
    signs them. Raises IntegrityError instead of signing a ledger that does not contain what was signed before.
    """
    ledger_store.fill_nodes(tx)
    last, count = ledger_store.last_checkpoint(tx), ledger_store.size(tx)
    if last is not None and (last.size > count or ledger_store.tree_root(tx, 0, last.size).hex() != last.root_hash):
        raise IntegrityError(
            Text(
                "台账与已签的检查点不符，拒绝再签", "The ledger differs from what was signed before; not signed again"
            ),
            where=f"checkpoint {last.size}",
            next_step=_LOOK,
        )
    if last is not None and last.size == count:
        return last
    checkpoint = build_checkpoint(_signer(session, tx), count, _new_root(tx, last.size if last else 0, count))
    ledger_store.add_checkpoint(tx, checkpoint)
    return checkpoint


def _new_root(tx: Connection, signed: int, count: int) -> bytes:
    """Of all records, from what was signed and the texts of the records after it. Raises IntegrityError for a changed one."""
    tree = verify.Tree(verify.HASHES[ledger_store.profile(tx).name], signed, ledger_store.frontier(tx, signed))
    hashes = ledger_store.profile(tx)
    bad = None
    for record in ledger_store.iterate(tx, signed):
        leaf = hashes.leaf(record.canonical.encode("utf-8", "surrogatepass"))
        if record.seq != tree.size or leaf.hex() != record.leaf_hash:
            bad = tree.size
            break
        tree.add(leaf)
    if bad is None and tree.size == count and (root := tree.root()) == ledger_store.tree_root(tx, 0, count):
        return root
    raise IntegrityError(
        Text("尚未签名的记录被改动，拒绝签名", "Records that were not signed yet were changed; not signed"),
        where=f"#{signed if bad is None else bad}",
        next_step=_LOOK,
    )


def may_sign(session: Session, tx: Connection) -> bool:
    """The ledger's key lies here, or nothing was ever signed, so that it may be made here."""
    path = session.workspace.folder("keys") / KEY_FILES[session.store.ledger.name]
    return path.is_file() or ledger_store.last_checkpoint(tx) is None


def _signer(session: Session, tx: Connection) -> Signer:
    workspace, last = session.workspace, ledger_store.last_checkpoint(tx)
    return load_signer(workspace.folder("keys"), workspace.settings.site, last=last, hashes=session.store.ledger.name)


def checkpoint(session: Session) -> Checkpoint:
    with session.store.begin() as tx:
        return write_checkpoint(session, tx)


def rotate_key(session: Session) -> Rotated:
    """A new signing key takes the old one's place; a record tells of it and a statement and a checkpoint are signed by both.

    The old private key is gone afterwards. A crash leaves either the old key or, in the file beside it, the new one that the
    next signature finds.
    """
    with session.store.begin() as tx:
        ledger_store.queue(tx)
        write_checkpoint(session, tx)
        old = _signer(session, tx)
        new = make_next(session.workspace.folder("keys"), old, session.store.ledger.name)
        seq = ledger_store.size(tx)
        body = {"rotation": build_rotation(old, new, seq)}
        entry = LedgerEntry(kind=verify.ROTATION_KIND, actor=session.actor, at=session.now(), body=body)
        ledger_store.append(tx, entry)
        made = build_checkpoint(old, seq + 1, ledger_store.tree_root(tx, 0, seq + 1), also=new)
        ledger_store.add_checkpoint(tx, made)
    with session.store.read() as tx:
        vkey = _signer(session, tx).vkey
    return Rotated(old_vkey=old.vkey, vkey=vkey, checkpoint=made)


def _rotations(tx: Connection, checkpoints: Sequence[Checkpoint]) -> list[tuple[int, str]]:
    """Number of the record and the statement of each change of the key."""
    found = []
    for signed in checkpoints:
        record = ledger_store.record(tx, signed.size - 1) if is_rotation(signed) else None
        body = json.loads(record.canonical)["body"] if record else {}
        if record and isinstance(body, dict) and isinstance(body.get("rotation"), str):
            found.append((record.seq, body["rotation"]))
    return found


def export_bundle(session: Session, folder: Path, since: str | None = None) -> Exported:
    """Record the export, sign everything up to it and write the bundle. `since`: a checkpoint's size, or a file with one; the
    bundle begins after it.

    Raises UsageError for a checkpoint that this ledger never had, IntegrityError for one that it contradicts.
    """
    check_target(folder)
    with session.store.begin() as tx:
        start = _find_checkpoint(session, tx, since) if since else 0
        body = {"records": ledger_store.size(tx), "folder": folder.name, "since": start}
        ledger_store.append(tx, LedgerEntry(kind="export", actor=session.actor, at=session.now(), body=body))
        signed = write_checkpoint(session, tx)
        signer = _signer(session, tx)
    with session.store.read() as tx:
        notes = [c for c in ledger_store.checkpoints(tx) if c.size <= signed.size]
        write_bundle(
            folder,
            records=(record for record in ledger_store.iterate(tx, start) if record.seq < signed.size),
            checkpoints=[c for c in notes if c.size >= start],
            rotations=_rotations(tx, notes),
            root=_root(tx),
            signer=signer,
            hashes=session.store.ledger,
            part=Part(start=start, before=ledger_store.frontier(tx, start)),
        )
    return Exported(folder=folder, checkpoint=signed, vkey=signer.vkey, start=start)


def _root(tx: Connection) -> Root:
    # Successive proofs ask for mostly the same subtrees.
    return lru_cache(maxsize=4096)(lambda start, end: ledger_store.tree_root(tx, start, end))


def _find_checkpoint(session: Session, tx: Connection, wanted: str) -> int:
    known = {c.size: c for c in ledger_store.checkpoints(tx)}
    if wanted.isascii() and wanted.isdigit():
        size, root = int(wanted), None
    else:
        keys, _ = _chain(session, tx, (), list(known.values()))
        try:
            note = verify.parse_checkpoint(_read_note(Path(wanted)), keys, wanted) if keys else None
        except verify.Broken as broken:
            raise IntegrityError(Text(broken.zh, broken.en), where=wanted) from None
        size, root = (note.size, note.root.hex()) if note else (0, None)
    if size == 0 or size not in known:
        raise UsageError(
            Text("本台账没有这个检查点", "This ledger has no such checkpoint"),
            where=wanted,
            next_step=Text("给出检查点的记录数或其文件", "Give a checkpoint's number of records, or its file"),
        )
    if root is not None and root != known[size].root_hash:
        raise IntegrityError(
            Text(
                "与本台账同一位置的检查点不符：台账被重建",
                "It contradicts this ledger's checkpoint of that size: rebuilt",
            ),
            where=wanted,
            next_step=_LOOK,
        )
    return size


def prove(session: Session, seqs: Sequence[int]) -> list[bytes]:
    """The proof of each record as `verify.py --proof` checks it, by the first checkpoint that has them all, so that it stays
    the same; signs where there is none.

    Raises UsageError for a number that no record has.
    """
    with session.store.read() as tx:
        known = ledger_store.checkpoints(tx)
        signed = next((c for c in known if c.size > max(seqs, default=0)), None)
    if signed is None:
        signed = checkpoint(session)
    with session.store.read() as tx:
        rotations, root = _rotations(tx, ledger_store.checkpoints(tx)), _root(tx)
        made = []
        for seq in seqs:
            record = ledger_store.record(tx, seq) if seq < signed.size else None
            if record is None:
                raise _no_record(str(seq))
            made.append(build_proof(record, signed, root, rotations))
    return made


def find_record(session: Session, wanted: str) -> int:
    """The number of a record that is named by it or by its leaf hash. Raises UsageError where there is none."""
    if wanted.isascii() and wanted.isdigit() and len(wanted) < 16:
        return int(wanted)
    with session.store.read() as tx:
        seq = ledger_store.seq_of(tx, wanted.lower())
    if seq is None:
        raise _no_record(wanted)
    return seq


def _no_record(wanted: str) -> UsageError:
    return UsageError(
        Text("没有这条记录", "There is no such record"),
        where=wanted,
        next_step=Text("用 govcloud audit log 查看编号", "See the numbers with govcloud audit log"),
    )


def verify_ledger(
    session: Session | None, bundle: Path | None = None, *, vkeys: Sequence[str] = (), kept: Sequence[Path] = ()
) -> Verified:
    """Check a bundle or, without one, the workspace's own store, with the verifier that auditors use.

    `vkeys` are keys or files with them; without any the workspace's own is used, never one out of the bundle. `kept` are
    checkpoints from earlier exports. Raises UsageError without any key, InputError for a bundle that can't be read.
    """
    if bundle is not None:
        given = _keys(session, vkeys)
        if not given:
            raise UsageError(
                Text("没有公钥可用", "There is no public key to check with"),
                where=str(bundle),
                next_step=Text("用 --key 给出台账公钥", "Give the ledger's public key with --key"),
            )
        try:
            report = verify.verify_bundle(bundle, given, [(str(path), path) for path in kept])
        except OSError as error:
            raise InputError(
                Text("导出包读不了：{why}", "The bundle can't be read: {why}").format(why=error), where=str(bundle)
            ) from None
        return Verified(report=report, live=False, unsigned=0)
    if session is None:
        raise UsageError(Text("这里没有工作区", "There is no workspace here"))
    report = _verify_store(session, vkeys, kept)
    return Verified(report=report, live=True, unsigned=report.records - report.signed)


def _keys(session: Session | None, vkeys: Sequence[str]) -> list[verify.Key]:
    if not vkeys and session:
        own = session.workspace.path / "keys" / VKEY_FILES[session.store.ledger.name]
        vkeys = [str(own)] if own.is_file() else []
    found = []
    for vkey in vkeys:
        try:
            found.append(verify.parse_vkey(vkey if "+" in vkey else Path(vkey).read_text("ascii")))
        except (ValueError, OSError):
            raise InputError(
                Text("不是有效的台账公钥", "Not a public key of a ledger"),
                where=vkey,
                next_step=Text("给出 名称+哈希+公钥 或含有它的文件", "Give name+hash+key or a file with it"),
            ) from None
    if len({(key.name, key.hash) for key in found}) > 1:
        raise InputError(
            Text("给出的公钥属于不同的台账", "The keys belong to different ledgers"), where=", ".join(vkeys)
        )
    return found


def _chain(
    session: Session, tx: Connection, vkeys: Sequence[str], stored: Sequence[Checkpoint]
) -> tuple[verify.Keys | None, list[verify.Problem]]:
    given = _keys(session, vkeys)
    if not given:
        return None, []
    notes = [(f"#{seq}", note.encode("utf-8", "surrogatepass")) for seq, note in _rotations(tx, stored)]
    return verify.follow_keys(given, notes)


def _verify_store(session: Session, vkeys: Sequence[str], kept: Sequence[Path]) -> verify.Report:
    notes: list[verify.Note] = []
    new = verify.HASHES[session.store.ledger.name]
    with session.store.read() as tx:
        stored = ledger_store.checkpoints(tx)
        keys, problems = _chain(session, tx, vkeys, stored)
        texts = [(str(c.size), c.note.encode("utf-8", "surrogatepass")) for c in stored]
        texts += [(str(path), _read_note(path)) for path in kept]
        if keys is None and texts:
            name = VKEY_FILES[session.store.ledger.name]
            zh, en = "有检查点却没有公钥 keys/{}", "there are checkpoints but no public key keys/{}"
            problems.append(verify.Problem(zh.format(name), en.format(name)))
        for label, data in texts if keys else ():
            try:
                notes.append(verify.parse_checkpoint(data, keys, label))  # type: ignore[arg-type]
            except verify.Broken as broken:
                problems.append(broken.at(label))
        signed = {(note.label, note.size, note.root.hex()) for note in notes}
        for row in stored if keys else ():
            if (str(row.size), row.size, row.root_hash) not in signed and any(n.label == str(row.size) for n in notes):
                zh, en = "检查点 {} 的列与其签名文本不符", "the columns of checkpoint {} differ from its note"
                problems.append(verify.Problem(zh.format(row.size), en.format(row.size)))
        rows = _Rows(ledger_store.iterate(tx))
        rotations = keys.rotations if keys else {}
        report = verify.verify_records(rows.lines(), rows.leaves(), notes, whole=False, new=new, rotations=rotations)
        # Where the records themselves are wrong the nodes are, too, and say less.
        for level, position in () if report.problems else ledger_store.verify_nodes(tx):
            zh, en = (
                f"哈希树第 {level} 层的节点与记录不符",
                f"a node of the tree's level {level} differs from the records",
            )
            problems.append(verify.Problem(zh, en, position << level))
    return report._replace(problems=[*problems, *rows.problems, *report.problems])


class _Rows:
    """Feeds one pass over the table to the verifier's two parallel streams, and compares the key with the position."""

    def __init__(self, records: Iterator[LedgerRecord]) -> None:
        self._records = records
        self._leaf = b""
        self.problems: list[verify.Problem] = []

    def lines(self) -> Iterator[bytes]:
        for position, record in enumerate(self._records):
            if record.seq != position and not self.problems:
                zh, en = (
                    f"表中编号 {record.seq}，应为 {position}",
                    f"numbered {record.seq} in the table, must be {position}",
                )
                self.problems.append(verify.Problem(zh, en, position))
            self._leaf = record.leaf_hash.encode()
            yield record.canonical.encode("utf-8", "surrogatepass")
        self._leaf = b""

    def leaves(self) -> Iterator[bytes]:
        # zip_longest asks for a line first, then for its leaf; after the last line there is no leaf either.
        while self._leaf:
            yield self._leaf


def _read_note(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(
            Text("检查点文件读不了：{why}", "The checkpoint file can't be read: {why}").format(why=error.strerror),
            where=str(path),
        ) from None
