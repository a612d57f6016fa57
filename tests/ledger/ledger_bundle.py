"""Records and bundles that the ledger tests share."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from govcloud.ledger import verify
from govcloud.ledger.checkpoint import Signer, load_signer
from govcloud.model.ledger import LedgerEntry
from govcloud.store import ledger as ledger_store
from govcloud.workflow.session import Session

AT = datetime(2026, 3, 7, 14, 0, tzinfo=UTC)


def signer_of(session: Session) -> Signer:
    with session.store.read() as tx:
        last = ledger_store.last_checkpoint(tx)
    return load_signer(session.workspace.path / "keys", "shanxi", last=last, hashes=session.store.ledger.name)


def append(session: Session, count: int) -> None:
    for number in range(count):
        with session.store.begin() as tx:
            entry = LedgerEntry(
                kind="step", actor="张示例", at=AT, step="cutover", attempt=1, body={"n": number, "说明": "切换 𠮷"}
            )
            ledger_store.append(tx, entry)


@dataclass
class Exported:
    session: Session
    bundle: Path
    vkey: str

    def check(self, *, bundle: Path | None = None, kept: tuple[Path, ...] = ()) -> verify.Report:
        notes = [(str(path), path) for path in kept]
        return verify.verify_bundle(bundle or self.bundle, [verify.parse_vkey(self.vkey)], notes)

    def signer(self) -> Signer:
        """The ledger's own: what its operator could do with it."""
        return signer_of(self.session)

    def main(self, *options: str) -> int:
        return verify.main([str(self.bundle), "--key", self.vkey, *options])
