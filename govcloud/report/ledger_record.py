"""Views of one record of the ledger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from govcloud.model.account import ACCOUNT_ROLE_NAMES
from govcloud.model.text import Text
from govcloud.report.ledger_kinds import KIND
from govcloud.report.ledger_words import tell
from govcloud.report.ledger_words_value import Titles
from govcloud.report.view import Cell, Column, View, filled

_FIELDS: Mapping[str, Text] = {
    "actor": Text("操作人", "Actor"),
    "unit": Text("单位", "Unit"),
    "role": Text("身份", "Role"),
    "subject_id": Text("对象", "Subject"),
    "project_id": Text("项目", "Project"),
    "run_id": Text("执行或接管", "Run or takeover"),
    "step": Text("步骤", "Step"),
    "plan_hash": Text("计划哈希", "Plan hash"),
    "concerns": Text("涉及", "Concerns"),
    "tool_version": Text("工具版本", "Version of the tool"),
    "leaf_hash": Text("叶哈希", "Leaf hash"),
}


def build_record_view(record: Mapping[str, Any], titles: Titles | None = None) -> View:
    """`record`: the ledger's JSON object with its `leaf_hash`; one row a field that says something."""
    kind = str(record["kind"])
    named: list[tuple[Text, Cell]] = [
        (Text("经过", "What happened"), tell(record, titles or {})),
        (Text("时间", "Time"), datetime.fromisoformat(record["at"])),
        (Text("事项", "Kind"), KIND.get(kind, Text(kind, kind))),
        *((title, _value(key, record[key])) for key, title in _FIELDS.items() if record.get(key)),
    ]
    return View(
        name="record",
        title=Text("第 {n} 号记录", "Record {n}").format(n=record["seq"]),
        columns=(Column("field", Text("内容", "Field")), Column("value", Text("值", "Value"))),
        rows=tuple({"field": title, "value": value} for title, value in named),
        facts={"record": dict(record)},
    )


def _value(key: str, value: object) -> Cell:
    if key == "role":
        return next((name for role, name in ACCOUNT_ROLE_NAMES.items() if role == value), str(value))
    return tuple(str(part) for part in value) if isinstance(value, list) else str(value)


def build_digests_view(digests: Sequence[str], body: Mapping[str, Any]) -> View:
    """Files that prove a record, by the names that its body has for them."""
    files = body.get("files")
    names = {digest: name for name, digest in files.items()} if isinstance(files, dict) else {}
    if isinstance(body.get("file"), str) and isinstance(body.get("sha256"), str):
        names[body["sha256"]] = body["file"]
    view = View(
        name="evidence",
        title=Text("证据", "Evidence"),
        columns=(Column("file", Text("文件", "File")), Column("evidence_sha256", Text("SHA-256", "SHA-256"))),
        rows=tuple({"file": names.get(digest), "evidence_sha256": digest} for digest in digests),
    )
    return filled(view)


def build_inclusion_view(size: int, note: str, path: Sequence[str], problems: Sequence[Text]) -> View:
    """How the record leads to the signed root."""
    verdict = (
        Text("核对不通过", "Does not verify")
        if problems
        else Text("核对通过：由记录经 {n} 个哈希得到已签的根哈希", "Verified: {n} hashes lead from the record to the signed root").format(n=len(path))
    )  # fmt: skip
    return View(
        name="inclusion",
        title=Text("包含证明（检查点：{n} 条记录）", "Proof of inclusion (checkpoint of {n} records)").format(n=size),
        columns=(Column("no", Text("序号", "No."), "right"), Column("hash", Text("哈希", "Hash"))),
        rows=tuple({"no": number, "hash": value} for number, value in enumerate(path, 1)),
        notes=(verdict, *problems),
        facts={"checkpoint": note, "path": list(path)},
    )
