from __future__ import annotations

from pathlib import Path

import click

from govcloud.cli import _audit_log
from govcloud.cli.base import App, group, option, pass_app
from govcloud.cli.base import command as verb
from govcloud.errors import IntegrityError
from govcloud.model.text import Text
from govcloud.report.audit import build_checkpoint_view, build_verify_view
from govcloud.report.coverage import build_clauses_view, build_documents_view
from govcloud.report.files import save
from govcloud.workflow import audit as audit_workflow
from govcloud.workflow.coverage import list_coverage


@group(
    Text(
        "台账：查看、签检查点、导出、核对；法规条款覆盖",
        "The ledger: read, sign, export, check; coverage of the clauses",
    )
)
def audit() -> None:
    pass


@verb(Text("签一个检查点；把它存到本机以外", "Sign a checkpoint; keep it outside of this machine"), action="checkpoint")
@option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), text=Text("写入文件", "Write it to a file"))
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


@verb(Text("导出给审计方离线核对的目录", "Write a folder that an auditor checks offline"), action="export")
@option(
    "-o", "--output", "folder", required=True, type=click.Path(path_type=Path), text=Text("目标目录", "Target folder")
)
@option(
    "--since",
    text=Text(
        "只导出这个检查点之后的部分：检查点的记录数或其文件",
        "Only what came after this checkpoint: its size, or a file",
    ),
)
@pass_app
def export(app: App, folder: Path, since: str | None) -> None:
    with app.session() as session:
        made = audit_workflow.export_bundle(session, folder, since)
    if app.output != "table":
        app.show(build_checkpoint_view(made.checkpoint, vkey=made.vkey))
    app.say(
        Text(
            "已导出 {n} 条记录到 {folder}\n公钥（请另行交给审计方）：{vkey}\n核对：python3 {folder}/verify.py {folder} --key '{vkey}'",
            "{n} records exported to {folder}\nPublic key (give it to the auditor by another way): {vkey}\n"
            "Check it: python3 {folder}/verify.py {folder} --key '{vkey}'",
        ).format(n=made.checkpoint.size - made.start, folder=folder, vkey=made.vkey)
    )


@verb(
    Text(
        "证明一条记录（编号或叶哈希）在台账中：一个可单独交出的小文件",
        "Prove that a record (its number or leaf hash) is in the ledger: one small file",
    ),
    action="export",
)
@click.argument("record")
@option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    text=Text("写入文件", "Write it to a file"),
)
@pass_app
def prove(app: App, record: str, output: Path) -> None:
    with app.session() as session:
        (proof,) = audit_workflow.prove(session, [audit_workflow.find_record(session, record)])
    save(output, proof)
    app.say(
        Text(
            "证明已写入 {path}\n核对：python3 verify.py --proof {path} --key 公钥",
            "Proof written to {path}\nCheck it: python3 verify.py --proof {path} --key KEY",
        ).format(path=output)
    )


@verb(
    Text("更换台账签名私钥，新旧两钥共同签署", "Change the ledger's signing key; old and new key both sign"),
    name="rotate-key",
    action="administer",
)
@pass_app
def rotate_key(app: App) -> None:
    with app.session() as session:
        made = audit_workflow.rotate_key(session)
    if app.output != "table":
        app.show(build_checkpoint_view(made.checkpoint, vkey=made.vkey))
    app.say(
        Text(
            "已换钥。旧公钥：{old}\n新公钥（请另行交给审计方；持旧公钥者仍可核对）：{new}",
            "The key was changed. Old public key: {old}\n"
            "New public key (give it to the auditor by another way; the old one still checks everything): {new}",
        ).format(old=made.old_vkey, new=made.vkey)
    )


@verb(Text("核对本工作区的台账或一个导出目录", "Check this workspace's ledger or an exported folder"), action="read")
@click.argument("bundle", required=False, type=click.Path(path_type=Path))
@option(
    "--key", "vkeys", multiple=True,
    text=Text("台账公钥（文本或文件），可多次给出", "The ledger's public key (text or file); may be repeated"),
)  # fmt: skip
@option(
    "--checkpoint", "kept", multiple=True, type=click.Path(path_type=Path),
    text=Text("以前留存的检查点文件，可多次给出", "A checkpoint kept from earlier; may be repeated"),
)  # fmt: skip
@pass_app
def verify(app: App, bundle: Path | None, vkeys: tuple[str, ...], kept: tuple[Path, ...]) -> int:
    if bundle is not None and vkeys:
        checked = audit_workflow.verify_ledger(None, bundle, vkeys=vkeys, kept=kept)
    else:
        with app.session() as session:
            checked = audit_workflow.verify_ledger(session, bundle, vkeys=vkeys, kept=kept)
    app.show(build_verify_view(checked.report, live=checked.live, unsigned=checked.unsigned))
    return IntegrityError.exit_code if checked.report.problems else 0


@verb(
    Text(
        "逐条列出法规的处理情况：由哪条规则检查，或为什么不检查",
        "Every clause of the regulations: which rule tests it, or why none does",
    ),
    action="read",
)
@option(
    "--jurisdiction",
    text=Text(
        "法规包或站点编号，默认为工作区的法规；没有工作区则列出随附的全部法规",
        "Id of a rule pack or a site; the workspace's own by default; without a workspace, all documents that come along",
    ),
)
@option("--document", text=Text("只列这个文件，如 SX19", "Only this document, such as SX19"))
@option(
    "--open",
    "only_open",
    is_flag=True,
    text=Text("只列须人工掌握的条款", "Only clauses that a person has to look after"),
)
@pass_app
def coverage(app: App, jurisdiction: str | None, document: str | None, only_open: bool) -> None:
    found = list_coverage(app.workspace(), jurisdiction, document)
    app.show(
        build_clauses_view(found.documents, found.topics, only_open=only_open),
        build_documents_view(found.documents, found.own),
    )


for _verb in _audit_log.VERBS:
    audit.add_command(_verb)
audit.add_command(checkpoint)
audit.add_command(export)
audit.add_command(prove)
audit.add_command(rotate_key)
audit.add_command(verify)
audit.add_command(coverage)

command = audit
