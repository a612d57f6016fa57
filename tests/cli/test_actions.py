"""Every command and the right that it takes, written out: a new command without a thought about rights fails here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from govcloud.cli.base import App, command, group, pass_app
from govcloud.cli.main import cli, run
from govcloud.errors import NotAllowed
from govcloud.model.account import ACTIONS as KNOWN
from govcloud.model.account import Action
from govcloud.model.text import Text

ACTIONS: dict[str, Action | None] = {
    "accounts add": "administer",
    "accounts change": "administer",
    "accounts disable": "administer",
    "accounts enable": "administer",
    "accounts list": "read",
    "accounts password": "administer",
    "accounts show": "read",
    "accounts token list": "read",
    "accounts token new": "read",
    "accounts token revoke": "read",
    "audit checkpoint": "checkpoint",
    "audit coverage": "read",
    "audit evidence": "read",
    "audit export": "export",
    "audit log": "read",
    "audit prove": "export",
    "audit rotate-key": "administer",
    "audit verify": "read",
    "catalog diff": "read",
    "catalog list": "read",
    "catalog show": "read",
    "catalog validate": "read",
    "catalog versions": "read",
    "check estate": "check",
    "check request": "check",
    "check rules": "read",
    "check show": "read",
    "completion": None,
    "demo": None,
    "discover ansible": "collect",
    "discover ec2": "collect",
    "discover openstack": "collect",
    "discover ssh": "collect",
    "discover trust": "collect",
    "doctor": None,
    "import": "collect",
    "init": None,
    "inventory ansible": "read",
    "inventory confidence": "read",
    "inventory confirm": "collect",
    "inventory confirmations": "read",
    "inventory conflicts": "read",
    "inventory connections": "read",
    "inventory departments": "read",
    "inventory dependencies": "read",
    "inventory diff": "read",
    "inventory networks": "read",
    "inventory overlaps": "read",
    "inventory servers": "read",
    "inventory show": "read",
    "inventory sizing": "read",
    "inventory snapshot": "collect",
    "inventory snapshots": "read",
    "inventory systems": "read",
    "inventory tenants": "read",
    "inventory undeclared": "read",
    "inventory zombies": "read",
    "networks": "read",
    "plan build": "plan",
    "plan compare": "read",
    "plan diff": "read",
    "plan explain": "read",
    "plan export": "export",
    "plan import": "plan",
    "plan pin": "plan",
    "plan pins": "read",
    "plan show": "read",
    "plan unpin": "plan",
    "plan verify": "read",
    "projects deadlines": "read",
    "projects due": "read",
    "projects list": "read",
    "projects show": "read",
    "report": "export",
    "run accept": "approve",
    "run answer": "operate",
    "run approve": "approve",
    "run cancel": "operate",
    "run cleanup": "operate",
    "run decide": "operate",
    "run hold": "operate",
    "run logs": "read",
    "run probe": "operate",
    "run resume": "operate",
    "run review": "review",
    "run rollback": "operate",
    "run start": "operate",
    "run status": "read",
    "run switch-off": "operate",
    "run trust": "operate",
    "serve": "operate",
    "takeover accept": "receive_papers",
    "takeover check": "change_access",
    "takeover data": "read",
    "takeover defer": "give_papers",
    "takeover evidence": "give_papers",
    "takeover exclude": "give_papers",
    "takeover history": "read",
    "takeover list": "read",
    "takeover package": "export",
    "takeover papers": "give_papers",
    "takeover plan": "give_papers",
    "takeover progress": "read",
    "takeover prove": "change_access",
    "takeover refuse": "receive_papers",
    "takeover resume": "give_papers",
    "takeover rotate": "change_access",
    "takeover sign": "sign",
    "takeover start": "give_papers",
    "takeover status": "read",
    "template": "collect",
    "waiver add": "waive",
    "waiver list": "read",
    "waiver withdraw": "waive",
    "worker": "operate",
}
"""None: it opens no workspace, or none that has anything in it yet."""


def commands(found: click.Command, words: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    if not isinstance(found, click.Group):
        yield " ".join(words), found
        return
    context = click.Context(found)
    for name in found.list_commands(context):
        inner = found.get_command(context, name)
        assert inner is not None
        yield from commands(inner, (*words, name))


def test_every_command_takes_the_right_that_is_written_here() -> None:
    found = {words: getattr(verb, "action", None) for words, verb in commands(cli)}
    assert found == ACTIONS
    assert {action for action in found.values() if action} <= set(KNOWN)


def test_a_command_that_names_no_right_is_nobodys_once_there_are_accounts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    entered = []

    @group(Text("示例", "example"))
    def example() -> None:
        pass

    @command(Text("没有写明权限", "no right is named"))
    @pass_app
    def unthinking(app: App) -> None:
        with app.session():
            entered.append(True)

    example.add_command(unthinking)
    path = tmp_path / "w"
    assert run(["init", str(path), "--site", "shanxi"]) == 0

    def call() -> None:
        example.main(["unthinking"], prog_name="govcloud", standalone_mode=False, obj=App(path, "en", "table", None))

    call()
    first = ("accounts", "add", "admin", "--name", "管理员甲", "--unit", "示例单位", "--role", "administrator")
    assert run(["-w", str(path), *first]) == 0
    with pytest.raises(NotAllowed, match="names no right"):
        call()
    assert entered == [True]
