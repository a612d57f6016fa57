"""Statement for the auditor (审计说明): what the ledger holds, how it checks out, and how to check it without us."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from govcloud.model.ledger import Checkpoint
from govcloud.model.text import Text
from govcloud.report.audit import build_verify_view
from govcloud.report.document import FormRow, Section
from govcloud.report.findings import term
from govcloud.report.ledger_kinds import KIND
from govcloud.report.text import UNKNOWN
from govcloud.report.view import Column, View

_HASH = {"sha256": "SHA-256", "sm3": "SM3"}
_CHECKPOINTS = 12
"""The newest ones; all of them are in the bundle."""
_STEPS = (
    Text("1. 向本单位索取台账导出包，由本单位运行 govcloud audit export -o 目录 生成。",
         "1. Ask this office for the audit bundle, which it writes with govcloud audit export -o FOLDER."),
    Text("2. 用上表的公钥核对导出包：python3 verify.py 导出包目录 --key '公钥'。verify.py 只需要 Python，不需要安装 govcloud；应从 govcloud 发行包另行取得，与导出包内的比对一致后使用。",
         "2. Verify the bundle with the public key above: python3 verify.py FOLDER --key 'KEY'. verify.py needs Python only, no "
         "installation of govcloud; obtain it from a release and compare it with the copy in the bundle before use."),
    Text("3. 与以往留存的检查点比对：加 --checkpoint 文件。比对不符的，说明其后有记录被改动或删除。",
         "3. Compare with the checkpoints kept from earlier audits: add --checkpoint FILE. If they do not match, records have been "
         "changed or removed since."),
    Text("4. 抽取记录，由本单位运行 govcloud audit prove 编号 -o 文件 给出收录证明，用 verify.py --proof 核对；再按记录中的证据摘要（SHA-256）核对原始文件。",
         "4. Take a sample of records: this office proves that each is in the ledger with govcloud audit prove NUMBER -o FILE, and "
         "verify.py --proof checks the proof. Then compare the original files with the digests (SHA-256) in the record."),
    Text("5. 留存本次检查点，供下次审计使用。", "5. Keep the checkpoint of this audit for the next one."),
)  # fmt: skip
_FINDS = (
    Text("能发现：记录被修改、删除、插入、调换次序，检查点被替换，签名不符。",
         "It detects records that were changed, removed, inserted or reordered, checkpoints that were replaced, and invalid signatures."),
    Text("不能发现：最近检查点之后的记录被整体替换（以另存的检查点为准）；写入时内容即不实；未经本工具办理的事项。",
         "It does not detect the replacement of all records since the newest checkpoint (only a checkpoint kept elsewhere shows it), "
         "what was untrue when it was written, or what was done outside this program."),
)  # fmt: skip


def build_audit_sections(
    verified: Any, *, live: bool, unsigned: int, checkpoints: Sequence[Checkpoint], newest: Mapping[str, Any] | None, vkey: str | None,
    hashes: str, kinds: Mapping[str, tuple[int, str, str]],
) -> tuple[Section, ...]:  # fmt: skip
    """`verified`: a ledger.verify.Report; `newest`: the last record with its `leaf_hash`; `hashes`: of the tree, `sha256` or
    `sm3`; `kinds`: kind -> records, instants of the first and the last as the ledger writes them."""
    last = checkpoints[-1] if checkpoints else None
    verdict = Text("核对不通过", "does not verify") if verified.problems else Text("核对通过", "verified")
    form = (
        FormRow(fields=((Text("记录数", "Records"), verified.records), (Text("核对结论", "Result"), verdict))),
        FormRow(fields=((Text("检查点", "Checkpoints"), verified.checkpoints), (Text("未签记录", "Not yet signed"), unsigned))),
        FormRow(fields=((Text("最新记录", "Newest record"), newest["seq"] if newest else UNKNOWN),
                        (Text("记录时间", "Written at"), datetime.fromisoformat(newest["at"]) if newest else UNKNOWN))),
        FormRow(fields=((Text("摘要算法", "Hash"), _HASH.get(hashes, hashes)), (Text("记录格式", "Record format"), "RFC 8785, RFC 9162"))),
        FormRow(fields=((Text("叶哈希", "Leaf hash"), str(newest["leaf_hash"]) if newest else UNKNOWN),)),
        FormRow(fields=((Text("根哈希", "Root hash"), verified.root or UNKNOWN),)),
        FormRow(fields=((Text("最近检查点", "Newest checkpoint"), _head(last)),)),
        FormRow(fields=((Text("公钥", "Public key"), vkey or UNKNOWN),)),
    )  # fmt: skip
    views = (build_verify_view(verified, live=live, unsigned=unsigned),) if verified.problems else ()
    return (
        Section(
            section_id="state", title=Text("台账现状", "The ledger"), form=form, views=views,
            paragraphs=(Text(
                "每一步的结果与其记录同时写入台账，只增不改；记录按 RFC 9162 的默克尔树连接，检查点由台账密钥签名。",
                "The result of every step is stored together with its record, and records are only added, never changed. They form the "
                "Merkle tree of RFC 9162; its checkpoints are signed with the ledger's key.",
            ),),
        ),
        Section(section_id="steps", title=Text("审计人员如何核对", "How the auditor verifies it"), paragraphs=_STEPS),
        Section(section_id="limits", title=Text("核对能说明什么", "What the verification shows"), paragraphs=_FINDS),
        Section(section_id="kinds", title=(v := build_kinds_view(kinds)).title, views=(v,)),
        *((Section(section_id="checkpoints", title=(c := build_checkpoints_view(checkpoints)).title, views=(c,)),) if checkpoints else ()),
    )  # fmt: skip


def _head(last: Checkpoint | None) -> Text:
    if last is None:
        return Text(
            "还没有。运行 govcloud audit checkpoint -o 文件，并把它存到别处",
            "none yet: run govcloud audit checkpoint -o FILE and keep it elsewhere",
        )
    return Text("前 {n} 条，根哈希 {r}", "{n} records, root hash {r}").format(n=last.size, r=last.root_hash)


def build_kinds_view(kinds: Mapping[str, tuple[int, str, str]]) -> View:
    return View(
        name="record_kinds",
        title=Text("记录构成", "Records by kind"),
        columns=(
            Column("kind", Text("类别", "Kind")),
            Column("records", Text("条数", "Records"), "right"),
            Column("first_at", Text("最早", "First")),
            Column("last_at", Text("最近", "Last")),
        ),
        rows=tuple(
            {
                "kind": term(KIND, kind),
                "records": n,
                "first_at": datetime.fromisoformat(first),
                "last_at": datetime.fromisoformat(last),
            }
            for kind, (n, first, last) in sorted(kinds.items())
        ),
    )


def build_checkpoints_view(checkpoints: Sequence[Checkpoint]) -> View:
    shown = checkpoints[-_CHECKPOINTS:]
    note = Text("共 {n} 个，列出最近 {k} 个。", "{n} in all, the newest {k} are listed.").format(
        n=len(checkpoints), k=len(shown)
    )
    return View(
        name="checkpoints",
        title=Text("已签检查点", "Signed checkpoints"),
        columns=(
            Column("size", Text("记录数", "Records"), "right"),
            Column("root_hash", Text("根哈希", "Root hash")),
        ),
        rows=tuple({"size": c.size, "root_hash": c.root_hash} for c in shown),
        notes=(note,) if len(shown) < len(checkpoints) else (),
    )
