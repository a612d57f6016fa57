from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from govcloud.cli.base import App, command, option, pass_app
from govcloud.errors import UsageError
from govcloud.model.text import Text
from govcloud.report.document_text import build_document_json, build_document_views, render_document_text
from govcloud.report.text import render_csv
from govcloud.report.written import build_written_view
from govcloud.workflow.paper_kind import FORMS, KIND_IDS, Form, Kind, Scope

if TYPE_CHECKING:
    from govcloud.workflow.papers import NoPaper, Paper


@command(
    Text(
        "写出离线报告和各类文书（Word、网页、表格）", "Write the offline report and the papers (Word, pages, workbooks)"
    ),
    action="export",
)
@option(
    "-o",
    "--output",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    text=Text("写到这个目录，默认为工作区的 reports", "Folder to write to; by default the workspace's reports"),
)
@option(
    "--kind",
    "names",
    type=click.Choice(KIND_IDS),
    multiple=True,
    text=Text("只写这种文书，可多次", "Only papers of this kind, may be repeated"),
)
@option(
    "--wave", type=click.IntRange(min=1), metavar="N", text=Text("哪一批，默认各批", "Of this wave; by default of each")
)
@option("--run", "run_id", metavar="RUN", text=Text("哪次执行，默认各次", "Of this run; by default of each"))
@option(
    "--system",
    "system_id",
    metavar="SYSTEM",
    text=Text("执行中的哪个系统，默认全部", "Of this system of a run; by default of all"),
)
@option(
    "--takeover",
    "handover_id",
    metavar="TAKEOVER",
    text=Text("哪个接管，默认各个", "Of this takeover; by default of each"),
)
@option("--department", metavar="NAME", text=Text("只写这个部门的", "Only what concerns this department"))
@option(
    "--month",
    type=click.DateTime(["%Y-%m"]),
    metavar="YYYY-MM",
    text=Text("月报的月份，如 2026-03，默认本月", "Month of the monthly report, as 2026-03; by default this one"),
)
@option(
    "--as",
    "forms",
    type=click.Choice(FORMS),
    multiple=True,
    default=("docx",),
    show_default=True,
    text=Text("文书的格式，可多次", "Form of the papers, may be repeated"),
)
@option(
    "--show",
    is_flag=True,
    text=Text("显示在屏幕上，不写文件（需 --kind）", "Show them on the screen and write nothing (with --kind)"),
)
@pass_app
def report(
    app: App, folder: Path | None, names: tuple[str, ...], wave: int | None, run_id: str | None, system_id: str | None,
    handover_id: str | None, department: str | None, month: datetime | None, forms: tuple[Form, ...], show: bool,
) -> int:  # fmt: skip
    # Drawings and Word files take libraries that the help and a shell's completion need not wait for.
    from govcloud.workflow.papers import KINDS
    from govcloud.workflow.report import write_report

    known = {kind.kind_id: kind for kind in KINDS}
    kinds = [known[name] for name in dict.fromkeys(names)]
    scope = Scope(
        wave=wave, run_id=run_id, system_id=system_id, handover_id=handover_id, department=department,
        month=month.date() if month else None,
    )  # fmt: skip
    if show:
        missing = _show(app, kinds, scope)
    else:
        with app.session() as session:
            target = folder or session.workspace.folder("reports")
            written = write_report(session, target, kinds=kinds, scope=scope, forms=tuple(dict.fromkeys(forms)))
        missing = written.missing
        app.show(build_written_view(written.files))
    for paper in missing:
        app.say(Text("{k}：{w}", "{k}: {w}").format(k=paper.kind.title, w=paper.why))
    return 1 if missing else 0


def _show(app: App, kinds: Sequence[Kind], scope: Scope) -> Sequence[NoPaper]:
    if not kinds:
        raise UsageError(
            Text("没有说显示哪种文书", "No kind of paper was named"), where="--show",
            next_step=Text("用 --kind 指定：{k}", "Name one with --kind: {k}").format(k=", ".join(KIND_IDS)),
        )  # fmt: skip
    from govcloud.workflow.papers import build_papers

    with app.session("read") as session:
        papers, missing = build_papers(session, kinds, scope)
    if app.output == "json":
        click.echo(json.dumps({"papers": [_json(app, p) for p in papers]}, ensure_ascii=False, indent=2))
    elif app.output == "csv":
        click.echo(render_csv([view for p in papers for view in build_document_views(p.document)], app.lang))
    else:
        click.echo("\n\n".join(render_document_text(p.document, app.lang) for p in papers), nl=False)
    return missing


def _json(app: App, paper: Paper) -> dict[str, object]:
    return {"kind": paper.kind.kind_id, "name": paper.stem, **build_document_json(paper.document, app.lang)}


command = report
