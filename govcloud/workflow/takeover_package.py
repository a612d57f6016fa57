"""The file of a finished takeover: what both parties keep."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

from govcloud.errors import IntegrityError, OutsideError
from govcloud.ledger.export import check_target
from govcloud.model.ledger import LedgerEntry
from govcloud.model.text import LANGS, Text
from govcloud.report.handover import build_access_view, build_checklist_view, build_sign_view
from govcloud.report.text import render_json, render_text
from govcloud.store import ledger as ledger_store
from govcloud.workflow.session import Session
from govcloud.workflow.takeover import Takeover, done_items, folder_of, get_takeover, sign_offs


def write_package(session: Session, handover_id: str, folder: Path) -> Takeover:
    """`handover.zh.txt`, `handover.en.txt`, `handover.json`, `evidence/…` and SHA256SUMS (`sha256sum -c`).

    Only for a takeover that both parties signed. Raises IntegrityError when stored evidence is not what was handed over.
    """
    found = get_takeover(session, handover_id)
    if found.status != "signed":
        why = Text("双方签字后才能归档", "Only a takeover that both parties signed can be filed")
        return replace(found, obstacles=(why,))
    check_target(folder)
    temporary = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    try:
        (temporary / "evidence").mkdir(parents=True)
        sums = _write(temporary, found, folder_of(session, handover_id))
        os.rename(temporary, folder)  # noqa: PTH104
    except OSError as error:
        raise OutsideError(
            Text("归档包写不成：{why}", "The package can't be written: {why}").format(why=error.strerror or error),
            where=str(folder),
            next_step=Text("检查路径、权限和磁盘空间", "Check path, permissions and disk space"),
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    with session.store.begin() as tx:
        entry = LedgerEntry(
            kind="handover", actor=session.actor, at=session.now(), subject_id=found.handover.system_id,
            run_id=handover_id, step="package", body={"sha256sums": hashlib.sha256(sums).hexdigest()},
        )  # fmt: skip
        ledger_store.append(tx, entry)
    return found


def _write(folder: Path, found: Takeover, kept: Path) -> bytes:
    handover = found.handover
    views = (
        build_checklist_view(handover, found.checklist, done_items(found), found.status),
        build_access_view(handover),
        build_sign_view(handover, sign_offs(found)),
    )
    for lang in LANGS:
        (folder / f"handover.{lang}.txt").write_text(render_text(views, lang) + "\n", "utf-8")
    document = {lang: json.loads(render_json(views, lang)) for lang in LANGS}
    (folder / "handover.json").write_text(json.dumps(document, ensure_ascii=False, indent=2) + "\n", "utf-8")
    backups = {h.backup_sha256 for r in handover.rotations for h in r.hosts}
    for digest in sorted({e.sha256 for e in handover.evidence} | backups, key=str):
        if digest is not None:
            _copy(kept / digest, folder / "evidence" / digest, digest)
    names = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    sums = "".join(f"{hashlib.sha256((folder / n).read_bytes()).hexdigest()}  {n}\n" for n in names).encode()
    (folder / "SHA256SUMS").write_bytes(sums)
    return sums


def _copy(source: Path, target: Path, digest: str) -> None:
    shutil.copyfile(source, target)
    with target.open("rb") as stream:
        if hashlib.file_digest(stream, "sha256").hexdigest() == digest:
            return
    raise IntegrityError(
        Text("证据文件与提交时不符", "An evidence file is not what was handed over"),
        where=str(source),
        next_step=Text("从备份恢复该文件后重试", "Restore the file from a backup, then try again"),
    )
