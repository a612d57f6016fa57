"""Views and a document with everything that the outside world puts into them."""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from govcloud.model.text import Text
from govcloud.report.document import Document, Figure, Number, Section
from govcloud.report.view import Column, View

# pytest's importlib mode puts no folder on the path: plan_samples.py here, and the offices that planning tests share.
sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "planning")]

SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="300" height="80">'
    '<defs><clipPath id="clip0"><rect width="1" height="1"/></clipPath></defs>'
    '<g clip-path="url(#clip0)"><text>{label}</text></g><use xlink:href="#clip0"/></svg>'
)


@pytest.fixture
def view() -> View:
    return View(
        name="systems",
        title=Text("系统", "Systems"),
        columns=(
            Column("system_id", Text("系统编号", "System")),
            Column("name", Text("名称", "Name")),
            Column("status", Text("状态", "Status")),
            Column("users", Text("用户数", "Users"), "right"),
            Column("go_live_on", Text("上线日期", "Live since")),
            Column("seen_at", Text("核实时间", "Seen at")),
            Column("addresses", Text("地址", "Addresses")),
        ),
        rows=(
            {
                "system_id": "SL-OA-01", "name": "协同办公系统", "status": Text("逾期", "overdue"), "users": 1200,
                "go_live_on": date(2013, 5, 1), "seen_at": datetime(2026, 3, 7, 16, 30, tzinfo=UTC),
                "addresses": ("10.66.1.10", "10.66.1.11"),
            },
            {"system_id": "SL-XX-99", "name": '<script>alert("x")</script>&<b>', "users": None},
        ),
        notes=(Text("共 2 个系统", "2 systems"),),
    )  # fmt: skip


@pytest.fixture
def document(view: View) -> Document:
    drawing = Text(SVG.format(label="协同办公系统"), SVG.format(label="Office"))
    return Document(
        title=Text("政务信息系统报告", "Systems report"),
        office="示例市<数据局>",
        made_at=datetime(2026, 3, 7, 16, 30, tzinfo=UTC),
        timezone="Asia/Shanghai",
        made_by="张示例",
        sections=(
            Section(
                section_id="overview", title=Text("概况", "Overview"),
                numbers=(
                    Number(label=Text("系统", "Systems"), value=1600, unit=Text("个", "")),
                    Number(label=Text("逾期", "Overdue"), value=None, tone="bad", note=Text("尚未核对", "not checked")),
                ),
            ),
            Section(
                section_id="estate", title=Text("资产", "Estate"), views=(view,),
                figures=(
                    Figure(title=Text("甘特图", "Gantt chart"), svg=drawing),
                    Figure(title=Text("依赖图", "Dependencies"), svg=drawing),
                ),
            ),
            Section(
                section_id="runs", title=Text("执行", "Runs"), missing=Text("运行 govcloud run start", "Run govcloud run start")
            ),
        ),
        source=Text("台账第 7 号", "ledger record 7"),
    )  # fmt: skip
