"""The sheet in which people edit a migration plan: what its rows say now, and where. Pure.

report/plan_sheet.py writes it; a test holds the two together.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from govcloud.discovery.columns import ColumnMap, ColumnSpec
from govcloud.discovery.tables import find_tables, read_rows
from govcloud.discovery.workbook import Workbook
from govcloud.errors import InputError
from govcloud.model.text import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRow:
    system_id: str
    wave: int | None
    opens_on: date | None
    crew: str | None
    place: str
    """`file!sheet!row`."""


def build_plan_map() -> ColumnMap:
    def column(name: str, kind: str, zh: str, en: str, **more: object) -> ColumnSpec:
        return ColumnSpec(field=f"plan.{name}", type=kind, title=Text(zh, en), **more)  # type: ignore[arg-type]

    return ColumnMap(
        kind="census",  # of no importance: the form is looked for by name, and imports do not know it
        title=Text("迁移计划", "Migration plan"),
        columns=(
            column("wave", "integer", "批次", "Wave"),
            column("opens_on", "exact_date", "窗口日期", "Window"),
            column("crew", "text", "班组", "Crew"),
            column("system_id", "code", "系统编号", "System", required=True),
        ),
    )


def parse_plan_form(workbook: Workbook) -> tuple[PlanRow, ...]:
    """The rows of the first table that has these columns.

    Raises InputError with the first faulty cell, for a system that stands in two rows and where there is no such table.
    """
    for sheet in workbook.sheets:
        for table in find_tables(sheet, [build_plan_map()]):
            page = f"{workbook.path.name}!{table.sheet.name}"
            found: dict[str, PlanRow] = {}
            for row in read_rows(workbook.path.name, table):
                for error in row.errors:
                    if not error.taken or error.left_out:
                        raise InputError(
                            Text("应为：{e}；读到“{r}”", "Expected: {e}; read: {r}").format(e=error.expected, r=error.read),
                            where=f"{page}!{error.cell}",
                            next_step=Text("改正后再次导入", "Correct it and import again"),
                        )  # fmt: skip
                values = {name.partition(".")[2]: value for name, value in row.values.items()}
                day = values.get("opens_on")
                one = PlanRow(
                    system_id=str(values["system_id"]), wave=values.get("wave"),  # type: ignore[arg-type]
                    opens_on=date.fromisoformat(str(day)) if day else None,
                    crew=values.get("crew") or None, place=f"{page}!{row.number}",  # type: ignore[arg-type]
                )  # fmt: skip
                if one.system_id in found:
                    raise InputError(
                        Text("{s} 出现两次，另一处是 {p}", "{s} stands there twice; the other row is {p}").format(
                            s=one.system_id, p=found[one.system_id].place),
                        where=one.place,
                        next_step=Text("每个系统只留一行", "Keep one row for each system"),
                    )  # fmt: skip
                found[one.system_id] = one
            return tuple(found.values())
    raise InputError(
        Text("没有认出迁移计划表（批次、窗口日期、班组、系统编号）", "No plan was found in it (Wave, Window, Crew, System)"),
        where=str(workbook.path),
        next_step=Text("用 govcloud plan export 计划 -o 计划.xlsx 生成后修改", "Make one with govcloud plan export PLAN -o plan.xlsx and edit it"),
    )  # fmt: skip
