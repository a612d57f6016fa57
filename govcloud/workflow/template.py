"""Survey forms for the departments: from the column maps, the site's own lists and what the inventory already knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

from govcloud.discovery.columns import ColumnMap, ColumnSpec, load_column_maps
from govcloud.discovery.forms import FormRow, build_form_rows
from govcloud.discovery.request_form import HEAD, build_request_map
from govcloud.errors import UsageError
from govcloud.model.ids import build_id
from govcloud.model.inventory import Inventory
from govcloud.model.text import Text
from govcloud.report.files import save
from govcloud.report.template import FormColumn, FormSheet, render_template
from govcloud.workflow.inventory import read_inventory
from govcloud.workflow.office import office_catalog
from govcloud.workflow.session import Session

FormKind = Literal["census", "servers", "networks", "dependencies", "projects", "request"]
MAX_CHOICES = 2_000

_ONE_ROW: Mapping[str, Text] = {
    "census": Text("一行一个系统", "one row a system"), "servers": Text("一行一台服务器", "one row a machine"),
    "networks": Text("一行一个网络", "one row a network"), "dependencies": Text("一行一个依赖", "one row a dependency"),
    "projects": Text("一行一个项目", "one row a project"), "request": Text("一行一项申请", "one row a service asked for"),
}  # fmt: skip
_CellKind = Literal["text", "date", "integer", "number"]
_CELL_KINDS: Mapping[str, _CellKind] = {
    "date": "date", "exact_date": "date", "integer": "integer", "number": "number", "yuan": "number", "mbps": "number",
}  # fmt: skip
_EXPECTED: Mapping[str, Text] = {
    "names": Text("多个用“、”分开。", "Several are separated by “、”."),
    "percent": Text("百分数，写作 35%。", "A percentage, written as 35%."),
    "gib": Text("带单位：500G、1.5T。", "With its unit: 500G, 1.5T."),
    "yes_no": Text("填“是”或“否”；不清楚的留空。", "“是” (yes) or “否” (no); empty where nobody knows."),
    "level": Text("一级至五级；没有定级的写“未定级”。", "“一级” to “五级” (level 1 to 5); “未定级” where there is none."),
    "addresses": Text("IP 地址。", "IP addresses."),
    "prefixes": Text("网段，如 10.1.2.0/24。", "Address blocks, such as 10.1.2.0/24."),
    "date": Text("日期，如 2019-09-01；只知道年月的写 2019-09。", "A date such as 2019-09-01, or 2019-09 where the day is unknown."),
    "exact_date": Text("写到日，如 2019-09-01：期限从这一天起算。", "With its day, such as 2019-09-01: deadlines are counted from it."),
    "os": Text("名称和版本。", "Name and version."),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenForm:
    path: Path
    number: str | None
    """What a corrected copy of this form replaces; None where it is handed out to many departments."""
    rows: Mapping[FormKind, int]
    """Kind -> rows that are filled in already."""


def write_form(
    session: Session,
    path: Path,
    kinds: Sequence[FormKind],
    *,
    department: str | None = None,
    filled: bool = False,
) -> WrittenForm:
    """One workbook with a sheet a kind, in the session's language. Raises UsageError where the file is there already."""
    if path.exists():
        raise UsageError(
            Text("文件已经存在", "The file is there already"), where=str(path),
            next_step=Text("换一个名称：已填写的表不会被覆盖", "Choose another name: a form that was filled in is never overwritten"),
        )  # fmt: skip
    maps, _ = load_column_maps(session.workspace.path)
    shipped = {m.kind: m for m in maps}
    inventory = read_inventory(session)
    lists = {"department": _departments(session, inventory, department), **_ends(inventory)}
    sheets: list[FormSheet] = []
    rows: dict[FormKind, int] = {}
    for kind in kinds:
        if kind == "request":
            catalog = office_catalog(session)
            sheets.append(_request_sheet(build_request_map(catalog.classes), department))
            continue
        known = build_form_rows(inventory, shipped[kind], department) if filled else ()
        sheets.append(_sheet(shipped[kind], known, department, lists))
        rows[kind] = len(known)
    stamp = session.now().isoformat()
    number = build_id("F", session.workspace.settings.site, department, *kinds, stamp) if department else None
    save(path, render_template(sheets, number=number, kind=",".join(kinds), lang=session.lang))
    return WrittenForm(path=path, number=number, rows=rows)


def _sheet(
    column_map: ColumnMap, rows: Sequence[FormRow], department: str | None, lists: Mapping[str, Sequence[str]]
) -> FormSheet:
    """The form of a column map. A column that is not handed out is there all the same where a row has something in it."""
    used = {field for row in rows for field in row}
    columns = [c for c in column_map.columns if c.template or c.field in used]
    return FormSheet(
        title=column_map.title,
        columns=tuple(_column(c, lists.get(c.field.partition(".")[2], ())) for c in columns),
        how_to=_how_to(column_map.kind, bool(rows), department),
        head=((Text("填报单位", "Unit"), department or ""), (Text("填报人、填报日期", "Filled in by, on"), "")),
        rows=tuple({f: _cell(cell) for f, cell in row.items()} for row in rows),
    )


def _request_sheet(column_map: ColumnMap, department: str | None) -> FormSheet:
    return FormSheet(
        title=column_map.title,
        columns=tuple(_column(c, ()) for c in column_map.columns),
        how_to=_how_to("request", filled=False, department=None),
        head=tuple((title, department or "" if key == "department" else "") for key, title in HEAD.items()),
    )


def _how_to(kind: str, filled: bool, department: str | None) -> tuple[Text, ...]:
    lines = [
        Text(
            "表头以下{one}。带 * 的列必填；不清楚的留空，确实没有的写“无”。灰色的示例行不计入，不用删除。",
            "Below the heading, {one}. Columns with * are needed; leave empty what nobody knows, write “无” where there is "
            "none. The grey example row does not count and may stay.",
        ).format(one=_ONE_ROW[kind]),
        Text(
            "有下拉列表的从列表中选；鼠标停在表头上显示填写要求。行数不够时继续往下写。",
            "Choose from the list where there is one; pointing at a heading shows what is expected. More rows may follow.",
        ),
    ]
    if filled:
        lines.append(Text(
            "已按现有清单预填：请核对，有误的直接改，缺的补上，无误的不用动。",
            "Filled in from what is known: please check it, correct what is wrong and add what is missing.",
        ))  # fmt: skip
    if department:
        lines.append(Text(
            "以后有更正，请在这份文件上改好整份再报：它会替换前一次；几个处室分头填写的，先汇总成一份。",
            "Later corrections go into this very file, sent again as a whole: it replaces the earlier one. Put together "
            "first what several offices filled in.",
        ))  # fmt: skip
    return tuple(lines)


def _column(spec: ColumnSpec, listed: Sequence[str]) -> FormColumn:
    kind: _CellKind = _CELL_KINDS.get(spec.type, "text")
    example = date.fromisoformat(spec.example) if kind == "date" and isinstance(spec.example, str) else spec.example
    choices = _choices(spec)
    return FormColumn(
        key=spec.field, title=spec.title, kind=kind, required=spec.required, example=example, section=spec.section,
        note=_note(spec), choices=choices or tuple(listed[:MAX_CHOICES]), only_choices=bool(choices),
    )  # fmt: skip


def _choices(spec: ColumnSpec) -> tuple[str, ...]:
    if spec.type == "yes_no":
        return ("是", "否")
    if spec.type == "level":
        return ("一级", "二级", "三级", "四级", "五级", "未定级")
    return tuple(words[0] if words else value for value, words in spec.words.items()) if spec.type == "words" else ()


def _note(spec: ColumnSpec) -> Text | None:
    separated = spec.type == "names" and spec.note is not None and "“、”" in spec.note.zh
    expected = None if separated else _EXPECTED.get(spec.type)
    said = [note for note in (spec.note, expected, _meanings(spec)) if note]
    return Text("\n".join(n.zh for n in said), "\n".join(n.en for n in said)) if said else None


def _meanings(spec: ColumnSpec) -> Text | None:
    """The list's words for somebody who does not read Chinese."""
    if spec.type != "words":
        return None
    known = [(words[0], value.replace("_", " ")) for value, words in spec.words.items() if words]
    listed = Text("、".join(zh for zh, _ in known), "; ".join(f"{zh} = {en}" for zh, en in known))
    return Text("从下拉列表中选择：{w}。", "Choose from the list: {w}.").format(w=listed)


def _cell(cell: object) -> str | int | float | bool | date | None:
    assert cell is None or isinstance(cell, (str, int, float, bool, date))  # noqa: S101 - forms.py makes no others
    return cell


def _departments(session: Session, inventory: Inventory, department: str | None) -> tuple[str, ...]:
    """The site's own list first, then whoever else the inventory knows."""
    listed = session.workspace.settings.departments
    known = [d.name for d in inventory.departments]
    return tuple(dict.fromkeys([*listed, *([department] if department else []), *known]))


def _ends(inventory: Inventory) -> dict[str, tuple[str, ...]]:
    systems = tuple(dict.fromkeys(s.name for s in inventory.systems))
    return {"source_id": systems, "target_id": systems}
