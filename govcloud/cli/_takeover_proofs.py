"""`takeover rotate`, `check`, `prove`: access changes hands, and what playbooks and real logins can prove."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from govcloud.cli.base import App, option, pass_app
from govcloud.cli.base import command as verb
from govcloud.model.handover import ProofKind
from govcloud.model.text import Text
from govcloud.report.handover import build_access_view
from govcloud.report.handover_proofs import build_proof_facts_view, build_proofs_view
from govcloud.workflow import takeover_prove, takeover_rotate
from govcloud.workflow.takeover import Takeover

_FILE = click.Path(path_type=Path, dir_okay=False)
_identity = option(
    "--identity", type=_FILE,
    text=Text("对方私钥文件，只在原处读取用于登录", "The builder's private key, read in place to log in with"),
)  # fmt: skip


@verb(
    Text(
        "更换登录密钥：装上对方公钥，撤掉其余，逐步验证",
        "Change the login keys: the builder's in, all others out, each step proved",
    ),
    action="change_access",
)
@click.argument("handover")
@_identity
@pass_app
def rotate(app: App, handover: str, identity: Path | None) -> int:
    with app.session() as session:
        found = takeover_rotate.rotate(session, handover, identity=identity)
    if found.obstacles:
        return _refused(app, found)
    app.show(build_access_view(found.handover))
    return 0 if found.handover.rotations[-1].ok else 1


@verb(
    Text(
        "再次验证：旧钥应被拒绝，对方密钥应能登录", "Prove again: the old key is refused, the builder's key is accepted"
    ),
    action="change_access",
)
@click.argument("handover")
@_identity
@pass_app
def check(app: App, handover: str, identity: Path | None) -> int:
    with app.session() as session:
        found = takeover_rotate.check_access(session, handover, identity=identity)
    if app.output != "table":
        app.show(build_access_view(found.handover))
    if found.obstacles:
        return _refused(app, found)
    app.say(Text("登录验证符合预期，已记录", "The logins are as they should be; recorded"))
    return 0


@verb(
    Text(
        "在主机上逐项验证：密钥、口令、原运维方访问、堡垒机、监控、备份恢复、时间域名、补丁",
        "Prove on the hosts: keys, passwords, the old vendor's access, bastion, monitoring, restore, clock and names, patches",
    ),
    action="change_access",
)
@click.argument("handover")
@click.argument("kinds", nargs=-1, type=click.Choice(takeover_prove.KINDS), metavar="[KIND]...")
@option("--host", "hosts", multiple=True, text=Text("只验证这台主机", "Only this host"))
@_identity
@option(
    "--old-key", "old_keys", multiple=True, type=_FILE,
    text=Text("原运维方的私钥，须被拒绝；默认试 hosts.yaml 的 key_file", "A private key of the old vendor's, to be refused; by default the key_file of hosts.yaml"),
)  # fmt: skip
@option(
    "--old-password-file", "old_password", type=_FILE,
    text=Text("存有原运维方口令的文件（0600，一行），须被拒绝", "A file (0600, one line) with the old vendor's password, to be refused"),
)  # fmt: skip
@pass_app
def prove(
    app: App, handover: str, kinds: tuple[ProofKind, ...], hosts: tuple[str, ...], identity: Path | None,
    old_keys: tuple[Path, ...], old_password: Path | None,
) -> int:  # fmt: skip
    lent = takeover_prove.Lent(identity=identity, old_keys=old_keys, old_password=old_password)
    with app.session() as session:
        found = takeover_prove.prove(session, handover, kinds, hosts=hosts, lent=lent)
    app.show(build_proofs_view(found.proofs), build_proof_facts_view(found.proofs))
    if found.takeover.obstacles:
        return _refused(app, found.takeover)
    return 0 if all(proof.ok for proof in found.proofs) else 1


def _refused(app: App, found: Takeover) -> int:
    for obstacle in found.obstacles:
        app.say(obstacle)
    return 1


VERBS: tuple[Any, ...] = (rotate, check, prove)
