from __future__ import annotations

import os
import sys
from dataclasses import replace

import click

from govcloud.cli.base import App, option, pass_app
from govcloud.cli.base import command as verb
from govcloud.cli.main import INTERRUPTED
from govcloud.events import Event
from govcloud.model.text import Lang, Text
from govcloud.report.worker import build_workers_view


class _Lines:
    """Progress as lines, for the journal of a service."""

    def __init__(self, lang: Lang) -> None:
        self._lang = lang

    def on_event(self, event: Event) -> None:
        if event.total is None and not event.subject:
            return
        count = f" {event.done}/{event.total}" if event.total is not None else ""
        click.echo(f"{event.what.to(self._lang)}{count} {event.subject}".rstrip())


@verb(
    Text("工作进程：执行某些网络区的迁移步骤", "A worker: carries out the steps of systems in some zones"),
    name="worker",
    action="operate",
)
@option(
    "--zone", "zones", multiple=True,
    text=Text("本机能到达的网络区，可多次给出；不给为全部", "A zone that this machine reaches; may be repeated; none: all"),
)  # fmt: skip
@option("--name", text=Text("在本机上的名字，默认 worker", "Its name on this machine, worker by default"))
@option(
    "--list",
    "listing",
    is_flag=True,
    text=Text("列出工作进程、网络区和最后在线时间", "List workers, zones and when they were last seen"),
)
@pass_app
def worker(app: App, zones: tuple[str, ...], name: str | None, listing: bool) -> int:
    from govcloud.workflow import run_engine
    from govcloud.workflow import worker as workflow

    with app.session(*(("read",) if listing else ())) as session:
        if listing:
            workers, living = workflow.list_workers(session)
            app.show(build_workers_view(workers, living, session.now()))
            return 0
        workflow.demand_zones(session, zones)
        where = Text("、".join(zones), ", ".join(zones)) if zones else Text("全部", "all")
        app.say(
            Text("正在启动，网络区：{z}。停止：Ctrl-C", "Starting, zones: {z}. Stop it with Ctrl-C").format(z=where)
        )
        shown = session if sys.stderr.isatty() else replace(session, observer=_Lines(app.lang))
        code = 0
        try:
            workflow.run_worker(shown, zones, name)
        except KeyboardInterrupt:
            code = INTERRUPTED
        app.say(
            Text(
                "已停止。正在执行的步骤在后台做完，重新启动后接续",
                "Stopped. Steps under way end by themselves in the background; start it again and it goes on",
            )
        )
    if run_engine.lingering():
        # Threads that wait for a database that is away would keep the process for ever.
        sys.stdout.flush()
        os._exit(code)
    return code


command = worker
