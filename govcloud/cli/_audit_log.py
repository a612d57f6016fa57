"""`audit log`, `audit evidence`: what the ledger tells, and the files that prove it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from govcloud.cli.base import DAY, App, option, pass_app
from govcloud.cli.base import command as verb
from govcloud.model.text import Text
from govcloud.report.files import save
from govcloud.report.timeline import build_evidence_view, build_log_view
from govcloud.workflow import timeline
from govcloud.workflow.evidence import find_evidence


@verb(
    Text(
        "逐条讲述台账：最近的记录，或一个项目、系统、执行、接管的始末",
        "The ledger in words: the newest records, or all of a project, system, run or takeover",
    ),
    action="read",
)
@option(
    "--project", text=Text("项目编号、文号或名称，含其全部系统", "Project by id, number or name, with all its systems")
)
@option("--system", text=Text("系统编号或名称", "System by id or name"))
@option("--run", text=Text("执行编号", "Id of a run"))
@option("--takeover", text=Text("接管编号", "Id of a takeover"))
@option("--kind", text=Text("只看这一类，如 approval、step", "Only this kind, such as approval or step"))
@option("--actor", text=Text("只看此人", "Only this person"))
@option("--since", type=DAY, text=Text("从这天起", "From this day on"))
@option("--until", type=DAY, text=Text("到这天止", "Up to this day"))
@option(
    "--limit", type=click.IntRange(min=1), default=50, text=Text("最多几条，默认 50", "How many at most; 50 by default")
)
@pass_app
def log(
    app: App, project: str | None, system: str | None, run: str | None, takeover: str | None, kind: str | None,
    actor: str | None, since: datetime | None, until: datetime | None, limit: int,
) -> None:  # fmt: skip
    wanted = timeline.Wanted(
        project=project, system=system, run=run, takeover=takeover, kind=kind, actor=actor,
        since=since.date() if since else None, until=until.date() if until else None,
    )  # fmt: skip
    with app.session() as session:
        found = timeline.read_timeline(session, wanted, limit=limit)
        app.show(build_log_view(found.records, timeline.record_titles(session), earlier=found.earlier))


@verb(
    Text(
        "按 SHA-256 找出证据文件，核对内容，列出引用它的记录",
        "Find a file of evidence by its SHA-256, check it, tell which records name it",
    ),
    action="read",
)
@click.argument("sha256")
@option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), text=Text("复制到文件", "Copy it to a file"))
@pass_app
def evidence(app: App, sha256: str, output: Path | None) -> int:
    with app.session() as session:
        found = find_evidence(session, sha256)
        data = found.path.read_bytes() if found.path and output else None
        app.show(
            build_evidence_view(
                found.sha256, found.path, found.size_bytes, found.records, timeline.record_titles(session)
            )
        )
    if data is None or output is None:
        return 0 if found.path else 1
    save(output, data)
    app.say(Text("已复制到 {path}", "Copied to {path}").format(path=output))
    return 0


VERBS: tuple[Any, ...] = (log, evidence)
