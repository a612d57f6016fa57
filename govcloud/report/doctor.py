"""The doctor's lines as one table."""

from __future__ import annotations

from collections.abc import Sequence

from govcloud.model.health import HealthLine
from govcloud.model.text import Term, Text
from govcloud.report.view import Column, View

_STATES = {
    "good": Term("正常", "good", code="good"),
    "note": Term("留意", "note", code="note"),
    "act": Term("须处理", "act", code="act"),
}
_AREAS = {
    "machine": Term("本机", "machine", code="machine"),
    "workspace": Term("工作区", "workspace", code="workspace"),
    "optional": Term("可选部分", "optional", code="optional"),
}


def build_doctor_view(lines: Sequence[HealthLine]) -> View:
    must = sum(line.state == "act" for line in lines)
    return View(
        name="doctor",
        title=Text("体检", "Doctor"),
        columns=(
            Column("area", Text("范围", "Area")),
            Column("title", Text("项目", "What")),
            Column("state", Text("状态", "State")),
            Column("found", Text("现状", "Found")),
            Column("to_do", Text("怎么办", "What to do")),
        ),
        rows=tuple(
            {
                "area": _AREAS[line.area],
                "title": line.title,
                "state": _STATES[line.state],
                "found": line.found,
                "to_do": line.to_do or "",
            }
            for line in lines
        ),
        notes=(
            Text("{n} 项须处理", "{n} to be dealt with").format(n=must)
            if must
            else Text("没有必须处理的", "Nothing has to be done"),
        ),
        facts={"must": must, "states": {line.key: line.state for line in lines}},
    )
