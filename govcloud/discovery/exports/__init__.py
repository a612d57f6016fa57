"""Files that offices already have from other tools: recognised by their headings, read as statements."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from govcloud.discovery.exports import aws, azure, google, konveyor, netbox, rvtools
from govcloud.discovery.exports.layout import ExportLayout, find_table, is_named, load_exports
from govcloud.discovery.exports.tab import Tab
from govcloud.discovery.records import Reading
from govcloud.discovery.workbook import Sheet, Workbook
from govcloud.errors import InputError
from govcloud.model.collect import SheetKind, SheetReading
from govcloud.model.text import Text

_READERS: Mapping[SheetKind, Callable[[Sequence[Tab]], None]] = {
    "rvtools": rvtools.read_tabs, "aws_ads": aws.read_tabs, "azure_servers": azure.read_servers,
    "azure_dependencies": azure.read_dependencies, "google_mc": google.read_tabs, "konveyor": konveyor.read_tabs,
    "netbox": netbox.read_tabs,
}  # fmt: skip


def recognise(workbook: Workbook) -> SheetKind | None:
    """Which tool wrote the file, by its headings; None for survey forms and everything else."""
    best: tuple[int, SheetKind] | None = None
    for layout in load_exports()[0]:
        found = [find_table(sheet, layout) for sheet in workbook.sheets]
        score = sum(table.score for table in found if table) + sum(_is_other(s, layout) for s in workbook.sheets)
        if score and (best is None or score > best[0]):
            best = (score, layout.kind)
    return best[1] if best else None


def read_export(workbook: Workbook, kind: SheetKind, *, at: datetime) -> Reading:
    """Every table of the tool in the file. Raises InputError when no sheet holds one, or `kind` is no export."""
    layout = next((e for e in load_exports()[0] if e.kind == kind), None)
    if layout is None:
        raise InputError(
            Text("不是其他工具的导出：{k}", "Not an export of another tool: {k}").format(k=kind),
            where=str(workbook.path),
        )
    found = [(sheet, _tab(workbook, sheet, layout, at)) for sheet in workbook.sheets]
    tabs = [tab for _, tab in found if tab is not None]
    if not tabs and not any(_is_other(sheet, layout) for sheet in workbook.sheets):
        raise InputError(
            Text("没有认出 {t} 的任何表", "No table of this tool was found in it: {t}").format(t=layout.title),
            where=str(workbook.path),
            next_step=Text(
                "表头要在前 5 行内，并至少有：{h}", "The header must be in the first 5 rows and have at least: {h}"
            ).format(h=_least(layout)),
        )
    _READERS[kind](tabs)
    return Reading(
        sheets=tuple(tab.reading() if tab else _unread(workbook, sheet, layout) for sheet, tab in found),
        statements=tuple(statement for tab in tabs for statement in tab.statements),
    )


def _tab(workbook: Workbook, sheet: Sheet, layout: ExportLayout, at: datetime) -> Tab | None:
    if _is_other(sheet, layout):
        return None
    table = find_table(sheet, layout, told=True)
    return Tab(layout, table, workbook.path.name, at) if table else None


def _is_other(sheet: Sheet, layout: ExportLayout) -> bool:
    return any(is_named(sheet, tab) for tab in layout.other_tabs)


def _unread(workbook: Workbook, sheet: Sheet, layout: ExportLayout) -> SheetReading:
    """A tab of the tool that the inventory has no use for is known; anything else is not."""
    kind = layout.kind if _is_other(sheet, layout) else None
    return SheetReading(file=workbook.path.name, sheet=sheet.name, kind=kind)


def _least(layout: ExportLayout) -> str:
    return "; ".join(
        f"{table.name}: {', '.join(c.headers[0] for c in table.columns if c.required)}" for table in layout.tables
    )
