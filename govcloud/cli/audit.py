from __future__ import annotations

from pathlib import Path

import click

from govcloud.cli.base import App, group, option, pass_app
from govcloud.cli.base import command as verb
from govcloud.errors import IntegrityError
from govcloud.model.text import Text
from govcloud.report.audit import build_checkpoint_view, build_log_view, build_verify_view
from govcloud.report.files import save
from govcloud.workflow import audit as audit_workflow


@group(Text("台账：查看、签检查点、导出、核对", "The ledger: read, sign, export, check"))
def audit() -> None:
    pass


@verb(Text("最近的记录", "The newest records"))
@option("--kind", text=Text("只看这一类，如 approval、step", "Only this kind, such as approval or step"))
@option(
    "--limit", type=click.IntRange(min=1), default=50, text=Text("最多几条，默认 50", "How many at most; 50 by default")
)
@pass_app
def log(app: App, kind: str | None, limit: int) -> None:
    with app.session() as session:
        app.show(build_log_view(audit_workflow.list_records(session, kind=kind, limit=limit)))


@verb(Text("签一个检查点；把它存到本机以外", "Sign a checkpoint; keep it outside of this machine"))
@option("-o", "output", type=click.Path(path_type=Path, dir_okay=False), text=Text("写入文件", "Write it to a file"))
@pass_app
def checkpoint(app: App, output: Path | None) -> None:
    with app.session() as session:
        signed = audit_workflow.checkpoint(session)
    if output is None and app.output == "table":
        click.echo(signed.note, nl=False)
        return
    if app.output != "table":
        app.show(build_checkpoint_view(signed))
    if output is None:
        return
    save(output, signed.note.encode())
    app.say(
        Text("检查点已签：{n} 条记录 → {path}", "Checkpoint signed: {n} records → {path}").format(
            n=signed.size, path=output
        )
    )


@verb(Text("导出给审计方离线核对的目录", "Write a folder that an auditor checks offline"))
@option("-o", "folder", required=True, type=click.Path(path_type=Path), text=Text("目标目录", "Target folder"))
@pass_app
def export(app: App, folder: Path) -> None:
    with app.session() as session:
        made = audit_workflow.export_bundle(session, folder)
    if app.output != "table":
        app.show(build_checkpoint_view(made.checkpoint, vkey=made.vkey))
    app.say(
        Text(
            "已导出 {n} 条记录到 {folder}\n公钥（请另行交给审计方）：{vkey}\n核对：python3 verify.py {folder} --key '{vkey}'",
            "{n} records exported to {folder}\nPublic key (give it to the auditor by another way): {vkey}\n"
            "Check it: python3 verify.py {folder} --key '{vkey}'",
        ).format(n=made.checkpoint.size, folder=folder, vkey=made.vkey)
    )


@verb(Text("核对本工作区的台账或一个导出目录", "Check this workspace's ledger or an exported folder"))
@click.argument("bundle", required=False, type=click.Path(path_type=Path))
@option("--key", "vkey", text=Text("台账公钥（文本或文件）", "The ledger's public key (text or file)"))
@option(
    "--checkpoint", "kept", multiple=True, type=click.Path(path_type=Path),
    text=Text("以前留存的检查点文件，可多次给出", "A checkpoint kept from earlier; may be repeated"),
)  # fmt: skip
@pass_app
def verify(app: App, bundle: Path | None, vkey: str | None, kept: tuple[Path, ...]) -> int:
    if bundle is not None and vkey is not None:
        checked = audit_workflow.verify_ledger(None, bundle, vkey=vkey, kept=kept)
    else:
        with app.session() as session:
            checked = audit_workflow.verify_ledger(session, bundle, vkey=vkey, kept=kept)
    app.show(build_verify_view(checked.report, live=checked.live, unsigned=checked.unsigned))
    return IntegrityError.exit_code if checked.report.problems else 0


audit.add_command(log)
audit.add_command(checkpoint)
audit.add_command(export)
audit.add_command(verify)

command = audit
