"""What an import brought, as Views."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from govcloud.model.collect import Change, FileImport, ImportResult, RowError, SheetReading
from govcloud.model.inventory import Conflict
from govcloud.model.text import Text, same
from govcloud.report import words
from govcloud.report.view import Cell, Column, View

_FILE_STATES = {
    "new": Text("新", "new"), "newer": Text("更新版", "newer version"),
    "unchanged": Text("已导入过，无变化", "imported before, unchanged"), "refused": Text("拒收", "refused"),
}  # fmt: skip
_KINDS = {
    "census": Text("普查表", "census"), "servers": Text("服务器清单", "servers"), "networks": Text("网络", "networks"),
    "dependencies": Text("依赖", "dependencies"), "projects": Text("项目", "projects"), "rvtools": same("RVTools"),
    "aws_ads": same("AWS ADS"), "azure_servers": same("Azure Migrate"),
    "azure_dependencies": Text("Azure Migrate 依赖", "Azure Migrate dependencies"),
    "google_mc": same("Google Migration Center"), "konveyor": same("Konveyor"), "netbox": same("NetBox"),
}  # fmt: skip
_CHANGES = {"added": Text("新增", "added"), "changed": Text("变化", "changed"), "removed": Text("去掉", "removed")}


def _column(key: str, zh: str, en: str, align: str = "left") -> Column:
    return Column(key, Text(zh, en), "right" if align == "right" else "left")


def build_import_views(result: ImportResult) -> tuple[View, ...]:
    """Files, cells with problems, columns that were not read; for a preview also every change and new conflict."""
    views = [_files(result), _problems(result)]
    unknown = [
        {"file": s.file, "sheet": s.sheet, "column": column}
        for f in result.files for s in f.sheets for column in s.unknown_columns
    ]  # fmt: skip
    if unknown:
        views.append(View(
            name="unknown_columns", title=Text("没有读的列", "Columns that were not read"),
            columns=(_column("file", "文件", "File"), _column("sheet", "工作表", "Sheet"), _column("column", "单元格与表头", "Cell and header")),
            rows=tuple(unknown),
        ))  # fmt: skip
    if result.preview:
        views.append(build_changes_view(result.changes))
    if result.conflicts:
        views.append(_conflicts(result.conflicts))
    return tuple(views)


def _files(result: ImportResult) -> View:
    counted = Counter(c.change for c in result.changes)
    left_out = sum(1 for f in result.files for p in f.problems if p.left_out)
    done = Text("预览，未写入", "Preview, nothing was stored") if result.preview else Text("已写入", "Stored")
    counts = {
        "added": counted["added"], "changed": counted["changed"], "removed": counted["removed"],
        "unchanged": result.unchanged, "conflicting": len(result.conflicts), "rejected": _rejected(result), "left_out": left_out,
    }  # fmt: skip
    return View(
        name="files", title=Text("导入的工作簿", "Workbooks"),
        columns=(
            _column("file", "文件", "File"), _column("sheet", "工作表", "Sheet"), _column("kind", "类型", "Kind"),
            _column("state", "情况", "State"), _column("rows", "行数", "Rows", "right"), _column("taken", "采用", "Taken", "right"),
            _column("rejected", "退回", "Rejected", "right"), _column("left_out", "略去的单元格", "Cells left out", "right"),
        ),
        rows=tuple(row for file in result.files for row in _file_rows(file)),
        notes=(
            Text("{done}：新增 {added}、变化 {changed}、去掉 {removed}、不变 {unchanged}、新的冲突 {conflicting}；退回 {rejected} 行，略去 {left_out} 个单元格",
                 "{done}: {added} added, {changed} changed, {removed} removed, {unchanged} unchanged, {conflicting} new conflicts; "
                 "{rejected} rows rejected, {left_out} cells left out").format(done=done, **counts),
        ),
        facts={"preview": result.preview, **counts},
    )  # fmt: skip


def _rejected(result: ImportResult) -> int:
    return sum(s.rows - s.taken for f in result.files for s in f.sheets)


def _file_rows(file: FileImport) -> list[Mapping[str, Cell]]:
    state = _FILE_STATES[file.state]
    if file.refusal is not None:
        why = Text("{s}：{w}", "{s}: {w}").format(s=state, w=file.refusal)
        return [{"file": file.path.name, "state": why, "rows": 0, "taken": 0, "rejected": 0, "left_out": 0}]
    return [
        {
            "file": file.path.name, "sheet": s.sheet, "kind": _kind(s), "state": state, "rows": s.rows, "taken": s.taken,
            "rejected": s.rows - s.taken, "left_out": sum(1 for p in s.problems if p.left_out),
        }
        for s in file.sheets
    ] or [{"file": file.path.name, "state": state}]  # fmt: skip


def _kind(sheet: SheetReading) -> Text:
    return _KINDS[sheet.kind] if sheet.kind else Text("没有认出的表，未读", "no known table, not read")


def _problems(result: ImportResult) -> View:
    return View(
        name="problems", title=Text("有问题的单元格", "Cells with problems"),
        columns=(
            _column("file", "文件", "File"), _column("sheet", "工作表", "Sheet"), _column("cell", "单元格", "Cell"),
            _column("read", "读到", "Read"), _column("expected", "应为", "Expected"), _column("row", "处理", "Outcome"),
        ),
        rows=tuple(
            {
                "file": p.file, "sheet": p.sheet, "cell": p.cell, "read": p.read, "expected": p.expected, "row": _outcome(p),
            }
            for f in result.files for p in f.problems
        ),
    )  # fmt: skip


def _outcome(problem: RowError) -> Text:
    if not problem.taken:
        return Text("整行退回", "row rejected")
    if problem.left_out:
        return Text("略去此格，该行已采用", "cell left out, row taken")
    return Text("已采用，请核对", "taken, please check")


def build_changes_view(changes: Sequence[Change]) -> View:
    return View(
        name="changes", title=Text("清单的变化", "Changes of the inventory"),
        columns=(
            _column("kind", "类别", "Kind"), _column("subject_id", "编号", "Id"), _column("name", "名称", "Name"),
            _column("change", "变化", "Change"), _column("fields", "字段", "Fields"),
        ),
        rows=tuple(
            {
                "kind": words.SUBJECTS[c.kind], "subject_id": c.subject_id, "name": c.name, "change": _CHANGES[c.change],
                "fields": list(c.fields),
            }
            for c in changes
        ),
    )  # fmt: skip


def _conflicts(conflicts: Sequence[Conflict]) -> View:
    """A row an opinion, as `inventory conflicts` lists them."""
    return View(
        name="new_conflicts", title=Text("新的冲突", "New conflicts"),
        columns=(
            _column("subject_id", "编号", "Id"), _column("field", "字段", "Field"), _column("value", "说法", "Value"),
            _column("source", "来源", "Source"), _column("locator", "出处", "Where"),
        ),
        rows=tuple(
            {
                "subject_id": c.subject_id, "field": words.field_title(c.field), "value": _value(o.value),
                "source": words.SOURCES.get(o.source, same(o.source)), "locator": o.locator,
            }
            for c in conflicts for o in c.observations
        ),
        notes=(Text("由 govcloud inventory confirm 裁定", "Settle them with govcloud inventory confirm"),),
    )  # fmt: skip


def _value(value: object) -> Cell:
    if isinstance(value, (list, tuple)):
        return [str(v) for v in value]
    return value if value is None or isinstance(value, (str, int, float)) else str(value)
