"""The ledger as a user meets it: read it, sign it, export it, check it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from govcloud.errors import InputError, IntegrityError, UsageError
from govcloud.ledger import verify
from govcloud.ledger.checkpoint import VKEY_FILE, Signer, build_checkpoint, load_signer
from govcloud.ledger.export import check_target, write_bundle
from govcloud.ledger.tree import build_root
from govcloud.model.ledger import Checkpoint, LedgerEntry, LedgerRecord
from govcloud.model.text import Text
from govcloud.store import ledger as ledger_store
from govcloud.workflow.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What `export_bundle` made, and the public key that the auditor must get by another way."""

    folder: Path
    checkpoint: Checkpoint
    vkey: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    report: verify.Report
    live: bool
    """The workspace's own store was checked, not a bundle."""
    unsigned: int
    """Records after the last good checkpoint: nobody outside could tell if they were changed."""


def write_checkpoint(session: Session, tx: Connection) -> Checkpoint:
    """Sign the ledger as it stands in this transaction; the last checkpoint again if nothing was added since.

    Raises IntegrityError instead of signing a ledger that does not contain what was signed before.
    """
    known = ledger_store.checkpoints(tx)
    leaves = ledger_store.leaf_hashes(tx)
    last = known[-1] if known else None
    if last is not None and (last.size > len(leaves) or build_root(leaves[: last.size]).hex() != last.root_hash):
        raise IntegrityError(
            Text(
                "台账与已签的检查点不符，拒绝再签", "The ledger differs from what was signed before; not signed again"
            ),
            where=f"checkpoint {last.size}",
            next_step=Text(
                "运行 govcloud audit verify 查看首个有问题的记录",
                "Run govcloud audit verify to see the first bad record",
            ),
        )
    if last is not None and last.size == len(leaves):
        return last
    checkpoint = build_checkpoint(_signer(session, may_make=last is None), len(leaves), build_root(leaves))
    ledger_store.add_checkpoint(tx, checkpoint)
    return checkpoint


def _signer(session: Session, *, may_make: bool) -> Signer:
    return load_signer(session.workspace.folder("keys"), session.workspace.settings.site, may_make=may_make)


def checkpoint(session: Session) -> Checkpoint:
    with session.store.begin() as tx:
        return write_checkpoint(session, tx)


def export_bundle(session: Session, folder: Path) -> Exported:
    """Record the export, sign everything up to it and write the bundle."""
    check_target(folder)
    with session.store.begin() as tx:
        body = {"records": ledger_store.size(tx), "folder": folder.name}
        ledger_store.append(tx, LedgerEntry(kind="export", actor=session.actor, at=session.now(), body=body))
        signed = write_checkpoint(session, tx)
    signer = _signer(session, may_make=False)
    with session.store.read() as tx:
        rows = (record for record in ledger_store.iterate(tx) if record.seq < signed.size)
        notes = [c for c in ledger_store.checkpoints(tx) if c.size <= signed.size]
        write_bundle(folder, records=rows, checkpoints=notes, signer=signer)
    return Exported(folder=folder, checkpoint=signed, vkey=signer.vkey)


def verify_ledger(
    session: Session | None, bundle: Path | None = None, *, vkey: str | None = None, kept: Sequence[Path] = ()
) -> Verified:
    """Check a bundle or, without one, the workspace's own store, with the verifier that auditors use.

    `vkey` is the key or a file with it; without it the workspace's own is used, never one out of the bundle. `kept` are
    checkpoints from earlier exports. Raises UsageError without any key, InputError for a bundle that can't be read.
    """
    key = _key(session, vkey)
    if bundle is not None:
        if key is None:
            raise UsageError(
                Text("没有公钥可用", "There is no public key to check with"),
                where=str(bundle),
                next_step=Text("用 --key 给出台账公钥", "Give the ledger's public key with --key"),
            )
        try:
            report = verify.verify_bundle(bundle, key, [(str(path), path) for path in kept])
        except OSError as error:
            raise InputError(
                Text("导出包读不了：{why}", "The bundle can't be read: {why}").format(why=error), where=str(bundle)
            ) from None
        return Verified(report=report, live=False, unsigned=0)
    if session is None:
        raise UsageError(Text("这里没有工作区", "There is no workspace here"))
    report = _verify_store(session, key, kept)
    return Verified(report=report, live=True, unsigned=report.records - report.signed)


def _key(session: Session | None, vkey: str | None) -> verify.Key | None:
    if vkey is None:
        own = session.workspace.path / "keys" / VKEY_FILE if session else None
        if own is None or not own.is_file():
            return None
        vkey = str(own)
    try:
        return verify.parse_vkey(vkey if "+" in vkey else Path(vkey).read_text("ascii"))
    except (ValueError, OSError):
        raise InputError(
            Text("不是有效的台账公钥", "Not a public key of a ledger"),
            where=vkey,
            next_step=Text("给出 名称+哈希+公钥 或含有它的文件", "Give name+hash+key or a file with it"),
        ) from None


def _verify_store(session: Session, key: verify.Key | None, kept: Sequence[Path]) -> verify.Report:
    problems: list[verify.Problem] = []
    notes: list[verify.Note] = []
    with session.store.read() as tx:
        stored = ledger_store.checkpoints(tx)
        texts = [(str(c.size), c.note.encode()) for c in stored]
        texts += [(str(path), _read_note(path)) for path in kept]
        if key is None and texts:
            zh, en = "有检查点却没有公钥 keys/{}", "there are checkpoints but no public key keys/{}"
            problems.append(verify.Problem(zh.format(VKEY_FILE), en.format(VKEY_FILE)))
        for label, data in texts if key else ():
            try:
                notes.append(verify.parse_checkpoint(data, key, label))  # type: ignore[arg-type]
            except verify.Broken as broken:
                problems.append(broken.at(label))
        for note, row in zip(notes, stored, strict=False):
            if note.label == str(row.size) and (note.size, note.root.hex()) != (row.size, row.root_hash):
                zh, en = "检查点 {} 的列与其签名文本不符", "the columns of checkpoint {} differ from its note"
                problems.append(verify.Problem(zh.format(row.size), en.format(row.size)))
        rows = _Rows(ledger_store.iterate(tx))
        report = verify.verify_records(rows.lines(), rows.leaves(), notes, whole=False)
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


def list_records(session: Session, *, kind: str | None = None, limit: int = 50) -> list[dict[str, object]]:
    """The newest records as plain JSON objects with their leaf hash, oldest of them first."""
    found: list[dict[str, object]] = []
    with session.store.read() as tx:
        for record in ledger_store.iterate(tx, newest_first=True):
            document = json.loads(record.canonical)
            if kind is None or document["kind"] == kind:
                found.append({**document, "leaf_hash": record.leaf_hash})
            if len(found) == limit:
                break
    return found[::-1]
