"""One record of the ledger: what it says, and how it is proved to be there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from govcloud.errors import UsageError
from govcloud.ledger import verify
from govcloud.ledger.checkpoint import VKEY_FILES
from govcloud.model.text import Text
from govcloud.store import ledger as ledger_store
from govcloud.workflow.audit import prove
from govcloud.workflow.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Inclusion:
    """The proof that a record stands in the tree that a checkpoint signs, checked by the verifier that auditors use."""

    size: int
    """Records that the checkpoint covers."""
    note: str
    path: tuple[str, ...]
    problems: tuple[Text, ...]
    """Empty: the path leads from the record to the signed root."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundRecord:
    told: Mapping[str, Any]
    """The record's JSON object with its `leaf_hash`."""
    canonical: str
    inclusion: Inclusion | None
    """None: no checkpoint covers it yet."""


def read_record(session: Session, seq: int) -> FoundRecord:
    """Writes nothing. Raises UsageError for a number that no record has."""
    with session.store.read() as tx:
        record, last = ledger_store.record(tx, seq), ledger_store.last_checkpoint(tx)
    if record is None:
        raise UsageError(
            Text("没有这条记录", "There is no such record"),
            where=str(seq),
            next_step=Text("在台账中查看编号", "See the numbers in the ledger"),
        )
    signed = last is not None and last.size > seq
    return FoundRecord(
        told={**json.loads(record.canonical), "leaf_hash": record.leaf_hash},
        canonical=record.canonical,
        inclusion=_inclusion(session, seq) if signed else None,
    )


def _inclusion(session: Session, seq: int) -> Inclusion:
    (proof,) = prove(session, [seq])
    document, vkey = json.loads(proof), public_key(session)
    checked = verify.verify_proof(proof, [verify.parse_vkey(vkey)]) if vkey else None
    problems = [Text(p.zh, p.en) for p in checked.problems] if checked else [_NO_KEY]
    size = int(document["checkpoint"].split("\n")[1])
    return Inclusion(size=size, note=document["checkpoint"], path=tuple(document["path"]), problems=tuple(problems))


_NO_KEY = Text("没有台账公钥，无从核对", "There is no public key of the ledger to check with")


def public_key(session: Session) -> str | None:
    """Of the ledger; None before the first checkpoint."""
    path = session.workspace.folder("keys") / VKEY_FILES[session.store.ledger.name]
    return path.read_text("ascii").strip() if path.is_file() else None
