"""What lies in the package of a takeover: views."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from govcloud.model.text import Text
from govcloud.report.view import Column, View

_SHOWN = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class PackagedFile:
    name: str
    sha256: str
    size_bytes: int
    what: Text


def build_files_view(files: Sequence[PackagedFile]) -> View:
    return View(
        name="files",
        title=Text("归档文件", "Files"),
        columns=(
            Column("what", Text("内容", "What")),
            Column("name", Text("文件", "File")),
            Column("size_bytes", Text("字节", "Bytes"), "right"),
            Column("sha256", Text("SHA-256（前 16 位）", "SHA-256 (first 16)")),
        ),
        rows=tuple(
            {"name": f.name, "what": f.what, "size_bytes": f.size_bytes, "sha256": f.sha256[:_SHOWN]} for f in files
        ),
        notes=(
            Text(
                "核对：在归档包目录下运行 sha256sum -c SHA256SUMS。SHA256SUMS 自身的摘要记在台账“导出接管归档包”一条中。",
                "To check: sha256sum -c SHA256SUMS in the package's folder. The digest of SHA256SUMS itself stands in the ledger, in "
                "the record of the package.",
            ),
        ),
    )  # fmt: skip


def build_check_view(sums_sha256: str | None, files: int, problems: Sequence[Text]) -> View:
    """What a check of a package found."""
    verdict = Text("核对不通过", "Does not verify") if problems else Text("核对通过：{n} 个文件与清单一致", "Verified: {n} files are as listed").format(n=files)  # fmt: skip
    known = Text(
        "SHA256SUMS 的摘要：{d}。与台账中的记录比对，才知道整个归档包没有被换过。",
        "Digest of SHA256SUMS: {d}. Only the ledger's record of it tells that the package as a whole was not exchanged.",
    ).format(d=sums_sha256)
    return View(
        name="package",
        title=Text("归档包核对", "Check of a package"),
        columns=(Column("problem", Text("问题", "Problem")),),
        rows=tuple({"problem": problem} for problem in problems),
        notes=(verdict, known) if sums_sha256 else (verdict,),
        facts={"ok": not problems, "files": files, "sha256sums": sums_sha256},
    )
