"""Views of the ledger."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from govcloud.model.ledger import Checkpoint
from govcloud.model.text import Text
from govcloud.report.view import Column, View

_SHOWN = 60


def build_log_view(records: Sequence[Mapping[str, Any]]) -> View:
    """`records` are the ledger's JSON objects with their `leaf_hash`."""
    return View(
        name="ledger",
        title=Text("台账", "Ledger"),
        columns=(
            Column("seq", Text("编号", "No."), "right"),
            Column("at", Text("时间", "Time")),
            Column("actor", Text("操作人", "Actor")),
            Column("kind", Text("事项", "Kind")),
            Column("phase", Text("阶段", "Phase")),
            Column("subject_id", Text("对象", "Subject")),
            Column("detail", Text("内容", "Detail")),
            Column("leaf_hash", Text("叶哈希", "Leaf hash")),
        ),
        rows=tuple(
            {
                "seq": r["seq"], "at": datetime.fromisoformat(r["at"]), "actor": r["actor"], "kind": r["kind"],
                "phase": _PHASES.get(r["phase"], r["phase"]),
                "subject_id": r["subject_id"] or r["run_id"], "detail": _short(r), "leaf_hash": r["leaf_hash"][:12],
            }
            for r in records
        ),
        facts={"records": list(records)},
    )  # fmt: skip


_PHASES = {"event": Text("事件", "event"), "intent": Text("意图", "intent"), "result": Text("结果", "result")}


def _short(record: Mapping[str, Any]) -> str:
    parts = [str(record[key]) for key in ("step", "attempt") if record[key] is not None]
    parts += [f"{key}={_plain(value)}" for key, value in record["body"].items()]
    line = " ".join(parts)
    return line if len(line) <= _SHOWN else line[: _SHOWN - 1] + "…"


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


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
            "signed": report.signed, "root": report.root, "first_bad_seq": report.first_bad_seq,
        },
    )  # fmt: skip
