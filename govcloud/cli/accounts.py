from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from govcloud.access import load_secret
from govcloud.cli._door import os_user
from govcloud.cli.base import App, group, option, pass_app
from govcloud.cli.base import command as verb
from govcloud.errors import OutsideError, UsageError
from govcloud.model.account import ACCOUNT_ROLES, Account, AccountRole
from govcloud.model.text import Text
from govcloud.report.accounts import build_accounts_view, build_rights_view, build_tokens_view
from govcloud.workflow import account_changes as workflow

_FILE = click.Path(path_type=Path, dir_okay=False)
_login = click.argument("login")
_reason = option("--reason", default="", text=Text("理由，记入台账", "Why; goes into the ledger"))


@group(Text("账号：谁可以做什么，口令和令牌", "Accounts: who may do what; passwords and tokens"))
def accounts() -> None:
    pass


@verb(
    Text(
        "增加账号；第一个须是当前系统用户的系统管理员",
        "Add an account; the first is an administrator's, of the current system user",
    ),
    action="administer",
)
@_login
@option(
    "--name",
    required=True,
    text=Text("姓名，记录和签字用；不得重名", "The person's name, as in records and signatures; nobody else's"),
)
@option("--unit", required=True, text=Text("所在单位", "The person's organisation"))
@option(
    "--role",
    "roles",
    type=click.Choice(ACCOUNT_ROLES),
    multiple=True,
    required=True,
    text=Text("角色，可多次给出", "A role; may be repeated"),
)
@option(
    "--os-user",
    "os_users",
    metavar="USER",
    multiple=True,
    text=Text(
        "系统用户，凭此不用口令；写“用户@机器”只限那一台；可多次给出",
        "System user that needs no password; USER@MACHINE holds for that machine alone; may be repeated",
    ),
)
@pass_app
def add(app: App, login: str, name: str, unit: str, roles: tuple[AccountRole, ...], os_users: tuple[str, ...]) -> None:
    with app.session() as session:
        made = workflow.add_account(
            session, login, name=name, unit=unit, roles=roles, os_users=os_users, here=os_user()
        )
    app.show(build_accounts_view([made]))
    if not made.os_users:
        app.say(
            Text(
                "设初始口令：govcloud accounts password {u}", "Set a first password: govcloud accounts password {u}"
            ).format(u=login)
        )


@verb(Text("列出账号", "List the accounts"), name="list", action="read")
@option("--all", "disabled", is_flag=True, text=Text("也列出已停用的", "Also those that are disabled"))
@pass_app
def list_(app: App, disabled: bool) -> None:
    with app.session("read", "administer") as session:
        found = [a for a in workflow.list_accounts(session) if disabled or a.disabled_at is None]
        listed = bool(session.workspace.settings.execution.get("people"))
    app.show(build_accounts_view(found, also_listed=listed))


@verb(Text("一个账号的角色、权限和令牌", "An account with its roles, rights and tokens"), action="read")
@_login
@pass_app
def show(app: App, login: str) -> None:
    with app.session("read", "administer") as session:
        account, tokens = workflow.find_account(session, login)
        now = session.now()
    app.show(build_accounts_view([account]), build_rights_view(account), build_tokens_view(tokens, now))


@verb(Text("更正姓名、单位、角色或系统用户", "Correct name, unit, roles or system users"), action="administer")
@_login
@option("--name", text=Text("姓名；办过事以后不能再改", "The name; it stays once he has acted under it"))
@option("--unit", text=Text("单位", "Organisation"))
@option(
    "--role",
    "roles",
    type=click.Choice(ACCOUNT_ROLES),
    multiple=True,
    text=Text("全部角色，替换原有的；可多次给出", "All roles, in place of those before; may be repeated"),
)
@option(
    "--os-user",
    "os_users",
    metavar="USER",
    multiple=True,
    text=Text("全部系统用户，替换原有的；可多次给出", "All system users, in place of those before; may be repeated"),
)
@option("--no-os-user", is_flag=True, text=Text("不再凭系统用户进入", "No system user is let in any more"))
@pass_app
def change(
    app: App, login: str, name: str | None, unit: str | None, roles: tuple[AccountRole, ...], os_users: tuple[str, ...],
    no_os_user: bool,
) -> None:  # fmt: skip
    if os_users and no_os_user:
        raise UsageError(
            Text("--os-user 和 --no-os-user 只能写一个", "Give either --os-user or --no-os-user"), where=login
        )
    wanted = workflow.Change(
        name=name, unit=unit, roles=roles or None, os_users=os_users if os_users or no_os_user else None
    )
    with app.session() as session:
        made = workflow.change_account(session, login, wanted)
    app.show(build_accounts_view([made]))


@verb(
    Text(
        "设口令：自己的；系统管理员可为他人设初始口令",
        "Set a password: one's own, or as an administrator somebody's first",
    ),
    action="administer",
)
@click.argument("login", required=False)
@option(
    "--file",
    "path",
    type=_FILE,
    text=Text(
        "从只有本人可读的文件读取（一行），不提示输入",
        "Read it from a file that only you can read (one line), without a prompt",
    ),
)
@pass_app
def password(app: App, login: str | None, path: Path | None) -> None:
    with app.session("read", "administer", sets_password=True) as session:
        whose = login or session.acting.login
        made = workflow.set_password(session, whose, load_secret(path) if path else _ask(app, whose))
    app.say(_told(made))


def _told(account: Account) -> Text:
    if account.password_set_by == account.login:
        return Text("口令已设：{u}", "Password set: {u}").format(u=account.login)
    return Text(
        "初始口令已设：{u}；本人须先改：govcloud --user {u} accounts password",
        "First password set: {u}; the holder replaces it first: govcloud --user {u} accounts password",
    ).format(u=account.login)


def _ask(app: App, login: str) -> str:
    if not sys.stdin.isatty():
        raise UsageError(
            Text("没有终端可输入口令", "There is no terminal to ask for the password"), where=login,
            next_step=Text("用 --file 指明口令文件", "Name a file with --file"),
        )  # fmt: skip
    first: str = click.prompt(
        Text("{u} 的新口令", "New password of {u}").format(u=login).to(app.lang), hide_input=True, err=True
    )
    again: str = click.prompt(Text("再输入一次", "Once more").to(app.lang), hide_input=True, err=True)
    if first != again:
        raise UsageError(Text("两次输入不同，未改动", "The two differ; nothing was changed"), where=login)
    return first


@verb(
    Text(
        "停用账号：立即生效，令牌作废，未用的批准失效",
        "Disable an account: at once; its tokens and unused approvals are void",
    ),
    action="administer",
)
@_login
@_reason
@pass_app
def disable(app: App, login: str, reason: str) -> None:
    with app.session() as session:
        made = workflow.disable_account(session, login, reason)
    app.show(build_accounts_view([made]))


@verb(
    Text("重新启用账号；作废的令牌不恢复", "Enable an account again; revoked tokens stay revoked"), action="administer"
)
@_login
@_reason
@pass_app
def enable(app: App, login: str, reason: str) -> None:
    with app.session() as session:
        made = workflow.enable_account(session, login, reason)
    app.show(build_accounts_view([made]))


@group(Text("令牌：程序以本人名义操作", "Tokens: a program acts in its holder's name"))
def token() -> None:
    pass


@verb(Text("给自己发一个令牌，只显示一次", "Give oneself a token; it is shown once"), action="read")
@option("--label", required=True, text=Text("用途", "What it is for"))
@option(
    "--days",
    type=click.IntRange(1, workflow.MAX_DAYS),
    default=90,
    text=Text("有效天数，默认 90", "Days until it expires; 90 by default"),
)
@option(
    "-o",
    "--output",
    "path",
    type=_FILE,
    text=Text("写入新文件（仅本人可读），不显示", "Write it to a new file that only you can read, and don't show it"),
)
@pass_app
def new(app: App, label: str, days: int, path: Path | None) -> None:
    if path is not None and path.exists():
        raise UsageError(Text("文件已存在，未改动", "The file exists; it was left as it is"), where=str(path))
    with app.session("read", "administer") as session:
        made, text = workflow.new_token(session, session.acting.login, label, days)
        now = session.now()
    if path is not None:
        _write_secret(path, text)
    app.show(build_tokens_view([made], now, None if path else text))


def _write_secret(path: Path, text: str) -> None:
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(handle, "w") as out:
            out.write(text + "\n")
    except OSError as error:
        raise OutsideError(
            Text("令牌文件写不进去：{why}", "The token can't be written: {why}").format(why=error.strerror),
            where=str(path),
            next_step=Text(
                "撤销它，另发一个：govcloud accounts token list",
                "Revoke it and make another: govcloud accounts token list",
            ),
        ) from error


@verb(
    Text("列出自己的令牌；系统管理员看到全部", "List one's tokens; an administrator sees all"),
    name="list",
    action="read",
)
@pass_app
def list_tokens(app: App) -> None:
    with app.session("read", "administer") as session:
        found, now = workflow.list_tokens(session), session.now()
    app.show(build_tokens_view(found, now))


@verb(Text("撤销令牌，立即生效", "Revoke a token, at once"), action="read")
@click.argument("token_id")
@pass_app
def revoke(app: App, token_id: str) -> None:
    with app.session("read", "administer") as session:
        gone, now = workflow.revoke_token(session, token_id), session.now()
    app.show(build_tokens_view([gone], now))


for _part in (new, list_tokens, revoke):
    token.add_command(_part)
for _part in (add, list_, show, change, password, disable, enable, token):
    accounts.add_command(_part)

command = accounts
