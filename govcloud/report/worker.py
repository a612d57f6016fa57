"""Workers: who carries systems on, in which zones, and when each was last seen."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from govcloud.model.attempt import Worker
from govcloud.model.text import Term, Text
from govcloud.report.view import Column, View

_ALL = Text("全部", "all")
_ALIVE = Term("在线", "alive", code="alive")
_LEFT = Term("已退出", "left", code="left")
_SILENT = Term("失联", "silent", code="silent")


def build_workers_view(workers: Sequence[Worker], living: Sequence[str], now: datetime) -> View:
    """`living`: worker ids that answer."""
    rows = [
        {
            "worker_id": worker.worker_id,
            "host": worker.host,
            "pid": worker.pid or None,
            "zones": list(worker.zones) or _ALL,
            "state": _ALIVE if worker.worker_id in living else _SILENT if worker.pid else _LEFT,
            "seen_at": worker.seen_at,
            "silent_s": max(0, round((now - worker.seen_at).total_seconds())),
        }
        for worker in workers
    ]
    silent = [row for row in rows if row["state"] is _SILENT]
    notes = [
        Text(
            "{n} 个工作进程失联。同区的工作进程稍后接手其任务；若机器还在，在该机器上重新运行同一命令即可接续",
            "{n} silent. A worker of the same zone takes over what they had before long; where the machine is still there, "
            "run the same command on it again and it goes on",
        ).format(n=len(silent))
    ]  # fmt: skip
    return View(
        name="workers",
        title=Text("工作进程", "Workers"),
        columns=(
            Column("worker_id", Text("编号", "Id")),
            Column("host", Text("主机", "Host")),
            Column("pid", Text("进程号", "PID"), "right"),
            Column("zones", Text("网络区", "Zones")),
            Column("state", Text("状态", "State")),
            Column("seen_at", Text("最后一次在线", "Last seen")),
            Column("silent_s", Text("距今（秒）", "Seconds ago"), "right"),
        ),
        rows=tuple(rows),
        notes=tuple(notes) if silent else (),
    )
