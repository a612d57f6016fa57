"""Writes the bundle that an auditor checks with the standalone script, and the proof of one record. Layout: docs/design.md §Ledger."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from govcloud.errors import OutsideError, UsageError
from govcloud.ledger import verify
from govcloud.ledger.checkpoint import Signer
from govcloud.ledger.tree import Root, build_consistency_proof, build_inclusion_proof
from govcloud.model.ledger import Checkpoint, HashProfile, LedgerRecord
from govcloud.model.text import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The records from `start` on; `before`: roots of the full subtrees of those before them."""

    start: int = 0
    before: Sequence[bytes] = ()


def write_bundle(
    target: Path,
    *,
    records: Iterable[LedgerRecord],
    checkpoints: Sequence[Checkpoint],
    rotations: Sequence[tuple[int, str]] = (),
    root: Root,
    signer: Signer,
    hashes: HashProfile,
    part: Part | None = None,
) -> None:
    """Make the folder `target` with records, leaf hashes, checkpoints, consistency proofs, statements of changes of the key
    (number of the record, note), verifier, public key and signed manifest.

    The folder appears whole or not at all. Raises UsageError when it exists and is not empty, OutsideError when it
    can't be written.
    """
    check_target(target)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.part")
    part = part or Part()
    try:
        temporary.mkdir(parents=True)
        _write(temporary / "verify.py", [Path(verify.__file__).read_bytes()])
        _write(temporary / "ledger.vkey", [signer.vkey.encode(), b"\n"])
        for checkpoint in checkpoints:
            _write(temporary / "checkpoints" / f"{checkpoint.size}.note", [checkpoint.note.encode()])
        for seq, note in rotations:
            _write(temporary / "rotations" / f"{seq}.note", [note.encode()])
        _write(temporary / "consistency.txt", _growth([c.size for c in checkpoints], root))
        if part.start:
            _write(
                temporary / "start.txt",
                [f"{line}\n".encode() for line in (part.start, *(h.hex() for h in part.before))],
            )
        _write_records(temporary, records)
        text = "".join(_listed(temporary, hashes))
        note = signer.sign(f"{verify.MANIFEST_HEADER}\n{signer.name}\n{text}")
        _write(temporary / verify.MANIFEST, [note.encode()])
        # rename() replaces an empty folder, too, and fails if somebody filled it in the meantime.
        os.rename(temporary, target)  # noqa: PTH104
    except OSError as error:
        raise OutsideError(
            Text("导出包写不成：{why}", "The bundle can't be written: {why}").format(why=error.strerror or error),
            where=str(target),
            next_step=Text("检查路径、权限和磁盘空间后重试", "Check path, permissions and disk space, then try again"),
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def build_proof(
    record: LedgerRecord, checkpoint: Checkpoint, root: Root, rotations: Sequence[tuple[int, str]] = ()
) -> bytes:
    """One line of canonical JSON that `verify.py --proof` checks: the record, its inclusion proof and a checkpoint after it."""
    document = {
        "checkpoint": checkpoint.note,
        "format": verify.PROOF_FORMAT,
        "path": [h.hex() for h in build_inclusion_proof(root, checkpoint.size, record.seq)],
        "record": record.canonical,
        "rotations": [note for _, note in rotations],
    }
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def check_target(target: Path) -> None:
    """Raises UsageError unless the folder is missing or empty."""
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise UsageError(
            Text("目标已存在且不是空目录", "The target exists and is not an empty folder"),
            where=str(target),
            next_step=Text("换一个目录", "Choose another folder"),
        )


def _growth(sizes: Sequence[int], root: Root) -> Iterator[bytes]:
    """A line for each two successive checkpoints; the empty ledger has nothing to prove."""
    for old, new in pairwise(size for size in sizes if size):
        proof = build_consistency_proof(root, new, old)
        yield " ".join([str(old), str(new), *(h.hex() for h in proof)]).encode() + b"\n"


def _write_records(folder: Path, records: Iterable[LedgerRecord]) -> None:
    with (folder / "records.jsonl").open("wb") as lines, (folder / "leaves.txt").open("wb") as leaves:
        for record in records:
            lines.write(record.canonical.encode() + b"\n")
            leaves.write(record.leaf_hash.encode() + b"\n")
        for stream in (lines, leaves):
            stream.flush()
            os.fsync(stream.fileno())


def _write(path: Path, blocks: Iterable[bytes]) -> None:
    path.parent.mkdir(exist_ok=True)
    with path.open("wb") as stream:
        stream.writelines(blocks)
        stream.flush()
        os.fsync(stream.fileno())


def _listed(folder: Path, hashes: HashProfile) -> Iterator[str]:
    """Manifest lines of all files, by the hash of the ledger."""
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        digest = verify.HASHES[hashes.name]()
        with path.open("rb") as stream:
            while block := stream.read(2**20):
                digest.update(block)
        yield f"{digest.hexdigest()} {path.stat().st_size} {path.relative_to(folder).as_posix()}\n"
