"""Views of what the ledger tells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from govcloud.model.account import ACCOUNT_ROLE_NAMES
from govcloud.model.text import Text, same
from govcloud.report.findings import term
from govcloud.report.ledger_kinds import KIND
from govcloud.report.ledger_words import tell
from govcloud.report.ledger_words_value import Titles
from govcloud.report.view import Cell, Column, View

_DIGEST, _SHOWN = 12, 2


def build_log_view(
    records: Sequence[Mapping[str, Any]], titles: Titles | None = None, *, earlier: bool = False
) -> View:
    """`records` are the ledger's JSON objects with their `leaf_hash`, oldest first; `titles`: of steps and items by id;
    `earlier`: there are older ones than the first."""
    note = Text("更早的记录未列出；用 --limit 增加条数", "Earlier records are not shown; --limit shows more")
    return View(
        name="ledger",
        title=Text("台账", "Ledger"),
        columns=(
            Column("seq", Text("编号", "No."), "right"),
            Column("at", Text("时间", "Time")),
            Column("actor", Text("操作人", "Actor")),
            Column("party", Text("单位与身份", "Unit and role")),
            Column("subject_id", Text("对象", "Subject")),
            Column("told", Text("经过", "What happened")),
            Column("kind", Text("事项", "Kind")),
            Column("evidence", Text("证据摘要", "Evidence")),
            Column("leaf_hash", Text("叶哈希", "Leaf hash")),
        ),
        rows=tuple(_row(record, titles or {}) for record in records),
        notes=(note,) if earlier else (),
        facts={"records": list(records), "earlier": earlier},
    )


def _row(record: Mapping[str, Any], titles: Titles) -> Mapping[str, Cell]:
    return {
        "seq": record["seq"], "at": datetime.fromisoformat(record["at"]), "actor": record["actor"],
        "party": _party(record), "subject_id": record["subject_id"] or record["run_id"] or record["project_id"],
        "told": tell(record, titles), "kind": term(KIND, record["kind"]),
        "evidence": _short(_evidence(record)), "leaf_hash": record["leaf_hash"][:_DIGEST],
    }  # fmt: skip


def _party(record: Mapping[str, Any]) -> Text | None:
    """Records from before accounts have neither; a name that nobody checked says so."""
    role, unit = (record.get(key) or record["body"].get(key) for key in ("role", "unit"))
    parts = [ACCOUNT_ROLE_NAMES.get(word, same(word)) for word in (unit, role) if isinstance(word, str) and word]  # type: ignore[call-overload]
    if record.get("identity") == "declared":
        parts.append(Text("姓名系自报", "name as stated"))
    return Text("，".join(p.zh for p in parts), ", ".join(p.en for p in parts)) if parts else None


def _evidence(record: Mapping[str, Any]) -> Sequence[str]:
    """A step of before the field `evidence` has its digest in the body."""
    earlier = record["body"].get("evidence_sha256")
    return record.get("evidence") or ([earlier] if isinstance(earlier, str) and earlier else [])


def _short(digests: Sequence[str]) -> tuple[str, ...]:
    shown = tuple(digest[:_DIGEST] for digest in digests[:_SHOWN])
    return (*shown, f"+{len(digests) - _SHOWN}") if len(digests) > _SHOWN else shown


def build_evidence_view(
    sha256: str, path: Path | None, size_bytes: int | None, records: Sequence[Mapping[str, Any]],
    titles: Titles | None = None,
) -> View:  # fmt: skip
    """One file of evidence, and the records that name its digest."""
    found = (
        Text("文件：{p}，{n} 字节，内容与摘要一致", "File: {p}, {n} bytes, as its digest says").format(
            p=path, n=size_bytes
        )
        if path
        else Text("本工作区没有这个文件", "This workspace has no such file")
    )
    log = build_log_view(records, titles)
    return View(
        name="evidence",
        title=Text("证据 {d}", "Evidence {d}").format(d=sha256),
        columns=tuple(c for c in log.columns if c.key != "evidence"),
        rows=log.rows,
        notes=(found,),
        facts={"sha256": sha256, "path": str(path) if path else None, "bytes": size_bytes, "records": list(records)},
    )
