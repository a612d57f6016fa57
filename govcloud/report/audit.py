"""Views of the ledger."""

from __future__ import annotations

from typing import Any

from govcloud.model.ledger import Checkpoint
from govcloud.model.text import Text
from govcloud.report.view import Column, View


def build_checkpoint_view(checkpoint: Checkpoint, vkey: str | None = None) -> View:
    return View(
        name="checkpoint",
        title=Text("检查点", "Checkpoint"),
        columns=(
            Column("size", Text("记录数", "Records"), "right"),
            Column("root_hash", Text("根哈希", "Root hash")),
            Column("note", Text("签名文本", "Signed note")),
        ),
        rows=({"size": checkpoint.size, "root_hash": checkpoint.root_hash, "note": checkpoint.note},),
        facts={"vkey": vkey} if vkey else {},
    )


def build_verify_view(report: Any, *, live: bool, unsigned: int) -> View:
    """`report` is a ledger.verify.Report."""
    verdict = Text("核对不通过", "Does not verify") if report.problems else Text("核对通过", "Verified")
    notes = [
        verdict,
        Text("记录 {n} 条，检查点 {c} 个，根哈希 {root}", "{n} records, {c} checkpoints, root {root}").format(
            n=report.records, c=report.checkpoints, root=report.root or "—"
        ),
    ]
    if report.first:
        notes.append(
            Text(
                "只含第 {n} 条起的部分；此前的记录由检查点 {n} 担保",
                "A part from record {n} on; what came before rests on checkpoint {n}",
            ).format(n=report.first)
        )
    if report.first_bad_seq is not None:
        notes.append(Text("首个有问题的记录：{n}", "First bad record: {n}").format(n=report.first_bad_seq))
    if live and unsigned and not report.problems:
        notes.append(
            Text(
                "其中最近 {n} 条尚无检查点签名；运行 govcloud audit checkpoint 并把检查点存到别处",
                "The last {n} records are not signed yet; run govcloud audit checkpoint and keep the checkpoint elsewhere",
            ).format(n=unsigned)
        )
    return View(
        name="verification",
        title=Text("台账核对", "Ledger verification"),
        columns=(Column("seq", Text("记录", "Record"), "right"), Column("problem", Text("问题", "Problem"))),
        rows=tuple({"seq": p.seq, "problem": Text(p.zh, p.en)} for p in report.problems),
        notes=tuple(notes),
        facts={
            "ok": not report.problems, "records": report.records, "checkpoints": report.checkpoints,
            "signed": report.signed, "first": report.first, "root": report.root, "first_bad_seq": report.first_bad_seq,
        },
    )  # fmt: skip
