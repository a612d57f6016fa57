"""`takeover package`, `history`: the file of a takeover, and who maintained what."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from govcloud.cli.base import App, option, pass_app
from govcloud.cli.base import command as verb
from govcloud.errors import IntegrityError, UsageError
from govcloud.model.text import Text
from govcloud.report.handover_history import build_history_view
from govcloud.report.handover_package import build_check_view
from govcloud.workflow import takeover_archive, takeover_history

_PATH = click.Path(path_type=Path)


@verb(
    Text(
        "导出接管归档包（清单、证据、运维手册、确认单、记录），或核对一个归档包",
        "Write the takeover's package (checklist, evidence, runbook, form, records), or check one",
    ),
    action="export",
)
@click.argument("handover", required=False)
@option(
    "-o", "--output", "target", type=_PATH, text=Text("写入 .tar 文件或新目录", "Write to a .tar file or a new folder")
)
@option(
    "--check",
    "checked",
    type=_PATH,
    text=Text("离线核对这个归档包，不需要工作区", "Check this package offline, without a workspace"),
)
@pass_app
def package(app: App, handover: str | None, target: Path | None, checked: Path | None) -> int:
    if checked is not None and handover is None and target is None:
        found = takeover_archive.verify_archive(checked)
        app.show(build_check_view(found.sums_sha256, found.files, found.problems))
        return IntegrityError.exit_code if found.problems else 0
    if handover is None or target is None or checked is not None:
        raise UsageError(
            Text("写明接管编号和 -o，或者只写 --check", "Name the takeover and -o, or --check alone"),
            next_step=Text("govcloud takeover list 列出接管", "govcloud takeover list shows the takeovers"),
        )
    # Loaded when a package is wanted: Word and the pages take a tenth of a second, which every command would pay.
    from govcloud.workflow.takeover_package import write_package

    with app.session() as session:
        made = write_package(session, handover, target)
    for missing in made.missing:
        app.say(missing)
    draft = Text("（草稿：双方尚未签字）", " (DRAFT: not signed by both parties)") if made.missing else Text("", "")
    app.say(
        Text(
            "归档包已写入 {path}{draft}，{n} 个文件，SHA256SUMS 的摘要 {digest}",
            "Written to {path}{draft}: {n} files, digest of SHA256SUMS {digest}",
        ).format(path=target, draft=draft, n=made.files, digest=made.sums_sha256)
    )
    return 1 if made.missing else 0


@verb(Text("谁在何时维护过什么，依据哪次接管", "Who maintained what, since when, by which takeover"), action="read")
@click.argument("system", required=False)
@option("--unit", text=Text("只看这家运维单位", "Only what this unit maintains or did"))
@pass_app
def history(app: App, system: str | None, unit: str | None) -> int:
    with app.session() as session:
        periods = takeover_history.list_maintenance(session, system, unit=unit)
        app.show(build_history_view(periods))
    return 0 if periods else 1


VERBS: tuple[Any, ...] = (package, history)
