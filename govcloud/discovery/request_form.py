"""The form in which departments ask for cloud resources: its columns, and what a filled-in one says. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from govcloud.discovery.cells import PARSERS
from govcloud.discovery.columns import ColumnMap, ColumnSpec
from govcloud.discovery.raw_cells import Hint, cell_text
from govcloud.discovery.tables import Row, Table, cell_name, find_tables, read_rows
from govcloud.discovery.workbook import Workbook
from govcloud.errors import InputError
from govcloud.model.text import Text

HEAD: Mapping[str, Text] = {
    "department": Text("申请部门", "Department"), "system_id": Text("系统编号", "System code"),
    "system_name": Text("系统名称", "System name"), "project_id": Text("项目编号", "Project number"),
    "applied_on": Text("申请日期", "Applied on"), "contact": Text("联系人", "Contact"),
}  # fmt: skip
"""Key of the request -> the words before its colon, in the lines above the table."""

_SPEC = ("vcpu", "memory_gib", "arch", "zone", "area", "mlps_level")
_HEAD_LINE = re.compile(r"([^:：（(]+?)\s*(?:[（(][^）)]*[）)])?\s*[:：]\s*(.*)", re.DOTALL)


def build_request_map(classes: Mapping[str, Text]) -> ColumnMap:
    """The form's columns. `classes`: of the office's catalog, id -> title; they are the list of its service column."""

    def column(name: str, kind: str, zh: str, en: str, **more: object) -> ColumnSpec:
        return ColumnSpec(field=f"request.{name}", type=kind, title=Text(zh, en), **more)  # type: ignore[arg-type]

    return ColumnMap(
        kind="census",  # of no importance: the form is looked for by name, and imports do not know it
        title=Text("政务云资源申请表", "Request for cloud resources"),
        columns=(
            column("what", "text", "申请内容", "What for", required=True, example="应用服务器",
                   section=Text("服务", "Service"), note=Text("用途，一项一行", "What it is for, one line each")),
            column("class", "words", "服务类别", "Service", example=_first(classes),
                   words={key: (title.zh, title.en) for key, title in classes.items()}),
            column("code", "code", "服务编码", "Code",
                   note=Text("服务目录里的编码；与服务类别至少填一个", "The catalog's code; give it or the service")),
            column("quantity", "integer", "数量", "Quantity", required=True, example=2),
            column("supply", "words", "供给方式", "Supply", example="使用目录服务",
                   words={"catalog": ("使用目录服务", "目录服务"), "self_built": ("自行建设", "自建", "自购", "自行购买")}),
            column("vcpu", "integer", "CPU核数", "vCPU", headers=("CPU", "核数"), example=4,
                   section=Text("规格", "Specification"), note=Text("云主机必填", "Needed for a machine")),
            column("memory_gib", "gib", "内存（G）", "Memory (GiB)", headers=("内存",), example="16G",
                   note=Text("云主机必填", "Needed for a machine")),
            column("arch", "words", "CPU架构", "Architecture", example="不限", words={
                "any": ("不限",), "x86_64": ("x86",), "aarch64": ("ARM", "鲲鹏", "飞腾"), "loongarch64": ("龙芯",),
                "mips64el": ("MIPS",)}),
            column("zone", "words", "网络区域", "Network zone", example="政务外网", words={
                "gov_extranet": ("政务外网",), "internet": ("互联网",), "gov_intranet": ("政务内网",)}),
            column("area", "words", "技术分区", "Area", headers=("信创分区",), words={
                "xinchuang": ("信创",), "x86": ("x86",)}),
            column("mlps_level", "level", "等保级别", "MLPS level", example="二级"),
            column("reason", "text", "理由", "Reason",
                   note=Text("自行建设的，写明为什么目录服务不能满足", "Where it is self-built: why no service will do")),
        ),
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class FilledForm:
    """What a department wrote into the form, and where."""

    values: Mapping[str, object]
    """As a request in YAML has them."""
    cells: Mapping[tuple[str | int, ...], str]
    """Keys and list positions down to a value -> file, sheet and cell."""
    name: str

    def place(self, *steps: str | int) -> str:
        """The cell of an entry, or the nearest place above it that is known."""
        known = next((steps[:n] for n in range(len(steps), 0, -1) if steps[:n] in self.cells), ())
        return self.cells.get(known, self.name)


def parse_form(workbook: Workbook, classes: Mapping[str, Text]) -> FilledForm:
    """A filled-in form with its cells. A workbook may hold other sheets; the first form in it counts.

    Raises InputError with the first faulty cell.
    """
    column_map = build_request_map(classes)
    for sheet in workbook.sheets:
        for table in find_tables(sheet, [column_map]):
            rows = list(read_rows(workbook.path.name, table))
            faults = [error for row in rows for error in row.errors if not error.taken or error.left_out]
            if faults:
                first = faults[0]
                what = Text("应为：{e}；读到“{r}”（共 {n} 处）", "Expected: {e}; read: {r} ({n} in all)")
                raise InputError(
                    what.format(e=first.expected, r=first.read, n=len(faults)),
                    where=f"{workbook.path}!{first.sheet}!{first.cell}",
                    next_step=Text("改正后重新核对", "Correct it and check again"),
                )
            head, cells = _head(table, workbook.path)
            page = f"{workbook.path}!{table.sheet.name}"
            for number, row in enumerate(rows):
                cells["lines", number] = f"{page}!{row.number}"
                for name, cell in row.cells.items():
                    key = name.partition(".")[2]
                    steps = ("lines", number, "spec", key) if key in _SPEC else ("lines", number, key)
                    cells[steps] = f"{page}!{cell}"
            lines = [_line(number, row) for number, row in enumerate(rows, start=1)]
            return FilledForm(values={**head, "lines": lines}, cells=cells, name=page)
    raise InputError(
        Text("没有认出资源申请表", "No request form was found in it"), where=str(workbook.path),
        next_step=Text("用 govcloud template request 生成的表填写", "Fill in the form that govcloud template request makes"),
    )  # fmt: skip


def _first(classes: Mapping[str, Text]) -> str | None:
    title = classes.get("virtual_machine") or next(iter(classes.values()), None)
    return title.zh if title else None


def _head(table: Table, path: Path) -> tuple[dict[str, object], dict[tuple[str | int, ...], str]]:
    """What stands above the table, and where."""
    found: dict[str, object] = {}
    cells: dict[tuple[str | int, ...], str] = {}
    by_label = {title.zh: key for key, title in HEAD.items()}
    for number, row in enumerate(table.sheet.rows[: table.header_row]):
        for column, cell in enumerate(row):
            line = _HEAD_LINE.fullmatch(cell_text(cell))
            key = by_label.get(line[1].strip()) if line else None
            if line is None or key is None or not line[2].strip() or key in found:
                continue
            cells[(key,)] = f"{path}!{table.sheet.name}!{cell_name(number, column)}"
            read = PARSERS["exact_date" if key == "applied_on" else "text"](line[2].strip(), Hint())
            if read.expected is not None:
                what = Text("{t}：{e}", "{t}: {e}").format(t=HEAD[key], e=read.expected)
                raise InputError(what, where=cells[(key,)])
            found[key] = read.value
    for key in ("department", "applied_on"):
        if key not in found:
            raise InputError(
                Text("没有填写{t}", "{t} is not stated").format(t=HEAD[key]), where=f"{path}!{table.sheet.name}",
                next_step=Text("写在表格上方“{t}：”之后", "Write it after the words “{t}:” above the table").format(t=HEAD[key]),
            )  # fmt: skip
    return found, cells


def _line(number: int, row: Row) -> dict[str, object]:
    values = {name.partition(".")[2]: value for name, value in row.values.items()}
    line: dict[str, object] = {key: value for key, value in values.items() if key not in _SPEC and value != ""}
    spec = {key: values[key] for key in _SPEC if key in values}
    memory = spec.get("memory_gib")
    if isinstance(memory, float) and memory.is_integer():
        spec["memory_gib"] = int(memory)
    return {"line": number, **line, "spec": spec}
