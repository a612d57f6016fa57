from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import click

from govcloud.cli.base import DAY, App, command, option, pass_app
from govcloud.errors import UsageError
from govcloud.model.network_ledger import NetworkLedger
from govcloud.model.text import Text
from govcloud.report.files import save
from govcloud.report.network_ledger import build_network_views
from govcloud.report.text import render_json
from govcloud.workflow import networks as workflow

_SUFFIXES = (".xlsx", ".docx", ".html", ".json")
_IN_FILES = frozenset({"network_lines", "network_clauses"})
"""Views that the screen leaves out."""


class Office(NamedTuple):
    """Whose paper it is."""

    name: str
    at: datetime
    timezone: str
    actor: str


@command(
    Text(
        "业务专网台账：尚存的专网、撤并障碍、保留依据、核对结果和变化",
        "The ledger of dedicated networks: what remains, what blocks closing it, exemptions, contradictions, trend",
    ),
    name="networks",
    action="read",
)
@option(
    "--as-of",
    type=DAY,
    text=Text("按哪一天判断，默认今天", "The day to judge by; today by default"),
)
@option(
    "--since",
    metavar="NAME",
    text=Text("与哪个快照比较，默认最近一个", "The snapshot to compare with; the last one by default"),
)
@option(
    "-o",
    "--output",
    "paths",
    type=click.Path(path_type=Path, dir_okay=False),
    multiple=True,
    text=Text("同时写成文件，可多次：.xlsx .docx .html .json", "Also write it to a file, may be repeated: .xlsx .docx .html .json"),
)  # fmt: skip
@pass_app
def networks(app: App, as_of: datetime | None, since: str | None, paths: tuple[Path, ...]) -> None:
    for path in paths:
        if path.suffix.lower() not in _SUFFIXES:
            raise UsageError(
                Text("不会写这种文件", "Can't write a file of this kind"), where=str(path),
                next_step=Text("用 {all} 之一", "Use one of {all}").format(all=" ".join(_SUFFIXES)),
            )  # fmt: skip
    with app.session() as session:
        ledger = workflow.list_remaining(session, as_of.date() if as_of else None, since)
        office = Office(
            session.workspace.settings.name, session.now(), session.workspace.settings.timezone, session.actor
        )
    views = build_network_views(ledger)
    # Scripts rely on every key; a person is spared the empty tables and the widest ones.
    app.show(*(v for v in views if app.output != "table" or ((v.rows or v.notes) and v.name not in _IN_FILES)))
    for path in paths:
        save(path, _render(path.suffix.lower(), ledger, office, app))
        app.say(Text("已写入 {path}", "Written: {path}").format(path=path))


def _render(suffix: str, ledger: NetworkLedger, office: Office, app: App) -> bytes:
    # Each form brings libraries that the others and the screen do without.
    if suffix == ".json":
        return (render_json(build_network_views(ledger), app.lang) + "\n").encode()
    if suffix == ".xlsx":
        from govcloud.report.xlsx import render_xlsx

        return render_xlsx([v for v in build_network_views(ledger) if v.rows or v.notes], app.lang, app.zone)
    from govcloud.report.network_document import build_network_document

    document = build_network_document(
        ledger, office=office.name, made_at=office.at, timezone=office.timezone, made_by=office.actor
    )
    if suffix == ".docx":
        from govcloud.report.docx import render_docx

        return render_docx(document, app.lang)
    from govcloud.report.html import render_html

    return render_html(document, app.lang).encode()


command = networks
